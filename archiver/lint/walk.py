"""One file of WARC or ARC records, read by the walk of `warc/foreign/`, and what all of it comes to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.lint.arc import judge_arc
from archiver.lint.digests import BLOCK, PAYLOAD, Digests
from archiver.lint.head import parse_head
from archiver.lint.record import Judged, judge_record
from archiver.lint.references import References
from archiver.lint.rules import RULES, section
from archiver.warc.foreign import ForeignRecord, Stretch, recognise_file, stretches, transcribe
from archiver.warc.read import RECORD_BYTES

HEAD = 1 << 16
_PROBLEMS = {
    "short-block": ("length-mismatch", "arc-length"),
    "record-end": ("record-end", ""),
    "lead": ("between-records", ""),
    "rest": ("damaged", "arc-damaged"),
    "split": ("compression", "compression"),
    "date": ("", "arc-date"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the text does not allow, or does not recommend.

    `offset`: of the stored record or bytes in the file, which may be one in a WACZ. `record`: its id.
    """

    file: str
    offset: int
    record: str
    code: str
    section: str
    severity: str
    message: str
    type: str = "finding"


@dataclass
class Tally:
    """What was read of a file, and what held."""

    file: str
    kind: str
    records: int = 0
    bytes: int = 0
    errors: int = 0
    warnings: int = 0
    block_digests: int = 0
    payload_digests: int = 0
    unjudged: list[str] = field(default_factory=list)  # why not all of it was judged
    type: str = "file"

    def finding(
        self, code: str, message: str, offset: int = 0, record: str = "", *, version: str = ""
    ) -> Finding:
        """A finding in this file, counted."""
        severity = RULES[code].severity
        if severity == "error":
            self.errors += 1
        else:
            self.warnings += 1
        return Finding(self.file, offset, record, code, section(code, version), severity, message)


Seen = Callable[[Stretch, Judged, memoryview | None], None]


