"""A mirror's text beside the captured page's, as plain data for the templates."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from archiver.browse import words
from archiver.browse.language import Language
from archiver.claims.compare import Passage
from archiver.index.texts import compared

_SHOWN = 300  # passages that are not the same
_CHARS = 1_000_000  # of both texts, to be compared while somebody waits


@dataclass(frozen=True)
class Row:
    """Several paragraphs that are the same, or one passage that is not, in spans of a kind and a text."""

    kind: str
    label: str
    spans: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Text:
    """A comparison: in one sentence, and in rows; `more`: passages that are not shown."""

    document: int
    page: int
    sentence: str
    rows: tuple[Row, ...] = ()
    more: int = 0


def load_texts(db: sqlite3.Connection, article: int, language: Language) -> tuple[Text, ...]:
    """How a mirror's text compares with its page; for a page, how its mirrors' do, without rows."""
    found = db.execute(
        "SELECT text_comparisons.*, articles.kind FROM text_comparisons"
        " JOIN articles ON articles.id = document_id WHERE document_id = ? OR page_id = ?"
        " ORDER BY document_id LIMIT 20",
        (article, article),
    ).fetchall()
    return tuple(_text(db, row, article, language) for row in found)


def _text(db: sqlite3.Connection, row: sqlite3.Row, article: int, language: Language) -> Text:
    rows, more = _rows(db, row, language) if row["document_id"] == article else ((), 0)
    counts = {name: row[name] for name in ("same", "changed", "missing", "added")}
    return Text(row["document_id"], row["page_id"], sentence(row["kind"], language, **counts), rows, more)


def _rows(db: sqlite3.Connection, row: sqlite3.Row, language: Language) -> tuple[tuple[Row, ...], int]:
    ids = (row["document_id"], row["page_id"])
    different = row["changed"] + row["missing"] + row["added"]
    (chars,) = db.execute("SELECT sum(length(text)) FROM blocks WHERE article_id IN (?, ?)", ids).fetchone()
    if not different or (chars or 0) > _CHARS:
        return (), different
    rows = list(_told(compared(db, *ids).passages, language))
    places = [place for place, each in enumerate(rows) if each.kind != "same"]
    end = places[_SHOWN] if len(places) > _SHOWN else len(rows)
    return tuple(rows[:end]), max(0, len(places) - _SHOWN)


def _told(passages: tuple[Passage, ...], language: Language) -> Iterator[Row]:
    for same, group in groupby(passages, key=lambda passage: passage.kind == "same"):
        if same:
            count = len(list(group))
            label = language.plural("%(count)s paragraph the same", "%(count)s paragraphs the same", count)
            yield Row("same", label)
        else:
            for passage in group:
                yield _row(passage, language)


def _row(passage: Passage, language: Language) -> Row:
    say = language.say
    match passage.kind, passage.moved:
        case "missing", moved:
            label = (
                say("Missing in the mirror, but it stands elsewhere")
                if moved
                else say("Missing in the mirror")
            )
            return Row("missing", label, (("missing", words.plain(passage.page)),))
        case "added", moved:
            label = say("Only in the mirror, but it stands elsewhere") if moved else say("Only in the mirror")
            return Row("added", label, (("added", words.plain(passage.mirror)),))
        case _:
            spans = tuple((span.kind, words.plain(span.text)) for span in passage.spans)
            return Row("changed", say("Changed"), spans)


def sentence(kind: str, language: Language, *, same: int, changed: int, missing: int, added: int) -> str:
    """The counts in words, from the page's side; `kind` is the mirror's."""
    say, plural = language.say, language.plural
    mirror = say("feed's text") if kind == "item" else say("mirror's text")
    total = same + changed + missing
    if not total:
        return say("No text was found on the page that the %(mirror)s could be held against.", mirror=mirror)
    own = added and plural("; %(count)s more stands only there", "; %(count)s more stand only there", added)
    more = {"mirror": mirror, "own": own or ""}
    if same == total > 1:
        return plural(
            "The one paragraph of the page is the same in the %(mirror)s%(own)s.",
            "All %(count)s paragraphs of the page are the same in the %(mirror)s%(own)s.",
            total,
            **more,
        )
    parts = [
        same and plural("%(count)s is the same", "%(count)s are the same", same),
        changed and plural("%(count)s is changed", "%(count)s are changed", changed),
        missing and plural("%(count)s is missing", "%(count)s are missing", missing),
    ]
    *before, last = (part for part in parts if part)
    said = say("%(before)s and %(last)s", before=say(", ").join(before), last=last) if before else last
    return plural(
        "Of the page's %(count)s paragraph, %(said)s in the %(mirror)s%(own)s.",
        "Of the page's %(count)s paragraphs, %(said)s in the %(mirror)s%(own)s.",
        total,
        said=said,
        **more,
    )
