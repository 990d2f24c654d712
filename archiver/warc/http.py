"""The HTTP message inside a record block: its head, and its entity-body.

RFC 9112 with leniency where servers need it: bare LF, folded lines, lines without a colon. Nothing
here changes the block; it only says where things are.
"""

import re
import zlib
from dataclasses import dataclass

from archiver.errors import RecordError

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +([1-9]\d{2})(?:\D|$)")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_MEDIA_TYPE = re.compile(r"\s*([\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127})\s*(?:;|\Z)", re.ASCII)
_ZLIB_METHODS = (b"\x08", b"\x18", b"\x28", b"\x38", b"\x48", b"\x58", b"\x68", b"\x78")
MOST_CODINGS = 5
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
        """Whether the last transfer coding, of all fields that name one, is chunked."""
        codings = ",".join(value for name, value in self.fields if name == "transfer-encoding")
        return codings.lower().split(",")[-1].strip() == "chunked"


def essence(content_type: str | None) -> str | None:
    """`Text/HTML; charset=x` → `text/html`; None for what is no media type (RFC 6838 section 4.2)."""
    found = _MEDIA_TYPE.match(content_type or "")
    return found[1].lower() if found else None


def parse_message(block: bytes) -> Message:
    """Find head and body. A block without an empty line is all head; HEAD_BYTES of it are read."""
    found = _END_OF_HEAD.search(block, 0, HEAD_BYTES)
    head, body_offset = (block[: found.start()], found.end()) if found else (block[:HEAD_BYTES], len(block))
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    fields: list[tuple[str, list[str]]] = []
    for line in lines[1:]:
        text = line.decode("latin-1")
        if text[:1] in (" ", "\t") and fields:
            fields[-1][1].append(text.strip())
        elif ":" in text:
            name, _, value = text.partition(":")
            fields.append((name.strip().lower(), [value.strip()]))
    return Message(lines[0], tuple((name, " ".join(parts)) for name, parts in fields), body_offset)


def entity_body(message: Message, block: bytes) -> bytes:
    """The payload by RFC 9112 section 7: transfer coding removed, content coding kept.

    Of a body that was cut, what arrived.
    """
    body = block[message.body_offset :]
    return dechunk(body) if message.chunked else body


def dechunk(body: bytes) -> bytes:
    """Undo the chunked coding (RFC 9112 section 7.1); stops where the coding is broken or cut."""
    content = bytearray()
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
        at = end + 1 + size
        content += body[end + 1 : at]
        line_end = _LINE_END.match(body, at)
        if line_end is None:
            break
        at = line_end.end()
    return bytes(content)


def decoded(body: bytes, coding: str | None, limit: int) -> bytes:
    """Remove the content coding (RFC 9110 section 8.4.1), never past `limit` bytes.

    Raises RecordError for a coding that is not known or broken, and for more than `limit` bytes.
    """
    names = [part.strip().lower() for part in (coding or "").split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > MOST_CODINGS:
        raise RecordError(f"{len(names)} content codings, one in the other")
    for name in reversed(names):
        if name not in ("gzip", "x-gzip", "deflate"):
            raise RecordError(f"content coding {name[:40]!r} is kept, but not read here")
        body = _inflate(body, name, limit)
    if len(body) > limit:
        raise RecordError(f"more than {limit} bytes")
    return body


def _inflate(body: bytes, name: str, limit: int) -> bytes:
    """Of a stream that was cut, what is there; what follows a gzip member is left out, as browsers do."""
    raw = name == "deflate" and not _has_zlib_head(body)
    inflate = zlib.decompressobj(-15 if raw else 47)
    try:
        out = inflate.decompress(body, limit + 1)
    except zlib.error as error:
        raise RecordError(f"content coding {name!r} is broken: {error}") from error
    if len(out) > limit:
        raise RecordError(f"more than {limit} bytes after decoding {name!r}")
    return out


def _has_zlib_head(body: bytes) -> bool:
    """RFC 1950 section 2.2; what servers call deflate is often without it."""
    return body[:1] in _ZLIB_METHODS and int.from_bytes(body[:2]) % 31 == 0
