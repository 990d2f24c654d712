"""Make a file again: whole, or record by record, each judged by the digest that the archive commits.

What is found of a damaged WARC file is written into damaged/NAME.partial, each record at its own offset.
That file needs no list of what it holds: a record is in it when the bytes there have the record's digest.
So a repair that was killed, or that had not all copies, goes on from it.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from archiver.digests import blocks_digest, digest
from archiver.manifest.manifest import CommittedList, CommittedWarc
from archiver.model import Entry
from archiver.repair import place
from archiver.repair.copies import UNREADABLE, Bytes, LocalBytes
from archiver.storage import BLOCK, is_plain, open_plain, open_stored, storage_error

MEMORY_BYTES = 16 << 20  # a record up to this size is judged before it is written


def tiles(entries: Sequence[Entry], size: int) -> bool:
    """Whether the entries cover a file of this size from its first byte to its last."""
    at = 0
    for entry in entries:
        if entry.offset != at or entry.length == 0:
            return False
        at += entry.length
    return at == size


def partial_name(warc: CommittedWarc) -> str:
    return Path(warc.path).name + place.PARTIAL


@contextmanager
def _open_partial(root: Path, warc: CommittedWarc) -> Iterator[BinaryIO]:
    """damaged/NAME.partial, made when it is not there, with the length of the file. Raises StorageError."""
    path = place.folder(root) / partial_name(warc)
    try:
        if os.path.lexists(path) and not is_plain(path):
            place.move(root, path)
        if not os.path.lexists(path):
            path.open("xb").close()
        with path.open("r+b") as file:
            file.truncate(warc.bytes)
            yield file
    except OSError as error:  # also of what is written only when the file is closed
        raise storage_error(path, error) from error


def whole_file(root: Path, part: CommittedWarc | CommittedList, source: Bytes) -> Path | None:
    """Take a file that a copy has as a whole; the path of the finished one, None when it is another.

    Raises StorageError.
    """
    found, at = hashlib.sha256(), 0
    path = place.folder(root) / f"{Path(part.path).name}{place.NEW}"
    try:
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            for data in _pieces(source, 0, part.bytes):
                found.update(data)
                at += len(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if at == part.bytes and part.digest == "sha256:" + found.hexdigest():
            return path
        path.unlink()
    except OSError as error:
        raise storage_error(path, error) from error
    return None


def _pieces(source: Bytes, offset: int, length: int) -> Iterator[bytes]:
    """Bytes of a copy, as far as it gives them."""
    while length > 0:
        try:
            data = source.read(offset, min(length, BLOCK))
        except UNREADABLE:
            return
        if not data:
            return
        yield data
        offset, length = offset + len(data), length - len(data)


class Assembly:
    """A damaged WARC file whose records are known, and what has been found of it."""

    def __init__(self, root: Path, warc: CommittedWarc, entries: Sequence[Entry]) -> None:
        """Look which records the damaged file and an earlier repair have. Raises StorageError."""
        self.warc, self.entries, self._root = warc, entries, root
        self.sources: list[str] = []
        self._path = root / place.FOLDER / partial_name(warc)
        self._in_own = self._held(lambda: open_stored(root, warc.path))
        self._found = self._held(lambda: open_plain(self._path)) - self._in_own
        if self._found:
            self.sources.append("an earlier repair")

    def _held(self, opened: Callable[[], BinaryIO]) -> set[int]:
        """The records that a file has in their places."""
        try:
            with opened() as file:
                source = LocalBytes("", file)
                return {n for n, entry in enumerate(self.entries) if _has(source, entry.offset, entry)}
        except OSError:
            return set()

    @property
    def missing(self) -> list[int]:
        """Numbers of the records that nobody has given yet."""
        return [n for n in range(len(self.entries)) if n not in self._in_own and n not in self._found]

    @property
    def found(self) -> int:
        """How many records came from elsewhere than the damaged file."""
        return len(self._found)

    def take(self, source: Bytes, name: str) -> None:
        """Take the records that a copy of the same file has in their places. `name`: whose copy it is."""
        for number in self.missing:
            self.put(number, source, self.entries[number].offset, name)

    def put(self, number: int, source: Bytes, offset: int, name: str) -> bool:
        """Take one record, if its bytes lie there. Raises StorageError when it cannot be kept."""
        entry = self.entries[number]
        if entry.length <= MEMORY_BYTES:  # asked for once: it may come over a network
            data = b"".join(_pieces(source, offset, entry.length))
            if digest(data) != entry.digest:
                return False
            self._write(entry, iter((data,)))
        else:
            self._write(entry, _pieces(source, offset, entry.length))
            with open_plain(self._path) as file:
                if not _has(LocalBytes("", file), entry.offset, entry):
                    return False
        self._found.add(number)
        if name not in self.sources:
            self.sources.append(name)
        return True

    def _write(self, entry: Entry, pieces: Iterator[bytes]) -> None:
        with _open_partial(self._root, self.warc) as file:
            file.seek(entry.offset)
            for data in pieces:
                file.write(data)

    def finish(self) -> Path | None:
        """The finished file, synced, in damaged/; None when it is not the committed one.

        Only when nothing is missing. Raises StorageError.
        """
        whole = hashlib.sha256()
        with _open_partial(self._root, self.warc) as file, ExitStack() as stack:
            made = LocalBytes(str(self._path), file)
            if self._in_own:
                own = LocalBytes("", stack.enter_context(open_stored(self._root, self.warc.path)))
            for number, entry in enumerate(self.entries):
                if number in self._in_own:
                    file.seek(entry.offset)
                    for data in _pieces(own, entry.offset, entry.length):
                        file.write(data)
                    file.flush()
                for data in _pieces(made, entry.offset, entry.length):
                    whole.update(data)
            os.fsync(file.fileno())
        return self._path if self.warc.digest == "sha256:" + whole.hexdigest() else None

    def leave(self) -> str | None:
        """Keep what was found for the next repair, or nothing; the partial file's name."""
        if not self._found:
            self.forget()
            return None
        with _open_partial(self._root, self.warc) as file:
            os.fsync(file.fileno())
        return f"{place.FOLDER}/{self._path.name}"

    def forget(self) -> None:
        """Remove the partial file: nobody needs it any more."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(self._path, error) from error


def _has(source: Bytes, offset: int, entry: Entry) -> bool:
    return entry.digest == blocks_digest(_pieces(source, offset, entry.length))
