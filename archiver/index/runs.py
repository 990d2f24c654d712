"""Who wrote a WARC file, and how it ended: warcinfo records and RunNotes → rows of `runs`."""

import re

import msgspec
from sqlite_utils import Database

from archiver.errors import RecordError
from archiver.index.rows import OURS, insert, value
from archiver.model import Entry, RunNote
from archiver.warc.foreign import parse_stored
from archiver.warc.read import parse_member

_WRITTEN_HERE = f"SELECT 1 FROM warcs WHERE run_id = ? AND {OURS}"  # noqa: S608 - our own words
_RUN = re.compile(r"urn:uuid:[0-9a-f-]{36}")


def run_of(db: Database, entry: Entry, stored: bytes, *, foreign: bool = False) -> int | None:
    """The row of the run that a warcinfo record names, made when it is new; None when it names none.

    A run that had ended, and writes again, goes on. An imported file (`foreign`) changes no run of ours.
    """
    try:
        fields = _fields((parse_stored(stored).stored() if foreign else parse_member(stored)).block)
    except RecordError:
        if not foreign:
            raise
        return None
    run = fields.get("run")
    if run is None or (foreign and not _RUN.fullmatch(run)):
        return None
    row = {
        "run": run,
        "started": entry.date,
        "sources": "",
        "robots": fields.get("robots-reason") or fields.get("robots", ""),
        "outcomes": "{}",
    }
    known = _id(db, run)
    if known is None:
        return insert(db, "runs", **row)
    if foreign and value(db, _WRITTEN_HERE, known):
        return None
    db.execute("UPDATE runs SET ended = NULL, interrupted = NULL, complete = NULL WHERE id = ?", [known])
    return known


def note_run(db: Database, entry: Entry, note: RunNote, *, foreign: bool = False) -> None:
    """The end of a run. Of a run that was continued, the newest end counts; RecordError for one of ours."""
    end = {
        "ended": entry.date,
        "interrupted": int(note.interrupted),
        "complete": int(note.complete),
        "sources": "\n".join(note.sources),
        "outcomes": msgspec.json.encode(note.outcomes, order="sorted").decode(),
        "note_id": entry.id,
    }
    if (known := _id(db, note.run)) is not None:
        if foreign and value(db, _WRITTEN_HERE, known):
            raise RecordError("a note on a run of this archive")
        db.table("runs").update(known, end)


def _id(db: Database, run: str) -> int | None:
    known: int | None = value(db, "SELECT id FROM runs WHERE run = ?", run)
    return known


def _fields(block: bytes) -> dict[str, str]:
    """application/warc-fields (WARC/1.1 section 6.2)."""
    lines = block.decode("utf-8", "replace").splitlines()
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
