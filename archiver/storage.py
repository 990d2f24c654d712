"""Bytes that stay: folders and files made, replaced and named so that no crash undoes it.

POSIX promises a file's bytes after its fsync, and its name only after an fsync of the folder.
"""

import os
from pathlib import Path

from archiver.errors import StorageError, UsageError

ADVICE = "Everything reported as saved is safe. Make room or mend the disk, then run the same command again."


def storage_error(path: Path | str, error: OSError) -> StorageError:
    """What the operating system said about a path, with the next step."""
    return StorageError(f"cannot write {path}: {error.strerror or error}", ADVICE)


def unblocked(path: str, flags: int) -> int:
    """An opener for `open`: a pipe in a file's place is empty, where it would be waited for for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


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
