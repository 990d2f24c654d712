"""Which records of a WARC file changed, went, came or moved.

The digests that the record list gives are aligned with those of the spans that the file holds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from archiver.errors import RecordError
from archiver.model import Entry, Finding, Verdict
from archiver.warc.scan import Span, walk

REPAIR = "Get the file from another copy of the archive; the other records of the file are intact."


def locate(root: Path, file: str, entries: Sequence[Entry]) -> Iterator[Finding]:
    """A finding for each record that is not as its entry says, and for what no entry names."""
    try:
        spans = list(walk(root / file))
    except RecordError as error:
        yield Finding(verdict="failed", code="warc-digest", file=file, message=str(error), advice=REPAIR)
        return
    yield from _Alignment(file, entries, spans).findings()


class _Alignment:
    def __init__(self, file: str, entries: Sequence[Entry], spans: Sequence[Span]) -> None:
        self._file, self._entries, self._spans = file, entries, spans
        self._expected = [entry.digest for entry in entries]
        self._found = [span.digest for span in spans]
        self._at = {span.digest: span.offset for span in spans}
        self._surplus = Counter(self._found) - Counter(self._expected)

    def findings(self) -> Iterator[Finding]:
        start = _common(self._expected, self._found)
        stop = _common(self._expected[start:][::-1], self._found[start:][::-1])
        expected = self._expected[start : len(self._expected) - stop]
        found = self._found[start : len(self._found) - stop]
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, expected, found, autojunk=False).get_opcodes():
            if tag != "equal":
                lost = range(start + i1, start + i2)
                extra = self._spans[start + j1 : start + j2]
                yield from self._lost(lost, extra)
                yield from self._extra(lost, extra)

    def _lost(self, lost: range, extra: Sequence[Span]) -> Iterator[Finding]:
        """Committed records that are not where they should be: moved, changed, or gone."""
        for place, number in enumerate(lost):
            entry = self._entries[number]
            over = [span for span in extra if _overlap(span, entry)]
            if entry.digest in self._at:
                where = f"at offset {self._at[entry.digest]}"
                yield self._record(number, "moved-record", "the record is whole, but stands elsewhere", where)
            elif over or len(lost) == len(extra):
                span = over[0] if over else extra[place]
                what = f"{span.length} bytes at offset {span.offset}, {span.digest}"
                yield self._record(number, "changed-record", "the record's bytes were changed", what)
            else:
                yield self._record(
                    number, "missing-record", "the record is not in the file", None, "incomplete"
                )

    def _extra(self, lost: range, extra: Sequence[Span]) -> Iterator[Finding]:
        """What stands there without being committed. What stands in a lost record's place is that record."""
        for span in extra:
            if not self._surplus[span.digest] or any(_overlap(span, self._entries[n]) for n in lost):
                continue
            if span.digest in self._expected:
                code, message = "duplicated-record", "a committed record stands here once more"
            elif span.whole:
                code, message = "added-record", "a record stands here that nothing commits"
            else:
                code, message = "added-bytes", "bytes stand here that are no record"
            yield Finding(
                verdict="failed",
                code=code,
                file=self._file,
                offset=span.offset,
                message=message,
                found=f"{span.length} bytes, {span.digest}",
                advice=REPAIR,
            )

    def _record(
        self, number: int, code: str, message: str, found: str | None, verdict: Verdict = "failed"
    ) -> Finding:
        entry = self._entries[number]
        return Finding(
            verdict=verdict,
            code=code,
            file=self._file,
            record=number,
            offset=entry.offset,
            id=entry.id,
            uri=entry.uri,
            message=message,
            expected=f"{entry.length} bytes, {entry.digest}",
            found=found,
            advice=REPAIR,
        )


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the common beginning."""
    pairs = zip(left, right, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))


def _overlap(span: Span, entry: Entry) -> bool:
    return span.offset < entry.offset + entry.length and entry.offset < span.offset + span.length
