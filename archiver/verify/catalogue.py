"""Steps (9) and (11): the catalogue, byte by byte as it was closed, and row by row as a rebuild makes it."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from archiver.errors import ArchiverError, RecordError
from archiver.index import catalogue
from archiver.index.catalogue import DIGEST_NAME, NAME
from archiver.manifest.lines import committed_lines
from archiver.manifest.manifest import Manifest
from archiver.model import Finding
from archiver.pictures.hashes import current_labels
from archiver.sandbox import Sandbox
from archiver.storage import OPEN, blocks, is_imported, is_plain, open_plain, stored_at
from archiver.verify.files import measure
from archiver.verify.findings import of_file

REBUILD = "Run 'archiver rebuild': the catalogue is made anew from the WARC files."
ROWS_NAMED = 20
_VOCABULARIES = ("our_words", "their_words")
_WORDS = 5000  # held against each other at once
_DIGEST_BYTES = 1000
_finding = partial(of_file, NAME, advice=REBUILD)
_BESIDE = ("-wal", "-journal")  # SQLite takes what stands there for changes to the database
# What comparing pictures gave rests on floating-point arithmetic, which may differ between machines.
COMPARED = ("compared_pictures", "compared_forms", "picture_pairs", "picture_clusters")
# Libraries of another version see otherwise. What was committed under their label is in both catalogues. Not
# compared is what a rebuild by one of them made, what those of today make of a picture that it made no hash
# of (ours holds none under their labels), and in which words a decoder refused a picture.
_REFUSED = """
UPDATE anew.records AS a SET unreadable = m.unreadable FROM main.records AS m
WHERE m.id = a.id AND m.digest = a.digest AND m.unreadable <> a.unreadable
"""
_MIXED = """
SELECT 1 FROM (SELECT label FROM main.picture_hashes UNION SELECT label FROM anew.picture_hashes)
WHERE label NOT IN (SELECT value FROM json_each(:current))
"""
_MADE_BETWEEN = """
DELETE FROM main.picture_hashes AS m WHERE label NOT IN (SELECT value FROM json_each(:current))
AND NOT EXISTS (SELECT 1 FROM anew.picture_hashes WHERE payload_digest = m.payload_digest AND label = m.label)
"""
_UNKNOWN_TO_OURS = """
CREATE TEMP TABLE unknown AS SELECT payload_digest FROM anew.pictures WHERE payload_digest NOT IN (
    SELECT payload_digest FROM main.picture_hashes
    WHERE label IN (SELECT value FROM json_each(:current)))
