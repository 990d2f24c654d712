"""One walk through a file of others: which bytes are records that have a place, and what the rest is."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.warc.foreign import plain, zips
from archiver.warc.foreign.heads import begins_warc, head_at
from archiver.warc.foreign.inflate import (
    SPENT,
    TRIAL,
    Budget,
    Deflate,
    Kept,
    Salvage,
    Spent,
    expand,
    inflated,
    trial,
)
from archiver.warc.foreign.kinds import HEAD, MEMBERS, holds_warc, recognise_file
from archiver.warc.foreign.nouns import ForeignRecord, Problem, Stretch
from archiver.warc.foreign.plain import GZIP, Piece
from archiver.warc.foreign.source import Ends, NotHeld, Source
from archiver.warc.http import HEAD_BYTES

GZIPS = re.compile(GZIP)
HIDDEN = ("several", "torn-stream")
_DEPTH = 2  # a WACZ in a WACZ
_LOOK = 64


def stretches(file: BinaryIO, *, hashing: bool = True) -> Iterator[Stretch]:
    """The stretches of a seekable file, which has to stay open and as it is while they are used.

    Each has its digest, unless without `hashing`. RecordError when the file cannot be read. Bytes of any kind
    are read in time and room that follow from the file's size.
    """
    source = Source(file)
    source.hashing = hashing
    yield from walk(source, Budget(source.size))


def parse_stored(stored: bytes) -> ForeignRecord:
    """The one record that a stretch of somebody's file holds. RecordError when it holds none, or several."""
    found = list(islice(stretches(io.BytesIO(stored), hashing=False), 2))
    if len(found) == 1 and found[0].record:
        return found[0].record
    raise RecordError(f"not one record: {found[0].reason or 'several' if found else 'no bytes'}")


def walk(source: Source, budget: Budget, depth: int = 0) -> Iterator[Stretch]:
    """The stretches of a part of a file; offsets count from its beginning."""
    kind = recognise_file(source.read(0, HEAD))
    if kind == "wacz" and depth < _DEPTH:
        yield from _wacz(source, budget, depth)
    elif kind in ("arc", "arc+gzip", "warc+zstd"):
        code, reason = ("zstd", "a file of Zstandard") if kind == "warc+zstd" else ("arc", "an ARC file")
        yield _gap(source, 0, source.size, code, reason, hidden=True)
    else:
        yield from _Walk(source, budget).stretches()


def _wacz(source: Source, budget: Budget, depth: int) -> Iterator[Stretch]:
    try:
        parts = zips.parts(source)
    except RecordError as error:
        yield from _Walk(source, budget, f"ZIP: {error}").stretches()
        return
    for part in parts:
        if part.stored and zips.may_hold_records(source, part):
            for inner in walk(source.part(part.start, part.end), budget, depth + 1):
                name = f"{part.member}/{inner.member}" if inner.member else part.member
                yield replace(inner, offset=inner.offset + part.start, member=name)
        else:
            gap = _gap(source, part.start, part.end, part.code, part.reason, hidden=part.hidden)
            yield replace(gap, member=part.member)


def _gap(source: Source, start: int, end: int, code: str, reason: str, *, hidden: bool) -> Stretch:
    digest = source.digest(start, end)
    return Stretch(start, end - start, digest, code=code, reason=reason, hidden=hidden)


