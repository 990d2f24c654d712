"""Two pictures beside each other, as plain data for the template."""

import sqlite3
from dataclasses import dataclass

from archiver.browse.data.duplicates import Mark, marks_of
from archiver.browse.data.looks import Look, cluster_of, load_look
from archiver.index.pairs import pair_of
from archiver.model import Comparison


@dataclass(frozen=True)
class Pair:
    """The older picture is the first. `comparison` is None when the archive has not compared them."""

    first: Look
    second: Look
    comparison: Comparison | None
    together: bool  # in one cluster
    marks: tuple[Mark, ...]

    @property
    def apart(self) -> bool:
        """Whether a person says that they are not the same."""
        return bool(self.marks) and self.marks[0].said == "not-same"


def load_pair(db: sqlite3.Connection, one: str, other: str) -> Pair | None:
    """Two pictures by their payload digests, in any order; None unless both are here and are two."""
    sql = "SELECT payload_digest FROM pictures WHERE payload_digest IN (?, ?) ORDER BY rowid"
    order = [row[0] for row in db.execute(sql, (one, other))]
    if len(order) != 2:
        return None
    found = pair_of(db, *order)
    first, second = found[:2] if found else order
    looks = load_look(db, first), load_look(db, second)
    if looks[0] is None or looks[1] is None:
        return None
    clusters = cluster_of(db, first), cluster_of(db, second)
    return Pair(
        first=looks[0],
        second=looks[1],
        comparison=found[2] if found else None,
        together=clusters[0] is not None and clusters[0] == clusters[1],
        marks=marks_of(db, first, second),
    )
