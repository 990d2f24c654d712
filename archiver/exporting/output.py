"""A file or a folder that is there whole or not at all: written beside, hidden, then given its name."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archiver.digests import file_digest
from archiver.errors import StorageError, UsageError
from archiver.signals import ending_in_order
from archiver.storage import blocks, give_name, storage_error, sync_folder

_ADVICE = "Nothing was written. Make room or name another place, then run the same command again."
SUMS = "SHA256SUMS"


@contextmanager
def new_file(into: Path) -> Iterator[Path]:
    """The path to write to; at the end of the block the file is durable and has its name.

    UsageError when `into` is there, StorageError when the disk does not take it. Else nothing stays.
    """
    _refuse(into)
    beside = _beside(into)
    try:
        with ending_in_order():
            yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        give_name(beside, into)
        sync_folder(into.parent)
    except OSError as error:
        raise storage_error(into, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _refuse(into: Path) -> None:
    """Raise UsageError when something is there already."""
    if os.path.lexists(into):
        raise UsageError(f"{into}: is there already", "Nothing is written over: name another file.")


def _beside(into: Path) -> Path:
    return into.parent / f".archiver-{secrets.token_hex(6)}.new"


class Folder:
    """The files below one folder, each written once and hashed as it is written. Raises StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = self.bytes = 0
        self._made = {path}

    def write(self, name: str, data: bytes | Iterable[bytes]) -> str:
        """Write a new file, its name relative, with `/` and without `..`; the digits of its SHA-256."""
        hashed = hashlib.sha256()
        try:
            with self.place(name).open("xb") as file:
                for piece in (data,) if isinstance(data, bytes) else data:
                    hashed.update(piece)
                    file.write(piece)
                self.bytes += file.tell()
        except OSError as error:
            raise StorageError(f"cannot write {name}: {error.strerror or error}", _ADVICE) from error
        self.files += 1
        return hashed.hexdigest()

    def copy(self, name: str, source: Path) -> str:
        """Write the bytes of a file, or of the one that a link leads to. Also raises what reading raises."""
        try:
            with source.open("rb") as file:
                return self.write(name, blocks(file))
        except OSError as error:
            raise StorageError(f"cannot read {source}: {error.strerror or error}", _ADVICE) from error

    def link(self, name: str, there: str) -> None:
        """The same file under another name, or its bytes where the file system has no hard links."""
        place = self.place(name)
        try:
            os.link(self.path / there, place)
        except OSError:  # FAT, as on a stick, or more links than a file may have
            self.copy(name, self.path / there)
        else:
            self.files += 1

    def add_line(self, name: str, line: bytes) -> None:
        """Append to a file that grows while others are written, as SHA256SUMS."""
        try:
            with self.place(name).open("ab") as file:
                file.write(line)
        except OSError as error:
            raise StorageError(f"cannot write {name}: {error.strerror or error}", _ADVICE) from error

    def add_sum(self, name: str, digits: str) -> None:
        """A line of SHA256SUMS, as sha256sum(1) writes it."""
        self.add_line(SUMS, f"{digits}  {name}\n".encode())

    def digits(self, name: str) -> str:
        """The SHA-256 of a file that has grown to its end."""
        size, found = file_digest(self.path / name)
        self.bytes += size
        self.files += 1
        return found.removeprefix("sha256:")

    def place(self, name: str) -> Path:
        """Where a file goes, its folders made. Raises OSError."""
        path = self.path.joinpath(*name.split("/"))
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        return path


@contextmanager
def new_folder(into: Path) -> Iterator[Folder]:
    """The folder to fill; at the end of the block it is durable and has its name, else there is nothing.

    UsageError when `into` is there, StorageError when the disk does not take it.
    """
    _refuse(into)
    beside = _beside(into)
    try:
        beside.mkdir(parents=True)
    except OSError as error:
        raise StorageError(f"cannot write below {into.parent}: {error.strerror or error}", _ADVICE) from error
    try:
        with ending_in_order():
            yield Folder(beside)
        os.sync()  # one for all of its files, which may be a million
        _name(beside, into)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _name(beside: Path, into: Path) -> None:
    """Give it its name: over an empty folder made for it, so that nothing that came there is replaced."""
    try:
        into.mkdir()
    except FileExistsError as error:
        raise UsageError(f"{into}: came to be there meanwhile", "Name another folder.") from error
    except OSError as error:
        raise StorageError(f"cannot write {into}: {error.strerror or error}", _ADVICE) from error
    try:
        beside.rename(into)
    except BaseException as error:
        with suppress(OSError):
            into.rmdir()
        if isinstance(error, OSError):
            raise StorageError(f"cannot write {into}: {error.strerror or error}", _ADVICE) from error
        raise
    sync_folder(into.parent)
