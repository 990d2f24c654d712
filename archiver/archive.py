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
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from archiver.digests import digest, file_digest
from archiver.errors import Locked, ManifestError, NotAnArchive, RecordError, StorageError
from archiver.index.fold import fold
from archiver.index.reader import describe
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.model import Entry, Location, Record
from archiver.sandbox import Sandbox
from archiver.warc.read import Member, read_stored
from archiver.warc.write import WarcFile, record_id, warc_date

LOCK_NAME = ".archiver.lock"
OPEN = ".open"


class Archive:
    """An archive's folder. Opening it reads and changes nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Make the archive when there is none yet. Only under the lock."""
        if (self.root / commitment.NAME).exists():
            return
        warcs = self.root / "warcs"
        try:
            warcs.mkdir(exist_ok=True)
            left = any(warcs.iterdir())
        except OSError as error:
            raise StorageError(f"cannot make {warcs}: {error.strerror or error}") from error
        if left:
            raise NotAnArchive(
                f"{self.root}: warcs/ holds files, but {commitment.NAME} is missing",
                "Put the manifest back from a copy, or name another folder.",
            )
        commitment.save(self.root, commitment.empty())

    def manifest(self) -> Manifest:
        """The commitment as it lies on disk. Raises NotAnArchive, ManifestError."""
        return commitment.load(self.root)

    def check_extendable(self) -> None:
        """Raise ManifestError when the archive is damaged so that nothing could be sealed over it."""
        manifest = self.manifest()
        commitment.tree_of(manifest, self._committed_entries(manifest))

    def _committed_entries(self, manifest: Manifest) -> Iterator[Entry]:
        """The entries of all sealed files, in the tree's order."""
        for warc in manifest.warcs:
            yield from recordlist.read(self.root / warc.list.path)

    @contextmanager
    def lock(self, command: str) -> Iterator[None]:
        """Be the only writer. Raises Locked, and says who holds it."""
        path = self.root / LOCK_NAME
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(
                    f"{self.root} is locked by {self._holder()}", "Wait until it has ended."
                ) from error
            file.truncate(0)
            json.dump({"pid": os.getpid(), "command": command, "since": warc_date(datetime.now(UTC))}, file)
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def _holder(self) -> str:
        try:
            holder = json.loads((self.root / LOCK_NAME).read_text())
            return f"process {holder['pid']} ('archiver {holder['command']}', since {holder['since']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def heal(self) -> list[str]:
        """Seal what a crash left open; say in words what was done. Only under the lock."""
        left = (self.root / "warcs").glob(f"*{OPEN}")
        return [_Healing(self, name).run() for name in sorted({path.name.partition(".")[0] for path in left})]

    def seal(self, name: str) -> CommittedWarc:
        """Commit an open WARC file and its record list, then give them their final names."""
        warc, listed = _paths(name)
        entries = recordlist.read(self.root / (listed + OPEN))
        size, found = file_digest(self.root / (warc + OPEN))
        if sum(entry.length for entry in entries) != size:
            raise StorageError(f"{warc}: its record list does not cover it", "The next command heals it.")
        list_size, list_found = file_digest(self.root / (listed + OPEN))
        committed = CommittedWarc(
            path=warc,
            bytes=size,
            digest=found,
            records=len(entries),
            list=CommittedList(path=listed, bytes=list_size, digest=list_found),
        )
        manifest = self.manifest()
        tree = commitment.tree_of(manifest, self._committed_entries(manifest))
        commitment.save(self.root, commitment.extend(manifest, tree, committed, entries))
        self.finish(committed)
        return committed

    def finish(self, committed: CommittedWarc) -> None:
        """Rename what the manifest names already, and make it read-only."""
        try:
            for path in (committed.path, committed.list.path):
                opened = self.root / (path + OPEN)
                if opened.exists():
                    opened.chmod(0o444)
                    opened.rename(self.root / path)
            commitment.sync_folder(self.root / "warcs")
        except OSError as error:
            raise StorageError(f"cannot seal {committed.path}: {error.strerror or error}") from error


def _paths(name: str) -> tuple[str, str]:
    return f"warcs/{name}.warc.gz", f"warcs/{name}.records.jsonl"


