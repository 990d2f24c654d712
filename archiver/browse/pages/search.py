"""Articles by their words."""

from typing import Any

from archiver.browse import words
from archiver.browse.data.search import load_results
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.pages.leads import damaged_leads
from archiver.browse.render import NO_ARCHIVE, explain, html


async def search(datasette: Any, request: Any) -> Any:
    """`/-/search?q=WORDS[&before=ID]`: what a search found, newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    database = datasette.get_database(here.database)
    before = words.number_of(request.args.get("before"))
    written = request.args.get("q") or ""
    say = spoken(request).say
    results = await database.execute_fn(lambda db: load_results(db, written, before, say))
    damaged = await damaged_leads(datasette, here, [each.card for each in results.hits])
    context = {"results": results, "damaged": damaged, "query": results.written}
    return await html(datasette, request, "archive_search.html", context)
