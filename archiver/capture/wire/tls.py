"""TLS to a server or proxy: always verified; what was agreed and shown is kept."""

import _ssl
import math
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssltransport import SSLTransport

from archiver.errors import UsageError

Connected = socket.socket | SSLTransport


@dataclass(frozen=True)
class TlsSession:
    """What a handshake agreed. `chain` is DER, in the order in which the server sent it, leaf first."""

    version: str  # "tls/1.3": the form that the WARC-Protocol field uses
    cipher: str  # OpenSSL's name
    chain: tuple[bytes, ...]


def make_context(cacert: str | None) -> ssl.SSLContext:
    """Verify against the PEM file `cacert`, else against certifi's roots. UsageError if it cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_verify_locations(cafile=cacert or DEFAULT_CA_BUNDLE_PATH)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            f"--cacert {cacert}: {error.strerror or error}", "Give a PEM file with at least one certificate."
        ) from error
    return context


def handshake(plain: Connected, context: ssl.SSLContext, host: str, seconds: float) -> Connected:
    """Speak TLS as a client over a connection, which may be TLS itself (through an https proxy).

    An end without TLS's close_notify is an error in the result (RFC 9112 section 9.8). Raises OSError,
    of which ssl.SSLError and TimeoutError are kinds.
    """
    plain.settimeout(seconds)
    if isinstance(plain, ssl.SSLSocket | SSLTransport):
        return SSLTransport(_Paced(plain), context, host, suppress_ragged_eofs=False)  # type: ignore[arg-type]
    return context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False)


def session_of(connection: Connected) -> TlsSession | None:
    """What the handshake agreed; None for a connection without TLS."""
    if not isinstance(connection, ssl.SSLSocket | SSLTransport):
        return None
    cipher = connection.cipher()
    version = (connection.version() or "").lower().replace("v", "/")
    if version and "." not in version:
        version += ".0"
    return TlsSession(version, cipher[0] if cipher else "", _chain(connection))


def _chain(connection: Any) -> tuple[bytes, ...]:
    """The chain as sent. Python 3.13 gives it publicly, 3.11 and 3.12 only below the socket."""
    holder = getattr(connection, "sslobj", connection)
    public = getattr(holder, "get_unverified_chain", None)
    if public is not None:
        return tuple(public())
    private = getattr(holder._sslobj, "get_unverified_chain", None)  # noqa: SLF001 - see above
    if private is not None:
        return tuple(certificate.public_bytes(_ssl.ENCODING_DER) for certificate in private())
    leaf = connection.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


class _Paced:
    """A connection whose timeout bounds a whole exchange of TLS records, not each read of one."""

    def __init__(self, inner: Connected) -> None:
        self._inner = inner
        self.settimeout(inner.gettimeout())

    def settimeout(self, seconds: float | None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    def recv(self, size: int) -> Any:
        self._pace()
        return self._inner.recv(size)

    def sendall(self, data: bytes) -> None:
        if data:
            self._pace()
            self._inner.sendall(data)

    def fileno(self) -> int:
        return self._inner.fileno()

    def close(self) -> None:
        self._inner.close()

    def _pace(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._inner.settimeout(None if left == math.inf else left)
