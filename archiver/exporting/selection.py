"""What a person asks to have exported → articles, and the stored records that belong to them.

As for evidence, the catalogue only chooses; the record lists and the tree say what the records are. Nothing
is exported that the archive does not commit.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archiver.addresses import canonical
from archiver.errors import ManifestError, UsageError
from archiver.index.search import parse
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.tree import Tree
from archiver.model import GAP, Entry, Location
from archiver.prove.subject import Chosen, choose, imported_places
from archiver.search import search
from archiver.storage import is_imported
from archiver.warc.read import RECORD_BYTES, read_committed

ADVICE = "Nothing was written. 'archiver verify' says what is damaged."
_NO_LIMIT = 2**31
_BY_URL = "SELECT id FROM articles WHERE url IN (?, ?) ORDER BY id"
_BY_SOURCE = """
SELECT articles.id FROM articles JOIN json_each(?) AS wanted ON articles.source_id = wanted.value ORDER BY 1
"""


@dataclass(frozen=True)
class Wanted:
    """What is asked for: subjects as `archiver prove` takes them, articles by their words, or everything."""

    subjects: tuple[str, ...] = ()
    query: str = ""
    everything: bool = False


@dataclass(frozen=True)
class Place:
    """A committed record: the archive's file that holds it, its line, its leaf in the tree."""

    file: str
    entry: Entry
    leaf: int


@dataclass(frozen=True)
class Unit:
    """Records that stay together: those of an article, or of another subject."""

    chosen: Chosen
    articles: tuple[int, ...]


@dataclass
class LeftOut:
    """What was chosen and cannot go out: ids of what is not sealed, places of records that are too large."""

    unsealed: set[str] = field(default_factory=set)
    large: set[tuple[str, int]] = field(default_factory=set)


class Selection:
    """What was asked for. `records` are the chosen ids; None: all that the archive has.

    `left_out` is known once all places were asked for.
    """

    def __init__(
        self, root: Path, db: sqlite3.Connection, units: list[Unit] | None, left_out: LeftOut | None = None
    ) -> None:
        self.root, self.units = root, units
        self.left_out = LeftOut() if left_out is None else left_out
        self.manifest = commitment.load(root)
        self.records: set[str] | None = None
        if units is not None:
            self.records = {each for unit in units for each in unit.chosen.records}
        self._imported = imported_places(db, self.records or ())
        self._db = db

    @property
    def subject(self) -> str:
        """The first thing that was chosen, by its name in the archive; of everything the archive's name."""
        return self.units[0].chosen.subject if self.units else self.manifest.origin

    def articles(self) -> Iterator[int]:
        """`articles.id` in ascending order."""
        if self.units is None:
            yield from (row[0] for row in self._db.execute("SELECT id FROM articles ORDER BY id"))
        else:
            yield from sorted({number for unit in self.units for number in unit.articles})

    def places(self) -> Iterator[Place]:
        """The chosen records that are sealed, in the tree's order.

        The warcinfo record of each file comes with the first of its records. Raises ManifestError, at the
        end at the latest, when the record lists are not those that the tree head commits.
        """
        tree, found = Tree(), set[str]()
        for warc in self.manifest.warcs:
            info: Place | None = None
            for entry in recordlist.read(self.root / warc.list.path):
                place = Place(warc.path, entry, tree.size)
                tree.append(commitment.leaf_input(entry))
                if entry.type == "warcinfo" and entry.offset == 0:
                    info = place
                if not self._has(warc.path, entry):
                    continue
                found.add(self._imported.get((warc.path, entry.offset), entry.id) if self.records else "")
                if entry.length > RECORD_BYTES:
                    self.left_out.large.add((warc.path, entry.offset))
                    continue
                if info is not None and info is not place:
                    yield info
                info = None
                yield place
        if commitment.tree_head(tree) != self.manifest.tree:
            raise ManifestError("the record lists are not those that the tree head commits", ADVICE)
        if not found:
            raise UsageError(f"nothing of {self.subject} is sealed yet", "Wait until the run has ended.")
        self.left_out.unsealed |= (self.records or set()) - found

    def _has(self, file: str, entry: Entry) -> bool:
        if self.records is None or entry.type == GAP:
            return entry.type != GAP
        return (file, entry.offset) in self._imported if is_imported(file) else entry.id in self.records

    def part(self, units: list[Unit]) -> "Selection":
        """A selection of some units of this one."""
        return Selection(self.root, self._db, units, self.left_out)


def select(root: Path, db: sqlite3.Connection, wanted: Wanted) -> Selection:
    """What the archive has of it; `db` is its catalogue. UsageError when it has nothing."""
    if wanted.everything:
        return Selection(root, db, None)
    units = [_unit(db, root, named) for named in wanted.subjects]
    if wanted.query:
        units += [_unit(db, root, str(number)) for number in found(db, wanted.query)]
    if not units:
        raise UsageError(
            f"the archive has no article with {wanted.query!r}" if wanted.query else "nothing was asked for",
            "Name a URL, an article's number or a payload's digest, or give --query or --all.",
        )
    return Selection(root, db, units)


def units_of(root: Path, db: sqlite3.Connection) -> Iterator[Unit]:
    """Every article of the archive with its records, by ascending id."""
    for (number,) in db.execute("SELECT id FROM articles ORDER BY id").fetchall():
        yield _unit(db, root, str(number))


def found(db: sqlite3.Connection, query: str) -> list[int]:
    """Numbers of the articles that hold what is searched for, by ascending id."""
    hits = search(db, parse(query), limit=_NO_LIMIT).hits
    return sorted(number for hit in hits for number in (hit.id, *hit.others))


def stored(root: Path, place: Place) -> bytes:
    """The record's stored bytes. RecordError unless they have the digest that the tree commits."""
    entry = place.entry
    location = Location(file=place.file, offset=entry.offset, length=entry.length)
    return read_committed(root, location, entry.digest, ADVICE)


def _unit(db: sqlite3.Connection, root: Path, named: str) -> Unit:
    """A subject with the articles that are the subject, not those that merely have it as a picture."""
    chosen = choose(db, root, named)
    if named.isdecimal():
        return Unit(chosen, (int(named),))
    if named.startswith("sha256:"):
        rows = db.execute(_BY_SOURCE, (json.dumps(sorted(chosen.records)),))
    else:
        rows = db.execute(_BY_URL, (chosen.subject, canonical(chosen.subject)))
    return Unit(chosen, tuple(row[0] for row in rows))
