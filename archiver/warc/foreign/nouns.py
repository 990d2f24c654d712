"""What a walk through a file of others yields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from archiver.errors import RecordError
from archiver.warc.read import RECORD_BYTES, StoredRecord


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a record that was read all the same.

    `offset` counts the record's own bytes, as they are without compression.
    """

    code: str
    message: str
    offset: int = 0


Fields = tuple[tuple[str, str], ...]


def ordinary_fields(head: bytes) -> Fields:
    """The fields of a header in which nothing is wrong or folded."""
    pairs = (line.partition(":") for line in head[:-4].decode("ascii").split("\r\n")[1:])
    return tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs)


Chunks = Callable[[], Iterator[bytes]]
Form = Literal["gzip", "plain", "zstd", "deflate"]


@dataclass
class ForeignRecord:
    """A record of somebody else. Its bytes can be had as long as the file is open.

    `head` are the bytes before the block as they are in the file; `given` what is read of them, None of an
    ordinary header, which is read when somebody asks. Of an ARC record `given` is what its line says in the
    words of WARC, with the line itself in `arc`. `block_bytes` is how long the block is, which need not be
    what Content-Length says. `held`: the whole record, where it is in memory.
    """

    version: str
    given: Fields | None = field(repr=False)
    head: bytes = field(repr=False)
    block_bytes: int
    form: Form
    problems: tuple[Problem, ...]
    raw: Chunks = field(repr=False, compare=False)  # the whole record without compression
    lead: int = 0  # bytes before the head: empty lines
    arc: str = ""
    held: bytes = field(default=b"", repr=False, compare=False)

    @cached_property
    def fields(self) -> Fields:
        """The WARC header, names in lower case."""
        return ordinary_fields(self.head) if self.given is None else self.given

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name.lower()), None)

    @property
    def type(self) -> str:
        return (self.get("warc-type") or "").lower()

    def blocks(self) -> Iterator[bytes]:
        """The block in pieces."""
        skip, left = self.lead + len(self.head), self.block_bytes
        for chunk in self.raw():
            if left <= 0:
                return
            piece = chunk[skip : skip + left]
            skip = max(0, skip - len(chunk))
            left -= len(piece)
            if piece:
                yield piece

    @property
    def block(self) -> bytes:
        """The block. RecordError when it is larger than a record may be that is held in memory."""
        if self.block_bytes > RECORD_BYTES:
            raise RecordError(f"the record's {self.block_bytes} bytes are more than a record may have")
        start = len(self.head)
        return self.held[start : start + self.block_bytes] if self.held else b"".join(self.blocks())

    def view(self) -> memoryview:
        """The same, without a copy where the record is in memory."""
        if self.held:
            return memoryview(self.held)[len(self.head) : len(self.head) + self.block_bytes]
        return memoryview(self.block)

    def stored(self) -> StoredRecord:
        """The record as those of our own are read. RecordError as for `block`."""
        return StoredRecord(self.fields, self.block, foreign=True)


@dataclass(slots=True)
class Stretch:
    """A piece of a file; the pieces tile it, in order, without gap or overlap.

    `record`: it has a place of its own here. `hidden`: it holds records that have none, which `transcribe`
    gives; all else is a plain gap. `code` and `reason` say what a gap is; `member` is the member of a WACZ.
    """

    offset: int
    length: int
    digest: str  # of the stored bytes
    record: ForeignRecord | None = None
    code: str = ""
    reason: str = ""
    hidden: bool = False
    member: str = ""

    @property
    def kind(self) -> Literal["record", "gap"]:
        return "record" if self.record else "gap"

    @property
    def end(self) -> int:
        return self.offset + self.length
