"""How much an archive holds, how it is, and what needs somebody: plain data for the start page."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from archiver import config, journal
from archiver.browse import words
from archiver.browse.data.cards import Card, Window, list_cards
from archiver.browse.disk import beside
from archiver.browse.language import Say
from archiver.checks import CheckRun, Damage
from archiver.errors import UsageError
from archiver.index.clusters import KEPT_APART
from archiver.index.tallies import COUNTED
from archiver.manifest import timestamp
from archiver.manifest.manifest import Manifest
from archiver.status import Checked, checked
from archiver.storage import OPEN

_CARDS = 6
_FAILURES = 250  # of each outcome: the newest
_REVIEWED = 1000  # pairs of pictures that are counted
_HOSTS = 5
_NAMED = 5  # files


@dataclass(frozen=True)
class Held:
    """How much there is. `bytes`: of the WARC files."""

    articles: int
    captures: int
    pictures: int
    warcs: int
    bytes: int

    @property
    def amount(self) -> str:
        """`1.3 GB`."""
        size = float(self.bytes)
        for unit in ("B", "kB", "MB", "GB"):
            if size < 1000:
                return f"{size:.3g} {unit}"
            size /= 1000
        return f"{size:,.3g} TB"


@dataclass(frozen=True)
class Needs:
    """What of the catalogue's rows needs somebody. `failing`: hosts, and how many of their URLs did not come.

    `many`: more failed than were looked at.
    """

    failing: tuple[tuple[str, int], ...]
    many: bool
    unreadable: int
    review: int  # pairs of pictures that are nearly the same, at most _REVIEWED + 1


@dataclass(frozen=True)
class Health:
    """What manifest.json, checks.json and the folder say; nothing is judged here."""

    records: int  # that are committed
    checkpoint: int  # the newest; they count from 1
    signed: bool
    stamped: tuple[str, ...]  # authorities
    waiting: tuple[str, ...]  # authorities that have not stamped it
    settings: str  # why they cannot be read
    checked: Checked
    last: CheckRun | None
    newest: str  # when a file was checked last
    damage: Damage | None
    damaged: tuple[str, ...]
    open: tuple[str, ...]
    unfinished: tuple[str, ...]  # when runs were begun that have not ended


_HELD = """
SELECT coalesce((SELECT sum(number) FROM tallies WHERE of = 'articles-by-host'), 0),
       coalesce((SELECT sum(number) FROM tallies WHERE of = 'fetches-by-host' AND outcome = 'whole'), 0),
       coalesce((SELECT max(rowid) FROM pictures), 0),
       coalesce((SELECT max(id) FROM warcs), 0),
       coalesce((SELECT sum(bytes) FROM warcs), 0)
"""
# Rows of the catalogue are never taken away, so the greatest number of one says how many there are.
_FAILED = f"""
SELECT * FROM (SELECT id, url, purpose, coalesce(host, '') AS host FROM fetches INDEXED BY fetches_by_outcome
    WHERE outcome = :outcome AND {COUNTED} ORDER BY id DESC LIMIT {_FAILURES}) AS failed
WHERE NOT EXISTS (SELECT 1 FROM fetches WHERE url = failed.url AND purpose = failed.purpose
    AND outcome = 'whole' AND id > failed.id)
"""  # noqa: S608 - our own words
_REVIEW = f"""
SELECT count(*) FROM (SELECT 1 FROM picture_pairs WHERE relation IN {KEPT_APART} AND NOT EXISTS (
    SELECT 1 FROM picture_marks WHERE picture_marks.first = min(picture_pairs.first, picture_pairs.second)
    AND picture_marks.second = max(picture_pairs.first, picture_pairs.second)) LIMIT {_REVIEWED + 1})
"""  # noqa: S608 - our own words


def load_held(db: sqlite3.Connection) -> Held:
    return Held(*db.execute(_HELD).fetchone())


def load_newest(db: sqlite3.Connection, say: Say) -> tuple[Card, ...]:
    return list_cards(db, Window(), say).cards[:_CARDS]


def load_needs(db: sqlite3.Connection) -> Needs:
    failed: dict[tuple[str, str], tuple[int, str]] = {}
    many = False
    for outcome in ("partial", "refused", "substituted", "failed"):
        rows = db.execute(_FAILED, {"outcome": outcome}).fetchall()
        many = many or len(rows) == _FAILURES
        failed |= {(row["url"], row["purpose"]): (row["id"], row["host"]) for row in rows}
    hosts: dict[str, int] = {}
    for _, host in failed.values():
        hosts[host] = hosts.get(host, 0) + 1
    ordered = sorted(hosts.items(), key=lambda each: (-each[1], each[0]))
    return Needs(
        failing=tuple((words.plain(host), count) for host, count in ordered[:_HOSTS]),
        many=many,
        unreadable=db.execute("SELECT coalesce(max(id), 0) FROM unreadable_sources").fetchone()[0],
        review=db.execute(_REVIEW).fetchone()[0],
    )


def load_health(root: Path) -> Health | None:
    """None where manifest.json cannot be read."""
    manifest, memory = beside.manifest(root), beside.memory(root)
    if manifest is None:
        return None
    newest = manifest.checkpoints[-1] if manifest.checkpoints else None
    waiting, settings = _waiting(root, manifest)
    found = checked(memory, manifest)
    return Health(
        records=manifest.tree.size,
        checkpoint=len(manifest.checkpoints),
        signed=bool(newest and newest.signatures),
        stamped=tuple(words.plain(each.authority) for each in newest.timestamps) if newest else (),
        waiting=waiting,
        settings=settings,
        checked=found,
        last=memory.runs[-1] if memory.runs else None,
        newest=memory.marks[-1].checked if memory.marks else "",
        damage=memory.damage,
        damaged=tuple(words.plain(file) for file in found.damaged[:_NAMED]),
        open=tuple(sorted(words.plain(path.name) for path in (root / "warcs").glob(f"*.warc.gz{OPEN}")))[
            :_NAMED
        ],
        unfinished=tuple(each.started for each in journal.load(root)),
    )


def _waiting(root: Path, manifest: Manifest) -> tuple[tuple[str, ...], str]:
    """Which authorities have not stamped the newest checkpoint; or why that cannot be said."""
    try:
        authorities = config.load(root).proof.authorities
    except UsageError as error:
        return (), words.plain(error)
    return tuple(map(words.plain, timestamp.waiting(manifest, (each.url for each in authorities)))), ""
