"""A large file of gzip members judged in ranges by several processes, with the result of one.

Between members with one record each a walk remembers nothing. So a range may begin at the first member of a
record in it, and holds good if the range before it ends there. Where it does not, for a member lies in the
block of another, or where records share a member, one process goes on to the end.
"""

import io
import os
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, cast

from archiver.lint.digests import Digests
from archiver.lint.part import Part
from archiver.lint.pieces import Piece, Pieces
from archiver.warc.foreign import Stretch

RANGE_BYTES = 16 << 20
LEAST_BYTES = 8 * RANGE_BYTES  # smaller files are judged sooner than processes are started
MOST_PROCESSES = 8
_MAGIC = b"\x1f\x8b\x08"
_WINDOW, _TRIAL = 1 << 20, 4096

Judged = tuple[Stretch | None, Piece, memoryview | None]


@dataclass
class Range:
    """Pieces from `start` to `end`. `stopped`: there is something that a range by itself cannot tell."""

    start: int
    end: int
    pieces: list[Piece] = field(default_factory=list)
    held: dict[bytes, int] = field(default_factory=dict)
    stopped: bool = False


def processes() -> int:
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


def serial(
    file: BinaryIO, kind: str, digests: Digests, at: int = 0, *, hashing: bool = False
) -> Iterator[Judged]:
    """The pieces from a place on, where a member begins."""
    size = file.seek(0, io.SEEK_END)
    part = cast("BinaryIO", Part(file, at, size - at)) if at else file
    for stretch, piece, block in Pieces(part, kind, digests, hashing=hashing).all():
        piece.offset += at
        yield stretch, piece, block


def parallel(file: BinaryIO, path: str, kind: str, digests: Digests) -> Iterator[Judged]:
    """The same from the beginning, without stretches and blocks. `path`: where the file can be opened."""
    size, at = file.seek(0, io.SEEK_END), 0
    with closing(_judged(path, size)) as judged:
        for begin, found in judged:
            if at >= min(begin + RANGE_BYTES, size):
                continue  # a record goes through all of this range
            if found is None or found.start != at:
                break
            yield from ((None, piece, None) for piece in found.pieces)
            for name, count in found.held.items():
                digests.held[name] += count
            at = found.end
            if found.stopped:
                break
    if at < size:
        yield from serial(file, kind, digests, at)


def _judged(path: str, size: int) -> Generator[tuple[int, Range | None]]:
    """The ranges in order; some are judged ahead. None for one whose process was stopped."""
    waiting: deque[tuple[int, Future[Range]]] = deque()
    count = processes()
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        try:
            for begin in range(0, size, RANGE_BYTES):
                waiting.append((begin, pool.submit(judge_range, path, begin, begin + RANGE_BYTES)))
                if len(waiting) > 2 * count:
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _result(begin: int, future: Future[Range]) -> tuple[int, Range | None]:
    try:
        return begin, future.result()
    except BrokenProcessPool:
        return begin, None


def judge_range(path: str, begin: int, end: int) -> Range:
    """Judge the members that begin in a range. RecordError when the file cannot be read."""
    digests = Digests()
    with Path(path).open("rb") as file:
        start = _first(file, begin, end) if begin else 0
        found = Range(start, start)
        if start >= end:
            return found
        size = file.seek(0, io.SEEK_END)
        part = cast("BinaryIO", Part(file, start, size - start))
        before: dict[bytes, int] = dict(digests.held)
        for stretch, piece, _ in Pieces(part, "warc+gzip", digests).all():
            if start + stretch.offset >= end or stretch.hidden:
                found.stopped = stretch.hidden
                break
            before = dict(digests.held)
            piece.offset += start
            found.pieces.append(piece)
            found.end = start + stretch.end
    found.held = before
    return found


def _first(file: BinaryIO, begin: int, end: int) -> int:
    """Where the first member of a record begins; `end` when none does before it."""
    at = begin
    while at < end:
        file.seek(at)
        window = file.read(_WINDOW + _TRIAL)
        place = window.find(_MAGIC, 0, _WINDOW + len(_MAGIC) - 1)
        while place >= 0 and at + place < end:
            if _begins(window[place : place + _TRIAL]):
                return at + place
            place = window.find(_MAGIC, place + 1, _WINDOW + len(_MAGIC) - 1)
        at += _WINDOW
    return end


def _begins(data: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(data, 64).lstrip(b"\r\n")[:5].upper() == b"WARC/"
    except zlib.error:
        return False
