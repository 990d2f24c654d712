"""What a person asks evidence for → the records that belong to it, by the catalogue.

The catalogue only chooses. What it names is looked up in the record lists, and judged by the tree.
"""

import json
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archiver.addresses import canonical
from archiver.errors import RecordError, UsageError
from archiver.index.reader import note_of
from archiver.model import NOTE_URI, Entry, FetchNote, Location
from archiver.storage import is_imported
from archiver.warc.read import read_stored

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IN = "IN (SELECT value FROM json_each(?))"
# What belongs to captures: their requests, the notes and certificates about them, the originals of revisits.
# `+type`: else SQLite looks at all records of those types.
_ABOUT = f"SELECT record_id FROM records WHERE +type IN ('request', 'metadata') AND refers_to {_IN}"
_ORIGINALS = f"SELECT refers_to FROM records WHERE +type = 'revisit' AND record_id {_IN}"
_FETCHES_OF = f"SELECT DISTINCT fetch_id FROM hops WHERE response_id {_IN}"
_HOPS = f"SELECT request_id, response_id FROM hops WHERE fetch_id {_IN}"
_NOTES = f"""
SELECT note_id FROM fetches WHERE id {_IN}
UNION SELECT articles.note_id FROM fetches JOIN articles ON articles.id = article_id WHERE fetches.id {_IN}
"""
_ARTICLE_FETCHES = f"""
SELECT id FROM fetches WHERE article_id {_IN}
UNION SELECT fetch_id FROM forms JOIN article_pictures ON article_pictures.id = article_picture_id
WHERE fetch_id IS NOT NULL AND article_id {_IN}
"""
_PLACES = f"""
SELECT record_id, path, offset, length, type FROM records JOIN warcs ON warcs.id = warc_id
WHERE record_id {_IN}
"""


@dataclass
class Chosen:
    """What belongs to a subject: its name as a record has it, and the chosen records' ids."""

    subject: str
    records: set[str] = field(default_factory=set)
    originals: set[str] = field(default_factory=set)  # those of revisits, which nobody asked for by name


def choose(db: sqlite3.Connection, root: Path, named: str) -> Chosen:
    """The records of a URL, of an article's number, or of a payload's digest.

    UsageError when the archive has none. RecordError when a note cannot be read.
    """
    written = named.encode("utf-8", "replace").decode()  # bytes of a terminal that are no UTF-8
    found = Chosen(written)
    if _DIGEST.fullmatch(written):
        query = "SELECT record_id FROM records WHERE payload_digest = ? AND type <> 'request'"
        found = _belonging(db, root, found, _column(db, query, written), ())
    elif written.isdecimal():
        for subject in _column(db, "SELECT coalesce(url, note_id) FROM articles WHERE id = ?", written[:18]):
            found = _of_articles(db, root, Chosen(subject), [written[:18]])
    else:
        found = _of_url(db, root, written)
        found = found if found.records else _of_url(db, root, canonical(written))
    if not found.records:
        raise UsageError(
            f"the archive has nothing of {written}",
            "Name a URL as the archive has it, an article's number, or a payload's sha256:… digest.",
        )
    return found


def _of_url(db: sqlite3.Connection, root: Path, url: str) -> Chosen:
    answers = "SELECT record_id FROM records WHERE uri = ? AND type IN ('response', 'revisit', 'resource')"
    captures = _column(db, answers, url)
    fetches = _column(db, "SELECT id FROM fetches WHERE url = ?", url)
    articles = _column(db, "SELECT id FROM articles WHERE url = ?", url)
    return _of_articles(db, root, Chosen(url), articles, (captures, fetches))


def _of_articles(
    db: sqlite3.Connection,
    root: Path,
    chosen: Chosen,
    articles: list[str],
    more: tuple[list[str], list[str]] = ([], []),
) -> Chosen:
    """Notes and sources, every fetch for the articles and of their pictures; `more`: captures, fetches."""
    captures, fetches = more
    wanted = json.dumps(articles)
    chosen.records |= set(_column(db, f"SELECT note_id FROM articles WHERE id {_IN}", wanted))
    captures = captures + _column(db, f"SELECT source_id FROM articles WHERE id {_IN}", wanted)
    fetches = fetches + _column(db, _ARTICLE_FETCHES, wanted, wanted)
    return _belonging(db, root, chosen, captures, fetches)


def _belonging(
    db: sqlite3.Connection, root: Path, chosen: Chosen, captures: Iterable[str], fetches: Iterable[str]
) -> Chosen:
    """Follow what belongs to captures and fetches until nothing is new."""
    new_captures, new_fetches, seen = set(captures), set(fetches), set[str]()
    while new_captures or new_fetches:
        chosen.records |= new_captures
        these = json.dumps(sorted(new_captures))
        chosen.records |= set(_column(db, _ABOUT, these))
        originals = set(_column(db, _ORIGINALS, these))
        chosen.originals |= originals - chosen.records
        new_fetches = (new_fetches | set(_column(db, _FETCHES_OF, these))) - seen
        seen |= new_fetches
        these = json.dumps(sorted(new_fetches))
        hops = db.execute(_HOPS, [these]).fetchall()
        chosen.records |= {request for request, _ in hops if request}
        notes = set(_column(db, _NOTES, these, these))
        chosen.records |= notes | _certificates(db, root, notes)
        new_captures = (originals | {response for _, response in hops if response}) - chosen.records
        new_fetches = set()
    return chosen


def _certificates(db: sqlite3.Connection, root: Path, notes: set[str]) -> set[str]:
    """The records of the certificates that servers showed, as the notes name them."""
    found: set[str] = set()
    for identity, path, offset, length, kind in db.execute(_PLACES, [json.dumps(sorted(notes))]):
        stored = read_stored(root, Location(file=path, offset=offset, length=length))
        entry = Entry(offset=offset, length=length, digest="", type=kind, id=identity, date="", uri=NOTE_URI)
        try:
            note = note_of(entry, stored)
        except RecordError:
            if is_imported(path):  # others may write anything as a note
                continue
            raise
        if isinstance(note, FetchNote):
            found |= {hop.certificates for hop in note.hops if hop.certificates}
    return found


def imported_places(db: sqlite3.Connection, records: Iterable[str]) -> dict[tuple[str, int], str]:
    """File and offset of those that were imported, with the ids that the catalogue gives them."""
    rows = db.execute(_PLACES, [json.dumps(sorted(records))])
    return {(path, offset): identity for identity, path, offset, _, _ in rows if is_imported(path)}


def _column(db: sqlite3.Connection, query: str, *parameters: str) -> list[str]:
    return [row[0] for row in db.execute(query, parameters)]
