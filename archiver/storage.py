"""Bytes that stay: what is made, replaced and named so that no crash undoes it; and files opened safely.

POSIX promises a file's bytes after its fsync, and its name only after an fsync of the folder.
"""

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archiver.errors import StorageError, UsageError

OPEN = ".open"  # what a file that is being written ends in
LISTED = ".records.jsonl"  # what a record list ends in
IMPORTED = r"imports/[A-Za-z0-9][A-Za-z0-9._-]{0,119}(?<!\.open)(?<!\.records\.jsonl)"  # docs/manifest.md
_IMPORTED = re.compile(rf"{IMPORTED}(?:\.open)?")
BLOCK = 1 << 20  # bytes that are read or written at once
ADVICE = "Everything reported as saved is safe. Make room or mend the disk, then run the same command again."


def storage_error(path: Path | str, error: OSError) -> StorageError:
    """What the operating system said about a path, with the next step."""
    return StorageError(f"cannot write {path}: {error.strerror or error}", ADVICE)


def unblocked(path: str, flags: int) -> int:
    """An opener for `open`: a pipe in a file's place is empty, where it would be waited for for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


class NotPlain(OSError):
    """A link, a folder, a pipe or a device stands where a plain file should be."""


def is_imported(file: str) -> bool:
    """Whether a path below the archive's folder is that of an imported file: a link may stand there alone."""
    return _IMPORTED.fullmatch(file) is not None


def open_plain(path: Path, *, linked: bool = False) -> BinaryIO:
    """Open a plain file for reading; with `linked` also one to which a link leads.

    Nothing else is opened: a pipe or a device could be read for ever. Raises NotPlain for it, OSError when
    the file cannot be read.
    """
    try:
        if linked and not stat.S_ISREG(path.stat().st_mode):
            raise NotPlain(errno.EINVAL, "it leads to a folder or a special file")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if linked else os.O_NOFOLLOW)
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotPlain(error.errno, "a link or a special file stands in its place") from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotPlain(errno.EINVAL, "a folder or a special file stands in its place")
    return os.fdopen(handle, "rb")


def is_plain(path: Path, *, linked: bool = False) -> bool:
    """Whether `open_plain` would open it."""
    try:
        return stat.S_ISREG((path.stat() if linked else path.lstat()).st_mode)
    except OSError:
        return False


def stored_at(root: Path, file: str) -> Path:
    """Where a committed file lies: after a crash it may still have its name while being written."""
    path, opened = root / file, root / (file + OPEN)
    there = is_plain(opened) or (is_imported(file) and opened.is_symlink())
    return opened if there and not os.path.lexists(path) else path


def open_stored(root: Path, file: str) -> BinaryIO:
    """Open a committed file, sealed or still open. Raises NotPlain, OSError."""
    return open_plain(stored_at(root, file), linked=is_imported(file))


def blocks(file: BinaryIO, length: int = sys.maxsize) -> Iterator[bytes]:
    """The next `length` bytes of a file in blocks, fewer where it ends. Raises OSError."""
    while length > 0 and (data := file.read(min(length, BLOCK))):
        yield data
        length -= len(data)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises StorageError."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(folder, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably. Raises StorageError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    for path in missing:
        sync_folder(path.parent)


def own_folder(folder: Path) -> Path:
    """A folder of the archive, made when it is not there; nobody is led elsewhere by a link.

    Raises StorageError.
    """
    if folder.is_symlink():
        raise StorageError(f"{folder}: will not write through a link", "Remove it, or move it away.")
    make_folder(folder)
    return folder


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, so that its bytes stay; its name is not durable. Raises OSError."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file atomically and durably: beside it, fsync, rename, fsync the folder.

    No link is followed. Raises StorageError.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        write_new(beside, data)
        beside.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    sync_folder(path.parent)


def give_name(beside: Path, into: Path) -> None:
    """Give a file its name, and never replace what has come to be there. Raises OSError."""
    try:
        os.link(beside, into)
    except FileExistsError as error:
        raise UsageError(f"{into}: came to be there meanwhile", "Name another file.") from error
    except OSError:  # no file system for links: FAT, as on a stick
        if os.path.lexists(into):
            raise StorageError(f"{into}: came to be there meanwhile", "Name another file.") from None
        beside.rename(into)