class _Walk:
    """Plain records and gzip members, in any order."""

    def __init__(self, source: Source, budget: Budget, damage: str = "") -> None:
        self._source, self._budget, self._damage = source, budget, damage
        self._usual = 1 << 14  # bytes of the member before
        self._running = False  # the piece before holds records that have no place of their own

    def stretches(self) -> Iterator[Stretch]:
        """Neighbouring gaps that hold records are one."""
        hidden: list[Piece] = []
        for piece in self._pieces():
            self._running = piece.code in HIDDEN
            if self._running:
                hidden.append(piece)
                continue
            if hidden:
                yield self._hidden(hidden)
                hidden = []
            digest = self._source.digest(piece.start, piece.end)
            reason = (not piece.start and self._damage) or piece.reason
            yield Stretch(piece.start, piece.end - piece.start, digest, piece.record, piece.code, reason)
        if hidden:
            yield self._hidden(hidden)

    def _hidden(self, pieces: list[Piece]) -> Stretch:
        first, end = pieces[0], pieces[-1].end
        return _gap(self._source, first.start, end, first.code, first.reason, hidden=True)

    def _pieces(self) -> Iterator[Piece]:
        at, size = 0, self._source.size
        try:
            while at < size:
                piece = self._gzip(at) if self._source.starts(at, GZIP) else self._plain(at)
                yield piece
                at = piece.end
        except Spent:
            yield Piece(at, size, None, "bomb", SPENT)

    def _plain(self, at: int) -> Piece:
        piece = plain.record_at(self._source, at, "plain")
        end = at
        while piece is None:
            end = self._next(end + 1, MEMBERS)
            begun = end < self._source.size and not self._source.starts(end, GZIP)
            if not begun or plain.record_at(self._source, end, "plain"):
                piece = Piece(at, end, None, *plain.what_is(self._source, at, end))
        return piece

    def _gzip(self, at: int) -> Piece:
        kept = Kept(self._budget)
        unit = expand(self._source, at, Deflate(), kept, self._budget, about=self._usual)
        if unit.broken:
            return self._torn(at)
        self._usual = unit.end - at
        whole = kept.held()
        if whole is not None and (record := plain.ordinary(whole, "gzip")):
            return Piece(at, unit.end, record)
        inner = kept.source()
        if not holds_warc(inner.read(0, _LOOK)):
            return self._no_record(at, unit.end, inner)
        end = unit.end
        try:
            while not _has_head(inner) and (more := self._more(end, kept, inner.size + 1)) != end:
                self._budget.spend(kept.size)
                inner, end = kept.source(), more
            piece = _only(inner)
            if piece and (more := self._more(end, kept, claimed_end(piece))) != end:
                inner, end = kept.source(), more
                piece = _only(inner)
        except NotHeld:
            piece = None
        if piece and piece.record and end != unit.end:
            problem = Problem("split", "the record lies in several gzip members")
            piece = replace(piece, record=replace(piece.record, problems=(*piece.record.problems, problem)))
        return self._member(at, end, inner, piece)

    def _member(self, at: int, end: int, inner: Source, piece: Piece | None) -> Piece:
        """What members are that were inflated: one record with a place of its own, or something else."""
        if piece is None:
            return Piece(at, end, None, "several", "gzip members that hold more than one record")
        if piece.record is None:
            return Piece(at, end, None, piece.code, piece.reason)
        record = piece.record
        if isinstance(inner, Ends):
            record = replace(record, raw=partial(inflated, self._source, at, end), lead=piece.start)
        return Piece(at, end, record)

    def _more(self, at: int, kept: Kept, size: int) -> int:
        """Inflate the members that go on with a record, up to a size; the end of the last."""
        while kept.size < size and self._source.starts(at, GZIP):
            self._budget.spend(TRIAL)
            begin = trial(self._source, at)
            if not begin or holds_warc(begin):
                break
            unit = expand(self._source, at, Deflate(), kept, self._budget)
            if unit.broken:
                break
            at = unit.end
        return at

    def _no_record(self, at: int, end: int, inner: Source) -> Piece:
        if self._running:
            return Piece(at, end, None, "several", "")
        if not inner.size:
            return Piece(at, end, None, "empty-member", "a gzip member that holds nothing")
        try:
            found = plain.next_begin(inner, 0, inner.size)
        except NotHeld:
            found = None
        if found is not None:
            return Piece(at, end, None, "several", "a gzip member that does not begin with its record")
        code, reason = plain.what_is(inner, 0, min(inner.size, _LOOK))
        return Piece(at, end, None, f"{code}-member", f"a gzip member without a record: {reason}")

    def _torn(self, at: int) -> Piece:
        """A member that is not whole; whole records that are in it are given all the same."""
        kept = Kept(self._budget)
        unit = expand(self._source, at, Salvage(), kept, self._budget)
        inner = kept.source()
        try:
            first = plain.record_at(inner, 0, "gzip")
            several = first is not None and holds_warc(inner.read(first.end, _LOOK))
        except NotHeld:
            several = True
        code, reason = "damaged-gzip", f"a damaged gzip member: {unit.broken}"
        if unit.broken == "cut":
            code, reason = "cut-gzip", "a gzip member that is cut"
        return Piece(at, self._next(at + 1, GZIPS), None, "torn-stream" if several else code, reason)

    def _next(self, at: int, pattern: re.Pattern[bytes]) -> int:
        """Where the next record begins, plain or in a gzip member; the end when none does."""
        for found, what in self._source.matches(pattern, at, self._source.size):
            if what != GZIP:
                return found
            self._budget.spend(TRIAL)
            if holds_warc(trial(self._source, found)):
                return found
        return self._source.size


def claimed_end(piece: Piece) -> int:
    """Where a record should end that its surroundings cut short; 0 when none did."""
    record = piece.record
    short = record and any(problem.code == "short-block" for problem in record.problems)
    if not record or not short:
        return 0
    return piece.start + len(record.head) + int(record.get("content-length") or 0)


def _has_head(inner: Source) -> bool:
    """Whether the header of the record has its end in what was inflated, or can have none."""
    start = plain.line_ends(inner, 0)
    return inner.size - start >= HEAD_BYTES or head_at(inner, start) is not None


def _only(inner: Source) -> Piece | None:
    """The one record of what was inflated, or a piece that is none; None when there are several.

    Raises NotHeld when that cannot be told.
    """
    start = plain.line_ends(inner, 0)
    piece = plain.record_at(inner, start, "gzip")
    if piece is None or piece.record is None:
        found = plain.next_begin(inner, start + 1, inner.size)
        return None if found is not None else Piece(0, inner.size, None, *plain.what_is(inner, 0, inner.size))
    problems = []
    if start:
        problems.append(Problem("lead", "empty lines before the record"))
    if piece.end < inner.size:
        following = plain.next_begin(inner, piece.end, inner.size)
        if following is not None or begins_warc(inner.read(piece.end, 5)):
            return None
        message = f"{inner.size - piece.end} bytes after the record in its gzip member"
        problems.append(Problem("rest", message, piece.end))
    if problems:
        record = replace(piece.record, problems=(*piece.record.problems, *problems))
        piece = replace(piece, record=record)
    return piece
