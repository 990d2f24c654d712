"""Take a file of others into imports/: byte for byte, or by a link to where it lies, with its record list.

imports/NAME.open, imports/NAME.records.jsonl.open     until the manifest names them (archive.py)

Every byte is read here once more and held against the lines that shall commit it, so what is sealed is what
lies there.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from archiver.digests import file_digest
from archiver.errors import SourceError, StorageError, UsageError
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc, list_of
from archiver.model import Entry
from archiver.storage import OPEN, blocks, open_plain, own_folder, storage_error, sync_folder

FOLDER = "imports"
TRANSCRIPT = ".transcript.warc.gz"  # what the transcript of a file is called beside it
NAME_CHARACTERS = 96  # so that a name has room for digits, and for TRANSCRIPT
_LINES = 500  # made durable at once
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"\.(open|records\.jsonl|transcript\.warc\.gz)\Z", re.IGNORECASE)
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){1,2}\Z")


def fitting_name(given: str, more: str = "") -> str:
    """A name in imports/ for a file that has this one; `more` goes before its ending."""
    name = _UNFIT.sub("-", os.path.basename(given)).lstrip("._-")  # noqa: PTH119 - no path: any text
    if reserved := _RESERVED.search(name):
        name = f"{name[: reserved.start()]}-{reserved[1]}"
        name = name.lstrip("._-")
    ending = found[0] if (found := _ENDING.search(name)) else ""
    stem = name.removesuffix(ending)[: NAME_CHARACTERS - len(ending)] or "file"
    return f"{stem}{more}{ending}"


def bring(
    root: Path, source: BinaryIO | Path, path: str, entries: Iterable[Entry], *, link: bool
) -> CommittedWarc:
    """Put a file and its record list at `path` + ".open", durably; what the manifest is to say of them.

    `entries` tile the file from its first byte to its last. They may be made while they are taken, but not
    by reading `source` itself, if that is an open file: it is read here from where it stands. Raises
    SourceError for a file that cannot be read, or has other bytes than its entries; StorageError. After an
    error nothing is left there.
    """
    folder = own_folder(root / FOLDER)
    with ExitStack() as undo, _opened(source) as file:
        opened, listed = root / (path + OPEN), root / (list_of(path) + OPEN)
        undo.callback(_remove, opened, listed)
        with _link(root, opened, source) if link else _created(opened) as out:
            records, size, found = _lines(path, file, out, entries, listed)
        sync_folder(folder)
        try:
            list_size, list_found = file_digest(listed)
        except OSError as error:
            raise storage_error(listed, error) from error
        undo.pop_all()
    part = CommittedList(path=list_of(path), bytes=list_size, digest=list_found)
    return CommittedWarc(path=path, bytes=size, digest=found, records=records, list=part)


@contextmanager
def _opened(source: BinaryIO | Path) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    try:
        file = open_plain(source, linked=True)
    except OSError as error:
        raise SourceError(f"{source}: {error.strerror or error}", "Name a file that can be read.") from error
    with file:
        yield file


def _link(root: Path, opened: Path, source: BinaryIO | Path) -> "nullcontext[None]":
    """A link to where the file lies, by its whole path."""
    if not isinstance(source, Path):
        raise UsageError("what comes through a pipe has no place to which a link could lead", "Copy it.")
    try:
        target = source.parent.resolve() / source.name
        if target.is_relative_to(root.resolve()):
            raise UsageError(f"{source}: lies in the archive's own folder", "Name a file outside of it.")
        opened.symlink_to(target)
    except OSError as error:
        raise storage_error(opened, error) from error
    return nullcontext()


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    """A new file, synced when it has its bytes."""
    try:
        with path.open("xb", buffering=0) as file:
            yield file
            os.fsync(file.fileno())
    except OSError as error:
        raise storage_error(path, error) from error


def _lines(
    path: str, file: BinaryIO, out: BinaryIO | None, entries: Iterable[Entry], listed: Path
) -> tuple[int, int, str]:
    """Copy the file, entry by entry, and write the list; number of records, bytes and digest."""
    whole, records, size = hashlib.sha256(), 0, 0
    with recordlist.RecordList(listed) as lines:
        left = iter(entries)
        while some := list(islice(left, _LINES)):
            for entry in some:
                member = hashlib.sha256()
                for block in _blocks(file, entry.length):
                    member.update(block)
                    whole.update(block)
                    if out is not None:
                        _write(out, block)
                if entry.offset != size or entry.digest != "sha256:" + member.hexdigest():
                    raise SourceError(*_changed(path, entry.offset))
                size += entry.length
            lines.append(some)
            records += len(some)
    if next(_blocks(file, 1), b""):
        raise SourceError(*_changed(path, size))
    if not size:
        raise SourceError(f"{path}: holds no byte", "There is nothing to keep.")
    return records, size, "sha256:" + whole.hexdigest()


def _changed(path: str, offset: int) -> tuple[str, str]:
    return (
        f"{path}: its bytes at {offset} are not those that were looked at: it was changed meanwhile",
        "Import it again when nobody writes to it.",
    )


def _write(out: BinaryIO, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[out.write(left) :]


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    """The next so many bytes. Raises SourceError."""
    try:
        yield from blocks(file, length)
    except OSError as error:
        name = getattr(file, "name", "the file")
        raise SourceError(f"{name}: cannot be read: {error.strerror or error}") from error


def _remove(*paths: Path) -> None:
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError:  # the next command's healing removes it
        return


def heal(opened: Path) -> str:
    """Remove what a crash left of a file that no manifest names: where it came from it lies still.

    `opened` is imports/NAME.open or its list. Raises StorageError.
    """
    if not opened.is_symlink() and not opened.is_file():
        raise StorageError(f"{opened}: a folder or a special file lies there", "Move it away.")
    try:
        opened.unlink()
    except OSError as error:
        raise storage_error(opened, error) from error
    return f"{FOLDER}/{opened.name}: was not taken in to its end, and is removed; import it again"