class Session:
    """One WARC file from warcinfo to sealing. A Recorder; not for several threads."""

    def __init__(self, archive: Archive, sandbox: Sandbox, db: Database, info: Mapping[str, str]) -> None:
        """`info` becomes the warcinfo record: who wrote this, with which options."""
        self.name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        self._archive, self._sandbox, self._db = archive, sandbox, db
        self._path, listed = _paths(self.name)
        self._files = ExitStack()
        self._warc = self._files.enter_context(WarcFile(archive.root / (self._path + OPEN), self._path))
        self._list = self._files.enter_context(recordlist.RecordList(archive.root / (listed + OPEN)))
        commitment.sync_folder(archive.root / "warcs")
        self.append([self._warcinfo(info)])

    def append(self, records: Sequence[Record]) -> list[Entry]:
        """Write records and their lines; all are durable and in the catalogue when this returns."""
        located = [self._warc.append(record) for record in records]
        self._warc.sync()
        described = [self._describe(location, found) for location, found in located]
        entries = [entry for entry, _ in described]
        self._list.append(entries)
        with self._db.atomic():
            for entry, stored in described:
                fold(self._db, self._path, entry, stored)
        return entries

    def seal(self) -> CommittedWarc:
        self._files.close()
        return self._archive.seal(self.name)

    def close(self) -> None:
        """Leave the files open as they are; the next command heals them."""
        self._files.close()

    def _describe(self, location: Location, written: str) -> tuple[Entry, bytes]:
        stored = read_stored(self._archive.root, location)
        if digest(stored) != written:
            raise StorageError(
                f"{location.file}: the disk gives back other bytes than were written, at {location.offset}",
                "Do not trust this disk.",
            )
        return describe(Member(location.offset, stored), self._sandbox), stored

    def _warcinfo(self, info: Mapping[str, str]) -> Record:
        fields = {**info, "isPartOf": self._archive.manifest().origin}
        return Record(
            type="warcinfo",
            id=record_id(),
            date=warc_date(datetime.now(UTC)),
            content_type="application/warc-fields",
            headers=(("WARC-Filename", Path(self._path).name),),
            block="".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode(),
        )


class _Healing:
    """Seals one WARC file that a crash left open, without the network."""

    def __init__(self, archive: Archive, name: str) -> None:
        self._archive, self._name = archive, name
        warc, listed = _paths(name)
        self._warc = archive.root / (warc + OPEN)
        self._list = archive.root / (listed + OPEN)
        self._committed = next((w for w in archive.manifest().warcs if w.path == warc), None)

    def run(self) -> str:
        if self._committed is not None:  # the crash came between manifest and rename
            self._archive.finish(self._committed)
            return f"{self._name}: was sealed already; gave its files their names"
        try:
            good, lines_end = self._last_good()
            torn = self._keep(self._warc, good) + self._keep(self._list, lines_end)
        except OSError as error:
            raise StorageError(f"cannot heal {self._warc}: {error.strerror or error}") from error
        kept = f"; {torn} torn bytes are kept in torn/" if torn else ""
        if good == 0:
            self._warc.unlink(missing_ok=True)
            self._list.unlink(missing_ok=True)
            return f"{self._name}: held no whole record{kept}"
        self._archive.seal(self._name)
        return f"{self._name}: sealed after an interruption{kept}"

    def _last_good(self) -> tuple[int, int]:
        """Ends of the last record that line and bytes agree on: in the WARC file, in the list."""
        end = lines_end = 0
        if not self._list.exists() or not self._warc.exists():
            return 0, 0
        with self._warc.open("rb") as warc, self._list.open("rb") as listed:
            for line in recordlist.lines(listed):
                try:
                    entry = recordlist.decode(line)
                except (ManifestError, RecordError):
                    break
                if entry.offset != end or digest(warc.read(entry.length)) != entry.digest:
                    break
                end, lines_end = end + entry.length, lines_end + len(line)
        return end, lines_end

    def _keep(self, path: Path, end: int) -> int:
        """Move what lies beyond `end` into torn/; return how many bytes that were."""
        if not path.exists():
            return 0
        with path.open("r+b") as file:
            file.seek(end)
            rest = file.read()
            if rest:
                torn = self._archive.root / "torn"
                torn.mkdir(exist_ok=True)
                with (torn / f"{path.name.removesuffix(OPEN)}.{end}").open("wb") as kept:
                    kept.write(rest)
                    kept.flush()
                    os.fsync(kept.fileno())
                file.truncate(end)
                os.fsync(file.fileno())
        return len(rest)
