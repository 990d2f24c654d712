"""Read records: one member at its location, or all members of a file in order.

Strict where warcio is lenient: every defect raises RecordError and says where. Memory is bounded by
the largest record. Only WARC/1.x in per-record gzip members is read here; other shapes are `import`'s.
"""

import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from archiver.digests import digest
from archiver.errors import RecordError
from archiver.storage import is_imported, open_stored
from archiver.warc.http import Message, decoded, entity_body, is_coded, parse_message

if TYPE_CHECKING:
    from archiver.model import Location

HEAD_BYTES = 1 << 20
RECORD_BYTES = 1 << 30
DAMAGED = "'archiver verify' says what is damaged, 'archiver repair' mends it from a copy."
_LENGTH = re.compile(r"[0-9]{1,15}")
_ONCE = ("content-length", "warc-record-id", "warc-type", "warc-date", "warc-target-uri", "warc-block-digest")


@dataclass(frozen=True)
class StoredRecord:
    """A record as it lies in the archive. `fields` are the WARC header, names in lower case."""

    fields: tuple[tuple[str, str], ...]
    block: bytes = field(repr=False)
    foreign: bool = False  # somebody else's: fields may name codings that were taken off before it was stored

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name.lower()), None)

    @property
    def type(self) -> str:
        return self.get("warc-type") or ""

    @cached_property
    def http(self) -> Message | None:
        """The HTTP message of a response or request."""
        if not (self.get("content-type") or "").lower().startswith("application/http"):
            return None
        return parse_message(self.block)

    @property
    def payload(self) -> bytes:
        """WARC/1.1 section 5.8: the entity-body for HTTP, else the block."""
        return entity_body(self.http, self.block, lenient=self.foreign) if self.http else self.block

    def content_decoded(self, limit: int) -> bytes:
        """The payload without its content coding; RecordError past `limit` bytes."""
        coding = self.http.get("content-encoding") if self.http else None
        if self.foreign and not is_coded(self.payload, coding):
            coding = None
        return decoded(self.payload, coding, limit)


@dataclass(frozen=True)
class Member:
    """A stored gzip member: where it lies, its bytes, their SHA-256."""

    offset: int
    stored: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return digest(self.stored)


def is_inside(root: Path, file: str) -> bool:
    """Whether a file that a catalogue names lies in the folder (resolved), wherever links lead.

    An imported file may be a link to anywhere; what is read through it has to have the digest that was
    committed.
    """
    try:
        path = (root / file).parent if is_imported(file) else root / file
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        return False


def read_stored(root: Path, location: "Location") -> bytes:
    """The member's bytes as they lie in the file, sealed or still open, not judged.

    RecordError when they are not there.
    """
    try:
        with open_stored(root, location.file) as file:
            missing = location.offset + location.length - os.fstat(file.fileno()).st_size
            if missing > 0 or location.offset < 0 or location.length < 0:
                raise RecordError(f"{location.file}: ends {missing} bytes too early")
            file.seek(location.offset)
            return file.read(location.length)
    except OSError as error:
        raise RecordError(f"{location.file}: {error.strerror or error}") from error


def read_committed(root: Path, location: Location, wanted: str, advice: str = DAMAGED) -> bytes:
    """The same, if their digest is `wanted`. RecordError when it is another one, too."""
    stored = read_stored(root, location)
    if digest(stored) != wanted:
        raise RecordError(f"{location.file}: the record at {location.offset} was changed", advice)
    return stored


def parse_member(stored: bytes) -> StoredRecord:
    """Gunzip exactly one member that holds exactly one record, and parse it."""
    inflate = zlib.decompressobj(31)
    try:
        data = inflate.decompress(stored, RECORD_BYTES)
    except zlib.error as error:
        raise RecordError(f"not a whole gzip member: {error}") from error
    if not inflate.eof:
        raise RecordError("not a whole gzip member: it is cut, or larger than a record may be")
    if inflate.unused_data:
        raise RecordError(f"{len(inflate.unused_data)} bytes after the gzip member")
    return parse_record(data)


def parse_record(data: bytes) -> StoredRecord:
    """Parse one uncompressed record (WARC/1.1 section 4): head, block, two CRLF."""
    end = data.find(b"\r\n\r\n", 0, HEAD_BYTES)
    if end < 0 or not data.startswith((b"WARC/1.1\r\n", b"WARC/1.0\r\n")):
        raise RecordError("not a WARC/1.x record")
    fields = _fields(data[:end].split(b"\r\n")[1:])
    names = [name for name, _ in fields]
    twice = next((name for name in _ONCE if names.count(name) > 1), None)
    if twice:
        raise RecordError(f"two {twice} fields in one record")
    length = dict(fields).get("content-length", "")
    if not _LENGTH.fullmatch(length):
        raise RecordError(f"Content-Length {length!r} is not a number of bytes")
    block = data[end + 4 : end + 4 + int(length)]
    if len(block) != int(length) or data[end + 4 + int(length) :] != b"\r\n\r\n":
        raise RecordError("the record's length is not its Content-Length")
    return StoredRecord(fields, block)


def _fields(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.decode("utf-8", "backslashreplace").partition(":")
        if not colon or not name or name != name.strip():
            raise RecordError(f"a WARC header line without a name: {line[:80]!r}")
        fields.append((name.lower(), value.strip(" \t")))
    return tuple(fields)


def members(file: BinaryIO, offset: int = 0) -> Iterator[Member]:
    """Walk the gzip members from `offset` to the end; RecordError at the first that is not whole.

    The bytes need not be a record: that is for `parse_member` to judge.
    """
    file.seek(offset)
    inflate = zlib.decompressobj(31)
    stored = bytearray()
    size = 0
    while chunk := file.read(1 << 16):
        while chunk:
            try:
                size += len(inflate.decompress(chunk))
            except zlib.error as error:
                raise RecordError(f"no gzip member at {offset}: {error}") from error
            if size > RECORD_BYTES:
                raise RecordError(f"the member at {offset} is larger than a record may be")
            if not inflate.eof:
                stored += chunk
                break
            rest = inflate.unused_data
            stored += chunk[: len(chunk) - len(rest)]
            yield Member(offset, bytes(stored))
            offset += len(stored)
            inflate, stored, size, chunk = zlib.decompressobj(31), bytearray(), 0, rest
    if stored:
        raise RecordError(f"the member at {offset} is cut")
