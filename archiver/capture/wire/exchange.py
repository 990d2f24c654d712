"""One request and what came back: what capturing hands on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from archiver.capture.wire.pace import Reservation
from archiver.capture.wire.tls import TlsSession
from archiver.errors import FetchError
from archiver.warc.http import entity_body, parse_message

Truncated = Literal["length", "time", "disconnect", "unspecified"]  # WARC/1.1 section 5.13
SECRETS = ("cookie", "authorization", "proxy-authorization")


@dataclass
class Exchange:
    """One request and what came back, also when that was nothing.

    `response` is the final message from its status line to its last byte, as received; where `status`
    is None, what came instead of one. `error` says why there is no complete answer, or why a redirect
    was not followed.
    """

    url: str
    method: str
    started: datetime  # UTC, before the name was looked up
    request: bytes = b""  # as sent, without the fields named in `redacted`
    redacted: tuple[str, ...] = ()
    response: bytes = b""
    interim: tuple[bytes, ...] = ()  # the 1xx messages before, each as received
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()  # names in lower case, values as latin-1
    body_offset: int = 0  # where the body starts in `response`
    truncated: Truncated | None = None
    error: FetchError | None = None
    peer: str | None = None  # the address connected to (RFC 5952), None behind a proxy
    tls: TlsSession | None = None
    surplus: int = 0  # bytes that came after the end of the message, not kept
    through: str | None = None  # the proxy, without credentials
    seconds: float = 0.0  # how long it took, on the monotonic clock
    private: bool = False  # the peer's address is not public
    held: Reservation | None = field(default=None, repr=False, compare=False)  # memory, of a large answer

    def header(self, name: str) -> str | None:
        """The first header field of that name."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def entity_body(self) -> bytes:
        """The payload: transfer coding removed, content coding kept; of a cut one, what arrived."""
        return entity_body(parse_message(self.response), self.response)

    def whole(self) -> bytes:
        """The payload of a complete answer of status 200, for what is not archived. Raises FetchError."""
        try:
            if self.error is not None:
                raise self.error
            if self.status != 200:
                raise FetchError(f"{self.url}: it answered with status {self.status}", "response")
            return self.entity_body()
        finally:
            self.release()

    def release(self) -> None:
        """Let another large answer have the memory: to be called when this one has been stored."""
        if self.held is not None:
            self.held.release()


def redact(request: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Leave out the header fields that are secrets; also return their names, in lower case."""
    head, separator, body = request.partition(b"\r\n\r\n")
    kept: list[bytes] = []
    left_out: list[str] = []
    for line in head.split(b"\r\n"):
        name = line.partition(b":")[0].decode("latin-1").lower()
        if name in SECRETS:
            left_out.append(name)
        else:
            kept.append(line)
    return b"\r\n".join(kept) + separator + body, tuple(left_out)
