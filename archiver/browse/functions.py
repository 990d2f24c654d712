"""What the catalogue's SQL can ask beyond SQLite's own functions (docs/browsing.md)."""

import sqlite3
from functools import partial
from pathlib import Path

from archiver.digests import digest
from archiver.errors import RecordError
from archiver.index.search import search_found, search_query
from archiver.model import Location
from archiver.pictures.hashes import hamming
from archiver.warc.read import is_inside, read_stored

_LONGEST = 64 << 20  # bytes of a member that are read for one row: a query has a second for all of them
_PLACES = """
SELECT warcs.path, records.offset, records.length, records.digest FROM records
JOIN warcs ON warcs.id = records.warc_id WHERE record_id = ? LIMIT 2
"""


def register(connection: sqlite3.Connection, root: Path) -> None:
    """Add them to a connection to the catalogue of the archive at `root`."""
    connection.create_function("hamming", 2, hamming, deterministic=True)
    for name in ("search_query", "escape_fts"):  # the second is what Datasette's own search box calls
        connection.create_function(name, 1, search_query, deterministic=True)
    connection.create_function("search_found", 2, search_found, deterministic=True)
    connection.create_function("record_ok", 1, partial(_record_ok, connection, root))


def _record_ok(connection: sqlite3.Connection, root: Path, record_id: object) -> int | None:
    """1 when the stored member still has the digest it was archived with, else 0.

    NULL when no record or more than one has this id, and when the member is longer than 64 MiB.
    """
    places = connection.execute(_PLACES, (record_id,)).fetchall()
    if len(places) != 1 or places[0][2] > _LONGEST:
        return None
    path, offset, length, expected = places[0]
    if not is_inside(root, path):
        return 0
    try:
        return int(digest(read_stored(root, Location(file=path, offset=offset, length=length))) == expected)
    except RecordError:
        return 0
