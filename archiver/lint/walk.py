"""One file of WARC or ARC records, read by the walk of `warc/foreign/`, and what all of it comes to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.lint import ranges
from archiver.lint.pieces import HEAD, Piece
from archiver.lint.record import Judged
from archiver.lint.references import References
from archiver.lint.rules import RULES, section
from archiver.warc.foreign import Stretch, recognise_file


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
    """Judges the records of one file. `seen` is told of each that has a place of its own.

    `others`: what forks of this process have judged of it.
    """

    def __init__(
        self, file: BinaryIO, name: str, tally: Tally, seen: Seen | None, others: ranges.Ranges | None
    ) -> None:
        self._file, self._tally, self._seen, self._ranges = file, tally, seen, others
        self._name = PurePosixPath(name).name
        self._references = References()
        self._forms: set[str] = set()
        self._version, self._draft = "", False

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
            return
        yield from self._suffix()
        for stretch, piece, block in self._pieces():
            if self._seen and stretch and stretch.record and piece.judged:
                self._seen(stretch, piece.judged, block)
            yield from self._piece(piece)
        if not tally.records:
            yield self._say("empty", "no record can be read")
        for offset, record, code, words in self._references.end():
            yield self._say(code, words, offset, record)

    def _pieces(self) -> Iterator[ranges.Judged]:
        if self._ranges is not None:
            return ranges.parallel(self._file, self._tally.kind, self._ranges)
        return ranges.serial(self._file, self._tally.kind, hashing=self._seen is not None)

    def _say(self, code: str, message: str, offset: int = 0, record: str = "") -> Finding:
        return self._tally.finding(code, message, offset, record, version=self._version)

    def _suffix(self) -> Iterator[Finding]:
        kind, name = self._tally.kind, self._name.lower().removesuffix(".open")
        packed = {"warc+gzip": ".gz", "arc+gzip": ".gz", "warc+zstd": ".zst"}.get(kind, "")
        wrong = not name.endswith(packed) if packed else name.endswith((".gz", ".zst"))
        if name != "-" and wrong:
            yield self._say("suffix", f"{self._name!r} is {kind}")

    def _piece(self, piece: Piece) -> Iterator[Finding]:
        tally, judged = self._tally, piece.judged
        tally.bytes += piece.length
        tally.records += bool(piece.form)
        self._version = piece.version
        if piece.unjudged:
            tally.unjudged.append(piece.unjudged)
        if judged is not None:
            tally.block_digests += judged.block_holds
            tally.payload_digests += judged.payload_holds
            for place, waiting, code, words in self._references.add(piece.offset, judged):
                yield self._say(code, words, place, waiting)
            self._of_file(judged)
        if piece.form and piece.form not in self._forms:
            self._forms.add(piece.form)
            if len(self._forms) == 2:
                piece.said.append(("mixed", f"this record is {piece.form}, those before it are not"))
        for code, words in piece.said:
            if code == "version-draft":  # of all its records alike
                if self._draft:
                    continue
                self._draft = True
            yield self._say(code, words, piece.offset, judged.id if judged else "")

    def _of_file(self, judged: Judged) -> None:
        """What depends on the place in the file and on its name."""
        if self._tally.records == 1 and judged.kind != b"warcinfo":
            kind = judged.kind.decode("latin-1")[:40]
            judged.said.append(("warcinfo-first", f"the first record is a {kind} record"))
        written = judged.get(b"warc-filename").strip(b'"').decode("utf-8", "backslashreplace")
        if judged.kind == b"warcinfo" and written and self._name not in ("-", written, f"{written}.open"):
            judged.said.append(("filename-other", f"WARC-Filename {written[:200]!r}"))


def judge_walk(
    file: BinaryIO,
    name: str,
    tally: Tally,
    seen: Seen | None = None,
    others: ranges.Ranges | None = None,
) -> Iterator[Finding]:
    """The findings of a file of records; one that cannot be read to its end is said in `tally.unjudged`."""
    try:
        yield from Walk(file, name, tally, seen, others).findings()
    except RecordError as error:
        tally.unjudged.append(str(error))
