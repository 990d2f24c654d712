"""An archive with all that evidence can have: a revisit, signatures, a cosignature, an authority's tokens."""

import base64
import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import archives
import msgspec
import needs_openssl  # noqa: F401
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from archiver.archive import Archive
from archiver.capture.records import note_record
from archiver.index import catalogue
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Checkpoint, Timestamp
from archiver.model import FetchNote, Hop, Record
from archiver.prove import verify
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.warc.write import record_id

EVIL = "海\u202eevil<script>alert(1)</script>"
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


class Signer:
    """An Ed25519 key, made from a name, so the same in every run. `kind`: 1 signs notes, 4 cosigns."""

    def __init__(self, name: str, kind: int = 1) -> None:
        self.name, self.kind = name, kind
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        self.data = bytes([kind]) + self.key.public_key().public_bytes(*RAW)
        self.hash = hashlib.sha256(f"{name}\n".encode() + self.data).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(self.data).decode()}"

    def line(self, note: str) -> str:
        when, message = b"", note.encode()
        if self.kind == 4:
            when = (1795000000).to_bytes(8, "big")
            message = b"cosignature/v1\ntime 1795000000\n" + message
        blob = base64.b64encode(self.hash + when + self.key.sign(message)).decode()
        return f"\u2014 {self.name} {blob}"


class Authority:
    """A time authority made with `cryptography`, answering through `openssl ts`."""

    def __init__(self, folder: Path, *, days: int = 3650, began: datetime | None = None) -> None:
        folder.mkdir()
        self._folder = folder
        began = began or datetime.now(UTC) - timedelta(days=1)
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        names = [
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
            for name in (f"Root of {folder.name}", "Clock of the Bay")
        ]
        certificates = []
        for name, key, usage in zip(names, keys, (None, ExtendedKeyUsageOID.TIME_STAMPING), strict=True):
            builder = (
                x509.CertificateBuilder()
                .subject_name(name)
                .issuer_name(names[0])
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(began)
                .not_valid_after(began + timedelta(days=days))
                .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
            )
            if usage:
                builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            certificates.append(builder.sign(keys[0], hashes.SHA256()))
        pem = [each.public_bytes(serialization.Encoding.PEM) for each in certificates]
        self.roots = pem[0]
        private = (
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for name, content in {
            "tsa.pem": pem[1],
            "tsa.key": keys[1].private_bytes(*private),
            "serial": b"01\n",
            "ts.cnf": (
                b"[tsa]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\n"
                b"default_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1\ntsa_name=yes\ness_cert_id_chain=no\n"
            ),
        }.items():
            (folder / name).write_bytes(content)

    def stamp(self, data: bytes) -> bytes:
        """A TimeStampResp over these bytes."""
        (self._folder / "data").write_bytes(data)
        ask = ["openssl", "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query"]
        answer = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-section", "tsa", "-queryfile", "query"]
        for command in (ask, [*answer, "-out", "answer"]):
            subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        return (self._folder / "answer").read_bytes()


def revisit_records(root: Path) -> list[Record]:
    """The first article's picture came again, unchanged."""
    original = archives.entries(root, 0)[archives.PICTURE]
    answer = Record(
        type="revisit",
        id=record_id(),
        date="2026-11-23T08:00:00.000001Z",
        uri=original.uri,
        content_type="application/http; msgtype=response",
        headers=(
            ("WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"),
            ("WARC-Refers-To", f"<{original.id}>"),
            ("WARC-Refers-To-Target-URI", original.uri or ""),
            ("WARC-Refers-To-Date", original.date),
            ("WARC-Truncated", "length"),
            ("WARC-Payload-Digest", original.payload_digest or ""),
        ),
        block=b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
    )
    hop = Hop(url=original.uri or "", response=answer.id, status=200)
    note = FetchNote(
        url=original.uri or "",
        purpose="picture",
        outcome="whole",
        started=answer.date,
        unchanged=True,
        article=archives.entries(root, 0)[archives.SOURCE + 1].id,
        references=(0,),
        form="origin",
        hops=(hop,),
    )
    return [answer, note_record(note, answer.id)]


def with_revisit(root: Path) -> None:
    """One more WARC file, with a revisit."""
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox, catalogue.writing(root) as db:
        session = Session(archive, sandbox, db, {"software": EVIL})
        session.append(revisit_records(root))
        session.seal()


def signed(root: Path, signers: list[Signer], stamp: Callable[[bytes], bytes] | None = None) -> None:
    """Sign every checkpoint, and stamp the last: over the note alone, and over it with one signature line."""
    before = commitment.load(root)
    made = [
        Checkpoint(note=each.note, signatures=tuple(signer.line(each.note) for signer in signers))
        for each in before.checkpoints
    ]
    if stamp is not None:
        tokens = tuple(
            Timestamp(
                kind="rfc3161",
                authority="https://authority.example/tsr",
                over=over,
                token=base64.b64encode(stamp(made[-1].stamped(over))).decode(),
            )
            for over in range(min(2, len(signers) + 1))
        )
        made[-1] = msgspec.structs.replace(made[-1], timestamps=tokens)
    keys = tuple(signer.vkey for signer in signers)
    commitment.save(root, msgspec.structs.replace(before, keys=keys, checkpoints=tuple(made)))


def proved(folder: Path) -> tuple[Path, Authority, list[Signer]]:
    """The archive with all of it, its authority, its signers."""
    root = archives.make(folder / "archive", 3)
    with_revisit(root)
    authority = Authority(folder / "authority")
    signers = [Signer(archives.manifest(root).origin), Signer("witness.example/w1", 4)]
    signed(root, signers, authority.stamp)
    (root / "trust").mkdir()
    (root / "trust" / "roots.pem").write_bytes(authority.roots)
    return root, authority, signers


def files_of(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as file:
        return {name: file.read(name) for name in file.namelist()}


def summed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same with a SHA256SUMS that fits."""
    rest = {name: data for name, data in files.items() if name != "SHA256SUMS"}
    lines = (f"{hashlib.sha256(rest[name]).hexdigest()}  {name}\n" for name in sorted(rest))
    return {**rest, "SHA256SUMS": "".join(lines).encode()}


def unpacked(files: dict[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def judged(data: bytes, folder: Path) -> tuple[int, str]:
    """What verify.py says of a ZIP's bytes: exit code, text."""
    path, said = folder / "judged.zip", io.StringIO()
    path.write_bytes(data)
    code = verify.judge(str(path), [], b"", lambda line: said.write(f"{line}\n"))
    return code, said.getvalue()
