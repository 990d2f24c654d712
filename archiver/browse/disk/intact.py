"""Whether records are as they were archived: their stored members, read and hashed now."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archiver.browse.data.stored import Stored
from archiver.digests import digest
from archiver.errors import RecordError
from archiver.model import Location
from archiver.warc.read import is_inside, read_stored

CHECKED_BYTES = 64 << 20  # read for one page


@dataclass(frozen=True)
class Check:
    """What came of reading, by record ids: `damaged` says what is wrong, `unread` was beyond the bound."""

    intact: frozenset[str]
    damaged: dict[str, str]
    unread: frozenset[str]

    @property
    def state(self) -> Literal["intact", "damaged", "partly"]:
        if self.damaged:
            return "damaged"
        return "partly" if self.unread else "intact"


def check(root: Path, records: Iterable[Stored]) -> Check:
    """Hash each record's stored member and compare it with the catalogue, in order, up to CHECKED_BYTES."""
    intact, damaged, unread = set[str](), dict[str, str](), set[str]()
    left = CHECKED_BYTES
    for record in {each.record_id: each for each in records}.values():
        left -= max(0, record.length)
        if left < 0:
            unread.add(record.record_id)
            continue
        try:
            read_member(root, record.place, record.digest)
            intact.add(record.record_id)
        except RecordError as error:
            damaged[record.record_id] = str(error)
    return Check(frozenset(intact), damaged, frozenset(unread))


def read_member(root: Path, place: Location, expected: str) -> bytes:
    """A stored member, hashed. RecordError says where it lies and why it is not as archived."""
    where = f"{place.file} at offset {place.offset}"
    if not is_inside(root, place.file):
        raise RecordError(f"{where}: outside the archive", "Run 'archiver rebuild'.")
    try:
        stored = read_stored(root, place)
    except RecordError as error:
        raise RecordError(f"{where}: {error}", "Run 'archiver verify'.") from error
    if (found := digest(stored)) != expected:
        raise RecordError(f"{where}: SHA-256 is {found}", "Run 'archiver verify'.")
    return stored