"""
_MADE_TODAY = """
DELETE FROM anew.picture_hashes WHERE label IN (SELECT value FROM json_each(:current))
AND payload_digest IN (SELECT payload_digest FROM temp.unknown)
"""
_KIND_TODAY = """
UPDATE anew.pictures AS a SET kind = m.kind FROM main.pictures AS m
WHERE m.payload_digest = a.payload_digest AND a.payload_digest IN (SELECT payload_digest FROM temp.unknown)
"""


def check_file(root: Path, *, thorough: bool) -> Iterator[Finding]:
    """(9) The catalogue file is as it was closed. Where there is no catalogue, nothing is wrong."""
    if not _exists(root / NAME):
        return
    if not _exists(root / DIGEST_NAME):
        if not thorough:  # else step (11) looks at its rows
            message = f"{DIGEST_NAME} is not there, so nothing says what the catalogue was"
            advice = "If no command is writing to the archive: 'archiver verify --deep' compares each row."
            yield _finding("catalogue-undigested", message, verdict="unverifiable", advice=advice)
        return
    try:
        with open_plain(root / DIGEST_NAME) as file:
            expected = file.read(_DIGEST_BYTES)
        with open_plain(root / NAME) as file:
            facts = measure(file)
        beside = [name for end in _BESIDE if _holds_bytes(root / (name := NAME + end))]
    except OSError as error:
        yield _finding("catalogue-digest", f"the catalogue cannot be read: {error.strerror or error}")
        return
    found = f"{(facts.digest or '').removeprefix('sha256:')}  {NAME}\n".encode()
    if expected != found:
        message = "something else than the archiver changed the catalogue; no record is concerned"
        yield _finding("catalogue-digest", message, expected=_text(expected), found=_text(found))
    for name in beside:
        yield _finding("catalogue-changes", f"{name} holds changes that the archiver did not make")


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _holds_bytes(path: Path) -> bool:
    return _exists(path) and (not is_plain(path) or path.lstat().st_size > 0)


def _text(data: bytes) -> str:
    return data.decode("ascii", "backslashreplace").strip()


def check_rows(root: Path, manifest: Manifest, sandbox: Sandbox) -> Iterator[Finding]:
    """(11) The catalogue has the rows that a rebuild from the WARC files gives."""
    if not _exists(root / NAME):
        return
    if any(
        any((root / folder).glob(f"*{OPEN}")) for folder in ("warcs", "imports")
    ):  # its rows are there as soon as its records are durable
        message = "the catalogue may hold rows of a capture that is not sealed yet"
        advice = "When no capture is running, run 'archiver rebuild': it seals what was left open."
        yield _finding("catalogue-unread", message, verdict="unverifiable", advice=advice)
        return
    try:
        with tempfile.TemporaryDirectory() as folder:
            ours, anew = Path(folder) / "copy.db", Path(folder) / "anew.db"
            for end in ("", "-wal"):  # copied: also a reader would write beside a database in WAL mode
                if not end or _exists(root / (NAME + end)):
                    _copy(root / (NAME + end), Path(f"{ours}{end}"))
            if not all(_is_there(root, warc.path) for warc in manifest.warcs):
                raise RecordError("a WARC file is missing")
            with closing(catalogue.connect(anew)) as db:
                warcs = [warc.path for warc in manifest.warcs]
                catalogue.catch_up(db, root, warcs, sandbox, committed_lines(root, manifest))
            current = sandbox.read(list[str], current_labels, b"")
            with closing(sqlite3.connect(ours)) as connection:
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("ATTACH ? AS anew", [str(anew)])
                yield from _compare(connection, current)
    except (sqlite3.DatabaseError, ArchiverError, OSError, OverflowError) as error:
        message = f"the catalogue could not be compared with the records: {error}"
        advice = "Mend what the other findings name, then run 'archiver rebuild'."
        yield _finding("catalogue-unread", message, verdict="unverifiable", advice=advice)


def _is_there(root: Path, file: str) -> bool:
    return is_plain(stored_at(root, file), linked=is_imported(file))


def _copy(source: Path, target: Path) -> None:
    with open_plain(source) as file, target.open("wb") as copy:
        for block in blocks(file, source.stat().st_size):
            copy.write(block)


def _compare(connection: sqlite3.Connection, current: list[str]) -> Iterator[Finding]:
    """Schema first: rows are read from our own plain tables only, never from another's view."""
    schemas = [
        connection.execute(f"SELECT type, name, sql FROM {name}.sqlite_master ORDER BY 1, 2").fetchall()  # noqa: S608
        for name in ("main", "anew")
    ]
    layouts = [connection.execute(f"PRAGMA {name}.user_version").fetchone()[0] for name in ("main", "anew")]
    if schemas[0] != schemas[1] and 0 < layouts[0] < layouts[1]:
        message = f"its rows are in layout {layouts[0]}, of an earlier version of the archiver"
        yield _finding("catalogue-unread", message, verdict="unverifiable")
        return
    if schemas[0] != schemas[1]:
        yield _finding("catalogue-schema", "its tables are not those that the archiver makes")
        return
    _leave_out_other_versions(connection, current)
    tables = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'anew' AND type = 'table'"
        " AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    for (table,) in tables:
        if table not in COMPARED:
            yield from _differences(connection, table)
    yield from _other_words(connection)


def _leave_out_other_versions(connection: sqlite3.Connection, current: list[str]) -> None:
    connection.execute(_REFUSED)
    labels = {"current": json.dumps(current)}
    if connection.execute(_MIXED, labels).fetchone():
        for sql in (_MADE_BETWEEN, _UNKNOWN_TO_OURS, _MADE_TODAY):
            connection.execute(sql, labels)
        connection.execute(_KIND_TODAY)


def _other_words(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The index of words holds the same words of the same articles; how it lies in its tables may differ."""
    for name, database in zip(_VOCABULARIES, ("main", "anew"), strict=True):
        connection.execute(
            f"CREATE VIRTUAL TABLE temp.{name} USING fts5vocab({database}, article_words, instance)"
        )
    ours, theirs = (connection.execute(f"SELECT term, doc FROM temp.{name}") for name in _VOCABULARIES)  # noqa: S608
    while (some := ours.fetchmany(_WORDS)) == theirs.fetchmany(_WORDS):
        if not some:
            return
    message = "the index of words is not the one that the articles give: a search may miss some"
    yield _finding("catalogue-row", message)


def _differences(connection: sqlite3.Connection, table: str) -> Iterator[Finding]:
    whole = True
    for ours, theirs, what in (("main", "anew", "is in no record"), ("anew", "main", "is missing")):
        sql = f"SELECT * FROM {ours}.{table} EXCEPT SELECT * FROM {theirs}.{table}"  # noqa: S608 - our own names
        rows = connection.execute(sql).fetchall()
        whole = whole and not rows
        for row in rows[:ROWS_NAMED]:
            yield _finding("catalogue-row", f"a row of {table} {what}: {repr(row)[:300]}")
        if len(rows) > ROWS_NAMED:
            yield _finding("catalogue-row", f"{len(rows) - ROWS_NAMED} more rows of {table}: {what}")
    counts = [
        connection.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()[0]  # noqa: S608
        for name in ("main", "anew")
    ]
    if whole and counts[0] != counts[1]:
        message = f"rows of {table} are there more than once, or too few times"
        yield _finding("catalogue-row", message, expected=f"{counts[1]} rows", found=f"{counts[0]} rows")
