"""A selection in parts of a size, each of which stands for itself: an article's records are never divided."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from archiver.exporting.selection import Place, Selection, Unit, units_of
from archiver.prove.subject import Chosen
from archiver.storage import is_imported

_LENGTHS = "SELECT record_id, length FROM records WHERE record_id IN (SELECT value FROM json_each(?))"
_NAME = """
SELECT record_id FROM records JOIN warcs ON warcs.id = warc_id WHERE path = ? AND offset = ?
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
        for group in _grouped(db, _left(selection, db, taken), size):
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


def _left(selection: Selection, db: sqlite3.Connection, taken: set[str]) -> Iterator[Unit]:
    """Each record that belongs to no article; a revisit with its original."""
    for place in selection.places():
        entry = place.entry
        name = _name(db, place) if is_imported(place.file) else entry.id
        if name not in taken and entry.type != "warcinfo":
            with_it = {entry.refers_to} if entry.type == "revisit" and entry.refers_to else set()
            yield Unit(Chosen(name, {name} | with_it, with_it), ())


def _name(db: sqlite3.Connection, place: Place) -> str:
    """What the catalogue calls an imported record, which may have no id, or that of another."""
    row = db.execute(_NAME, (place.file, place.entry.offset)).fetchone()
    return str(row[0]) if row else place.entry.id
