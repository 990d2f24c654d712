"""The list of articles."""

import asyncio
import math
from collections.abc import Iterable
from typing import Any

from datasette.utils.asgi import Response

from archiver.browse import media
from archiver.browse.data import cards
from archiver.browse.language import preferred
from archiver.browse.library import Library, library
from archiver.browse.render import NO_ARCHIVE, explain, html
from archiver.errors import RecordError
from archiver.model import Location

CHECKED_BYTES = 64 << 20  # a page's pictures are re-hashed before it is shown, up to this sum


async def articles(datasette: Any, request: Any) -> Any:
    """`/-/articles[?page=N]`: cards, newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    asked = request.args.get("page") or "1"
    database = datasette.get_database(here.database)
    total = await database.execute_fn(cards.count_articles)
    pages = max(1, math.ceil(total / cards.PAGE_SIZE))
    page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
    page = min(max(1, page), pages)
    say = preferred(request.headers.get("accept-language", "")).say
    found = await database.execute_fn(lambda db: cards.list_cards(db, page, say))
    leads = {card.lead for card in found if card.lead}
    places = await database.execute_fn(
        lambda db: [(lead, media.locations(db, f"sha256:{lead}")) for lead in leads]
    )
    damaged = await asyncio.to_thread(damaged_pictures, here, places)
    context = {"cards": found, "damaged": damaged, "total": total, "page": page, "pages": pages}
    return await html(datasette, request, "archive_articles.html", context)


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


async def start(datasette: Any) -> Any:
    """`/` of `archiver browse`: the list of articles."""
    return Response.redirect(datasette.urls.path("/-/articles"))
