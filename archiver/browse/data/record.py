"""One WARC record: where it lies and what it belongs to."""

import sqlite3
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data.stored import Stored, stored_of

_ONE = "SELECT records.*, warcs.path FROM records JOIN warcs ON warcs.id = warc_id WHERE {} LIMIT 1"
_BESIDE = "SELECT id FROM records WHERE id = ? AND warc_id = ? AND number = ?"
_DECODED = "SELECT 1 FROM pictures WHERE payload_digest = ?"
_ARTICLES = """
SELECT id, title FROM articles WHERE source_id = ?
UNION SELECT id, title FROM articles WHERE note_id = ? LIMIT 10
"""


@dataclass(frozen=True)
class Record:
    """`before`, `after`: numbers of its neighbours in the file. `articles`: number and title of each.

    decoded: whether its payload was, as a picture.
    """

    stored: Stored
    truncated: str
    decoded: bool
    before: int | None
    after: int | None
    about: int | None
    articles: list[tuple[int, str]]
    fetch: int | None


def load_record(db: sqlite3.Connection, name: str) -> Record | None:
    """By its number in the catalogue, or by the UUID of its record id."""
    by_number = name.isdecimal()
    where, value = ("records.id = ?", name) if by_number else ("record_id = ?", f"urn:uuid:{name}")
    row = db.execute(_ONE.format(where), (value,)).fetchone()
    if row is None:
        return None
    identifier = row["record_id"]
    articles = db.execute(_ARTICLES, (identifier, identifier)).fetchall()
    fetch = db.execute("SELECT id FROM fetches WHERE response_id = ? LIMIT 1", (identifier,)).fetchone()
    about = db.execute("SELECT id FROM records WHERE record_id = ? LIMIT 1", (row["refers_to"],)).fetchone()
    return Record(
        stored=stored_of(row),
        truncated=words.plain(row["truncated"]),
        decoded=bool(db.execute(_DECODED, (row["payload_digest"],)).fetchone()),
        before=_beside(db, row, -1),
        after=_beside(db, row, 1),
        about=about["id"] if about else None,
        articles=[(each["id"], words.plain(each["title"])) for each in articles],
        fetch=fetch["id"] if fetch else None,
    )


def _beside(db: sqlite3.Connection, row: sqlite3.Row, step: int) -> int | None:
    found = db.execute(_BESIDE, (row["id"] + step, row["warc_id"], row["number"] + step)).fetchone()
    return found["id"] if found else None
