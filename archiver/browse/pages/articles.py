"""The list of articles."""

import re
from typing import Any

from archiver.browse import words
from archiver.browse.data import cards
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.pages.leads import damaged_leads
from archiver.browse.render import NO_ARCHIVE, explain, html

_MONTH = re.compile("[0-9]{4}-[0-9]{2}")


async def articles(datasette: Any, request: Any) -> Any:
    """`/-/articles[?month=…][&before=ID][&after=ID]`: cards, newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    month = request.args.get("month") or ""
    window = cards.Window(
        before=words.number_of(request.args.get("before")),
        after=words.number_of(request.args.get("after")),
        month=month if _MONTH.fullmatch(month) else "",
    )
    say = spoken(request).say
    database = datasette.get_database(here.database)
    found = await database.execute_fn(lambda db: cards.list_cards(db, window, say))
    context = {
        "found": found,
        "cards": found.cards,
        "damaged": await damaged_leads(datasette, here, found.cards),
        "total": None if window.month else await database.execute_fn(cards.count_articles),
        "month": window.month,
        "months": await database.execute_fn(cards.months),
    }
    return await html(datasette, request, "archive_articles.html", context)
