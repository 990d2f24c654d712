"""Hashes of pictures in the catalogue: those committed with a picture, beside those made when it was read."""

from collections.abc import Callable, Iterable

from sqlite_utils import Database

from archiver.model import Entry, Noun
from archiver.pictures.hashes import algorithm, hamming, quality_of

Committed = Callable[[str], Iterable[Entry]]  # a WARC file's path → the lines of its committed record list


def nothing(_: str) -> Iterable[Entry]:
    """No lines: what was committed is not looked at."""
    return ()


class HashDrift(Noun, frozen=True):
    """How far hashes under one label lie from those of the same algorithm under another."""

    label: str  # what the libraries of today make
    beside: str  # what was committed
    pictures: int  # that have both
    moved: int  # of these, whose values differ
    bits: int  # the most bits by which one does


def note_hashes(db: Database, entry: Entry) -> None:
    """Add the hashes of an entry whose picture has its row; a value that is there stays."""
    if entry.picture is not None:
        for label, value in sorted(entry.picture.hashes.items()):
            quality = quality_of(label, entry.picture.quality)
            db.execute(_ADD, [entry.payload_digest, label, value, quality, entry.payload_digest])


_ADD = """
INSERT OR IGNORE INTO picture_hashes (payload_digest, label, value, quality)
SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM pictures WHERE payload_digest = ?)
"""


def drift(db: Database, current: Iterable[str]) -> list[HashDrift]:
    """Of each current label and each other of its algorithm, by how much the values differ."""
    others = [label for (label,) in db.execute("SELECT DISTINCT label FROM picture_hashes ORDER BY label")]
    return [
        found
        for label in current
        for other in others
        if other != label and algorithm(other) == algorithm(label)
        if (found := _drift(db, label, other)).pictures
    ]


def _drift(db: Database, label: str, other: str) -> HashDrift:
    pictures = moved = most = 0
    for one, another in db.execute(_PAIRS, [label, other]):
        bits = hamming(one, another) or 0
        pictures, moved, most = pictures + 1, moved + (bits > 0), max(most, bits)
    return HashDrift(label=label, beside=other, pictures=pictures, moved=moved, bits=most)


_PAIRS = """
SELECT one.value, other.value FROM picture_hashes AS one
JOIN picture_hashes AS other ON other.payload_digest = one.payload_digest AND other.label = ?2
WHERE one.label = ?1
"""
