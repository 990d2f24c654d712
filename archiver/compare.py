"""Two archives by their commitments alone: what one has that the other lacks, and what contradicts.

Only `manifest.json` and the record lists are read, so copies without their WARC files can be compared. What
the lists say is held against each tree head first; whether stored bytes are as committed, `verify` says.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archiver.archive import Archive
from archiver.errors import UsageError
from archiver.manifest import checkpoint, recordlist
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest
from archiver.manifest.tree import Tree
from archiver.model import Entry
from archiver.pictures.hashes import NEAR, QUALITY, algorithm

Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")
ANSWERS = ("response", "revisit", "resource")
_Lone = tuple[int, bytes, str, int, str | None]
History = Literal["same", "first-goes-on", "second-goes-on", "went-apart", "unrelated"]
_TABLES = """
CREATE TABLE records (
    side INTEGER, file TEXT, digest BLOB, type TEXT, id TEXT, uri TEXT, date TEXT, payload BLOB
);
CREATE TABLE hashes (side INTEGER, payload BLOB, label TEXT, value TEXT, quality INTEGER, uri TEXT);
"""
_INDEXES = """
CREATE INDEX by_digest ON records(digest, side);
CREATE INDEX by_id ON records(id, side);
CREATE INDEX by_uri ON records(uri, side);
CREATE INDEX by_payload ON records(payload, side);
CREATE INDEX hashes_by_label ON hashes(label, side, payload);
"""
_PDQ = re.compile("[0-9a-f]{64}")
_RECORD = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_HASH = "INSERT INTO hashes VALUES (?, ?, ?, ?, ?, ?)"
_OF_ANSWERS = f"type IN {ANSWERS} AND uri IS NOT NULL AND uri NOT LIKE 'urn:%'"
# A member is the same where its stored bytes are; only those that are not, and are records, are told.
_ONLY = """
SELECT file, type, id, uri, date, payload FROM records AS one WHERE side = ? AND type <> 'gap'
AND NOT EXISTS (SELECT 1 FROM records AS other WHERE other.digest = one.digest AND other.side <> one.side)
ORDER BY one.rowid
"""
_CONTRADICTIONS = """
SELECT one.id, one.uri, one.file, other.file FROM records AS one JOIN records AS other ON other.id = one.id
WHERE one.side = 0 AND other.side = 1 AND one.digest <> other.digest AND one.id <> ''
AND NOT EXISTS (SELECT 1 FROM records AS r WHERE r.id = one.id AND r.side = 1 AND r.digest = one.digest)
AND NOT EXISTS (SELECT 1 FROM records AS r WHERE r.id = one.id AND r.side = 0 AND r.digest = other.digest)
ORDER BY one.rowid, other.rowid
"""
_LONE = """
SELECT min(rowid), payload, value, quality, min(uri) FROM hashes AS one WHERE side = ? AND label = ?
AND NOT EXISTS (SELECT 1 FROM records AS other WHERE other.payload = one.payload AND other.side <> one.side)
GROUP BY payload ORDER BY 1
"""


@dataclass(frozen=True)
class Held:
    """One of the two, as its own manifest has it."""

    path: str
    origin: str
    files: int
    records: int
    bytes: int


@dataclass(frozen=True)
class Lacking:
    """A record whose stored bytes only one of them has. `payload`: whether the other has its payload."""

    side: Side
    file: str
    warc_type: str
    id: str
    uri: str | None
    date: str
    payload: bool


@dataclass(frozen=True)
class Contradiction:
    """One record id, other stored bytes: what one of them says about it is not what was written first."""

    id: str
    uri: str | None
    first: str  # the WARC files that hold it
    second: str


@dataclass(frozen=True)
class LookAlike:
    """A picture of the first that looks like one of the second, which has no copy of it."""

    first: str  # payload digests
    second: str
    first_uri: str | None
    second_uri: str | None
    distance: int  # bits of 256


@dataclass(frozen=True)
class Shares:
    """How many of something both have, and each alone."""

    both: int
    first: int
    second: int


class Comparison:
    """Two archives, read. Made by `compared`; its rows lie in a temporary database, so memory is flat."""

    def __init__(
        self, db: sqlite3.Connection, sides: tuple[Held, Held], history: History, common: int
    ) -> None:
        self.sides, self.history = sides, history
        self.common = common  # records at which they went apart, where they have a common beginning
        self._db = db

    def lacking(self, side: Side) -> Iterator[Lacking]:
        """What only this one has, in the order of its tree."""
        number = SIDES.index(side)
        for file, kind, identifier, uri, date, payload in self._db.execute(_ONLY, [number]):
            yield Lacking(side, file, kind, identifier, uri, date, self._has(1 - number, payload))

    def _has(self, side: int, payload: bytes | None) -> bool:
        query = "SELECT 1 FROM records WHERE payload = ? AND side = ? LIMIT 1"
        return payload is not None and self._db.execute(query, [payload, side]).fetchone() is not None

    def contradictions(self) -> Iterator[Contradiction]:
        """Records of one id and other bytes."""
        for row in self._db.execute(_CONTRADICTIONS):
            yield Contradiction(*row)

    def shares(self) -> dict[str, Shares]:
        """Of stored records, of payloads, and of the URLs of answers."""
        return {
            "records": self._shares("digest", "type <> 'gap'"),
            "payloads": self._shares("payload", "payload IS NOT NULL"),
            "urls": self._shares("uri", _OF_ANSWERS),
        }

    def _shares(self, column: str, which: str) -> Shares:
        sides = f"SELECT min(side) AS low, max(side) AS high FROM records WHERE {which} GROUP BY {column}"  # noqa: S608 - our own words
        counted = f"SELECT sum(low <> high), sum(high = 0), sum(low = 1) FROM ({sides})"  # noqa: S608
        return Shares(*(count or 0 for count in self._db.execute(counted).fetchone()))

    def look_alikes(self) -> Iterator[LookAlike]:
        """Pictures that only one of them has, and that look alike by PDQ: within 60 bits of 256.

        Values of equal labels are compared, of the quality that finding needs: looks alike, nothing more.
        """
        labels = self._db.execute("SELECT DISTINCT label FROM hashes ORDER BY label").fetchall()
        for (label,) in labels:
            lone = [self._db.execute(_LONE, [side, label]).fetchall() for side in (0, 1)]
            if all(lone):
                yield from _near(lone[0], lone[1])


def _near(one: Sequence[_Lone], other: Sequence[_Lone]) -> Iterator[LookAlike]:
    import numpy as np  # noqa: PLC0415 - only where pictures are compared

    from archiver.pictures.candidates.hashes import Hashes  # noqa: PLC0415

    hashes = Hashes(
        b"".join(bytes.fromhex(row[2]) for row in other), np.array([row[3] for row in other], np.uint8)
    )
    for _, payload, value, _, uri in one:
        distances = hashes.distances(bytes.fromhex(value), QUALITY)
        for at in np.flatnonzero((distances >= 0) & (distances <= NEAR)):
            found = other[int(at)]
            yield LookAlike(_named(payload), _named(found[1]), uri, found[4], int(distances[at]))


@contextmanager
def compared(first: Path, second: Path) -> Iterator[Comparison]:
    """Read two archives' commitments. Raises NotAnArchive, ManifestError, UsageError for one and the same."""
    if first.resolve() == second.resolve():
        raise UsageError(f"{first} and {second} are one folder", "Name two archives.")
    manifests = [Archive(root).manifest() for root in (first, second)]
    sizes = [manifest.tree.size for manifest in manifests]
    db = sqlite3.connect("", isolation_level=None)  # a temporary file that SQLite removes
    try:
        db.executescript(_TABLES)
        db.execute("BEGIN")
        trees = [
            _read(db, side, root, manifests[side], sizes[1 - side])
            for side, root in enumerate((first, second))
        ]
        db.execute("COMMIT")
        db.executescript(_INDEXES)
        history, common = _history(manifests, trees)
        one, other = (
            Held(
                str(root),
                made.origin,
                len(made.warcs),
                made.tree.size,
                sum(warc.bytes for warc in made.warcs),
            )
            for root, made in zip((first, second), manifests, strict=True)
        )
        yield Comparison(db, (one, other), history, common)
    finally:
        db.close()


