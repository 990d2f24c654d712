"""The page of one picture."""

import asyncio
from typing import Any

from archiver.browse.data.picture import load_picture
from archiver.browse.disk import media
from archiver.browse.language import spoken, to_say
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, Problem, explain, html

NO_PICTURE = Problem(404, to_say("No such picture"), to_say("The archive holds no picture with this digest."))


async def picture_page(datasette: Any, request: Any) -> Any:
    """`/-/pictures/<sha256>`: one picture with its forms, its articles, its look-alikes, where it lies."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    digest = f"sha256:{request.url_vars['digits']}"
    language = spoken(request)
    database = datasette.get_database(here.database)
    page = await database.execute_fn(lambda db: load_picture(db, digest, language))
    if page is None:
        return await explain(datasette, request, NO_PICTURE)
    places = await database.execute_fn(lambda db: media.locations(db, digest))
    damage = await asyncio.to_thread(media.damaged_places, here.root, places, digest)
    context = {
        "page": page,
        "look": page.look,
        "damage": damage,
        "damaged": len(damage) == len(places),
        "checked": len(places),
    }
    return await html(datasette, request, "archive_picture_page.html", context)
