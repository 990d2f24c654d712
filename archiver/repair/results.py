"""What a repair tells, in the order in which it happens. Their JSON is in docs/repair.md."""

from typing import Literal

from archiver.model import Noun

How = Literal["records", "whole-file", "lines", "parity", "manifest"]


class Replaced(Noun, tag="replaced", frozen=True):
    """A file was put in place, and its digest is the committed one (of the manifest: see `trusted`)."""

    file: str
    how: How
    sources: tuple[str, ...] = ()  # who gave bytes
    records: int = 0  # so many came from elsewhere than the damaged file
    kept: str | None = None  # where the damaged file lies now


class Moved(Noun, tag="moved", frozen=True):
    """A file that nothing commits was moved out of warcs/."""

    file: str
    kept: str


class MissingRecord(Noun, tag="missing-record", frozen=True):
    """Nobody has the bytes of this record."""

    file: str
    record: int  # its place in the file, from 0
    offset: int
    length: int
    digest: str
    id: str
    uri: str | None = None


class Unmended(Noun, tag="unmended", frozen=True):
    """A file stays damaged."""

    file: str
    reason: str
    partial: str | None = None  # what was found of it, for the next repair
    found: int = 0  # records in the partial file that the damaged one does not have


class Protected(Noun, tag="protected", frozen=True):
    """Parity was made for a file."""

    file: str
    parity: str
    bytes: int


Result = Replaced | Moved | MissingRecord | Unmended
