"""Thumbnails and change maps on disk, outside the archive: made once, checked each time they are read.

A file is named by the SHA-256 of its key. Its first line is `archiver-cache-1` and the SHA-256 of the key, a
newline and the data; the data follow. Whatever else lies there is as if nothing did.
"""

import hashlib
import os
import secrets
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

ENTRY_BYTES = 16 << 20
_MARK = b"archiver-cache-1 "
_HEAD = len(_MARK) + 64 + 1
_FRESH = 86_400.0  # seconds for which a file that was used keeps its time: it is not written at every use
_LEFT = 0.8  # of the bound, when the oldest files have been removed
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Cache:
    """A folder of this user alone, with about `most` bytes; none when `most` is 0. For several threads.

    What the disk does not give or take is made again: nothing is raised.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._path, self._most = folder, most
        self._lock = threading.Lock()
        self._folder: int | None = None  # opened once: whoever moves the folder leads nobody elsewhere
        self._refused = most <= 0
        self._bytes: int | None = None

    @classmethod
    def of_person(cls, most: int) -> Self:
        """`$XDG_CACHE_HOME/archiver/browse`, else `~/.cache/archiver/browse`."""
        home = os.environ.get("XDG_CACHE_HOME", "")
        if not Path(home).is_absolute():  # also says the XDG Base Directory Specification
            home = os.path.expanduser("~/.cache")  # noqa: PTH111 - Path.home() raises where nobody is at home
        return cls(Path(home) / "archiver" / "browse", most)

    def get(self, key: str) -> bytes | None:
        """What was put under a key, if it is whole."""
        with suppress(OSError):
            folder = self._opened()
            found = None if folder is None else _read(folder, _name(key))
            if found and found[:_HEAD] == _head(key, found[_HEAD:]):
                return found[_HEAD:]
        return None

    def put(self, key: str, data: bytes) -> None:
        """Keep data; the files that were not used for the longest time make room for it."""
        if len(data) > ENTRY_BYTES:
            return
        with suppress(OSError), self._lock:
            folder = self._opened_locked()
            if folder is not None:
                _write(folder, _name(key), _head(key, data) + data)
                self._bytes = _sizes(folder) if self._bytes is None else self._bytes + len(data) + _HEAD
                if self._bytes > self._most:
                    self._bytes = _make_room(folder, int(self._most * _LEFT))

    def close(self) -> None:
        with self._lock:
            if self._folder is not None:
                os.close(self._folder)
            self._folder = None

    def _opened(self) -> int | None:
        with self._lock:
            return self._opened_locked()

    def _opened_locked(self) -> int | None:
        if self._folder is None and not self._refused:
            try:
                self._folder = _own_folder(self._path)
            except OSError:  # another user's folder, or none that can be made
                self._refused = True
        return self._folder


def _own_folder(path: Path) -> int:
    """Open a folder that is ours, and nobody else's to write to; make it first. Raises OSError."""
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    for each in (path.parent, path):
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)
        folder = os.open(each, _READ | os.O_DIRECTORY)
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            os.close(folder)
            raise PermissionError(f"{each}: not this user's alone")
        if each != path:
            os.close(folder)
    return folder


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _head(key: str, data: bytes) -> bytes:
    return _MARK + hashlib.sha256(key.encode() + b"\n" + data).hexdigest().encode() + b"\n"


def _read(folder: int, name: str) -> bytes | None:
    with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as file:
        found = os.fstat(file.fileno())
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or found.st_size > ENTRY_BYTES + _HEAD:
            return None
        if time.time() - found.st_mtime > _FRESH:
            os.utime(file.fileno())
        return file.read(ENTRY_BYTES + _HEAD)


def _write(folder: int, name: str, data: bytes) -> None:
    beside = f".{name}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(beside, _WRITE, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
        os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
        raise


def _files(folder: int) -> list[tuple[float, int, str]]:
    """When each was last used, its size and its name."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    found.append((about.st_mtime, about.st_size, entry.name))
    return found


def _sizes(folder: int) -> int:
    return sum(size for _, size, _ in _files(folder))


def _make_room(folder: int, most: int) -> int:
    """Remove what was not used for the longest time; how many bytes are left."""
    found = sorted(_files(folder))
    left = sum(size for _, size, _ in found)
    for _, size, name in found:
        if left <= most:
            break
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
            left -= size
    return left
