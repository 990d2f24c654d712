"""The catalogue file: opened, brought up to date with the WARC files, sealed with its own digest.

It is derived and disposable. Beside it lies `catalogue.sha256` (as `sha256sum -c` reads it) while
nothing writes to it, so that a changed byte in it shows too.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from sqlite_utils import Database

from archiver.digests import file_digest
from archiver.errors import RecordError, StorageError
from archiver.index.fold import fold
from archiver.index.reader import entries
from archiver.sandbox import Sandbox

NAME = "catalogue.db"
DIGEST_NAME = "catalogue.sha256"
APPLICATION_ID = 0x41724376
LAYOUT = 1


def connect(path: Path) -> Database:
    """Open or create a catalogue for writing; RecordError when the file is none of this layout."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            found = connection.execute("PRAGMA application_id").fetchone()[0]
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if not empty and (found, layout) != (APPLICATION_ID, LAYOUT):
                raise RecordError(f"{path}: not a catalogue of this version", "Run 'archiver rebuild'.")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if empty:
                connection.executescript(files("archiver.index").joinpath("schema.sql").read_text())
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise RecordError(f"{path}: {error}", "Run 'archiver rebuild'.") from error
    return Database(connection)


@contextmanager
def writing(root: Path) -> Iterator[Database]:
    """The catalogue, open for writing; its digest file is away until it is closed in order."""
    try:
        (root / DIGEST_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write {root / DIGEST_NAME}: {error.strerror or error}") from error
    db = connect(root / NAME)
    try:
        yield db
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"cannot write {root / NAME}: {error}",
            "The records are safe. Make room, then run 'archiver rebuild'.",
        ) from error
    finally:
        db.close()
    if not busy:  # else somebody reads: then there is no digest, and nothing false is said
        _seal(root)


def catch_up(db: Database, root: Path, warcs: Iterable[str], sandbox: Sandbox) -> int:
    """Fold in what the WARC files hold beyond the catalogue; return the number of records."""
    added = 0
    for warc in warcs:
        known = db.execute(
            "SELECT coalesce(max(bytes), 0) FROM warcs WHERE path = ?",
            [warc],
        ).fetchone()[0]
        if (root / warc).stat().st_size == known:
            continue
        with db.atomic():
            for entry, member in entries(root, warc, sandbox, known):
                fold(db, warc, entry, member.stored)
                added += 1
    return added


def rebuild(root: Path, warcs: Iterable[str], sandbox: Sandbox) -> int:
    """Make the catalogue anew from the WARC files alone; return the number of records.

    The new one is made beside the old and copied into it at the end, so that Datasette, when it is
    looking, goes on and sees the new rows.
    """
    beside = root / f".{NAME}.new"
    _remove(beside)
    try:
        with closing(connect(beside)) as db:
            count = catch_up(db, root, warcs, sandbox)
            try:
                with closing(connect(root / NAME)) as old:
                    _replace(db, old)
            except RecordError:  # the old one is damaged: nobody can be reading it
                _remove(root / NAME)
                with closing(connect(root / NAME)) as old:
                    _replace(db, old)
    except sqlite3.OperationalError as error:
        raise StorageError(f"cannot write {root / NAME}: {error}") from error
    finally:
        _remove(beside)
    with writing(root):
        pass
    return count


def _replace(new: Database, old: Database) -> None:
    try:
        new.conn.backup(old.conn)
    except sqlite3.DatabaseError as error:
        raise RecordError(f"{NAME}: {error}") from error


def _remove(path: Path) -> None:
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _seal(root: Path) -> None:
    _, found = file_digest(root / NAME)
    (root / DIGEST_NAME).write_text(f"{found.removeprefix('sha256:')}  {NAME}\n")
