"""The pieces of a file, each judged by itself: records, and bytes that are none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from archiver.lint.arc import judge_arc
from archiver.lint.head import Said, parse_head
from archiver.lint.record import Judged, judge_record
from archiver.warc.foreign import ForeignRecord, Stretch, stretches, transcribe
from archiver.warc.read import RECORD_BYTES

HEAD = 1 << 16  # bytes looked at of what may be a header, or the beginning of a file
_PROBLEMS = {
    "short-block": ("length-mismatch", "arc-length"),
    "record-end": ("record-end", ""),
    "lead": ("between-records", ""),
    "rest": ("damaged", "arc-damaged"),
    "split": ("compression", "compression"),
    "date": ("", "arc-date"),
}


@dataclass(slots=True)
class Piece:
    """`length`: of the stored bytes, counted with one piece only. `judged`: of a record of WARC.

    `form`: how a record is stored; none for bytes that are no record. `unjudged`: what was too large.
    """

    offset: int
    length: int = 0
    judged: Judged | None = None
    said: Said = field(default_factory=list)
    form: str = ""
    version: str = ""
    unjudged: str = ""


class Pieces:
    """Of one file, or of its end. `kind`: as the walk recognises it. `hashing`: stretches have digests."""

    def __init__(self, file: BinaryIO, kind: str, *, hashing: bool = False) -> None:
        self._file, self._kind, self._hashing = file, kind, hashing
        self._arc, self._records, self._arc_end = kind.startswith("arc"), 0, -1

    def all(self) -> Iterator[tuple[Stretch, Piece, memoryview | None]]:
        """In the order of the file: stretch, piece and block. RecordError when it cannot be read."""
        for stretch in stretches(self._file, hashing=self._hashing):
            if stretch.record is not None:
                yield (stretch, *self._record(stretch.record, stretch.offset, stretch.length))
            elif stretch.hidden:
                yield from self._hidden(stretch)
            else:
                yield stretch, self._gap(stretch.code, stretch.reason, stretch.offset, stretch.length), None

    def _hidden(self, stretch: Stretch) -> Iterator[tuple[Stretch, Piece, memoryview | None]]:
        said = stretch.code in ("several", "torn-stream")
        whole = Piece(stretch.offset, stretch.length, said=[("compression", stretch.reason)] if said else [])
        yield stretch, whole, None
        for found in transcribe(self._file, stretch):
            if found.record is not None:
                yield (stretch, *self._record(found.record, found.offset, 0))
            else:
                yield stretch, self._gap(found.code, found.reason, found.offset, 0), None

    def _gap(self, code: str, reason: str, offset: int, length: int) -> Piece:
        piece = Piece(offset, length)
        if code == "blank":
            piece.said.append(("arc-newline" if self._arc else "between-records", reason))
        elif code == "large":
            piece.unjudged = reason
            piece.said.append(("too-large", reason))
        elif "gzip" in code or code in ("torn-stream", "bomb", "empty-member"):
            piece.said.append(("gzip-damaged", reason))
        else:
            piece.said.append(("arc-damaged" if self._arc else "damaged", reason))
        if code == "header" and length:
            self._header(piece)
        return piece

    def _header(self, piece: Piece) -> None:
        """What is wrong with a header that is none."""
        self._file.seek(piece.offset)
        raw, found, _ = self._file.read(min(piece.length, HEAD)).partition(b"\r\n\r\n")
        head = parse_head(raw + found)
        piece.version = head.version
        piece.said += head.said

    def _record(self, record: ForeignRecord, offset: int, length: int) -> tuple[Piece, memoryview | None]:
        block = record.view() if record.block_bytes <= RECORD_BYTES else None
        piece = Piece(offset, length, form=record.form)
        self._records += 1
        if record.version == "ARC":
            piece.said = judge_arc(record, block, first=self._records == 1)
            self._follows(record, piece)
        else:
            head = parse_head(record.head, ordinary=record.given is None)
            piece.judged = judge_record(head, block, record.block_bytes)
            piece.said, piece.version = piece.judged.said, piece.judged.head.version
        if block is None:
            piece.unjudged = f"a block of {record.block_bytes} bytes"
        for each in record.problems:
            code = _PROBLEMS.get(each.code, ("", ""))[self._arc]
            if code:
                piece.said.append((code, each.message))
        return piece, block

    def _follows(self, record: ForeignRecord, piece: Piece) -> None:
        """In a plain ARC file a newline stands between records."""
        if piece.offset == self._arc_end:
            piece.said.append(("arc-newline", "no newline stands before the record"))
        if self._kind == "arc":
            line = len(record.arc.encode("utf-8", "backslashreplace"))
            self._arc_end = piece.offset + line + 1 + record.block_bytes
