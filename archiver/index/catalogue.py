"""The catalogue file: opened, brought up to date with the WARC files, sealed with its own digest.

It is derived and disposable. Beside it lies `catalogue.sha256` (as `sha256sum -c` reads it) while
nothing writes to it, so that a changed byte in it shows too.
"""

import sqlite3
from collections.abc import Container, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archiver.digests import file_digest
from archiver.errors import ArchiverError, RecordError, StorageError
from archiver.index.fold import fold
from archiver.index.hashes import Committed, note_hashes, nothing
from archiver.index.reader import Absent, entries, imported
from archiver.index.rows import value
from archiver.model import Entry
from archiver.sandbox import Sandbox
from archiver.storage import is_imported, replace_file, storage_error, sync_folder

NAME = "catalogue.db"
DIGEST_NAME = "catalogue.sha256"
_NOT_OURS = (
    "not a catalogue of this version",
    "Run 'archiver rebuild': it is made anew from the WARC files.",
)
_DISK = {  # what SQLite says when the disk or another process, not the database, is in the way
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
}


def connect(path: Path) -> Database:
    """Open or create a catalogue for writing; RecordError when the file is none of this layout."""
    if path.is_symlink():
        raise RecordError(f"{path}: a link, {_NOT_OURS[0]}", _NOT_OURS[1])
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.text_factory = lambda text: text.decode("utf-8", "replace")  # a damaged file has any bytes
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            found = _shape(connection)
            if found[2] and found != _expected():
                raise RecordError(f"{path}: {_NOT_OURS[0]}", _NOT_OURS[1])
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "PRAGMA synchronous = NORMAL"
            )  # what a power cut takes is read from WARC again
            if not found[2]:
                connection.executescript(f"BEGIN; {_schema()} COMMIT;")
        except BaseException:
            connection.close()
            raise
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes its bytes
        raise RecordError(f"{path}: damaged", _NOT_OURS[1]) from error
    except sqlite3.DatabaseError as error:
        raise _wrong(path, error) from error
    return Database(connection)


def _schema() -> str:
    return files("archiver.index").joinpath("schema.sql").read_text("utf-8")


def _shape(connection: sqlite3.Connection) -> tuple[Any, Any, list[Any]]:
    """The layout's numbers, and every table, index, view and trigger."""
    return (
        connection.execute("PRAGMA application_id").fetchone()[0],
        connection.execute("PRAGMA user_version").fetchone()[0],
        connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall(),
    )


@cache
def _expected() -> tuple[Any, Any, list[Any]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_schema())
        return _shape(connection)


