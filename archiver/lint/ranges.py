"""A file of gzip members judged in ranges by several processes, with the result of one.

Between members with one record each a walk remembers nothing. So a range may begin at the first member of a
record in it, and holds good if the range before it ends there. Where it does not, for a member lies in the
block of another, or where records share a member, one process goes on to the end.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from archiver.errors import RecordError
from archiver.lint.forks import Forks, Lost
from archiver.lint.head import Head, Said
from archiver.lint.part import Part
from archiver.lint.pieces import Piece, Pieces
from archiver.lint.record import Judged as Record
from archiver.lint.references import COMPARED
from archiver.warc.foreign import Stretch
from archiver.warc.inflating import decompressobj, error

RANGE_BYTES = 16 << 20
_LEAST_RANGE = 1 << 20
_MAGIC = b"\x1f\x8b\x08"
_WINDOW, _TRIAL = 1 << 20, 4096

Judged = tuple[Stretch | None, Piece, memoryview | None]
Flat = tuple[int, int, Any, Said, str, str, str]


@dataclass(frozen=True)
class Ranges:
    """The ranges of one file, judged by forks: where each begins and ends, and the number of the first."""

    forks: Forks
    first: int
    bounds: list[tuple[int, int]]


def bounds(size: int, processes: int) -> list[tuple[int, int]]:
    """Ranges of a file, several for each process, so that all end at much the same time."""
    step = min(RANGE_BYTES, max(_LEAST_RANGE, size // (4 * processes) + 1))
    return [(begin, min(begin + step, size)) for begin in range(0, size, step)]


def serial(file: BinaryIO, kind: str, at: int = 0, *, hashing: bool = False) -> Iterator[Judged]:
    """The pieces from a place on, where a member begins."""
    size = file.seek(0, io.SEEK_END)
    part = cast("BinaryIO", Part(file, at, size - at)) if at else file
    for stretch, piece, block in Pieces(part, kind, hashing=hashing).all():
        piece.offset += at
        yield stretch, piece, block


def parallel(file: BinaryIO, kind: str, ranges: Ranges) -> Iterator[Judged]:
    """The same from the beginning, without stretches and blocks."""
    at, good = 0, True
    for number, (_, end) in enumerate(ranges.bounds, ranges.first):
        if not good or at >= end:
            continue  # at the end: a record goes through all of this range
        try:
            for item in ranges.forks.of(number):
                if isinstance(item, tuple) and good:
                    piece = _piece(item)
                    yield None, piece, None
                    at = piece.offset + piece.length
                else:  # where the range begins, or why it ends
                    good = good and item == at
        except Lost:
            good = False
    if at < file.seek(0, io.SEEK_END):
        yield from serial(file, kind, at)


def judge_range(path: str, begin: int, end: int) -> Iterator[Flat | int]:
    """Judge the members that begin in a range: where the first is, then the pieces.

    After them -1 where there is something that a range by itself cannot tell.
    """
    try:
        with Path(path).open("rb") as file:
            start = _first(file, begin, end) if begin else 0
            yield start
            if start >= end:
                return
            size = file.seek(0, io.SEEK_END)
            part = cast("BinaryIO", Part(file, start, size - start))
            for stretch, piece, _ in Pieces(part, "warc+gzip").all():
                if start + stretch.offset >= end:
                    return
                if stretch.hidden:
                    break
                piece.offset += start
                yield _flat(piece)
            else:
                return
    except (OSError, RecordError):
        pass
    yield -1


def _flat(piece: Piece) -> Flat:
    """A piece as built-in types, which go through a pipe in a tenth of the time.

    Without the fields that nobody compares with those of other records.
    """
    judged, of_record = piece.judged, None
    if judged is not None:
        head, fields = judged.head, judged.head.fields
        compared = {name: fields[name] for name in COMPARED if name in fields}
        told = (judged.kind, judged.length, judged.block_holds, judged.payload_holds)
        of_record = (head.version, compared, head.concurrent, told)
    return piece.offset, piece.length, of_record, piece.said, piece.form, piece.version, piece.unjudged


def _piece(flat: Flat) -> Piece:
    offset, length, of_record, said, form, version, unjudged = flat
    judged = None
    if of_record is not None:
        written, fields, concurrent, (kind, size, block_holds, payload_holds) = of_record
        head = Head(written, kind, fields, concurrent, said)
        judged = Record(head, kind, size, said, block_holds, payload_holds)
    return Piece(offset, length, judged, said, form, version, unjudged)


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
        return decompressobj(31).decompress(data, 64).lstrip(b"\r\n")[:5].upper() == b"WARC/"
    except error:
        return False
