"""A mirror's text beside the captured page's, as plain data for the templates. All text is cleaned here."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from archiver.browse import words
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


def load_texts(db: sqlite3.Connection, article: int) -> tuple[Text, ...]:
    """How a mirror's text compares with its page; for a page, how its mirrors' do, without rows."""
    found = db.execute(
        "SELECT text_comparisons.*, articles.kind FROM text_comparisons"
        " JOIN articles ON articles.id = document_id WHERE document_id = ? OR page_id = ?"
        " ORDER BY document_id LIMIT 20",
        (article, article),
    ).fetchall()
    return tuple(_text(db, row, article) for row in found)


def _text(db: sqlite3.Connection, row: sqlite3.Row, article: int) -> Text:
    rows, more = _rows(db, row) if row["document_id"] == article else ((), 0)
    counts = {name: row[name] for name in ("same", "changed", "missing", "added")}
    return Text(row["document_id"], row["page_id"], sentence(row["kind"], **counts), rows, more)


def _rows(db: sqlite3.Connection, row: sqlite3.Row) -> tuple[tuple[Row, ...], int]:
    ids = (row["document_id"], row["page_id"])
    different = row["changed"] + row["missing"] + row["added"]
    (chars,) = db.execute("SELECT sum(length(text)) FROM blocks WHERE article_id IN (?, ?)", ids).fetchone()
    if not different or (chars or 0) > _CHARS:
        return (), different
    rows = list(_told(compared(db, *ids).passages))
    places = [place for place, each in enumerate(rows) if each.kind != "same"]
    end = places[_SHOWN] if len(places) > _SHOWN else len(rows)
    return tuple(rows[:end]), max(0, len(places) - _SHOWN)


def _told(passages: tuple[Passage, ...]) -> Iterator[Row]:
    for same, group in groupby(passages, key=lambda passage: passage.kind == "same"):
        if same:
            count = len(list(group))
            yield Row("same", f"{count} paragraph{'' if count == 1 else 's'} the same")
        else:
            yield from map(_row, group)


def _row(passage: Passage) -> Row:
    elsewhere = ", but it stands elsewhere" if passage.moved else ""
    match passage.kind:
        case "missing":
            return Row(
                "missing", f"Missing in the mirror{elsewhere}", (("missing", words.plain(passage.page)),)
            )
        case "added":
            return Row("added", f"Only in the mirror{elsewhere}", (("added", words.plain(passage.mirror)),))
        case _:
            spans = tuple((span.kind, words.plain(span.text)) for span in passage.spans)
            return Row("changed", "Changed", spans)


def sentence(kind: str, *, same: int, changed: int, missing: int, added: int) -> str:
    """The counts in words, from the page's side; `kind` is the mirror's."""
    mirror = "feed's text" if kind == "item" else "mirror's text"
    total = same + changed + missing
    if not total:
        return f"No text was found on the page that the {mirror} could be held against."
    own = f"; {added:,} more {'stands' if added == 1 else 'stand'} only there" if added else ""
    if same == total > 1:
        return f"All {total:,} paragraphs of the page are the same in the {mirror}{own}."
    counts = ((same, "the same"), (changed, "changed"), (missing, "missing"))
    parts = [f"{count:,} {'is' if count == 1 else 'are'} {name}" for count, name in counts if count]
    said = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"Of the page's {total:,} paragraph{'' if total == 1 else 's'}, {said} in the {mirror}{own}."
