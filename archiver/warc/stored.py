"""A stored record at its place: ours are read strictly, those of others in `imports/` as far as can be."""

import gzip
from pathlib import Path

from archiver.model import Location
from archiver.storage import is_imported
from archiver.warc.foreign import parse_stored
from archiver.warc.head import GZIP
from archiver.warc.read import StoredRecord, parse_member, read_stored


def read_record(root: Path, location: Location) -> StoredRecord:
    """The record at a location. RecordError when it is not there, or none."""
    return parse(location.file, read_stored(root, location))


def as_member(stored: bytes) -> bytes:
    """A stored record as a gzip member: as it is, or compressed when it lies in a plain file of others."""
    return stored if stored.startswith(GZIP) else gzip.compress(stored, mtime=0)


def parse(file: str, stored: bytes) -> StoredRecord:
    """The record that some bytes of a file of the archive are. RecordError when they are none."""
    return parse_stored(stored).stored() if is_imported(file) else parse_member(stored)
