"""Fetches by host and outcome, and runs: plain data for the templates."""

import re
import sqlite3
from dataclasses import dataclass

import msgspec

from archiver.browse import words
from archiver.browse.data.cards import select
from archiver.browse.language import Say, to_say
from archiver.index.tallies import COUNTED, OUTCOMES

HOSTS = 100  # rows of the table
PAGE_SIZE = 50
_FRACTION = re.compile(r"\.\d+Z\Z", re.ASCII)
_RUNS = 20
_LAST = 1 << 62  # no table has so many rows
_ENDINGS = {
    None: to_say("Not ended: it goes on, or was cut off"),
    "interrupted": to_say("Interrupted"),
    "complete": to_say("Complete"),
    "incomplete": to_say("Not all came"),
}


@dataclass(frozen=True)
class Line:
    """A host, and how many fetches had each of OUTCOMES."""

    host: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Hosts:
    """The busiest hosts; `total` counts those that are not shown, too. `more`: how many are not shown."""

    lines: tuple[Line, ...]
    total: Line
    more: int


@dataclass(frozen=True)
class Run:
    id: int
    started: str
    ended: str
    ending: str
    robots: str  # why robots.txt was not asked for
    outcomes: tuple[tuple[str, int], ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Fetch:
    """`record`: `records.id` of the answer, or else of the note about it."""

    id: int
    url: str
    purpose: str
    started: str
    outcome: str
    why: str
    record: int | None
    article: int | None
    title: str


_COUNTS = ", ".join(f"sum(CASE outcome WHEN '{each}' THEN number ELSE 0 END)" for each in OUTCOMES)
_HOST_LINES = f"""
SELECT key, {_COUNTS} FROM tallies WHERE of = 'fetches-by-host' GROUP BY key
ORDER BY sum(number) DESC, key LIMIT {HOSTS}
"""  # noqa: S608 - our own words
_TOTAL = f"SELECT count(DISTINCT key), {_COUNTS} FROM tallies WHERE of = 'fetches-by-host'"  # noqa: S608


def load_hosts(db: sqlite3.Connection) -> Hosts:
    lines = tuple(Line(words.plain(host), tuple(counts)) for host, *counts in db.execute(_HOST_LINES))
    hosts, *total = db.execute(_TOTAL).fetchone()
    return Hosts(lines, Line("", tuple(count or 0 for count in total)), hosts - len(lines))


def load_runs(db: sqlite3.Connection, say: Say) -> list[Run]:
    """The newest runs."""
    rows = db.execute("SELECT * FROM runs ORDER BY id DESC LIMIT ?", (_RUNS,)).fetchall()
    return [
        Run(
            id=row["id"],
            started=to_second(row["started"]),
            ended=to_second(row["ended"]),
            ending=say(_ENDINGS[_ending(row)]),
            robots="" if row["robots"] == "obey" else words.plain(row["robots"]),
            outcomes=tuple((run_outcome(name, say), count) for name, count in counted(row["outcomes"])),
            sources=tuple(words.plain(row["sources"]).splitlines()),
        )
        for row in rows
    ]


def to_second(moment: str | None) -> str:
    """A time to read, without the fraction of its second."""
    return words.clock_time(_FRACTION.sub("Z", moment or ""))


def counted(outcomes: str) -> list[tuple[str, int]]:
    """How many URLs of a run had each outcome; nothing where that cannot be read."""
    try:
        return list(msgspec.json.decode(outcomes, type=dict[str, int]).items())
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return []


def run_outcome(name: str, say: Say) -> str:
    """What came of a URL in a run."""
    names = {
        "captured": say("saved"),
        "unchanged": say("unchanged"),
        "robots": say("forbidden by robots.txt"),
        "dead": say("not asked: it had failed"),
        "deferred": say("left for later"),
    }
    return names.get(name) or words.outcome_name(name, say)


def _ending(row: sqlite3.Row) -> str | None:
    if row["ended"] is None:
        return None
    if row["interrupted"]:
        return "interrupted"
    return "complete" if row["complete"] else "incomplete"


# Of one outcome the newest first, as an index has them; of several, the newest of each.
_OF_HOST = f"""
SELECT id FROM (SELECT id FROM fetches INDEXED BY fetches_by_host
    WHERE host = :host AND outcome = '{{}}' AND {COUNTED} AND id < :before ORDER BY id DESC LIMIT :limit)
"""  # noqa: S608 - our own words
_OF_ALL = f"""
SELECT id FROM (SELECT id FROM fetches INDEXED BY fetches_by_outcome
    WHERE outcome = '{{}}' AND {COUNTED} AND id < :before ORDER BY id DESC LIMIT :limit)
"""  # noqa: S608 - our own words
_FETCHES = """
SELECT fetches.*, articles.title,
    (SELECT id FROM records WHERE record_id = coalesce(response_id, fetches.note_id) LIMIT 1) AS record
FROM fetches LEFT JOIN articles ON articles.id = fetches.article_id WHERE fetches.id IN ({})
ORDER BY fetches.id DESC
"""


def load_fetches(
    db: sqlite3.Connection, host: str, outcome: str, before: int | None, say: Say
) -> tuple[list[Fetch], int | None]:
    """Fetches of a host (of any: ""), with one of OUTCOMES (any: ""), the newest first, before an id.

    And the id before which the next page is; None on the last.
    """
    last = _LAST if before is None else before
    one = _OF_HOST if host else _OF_ALL
    parts = [one.format(each) for each in OUTCOMES if outcome in ("", each)]
    sql = " UNION ALL ".join(parts) + " ORDER BY id DESC LIMIT :limit"
    found = db.execute(sql, {"host": host, "before": last, "limit": PAGE_SIZE + 1})
    ids = [row["id"] for row in found]
    fetches = [_fetch(row, say) for row in select(db, _FETCHES, ids[:PAGE_SIZE])]
    return fetches, ids[PAGE_SIZE - 1] if len(ids) > PAGE_SIZE else None


def _fetch(row: sqlite3.Row, say: Say) -> Fetch:
    purposes = {"page": say("Page"), "picture": say("Picture"), "robots": "robots.txt"}
    if row["outcome"] == "whole":
        why = say("Unchanged since it was captured before") if row["unchanged"] else ""
    else:
        why = words.missing(
            row["outcome"], row["stage"], row["status"], row["reason"], row["form"] or "", say
        )
    return Fetch(
        id=row["id"],
        url=words.plain(row["url"]),
        purpose=purposes.get(row["purpose"], words.plain(row["purpose"])),
        started=to_second(row["started"]),
        outcome=row["outcome"],
        why=why,
        record=row["record"],
        article=row["article_id"],
        title=words.plain(row["title"]) or say("(no title)"),
    )