class Walk:
    """Judges the records of one file. `seen` is told of each that has a place of its own."""

    def __init__(self, file: BinaryIO, name: str, tally: Tally, seen: Seen | None = None) -> None:
        self._file, self._name, self._tally, self._seen = file, PurePosixPath(name).name, tally, seen
        self._digests, self._references = Digests(), References()
        self._forms: set[str] = set()
        self._version, self._draft, self._arc_end = "", False, -1

    def findings(self) -> Iterator[Finding]:
        """In the order of the file. RecordError when it cannot be read."""
        file, tally = self._file, self._tally
        file.seek(0)
        head = file.read(HEAD)
        if not head:
            yield self._say("empty", "the file is empty")
            return
        tally.kind = recognise_file(head)
        if tally.kind == "unknown":
            yield self._say("not-recognised", f"it begins with {head[:16]!r}")
        else:
            yield from self._suffix()
            for stretch in stretches(file):
                yield from self._stretch(stretch)
            if not tally.records:
                yield self._say("empty", "no record can be read")
            for offset, record, code, words in self._references.end():
                yield self._say(code, words, offset, record)
        tally.block_digests, tally.payload_digests = self._digests.held[BLOCK], self._digests.held[PAYLOAD]

    def _say(self, code: str, message: str, offset: int = 0, record: str = "") -> Finding:
        return self._tally.finding(code, message, offset, record, version=self._version)

    def _suffix(self) -> Iterator[Finding]:
        kind, name = self._tally.kind, self._name.lower().removesuffix(".open")
        packed = {"warc+gzip": ".gz", "arc+gzip": ".gz", "warc+zstd": ".zst"}.get(kind, "")
        if (
            name
            and name != "-"
            and (name.endswith((".gz", ".zst")) or packed)
            and not name.endswith(packed or "\0")
        ):
            yield self._say("suffix", f"{self._name!r} is {kind}")

    def _stretch(self, stretch: Stretch) -> Iterator[Finding]:
        self._tally.bytes += stretch.length
        if stretch.record is not None:
            yield from self._record(stretch.record, stretch.offset, stretch)
        elif stretch.hidden:
            if stretch.code in ("several", "torn-stream"):
                yield self._say("compression", stretch.reason, stretch.offset)
            for found in transcribe(self._file, stretch):
                if found.record is not None:
                    yield from self._record(found.record, found.offset, None)
                else:
                    yield from self._gap(found.code, found.reason, found.offset)
        else:
            yield from self._gap(stretch.code, stretch.reason, stretch.offset)
            if stretch.code == "header":
                yield from self._header(stretch)

    def _header(self, stretch: Stretch) -> Iterator[Finding]:
        """What is wrong with a header that is none."""
        self._file.seek(stretch.offset)
        raw, found, _ = self._file.read(min(stretch.length, HEAD)).partition(b"\r\n\r\n")
        head = parse_head(raw + found)
        self._version = head.version
        for code, words in head.said:
            yield self._say(code, words, stretch.offset)

    def _gap(self, code: str, reason: str, offset: int) -> Iterator[Finding]:
        arc = self._tally.kind.startswith("arc")
        if code == "blank":
            yield self._say("arc-newline" if arc else "between-records", reason, offset)
        elif code == "large":
            self._tally.unjudged.append(reason)
            yield self._say("too-large", reason, offset)
        elif "gzip" in code or code in ("torn-stream", "bomb", "empty-member"):
            yield self._say("gzip-damaged", reason, offset)
        else:
            yield self._say("arc-damaged" if arc else "damaged", reason, offset)

    def _record(self, record: ForeignRecord, offset: int, stretch: Stretch | None) -> Iterator[Finding]:
        tally = self._tally
        tally.records += 1
        block = memoryview(record.block) if record.block_bytes <= RECORD_BYTES else None
        arc = record.version == "ARC"
        if arc:
            said, id_ = judge_arc(record, block, first=tally.records == 1), ""
            if offset == self._arc_end:
                said.append(("arc-newline", "no newline stands before the record"))
            if tally.kind == "arc":
                self._arc_end = (
                    offset + len(record.arc.encode("utf-8", "backslashreplace")) + 1 + record.block_bytes
                )
        else:
            judged = judge_record(record.head, block, record.block_bytes, self._digests)
            self._version, said, id_ = judged.head.version, judged.said, judged.id
            for place, waiting, code, words in self._references.add(offset, judged):
                yield self._say(code, words, place, waiting)
            self._of_file(judged)
            if self._seen is not None and stretch is not None:
                self._seen(stretch, judged, block)
        if block is None:
            tally.unjudged.append(f"a block of {record.block_bytes} bytes")
        said += [
            (_PROBLEMS[each.code][arc], each.message)
            for each in record.problems
            if each.code in _PROBLEMS and _PROBLEMS[each.code][arc]
        ]
        self._form(record, said)
        for code, words in said:
            if code == "version-draft":  # of all its records alike
                if self._draft:
                    continue
                self._draft = True
            yield self._say(code, words, offset, id_)

    def _form(self, record: ForeignRecord, said: list[tuple[str, str]]) -> None:
        if record.form not in self._forms:
            self._forms.add(record.form)
            if len(self._forms) == 2:
                said.append(("mixed", f"this record is {record.form}, those before it are not"))

    def _of_file(self, judged: Judged) -> None:
        """What depends on the place in the file and on its name."""
        if self._tally.records == 1 and judged.kind != b"warcinfo":
            judged.said.append(
                ("warcinfo-first", f"the first record is a {judged.kind.decode('latin-1')[:40]} record")
            )
        written = judged.get(b"warc-filename").strip(b'"').decode("utf-8", "backslashreplace")
        if judged.kind == b"warcinfo" and written and self._name not in ("-", written, f"{written}.open"):
            judged.said.append(("filename-other", f"WARC-Filename {written[:200]!r}"))


def judge_walk(file: BinaryIO, name: str, tally: Tally, seen: Seen | None = None) -> Iterator[Finding]:
    """The findings of a file of records; one that cannot be read to its end is said in `tally.unjudged`."""
    try:
        yield from Walk(file, name, tally, seen).findings()
    except RecordError as error:
        tally.unjudged.append(str(error))
