"""Records that have no place of their own in somebody's file, one by one, as records of WARC."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.warc.foreign import arc, frames, plain, zips
from archiver.warc.foreign.inflate import TRIAL, Budget, Decoder, Deflate, Kept, Salvage, Spent, expand, trial
from archiver.warc.foreign.kinds import HEAD, holds_warc, recognise_file
from archiver.warc.foreign.nouns import ForeignRecord, Form, Stretch
from archiver.warc.foreign.plain import GZIP, Piece
from archiver.warc.foreign.source import Source
from archiver.warc.foreign.walk import claimed_end, walk
from archiver.warc.read import RECORD_BYTES
from archiver.warc.zstandard import FRAME

_SPENT = "what is left inflates to more than is read of such a file"
_MAGIC = {"gzip": re.compile(GZIP), "zstd": re.compile(re.escape(FRAME))}


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
                if stretch.hidden:
                    part = inner.part(stretch.offset, stretch.end)
                    for found in _Transcript(part, self._budget).all():
                        yield replace(found, offset=0)
                else:
                    piece = Piece(0, 0, stretch.record, stretch.code, stretch.reason)
                    yield from _given(piece, 0)
            if unit.broken:
                yield Transcribed(0, None, "damaged", f"damaged deflate: {unit.broken}")
        except Spent:
            yield _bomb(0)
        finally:
            kept.close()

    def _units(
        self, form: Form, decoder: Callable[[], Decoder], grammar: Callable[[Source, Form], Iterator[Piece]]
    ) -> Iterator[Transcribed]:
        for at, kept, broken in self._groups(form, decoder):
            try:
                inner = kept.source()
                for piece in grammar(inner, form):
                    if not (broken and piece.end == inner.size and claimed_end(piece)):
                        yield from _given(piece, at)
                if broken:
                    code = "cut" if broken == "cut" else "damaged"
                    yield Transcribed(at, None, code, f"compressed bytes are broken: {broken}")
            finally:
                kept.close()

    def _groups(self, form: Form, decoder: Callable[[], Decoder]) -> Iterator[tuple[int, Kept, str]]:
        """What compressed stretches hold; with each that begins with a record those after it that do not.

        Where it begins, what it is, and why it is broken.
        """
        at, begun, group = 0, 0, Kept(self._budget, whole=True)
        broken = ""
        while at < self._source.size and not broken.startswith(_SPENT):
            kept = Kept(self._budget, whole=True)
            try:
                unit = expand(self._source, at, decoder(), kept, self._budget)
                end, why = unit.end, unit.broken
                if why:
                    end = self._next(at + 1, form)
            except Spent:
                end, why = self._source.size, _SPENT
            if broken or (group.size and _begins(kept.source().read(0, HEAD))):
                yield begun, group, broken
                begun, group = at, kept
            else:
                for block in kept.source().blocks(0, kept.size):
                    group.add(block)
                kept.close()
            at, broken = end, why
        yield begun, group, broken

    def _next(self, at: int, form: Form) -> int:
        """Where the next compressed stretch begins that can be read."""
        for found, _ in self._source.matches(_MAGIC[form], at, self._source.size):
            self._budget.spend(TRIAL)
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


def _bomb(at: int) -> Transcribed:
    return Transcribed(at, None, "bomb", _SPENT)
