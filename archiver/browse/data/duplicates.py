"""Pictures that are one photograph, those that are nearly, and what people said of them, as plain data."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from archiver.browse import words
from archiver.browse.data import verdicts
from archiver.browse.data.looks import Look, best_members, count_members, load_look, load_looks
from archiver.browse.language import Language
from archiver.index.pairs import pair_of

PAGE_SIZE = 20
MEMBERS = 8
_FEW = 5000  # so few rows are sorted; where there are more, the pictures are gone through from the newest
_WALKED = 10_000  # pictures for one page: what they do not fill is left short, and the next goes on
SHOWS = ("clusters", "changed", "neighbouring", "marks")
_RELATIONS = {"changed": "locally-changed", "neighbouring": "edited-or-neighbouring"}


@dataclass(frozen=True)
class Member:
    """A picture of a cluster, and what it has to do with the best one there; "" for that, or unknown."""

    look: Look
    relation: str


@dataclass(frozen=True)
class Cluster:
    members: tuple[Member, ...]
    count: int


@dataclass(frozen=True)
class Link:
    """Two pictures that are not merged, and why."""

    first: Look
    second: Look
    sentence: str
    frames: tuple[tuple[verdicts.Frame, ...], tuple[verdicts.Frame, ...]]


@dataclass(frozen=True)
class Mark:
    """A person's word on two pictures, and the record that holds it. Pictures that are not here are None."""

    said: str
    reason: str
    made: str
    record_id: str
    first: Look | None = None
    second: Look | None = None


@dataclass(frozen=True)
class Review:
    """One page; `older` is what `before` is on the next."""

    clusters: tuple[Cluster, ...] = ()
    links: tuple[Link, ...] = ()
    marks: tuple[Mark, ...] = ()
    older: str = ""


# A cluster stands where its newest picture does. `CROSS JOIN` keeps the order of the tables.
_NEWEST = """
NOT EXISTS (SELECT 1 FROM picture_clusters AS other JOIN pictures AS newer
    ON newer.payload_digest = other.payload_digest
    WHERE other.cluster = picture_clusters.cluster AND newer.rowid > pictures.rowid)
"""
_CLUSTERS = {
    False: f"""
SELECT pictures.rowid, cluster FROM pictures CROSS JOIN picture_clusters
    ON picture_clusters.payload_digest = pictures.payload_digest
WHERE pictures.rowid < :before AND pictures.rowid > :until AND {_NEWEST}
ORDER BY pictures.rowid DESC LIMIT :limit
""",  # noqa: S608 - our own words
    True: """
SELECT max(pictures.rowid) AS newest, cluster FROM picture_clusters CROSS JOIN pictures
    ON pictures.payload_digest = picture_clusters.payload_digest
GROUP BY cluster HAVING newest < :before ORDER BY newest DESC LIMIT :limit
""",
}
_AFTER = "(pictures.rowid < :before OR pictures.rowid = :before AND first > :first)"
_LINKS = {
    False: f"""
SELECT pictures.rowid, first, second FROM pictures
CROSS JOIN picture_pairs INDEXED BY picture_pairs_by_second
    ON second = pictures.payload_digest AND relation = :relation
WHERE pictures.rowid <= :before AND pictures.rowid > :until AND {_AFTER}
ORDER BY pictures.rowid DESC, first LIMIT :limit
""",  # noqa: S608
    True: f"""
SELECT pictures.rowid, first, second FROM picture_pairs INDEXED BY picture_pairs_by_relation
CROSS JOIN pictures ON second = pictures.payload_digest
WHERE relation = :relation AND {_AFTER} ORDER BY pictures.rowid DESC, first LIMIT :limit
""",  # noqa: S608
}
_LAST = (1 << 62, "")


def load_review(db: sqlite3.Connection, show: str, before: str, language: Language) -> Review:
    """A page of what `show` names, the newest first; `before` is what the page before gave as `older`."""
    row, _, digits = before.partition("-")
    number = int(row) if row.isascii() and row.isdigit() and len(row) < 19 else _LAST[0]
    if show == "marks":
        return _marks(db, number)
    if show in _RELATIONS:
        return _links(db, _RELATIONS[show], (number, f"sha256:{digits}" if digits else ""), language)
    return _clusters(db, number, language)


