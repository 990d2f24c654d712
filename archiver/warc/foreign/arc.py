"""ARC files, versions 1 and 2 (Burner and Kahle, "Arc File Format", 1996), as records of WARC.

Each has the same block: the version block becomes a `warcinfo` record, an HTTP answer a `response`, all else
a `resource`. What the line before the block says becomes fields; ids follow from the bytes.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from archiver.warc.foreign.nouns import ForeignRecord, Form, Problem
from archiver.warc.foreign.plain import Piece, line_ends, what_is
from archiver.warc.foreign.source import Source

_LINE_BYTES = 1 << 16
_MATCH = 8192
_BEGINS = re.compile(rb"\n(?:filedesc|https?|dns|ftp|whois|urn|data|mailto):[^\n]{1,8000}(?=\n)")
_DATE = re.compile(rb"(?:[0-9]{4,20}|-|null)\Z")
_ADDRESS = re.compile(rb"(?:[0-9A-Fa-f.:]{2,45}|-|0)\Z")
_LENGTH = re.compile(rb"-?[0-9]{1,15}\Z")
_TOKEN = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}", re.ASCII)


@dataclass(frozen=True)
class _Line:
    """The line of a record: of version 2 `mime` is the first of the words between date and length."""

    uri: str
    address: str
    date: str
    mime: str
    length: int


def begins_arc(head: bytes) -> bool:
    """Whether some bytes begin an ARC file, or a record of one, empty lines before it or not."""
    line, ended, _ = head[:_LINE_BYTES].lstrip(b"\r\n").partition(b"\n")
    return bool(ended) and _line(line) is not None


def _line(written: bytes) -> _Line | None:
    """URL IP-address Archive-date Content-type … Archive-length; some URLs have spaces in them."""
    words = written.removesuffix(b"\r").split(b" ")
    if len(words) < 5 or not _LENGTH.match(words[-1]) or b":" not in words[0]:
        return None
    for at in range(2, len(words) - 2):
        if _DATE.match(words[at]) and _ADDRESS.match(words[at - 1]):
            uri, address, date, mime = (
                word.decode("utf-8", "backslashreplace")
                for word in (b" ".join(words[: at - 1]), words[at - 1], words[at], words[at + 1])
            )
            return _Line(uri, address, date, mime, int(words[-1]))
    return None


def pieces(source: Source, form: Form) -> Iterator[Piece]:
    """All of a source, in order, without gap or overlap: records, and bytes that are none."""
    at = 0
    while at < source.size:
        start = at + line_ends(source, at)
        piece = _record(source, at, start, form)
        if piece is None:
            end = _next(source, start + 1)
            piece = Piece(at, end, None, *what_is(source, at, end))
        yield piece
        at = piece.end


def _next(source: Source, at: int) -> int:
    """Where the next line stands that can be one of a record; `at` is not 0."""
    for found, line in source.matches(_BEGINS, at - 1, source.size, _MATCH):
        if _line(line[1:]):
            return found + 1
    return source.size


def _record(source: Source, at: int, start: int, form: Form) -> Piece | None:
    for size in (1024, _LINE_BYTES):
        written, ended, _ = source.read(start, size).partition(b"\n")
        if ended:
            break
    line = _line(written) if ended else None
    if line is None:
        return None
    block = start + len(written) + 1
    block_end, end, problems = _extent(source, start, block, line.length)
    made = _Made(source, written, block, block_end)
    fields = made.fields(line, problems)
    head = b"WARC/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"
    return Piece(
        at,
        end,
        ForeignRecord(
            version="ARC",
            given=tuple((name.lower(), value) for name, value in fields),
            head=head,
            block_bytes=block_end - block,
            form=form,
            problems=tuple(problems),
            raw=partial(made.raw, head),
            arc=written.decode("utf-8", "backslashreplace"),
        ),
    )


def _extent(source: Source, start: int, block: int, length: int) -> tuple[int, int, list[Problem]]:
    """Where the block ends, where the record ends, and what is wrong with it."""
    block_end = min(block + length, source.size)
    end = block_end + line_ends(source, block_end)
    whole = 0 <= length <= source.size - block
    if whole and (end == source.size or _begins(source, end)):
        return block_end, end, []
    found = _next(source, block)
    if not whole or found < block_end:
        message = f"the block has {found - block} bytes, its line says {length}"
        return found, found, [Problem("short-block", message, block - start)]
    message = "what follows the block is no record"
    return block_end, block_end, [Problem("record-end", message, block_end - start)]


def _begins(source: Source, at: int) -> bool:
    return _line(source.read(at, _MATCH).partition(b"\n")[0]) is not None


@dataclass(frozen=True)
class _Made:
    """A record of WARC made from one of ARC."""

    source: Source
    line: bytes
    start: int
    end: int

    def raw(self, head: bytes) -> Iterator[bytes]:
        yield head
        yield from self.source.blocks(self.start, self.end)
        yield b"\r\n\r\n"

    def fields(self, line: _Line, problems: list[Problem]) -> list[tuple[str, str]]:
        uri = "".join(f"%{ord(c):02X}" if c <= " " or c == "\x7f" else c for c in line.uri)
        kind, content = "resource", line.mime if _TOKEN.fullmatch(line.mime) else "application/octet-stream"
        if uri.startswith("filedesc:"):
            kind = "warcinfo"
        elif self.source.starts(self.start, b"HTTP/") and not uri.startswith("dns:"):
            kind, content = "response", "application/http;msgtype=response"
        fields = [("WARC-Type", kind), ("WARC-Record-ID", f"<{self._id()}>")]
        date = _date(line.date)
        if date:
            fields.append(("WARC-Date", date))
        else:
            problems.append(Problem("date", f"Archive-date {line.date!r} is no time"))
        if kind == "warcinfo":
            name = uri.removeprefix("filedesc:").lstrip("/")
            fields += [("WARC-Filename", name)] if name else []
        else:
            fields.append(("WARC-Target-URI", uri))
        if len(line.address) > 1 and line.address != "0.0.0.0" and kind != "warcinfo":  # noqa: S104 - no host
            fields.append(("WARC-IP-Address", line.address))
        return [*fields, ("Content-Type", content), ("Content-Length", str(self.end - self.start))]

    def _id(self) -> str:
        """A UUID of version 8 (RFC 9562 section 5.8): the first bits of the SHA-256 of line and block."""
        sha256 = hashlib.sha256(self.line + b"\n")
        for block in self.source.blocks(self.start, self.end):
            sha256.update(block)
        bits = bytearray(sha256.digest()[:16])
        bits[6], bits[8] = bits[6] & 0x0F | 0x80, bits[8] & 0x3F | 0x80
        digits = bits.hex()
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return "urn:uuid:" + "-".join(parts)


def _date(written: str) -> str | None:
    """YYYYMMDDhhmmss as a WARC-Date; of 12 digits the seconds are unknown, of 17 there are thousandths."""
    try:
        moment = datetime.strptime(written[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
