"""Records held against each other: ids, references, events, segments (WARC/1.1 sections 5.2, 5.7, 5.11, 7).

Of each record a number is kept, and of each reference to a later record until that comes: some 150 bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archiver.lint.fields import NAMES, TYPES
from archiver.lint.record import Judged

MOST_RECORDS = 1 << 20
_REFERENCES = (
    (b"warc-refers-to", b""),
    (b"warc-warcinfo-id", b"warcinfo"),
    (b"warc-segment-origin-id", b""),
)
COMPARED = (  # the fields that are held against those of other records, or against the file
    b"warc-record-id",
    b"warc-date",
    b"warc-target-uri",
    b"warc-filename",
    b"warc-segment-number",
    b"warc-segment-total-length",
    *(name for name, _ in _REFERENCES),
)
_MOST_WAITS = 100  # references to one record that has not come; the rest are like them
_BITS = 28
_MASK = (1 << _BITS) - 1
_NUMBERS = {kind: number for number, kind in enumerate(TYPES)}


@dataclass(slots=True)
class _Wait:
    """A reference to a record that has not come: from where, by which field, and what both shall share."""

    offset: int
    id: str
    field: bytes
    kind: bytes
    date: int
    uri: int


@dataclass(slots=True)
class _Series:
    """Segments of one record: how many came, their bytes, their URI."""

    number: int
    length: int
    uri: bytes


class References:
    """One for each file."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}  # of an id: type, and hashes of date and URI
        self._waiting: dict[int, list[_Wait]] = {}
        self._series: dict[bytes, _Series] = {}
        self._full = False

    def add(self, offset: int, judged: Judged) -> Iterator[tuple[int, str, str, str]]:
        """Findings of this record and of those that waited for it: offset, id, code, message."""
        said, packed = judged.said, _packed(judged)
        written = judged.get(b"warc-record-id")
        if written and not self._full:
            key = hash(written)
            before = self._known.get(key)
            if before is not None:
                same = before == packed
                words = "the same record stands in the file already" if same else "another record has this id"
                said.append(("record-repeated" if same else "id-taken", words))
            elif len(self._known) >= MOST_RECORDS:
                self._full = True
                said.append(("references-unjudged", f"more than {MOST_RECORDS} records"))
            else:
                self._known[key] = packed
                for each in self._waiting.pop(key, ()):
                    for code, words in _mismatch(each, packed):
                        yield each.offset, each.id, code, words
        if not self._full:
            self._refer(offset, judged, packed)
        self._segment(judged)

    def end(self) -> Iterator[tuple[int, str, str, str]]:
        """References to records that did not come."""
        if self._full:
            return
        for waits in self._waiting.values():
            for each in waits:
                words = f"{NAMES[each.field]} names a record that is not here"
                yield each.offset, each.id, "reference-missing", words

    def _refer(self, offset: int, judged: Judged, packed: int) -> None:
        fields = judged.head.fields
        found = [(field, fields[field], kind) for field, kind in _REFERENCES if field in fields]
        found += [(b"warc-concurrent-to", each, b"") for each in judged.head.concurrent]
        if not found:
            return
        date, uri = (packed >> _BITS) & _MASK, packed & _MASK
        for field, value, kind in found:
            if not value.startswith(b"<"):
                continue
            wait = _Wait(offset, judged.id, field, kind, date, uri)
            known = self._known.get(hash(value))
            if known is not None:
                judged.said.extend(_mismatch(wait, known))
            elif len(waits := self._waiting.setdefault(hash(value), [])) < _MOST_WAITS:
                waits.append(wait)

    def _segment(self, judged: Judged) -> None:
        number = judged.get(b"warc-segment-number")
        if not number.isdigit() or len(number) > 9:
            return
        uri = judged.get(b"warc-target-uri")
        if judged.kind != b"continuation":
            if len(self._series) < MOST_RECORDS:
                self._series[judged.get(b"warc-record-id")] = _Series(1, judged.length, uri)
            return
        origin = judged.get(b"warc-segment-origin-id")
        if not origin.startswith(b"<"):
            return
        series = self._series.get(origin)
        if series is None or int(number) != series.number + 1:
            judged.said.append(("segment-gap", f"segment {int(number)} without those before it"))
            return
        series.number, series.length = series.number + 1, series.length + judged.length
        if uri != series.uri:
            judged.said.append(("segment-uri", "another WARC-Target-URI than that of the first segment"))
        total = judged.get(b"warc-segment-total-length")
        if total.isdigit() and int(total[:20]) != series.length:
            judged.said.append(("segment-total", f"{series.length} bytes, not {int(total[:20])}"))


def _packed(judged: Judged) -> int:
    fields = judged.head.fields
    kind = _NUMBERS.get(judged.kind, len(TYPES))
    date, uri = hash(fields.get(b"warc-date", b"")) & _MASK, hash(fields.get(b"warc-target-uri", b"")) & _MASK
    return (kind << 2 * _BITS) | (date << _BITS) | uri


def _mismatch(wait: _Wait, packed: int) -> Iterator[tuple[str, str]]:
    """What two records do not share that they shall, when the one refers to the other."""
    number = packed >> 2 * _BITS
    kind = TYPES[number] if number < len(TYPES) else b""
    name = NAMES[wait.field]
    if wait.kind and kind != wait.kind:
        yield "reference-type", f"{name} names a {kind.decode() or 'strange'} record"
    if wait.field == b"warc-segment-origin-id" and kind == b"continuation":
        yield "reference-type", f"{name} names a continuation"
    if wait.field == b"warc-concurrent-to":
        if (packed >> _BITS) & _MASK != wait.date:
            yield "date-of-event", "another WARC-Date than the record of the same capture event"
        if packed & _MASK != wait.uri:
            yield "concurrent-uri", "another WARC-Target-URI than the record of the same capture event"
