"""The HTTP message inside a record block: its head, and its entity-body.

RFC 9112 with leniency where servers need it: bare LF, folded lines, lines without a colon. Nothing
here changes the block; it only says where things are.
"""

import re
import zlib
from dataclasses import dataclass

from archiver.errors import RecordError

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:\D|$)")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class Message:
    """An HTTP message: start line, fields in order, and the block from `body_offset` on."""

    start: bytes
    fields: tuple[tuple[str, str], ...]
    body_offset: int

    @property
    def status(self) -> int | None:
        """The status of a response; None for a request or a line that is neither."""
        found = _STATUS.match(self.start)
        return int(found.group(1)) if found else None

    def get(self, name: str) -> str | None:
        """The first field of that name, as browsers see it (latin-1)."""
        return next((value for key, value in self.fields if key == name.lower()), None)

    @property
    def media_type(self) -> str | None:
        """The essence of Content-Type: `image/jpeg`."""
        return essence(self.get("content-type"))

    @property
    def chunked(self) -> bool:
        coding = self.get("transfer-encoding")
        return coding is not None and coding.lower().split(",")[-1].strip() == "chunked"


def essence(content_type: str | None) -> str | None:
    """`Text/HTML; charset=x` → `text/html`."""
    return content_type.partition(";")[0].strip().lower() or None if content_type else None


def parse_message(block: bytes) -> Message:
    """Find head and body. A block without an empty line is all head."""
    found = _END_OF_HEAD.search(block, 0, HEAD_BYTES)
    head, body_offset = (block[: found.start()], found.end()) if found else (block, len(block))
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    fields: list[tuple[str, str]] = []
    for line in lines[1:]:
        text = line.decode("latin-1")
        if text[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {text.strip()}")
        elif ":" in text:
            name, _, value = text.partition(":")
            fields.append((name.strip().lower(), value.strip()))
    return Message(lines[0], tuple(fields), body_offset)


def entity_body(message: Message, block: bytes) -> bytes:
    """The payload by RFC 9112 section 7: transfer coding removed, content coding kept.

    Of a body that was cut, what arrived.
    """
    body = block[message.body_offset :]
    return dechunk(body) if message.chunked else body


def dechunk(body: bytes) -> bytes:
    """Undo the chunked coding (RFC 9112 section 7.1); stops where the coding is broken or cut."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.find(b"\n", at, at + 8192)
        if end < 0:
            break
        digits = body[at:end].partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", digits):
            break
        size = int(digits, 16)
        if size == 0:
            break
        parts.append(body[end + 1 : end + 1 + size])
        at = end + 1 + size
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    return b"".join(parts)


def decoded(body: bytes, coding: str | None, limit: int) -> bytes:
    """Remove the content coding (RFC 9110 section 8.4.1), never past `limit` bytes.

    Raises RecordError for a coding that is not known or broken, and for more than `limit` bytes.
    """
    for name in reversed([part.strip().lower() for part in (coding or "").split(",")]):
        if name in ("", "identity"):
            continue
        if name not in ("gzip", "x-gzip", "deflate"):
            raise RecordError(f"content coding {name!r} is kept, but not read here")
        body = _inflate(body, name, limit)
    if len(body) > limit:
        raise RecordError(f"more than {limit} bytes")
    return body


def _inflate(body: bytes, name: str, limit: int) -> bytes:
    raw = name == "deflate" and body[:1] != b"\x78"  # what servers call deflate is often without zlib's head
    inflate = zlib.decompressobj(-15 if raw else 47)
    try:
        out = inflate.decompress(body, limit + 1)
    except zlib.error as error:
        raise RecordError(f"content coding {name!r} is broken: {error}") from error
    if len(out) > limit:
        raise RecordError(f"more than {limit} bytes after decoding {name!r}")
    return out
