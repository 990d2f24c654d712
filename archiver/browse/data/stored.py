"""Where records lie, as plain data for the templates."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data.cards import select
from archiver.model import Location


@dataclass(frozen=True)
class Stored:
    """A record and where it lies."""

    id: int
    record_id: str
    type: str
    date: str
    uri: str
    warc: str
    offset: int
    length: int
    digest: str
    payload_digest: str | None
    payload_bytes: int | None
    mime: str
    unreadable: str
    refers_to: str

    @property
    def place(self) -> Location:
        return Location(file=self.warc, offset=self.offset, length=self.length)


_STORED = """
SELECT records.*, warcs.path FROM records
JOIN warcs ON warcs.id = records.warc_id WHERE records.record_id IN ({})
"""


def load_stored(db: sqlite3.Connection, record_ids: Iterable[str]) -> dict[str, Stored]:
    """Of a record that lies in several files, as imported ones may, the place that came first."""
    rows = sorted(select(db, _STORED, list(record_ids)), key=lambda row: -row["id"])
    return {row["record_id"]: stored_of(row) for row in rows}


def stored_of(row: sqlite3.Row) -> Stored:
    """Of a row of `records` with the `path` of its file."""
    return Stored(
        id=row["id"],
        record_id=words.plain(row["record_id"]),
        type=words.plain(row["type"]),
        date=words.plain(row["date"]),
        uri=words.plain(row["uri"]),
        warc=words.plain(row["path"]),
        offset=row["offset"],
        length=row["length"],
        digest=words.plain(row["digest"]),
        payload_digest=row["payload_digest"],
        payload_bytes=row["payload_bytes"],
        mime=words.plain(row["mime"]),
        unreadable=words.plain(row["unreadable"]),
        refers_to=words.plain(row["refers_to"]),
    )
