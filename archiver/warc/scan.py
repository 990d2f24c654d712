"""Walk a WARC file that may be damaged: every byte belongs to a whole member or to a gap.

After a gap the walk takes up again at the next gzip member that begins a WARC record. It is for the judge of
our own files, which needs no more than members and their digests: `foreign/` also finds records that are
plain, divided or several in a member, which in a file of ours are damage, and takes 1.6 times as long.
"""

import hashlib
import mmap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.warc.read import RECORD_BYTES

_MAGIC = b"\x1f\x8b\x08"
_STEP = 1 << 16
_TRIAL = 4096  # bytes looked at to see whether a record begins
_EFFORT = 100  # bytes inflated for each byte of a file: bombs, and heads of members without end, stop there


@dataclass(frozen=True)
class Span:
    """A stretch of a file. `whole`: a gzip member with a right checksum; else bytes that are none.

    `record`: a whole member that begins as a WARC record does.
    `digest` is None for a gap that is longer than a record may be.
    """

    offset: int
    length: int
    digest: str | None
    whole: bool
    record: bool

    @property
    def end(self) -> int:
        return self.offset + self.length


def walk(file: BinaryIO) -> list[Span]:
    """The spans of an open file, in order, without gap or overlap. RecordError when it cannot be read."""
    try:
        file.seek(0, 2)
        if file.tell() == 0:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return list(_Walk(data).spans())
    except OSError as error:
        raise RecordError(f"cannot be walked: {error.strerror or error}") from error


class _Walk:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._effort = len(data) * _EFFORT + RECORD_BYTES

    def spans(self) -> Iterator[Span]:
        at = 0
        while at < len(self._data):
            end = self._member_end(at)
            whole = end is not None
            if end is None:
                end = self._next_record(at + 1)
            yield Span(at, end - at, self._digest(at, end), whole, whole and self._begins_record(at))
            at = end

    def _member_end(self, start: int) -> int | None:
        """Where the gzip member that starts here ends; None when there is no whole one."""
        inflate = zlib.decompressobj(31)
        at, size = start, 0
        try:
            while at < len(self._data) and not inflate.eof:
                part = self._data[at : at + _STEP]
                size += (found := len(inflate.decompress(part)))
                self._effort -= found + len(part)
                if size > RECORD_BYTES or self._effort < 0:
                    return None
                at += len(part)
        except zlib.error:
            return None
        return at - len(inflate.unused_data) if inflate.eof else None

    def _next_record(self, start: int) -> int:
        """Offset of the next gzip member that begins a WARC record; the end when there is none near."""
        stop = min(len(self._data), start + RECORD_BYTES)
        at = self._data.find(_MAGIC, start, stop)
        while at >= 0 and self._effort >= 0:
            self._effort -= _TRIAL
            if self._begins_record(at):
                return at
            at = self._data.find(_MAGIC, at + 1, stop)
        return len(self._data)

    def _begins_record(self, at: int) -> bool:
        try:
            return zlib.decompressobj(31).decompress(self._data[at : at + _TRIAL], 5) == b"WARC/"
        except zlib.error:
            return False

    def _digest(self, start: int, end: int) -> str | None:
        if end - start > RECORD_BYTES:
            return None
        sha256 = hashlib.sha256()
        for at in range(start, end, 1 << 20):
            sha256.update(self._data[at : min(at + (1 << 20), end)])
        return "sha256:" + sha256.hexdigest()
