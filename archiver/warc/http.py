"""The HTTP message inside a record block: its head, and its entity-body.

RFC 9112 with leniency where servers need it: bare LF, folded lines, lines without a colon. Nothing
here changes the block; it only says where things are.
"""

import re
import zlib
from dataclasses import dataclass

from archiver.errors import RecordError
from archiver.warc.zstandard import FRAME, zstd

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +([1-9]\d{2})(?:\D|$)")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]{0,8000})?\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_MEDIA_TYPE = re.compile(r"\s*([\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127})\s*(?:;|\Z)", re.ASCII)
_ZLIB_METHODS = (b"\x08", b"\x18", b"\x28", b"\x38", b"\x48", b"\x58", b"\x68", b"\x78")
_CODINGS = ("gzip", "x-gzip", "deflate", "br", "zstd")
_BEGINNING, _MOST_OF_BEGINNING, _BUFFER = 1 << 14, 1 << 20, 1 << 20
MOST_CODINGS = 5
HEAD_BYTES = 1 << 20


class TooLong(RecordError):
    """It inflates to more than was asked for."""


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


def entity_body(message: Message, block: bytes, *, lenient: bool = False) -> bytes:
    """The payload by RFC 9112 section 7: transfer coding removed, content coding kept.

    Of a body that was cut, what arrived. `lenient`: a body without chunks, though the head names them, is
    taken as it is; some programs store it so.
    """
    body = block[message.body_offset :]
    if not message.chunked or (lenient and not _is_chunked(body)):
        return body
    return dechunk(body)


def _is_chunked(body: bytes) -> bool:
    """Whether it begins with a chunk, whole or cut."""
    size = _CHUNK_SIZE.match(body)
    if size is None:
        return False
    end = size.end() + int(size[1], 16)
    return int(size[1], 16) == 0 or end >= len(body) or _LINE_END.match(body, end) is not None


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
        if name not in _CODINGS:
            raise RecordError(f"content coding {name[:40]!r} is kept, but not read here")
        body = _inflate(body, name, limit)
    if len(body) > limit:
        raise RecordError(f"more than {limit} bytes")
    return body


def is_coded(body: bytes, coding: str | None) -> bool:
    """Whether a body has the last coding that its head names; some programs store it without.

    Gzip and Zstandard begin with bytes of their own; of the others the beginning has to be readable.
    """
    names = [part.strip().lower() for part in (coding or "").split(",")]
    name = next((name for name in reversed(names) if name not in ("", "identity")), None)
    if name in ("gzip", "x-gzip"):
        return body.startswith(b"\x1f\x8b")
    if name == "zstd":
        return body.startswith(FRAME)
    if name in _CODINGS and body:
        try:
            _inflate(body[:_BEGINNING], name, _MOST_OF_BEGINNING)
        except TooLong:
            return True
        except RecordError:
            return False
    return True


def _inflate(body: bytes, name: str, limit: int) -> bytes:
    """Of a stream that was cut, what is there; what follows a gzip member is left out, as browsers do."""
    if name == "br":
        out = _brotli(body, limit + 1)
    elif name == "zstd":
        out = _zstandard(body, limit + 1)
    else:
        raw = name == "deflate" and not _has_zlib_head(body)
        try:
            out = zlib.decompressobj(-15 if raw else 47).decompress(body, limit + 1)
        except zlib.error as error:
            raise RecordError(f"content coding {name!r} is broken: {error}") from error
    if len(out) > limit:
        raise TooLong(f"more than {limit} bytes after decoding {name!r}")
    return out


def _brotli(body: bytes, limit: int) -> bytes:
    """RFC 7932, up to a limit that may be passed by a buffer."""
    import brotli  # noqa: PLC0415 - few need it

    decoder, out, size = brotli.Decompressor(), [], 0
    try:
        part = decoder.process(body, output_buffer_limit=min(limit, _BUFFER))
        while part and size < limit:
            out.append(part)
            size += len(part)
            part = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=_BUFFER)
    except brotli.error as error:
        raise RecordError(f"content coding 'br' is broken: {error}") from error
    return b"".join(out)


def _zstandard(body: bytes, limit: int) -> bytes:
    """RFC 8878: the frames of a body, with windows of 128 MiB at most."""
    module = zstd()
    out = bytearray()
    try:
        while body and len(out) < limit:
            decoder = module.ZstdDecompressor()
            out += decoder.decompress(body, limit - len(out))
            body = decoder.unused_data if decoder.eof else b""
    except module.ZstdError as error:
        raise RecordError(f"content coding 'zstd' is broken: {error}") from error
    return bytes(out)


def _has_zlib_head(body: bytes) -> bool:
    """RFC 1950 section 2.2; what servers call deflate is often without it."""
    return body[:1] in _ZLIB_METHODS and int.from_bytes(body[:2]) % 31 == 0
