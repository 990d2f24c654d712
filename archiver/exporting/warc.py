"""WARC: the chosen records as they are stored, after a warcinfo record that says whence they come."""

import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archiver.exporting.output import new_file
from archiver.exporting.parts import numbered, parts
from archiver.exporting.selection import Selection, stored
from archiver.model import Record
from archiver.upkeep import SOFTWARE
from archiver.warc.stored import as_member
from archiver.warc.write import WarcFile, record_id, warc_date

ENDING = ".warc.gz"


@dataclass(frozen=True)
class Made:
    """Files that were written. `records`: of the archive, without those that say whence they come."""

    files: tuple[str, ...]
    records: int
    bytes: int


def write_warc(selection: Selection, db: sqlite3.Connection, into: Path, size: int | None) -> Made:
    """Write the chosen records to `into`, or with a size to NAME-001.warc.gz and so on.

    What is stored is written as it is; a record of a file that is not compressed gets a gzip member of its
    own. Raises RecordError and ManifestError when something is damaged, StorageError, UsageError.
    """
    files, records, size_made = [], 0, 0
    with ExitStack() as all_or_none:
        for number, part in enumerate(parts(selection, db, size), 1):
            path = into if size is None else numbered(into, number, ENDING)
            beside = all_or_none.enter_context(new_file(path))
            with WarcFile(beside, path.name) as file:
                file.append(source_record(part, path.name))
                file.sync()
            with beside.open("ab") as added:
                for place in part.places():
                    added.write(as_member(stored(part.root, place)))
                    records += 1
                size_made += added.tell()
            files.append(str(path))
    return Made(tuple(files), records, size_made)


def source_record(selection: Selection, name: str, said: str = "") -> Record:
    """The warcinfo record of a file that was exported: from which archive, at which checkpoint."""
    manifest = selection.manifest
    fields = {
        **SOFTWARE,
        "description": said or "Records exported from an archive, as they are stored there.",
        "source-archive": manifest.origin,
        "source-tree": f"{manifest.tree.size} {manifest.tree.root}",
    }
    return Record(
        type="warcinfo",
        id=record_id(),
        date=warc_date(datetime.now(UTC)),
        content_type="application/warc-fields",
        headers=(("WARC-Filename", name),),
        block="".join(f"{key}: {value}\r\n" for key, value in fields.items()).encode(),
    )
