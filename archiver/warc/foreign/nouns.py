"""What a walk through a file of others yields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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


Chunks = Callable[[], Iterator[bytes]]
Form = Literal["gzip", "plain", "zstd", "deflate"]


@dataclass(frozen=True)
class ForeignRecord:
    """A record of somebody else. Its bytes can be had as long as the file is open.

    `fields` are the WARC header, names in lower case; of an ARC record, what its line says in the words of
    WARC, with the line itself in `arc`. `head` are the bytes before the block as they are in the file.
    `block_bytes` is how long the block is, which need not be what Content-Length says.
    """

    version: str
    fields: tuple[tuple[str, str], ...]
    head: bytes = field(repr=False)
    block_bytes: int
    form: Form
    problems: tuple[Problem, ...]
    raw: Chunks = field(repr=False, compare=False)  # the whole record without compression
    lead: int = 0  # bytes before the head: empty lines
    arc: str = ""

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
        return b"".join(self.blocks())

    def stored(self) -> StoredRecord:
        """The record as those of our own are read. RecordError as for `block`."""
        return StoredRecord(self.fields, self.block, foreign=True)


@dataclass(frozen=True)
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