def _read(db: sqlite3.Connection, side: int, root: Path, manifest: Manifest, watch: int) -> Tree:
    """Its rows; the tree over them, with its root at a size. ManifestError when they are not committed."""
    return commitment.tree_of(manifest, _rows(db, side, root, manifest), [watch])


def _rows(db: sqlite3.Connection, side: int, root: Path, manifest: Manifest) -> Iterator[Entry]:
    """The entries of all its record lists, each put down on its way."""
    for warc in manifest.warcs:
        for entry in recordlist.read(root / warc.list.path):
            payload = _raw(entry.payload_digest)
            found = (entry.type, entry.id, entry.uri, entry.date, payload)
            db.execute(_RECORD, [side, warc.path, _raw(entry.digest), *found])
            if entry.picture is not None and (entry.picture.quality or 0) >= QUALITY:
                for label, value in entry.picture.hashes.items():
                    if algorithm(label) == "pdq256" and _PDQ.fullmatch(value):
                        quality = min(entry.picture.quality or 0, 100)
                        db.execute(_HASH, [side, payload, label, value, quality, entry.uri])
            yield entry


def _history(manifests: list[Manifest], trees: list[Tree]) -> tuple[History, int]:
    """How two trees have to do with each other, and how many records their common beginning has."""
    one, other = trees
    if one.size == other.size and one.root() == other.root():
        return "same", one.size
    if 0 < other.size < one.size and one.roots[other.size] == other.root():
        return "first-goes-on", other.size
    if 0 < one.size < other.size and other.roots[one.size] == one.root():
        return "second-goes-on", one.size
    if manifests[0].origin != manifests[1].origin:
        return "unrelated", 0
    common = 0
    for left, right in zip(*(manifest.checkpoints for manifest in manifests), strict=False):
        if left.note != right.note:
            break
        _, common, _ = checkpoint.parse(left.note)
    return "went-apart", common


def _raw(digest: str | None) -> bytes | None:
    return bytes.fromhex(digest.removeprefix("sha256:")) if digest else None


def _named(digest: bytes) -> str:
    return "sha256:" + digest.hex()
