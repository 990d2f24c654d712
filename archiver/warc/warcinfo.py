"""The warcinfo record, first of each WARC file of ours: lines `name: value` (WARC/1.1 section 6.2)."""

import zlib
from pathlib import Path

from archiver.errors import RecordError
from archiver.model import Entry, Location
from archiver.storage import is_imported
from archiver.warc.read import parse_record, read_committed

WARCINFO_BYTES = 4 << 20


def first_block(root: Path, file: str, entry: Entry | None) -> bytes | None:
    """The block of a WARC file's warcinfo record. `entry`: the first of its record list.

    None when that is no warcinfo, or the stored bytes are not those of the entry; and for an imported file,
    which speaks for another archive.
    """
    if is_imported(file) or entry is None or entry.type != "warcinfo" or entry.length > WARCINFO_BYTES:
        return None
    try:
        place = Location(file=file, offset=entry.offset, length=entry.length)
        stored = read_committed(root, place, entry.digest)
        return parse_record(zlib.decompressobj(31).decompress(stored, WARCINFO_BYTES)).block
    except (RecordError, zlib.error):
        return None


def values(block: bytes, name: str) -> list[str]:
    """What the lines of that name say, as written by us: the name exact, one space after the colon."""
    lines = (line.partition(": ") for line in block.decode("utf-8", "replace").split("\r\n"))
    return [value for key, colon, value in lines if colon and key == name]
