"""Which pictures are one photograph: clusters, from the pairs that were compared and a person's marks.

A cluster is a function of those rows alone, whatever the order in which they came, so that an archive that
grew and one that was rebuilt have the same.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from archiver.index.rows import insert, insert_all, value
from archiver.model import MERGED, Entry, MarkNote, Relation

KEPT_APART = ("locally-changed", "edited-or-neighbouring")
_RANKS = {relation: rank for rank, relation in enumerate(MERGED)}
_NEIGHBOURS = f"""
SELECT second, first, relation FROM picture_pairs WHERE first = :one AND relation IN {MERGED}
UNION ALL
SELECT first, first, relation FROM picture_pairs WHERE second = :one AND relation IN {MERGED}
"""  # noqa: S608 - our own words
_APART = f"""
SELECT second FROM picture_pairs WHERE first = :one AND relation IN {KEPT_APART}
UNION SELECT first FROM picture_pairs WHERE second = :one AND relation IN {KEPT_APART}
"""  # noqa: S608
_CLUSTER = "SELECT cluster FROM picture_clusters WHERE payload_digest = ?"
_MARKED = """
WITH said AS (
    SELECT CASE WHEN first = :one THEN second ELSE first END AS other, said, max(id) FROM picture_marks
    WHERE first = :one OR second = :one GROUP BY 1
) SELECT other FROM said WHERE said = 'not-same'
"""


def note_mark(db: Database, entry: Entry, note: MarkNote) -> None:
    """A person's word on two pictures, and the clusters that follow from it."""
    first, second = sorted(note.pictures)
    insert(
        db,
        "picture_marks",
        first=first,
        second=second,
        said=note.said,
        reason=note.reason,
        made=entry.date,
        note_id=entry.id,
    )
    cluster(db, note.pictures)


def marked(db: Database | sqlite3.Connection, digest: str) -> set[str]:
    """The pictures of which a person says that they are not the same as this one."""
    return {row[0] for row in db.execute(_MARKED, {"one": digest})}


def cluster(db: Database, touched: Iterable[str]) -> None:
    """Make the clusters anew around pictures of which pairs or marks came; part of the caller's transaction.

    Pairs join two clusters one after the other, the strongest relation first, then the oldest pictures. They
    do not when any picture of the one and any of the other were found changed or neighbouring, or were marked
    as not the same: what is merged is never merged through a third picture. (Two crops of one photograph
    that share nothing are `different`, and still one photograph.)
    """
    seen: set[str] = set()
    for digest in touched:
        if digest not in seen:
            members, pairs = _reached(db, digest)
            seen |= members
            _write(db, members, _joined(db, members, pairs))


def grow(db: Database, digest: str, others: Mapping[str, Relation]) -> None:
    """The clusters after rows of one picture and others came; part of the caller's transaction.

    They are as `cluster` makes them, which looks at every picture that merging pairs reach. Two kinds of rows
    need no look, for no two clusters could be joined otherwise by them: pairs within one cluster that merge,
    and between two that keep apart; and those of a picture that so far is alone and joins one cluster.
    """
    own = _cluster_of(db, digest)
    joined = {_cluster_of(db, other) for other, relation in others.items() if relation in _RANKS}
    apart = {_cluster_of(db, other) for other, relation in others.items() if relation in KEPT_APART}
    if joined <= {own} - {None} and own not in apart - {None}:
        return
    name = next(iter(joined)) if len(joined) == 1 else None
    if own is None and name and _joins(db, digest, set(others), name):
        insert(db, "picture_clusters", payload_digest=digest, cluster=name)
    else:
        cluster(db, [digest])


def _joins(db: Database, digest: str, others: set[str], name: str) -> bool:
    """Whether a picture that is alone just joins a cluster: by these rows, and nothing keeps it apart."""
    known = {other for other, *_ in db.execute(_NEIGHBOURS, {"one": digest})} <= others
    apart = {_cluster_of(db, other) for other in _kept_apart(db, digest)}
    order = _order(db, {name, digest})
    return known and name not in apart and order[name] < order[digest]


