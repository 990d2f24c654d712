"""A selection in parts of a size, each of which stands for itself: an article's records are never divided."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from archiver.exporting.selection import Selection, Unit, units_of
from archiver.prove.subject import Chosen

_LENGTHS = """
SELECT record_id, length FROM records WHERE record_id IN (SELECT value FROM json_each(?))
"""


def parts(selection: Selection, db: sqlite3.Connection, size: int | None) -> Iterator[Selection]:
    """Selections whose records have at most `size` stored bytes, but where one article alone has more.

    A record that several articles need is in each of their parts.
    """
    stored = sum(warc.bytes for warc in selection.manifest.warcs)
    if size is None or (selection.units is None and stored <= size):
        yield selection
        return
    taken: set[str] = set()
    units = selection.units if selection.units is not None else units_of(selection.root, db)
    for group in _grouped(db, units, size):
        taken.update(*(unit.chosen.records for unit in group))
        yield selection.part(group)
    if selection.units is None:
        for group in _grouped(db, _left(selection, taken), size):
            yield selection.part(group)


def numbered(into: Path, number: int, ending: str) -> Path:
    """`ferry.warc.gz` → `ferry-001.warc.gz`; `ending` is what the name ends with in the format."""
    name = into.name.removesuffix(ending)
    return into.with_name(f"{name}-{number:03}{ending if name != into.name else ''}")


def _grouped(db: sqlite3.Connection, units: Iterable[Unit], size: int) -> Iterator[list[Unit]]:
    group: list[Unit] = []
    held: set[str] = set()
    total = 0
    for unit in units:
        added = _length(db, unit.chosen.records - held)
        if group and total + added > size:
            yield group
            group, held, total = [], set(), 0
            added = _length(db, unit.chosen.records)
        group.append(unit)
        held |= unit.chosen.records
        total += added
    if group:
        yield group


def _length(db: sqlite3.Connection, records: set[str]) -> int:
    return sum(length for _, length in db.execute(_LENGTHS, (json.dumps(sorted(records)),)))


def _left(selection: Selection, taken: set[str]) -> Iterator[Unit]:
    """Each record that belongs to no article; a revisit with its original."""
    for place in selection.places():
        entry = place.entry
        if entry.id not in taken and entry.type != "warcinfo":
            with_it = {entry.refers_to} if entry.type == "revisit" and entry.refers_to else set()
            yield Unit(Chosen(entry.id, {entry.id, *with_it}, with_it), ())