def _wrong(path: Path, error: sqlite3.DatabaseError) -> ArchiverError:
    """Whose fault it is: the disk's, or the database's."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK:
        return StorageError(
            f"cannot write {path}: {error}",
            "The records are safe. Make room, or end what holds the catalogue, then run 'archiver rebuild'.",
        )
    return RecordError(f"{path}: {error}", _NOT_OURS[1])


@contextmanager
def writing(root: Path) -> Iterator[Database]:
    """The catalogue, open for writing; its digest file is away until it is closed in order."""
    _remove(root / DIGEST_NAME)
    sync_folder(root)  # no old digest may come back beside a changed catalogue
    db = connect(root / NAME)
    try:
        yield db
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise _wrong(root / NAME, error) from error
    finally:
        db.close()
    if not busy:  # else somebody reads: then there is no digest, and nothing false is said
        _seal(root)


@contextmanager
def reading(root: Path) -> Iterator[Database]:
    """What is committed to a catalogue that is being written, for another thread than the one that writes."""
    location = f"{(root / NAME).absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(location, uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise _wrong(root / NAME, error) from error
    with closing(connection):
        yield Database(connection)


def catch_up(
    db: Database,
    root: Path,
    warcs: Iterable[str],
    sandbox: Sandbox,
    committed: Committed = nothing,
    *,
    described: Container[str] = (),
    absent: Absent | None = None,
) -> int:
    """Fold in what the WARC files hold beyond the catalogue; return the number of records.

    `warcs` are the sealed files in their order, `committed` gives the lines of a file's record list: hashes
    in them that today's libraries do not make are kept beside those that they make. `described` are files
    in imports/ whose lines this process has made itself, and need not make again. Raises RecordError
    when the catalogue is not that of the first of them, or when a file cannot be read. With `absent`, which
    is told of it, an imported file need not be readable: its rows are then what its record list says.
    """
    added = 0
    warcs = list(warcs)
    folded = [row[0] for row in db.execute("SELECT path FROM warcs ORDER BY id")]
    if folded != warcs[: len(folded)]:
        raise RecordError(f"{NAME}: made from other WARC files than these", _NOT_OURS[1])
    for warc in warcs:
        if is_imported(warc):
            maker = None if warc in described else sandbox
            records = imported(root, warc, committed(warc), maker, absent)
            added += _import(db, warc, sandbox, records, committed(warc))
            continue
        known = db.execute(
            "SELECT coalesce(max(bytes), 0) FROM warcs WHERE path = ?",
            [warc],
        ).fetchone()[0]
        size = _size(root, warc)
        if size < known:
            raise RecordError(f"{NAME}: has read more of {warc} than there is", _NOT_OURS[1])
        if size == known:
            continue
        with db.atomic():
            for entry, member in entries(root, warc, sandbox, known):
                fold(db, warc, entry, member.stored, sandbox)
                added += 1
            for entry in committed(warc):
                note_hashes(db, entry)
    return added


def _import(
    db: Database,
    file: str,
    sandbox: Sandbox,
    described: Iterable[tuple[Entry, bytes | None]],
    lines: Iterable[Entry],
) -> int:
    """Fold in an imported file by its record list, unless it is there: then it need not be at hand."""
    if value(db, "SELECT 1 FROM warcs WHERE path = ?", file):
        return 0
    added = size = 0
    with db.atomic():
        for entry, stored in described:
            size = entry.offset + entry.length
            fold(db, file, entry, stored, sandbox)
            added += stored != b""
        if not size:
            raise RecordError(
                f"{file}: its record list is not the committed one",
                "Run 'archiver verify' to see what is damaged.",
            )
        for entry in lines:
            note_hashes(db, entry)
    return added


def rebuild(
    root: Path,
    warcs: Iterable[str],
    sandbox: Sandbox,
    committed: Committed = nothing,
    absent: Absent = lambda _: None,
) -> int:
    """Make the catalogue anew from the WARC files; return the number of records. See `catch_up`.

    The new one is made beside the old and copied into it at the end, so that Datasette, when it is
    looking, goes on and sees the new rows.
    """
    beside = root / f".{NAME}.new"
    _remove(beside)
    try:
        with closing(connect(beside)) as db:
            count = catch_up(db, root, warcs, sandbox, committed, absent=absent)
            try:
                with closing(connect(root / NAME)) as old:
                    _replace(db, old)
            except RecordError:  # the old one is damaged: nobody can be reading it
                _remove(root / NAME)
                with closing(connect(root / NAME)) as old:
                    _replace(db, old)
    except sqlite3.DatabaseError as error:
        raise _wrong(root / NAME, error) from error
    finally:
        _remove(beside)
    with writing(root):
        pass
    return count


def _replace(new: Database, old: Database) -> None:
    try:
        new.conn.backup(old.conn)
    except sqlite3.DatabaseError as error:
        raise _wrong(Path(NAME), error) from error


def _size(root: Path, warc: str) -> int:
    try:
        return (root / warc).stat().st_size
    except OSError as error:
        raise RecordError(
            f"{warc}: {error.strerror or error}", "Run 'archiver verify' to see what is missing."
        ) from error


def _remove(path: Path) -> None:
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        try:
            path.with_name(name).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(path.with_name(name), error) from error


def _seal(root: Path) -> None:
    try:
        _, found = file_digest(root / NAME)
    except OSError as error:
        raise storage_error(root / NAME, error) from error
    replace_file(root / DIGEST_NAME, f"{found.removeprefix('sha256:')}  {NAME}\n".encode())