def _cluster_of(db: Database, digest: str) -> str | None:
    found: str | None = value(db, _CLUSTER, digest)
    return found


def _reached(db: Database, digest: str) -> tuple[set[str], list[tuple[int, str, str]]]:
    """All pictures that merging pairs reach from one, and those pairs with the rank of their relation."""
    members, pairs, left = {digest}, [], [digest]
    while left:
        one = left.pop()
        for other, first, relation in db.execute(_NEIGHBOURS, {"one": one}):
            if first == one:
                pairs.append((_RANKS[relation], one, other))
            if other not in members:
                members.add(other)
                left.append(other)
    return members, pairs


def _joined(db: Database, members: set[str], pairs: list[tuple[int, str, str]]) -> Iterator[list[str]]:
    """Clusters of two and more, each in the order of the catalogue."""
    order = _order(db, members)
    apart = {one: _kept_apart(db, one) & members for one in members}
    of = {one: [one] for one in members}  # the cluster that each is in: one list for all in it
    for _, one, other in sorted(pairs, key=lambda pair: (pair[0], order[pair[2]], order[pair[1]])):
        left, right = of[one], of[other]
        if left is right or any(not apart[each].isdisjoint(right) for each in left):
            continue
        left.extend(right)
        for each in right:
            of[each] = left
    for found in {id(each): each for each in of.values()}.values():
        if len(found) > 1:
            yield sorted(found, key=order.__getitem__)


def _order(db: Database, members: set[str]) -> dict[str, tuple[int, str]]:
    """When each came into the archive."""
    rows = {}
    for one in members:
        row = db.execute("SELECT rowid FROM pictures WHERE payload_digest = ?", [one]).fetchone()
        rows[one] = (row[0] if row else -1, one)
    return rows


def _kept_apart(db: Database, digest: str) -> set[str]:
    return {row[0] for row in db.execute(_APART, {"one": digest})} | marked(db, digest)


def _write(db: Database, members: set[str], found: Iterable[list[str]]) -> None:
    for one in members:
        db.execute("DELETE FROM picture_clusters WHERE payload_digest = ?", [one])
    for each in found:
        insert_all(db, "picture_clusters", ({"payload_digest": one, "cluster": each[0]} for one in each))


@dataclass(frozen=True)
class Member:
    """A picture of a cluster, or one alone, and where it came from."""

    payload_digest: str
    format: str
    width: int
    height: int
    bytes: int
    origin: bool  # whether it came from elsewhere than an image proxy
    urls: tuple[str, ...]  # at most 20


_ORIGIN = """
SELECT 1 FROM records JOIN fetches ON fetches.response_id = records.record_id
JOIN forms ON forms.url = fetches.url AND forms.form <> 'proxied'
WHERE records.payload_digest = ? LIMIT 1
"""
_URLS = """
SELECT uri FROM records WHERE payload_digest = ? AND type IN ('response', 'resource', 'revisit')
AND uri IS NOT NULL GROUP BY uri ORDER BY min(id) LIMIT 20
"""


def members(db: Database | sqlite3.Connection, name: str) -> list[Member]:
    """The pictures of a cluster, the best first: the largest, not by a proxy, of most bytes, the oldest."""
    sql = (
        "SELECT payload_digest FROM picture_clusters JOIN pictures USING (payload_digest)"
        " WHERE cluster = ? ORDER BY pictures.rowid"
    )
    found = [member(db, row[0]) for row in db.execute(sql, [name]).fetchall()]
    return sorted(found, key=lambda each: (-each.width * each.height, not each.origin, -each.bytes))


def member(db: Database | sqlite3.Connection, digest: str) -> Member:
    """A picture that is in the catalogue."""
    sql = "SELECT format, width, height, bytes FROM pictures WHERE payload_digest = ?"
    kind, width, height, size = db.execute(sql, [digest]).fetchone()
    return Member(
        payload_digest=digest,
        format=kind,
        width=width,
        height=height,
        bytes=size,
        origin=db.execute(_ORIGIN, [digest]).fetchone() is not None,
        urls=tuple(row[0] for row in db.execute(_URLS, [digest])),
    )
