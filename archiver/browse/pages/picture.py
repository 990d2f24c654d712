"""The page of one picture."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archiver.browse import words
from archiver.browse.data.picture import load_picture
from archiver.browse.disk import media
from archiver.browse.language import preferred, to_say
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, Problem, explain, html
from archiver.errors import RecordError
from archiver.model import Location

NO_PICTURE = Problem(404, to_say("No such picture"), to_say("The archive holds no picture with this digest."))


async def picture_page(datasette: Any, request: Any) -> Any:
    """`/-/pictures/<sha256>`: one picture with its forms, its articles, its look-alikes, where it lies."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    digest = f"sha256:{request.url_vars['digits']}"
    language = preferred(request.headers.get("accept-language", ""))
    database = datasette.get_database(here.database)
    page = await database.execute_fn(lambda db: load_picture(db, digest, language))
    if page is None:
        return await explain(datasette, request, NO_PICTURE)
    places = await database.execute_fn(lambda db: media.locations(db, digest))
    damage = await asyncio.to_thread(damaged_places, here.root, places, digest)
    context = {
        "page": page,
        "look": page.look,
        "damage": damage,
        "damaged": len(damage) == len(places),
        "checked": len(places),
    }
    return await html(datasette, request, "archive_picture_page.html", context)


def damaged_places(root: Path, places: Sequence[Location], digest: str) -> list[str]:
    """What is wrong at each place that no longer holds the bytes with this digest, found by hashing them."""
    damage = []
    for place in places:
        try:
            media.read_intact(root, [place], digest)
        except RecordError as error:
            damage.append(words.plain(error))
    return damage
