"""Bytes at any place of a file, or of a part of one, without holding more than a window of it."""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from archiver.digests import blocks_digest
from archiver.errors import RecordError

WINDOW = 1 << 20
_FIRST = 1 << 16  # most of what is looked for is near


class Source:
    """A stretch of a seekable file; places are counted from where the stretch begins.

    RecordError when the file cannot be read.
    """

    def __init__(self, file: BinaryIO, start: int = 0, end: int | None = None) -> None:
        self._file, self._start, self.hashing = file, start, True
        try:
            self.size = (file.seek(0, io.SEEK_END) if end is None else end) - start
        except (OSError, ValueError) as error:
            raise unread(error) from error
        self._at, self._window = 0, b""
        self.barren = (0, 0)  # where no header ends: looked through once, however many begin there

    @classmethod
    def of(cls, data: bytes) -> "Source":
        """Bytes in memory."""
        source = cls(io.BytesIO(data))
        source._window = data
        return source

    def part(self, start: int, end: int) -> "Source":
        """A stretch of this one."""
        return Source(self._file, self._start + start, self._start + end)

    def read(self, at: int, size: int) -> bytes:
        """The bytes from a place on, fewer only where the source ends."""
        size = min(size, self.size - at)
        if size <= 0:
            return b""
        first = at - self._at
        if first >= 0 and first + size <= len(self._window):
            return self._window[first : first + size]
        window = self._get(at, max(size, min(WINDOW, self.size - at)))
        if len(window) < size:
            raise RecordError("the file became shorter while it was read")
        self._at, self._window = at, window if size <= WINDOW else b""
        return window[:size]

    def starts(self, at: int, prefix: bytes) -> bool:
        return self.read(at, len(prefix)) == prefix

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from one place to another, in order."""
        for at in range(start, min(end, self.size), WINDOW):
            yield self.read(at, min(WINDOW, end - at))

    def digest(self, start: int, end: int) -> str:
        """SHA-256 of the bytes between two places; "" without `hashing`."""
        return blocks_digest(self.blocks(start, end)) if self.hashing else ""

    def matches(
        self, pattern: re.Pattern[bytes], start: int, end: int, longest: int = 256
    ) -> Iterator[tuple[int, bytes]]:
        """Where the pattern matches up to `end`, and what; a match has at most `longest` bytes."""
        size = _FIRST
        while start < end:
            window = self.read(start, min(size, end - start))
            beyond = len(window) if start + len(window) >= end else len(window) - longest
            for found in pattern.finditer(window):
                if found.start() < beyond:
                    yield start + found.start(), found[0]
            start += beyond
            size = WINDOW

    def search(self, pattern: re.Pattern[bytes], start: int, end: int, longest: int = 256) -> int | None:
        """Where the pattern matches first."""
        return next((at for at, _ in self.matches(pattern, start, end, longest)), None)

    def _get(self, at: int, size: int) -> bytes:
        try:
            self._file.seek(self._start + at)
            return self._file.read(size)
        except (OSError, ValueError) as error:
            raise unread(error) from error


class NotHeld(Exception):
    """What is between the two ends of an inflated stretch was not kept."""


class Ends(Source):
    """The beginning and the end of a longer stretch. Reading between them raises NotHeld."""

    def __init__(self, beginning: bytes, ending: bytes, size: int) -> None:
        super().__init__(io.BytesIO(b""))
        self._beginning, self._ending, self.size = beginning, ending, size

    def read(self, at: int, size: int) -> bytes:
        size = min(size, self.size - at)
        if size <= 0:
            return b""
        if at + size <= len(self._beginning):
            return self._beginning[at : at + size]
        first = at - (self.size - len(self._ending))
        if first < 0:
            raise NotHeld
        return self._ending[first : first + size]


def unread(error: OSError | ValueError) -> RecordError:
    """What the operating system, or Python, said."""
    said = error.strerror if isinstance(error, OSError) else None
    return RecordError(f"cannot be read: {said or error}")
