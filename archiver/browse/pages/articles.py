"""The list of articles."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

from archiver.browse.data import cards
from archiver.browse.disk import media
from archiver.browse.language import preferred
from archiver.browse.library import Library, library
from archiver.browse.render import NO_ARCHIVE, explain, html
from archiver.errors import RecordError
from archiver.model import Location

_MONTH = re.compile("[0-9]{4}-[0-9]{2}")
CHECKED_BYTES = 64 << 20  # a page's pictures are re-hashed before it is shown, up to this sum


async def articles(datasette: Any, request: Any) -> Any:
    """`/-/articles[?month=…][&before=ID][&after=ID]`: cards, newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    month = request.args.get("month") or ""
    window = cards.Window(
        before=_number(request.args.get("before")),
        after=_number(request.args.get("after")),
        month=month if _MONTH.fullmatch(month) else "",
    )
    say = preferred(request.headers.get("accept-language", "")).say
    database = datasette.get_database(here.database)
    found = await database.execute_fn(lambda db: cards.list_cards(db, window, say))
    leads = {card.lead for card in found.cards if card.lead}
    places = await database.execute_fn(
        lambda db: [(lead, media.locations(db, f"sha256:{lead}")) for lead in leads]
    )
    context = {
        "found": found,
        "cards": found.cards,
        "damaged": await asyncio.to_thread(damaged_pictures, here, places),
        "total": None if window.month else await database.execute_fn(cards.count_articles),
        "month": window.month,
        "months": await database.execute_fn(cards.months),
    }
    return await html(datasette, request, "archive_articles.html", context)


def _number(asked: str | None) -> int | None:
    return int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def damaged_pictures(here: Library, pictures: Iterable[tuple[str, list[Location]]]) -> frozenset[str]:
    """Digits of the pictures whose bytes are not as archived, found by reading and hashing them."""
    damaged: set[str] = set()
    budget = CHECKED_BYTES
    for digits, places in pictures:
        budget -= sum(place.length for place in places[:1])
        if budget < 0:
            break
        try:
            media.read_intact(here.root, places, f"sha256:{digits}")
        except RecordError:
            damaged.add(digits)
    return frozenset(damaged)
