"""Walk a WARC file that may be damaged: every byte belongs to a whole member or to a gap.

After a gap the walk takes up again at the next gzip member that begins a WARC record.
"""

import hashlib
import mmap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archiver.errors import RecordError

_MAGIC = b"\x1f\x8b\x08"
_STEP = 1 << 16


@dataclass(frozen=True)
class Span:
    """A stretch of a file. `whole`: a gzip member with a right checksum; else bytes that are none."""

    offset: int
    length: int
    digest: str
    whole: bool


def walk(path: Path) -> Iterator[Span]:
    """The spans of a file, in order, without gap or overlap. RecordError when it cannot be read."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield from _spans(data)
    except OSError as error:
        raise RecordError(f"{path.name}: {error.strerror or error}") from error


def _spans(data: mmap.mmap) -> Iterator[Span]:
    at = 0
    while at < len(data):
        end = _member_end(data, at)
        whole = end is not None
        if end is None:
            end = _next_record(data, at + 1)
        yield Span(at, end - at, _digest(data, at, end), whole)
        at = end


def _member_end(data: mmap.mmap, start: int) -> int | None:
    """Where the gzip member that starts here ends; None when there is no whole one."""
    inflate = zlib.decompressobj(31)
    at = start
    try:
        while at < len(data) and not inflate.eof:
            part = data[at : at + _STEP]
            inflate.decompress(part)
            at += len(part)
    except zlib.error:
        return None
    return at - len(inflate.unused_data) if inflate.eof else None


def _next_record(data: mmap.mmap, start: int) -> int:
    """Offset of the next gzip member that begins a WARC record, or the end."""
    at = data.find(_MAGIC, start)
    while at >= 0:
        try:
            if zlib.decompressobj(31).decompress(data[at : at + 4096], 5) == b"WARC/":
                return at
        except zlib.error:
            pass
        at = data.find(_MAGIC, at + 1)
    return len(data)


def _digest(data: mmap.mmap, start: int, end: int) -> str:
    sha256 = hashlib.sha256()
    for at in range(start, end, 1 << 20):
        sha256.update(data[at : min(at + (1 << 20), end)])
    return "sha256:" + sha256.hexdigest()