def _clusters(db: sqlite3.Connection, before: int, language: Language) -> Review:
    few = _few(db, f"SELECT 1 FROM picture_clusters LIMIT {_FEW + 1}", {})  # noqa: S608
    until = _until(db, before)
    rows = db.execute(_CLUSTERS[few], {"before": before, "until": until, "limit": PAGE_SIZE + 1}).fetchall()
    shown = rows[:PAGE_SIZE]
    older = str(shown[-1][0]) if len(rows) > PAGE_SIZE else _on(until + 1, few)
    return Review(clusters=tuple(_cluster(db, name, language) for _, name in shown), older=older)


def _cluster(db: sqlite3.Connection, name: str, language: Language) -> Cluster:
    found = best_members(db, name, MEMBERS)
    looks = load_looks(db, found)
    members = [Member(look, _to_best(db, digest, found[0], language)) for digest, look in looks.items()]
    return Cluster(tuple(members), count_members(db, name))


def _to_best(db: sqlite3.Connection, digest: str, best: str, language: Language) -> str:
    pair = pair_of(db, digest, best) if digest != best else None
    return words.relation_name(pair[2].relation, language.say) if pair else ""


def _links(db: sqlite3.Connection, relation: str, before: tuple[int, str], language: Language) -> Review:
    until = _until(db, before[0])
    wanted: dict[str, Any] = {"relation": relation, "before": before[0], "first": before[1]}
    wanted |= {"until": until, "limit": PAGE_SIZE + 1}
    few = _few(db, f"SELECT 1 FROM picture_pairs WHERE relation = :relation LIMIT {_FEW + 1}", wanted)  # noqa: S608
    rows = db.execute(_LINKS[few], wanted).fetchall()
    shown = rows[:PAGE_SIZE]
    older = (
        f"{shown[-1][0]}-{shown[-1][1].removeprefix('sha256:')}" if len(rows) > PAGE_SIZE else _on(until, few)
    )
    links = (_link(db, first, second, language) for _, first, second in shown)
    return Review(links=tuple(link for link in links if link), older=older)


def _until(db: sqlite3.Connection, before: int) -> int:
    """The picture before which a walk from `before` on stops."""
    (last,) = db.execute("SELECT coalesce(max(rowid), 0) FROM pictures").fetchone()
    return max(0, min(before, int(last) + 1) - _WALKED)


def _on(until: int, few: bool) -> str:
    """Where the next page goes on, after one that its walk did not fill."""
    return str(until) if until > 1 and not few else ""


def _few(db: sqlite3.Connection, sql: str, values: dict[str, Any]) -> bool:
    return bool(db.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()[0] <= _FEW)  # noqa: S608


def _link(db: sqlite3.Connection, first: str, second: str, language: Language) -> Link | None:
    one, other, pair = load_look(db, first), load_look(db, second), pair_of(db, first, second)
    if not (one and other and pair):
        return None
    names = language.say("the first picture"), language.say("the second picture")
    said = verdicts.sentence(pair[2], language, *names)
    return Link(one, other, said, (verdicts.frames(pair[2], "first"), verdicts.frames(pair[2], "second")))


def _marks(db: sqlite3.Connection, before: int) -> Review:
    sql = "SELECT * FROM picture_marks WHERE id < ? ORDER BY id DESC LIMIT ?"
    rows = db.execute(sql, (before, PAGE_SIZE + 1)).fetchall()
    shown = rows[:PAGE_SIZE]
    older = str(shown[-1]["id"]) if len(rows) > PAGE_SIZE else ""
    return Review(marks=tuple(_mark(row, db) for row in shown), older=older)


def marks_of(db: sqlite3.Connection, one: str, other: str) -> tuple[Mark, ...]:
    """What people said of two pictures, the newest first: that counts."""
    sql = "SELECT * FROM picture_marks WHERE first = ? AND second = ? ORDER BY id DESC LIMIT 50"
    return tuple(_mark(row) for row in db.execute(sql, sorted((one, other))))


def _mark(row: sqlite3.Row, db: sqlite3.Connection | None = None) -> Mark:
    return Mark(
        said=row["said"],
        reason=words.plain(row["reason"]),
        made=words.clock_time(row["made"]),
        record_id=words.plain(row["note_id"]),
        first=load_look(db, row["first"]) if db else None,
        second=load_look(db, row["second"]) if db else None,
    )
