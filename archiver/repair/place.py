"""Put a file in place, and keep what stood there: at each moment the old one or the new one is whole."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from archiver.storage import is_plain, make_folder, own_folder, storage_error, sync_folder

FOLDER = "damaged"
NEW = ".new"  # what a file that is being made ends in
PARTIAL = ".partial"
_NAME_BYTES = 200  # of a name that is kept; with the time it is still one


def folder(root: Path) -> Path:
    """damaged/, made when it is not there. Raises StorageError."""
    return own_folder(root / FOLDER)


def tidy(root: Path, whole: Iterable[str]) -> None:
    """Remove what a repair that was killed was making, and what was found for files that are whole now.

    Raises StorageError.
    """
    target = root / FOLDER
    if target.is_symlink() or not target.is_dir():
        return
    done = {Path(name).name + PARTIAL for name in whole}
    try:
        for path in list(target.iterdir()):
            if is_plain(path) and (path.name.endswith(NEW) or path.name in done):
                path.unlink()
    except OSError as error:
        raise storage_error(target, error) from error


def install(root: Path, made: Path, name: str) -> str | None:
    """Rename a finished file to its committed name, read-only; where the one before is kept.

    `made` lies in damaged/ and is synced. A plain file is kept by a second name first, so that no moment is
    without either. Raises StorageError.
    """
    final = root / name
    kept = keep(root, final) if os.path.lexists(final) else None
    try:
        make_folder(final.parent)
        made.chmod(0o444)
        made.replace(final)
    except OSError as error:
        raise storage_error(final, error) from error
    sync_folder(final.parent)
    sync_folder(root / FOLDER)
    return kept


def keep(root: Path, path: Path) -> str:
    """Give what stands at `path` a name in damaged/; what is no plain file, or cannot have two, is moved."""
    target = folder(root)
    try:
        kept = _free(target, path.name)
        if is_plain(path):
            before = (each for each in target.iterdir() if is_plain(each) and each.samefile(path))
            if (same := next(before, None)) is not None:  # a repair that was killed has kept it
                return f"{FOLDER}/{same.name}"
            try:
                os.link(path, kept, follow_symlinks=False)
            except OSError:  # a disk without second names
                path.rename(kept)
        else:
            path.rename(kept)
    except OSError as error:
        raise storage_error(path, error) from error
    sync_folder(target)
    return f"{FOLDER}/{kept.name}"


def move(root: Path, path: Path) -> str:
    """Move something into damaged/. Raises StorageError."""
    target = folder(root)
    kept = _free(target, path.name)
    try:
        path.rename(kept)
    except OSError as error:
        raise storage_error(path, error) from error
    sync_folder(target)
    sync_folder(path.parent)
    return f"{FOLDER}/{kept.name}"


def _free(target: Path, name: str) -> Path:
    """NAME.TIME, or with a number behind it."""
    stem = os.fsdecode(os.fsencode(name)[:_NAME_BYTES])
    base = f"{stem}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    number, path = 1, target / base
    while os.path.lexists(path):
        number, path = number + 1, target / f"{base}-{number}"
    return path
