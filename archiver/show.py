"""The catalogue's rows of one article → what `archiver show` says of it."""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from archiver.addresses import canonical
from archiver.claims.contradictions import contradictions
from archiver.errors import RecordError, UsageError
from archiver.index import catalogue
from archiver.index.metadata import metadata_of
from archiver.index.pairs import pair_of
from archiver.index.texts import compared
from archiver.model import ClaimedTime
from archiver.pictures.metadata.ledger import ledger, ledger_words

Row = dict[str, Any]
_PICTURE = ("number", "url", "written", "place", "part", "alt", "caption", "unwanted")
_RENDITION = ("family", "group", "area", "width", "height", "master")
_FORMS = """
SELECT forms.form, forms.proxy, forms.url, fetches.outcome, fetches.status, fetches.reason, fetches.memento,
       fetches.payload_digest, pictures.format, pictures.width, pictures.height
FROM forms LEFT JOIN fetches ON fetches.id = forms.fetch_id
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE forms.article_picture_id = ? ORDER BY forms.number
"""
_TIMES = """
SELECT picture, clock, written, value FROM claimed_times WHERE article_id = ?
ORDER BY number IS NULL, number, picture, clock, written
"""
# Of a WARC file all records, or those with these numbers; a revisit is hit with its original.
_CONCERNED = """
WITH hit AS (
    SELECT records.number, records.type, record_id FROM records JOIN warcs ON warcs.id = warc_id
    WHERE path = :file AND (:numbers IS NULL OR records.number IN (SELECT value FROM json_each(:numbers)))
), lost AS (
    SELECT number, type, record_id FROM hit UNION
    SELECT hit.number, hit.type, again.record_id FROM records AS again
    JOIN hit ON hit.record_id = again.refers_to
    WHERE again.type = 'revisit'
), asked AS (
    SELECT lost.number, type, fetch_id FROM lost JOIN hops ON response_id = record_id UNION
    SELECT lost.number, type, fetch_id FROM lost JOIN hops ON request_id = record_id UNION
    SELECT lost.number, type, fetches.id FROM lost JOIN fetches ON note_id = record_id
), concerned AS (
    SELECT lost.number, type, articles.id AS article, NULL AS picture, NULL AS form, articles.url
    FROM lost JOIN articles ON source_id = record_id UNION
    SELECT lost.number, type, articles.id, NULL, NULL, articles.url
    FROM lost JOIN articles ON note_id = record_id UNION
    SELECT asked.number, type, articles.id, NULL, NULL, articles.url
    FROM asked JOIN fetches ON fetches.id = fetch_id JOIN articles ON source_id = response_id UNION
    SELECT asked.number, type, article_id, article_pictures.number, form, forms.url
    FROM asked JOIN forms USING (fetch_id) JOIN article_pictures ON article_pictures.id = article_picture_id
)
SELECT article, title, picture, form, concerned.url, count(*) OVER () AS count,
       group_concat(DISTINCT type) AS types
FROM concerned JOIN articles ON articles.id = article GROUP BY article, picture, form, concerned.url
ORDER BY article, picture, form LIMIT :most
"""


@contextmanager
def reading(root: Path) -> Iterator[sqlite3.Connection]:
    """The catalogue, open to read. RecordError when it is damaged."""
    path = root / catalogue.NAME
    # To read what a run is writing, SQLite writes beside it; else it is to leave nothing there.
    written = path.with_name(f"{path.name}-wal").exists() and os.access(root, os.W_OK)
    how = "mode=ro" if written else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)) as db:
            db.row_factory = sqlite3.Row
            if db.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                raise RecordError(
                    f"{path}: empty: making it was cut off, as by a full disk",
                    "The records are safe. Make room, then run 'archiver rebuild', which makes it anew.",
                )
            yield db
    except sqlite3.DatabaseError as error:
        raise RecordError(
            f"{path}: {error}", "Run 'archiver rebuild': it is made anew from the WARC files."
        ) from error


def concerned(
    db: sqlite3.Connection, file: str, numbers: Iterable[int] | None, most: int, seconds: float
) -> list[Row]:
    """What of which article the records of a WARC file hold, those with these numbers or all.

    In each row `types` are those of the records, joined by commas; `count` is how many rows there are, of
    which at most `most` are returned. RecordError when it takes longer than so many seconds, as it may in a
    catalogue that somebody made for that.
    """
    end = time.monotonic() + seconds
    db.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    wanted = None if numbers is None else json.dumps(list(numbers))
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        found = db.execute(_CONCERNED, {"file": file, "numbers": wanted, "most": most})
        return [dict(row) for row in found]
    except (sqlite3.DatabaseError, OverflowError) as error:
        raise RecordError(f"{catalogue.NAME}: {error}") from error
    finally:
        db.set_progress_handler(None, 0)


