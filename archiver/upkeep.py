"""What is done to an archive beside archiving: its catalogue made anew, its checkpoint signed and stamped."""

import platform
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from archiver import __version__, config
from archiver.archive import Archive
from archiver.capture.records import note_record
from archiver.capture.wire.fetch import Network
from archiver.config import Proof
from archiver.errors import Locked, RecordError, StorageError
from archiver.index import catalogue
from archiver.index.hashes import HashDrift, drift
from archiver.kept import Asked
from archiver.keys import KeyFolder, Signing
from archiver.manifest.beacon import PublicValue
from archiver.manifest.lines import committed_lines
from archiver.manifest.manifest import CommittedWarc
from archiver.model import MarkNote, Record
from archiver.pictures.hashes import current_labels
from archiver.relating import Relating, relate_quietly, remove_index, unwatched
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.signals import stoppable
from archiver.stamping import Stamping

SOFTWARE = {  # the warcinfo fields that every file of ours has
    "software": f"newsarchiver/{__version__} Python/{platform.python_version()}",
    "format": "WARC File Format 1.1",
    "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
}


def signer(archive: Archive, say: Callable[[str], None], keys: KeyFolder | None = None) -> Signing | None:
    """What signs an archive when it is sealed; None when no key can be used, and the reason is said."""
    return Signing.begin(keys or KeyFolder.of_person(), archive.current_key(), say)


def heal(archive: Archive, say: Callable[[str], None], keys: KeyFolder | None = None) -> list[str]:
    """Seal what a crash left open, signed as the settings say; say in words what was done.

    Only under the lock.
    """
    if archive.left_open() and config.load(archive.root).proof.sign:
        archive.signer = signer(archive, say, keys)
    return archive.heal()


def seal_empty(
    archive: Archive, sandbox: Sandbox, value: Callable[[], PublicValue | None] = lambda: None
) -> None:
    """Seal a WARC file with a warcinfo record alone: for what that says. Only under the lock."""
    _seal(archive, sandbox, [], value)


def _seal(
    archive: Archive,
    sandbox: Sandbox,
    records: Sequence[Record],
    value: Callable[[], PublicValue | None] = lambda: None,
) -> CommittedWarc:
    with catalogue_of(archive, sandbox) as db:
        session = Session(archive, sandbox, db, SOFTWARE, value=value)
        try:
            session.append(records)
            session.seal()
        finally:
            session.close()
    return session.sealed[0]


@contextmanager
def catalogue_of(archive: Archive, sandbox: Sandbox) -> Iterator[Database]:
    """The catalogue, up to date with the sealed files; one that is damaged is made anew."""
    manifest = archive.manifest()
    warcs, lines = [warc.path for warc in manifest.warcs], committed_lines(archive.root, manifest)
    try:
        with catalogue.writing(archive.root) as db:
            catalogue.catch_up(
                db, archive.root, warcs, sandbox, lines, described=archive.taken, absent=lambda _: None
            )
    except (RecordError, sqlite3.DatabaseError):
        catalogue.rebuild(archive.root, warcs, sandbox, lines)
    with catalogue.writing(archive.root) as db:
        yield db


def ensure_catalogue(root: Path) -> bool:
    """Make the catalogue when the archive has none, as after a copy; whether it was made."""
    Archive(root).manifest()
    missing = not (root / catalogue.NAME).exists()
    if missing:
        rebuild(root)
    return missing


def rebuild(
    root: Path,
    say: Callable[[str], None] = lambda _: None,
    keys: KeyFolder | None = None,
    relating: Relating = unwatched,
) -> tuple[int, list[str], list[str]]:
    """Derived files from WARC alone: number of records, what was healed before, what was not at hand.

    Of an imported file that is not, the rows are what its record list says, and say less.

    When asked to stop while it compares pictures, it leaves the rest to the next command.
    """
    archive = Archive(root)
    archive.manifest()
    with archive.lock("rebuild"), Sandbox() as sandbox:
        healed = heal(archive, say, keys)
        manifest = archive.manifest()
        lines = committed_lines(root, manifest)
        absent: list[str] = []
        paths = [warc.path for warc in manifest.warcs]
        count = catalogue.rebuild(root, paths, sandbox, lines, lambda error: absent.append(str(error)))
        remove_index(root)
        with catalogue.writing(root) as db, stoppable() as stop:
            relate_quietly(db, root, sandbox, say, stop=stop, watching=relating)
    return count, healed, absent


def compare_pictures(root: Path, say: Callable[[str], None], relating: Relating = unwatched) -> None:
    """Compare the pictures that a run left; while another command writes, say that they are left to it."""
    archive = Archive(root)
    try:
        with (
            archive.lock("duplicates"),
            Sandbox() as sandbox,
            catalogue_of(archive, sandbox) as db,
            stoppable() as stop,
        ):
            relate_quietly(db, root, sandbox, say, stop=stop, watching=relating)
    except (Locked, StorageError) as error:
        say(f"Not all pictures are compared yet: {error}")


def mark(
    root: Path, note: MarkNote, say: Callable[[str], None], keys: KeyFolder | None = None
) -> tuple[CommittedWarc, list[str]]:
    """Put a person's word on two pictures on record and seal it: the file, and what was healed before."""
    archive = Archive(root)
    archive.manifest()
    with archive.lock("duplicates"), Sandbox() as sandbox:
        archive.signer = signer(archive, say, keys) if config.load(root).proof.sign else None
        healed = archive.heal()
        archive.check_extendable()
        sealed = _seal(archive, sandbox, [note_record(note, None)])
    return sealed, healed


def hash_drift(root: Path) -> list[HashDrift]:
    """How far the hashes that today's libraries make lie from those committed under other labels."""
    with Sandbox() as sandbox, catalogue.reading(root) as db:
        return drift(db, sandbox.read(list[str], current_labels, b""))


def timestamp(
    root: Path,
    network: Network,
    proof: Proof,
    *,
    renew: bool = False,
    told: Callable[[Asked], None],
    say: Callable[[str], None],
    keys: KeyFolder | None = None,
) -> list[str]:
    """Ask who has not stamped the newest checkpoint; say in words what was healed before.

    `renew`: first seal a WARC file with nothing but its warcinfo record, whose beacon names the tokens so
    far. Raises NotAnArchive, Locked, ManifestError, StorageError.
    """
    archive = Archive(root)
    archive.manifest()
    with archive.lock("timestamp"):
        if (renew or archive.left_open()) and proof.sign:
            archive.signer = signer(archive, say, keys)
        healed, stamping = archive.heal(), Stamping(archive, proof, network, told, say)
        if renew:
            archive.check_extendable()
            with Sandbox() as sandbox:
                seal_empty(archive, sandbox, stamping.value)
        else:
            stamping.upgrade()
        stamping.ask()
    return healed
