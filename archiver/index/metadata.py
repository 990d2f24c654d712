"""What pictures' files say of themselves: into the catalogue when a picture first comes, and out of it."""

import sqlite3

from sqlite_utils import Database

from archiver.errors import SandboxError
from archiver.index.rows import insert_all
from archiver.model import Entry
from archiver.pictures.metadata import read_metadata
from archiver.pictures.metadata.tags import Tag
from archiver.pictures.metadata.times import claimed_times
from archiver.sandbox import Sandbox
from archiver.warc.stored import parse

PICTURE_BYTES = 100 << 20
_SAID = "SELECT grp, name, value FROM picture_metadata WHERE payload_digest = ? ORDER BY number"


def note_metadata(db: Database, warc: str, entry: Entry, stored: bytes, sandbox: Sandbox) -> None:
    """Add what a picture that is new in the catalogue says of itself. `stored` is its record in `warc`."""
    data = parse(warc, stored).content_decoded(PICTURE_BYTES)
    try:
        tags = sandbox.read(list[Tag], read_metadata, data)
    except SandboxError as error:
        tags = [Tag(group="File", name="Problem", value=f"the metadata could not be read: {error}"[:300])]
    insert_all(
        db,
        "picture_metadata",
        (
            {
                "payload_digest": entry.payload_digest,
                "number": number,
                "grp": tag.group,
                "name": tag.name,
                "value": tag.value,
            }
            for number, tag in enumerate(tags)
        ),
    )
    insert_all(
        db,
        "picture_times",
        (
            {
                "payload_digest": entry.payload_digest,
                "clock": claim.clock,
                "written": claim.written,
                "value": claim.value,
            }
            for claim in claimed_times(tags)
        ),
    )


def metadata_of(db: Database | sqlite3.Connection, payload_digest: str | None) -> list[Tag]:
    """What a picture says of itself, in the order in which it was read; nothing for what is no picture."""
    return [
        Tag(group=group, name=name, value=value) for group, name, value in db.execute(_SAID, [payload_digest])
    ]
