"""Records that have no place of their own in somebody's file, one by one, as records of WARC."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.warc.foreign import arc, frames, plain, zips
from archiver.warc.foreign.inflate import (
    SPENT,
    TRIAL,
    Budget,
    Decoder,
    Deflate,
    Kept,
    Salvage,
    Spent,
    expand,
    trial,
)
from archiver.warc.foreign.kinds import HEAD, holds_warc, recognise_file
from archiver.warc.foreign.nouns import ForeignRecord, Form, Stretch
from archiver.warc.foreign.plain import GZIP, Piece
from archiver.warc.foreign.source import Source
from archiver.warc.foreign.walk import claimed_end, walk
from archiver.warc.read import RECORD_BYTES
from archiver.warc.zstandard import FRAME

_MAGIC = {"gzip": re.compile(GZIP), "zstd": re.compile(re.escape(FRAME))}
_TRIALS = {"gzip": TRIAL, "zstd": 1 << 20}  # what a look at one costs; a frame's decoder is slow to make


@dataclass(frozen=True)
class Transcribed:
    """A record, or why there is none: `code` and `reason`, as of a gap.

    `offset`: where in the file that begins which holds it, a compressed stretch or the record itself.
    The record's bytes can be had until the next one is asked for.
    """

    offset: int
    record: ForeignRecord | None
    code: str = ""
    reason: str = ""


def transcribe(file: BinaryIO, stretch: Stretch) -> Iterator[Transcribed]:
    """The records of a hidden stretch: `record.raw()` are the bytes of one WARC record, without compression.

    Those of a WARC file are as they were; those of an ARC file have the same block. RecordError when the file
    cannot be read.
    """
    source = Source(file, stretch.offset, stretch.end)
    for found in _Transcript(source, Budget(source.size)).all():
        yield replace(found, offset=found.offset + stretch.offset)


class _Transcript:
    def __init__(self, source: Source, budget: Budget) -> None:
        self._source, self._budget = source, budget

    def all(self) -> Iterator[Transcribed]:
        source = self._source
        kind = recognise_file(source.read(0, HEAD))
        if source.starts(0, zips.LOCAL):
            yield from self._deflated()
        elif kind == "warc+zstd":
            yield from self._zstd()
        elif kind == "arc":
            for piece in arc.pieces(source, "plain"):
                yield from _given(piece, piece.start)
        else:
            grammar = arc.pieces if kind == "arc+gzip" else plain.pieces
            yield from self._units("gzip", Salvage, grammar)

    def _zstd(self) -> Iterator[Transcribed]:
        try:
            dictionary = frames.dictionary(self._source)
        except RecordError as error:
            yield Transcribed(0, None, "dictionary", str(error))
            return
        yield from self._units("zstd", lambda: frames.Frame(dictionary), plain.pieces)

    def _deflated(self) -> Iterator[Transcribed]:
        """A member of a ZIP file, which may itself be any kind of file."""
        start = zips.data_start(self._source, 0)
        kept = Kept(self._budget, whole=True)
        try:
            unit = expand(self._source, start or 0, Deflate(-15), kept, self._budget)
            inner = kept.source()
            for stretch in walk(inner, self._budget, 1):
                self._budget.count()
                if stretch.hidden:
                    part = inner.part(stretch.offset, stretch.end)
                    for found in _Transcript(part, self._budget).all():
                        yield replace(found, offset=0)
                else:
                    piece = Piece(0, 0, stretch.record, stretch.code, stretch.reason)
                    yield from _given(piece, 0)
            if unit.broken:
                yield _lost(0, unit.broken)
        except Spent:
            yield _lost(0, SPENT)
        finally:
            kept.close()

    def _units(
        self, form: Form, decoder: Callable[[], Decoder], grammar: Callable[[Source, Form], Iterator[Piece]]
    ) -> Iterator[Transcribed]:
        for at, kept, broken in self._groups(form, decoder):
            try:
                inner = kept.source()
                for piece in grammar(inner, form):
                    self._budget.count()
                    if not (broken and piece.end == inner.size and claimed_end(piece)):
                        yield from _given(piece, at)
                if broken:
                    yield _lost(at, broken)
            except Spent:
                yield _lost(at, SPENT)
                return
            finally:
                kept.close()

    def _groups(self, form: Form, decoder: Callable[[], Decoder]) -> Iterator[tuple[int, Kept, str]]:
        """What compressed stretches hold; with each that begins with a record those after it that do not.

        Where it begins, what it is, and why it is broken.
        """
        at, begun, broken = 0, 0, ""
        group = kept = Kept(self._budget, whole=True)
        try:
            while at < self._source.size and broken != SPENT:
                kept = Kept(self._budget, whole=True)
                end, why = self._expand(at, form, decoder(), kept)
                if broken or (group.size and _begins(kept.source().read(0, HEAD))):
                    yield begun, group, broken
                    begun, group = at, kept
                elif group.size:
                    group.take(kept)
                else:
                    group.close()
                    begun, group = at, kept
                at, broken = end, why
            yield begun, group, broken
        finally:  # nobody may want the rest
            group.close()
            kept.close()

    def _expand(self, at: int, form: Form, decoder: Decoder, kept: Kept) -> tuple[int, str]:
        """Inflate what begins at a place: where the next begins, and why this one is broken."""
        try:
            unit = expand(self._source, at, decoder, kept, self._budget)
            return (self._next(at + 1, form) if unit.broken else unit.end), unit.broken
        except Spent:
            return self._source.size, SPENT

    def _next(self, at: int, form: Form) -> int:
        """Where the next compressed stretch begins that can be read."""
        for found, _ in self._source.matches(_MAGIC[form], at, self._source.size):
            self._budget.spend(_TRIALS[form])
            if form != "gzip" or _begins(trial(self._source, found, TRIAL)):
                return found
        return self._source.size


def _begins(data: bytes) -> bool:
    return holds_warc(data) or arc.begins_arc(data)


def _given(piece: Piece, at: int) -> Iterator[Transcribed]:
    record = piece.record
    if record is not None and record.block_bytes + len(record.head) > RECORD_BYTES:
        reason = f"a record of {record.block_bytes} bytes, more than one may have that is transcribed"
        yield Transcribed(at, None, "large", reason)
    elif record is not None or piece.code != "blank":
        yield Transcribed(at, record, piece.code, piece.reason)


def _lost(at: int, broken: str) -> Transcribed:
    if broken == SPENT:
        return Transcribed(at, None, "bomb", SPENT)
    code = "cut" if broken == "cut" else "damaged"
    return Transcribed(at, None, code, f"compressed bytes are broken: {broken}")
