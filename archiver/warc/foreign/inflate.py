"""Compressed stretches of a file: gzip members (RFC 1952), frames of Zstandard (RFC 8878), raw deflate.

What they hold is inflated once, in pieces: up to HELD_BYTES are kept, of more only both ends, or all of it in
a temporary file where it is needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from archiver.errors import RecordError
from archiver.warc.foreign.source import Ends, Source
from archiver.warc.inflating import decompressobj, error
from archiver.warc.read import RECORD_BYTES

HELD_BYTES = 8 << 20
_TAIL = 1 << 16
_LEAST, _FIRST, _PIECE = 1 << 11, 1 << 14, 1 << 17  # most members are small
_OUT = 1 << 20
_EFFORT = 100  # bytes inflated for each byte of a file: bombs stop there
_RECORD = 16  # bytes of a file for each record inflated: an id that no other has takes as many
_FREE = 20_000  # records of any file
TRIAL = 4096  # bytes looked at to see whether a record begins


SPENT = "what is left inflates to more than is read of such a file"


class Spent(Exception):
    """More was inflated than a file of its size may ask for."""


class Budget:
    """How much may still be inflated, and how many records read in that. Both raise Spent."""

    def __init__(self, size: int) -> None:
        self._left = size * _EFFORT + RECORD_BYTES // 4
        self._records = size // _RECORD + _FREE

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Spent

    def count(self) -> None:
        """One more record."""
        self._records -= 1
        if self._records < 0:
            raise Spent


class Decoder(Protocol):
    """What the decoders of zlib and Zstandard have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def next(self, data: bytes) -> Iterator[bytes]:
        """What the data inflate to, in pieces of _OUT bytes at most. DecodeError when they are broken."""
        ...


class DecodeError(Exception):
    """The compressed bytes are broken."""


class Deflate:
    """A gzip member (31), or raw deflate (-15)."""

    def __init__(self, window: int = 31) -> None:
        self._inflate = decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def next(self, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                yield self._inflate.decompress(data, _OUT)
                data = self._inflate.unconsumed_tail
                if not data or self._inflate.eof:
                    return
        except error as broken:
            raise DecodeError(str(broken)) from broken


class Salvage(Deflate):
    """One that gives every byte before the damage."""

    def next(self, data: bytes) -> Iterator[bytes]:
        before = self._inflate.copy()
        given = 0
        try:
            for out in super().next(data):
                given += len(out)
                yield out
        except DecodeError:
            for at in range(len(data)):
                try:
                    out = before.decompress(data[at : at + 1])
                except error:
                    break
                if len(out) > given:
                    yield out[given:]
                given = max(0, given - len(out))
            raise


def _spooled() -> BinaryIO:
    import tempfile  # noqa: PLC0415 - few files need it

    return cast("BinaryIO", tempfile.SpooledTemporaryFile(HELD_BYTES))


class Kept:
    """What was inflated, as a Source: all of it, or both ends. `whole` keeps all in a temporary file."""

    def __init__(self, budget: Budget, *, whole: bool = False) -> None:
        self._budget, self.size = budget, 0
        self._parts: list[bytes] = []
        self._tail = b""
        self._file = _spooled() if whole else None

    def add(self, data: bytes) -> None:
        self._budget.spend(len(data))
        self._put(data)

    def _put(self, data: bytes) -> None:
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as full:
                raise RecordError(f"no room to inflate it: {full.strerror or full}") from full
        elif self.size < HELD_BYTES:
            self._parts.append(data)
        if self.size + len(data) > HELD_BYTES:
            self._tail = (self._tail + data)[-_TAIL:]
        self.size += len(data)

    def take(self, other: "Kept") -> None:
        """Add what another has, which is closed."""
        for block in other.source().blocks(0, other.size):
            self._put(block)
        other.close()

    def held(self) -> bytes | None:
        """All of it, where it is in memory."""
        if self._file is not None:
            return None
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        held = self._parts[0] if self._parts else b""
        return held if len(held) == self.size else None

    def source(self) -> Source:
        if self._file is not None:
            return Source(self._file)
        held = b"".join(self._parts)
        self._parts = [held]
        return Source.of(held) if len(held) == self.size else Ends(held, self._tail, self.size)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@dataclass(frozen=True)
class Unit:
    """A compressed stretch from its start to `end`; `broken` says why it is none that is whole."""

    end: int
    broken: str = ""


def expand(
    source: Source, at: int, decoder: Decoder, kept: Kept, budget: Budget, *, about: int = _FIRST
) -> Unit:
    """Inflate what begins at a place; `about` so long as others are, it may be. Raises Spent."""
    size = min(_PIECE, max(_LEAST, about + about // 4))
    try:
        while not decoder.eof:
            data = source.read(at, size)
            if not data:
                return Unit(at, "cut")
            budget.spend(len(data))
            for out in decoder.next(data):
                kept.add(out)
            at += len(data)
            size = _PIECE
    except DecodeError as broken:
        return Unit(at, str(broken))
    return Unit(at - len(decoder.unused_data))


def inflated(source: Source, start: int, end: int) -> Iterator[bytes]:
    """What the gzip members between two places hold, again, in pieces."""
    while start < end:
        decoder, size = Deflate(), _FIRST
        while not decoder.eof and (data := source.read(start, min(size, end - start))):
            yield from decoder.next(data)
            start += len(data)
            size = _PIECE
        if not decoder.eof:
            raise RecordError("the file changed while it was read")
        start -= len(decoder.unused_data)


def trial(source: Source, at: int, size: int = 16) -> bytes:
    """The first bytes that a gzip member holds; none when no member begins here."""
    try:
        return decompressobj(31).decompress(source.read(at, TRIAL), size)
    except error:
        return b""
