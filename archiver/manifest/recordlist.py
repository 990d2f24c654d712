"""Record lists: one line of JSON for each stored record, in file order (docs/manifest.md).

A line is the canonical form of an Entry: keys sorted, no spaces, UTF-8, one LF. So equal entries
are equal bytes, and a reader can insist on it.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from archiver.errors import ManifestError, RecordError
from archiver.model import Entry
from archiver.storage import storage_error, unblocked

LINE_BYTES = 1 << 20


def encode(entry: Entry) -> bytes:
    """The entry's line, LF included."""
    return msgspec.json.encode(entry, order="sorted") + b"\n"


def decode(line: bytes) -> Entry:
    """Parse a line; ManifestError unless it is the canonical form of an entry."""
    try:
        entry = msgspec.json.decode(line, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"not an entry of a record list: {error}") from error
    if encode(entry) != line:
        raise ManifestError("an entry that is not in canonical form")
    return entry


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a record list, LF included; the last may lack it."""
    while line := file.readline(LINE_BYTES):
        yield line


def read(path: Path) -> Iterator[Entry]:
    """The entries of a record list, one by one; ManifestError names the line that is not one."""
    try:
        with open(path, "rb", opener=unblocked) as file:
            for number, line in enumerate(lines(file)):
                try:
                    yield decode(line)
                except ManifestError as error:
                    raise ManifestError(f"{path.name}: line {number + 1}: {error}") from error
    except OSError as error:
        raise ManifestError(f"{path.name}: {error.strerror or error}") from error


class RecordList:
    """A record list open for appending. Raises StorageError when the disk does not take it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise storage_error(path, error) from error

    def append(self, entries: Iterable[Entry]) -> None:
        """Write the entries and make them durable. RecordError for a line that no reader would take."""
        added = [encode(entry) for entry in entries]
        if any(len(line) > LINE_BYTES for line in added):
            raise RecordError(f"{self._path.name}: a record's line is longer than {LINE_BYTES} bytes")
        try:
            self._file.write(b"".join(added))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise storage_error(self._path, error) from error

    def close(self) -> None:
        with suppress(OSError):  # what `append` could not write is promised to nobody
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
