"""Which of Datasette's databases is a catalogue of ours, and the archive it belongs to."""

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from archiver import config
from archiver.browse.disk.cache import Cache
from archiver.browse.disk.contents import Contents
from archiver.browse.disk.drawings import Drawings
from archiver.browse.disk.media import Thumbnails
from archiver.errors import ArchiverError

APPLICATION_ID = 0x41724376  # as in index/schema.sql


@dataclass(frozen=True)
class Library:
    """A catalogue that Datasette serves: its name, the archive's folder, and what is made of pictures."""

    database: str
    root: Path
    cache: Cache
    thumbnails: Thumbnails
    drawings: Drawings
    contents: Contents

    def close(self) -> None:
        """End child processes and let the cache's folder go; all begin again when needed."""
        self.thumbnails.close()
        self.drawings.close()
        self.contents.close()
        self.cache.close()


_lock = threading.Lock()
_known: WeakKeyDictionary[Any, tuple[list[str], Library | None]] = WeakKeyDictionary()


def library(datasette: Any) -> Library | None:
    """The first catalogue among the databases, or None: then the plugin does nothing at all."""
    files = [str(database.path) for database in datasette.databases.values() if database.path]
    with _lock:
        paths, found = _known.get(datasette, ([], None))
        if paths != files:
            found = next((_library(db) for db in datasette.databases.values() if _is_catalogue(db)), None)
            _known[datasette] = (files, found)
    return found


def _library(database: Any) -> Library:
    root = Path(database.path).resolve().parent
    cache = Cache.of_person(_cache_bytes(root))
    return Library(database.name, root, cache, Thumbnails(cache), Drawings(cache), Contents())


def _cache_bytes(root: Path) -> int:
    try:
        return config.load(root).browse.cache_bytes
    except ArchiverError:  # settings that cannot be read: every command that writes says so
        return 0


def _is_catalogue(database: Any) -> bool:
    return bool(database.path) and application_id(Path(database.path), database.is_mutable) == APPLICATION_ID


def connect(path: Path, mutable: bool) -> sqlite3.Connection:
    """Open a database to read. Mutable: sees what a running archive adds, and never locks it.

    Immutable: for media that cannot be written, where SQLite cannot make its -shm file.
    """
    mode = "mode=ro" if mutable else "immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, check_same_thread=False)


def application_id(path: Path, mutable: bool) -> int | None:
    """The `PRAGMA application_id` of a SQLite file; None when it cannot be read as one."""
    try:
        connection = connect(path, mutable)
        try:
            found: int = connection.execute("PRAGMA application_id").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error:
        return None
    return found
