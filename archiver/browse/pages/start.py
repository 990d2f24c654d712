"""The start page: how much there is, the newest, how it is, and what needs attention."""

import asyncio
from typing import Any

from archiver.browse.data import start as data
from archiver.browse.disk import media
from archiver.browse.language import preferred
from archiver.browse.library import library
from archiver.browse.pages.articles import damaged_pictures
from archiver.browse.render import NO_ARCHIVE, explain, html


async def start(datasette: Any, request: Any) -> Any:
    """`/-/archive`, and `/` of `archiver browse`."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    say = preferred(request.headers.get("accept-language", "")).say
    database = datasette.get_database(here.database)
    held = await database.execute_fn(data.load_held)
    cards = await database.execute_fn(lambda db: data.load_newest(db, say))
    needs = await database.execute_fn(data.load_needs)
    leads = {card.lead for card in cards if card.lead}
    places = await database.execute_fn(
        lambda db: [(lead, media.locations(db, f"sha256:{lead}")) for lead in leads]
    )
    context = {
        "held": held,
        "cards": cards,
        "needs": needs,
        "health": await asyncio.to_thread(data.load_health, here.root),
        "damaged": await asyncio.to_thread(damaged_pictures, here, places),
    }
    return await html(datasette, request, "archive_start.html", context)
