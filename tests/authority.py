"""A timestamp authority of one's own: certificates made here, answers by `openssl ts`, HTTP on loopback."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import needs_openssl  # noqa: F401
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = ("--allow-private", "127.0.0.0/8")
_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
{certs}
default_policy = 1.3.6.1.4.1.55555.1
digests = sha256
ess_cert_id_alg = sha256
signer_digest = sha256
{extra}
"""


def _certificate(
    folder: Path,
    file: str,
    name: str,
    until: timedelta,
    above: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None = None,
) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = above or (subject, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=above is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if above:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        made = made.add_extension(purpose, critical=True)
    pem = made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / f"{file}.pem").write_bytes(pem)
    (folder / f"{file}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return subject, key


Answer = Callable[[bytes], tuple[int, str, bytes]]


class Authority:
    """Answers queries while its server runs. `behave` may be put over the honest answer."""

    def __init__(
        self,
        folder: Path,
        name: str = "Time Authority",
        *,
        until: timedelta = timedelta(days=3650),
        chain: bool = False,
        extra: str = "",
    ) -> None:
        """`chain`: also send the root, which Debian's openssl puts in an order that is not DER's."""
        folder.mkdir(parents=True)
        self.folder, self.name = folder, name
        above = _certificate(folder, "root", f"{name} Root", timedelta(days=7300))
        _certificate(folder, "tsa", name, until, above)
        (folder / "serial").write_text("01\n")
        certs = f"certs = {folder}/root.pem" if chain else ""
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder, certs=certs, extra=extra))
        self.roots = folder / "root.pem"
        self.queries: list[bytes] = []
        self.behave: Answer | None = None
        self.url = ""

    def reply(self, query: bytes) -> bytes:
        """The honest answer: DER of a TimeStampResp."""
        asked, said = self.folder / f"{len(self.queries)}.tsq", self.folder / f"{len(self.queries)}.tsr"
        asked.write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", str(self.folder / "tsa.cnf")]
        subprocess.run(
            [*command, "-queryfile", str(asked), "-out", str(said)],
            check=True,
            capture_output=True,
            timeout=30,
        )
        return said.read_bytes()

    def _answer(self, query: bytes) -> tuple[int, str, bytes]:
        self.queries.append(query)
        if self.behave is not None:
            return self.behave(query)
        return 200, "application/timestamp-reply", self.reply(query)

    @contextmanager
    def serving(self, port: int = 0) -> Iterator["Authority"]:
        with serving(self._answer, port) as url:
            self.url = f"{url}/tsr"
            yield self


@contextmanager
def serving(answer: Answer, port: int = 0) -> Iterator[str]:
    """An HTTP server on loopback that answers GET and POST so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, body = answer(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # a client may hang up
                self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - as http.server calls it

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def settings(root: Path, *authorities: Authority, more: str = "") -> None:
    """Write the archive's archiver.toml, with these authorities."""
    text = f"[proof]\n{more}\n" if more else ""
    for each in authorities:
        text += f'[[proof.authorities]]\nurl = "{each.url}"\nroots = "{each.roots}"\n'
    (root / "archiver.toml").write_text(text)


def wait_until_expired(authority: Authority) -> None:
    """Until the authority's certificate has run out, and a token says so: its time has whole seconds."""
    end = x509.load_pem_x509_certificate((authority.folder / "tsa.pem").read_bytes()).not_valid_after_utc
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 1.1)