def articles(db: sqlite3.Connection, named: str) -> list[Row]:
    """Every article under a URL, or the one with a number; oldest first. UsageError when there is none."""
    if named.isdecimal():
        found = _rows(db, "SELECT * FROM articles WHERE id = ?", named[:18])
    else:
        written = named.encode("utf-8", "replace").decode()  # bytes of a terminal that are no UTF-8
        found = _rows(db, "SELECT * FROM articles WHERE url IN (?, ?) ORDER BY id", written, canonical(named))
    if not found:
        raise UsageError(
            f"no article {named} in this archive",
            "Name its URL as the archive has it, or its number; 'archiver browse' lists them.",
        )
    return [_article(db, row) for row in found]


def _article(db: sqlite3.Connection, row: Row) -> Row:
    times = _rows(db, _TIMES, row["id"])
    claims = [_claim(each) for each in times if each["picture"] is None]
    pictures = _pictures(db, row["id"])
    about = {each["number"] for each in pictures if each["part"] == "article" and not each["unwanted"]}
    taken = [_claim(each) for each in times if each["picture"] in about]
    return {
        "type": "article",
        **{
            key: row[key]
            for key in ("id", "kind", "title", "url", "given", "language", "section", "archived")
        },
        "authors": row["authors"].splitlines(),
        "times": [msgspec.to_builtins(claim) for claim in claims],
        "contradictions": msgspec.to_builtins(contradictions([*claims, *taken])),
        "pictures": [_picture(db, each, times) for each in pictures],
        "text": _text(db, row["id"]),
    }


def _pictures(db: sqlite3.Connection, article: int) -> list[Row]:
    return _rows(db, "SELECT * FROM article_pictures WHERE article_id = ? ORDER BY number", article)


def _picture(db: sqlite3.Connection, row: Row, times: list[Row]) -> Row:
    rendition = {name: row[f"rendition_{name}"] for name in _RENDITION}
    forms = _rows(db, _FORMS, row["id"])
    for form in forms:
        form["metadata"] = msgspec.to_builtins(metadata_of(db, form["payload_digest"]))
    return {
        **{key: row[key] for key in _PICTURE},
        "rendition": rendition if rendition["family"] else None,
        "times": [msgspec.to_builtins(_claim(each)) for each in times if each["picture"] == row["number"]],
        "forms": forms,
        "ledger": _ledger(db, forms),
        "pairs": _pairs(db, forms),
    }


def _ledger(db: sqlite3.Connection, forms: list[Row]) -> Row | None:
    """What the proxy's copy has lost of the publisher's metadata; None unless both are here."""
    shown = {form["form"]: form for form in forms[::-1] if form["format"] and form["outcome"] == "whole"}
    if not shown.keys() >= {"proxied", "origin"}:
        return None
    found = ledger(*(metadata_of(db, shown[name]["payload_digest"]) for name in ("origin", "proxied")))
    empty = {"kept": 0, "removed": [], "changed": [], "added": []}
    return {**empty, **msgspec.to_builtins(found), "words": ledger_words(found)}


def _pairs(db: sqlite3.Connection, forms: list[Row]) -> list[Row]:
    """What the forms of one picture have to do with each other, where they are different bytes."""
    digests = list(dict.fromkeys(each["payload_digest"] for each in forms if each["format"]))
    found = [pair_of(db, one, other) for one, other in combinations(digests, 2)]
    return [{"first": pair[0], "second": pair[1], **msgspec.to_builtins(pair[2])} for pair in found if pair]


def _text(db: sqlite3.Connection, article: int) -> Row | None:
    """A mirror's text against the newest page of the same article; what is the same is only counted."""
    pages = _rows(db, "SELECT page_id FROM text_comparisons WHERE document_id = ?", article)
    if not pages:
        return None
    found = msgspec.to_builtins(compared(db, article, pages[0]["page_id"]))
    differing = [each for each in found.pop("passages", ()) if each["kind"] != "same"]
    counts = {key: found.get(key, 0) for key in ("same", "changed", "missing", "added")}
    return {"page": pages[0]["page_id"], **counts, "passages": differing}


def _claim(row: Row) -> ClaimedTime:
    return ClaimedTime(clock=row["clock"], written=row["written"], value=row["value"])


def _rows(db: sqlite3.Connection, sql: str, *parameters: Any) -> list[Row]:
    return [dict(row) for row in db.execute(sql, parameters)]
