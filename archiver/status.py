"""Catalogue, manifest and journal → what `archiver status` says: no network, no lock, nothing is changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from archiver import checks, config, journal
from archiver.errors import RecordError, TimestampError
from archiver.index.rows import OURS
from archiver.manifest import manifest as commitment
from archiver.manifest import timestamp
from archiver.manifest.manifest import Manifest
from archiver.relating import behind
from archiver.storage import OPEN, is_imported
from archiver.warc.write import warc_date

Row = dict[str, Any]
Ending = Literal["complete", "incomplete", "interrupted", "unfinished"]
RECENT_DAYS = 30
CLOCK_SECONDS = 300  # a run that ended later than this from now ended by a clock that is wrong

# robots.txt is no capture, and nobody referred to a guess.
_NEWEST = """
FROM fetches AS fetch WHERE outcome <> 'whole' AND id IN (
    SELECT max(id) FROM fetches WHERE purpose <> 'robots' AND form IS NOT 'rendition' AND NOT imported
    GROUP BY url, purpose
)
"""
_SEALED = """
SELECT date FROM records WHERE warc_id = (SELECT id FROM warcs WHERE path = ?) ORDER BY id DESC LIMIT 1
"""
_ARTICLES = "SELECT count(DISTINCT coalesce(url, note_id)) FROM articles"
_RUNS = f"""
SELECT run, started, ended, interrupted, complete, robots, outcomes FROM runs
JOIN (SELECT run_id, max(id) AS file FROM warcs WHERE {OURS} GROUP BY run_id)
    ON run_id = runs.id ORDER BY file DESC
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class Run:
    """One run of `archiver archive`. unfinished: it goes on, or was cut off. Times are RFC 3339, in UTC."""

    run: str
    started: str
    ended: str | None
    ending: Ending
    robots: str
    outcomes: dict[str, int]

    @property
    def saved(self) -> bool:
        """Whether it captured something, or confirmed that it has not changed."""
        return self.ended is not None and any(self.outcomes.get(word) for word in ("captured", "unchanged"))


@dataclass(frozen=True)
class Checked:
    """When `archiver verify` read the sealed WARC files last, as far as checks.json remembers."""

    oldest: str | None  # of the last checks of those files that were ever checked
    never: int  # files that no check is known of
    recent: float | None  # share of the bytes that were checked within RECENT_DAYS; None: there are none
    damaged: tuple[str, ...]  # files that were damaged when they were last checked
    damage: checks.Damage | None  # the newest that was found, in any file; it may be mended


@dataclass(frozen=True)
class Status:
    """What an archive holds, and how its last run ended.

    `warcs`, `imports`, `records`, `bytes` count what is sealed: `imports` the files of others.
    """

    warcs: int
    imports: int
    records: int
    bytes: int
    articles: int
    pictures: int
    uncompared: int  # of them, those that have not been compared with the others
    failures: int  # URLs whose newest fetch is not whole
    open: tuple[str, ...]  # WARC files that are being written, or were left by a crash
    sealed: str | None  # when the newest record that is sealed was made
    checks: Checked
    last_run: Run | None
    last_saved: Run | None  # the newest run that ended and captured or confirmed something
    unfinished: tuple[journal.Unfinished, ...]
    waiting: tuple[str, ...]  # authorities that have not stamped the newest checkpoint
    expiring: dict[str, str]  # whose newest timestamps prove nothing from when on: within a year
    max_age: float | None  # seconds, as asked
    age: float | None  # seconds since `last_saved` ended; negative: a clock is wrong

    @property
    def fresh(self) -> bool:
        """Whether the last run that saved something ended no longer ago than was asked; True if not asked."""
        if self.max_age is None:
            return True
        return self.age is not None and -CLOCK_SECONDS <= self.age <= self.max_age

    @property
    def exit_code(self) -> int:
        return 0 if self.fresh else 3


