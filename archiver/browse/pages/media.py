"""A picture's bytes, and thumbnails."""

import asyncio
from typing import Any

from archiver.browse import media
from archiver.browse.library import Library, library
from archiver.browse.render import Problem, archived, explain
from archiver.errors import RecordError, SandboxError
from archiver.model import Location

SMALL, LARGE = 480, 1200  # thumbnail widths in pixels: cards and cells, article pages
_NO_PICTURE = Problem(404, "No such picture", "The archive holds no bytes with this digest.")


def _damage(error: RecordError) -> Problem:
    reason = "The stored bytes are no longer the bytes that were archived, so they are not shown."
    advice = "Run 'archiver verify' on the archive to see how much is damaged."
    return Problem(500, "Damaged", f"{reason} {error}", advice)


def _unshown(reason: object) -> Problem:
    return Problem(415, "Not shown", f"The bytes are intact, but {reason}.")


async def picture(datasette: Any, request: Any) -> Any:
    """`/-/media/<sha256>`: a picture's bytes as archived, or a page that says why not."""
    here, digits, places = await _places(datasette, request)
    if here is None or not places:
        return await explain(datasette, request, _NO_PICTURE)
    if f'"{digits}"' in request.headers.get("if-none-match", ""):
        return archived(b"", "text/plain", digits, status=304)
    try:
        record = await asyncio.to_thread(media.read_intact, here.root, places, f"sha256:{digits}")
    except RecordError as error:
        return await explain(datasette, request, _damage(error))
    try:
        data, media_type = media.picture(record)
    except RecordError as error:
        return await explain(datasette, request, _unshown(error))
    if media_type is None:
        return await explain(datasette, request, _unshown("they are no picture that is safe to show"))
    return archived(data, media_type, digits)


async def thumbnail(datasette: Any, request: Any) -> Any:
    """`/-/thumbnail/<sha256>[?size=large]`: our own WebP of a picture."""
    here, digits, places = await _places(datasette, request)
    if here is None or not places:
        return await explain(datasette, request, _NO_PICTURE)
    width = LARGE if request.args.get("size") == "large" else SMALL
    try:
        record = await asyncio.to_thread(media.read_intact, here.root, places, f"sha256:{digits}")
    except RecordError as error:
        return await explain(datasette, request, _damage(error))
    try:
        made = await asyncio.to_thread(here.thumbnails.get, record, digits, width)
    except (RecordError, SandboxError) as error:
        return await explain(datasette, request, _unshown(error))
    return archived(made, "image/webp", f"{digits}-{width}")


async def _places(datasette: Any, request: Any) -> tuple[Library | None, str, list[Location]]:
    here, digits = library(datasette), request.url_vars["digits"]
    if here is None:
        return None, digits, []
    database = datasette.get_database(here.database)
    return here, digits, await database.execute_fn(lambda db: media.locations(db, f"sha256:{digits}"))
