"""The versions of one article."""

import asyncio
import math
from typing import Any

from archiver.browse import words
from archiver.browse.data import versions as data
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.pages.article import NO_ARTICLE
from archiver.browse.render import NO_ARCHIVE, explain, html


async def versions(datasette: Any, request: Any) -> Any:
    """`/-/articles/<id>/versions[?page=N]`: what changed from each capture and source to the next."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    number, asked = int(request.url_vars["id"]), words.number_of(request.args.get("page"))
    page = 1 if asked is None else asked
    language = spoken(request)
    database = datasette.get_database(here.database)
    loaded = await database.execute_fn(lambda db: data.load_versions(db, number, page, language))
    if loaded is None:
        return await explain(datasette, request, NO_ARTICLE)
    context = {
        "id": number,
        "loaded": loaded,
        "steps": await asyncio.to_thread(data.told, loaded, language),
        "pages": math.ceil(loaded.total / data.PAGE_SIZE),
    }
    return await html(datasette, request, "archive_versions.html", context)
