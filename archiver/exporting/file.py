"""A file that is there whole or not at all: written beside under a hidden name, then given its name."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.errors import UsageError
from archiver.signals import ending_in_order
from archiver.storage import give_name, storage_error, sync_folder


@contextmanager
def new_file(into: Path) -> Iterator[Path]:
    """The path to write to; at the end of the block the file is durable and has its name.

    UsageError when `into` is there, StorageError when the disk does not take it. Else nothing stays.
    """
    refuse(into)
    beside = into.parent / f".archiver-{secrets.token_hex(6)}.new"
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


def refuse(into: Path) -> None:
    """Raise UsageError when something is there already."""
    if os.path.lexists(into):
        raise UsageError(f"{into}: is there already", "Nothing is written over: name another file.")
