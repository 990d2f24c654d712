"""What was checked when, and what was done to the archive, as plain data."""

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archiver.browse import words
from archiver.browse.data.captures import counted, run_outcome, to_second
from archiver.browse.disk import beside
from archiver.browse.language import Language
from archiver.checks import CheckRun, Damage
from archiver.errors import ManifestError
from archiver.manifest.manifest import Checkpoint, Manifest
from archiver.manifest.signednote import ED25519, Signature
from archiver.storage import is_imported

FILES = 50  # a page
RUNS = 50
EVENTS = 50
_BEGUN = re.compile(r"warcs/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")  # how files are named


@dataclass(frozen=True)
class File:
    """A sealed WARC file. `checked`, `verdict` and `deep`: of its last check; "" where none is known.

    `number` is that of the checkpoint at its end.
    """

    number: int
    path: str
    records: int
    bytes: int
    sealed: str
    signed: bool
    stamps: int
    checked: str
    verdict: str
    deep: bool


@dataclass(frozen=True)
class Files:
    """Sealed files, the newest first; `before`: the number before which the next page begins."""

    shown: tuple[File, ...]
    total: int
    before: int | None


@dataclass(frozen=True)
class Event:
    """Something that was done to the archive. `number`: of a checkpoint, or `runs.id`."""

    kind: Literal["began", "ended", "sealed", "key", "marked", "unmarked"]
    time: str
    number: int | None = None
    text: str = ""


@dataclass(frozen=True)
class History:
    """The checks that are remembered, the newest first, and the newest damage that one found."""

    runs: tuple[CheckRun, ...]
    more: int
    damage: Damage | None


def load_history(root: Path) -> History:
    memory = beside.memory(root)
    return History(memory.runs[: -RUNS - 1 : -1], max(0, len(memory.runs) - RUNS), memory.damage)


def load_files(db: sqlite3.Connection, root: Path, before: int | None) -> Files | None:
    """A page of files, the newest first. None where manifest.json cannot be read."""
    manifest = beside.manifest(root)
    if manifest is None:
        return None
    marks = {(mark.file, mark.digest): mark for mark in beside.memory(root).marks}
    last = len(manifest.warcs) if before is None else min(max(0, before - 1), len(manifest.warcs))
    numbers = range(last, max(0, last - FILES), -1)
    sealed = _sealed(db, manifest, numbers)
    shown = []
    for number in numbers:
        warc, point = manifest.warcs[number - 1], _point(manifest, number)
        mark = marks.get((warc.path, warc.digest))
        shown.append(
            File(
                number=number,
                path=words.plain(warc.path),
                records=warc.records,
                bytes=warc.bytes,
                sealed=sealed[number],
                signed=bool(point and point.signatures),
                stamps=len(point.timestamps) if point else 0,
                checked=to_second(mark.checked) if mark else "",
                verdict=mark.verdict if mark else "",
                deep=bool(mark and mark.deep),
            )
        )
    return Files(tuple(shown), len(manifest.warcs), numbers[-1] if numbers and numbers[-1] > 1 else None)


def load_events(db: sqlite3.Connection, root: Path, language: Language) -> list[Event]:
    """What was done to the archive, the newest first: the newest of each kind, and of all together."""
    manifest = beside.manifest(root)
    found = [*_runs(db, language), *_marks(db)]
    if manifest:
        numbers = range(len(manifest.warcs), max(0, len(manifest.warcs) - EVENTS), -1)
        for number, time in _sealed(db, manifest, numbers).items():
            found.append(Event("sealed", time, number, words.plain(manifest.warcs[number - 1].path)))
            if _another_key(manifest, number):
                found.append(Event("key", time, number))
    return sorted(found, key=lambda each: each.time, reverse=True)[:EVENTS]


def _runs(db: sqlite3.Connection, language: Language) -> list[Event]:
    found: list[Event] = []
    for row in db.execute("SELECT * FROM runs ORDER BY id DESC LIMIT ?", (EVENTS,)).fetchall():
        found.append(Event("began", to_second(row["started"]), row["id"]))
        if row["ended"]:
            parts = [
                language.say(
                    "%(count)s %(outcome)s", count=f"{count:,}", outcome=run_outcome(name, language.say)
                )
                for name, count in counted(row["outcomes"])
            ]
            found.append(Event("ended", to_second(row["ended"]), row["id"], ", ".join(parts)))
    return found


def _marks(db: sqlite3.Connection) -> list[Event]:
    rows = db.execute("SELECT * FROM picture_marks ORDER BY id DESC LIMIT ?", (EVENTS,)).fetchall()
    return [
        Event(
            "marked" if row["said"] == "not-same" else "unmarked",
            to_second(row["made"]),
            None,
            words.plain(row["reason"]),
        )
        for row in rows
    ]


def _point(manifest: Manifest, number: int) -> Checkpoint | None:
    return manifest.checkpoints[number - 1] if number <= len(manifest.checkpoints) else None


def _sealed(db: sqlite3.Connection, manifest: Manifest, numbers: range) -> dict[int, str]:
    """When the last record of each of these files was made, by its own word; else when the file was begun.

    The catalogue has records in the order of the files: so their ids say which is a file's last.
    """
    files = {row["path"]: row["id"] for row in db.execute("SELECT id, path FROM warcs").fetchall()}
    found: dict[int, str] = {}
    for number in numbers:
        path = manifest.warcs[number - 1].path
        ours = path in files and not is_imported(path)  # others' records say nothing of when they were sealed
        date = _last_date(db, files[path]) if ours else None
        begun = _BEGUN.match(path)
        named = "{}-{}-{}T{}:{}:{}Z".format(*begun.groups()) if begun else ""
        found[number] = to_second(date or named)
    return found


def _last_date(db: sqlite3.Connection, file: int) -> str | None:
    """The date of a file's last record, found by halves."""
    low, high, date = 0, db.execute("SELECT coalesce(max(id), 0) FROM records").fetchone()[0], None
    while low < high:
        middle = (low + high + 1) // 2
        row = db.execute(_FROM, (middle,)).fetchone()
        if row["warc_id"] > file:
            high = middle - 1
        else:
            low, date = row["id"], row["date"] if row["warc_id"] == file else None
    return date


_FROM = "SELECT id, warc_id, date FROM records WHERE id >= ? ORDER BY id LIMIT 1"


def _another_key(manifest: Manifest, number: int) -> bool:
    """Whether the archive's own name signs a checkpoint by other keys than the one before."""
    before, after = (_keys(manifest.origin, _point(manifest, each)) for each in (number - 1, number))
    return number > 1 and bool(before and after) and before != after


def _keys(origin: str, point: Checkpoint | None) -> frozenset[bytes]:
    found = set()
    for line in point.signatures if point else ():
        try:
            signature = Signature.parse(line)
        except ManifestError:
            continue
        if signature.kind == ED25519 and signature.name == origin:
            found.add(signature.key_id)
    return frozenset(found)
