"""Articles by their words, newest first, with the passages where they stand: one search for all who ask."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.index.search import Place, Query, fold, passages
from archiver.index.words import placed

AROUND = 60  # characters before the first word that is marked
SHOWN = 170  # characters of a passage
_PASSAGES = 2
_LOOKED_AT = 20_000  # characters of a passage in which words are marked
_SOURCES = 20  # of one URL
_LAST = 2**63 - 1

# Each part of a text, and whether it is what was looked for.
Parts = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Passage:
    """A piece of an article. `place`: text, caption, alt, authors, section; `number`: which of those."""

    place: str
    number: int | None
    parts: Parts


@dataclass(frozen=True)
class Hit:
    """An article, by its newest source that has what is asked for; `others`: older ones of the same URL."""

    id: int
    kind: str
    title: str
    url: str | None
    given: str
    language: str
    archived: str
    title_parts: Parts
    passages: tuple[Passage, ...]
    others: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """`older`: search before this `articles.id` for more; None when there are none.

    `cut`: the search ended because it had read enough articles that might have had it.
    """

    hits: tuple[Hit, ...]
    older: int | None
    cut: bool = False


def search(
    db: sqlite3.Connection, query: Query, *, limit: int, before: int | None = None, most: int | None = None
) -> Found:
    """Up to `limit` articles, of those before one; each URL once. `db` has `sqlite3.Row` for its rows.

    `most`: of how many articles the text is read; None reads on until there are enough.
    """
    hits: list[Hit] = []
    urls: set[str] = set()
    last = _LAST if before is None else before
    for read, number in enumerate(_candidates(db, query, last)):
        if read == most:
            return Found(tuple(hits), last, cut=True)
        row = db.execute("SELECT * FROM articles WHERE id = ?", (number,)).fetchone()
        if row is not None and row["url"] not in urls and (hit := _hit(db, row, query)):
            if len(hits) == limit:
                return Found(tuple(hits), last)
            hits.append(hit)
            urls |= {hit.url} if hit.url else set()
        last = number
    return Found(tuple(hits), None)


def _candidates(db: sqlite3.Connection, query: Query, before: int) -> Iterator[int]:
    sql = "SELECT rowid FROM article_words WHERE article_words MATCH ? AND rowid < ? ORDER BY rowid DESC"
    return (row[0] for row in db.execute(sql, (query.expression, before)))


def _same_url(db: sqlite3.Connection, row: sqlite3.Row) -> list[int]:
    sql = "SELECT id FROM articles WHERE url = ? AND id <> ? ORDER BY id DESC LIMIT ?"
    return [number for (number,) in db.execute(sql, (row["url"], row["id"], _SOURCES))]


def _hit(db: sqlite3.Connection, row: sqlite3.Row, query: Query) -> Hit | None:
    """The article as found; None when its text has not what is asked for, or a newer one of its URL has."""
    texts = passages(db, row["id"])
    folded = dict(zip(texts, fold(texts.values()), strict=True))
    if not query.found(folded.values()):
        return None
    others = []
    for other in _same_url(db, row):
        if query.found(fold(passages(db, other).values())):
            if other > row["id"]:
                return None
            others.append(other)
    return Hit(
        **{key: row[key] for key in ("id", "kind", "title", "url", "given", "language", "archived")},
        title_parts=_marked(row["title"], _spans(row["title"], query), 0, len(row["title"])),
        passages=_shown(texts, [place for place, text in folded.items() if query.touches(text)], query),
        others=tuple(others),
    )


def _shown(texts: dict[Place, str], having: list[Place], query: Query) -> tuple[Passage, ...]:
    """The first passages that have something of what is asked for; else how the text begins."""
    body = [place for place in having if place[0] != "title"] or [
        place for place in texts if place[0] == "text"
    ][:1]
    return tuple(Passage(*place, excerpt(texts[place], query)) for place in body[:_PASSAGES])


def excerpt(text: str, query: Query) -> Parts:
    """The part of a passage around the first words that were looked for, in one line."""
    spans = _spans(text, query)
    first = spans[0][0] if spans else 0
    start = _edge(text, max(0, first - AROUND)) if first > AROUND else 0
    end = min(len(text), max(start + SHOWN, spans[0][1] if spans else 0))
    end = end if end == len(text) else max(_edge(text, end - 15), first)
    parts = _marked(text, spans, start, end)
    if end < len(text) and parts:
        parts = (*parts[:-1], (parts[-1][0].rstrip(), parts[-1][1]))
    return (("…", False),) * (start > 0) + parts + (("…", False),) * (end < len(text))


def _edge(text: str, at: int) -> int:
    """The next place at which no word of letters is cut, if there is one near."""
    found = re.compile(r"\s").search(text, at, at + 15)
    return found.end() if found else at


def _spans(text: str, query: Query) -> list[tuple[int, int]]:
    """Where the phrases stand in a text, in order and apart from each other."""
    folded, where = placed(text[:_LOOKED_AT])
    found = []
    for phrase in query.phrases:
        needle = phrase.needle
        left, right = len(needle) - len(needle.lstrip()), len(needle) - len(needle.rstrip())
        at = folded.find(needle)
        while at >= 0:
            found.append((where[at + left][0], where[at + len(needle) - 1 - right][1]))
            at = folded.find(needle, at + 1)
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _marked(text: str, spans: list[tuple[int, int]], start: int, end: int) -> Parts:
    """The text from `start` to `end`, in parts, each in one line."""
    parts, at = [], start
    for first, last in spans:
        first, last = max(first, start), min(last, end)  # noqa: PLW2901
        if first < last:
            parts += [(text[at:first], False), (text[first:last], True)]
            at = last
    parts.append((text[at:end], False))
    return tuple((re.sub(r"\s+", " ", part), marked) for part, marked in parts if part)
