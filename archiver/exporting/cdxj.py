"""CDXJ: an index of records by URL and time, for replay.

One line a record, `SURT TIMESTAMP {json}`, in the order of their bytes. Fields and their order are those of
cdxj-indexer with `--records response,revisit,resource`, whose lines these are byte for byte, but for the
digest of an answer that is stored chunked: here that of its entity-body (WARC/1.1 section 5.8).
"""

import heapq
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from archiver.addresses.surt import surt
from archiver.errors import RecordError
from archiver.exporting.output import new_file
from archiver.exporting.selection import ADVICE, Place, Selection, stored
from archiver.model import Entry
from archiver.storage import is_imported, open_stored
from archiver.warc.head import Head, read_head

INDEXED = ("response", "revisit", "resource")
_HELD = 64 << 20  # bytes of lines in memory at once
_HEAD = 16 << 10  # of a stored record, in which its head nearly always is
_END_OF_TYPE = re.compile(r"[;\s]")
_NO_DIGITS = dict.fromkeys(map(ord, "-:TZ "))
_EARLIEST = "00000101000000"  # completes a date that has not all its parts


@dataclass(frozen=True)
class Made:
    """An index that was written."""

    files: tuple[str, ...]
    lines: int
    bytes: int


class SortedLines:
    """Lines in the order of their bytes, each once. What memory does not hold goes through hidden files."""

    def __init__(self) -> None:
        self.count = 0  # of the lines that were added
        self._held: list[bytes] = []
        self._size = 0
        self._files = ExitStack()
        self._runs: list[BinaryIO] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, line: bytes) -> None:
        """`line` ends with LF. Raises OSError."""
        self.count += 1
        self._held.append(line)
        self._size += len(line)
        if self._size > _HELD:
            self._put_aside()

    def _put_aside(self) -> None:
        run = tempfile.TemporaryFile()  # noqa: SIM115 - closed with all the others
        self._files.callback(run.close)
        run.writelines(sorted(self._held))
        run.seek(0)
        self._runs.append(run)
        self._held, self._size = [], 0

    def __iter__(self) -> Iterator[bytes]:
        last = b""
        for line in heapq.merge(*self._runs, sorted(self._held)):
            if line != last:
                yield line
            last = line


def write_cdxj(selection: Selection, into: Path) -> Made:
    """Write the index of the chosen records, by the archive's own files.

    Raises RecordError when a record is not the one that its line names, ManifestError, StorageError,
    UsageError when `into` is there.
    """
    count = size = 0
    with new_file(into) as beside, SortedLines() as lines, closing(_Heads(selection.root)) as heads:
        for place in selection.places():
            if place.entry.type in INDEXED:
                entry = place.entry
                head = heads.of(place)
                line = index_line(entry, head, Path(place.file).name, entry.offset) if head else None
                if line is not None:
                    lines.add(line)
        with beside.open("xb") as file:
            for line in lines:
                size += file.write(line)
                count += 1
    return Made((str(into),), count, size)


class _Heads:
    """Reads the heads of records in the tree's order: the file that the last one lies in stays open."""

    def __init__(self, root: Path) -> None:
        self._root, self._name = root, ""
        self._file: BinaryIO | None = None

    def of(self, place: Place) -> Head | None:
        """The head of the record that lies there; None for one of others that has none.

        RecordError when it is not the record that the line names.
        """
        if is_imported(place.file):  # its id may be anything, so its bytes tell whether it is the one
            return read_head(stored(self._root, place))
        entry = place.entry
        head = read_head(self._read(place, min(entry.length, _HEAD)))
        if head is None or not head.ended:
            head = read_head(self._read(place, entry.length))
        if head is None or (head.get("warc-record-id") or "").strip("<>") != entry.id:
            raise RecordError(f"{place.file}: the record at {entry.offset} was changed", ADVICE)
        return head

    def _read(self, place: Place, length: int) -> bytes:
        try:
            if self._file is None or self._name != place.file:
                self.close()
                self._name, self._file = place.file, open_stored(self._root, place.file)
            return os.pread(self._file.fileno(), length, place.entry.offset)
        except OSError as error:
            raise RecordError(f"{place.file}: {error.strerror or error}", ADVICE) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def index_line(
    entry: Entry, head: Head, file: str, offset: int, *, record_digest: bool = False
) -> bytes | None:
    """The line of a record that lies at `offset` of `file`, with LF; None for what no URL leads to.

    `record_digest`: also name the digest of the stored member, as py-wacz does.
    """
    kind = head.get("content-type") or ""
    url = (head.get("warc-target-uri") or "").strip("<>")
    if (
        entry.type not in INDEXED
        or not url
        or (entry.type == "resource" and kind == "application/warc-fields")
    ):
        return None
    if entry.type == "revisit":
        mime: str | None = "warc/revisit"
    else:
        written = head.http.get("content-type") if head.http else kind
        mime = _END_OF_TYPE.split(written, maxsplit=1)[0] if written else None
    status = head.http.status if head.http and entry.type != "resource" else None
    facts = {
        "url": url,
        "mime": mime or None,
        "status": str(status) if status else None,
        "digest": head.get("warc-payload-digest") or entry.payload_digest,
        "length": str(entry.length),
        "offset": str(offset),
        "filename": file,
        "recordDigest": entry.digest if record_digest else None,
    }
    said = json.dumps({name: value for name, value in facts.items() if value is not None})
    return f"{surt(url)} {timestamp(head.get('warc-date') or '')} {said}\n".encode("utf-8", "replace")


def timestamp(date: str) -> str:
    """The 14 digits of a WARC-Date: `2026-11-22T19:05:12.345678Z` → `20261122190512`."""
    digits = date[:19].translate(_NO_DIGITS)
    return digits + _EARLIEST[len(digits) :]
