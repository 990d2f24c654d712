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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from archiver.digests import file_digest
from archiver.errors import Locked, NotAnArchive, StorageError
from archiver.healing import Healing
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.manifest.signednote import Signature, VerifierKey
from archiver.manifest.signers import Named, Signer, current_key, named_by
from archiver.model import Entry
from archiver.storage import make_folder, storage_error, sync_folder
from archiver.warc.write import warc_date

LOCK_NAME = ".archiver.lock"
OPEN = ".open"
OPENED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})\.(?:warc\.gz|records\.jsonl)\.open")


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
        warc, listed = paths(name)
        named = next((each for each in self.manifest().warcs if each.path == warc), None)
        opened = self.root / (warc + OPEN), self.root / (listed + OPEN)
        return Healing(self, name, opened, named=named)

    def left_open(self) -> list[str]:
        """The names of the WARC files that are being written, or that a crash left."""
        left = [OPENED.fullmatch(path.name) for path in (self.root / "warcs").glob(f"*{OPEN}")]
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
