"""What the pictures of an archive have to do with each other: derived, and done last.

The pictures that nobody has looked at are taken in the order of the catalogue, each is held against those
before it that may show the same, and what pixels say of two becomes a row. What is but a re-encoding of an
older picture is compared no further: that one represents it. A run that ends in between, however it ends, is
gone on with: each picture's rows are one transaction, and the index follows them.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlite_utils import Database

from archiver.errors import ArchiverError, RecordError, SandboxError
from archiver.index.clusters import grow
from archiver.index.nominated import Nominated
from archiver.index.pairs import add_pair, pair_of, representative
from archiver.index.rows import insert, value
from archiver.model import Comparison, Digest, Evidence, Location
from archiver.pictures.files import PICTURE_BYTES
from archiver.pictures.fingerprint import INLIERS, Fingerprint, make_fingerprint, pdq_distance, same_pixels
from archiver.pictures.hashes import NEAR
from archiver.pictures.pairs.compare import SAME_PIXELS, compare_pictures
from archiver.sandbox import Sandbox
from archiver.storage import storage_error
from archiver.warc.stored import read_record

if TYPE_CHECKING:
    from archiver.pictures.index import Index

FOLDER = "pictures.index"
SCREENED = 100  # candidates of one picture that are screened
JUDGED = 24  # of them, those whose pixels are held against its own
FLUSHED = 50  # pictures after which the index is durable
_COMPARED = ("photograph", "graphic")  # what can look alike

Stop = Callable[[], bool]
Relating = Callable[[Callable[[], str]], AbstractContextManager[None]]

_STORED = """
SELECT warcs.path, records.offset, records.length FROM records JOIN warcs ON warcs.id = records.warc_id
WHERE payload_digest = ? AND type IN ('response', 'resource') AND truncated IS NULL
ORDER BY records.id LIMIT 1
"""
_LAST = "SELECT coalesce(max(id), 0) FROM compared_pictures"
_NEW = "SELECT rowid, payload_digest FROM pictures WHERE rowid > ? ORDER BY rowid LIMIT 1"


@cache
def label() -> str:
    """Name of the comparison with all that its result depends on."""
    libraries = ("numpy", "opencv-python-headless", "pdqhash", "pillow")
    return "/".join(["pairs2", *(f"{name}-{version(name)}" for name in libraries)])


def behind(db: Database | sqlite3.Connection) -> int:
    """How many pictures have not been compared with the others."""
    found = db.execute(f"SELECT count(*) FROM pictures WHERE rowid > ({_LAST})").fetchone()  # noqa: S608
    return int(found[0])


def complete(db: Database | sqlite3.Connection, root: Path) -> bool:
    """Whether every picture was compared and the index holds all that can be asked for."""
    sql = "SELECT count(*) FROM compared_pictures WHERE pixels IS NOT NULL"
    count = int(db.execute(sql).fetchone()[0])
    return not behind(db) and (not count or _held(root) == count)


def _held(root: Path) -> int:
    """How many pictures the index holds; -1 when it has to be made anew."""
    from archiver.pictures.index import Index  # noqa: PLC0415

    if (root / FOLDER).is_symlink():
        return -1
    try:
        with Index(root / FOLDER, writable=False, label=label()) as index:
            return len(index)
    except RecordError:
        return -1


@dataclass
class Related:
    """What was done: how many pictures were looked at, and how many pairs by their pixels."""

    pictures: int = 0
    pairs: int = 0
    left: int = 0  # pictures that are left to do

    @property
    def words(self) -> str:
        return f"{self.pictures} pictures compared with the others, {self.left} to go"


def _never() -> bool:
    return False


def unwatched(_: Callable[[], str]) -> AbstractContextManager[None]:
    """Nobody looks."""
    return nullcontext()


def relate(
    db: Database,
    root: Path,
    sandbox: Sandbox,
    *,
    stop: Stop = _never,
    watching: Relating = unwatched,
) -> Related:
    """Compare the pictures that are new since the last time; when asked to stop, leave the rest to the next.

    Only under the archive's lock. Raises StorageError, RecordError, SandboxError.
    """
    done = Related(left=behind(db))
    nominated = Nominated(db)
    if complete(db, root) and not any(_missing(db, nominated)):
        nominated.done()
        return done
    # two: a child with the libraries for hashes and for comparing holds too much to be kept between calls
    with watching(lambda: done.words), Sandbox() as judge:
        try:
            _go_on(root, _Work(db, root, done, sandbox=sandbox, judge=judge), nominated, stop)
        except RecordError:  # of an index whose damage shows only when it is read
            remove_index(root)
            _go_on(root, _Work(db, root, done, sandbox=sandbox, judge=judge), nominated, stop)
    return done


def _go_on(root: Path, work: "_Work", nominated: Nominated, stop: Stop) -> None:
    with _index(root) as work.index:
        if work.catch_up(stop) and work.pictures(stop):
            work.pairs(nominated, stop)


def stored_picture(db: Database | sqlite3.Connection, root: Path, digest: str) -> bytes:
    """The bytes of a picture of the archive, without content coding. Raises RecordError."""
    row = db.execute(_STORED, [digest]).fetchone()
    if row is None:
        raise RecordError(f"{digest}: no record holds this picture")
    location = Location(file=row[0], offset=row[1], length=row[2])
    return read_record(root, location).content_decoded(PICTURE_BYTES)


def compare(
    sandbox: Sandbox, first: bytes, second: bytes, known: Sequence[Fingerprint | None] = (None, None)
) -> Comparison:
    """What two pictures have to do with each other; `known` are their fingerprints, where they are at hand.

    Raises SandboxError when that took too much.
    """
    data = first + second + msgspec.msgpack.encode(known)
    sizes = {"first_bytes": len(first), "second_bytes": len(second)}
    return sandbox.read(Comparison, compare_pictures, data, **sizes)


def _itself(key: Digest) -> Digest:
    return key


def worth(
    fingerprint: Fingerprint, index: "Index", representative: Callable[[Digest], Digest] = _itself
) -> Iterator[Digest]:
    """The pictures of an index that may show the same as one, and whose pixels are worth a look.

    Each once, as what represents it. Raises RecordError and StorageError.
    """
    seen: set[Digest] = set()
    screened = 0
    for one in index.candidates(fingerprint):
        key = representative(one.key)
        if key in seen:
            continue
        screened += 1
        if index.screen(fingerprint, [one]):
            seen.add(key)
            yield key
        if screened == SCREENED or len(seen) == JUDGED:
            return


def _near(distance: int | None) -> bool:
    return distance is not None and distance <= NEAR


def _agreeing(held: Fingerprint, fingerprint: Fingerprint) -> int:
    """How many keypoints of two pictures agree on one map."""
    from archiver.pictures.pairs.align import inliers  # noqa: PLC0415

    return inliers(held, fingerprint)


@contextmanager
def _index(root: Path) -> "Iterator[Index]":
    """The index, made anew when it is missing, damaged, or of other libraries."""
    from archiver.pictures.index import Index  # noqa: PLC0415

    folder = root / FOLDER
    if folder.is_symlink() or folder.is_file():  # nobody is led elsewhere; what a link names stays
        remove_index(root)
    try:
        index = Index(folder, label=label())
    except RecordError:
        remove_index(root)
        index = Index(folder, label=label())
    with index:
        yield index


def remove_index(root: Path) -> None:
    """Remove the folder. Raises StorageError."""
    folder = root / FOLDER
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise storage_error(folder, error) from error


def _missing(db: Database, nominated: Nominated) -> Iterator[tuple[str, str, bool]]:
    """Of the pairs that the catalogue suggests those without a row, the older picture first.

    Of two pictures that are re-encodings of a third it is known what they are.
    """
    sql = "SELECT payload_digest FROM pictures WHERE payload_digest IN (?, ?) ORDER BY rowid"
    for one, other, same in nominated.pairs():
        known = not same and representative(db, one) == representative(db, other)
        if not known and pair_of(db, one, other) is None:
            order = [row[0] for row in db.execute(sql, [one, other])]
            if len(order) == 2:
                yield order[0], order[1], same


class _Work:
    index: "Index"

    def __init__(self, db: Database, root: Path, done: Related, *, sandbox: Sandbox, judge: Sandbox) -> None:
        self._db, self._root, self._done = db, root, done
        self._sandbox, self._judge = sandbox, judge

    def catch_up(self, stop: Stop) -> bool:
        """Bring the index to what the rows say; whether that came to its end."""
        sql = "SELECT payload_digest FROM compared_pictures WHERE pixels IS NOT NULL ORDER BY id"
        keys = [row[0] for row in self._db.execute(sql)]
        index = self.index
        index.truncate(len(keys))
        if not all(key in index for key in keys[: len(index)]):
            index.truncate(0)
        for count, key in enumerate(keys[len(index) :], 1):
            if stop():
                return False
            index.add(key, self._fingerprint(stored_picture(self._db, self._root, key)))
            self._flush(count)
        return True

    def pictures(self, stop: Stop) -> bool:
        """Look at every new picture; whether that came to its end."""
        while row := self._db.execute(_NEW, [value(self._db, _LAST)]).fetchone():
            if stop():
                return False
            self._picture(*row)
            self._done.pictures += 1
            self._done.left -= 1
            self._flush(self._done.pictures)
        return True

    def _flush(self, count: int) -> None:
        if count % FLUSHED == 0:
            self.index.flush()

    def _picture(self, row: int, digest: str) -> None:
        """One picture's rows, and then its place in the index."""
        fingerprint, reason = None, ""
        try:
            data = stored_picture(self._db, self._root, digest)
            fingerprint = self._fingerprint(data)
        except (RecordError, SandboxError) as error:
            reason = str(error)[:300]
        pairs, representative = self._found(data, fingerprint) if fingerprint else ({}, None)
        with self._db.atomic():
            insert(
                self._db,
                "compared_pictures",
                id=row,
                payload_digest=digest,
                pixels=fingerprint.pixels if fingerprint else None,
                represented_by=representative,
                reason=reason,
                label=label(),
            )
            for other, found in pairs.items():
                add_pair(self._db, other, digest, found, label())
            grow(self._db, digest, {other: found.relation for other, found in pairs.items()})
        if fingerprint:
            self.index.add(digest, fingerprint)

    def _fingerprint(self, data: bytes) -> Fingerprint:
        return self._sandbox.read(Fingerprint, make_fingerprint, data)

    def _found(self, data: bytes, fingerprint: Fingerprint) -> tuple[dict[Digest, Comparison], Digest | None]:
        """What was found of it and those before it, all but `different`; and what represents it from now on.

        That is the first picture, no smaller, of which it is a re-encoding: what others have to do with it
        is what they have to do with that one.
        """
        pairs: dict[Digest, Comparison] = {}
        if fingerprint.facts.kind not in _COMPARED:
            return pairs, None
        sql = "SELECT payload_digest FROM compared_pictures WHERE pixels = ? ORDER BY id LIMIT 1"
        equal: Digest | None = value(self._db, sql, fingerprint.pixels)
        if equal and same_pixels(self.index.get(equal), fingerprint):
            return {equal: SAME_PIXELS}, self._representative(equal)
        others = worth(fingerprint, self.index, self._representative)
        first = [self._representative(equal)] if equal else []
        for other in chain(first, (key for key in others if key not in first)):
            found = self._compared(other, data, fingerprint)
            if found.relation not in ("different", "undecodable"):
                pairs[other] = found
            if found.relation in ("same-pixels", "re-encoded") and self._no_smaller(other, fingerprint):
                return pairs, other
        return pairs, None

    def _representative(self, digest: Digest) -> Digest:
        return representative(self._db, digest)

    def _no_smaller(self, other: Digest, fingerprint: Fingerprint) -> bool:
        sql = "SELECT width * height FROM pictures WHERE payload_digest = ?"
        facts = fingerprint.facts
        return int(value(self._db, sql, other)) >= facts.width * facts.height

    def _compared(self, first: str, second: bytes, fingerprint: Fingerprint | None) -> Comparison:
        self._done.pairs += 1
        try:
            known = (self.index.get(first), fingerprint)
            return compare(self._judge, stored_picture(self._db, self._root, first), second, known)
        except (RecordError, SandboxError) as error:
            return Comparison(relation="undecodable", reason=str(error)[:300])

    def pairs(self, nominated: Nominated, stop: Stop) -> None:
        """Look at the pairs that the catalogue itself suggests; the forms of one picture always by pixels."""
        for first, second, same in _missing(self._db, nominated):
            if stop():
                return
            found = self._nominated(first, second, same=same)
            with self._db.atomic():
                add_pair(self._db, first, second, found, label())
                grow(self._db, second, {first: found.relation})
        nominated.done()

    def _nominated(self, first: str, second: str, *, same: bool) -> Comparison:
        held, fingerprint = self.index.get(first), self.index.get(second)
        if same_pixels(held, fingerprint):
            return SAME_PIXELS
        if not same and held and fingerprint and not _near(pdq_distance(held, fingerprint)):
            count = _agreeing(held, fingerprint)
            if count < INLIERS:
                words = f"only {count} keypoints agree"
                return Comparison(relation="different", evidence=Evidence(inliers=count), reason=words)
        try:
            return self._compared(first, stored_picture(self._db, self._root, second), fingerprint)
        except RecordError as error:
            return Comparison(relation="undecodable", reason=str(error)[:300])


def relate_quietly(
    db: Database,
    root: Path,
    sandbox: Sandbox,
    say: Callable[[str], None],
    *,
    stop: Stop = _never,
    watching: Relating = unwatched,
) -> None:
    """The same after a capture, which never fails because this did: then that is said."""
    try:
        left = relate(db, root, sandbox, stop=stop, watching=watching).left
    except (ArchiverError, sqlite3.DatabaseError) as error:
        say(f"Not all pictures were compared: {error}. The next run goes on; 'archiver rebuild' begins anew.")
    else:
        if left:
            say(f"{left} pictures were not compared yet: the next run does it, or 'archiver duplicates'.")
