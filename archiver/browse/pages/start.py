"""The start page: how much there is, the newest, how it is, and what needs attention."""

import asyncio
from typing import Any

from archiver.browse.data import start as data
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.pages.leads import damaged_leads
from archiver.browse.render import NO_ARCHIVE, explain, html


async def start(datasette: Any, request: Any) -> Any:
    """`/-/archive`, and `/` of `archiver browse`."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    say = spoken(request).say
    database = datasette.get_database(here.database)
    held = await database.execute_fn(data.load_held)
    cards = await database.execute_fn(lambda db: data.load_newest(db, say))
    needs = await database.execute_fn(data.load_needs)
    context = {
        "held": held,
        "cards": cards,
        "needs": needs,
        "health": await asyncio.to_thread(data.load_health, here.root),
        "damaged": await damaged_leads(datasette, here, cards),
    }
    return await html(datasette, request, "archive_start.html", context)
