"""What a search found, as plain data for the template."""

import sqlite3
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data.cards import Card, make_cards, select
from archiver.browse.language import Say
from archiver.index.search import Query, parse
from archiver.search import Hit, Parts, search

PAGE_SIZE = 20
_READ = 150  # articles whose text is read for one page
_WRITTEN = 300  # characters of a query that are shown again


@dataclass(frozen=True)
class Result:
    """An article. `title` and each of the `passages`, which have the name of their place, are in parts."""

    card: Card
    title: Parts
    passages: tuple[tuple[str, Parts], ...]
    others: int


@dataclass(frozen=True)
class Results:
    """One page. `asked`: the phrases that were searched for, those joined by OR together.

    `older`: the number before which the next page begins; `cut`: there were too many to read for one page.
    """

    written: str
    asked: tuple[tuple[str, ...], ...]
    without: tuple[str, ...]
    hits: tuple[Result, ...]
    first: bool
    older: int | None
    cut: bool


def load_results(db: sqlite3.Connection, written: str, before: int | None, say: Say) -> Results:
    """One page of what a query finds, in articles before one."""
    query = parse(written)
    found = search(db, query, limit=PAGE_SIZE, before=before, most=_READ)
    rows = select(db, "SELECT * FROM articles WHERE id IN ({})", [hit.id for hit in found.hits])
    cards = {card.id: card for card in make_cards(db, rows, say)}
    asked, without = _asked(query)
    return Results(
        written=words.plain(written)[:_WRITTEN],
        asked=asked,
        without=without,
        hits=tuple(_result(hit, cards[hit.id], say) for hit in found.hits),
        first=before is None,
        older=found.older,
        cut=found.cut,
    )


def _asked(query: Query) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    groups = tuple(tuple(words.plain(phrase.written) for phrase in group) for group in query.groups)
    return groups, tuple(words.plain(phrase.written) for phrase in query.without)


def _result(hit: Hit, card: Card, say: Say) -> Result:
    names = {
        "caption": say("Caption"),
        "alt": say("Alternative text"),
        "authors": say("Authors"),
        "section": say("Section"),
    }
    return Result(
        card=card,
        title=_plain(hit.title_parts) or ((card.title, False),),
        passages=tuple((names.get(each.place, ""), _plain(each.parts)) for each in hit.passages),
        others=len(hit.others),
    )


def _plain(parts: Parts) -> Parts:
    cleaned = ((words.plain(text), marked) for text, marked in parts)
    return tuple((text, marked) for text, marked in cleaned if text)