def look(db: sqlite3.Connection, root: Path, max_age: float | None = None) -> Status:
    """Look at the archive in `root` and its catalogue. Raises NotAnArchive, ManifestError, RecordError."""
    manifest = commitment.load(root)
    runs = [_run(row) for row in db.execute(_RUNS)]
    saved = max((run for run in runs if run.saved), key=lambda run: run.ended or "", default=None)
    ours = [warc.path for warc in manifest.warcs if not is_imported(warc.path)]
    return Status(
        warcs=len(ours),
        imports=len(manifest.warcs) - len(ours),
        records=sum(warc.records for warc in manifest.warcs),
        bytes=sum(warc.bytes for warc in manifest.warcs),
        articles=_one(db, _ARTICLES),
        pictures=_one(db, "SELECT count(*) FROM pictures"),
        uncompared=behind(db),
        failures=_one(db, f"SELECT count(*) {_NEWEST}"),
        open=tuple(sorted(f"warcs/{path.name}" for path in (root / "warcs").glob(f"*.warc.gz{OPEN}"))),
        sealed=_one(db, _SEALED, ours[-1]) if ours else None,
        checks=checked(checks.load(root), manifest),
        last_run=runs[0] if runs else None,
        last_saved=saved,
        unfinished=journal.load(root),
        waiting=tuple(
            timestamp.waiting(manifest, (each.url for each in config.load(root).proof.authorities))
        ),
        expiring=_expiring(manifest),
        max_age=max_age,
        age=_age(saved.ended) if saved and saved.ended else None,
    )


def _expiring(manifest: Manifest) -> dict[str, str]:
    """By authority, when its certificates run out: of the newest checkpoint that has timestamps."""
    newest = next((each for each in reversed(manifest.checkpoints) if each.timestamps), None)
    found: dict[str, str] = {}
    if newest is None:
        return found
    for each in newest.timestamps:
        with suppress(TimestampError):  # for `verify` to say
            answer = timestamp.decode(each.token)
            until = timestamp.judge(answer, newest.stamped(each.over), ()).until
            if until <= datetime.now(UTC) + timestamp.SOON:
                found[each.authority] = warc_date(until)
    return found


def failures(db: sqlite3.Connection) -> Iterator[Row]:
    """Each URL whose newest fetch is not whole, in the order in which they were asked for."""
    columns = "url, purpose, outcome, status, stage, reason, article_id AS article"
    for row in db.execute(f"SELECT {columns} {_NEWEST} ORDER BY id"):
        yield {"type": "failure", **dict(row)}


def checked(memory: checks.Memory, manifest: Manifest) -> Checked:
    """What is remembered of the files that the manifest commits."""
    marks = {(mark.file, mark.digest): mark for mark in memory.marks}
    known = [(warc, mark) for warc in manifest.warcs if (mark := marks.get((warc.path, warc.digest)))]
    recent = sum(warc.bytes for warc, mark in known if -CLOCK_SECONDS <= mark.age <= RECENT_DAYS * 86400)
    total = sum(warc.bytes for warc in manifest.warcs)
    return Checked(
        oldest=min((mark.checked for _, mark in known), default=None),
        never=len(manifest.warcs) - len(known),
        recent=recent / total if total else None,
        damaged=tuple(warc.path for warc, mark in known if mark.verdict != "ok"),
        damage=memory.damage,
    )


def _one(db: sqlite3.Connection, sql: str, *parameters: str) -> Any:
    row = db.execute(sql, parameters).fetchone()
    return row[0] if row else None


def _run(row: sqlite3.Row) -> Run:
    try:
        outcomes = msgspec.json.decode(row["outcomes"], type=dict[str, int])
    except (msgspec.MsgspecError, TypeError, UnicodeEncodeError) as error:
        raise _damaged(f"a run's outcomes: {error}") from error
    return Run(row["run"], row["started"], row["ended"], _ending(row), row["robots"], outcomes)


def _ending(row: sqlite3.Row) -> Ending:
    if row["ended"] is None:
        return "unfinished"
    if row["interrupted"]:
        return "interrupted"
    return "complete" if row["complete"] else "incomplete"


def _age(moment: str) -> float:
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError) as error:
        raise _damaged(f"{moment!r} is no time") from error


def _damaged(what: str) -> RecordError:
    return RecordError(
        f"catalogue.db: {what}", "Run 'archiver rebuild': it is made anew from the WARC files."
    )
