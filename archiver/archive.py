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
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from archiver.digests import digest, file_digest
from archiver.errors import Locked, ManifestError, NotAnArchive, RecordError, StorageError
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.manifest.signednote import Signature, VerifierKey
from archiver.manifest.signers import Named, current_key, named_by
from archiver.manifest.tree import Tree
from archiver.model import Entry
from archiver.storage import make_folder, storage_error, sync_folder
from archiver.warc.write import warc_date

LOCK_NAME = ".archiver.lock"
OPEN = ".open"
_OPENED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})\.(?:warc\.gz|records\.jsonl)\.open")


class Signer(Protocol):
    """Signs checkpoints while they are sealed. It never raises: what cannot be signed is sealed without."""

    def fields(self, origin: str) -> Mapping[str, str]:
        """What `warcinfo` says of the keys."""
        ...

    def watch(self, origin: str) -> Sequence[int]:
        """The sizes at which it wants to know the tree's root."""
        ...

    def sign(
        self, origin: str, note: str, named: Named, tree: Tree
    ) -> Sequence[tuple[Signature, VerifierKey]]:
        """Signatures of a checkpoint by the keys that its WARC file names."""
        ...

    def remember(self, origin: str, note: str) -> None:
        """What was signed is durable now."""
        ...


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
        return named_by(self.root, warc.path, first)

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
        return [_Healing(self, name).run() for name in self.left_open()]

    def left_open(self) -> list[str]:
        """The names of the WARC files that are being written, or that a crash left."""
        left = [_OPENED.fullmatch(path.name) for path in (self.root / "warcs").glob(f"*{OPEN}")]
        return sorted({found[1] for found in left if found})

    def seal(self, name: str) -> CommittedWarc:
        """Commit an open WARC file and its record list, then give them their final names."""
        warc, listed = paths(name)
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
            if not any((self.root / path).exists() for path in paths(name)):
                return name


def paths(name: str) -> tuple[str, str]:
    """Of a WARC file and its record list, below the archive's folder, when sealed."""
    return f"warcs/{name}.warc.gz", f"warcs/{name}.records.jsonl"


class _Healing:
    """Seals one WARC file that a crash left open, without the network."""

    def __init__(self, archive: Archive, name: str) -> None:
        self._archive, self._name = archive, name
        warc, listed = paths(name)
        self._warc = archive.root / (warc + OPEN)
        self._list = archive.root / (listed + OPEN)
        self._committed = next((w for w in archive.manifest().warcs if w.path == warc), None)

    def run(self) -> str:
        if self._committed is not None:  # the crash came between manifest and rename
            self._archive.finish(self._committed)
            if not self._warc.exists() and not self._list.exists():
                return f"{self._name}: was sealed already; gave its files their names"
        try:
            good, lines_end = (0, 0) if self._committed else self._last_good()
            torn = self._keep(self._warc, good) + self._keep(self._list, lines_end)
            if good == 0:
                self._warc.unlink(missing_ok=True)
                self._list.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(self._warc, error) from error
        kept = f"; {torn} torn bytes are kept in torn/" if torn else ""
        if self._committed:
            return f"{self._name}: is sealed; what lay beside it is moved away{kept}"
        if good == 0:
            return f"{self._name}: held no whole record{kept}"
        self._archive.seal(self._name)
        return f"{self._name}: sealed after an interruption{kept}"

    def _last_good(self) -> tuple[int, int]:
        """Ends of the last record that line and bytes agree on: in the WARC file, in the list."""
        end = lines_end = 0
        if not self._list.exists() or not self._warc.exists():
            return 0, 0
        with self._warc.open("rb") as warc, self._list.open("rb") as listed:
            size = os.fstat(warc.fileno()).st_size
            for line in recordlist.lines(listed):
                try:
                    entry = recordlist.decode(line)
                except (ManifestError, RecordError):
                    break
                if entry.offset != end or not 0 < entry.length <= size - end:
                    break
                if digest(warc.read(entry.length)) != entry.digest:
                    break
                end, lines_end = end + entry.length, lines_end + len(line)
        return end, lines_end

    def _keep(self, path: Path, end: int) -> int:
        """Move what lies beyond `end` into torn/, durably; return how many bytes that were."""
        if not path.exists():
            return 0
        torn = self._archive.root / "torn"
        if path.is_symlink() or torn.is_symlink():
            raise StorageError(f"{path}: will not write through a link", "Remove it, or move it away.")
        with path.open("r+b") as file:
            rest = os.fstat(file.fileno()).st_size - end
            if rest:
                make_folder(torn)
                kept = torn / f"{path.name.removesuffix(OPEN)}.{end}"
                kept.unlink(missing_ok=True)  # of a healing that was cut short itself
                with kept.open("xb") as copy:
                    file.seek(end)
                    shutil.copyfileobj(file, copy, 1 << 20)
                    copy.flush()
                    os.fsync(copy.fileno())
                sync_folder(torn)
                file.truncate(end)
                os.fsync(file.fileno())
        return rest
