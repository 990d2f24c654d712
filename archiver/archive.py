"""The folder: where things lie, who may write, and the order in which bytes become durable.

warcs/NAME.warc.gz.open, warcs/NAME.records.jsonl.open     while writing
imports/NAME.open, imports/NAME.records.jsonl.open         while a file of others is taken in
1. append: members written and fsynced, then their lines, and only then "saved"
2. seal:   manifest.json names the files, then they lose `.open` and become read-only
3. heal:   what a crash left open is cut after its last good line and sealed; the rest is
           kept in torn/; of an import that nothing commits nothing is kept
"""

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from archiver import intake
from archiver.digests import file_digest
from archiver.errors import Locked, NotAnArchive, StorageError, UsageError
from archiver.healing import Healing
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest, list_of
from archiver.manifest.signednote import Signature, VerifierKey
from archiver.manifest.signers import InForce, Named, Signer, current_key, named_by
from archiver.manifest.tree import Tree
from archiver.model import Entry
from archiver.storage import LISTED, OPEN, is_imported, make_folder, storage_error, sync_folder
from archiver.warc.write import warc_date

LOCK_NAME = ".archiver.lock"

OPENED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})\.(?:warc\.gz|records\.jsonl)\.open")


class Archive:
    """An archive's folder. Opening it reads and changes nothing.

    Without a `signer` it seals without signatures.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.signer: Signer | None = None
        self.taken: set[str] = set()  # files in imports/ whose lines this process has made
        self._grown: Tree | None = None  # after what was sealed last
        self._decoded: tuple[bytes, Manifest] | None = None

    def create(self) -> None:
        """Make the archive when there is none yet. Only under the lock."""
        if (self.root / commitment.NAME).exists():
            return
        make_folder(self.root / "warcs")
        for folder in ("warcs", intake.FOLDER):
            path = self.root / folder
            try:
                left = os.path.lexists(path) and any(path.iterdir())
            except OSError as error:
                raise storage_error(path, error) from error
            if left:
                raise NotAnArchive(
                    f"{self.root}: {folder}/ holds files, but {commitment.NAME} is missing",
                    "Put the manifest back from a copy, or name another folder.",
                )
        commitment.save(self.root, commitment.empty())

    def manifest(self) -> Manifest:
        """The commitment as it lies on disk. Raises NotAnArchive, ManifestError."""
        data = commitment.stored(self.root)
        if self._decoded is None or self._decoded[0] != data:  # parsing takes a hundred times as long
            self._decoded = data, commitment.decode(data)
        return self._decoded[1]

    def current_key(self) -> bytes | None:
        """The public key by which its newest records say that it goes on. Raises ManifestError."""
        return current_key(self.root, self.manifest())

    def named(self, manifest: Manifest) -> Iterator[Named]:
        """The keys by which each checkpoint is to be signed, in their order. Raises ManifestError."""
        in_force = InForce()
        for warc in manifest.warcs:
            first = next(recordlist.read(self.root / warc.list.path), None)
            yield in_force.of(warc.path, named_by(self.root, warc.path, first))

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
        return [*self._heal_imports(), *(self._healing(name).run() for name in self.left_open())]

    def _heal_imports(self) -> Iterator[str]:
        """What the manifest names gets its name; what it does not name was not acknowledged, and goes."""
        folder = self.root / intake.FOLDER
        left = [] if folder.is_symlink() else sorted(folder.glob(f"*{OPEN}"))
        if not left:
            return
        named = {part.path: warc for warc in self.manifest().warcs for part in (warc, warc.list)}
        for opened in left:
            path = f"{intake.FOLDER}/{opened.name.removesuffix(OPEN)}"
            if path in named and not os.path.lexists(self.root / path):
                self.finish(named[path])
                yield f"{named[path].path}: was sealed already; gave its files their names"
            elif os.path.lexists(opened) and is_imported(path.removesuffix(LISTED)):
                yield intake.heal(opened)

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

    def take(
        self, source: BinaryIO | Path, name: str, entries: Iterable[Entry], *, link: bool = False
    ) -> CommittedWarc:
        """Commit a file of others as imports/`name`: a copy of it, or with `link` a link to where it lies.

        `name` is one that `free_name` gave, or one with `intake.TRANSCRIPT` behind it; `entries` are the
        lines of its record list, which tile it (`intake.bring` has the errors). Only under the lock, and
        while no WARC file is open: the next one names the checkpoint that this makes.
        """
        path = f"{intake.FOLDER}/{name}"
        if not is_imported(path) or path.endswith(OPEN) or not self._is_free(name, self._names()):
            raise UsageError(f"{path}: not a name, or taken", "Take another one.")
        if self.left_open():
            raise UsageError(f"{path}: a WARC file is open", "Seal it first.")
        committed = intake.bring(self.root, source, path, entries, link=link)
        self._commit(committed, recordlist.read(self.root / (committed.list.path + OPEN)))
        self.finish(committed)
        self.taken.add(path)
        return committed

    def free_name(self, given: str) -> str:
        """A name in imports/ that no file of the archive has, like that of a file which is to be imported."""
        taken, name = self._names(), intake.fitting_name(given)
        while not (self._is_free(name, taken) and self._is_free(name + intake.TRANSCRIPT, taken)):
            name = intake.fitting_name(given, f"-{secrets.token_hex(2)}")
        return name

    def _names(self) -> set[str]:
        """What all sealed files are called; in lower case, since some disks make no difference."""
        parts = (part.path for warc in self.manifest().warcs for part in (warc, warc.list))
        return {path.rpartition("/")[2].lower() for path in parts}

    def _is_free(self, name: str, taken: set[str]) -> bool:
        folder = self.root / intake.FOLDER
        names = (name, Path(list_of(f"{intake.FOLDER}/{name}")).name)
        there = (folder / f"{each}{end}" for each in names for end in ("", OPEN))
        return taken.isdisjoint(each.lower() for each in names) and not any(map(os.path.lexists, there))

    def _commit(self, warc: CommittedWarc, entries: Iterator[Entry]) -> None:
        """Name a file in the manifest, with its checkpoint and the signatures of it, all at once."""
        signer, manifest = self.signer, self.manifest()
        origin = manifest.origin
        watch = signer.watch(origin) if signer else ()
        tree = self._tree(warc, manifest, watch)
        manifest = commitment.extend(manifest, tree, warc, entries)
        note = manifest.checkpoints[-1].note
        signed: Sequence[tuple[Signature, VerifierKey]] = ()
        if signer:
            signed = signer.sign(origin, note, self._signing(warc, manifest), tree)
        commitment.save(self.root, commitment.signed(manifest, -1, signed))
        if signer and signed:
            signer.remember(origin, note)
        tree.keep_root()
        self._grown = tree

    def _tree(self, warc: CommittedWarc, manifest: Manifest, watch: Sequence[int]) -> Tree:
        """The tree so far, by all record lists; of imported files in a row only before the first."""
        grown, self._grown = self._grown, None
        same = grown and is_imported(warc.path) and commitment.tree_head(grown) == manifest.tree
        if grown and same and all(size in grown.roots for size in watch):
            return grown
        return commitment.tree_of(manifest, self.committed_entries(manifest), watch)

    def _signing(self, warc: CommittedWarc, manifest: Manifest) -> Named:
        """The keys that an open WARC file names; for an imported file the one that is in force."""
        if is_imported(warc.path):
            return Named(current_key(self.root, manifest))
        first = next(recordlist.read(self.root / (warc.list.path + OPEN)), None)
        return named_by(self.root, warc.path + OPEN, first)

    def finish(self, committed: CommittedWarc) -> None:
        """Rename what the manifest names already, and make it read-only, but for what a link leads to."""
        try:
            for path in (committed.path, committed.list.path):
                opened, final = self.root / (path + OPEN), self.root / path
                if os.path.lexists(opened) and not os.path.lexists(final):  # what is sealed is never replaced
                    if not opened.is_symlink():
                        opened.chmod(0o444)
                    opened.rename(final)
        except OSError as error:
            raise storage_error(committed.path, error) from error
        sync_folder((self.root / committed.path).parent)

    def new_name(self) -> str:
        """A name that no WARC file of the archive has: when, and four random digits."""
        while True:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
            if not any((self.root / path).exists() for path in paths(name)):
                return name


def paths(name: str) -> tuple[str, str]:
    """Of a WARC file and its record list, below the archive's folder, when sealed."""
    return f"warcs/{name}.warc.gz", f"warcs/{name}.records.jsonl"
