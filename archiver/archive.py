"""The folder: where things lie, who may write, and the order in which bytes become durable.

warcs/NAME.warc.gz.open, warcs/NAME.records.jsonl.open     while writing
1. append: members written and fsynced, then their lines, and only then "saved"
2. seal:   manifest.json names the files, then they lose `.open` and become read-only
3. heal:   what a crash left open is cut after its last good line and sealed; the rest is
           kept in torn/
"""

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from archiver.digests import digest, file_digest
from archiver.errors import Locked, NotAnArchive, RecordError, StorageError
from archiver.healing import Healing
from archiver.index.fold import fold
from archiver.index.reader import describe
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.manifest.signednote import Signature, VerifierKey
from archiver.manifest.signers import Named, Signer, current_key, named_by
from archiver.model import Entry, Location, Record
from archiver.sandbox import Sandbox
from archiver.storage import make_folder, storage_error, sync_folder
from archiver.warc.read import Member, read_stored
from archiver.warc.write import WarcFile, record_id, warc_date

LOCK_NAME = ".archiver.lock"
OPEN = ".open"
_OPENED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})\.(?:warc\.gz|records\.jsonl)\.open")


class Archive:
    """An archive's folder. Opening it reads and changes nothing.

    Without a `signer` it seals without signatures.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.signer: Signer | None = None

    def create(self) -> None:
        """Make the archive when there is none yet. Only under the lock."""
        if (self.root / commitment.NAME).exists():
            return
        warcs = self.root / "warcs"
        make_folder(warcs)
        try:
            left = any(warcs.iterdir())
        except OSError as error:
            raise storage_error(warcs, error) from error
        if left:
            raise NotAnArchive(
                f"{self.root}: warcs/ holds files, but {commitment.NAME} is missing",
                "Put the manifest back from a copy, or name another folder.",
            )
        commitment.save(self.root, commitment.empty())

    def manifest(self) -> Manifest:
        """The commitment as it lies on disk. Raises NotAnArchive, ManifestError."""
        return commitment.load(self.root)

    def current_key(self) -> bytes | None:
        """The public key by which its newest records say that it goes on. Raises ManifestError."""
        return current_key(self.root, self.manifest())

    def named(self, warc: CommittedWarc, suffix: str = "") -> Named:
        """The keys that a WARC file names. Raises ManifestError."""
        first = next(recordlist.read(self.root / (warc.list.path + suffix)), None)
        return named_by(self.root, warc.path + suffix, first)

    def check_extendable(self) -> None:
        """Raise ManifestError when the archive is damaged so that nothing could be sealed over it."""
        manifest = self.manifest()
        commitment.tree_of(manifest, self.committed_entries(manifest))

    def committed_entries(self, manifest: Manifest) -> Iterator[Entry]:
        """The entries of all sealed files, in the tree's order."""
        for warc in manifest.warcs:
            yield from recordlist.read(self.root / warc.list.path)

    @contextmanager
    def lock(self, command: str) -> Iterator[None]:
        """Be the only writer. Raises Locked, and says who holds it; StorageError.

        The operating system frees the lock when the process ends, however it ends.
        """
        path = self.root / LOCK_NAME
        make_folder(self.root)
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644), "r+b", buffering=0)
        except OSError as error:
            raise storage_error(path, error) from error
        with file:
            holder = {"pid": os.getpid(), "command": command, "since": warc_date(datetime.now(UTC))}
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.truncate(0)
                file.write(json.dumps(holder).encode())
            except BlockingIOError as error:
                raise Locked(
                    f"{self.root} is locked by {self._holder()}", "Wait until it has ended."
                ) from error
            except OSError as error:
                raise storage_error(path, error) from error
            try:
                yield
            finally:
                with suppress(OSError):  # only the holder's name; the lock goes with the file
                    file.truncate(0)

    def _holder(self) -> str:
        try:
            holder = json.loads((self.root / LOCK_NAME).read_text())
            return f"process {holder['pid']} ('archiver {holder['command']}', since {holder['since']})"
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return "another process"

    def heal(self) -> list[str]:
        """Seal what a crash left open; say in words what was done. Only under the lock."""
        return [self._healing(name).run() for name in self.left_open()]

    def _healing(self, name: str) -> Healing:
        warc, listed = _paths(name)
        named = next((each for each in self.manifest().warcs if each.path == warc), None)
        opened = self.root / (warc + OPEN), self.root / (listed + OPEN)
        return Healing(self, name, opened, named=named)

    def left_open(self) -> list[str]:
        """The names of the WARC files that are being written, or that a crash left."""
        left = [_OPENED.fullmatch(path.name) for path in (self.root / "warcs").glob(f"*{OPEN}")]
        return sorted({found[1] for found in left if found})

    def seal(self, name: str) -> CommittedWarc:
        """Commit an open WARC file and its record list, then give them their final names."""
        warc, listed = _paths(name)
        entries = self.root / (listed + OPEN)
        records = covered = 0
        for entry in recordlist.read(entries):
            records, covered = records + 1, covered + entry.length
        try:
            size, found = file_digest(self.root / (warc + OPEN))
            list_size, list_found = file_digest(entries)
        except OSError as error:
            raise storage_error(warc + OPEN, error) from error
        if covered != size:
            raise StorageError(f"{warc}: its record list does not cover it", "The next command heals it.")
        committed = CommittedWarc(
            path=warc,
            bytes=size,
            digest=found,
            records=records,
            list=CommittedList(path=listed, bytes=list_size, digest=list_found),
        )
        self._commit(committed, recordlist.read(entries))
        self.finish(committed)
        return committed

    def _commit(self, warc: CommittedWarc, entries: Iterator[Entry]) -> None:
        """Name a file in the manifest, with its checkpoint and the signatures of it, all at once."""
        signer, manifest = self.signer, self.manifest()
        origin = manifest.origin
        watch = signer.watch(origin) if signer else ()
        tree = commitment.tree_of(manifest, self.committed_entries(manifest), watch)
        manifest = commitment.extend(manifest, tree, warc, entries)
        note = manifest.checkpoints[-1].note
        signed: Sequence[tuple[Signature, VerifierKey]] = ()
        if signer:
            signed = signer.sign(origin, note, self.named(warc, OPEN), tree)
        commitment.save(self.root, commitment.signed(manifest, -1, signed))
        if signer and signed:
            signer.remember(origin, note)

    def finish(self, committed: CommittedWarc) -> None:
        """Rename what the manifest names already, and make it read-only."""
        try:
            for path in (committed.path, committed.list.path):
                opened = self.root / (path + OPEN)
                if opened.exists() and not (self.root / path).exists():  # what is sealed is never replaced
                    opened.chmod(0o444)
                    opened.rename(self.root / path)
        except OSError as error:
            raise storage_error(committed.path, error) from error
        sync_folder(self.root / "warcs")

    def new_name(self) -> str:
        """A name that no WARC file of the archive has: when, and four random digits."""
        while True:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
            if not any((self.root / path).exists() for path in _paths(name)):
                return name


def _paths(name: str) -> tuple[str, str]:
    return f"warcs/{name}.warc.gz", f"warcs/{name}.records.jsonl"


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
    ) -> None:
        """`info` becomes the warcinfo record of each file: who wrote this, with which options."""
        self._archive, self._sandbox, self._db, self._info = archive, sandbox, db, info
        self._at = at or SealAt()
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
            self._file = _OpenFile(self._archive, self._sandbox, self._db, self._info)
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
        self._path, listed = _paths(self.name)
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
                fold(self._db, self._path, entry, stored)
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
