"""journal.json: the runs that were begun and not ended, so that the same command goes on with them.

It only names them. What such a run has done is in its WARC files, and what is left to do is what its
sources name and they do not hold. It is disposable: without it the next run asks for everything again.
"""

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec

from archiver.errors import StorageError
from archiver.storage import replace_file, sync_folder

NAME = "journal.json"
FORMAT = "archiver-journal/1"
JOURNAL_BYTES = 64 << 20
MOST = 100  # runs that are remembered; of more, the oldest are forgotten


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was begun. `command` is a digest over its sources and aims."""

    run: Annotated[str, msgspec.Meta(pattern=r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
    command: Annotated[str, msgspec.Meta(max_length=100)]
    sources: tuple[str, ...]
    started: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z\Z")]


class _Journal(msgspec.Struct, frozen=True, kw_only=True):
    format: str = FORMAT
    unfinished: tuple[Unfinished, ...] = ()


def load(root: Path) -> tuple[Unfinished, ...]:
    """The unfinished runs, oldest first. A journal that cannot be read counts as none."""
    path = root / NAME
    try:
        if not path.is_file() or path.stat().st_size > JOURNAL_BYTES:
            return ()
        return msgspec.json.decode(path.read_bytes(), type=_Journal).unfinished
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def begin(root: Path, run: Unfinished) -> None:
    """Remember a run, durably. Raises StorageError."""
    _save(root, (*(each for each in load(root) if each.command != run.command), run)[-MOST:])


def end(root: Path, run: Unfinished) -> None:
    """Forget a run that came to its end. Raises StorageError."""
    _save(root, tuple(each for each in load(root) if each.run != run.run))


def command_digest(sources: tuple[str, ...], aims: object) -> str:
    """What makes two commands the same: what they were given and what they are to do with it."""
    data = msgspec.json.encode([sources, aims], order="sorted")
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _save(root: Path, unfinished: tuple[Unfinished, ...]) -> None:
    path = root / NAME
    if unfinished:
        replace_file(
            path, msgspec.json.format(msgspec.json.encode(_Journal(unfinished=unfinished)), indent=2)
        )
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot remove {path}: {error.strerror or error}") from error
    sync_folder(root)
