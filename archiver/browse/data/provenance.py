"""How an article came into the archive, as plain data for the templates."""

import sqlite3
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data.stored import Stored, load_stored


@dataclass(frozen=True)
class Provenance:
    """The run that wrote the source, and the requests that led to it, if it was fetched."""

    warc: str
    run: int | None  # runs.id
    started: str
    robots: str
    warcinfo: Stored | None  # who wrote the file, with which options
    fetch: int | None
    fetched: str
    hops: tuple[tuple[str, int | None], ...]


_RUN = """
SELECT warcs.path, runs.id, runs.started, runs.robots,
       (SELECT record_id FROM records AS first WHERE first.id = (SELECT min(id) FROM records AS other
            WHERE other.warc_id = warcs.id AND other.type = 'warcinfo')) AS warcinfo
FROM records JOIN warcs ON warcs.id = records.warc_id LEFT JOIN runs ON runs.id = warcs.run_id
WHERE records.record_id = ? ORDER BY records.id LIMIT 1
"""
_FETCH = "SELECT id, started FROM fetches WHERE response_id = ? AND purpose = 'page' ORDER BY id LIMIT 1"
_HOPS = "SELECT url, status FROM hops WHERE fetch_id = ? ORDER BY number LIMIT 50"


def load_provenance(db: sqlite3.Connection, source_id: str) -> Provenance | None:
    """Of the source with this record id; None when it is not in the catalogue."""
    row = db.execute(_RUN, (source_id,)).fetchone()
    if row is None:
        return None
    fetch = db.execute(_FETCH, (source_id,)).fetchone()
    hops = db.execute(_HOPS, (fetch["id"],)).fetchall() if fetch else ()
    stored = load_stored(db, [row["warcinfo"]] if row["warcinfo"] else [])
    return Provenance(
        warc=words.plain(row["path"]),
        run=row["id"],
        started=words.plain(row["started"]),
        robots=words.plain(row["robots"]),
        warcinfo=next(iter(stored.values()), None),
        fetch=fetch["id"] if fetch else None,
        fetched=fetch["started"] if fetch else "",
        hops=tuple((words.plain(each["url"]), each["status"]) for each in hops),
    )
