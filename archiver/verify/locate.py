"""Which records of a WARC file changed, went, came or moved.

The digests that the record list gives are aligned with those of the spans that the file holds.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.model import Entry, Finding, Verdict
from archiver.verify.align import common, gaps
from archiver.verify.findings import of_record
from archiver.warc.read import parse_member
from archiver.warc.scan import Span, walk

REPAIR = "Get the file from another copy of the archive; records that no finding names are intact."
NAMED_BYTES = 16 << 20  # an added record is named by its own header, if it is not larger

Entries = Sequence[Entry | None]  # None: a line of the record list that is no entry


def locate(file: BinaryIO, name: str, entries: Entries) -> Iterator[Finding]:
    """A finding for each record that is not as its entry says, and for what no entry names.

    Raises RecordError when the file cannot be read.
    """
    yield from _Comparison(file, name, entries).findings()


class _Comparison:
    def __init__(self, file: BinaryIO, name: str, entries: Entries) -> None:
        self._file, self._name, self._entries = file, name, entries
        self._spans = walk(file)
        expected = [entry.digest if entry else None for entry in entries]
        self._pairs = common(expected, [span.digest for span in self._spans])
        self._number = {digest: number for number, digest in enumerate(expected) if digest}
        self._moved = self._find_moved(expected)

    def _find_moved(self, expected: Sequence[str | None]) -> dict[int, int]:
        """Records that are whole, but not in their place: number → span."""
        placed, in_order = {i for i, _ in self._pairs}, {j for _, j in self._pairs}
        loose: dict[str, deque[int]] = defaultdict(deque)
        for j, span in enumerate(self._spans):
            if j not in in_order and span.digest is not None:
                loose[span.digest].append(j)
        return {
            number: loose[digest].popleft()
            for number, digest in enumerate(expected)
            if number not in placed and digest and loose.get(digest)
        }

    def findings(self) -> Iterator[Finding]:
        elsewhere = set(self._moved.values())
        for lost, there in gaps(self._pairs, len(self._entries), len(self._spans)):
            extra = [j for j in there if j not in elsewhere]
            gone = [number for number in lost if number not in self._moved]
            replaced = self._replaced(gone, extra)
            for number in lost:
                yield from self._lost(number, replaced.get(number))
            for j in sorted({*extra} - {*replaced.values()} - self._pieces(gone, extra, replaced)):
                yield self._added(j)

    def _replaced(self, gone: Sequence[int], extra: Sequence[int]) -> dict[int, int]:
        """What stands in the place of each record that is gone: number → span.

        As many as are gone: in order. Else those of the same length first, then by where they lie.
        """
        if len(gone) == len(extra):
            return dict(zip(gone, extra, strict=True))
        lengths = [str(entry.length) if (entry := self._entries[number]) else None for number in gone]
        cut = len(self._spans) - 1  # where a file ends in a record, its length says nothing
        there = [None if j == cut and not self._spans[j].whole else str(self._spans[j].length) for j in extra]
        alike = common(lengths, there)
        found = {gone[i]: extra[j] for i, j in alike}
        used = set(found.values())
        free = [j for j in extra if j not in used]
        ends = [self._spans[j].end for j in free]
        shift = self._shift(gone, extra)
        for number in gone:
            entry = self._entries[number]
            if number not in found and entry:
                start = entry.offset + shift
                at = bisect_right(ends, start)
                if at < len(free) and self._spans[free[at]].offset < start + entry.length:
                    found[number] = free[at]
        return found

    def _pieces(self, gone: Sequence[int], extra: Sequence[int], replaced: dict[int, int]) -> set[int]:
        """Spans that lie where a replaced record was, and are no record of their own: pieces of that one."""
        shift = self._shift(gone, extra)
        places = [
            (entry.offset + shift, entry.offset + shift + entry.length)
            for number in gone
            if number in replaced and (entry := self._entries[number])
        ]
        ends = [end for _, end in places]
        pieces = set()
        for j in extra:
            span = self._spans[j]
            at = bisect_right(ends, span.offset)
            if span.digest in self._number or at == len(places):
                continue
            start, end = places[at]
            if start < span.end <= (end if span.record else span.end):  # within it, even a record is a piece
                pieces.add(j)
        return pieces

    def _shift(self, gone: Sequence[int], extra: Sequence[int]) -> int:
        """How far the records of a gap have moved because of what is before them."""
        first = next((entry for number in gone if (entry := self._entries[number])), None)
        return self._spans[extra[0]].offset - first.offset if first and extra else 0

    def _lost(self, number: int, replacement: int | None) -> Iterator[Finding]:
        if number in self._moved:
            where = f"at offset {self._spans[self._moved[number]].offset}"
            message = "the record is whole, but stands elsewhere in the file"
            yield from self._record(number, "moved-record", message, where)
        elif replacement is not None:
            yield from self._changed(number, self._spans[replacement])
        else:
            message = "the record is not in the file"
            yield from self._record(number, "missing-record", message, None, "incomplete")

    def _changed(self, number: int, span: Span) -> Iterator[Finding]:
        entry = self._entries[number]
        found = f"{span.length} bytes at offset {span.offset}, {span.digest}"
        if entry and not span.whole and span is self._spans[-1] and span.length < entry.length:
            message = f"the file ends in the record, {entry.length - span.length} bytes before its end"
            yield from self._record(number, "cut-record", message, found, "incomplete")
        else:
            yield from self._record(number, "changed-record", "the record's bytes were changed", found)

    def _added(self, j: int) -> Finding:
        span = self._spans[j]
        number = self._number.get(span.digest or "")
        record = j
        if number is not None:
            code, message = "duplicated-record", f"record {number} stands here once more"
            identifier, uri = self._entry_names(number)
            record = number
        elif span.record:
            code, message = "added-record", "a record stands here that nothing commits"
            identifier, uri = self._own_names(span)
        else:
            code, message, identifier, uri = "added-bytes", "bytes stand here that are no record", None, None
        return Finding(
            verdict="failed",
            code=code,
            file=self._name,
            record=record,
            offset=span.offset,
            id=identifier,
            uri=uri,
            message=message,
            found=f"{span.length} bytes, {span.digest}",
            advice=REPAIR,
        )

    def _entry_names(self, number: int) -> tuple[str | None, str | None]:
        entry = self._entries[number]
        return (entry.id, entry.uri) if entry else (None, None)

    def _own_names(self, span: Span) -> tuple[str | None, str | None]:
        """WARC-Record-ID and WARC-Target-URI as an added record itself gives them."""
        if span.length > NAMED_BYTES:
            return None, None
        self._file.seek(span.offset)
        try:
            record = parse_member(self._file.read(span.length))
        except RecordError:
            return None, None
        return (record.get("warc-record-id") or "").strip("<>") or None, record.get("warc-target-uri")

    def _record(
        self, number: int, code: str, message: str, found: str | None, verdict: Verdict = "failed"
    ) -> Iterator[Finding]:
        """A finding about a committed record; none where its line in the record list is unknown."""
        entry = self._entries[number]
        if entry is not None:
            yield of_record(
                self._name,
                number,
                entry,
                code,
                message,
                advice=REPAIR,
                verdict=verdict,
                expected=f"{entry.length} bytes, {entry.digest}",
                found=found,
            )
