"""Articles by their words."""

import asyncio
from typing import Any

from archiver.browse.data.search import load_results
from archiver.browse.disk import media
from archiver.browse.language import preferred
from archiver.browse.library import library
from archiver.browse.pages.articles import damaged_pictures
from archiver.browse.render import NO_ARCHIVE, explain, html


async def search(datasette: Any, request: Any) -> Any:
    """`/-/search?q=WORDS[&before=ID]`: what a search found, newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    database = datasette.get_database(here.database)
    before = request.args.get("before") or ""
    last = int(before) if before.isascii() and before.isdigit() and len(before) <= 18 else None
    written = request.args.get("q") or ""
    say = preferred(request.headers.get("accept-language", "")).say
    results = await database.execute_fn(lambda db: load_results(db, written, last, say))
    leads = {each.card.lead for each in results.hits if each.card.lead}
    places = await database.execute_fn(
        lambda db: [(lead, media.locations(db, f"sha256:{lead}")) for lead in leads]
    )
    damaged = await asyncio.to_thread(damaged_pictures, here, places)
    context = {"results": results, "damaged": damaged, "query": results.written}
    return await html(datasette, request, "archive_search.html", context)
