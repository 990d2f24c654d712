"""What one run writes: records into WARC files with their lists and rows, durable before anybody is told."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from archiver.archive import Archive, paths
from archiver.digests import digest
from archiver.errors import RecordError, StorageError
from archiver.index.fold import fold
from archiver.index.reader import describe
from archiver.manifest import beacon, recordlist
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Entry, Location, Record
from archiver.sandbox import Sandbox
from archiver.storage import OPEN, sync_folder
from archiver.warc.read import Member, read_stored
from archiver.warc.write import WarcFile, record_id, warc_date


@dataclass(frozen=True)
class SealAt:
    """When a WARC file is sealed although its run goes on: so many bytes, or seconds since its beginning."""

    bytes: int = 1 << 30
    seconds: float = 1800


class Session:
    """What one run writes: WARC files, one after the other. A Recorder; not for several threads."""

    def __init__(
        self,
        archive: Archive,
        sandbox: Sandbox,
        db: Database,
        info: Mapping[str, str],
        at: SealAt | None = None,
        *,
        value: Callable[[], beacon.PublicValue | None] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        """`info` becomes the warcinfo record of each file: who wrote this, with which options.

        `value` is asked for the beacon as a file begins; `after` is called when one has been sealed.
        """
        self._archive, self._sandbox, self._db, self._info = archive, sandbox, db, info
        self._at, self._value, self._after = at or SealAt(), value, after
        self._file: _OpenFile | None = None
        self.sealed: list[CommittedWarc] = []

    @property
    def wrote(self) -> bool:
        """Whether there is any record of it."""
        return bool(self.sealed) or self._file is not None

    def append(self, records: Sequence[Record]) -> list[Entry]:
        """Write records and their lines; all are durable and in the catalogue when this returns.

        When it raises, none is promised, and nothing may follow in this file: what comes after bytes
        that no line names would be cut off with them.
        """
        if self._file is None:
            info = {**self._info, **beacon.field(self._archive.manifest(), self._value())}
            self._file = _OpenFile(self._archive, self._sandbox, self._db, info)
        return self._file.append(records)

    def seal_when_due(self) -> None:
        """Seal a file that has become large or old; the next record begins another."""
        if self._file is not None and (
            self._file.size >= self._at.bytes or self._file.seconds >= self._at.seconds
        ):
            self.seal()

    def seal(self) -> None:
        """Seal the open file, if there is one; `sealed` then names it."""
        if self._file is not None:
            self._file.close()
            self.sealed.append(self._archive.seal(self._file.name))
            self._file = None
            self._after()

    def close(self) -> None:
        """Leave an open file as it is; the next command heals it."""
        if self._file is not None:
            self._file.close()


class _OpenFile:
    """One WARC file and its record list, being written."""

    def __init__(self, archive: Archive, sandbox: Sandbox, db: Database, info: Mapping[str, str]) -> None:
        self.name = archive.new_name()
        self.size = 0  # bytes
        self._archive, self._sandbox, self._db = archive, sandbox, db
        self._path, listed = paths(self.name)
        self._whole = True  # no append broke off
        self._begun = time.monotonic()
        with ExitStack() as files:
            self._warc = files.enter_context(WarcFile(archive.root / (self._path + OPEN), self._path))
            self._list = files.enter_context(recordlist.RecordList(archive.root / (listed + OPEN)))
            sync_folder(archive.root / "warcs")
            self.append([self._warcinfo(info)])
            self._files = files.pop_all()

    @property
    def seconds(self) -> float:
        """Since it was begun."""
        return time.monotonic() - self._begun

    def append(self, records: Sequence[Record]) -> list[Entry]:
        if not self._whole:
            raise StorageError(
                f"{self._path}: nothing is added after a failure", "The next command heals it."
            )
        self._whole = False
        located = [self._warc.append(record) for record in records]
        self._warc.sync()
        described = [self._describe(location, found) for location, found in located]
        entries = [entry for entry, _ in described]
        self._list.append(entries)
        with self._db.atomic():
            for entry, stored in described:
                fold(self._db, self._path, entry, stored, self._sandbox)
        self._whole = True
        self.size = entries[-1].offset + entries[-1].length if entries else self.size
        return entries

    def close(self) -> None:
        self._files.close()

    def _describe(self, location: Location, written: str) -> tuple[Entry, bytes]:
        try:
            stored = read_stored(self._archive.root, location)
        except RecordError as error:
            raise StorageError(f"{error}, just after they were written", "Do not trust this disk.") from error
        if digest(stored) != written:
            raise StorageError(
                f"{location.file}: the disk gives back other bytes than were written, at {location.offset}",
                "Do not trust this disk.",
            )
        return describe(Member(location.offset, stored), self._sandbox), stored

    def _warcinfo(self, info: Mapping[str, str]) -> Record:
        origin, signer = self._archive.manifest().origin, self._archive.signer
        fields = {**info, "isPartOf": origin, **(signer.fields(origin) if signer else {})}
        return Record(
            type="warcinfo",
            id=record_id(),
            date=warc_date(datetime.now(UTC)),
            content_type="application/warc-fields",
            headers=(("WARC-Filename", Path(self._path).name),),
            block="".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode(),
        )
