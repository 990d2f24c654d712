"""A picture's bytes, and thumbnails: hashed at every answer."""

import asyncio
from typing import Any

from datasette.utils.asgi import Response
from markupsafe import Markup

from archiver.browse.disk import media
from archiver.browse.language import Say, spoken
from archiver.browse.library import Library, library
from archiver.browse.render import BYTES_POLICY, Problem, explain, served
from archiver.errors import RecordError, SandboxError
from archiver.model import Location

SMALL, LARGE = 480, 1200  # thumbnail widths in pixels: cards and cells, article pages
# What stands where a picture would: words in a colour that reads on light and dark.
_SIGN = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" width="480" height="320" viewBox="0 0 480 320" role="img">'
    '<rect width="480" height="320" fill="#f7dcd6"/>'
    '<path d="M2 2 478 318M478 2 2 318" stroke="#a81e1e" stroke-width="3" opacity=".35"/>'
    '<text x="240" y="172" font-family="sans-serif" font-size="34" font-weight="600" text-anchor="middle"'
    ' fill="#a81e1e">{}</text></svg>'
)


def _nothing(say: Say) -> Problem:
    return Problem(404, say("No such picture"), say("The archive holds no bytes with this digest."))


def _damage(say: Say, error: RecordError) -> Problem:
    reason = say("The stored bytes are no longer the bytes that were archived, so they are not shown.")
    advice = say("Run 'archiver verify' on the archive to see how much is damaged.")
    return Problem(500, say("Damaged"), f"{reason} {error}", advice)


def _unshown(say: Say, reason: object) -> Problem:
    return Problem(415, say("Not shown"), say("The bytes are intact, but %(reason)s.", reason=reason))


async def original(datasette: Any, request: Any) -> Any:
    """`/-/media/<sha256>[?download]`: a picture's bytes as archived, or a page that says why not."""
    say = spoken(request).say
    here, digits, places = await _places(datasette, request)
    if here is None or not places:
        return await explain(datasette, request, _nothing(say))
    try:
        record = await asyncio.to_thread(media.read_intact, here.root, places, f"sha256:{digits}")
    except RecordError as error:
        return await _refused(datasette, request, _damage(say, error))
    try:
        data, media_type = media.picture(record)
    except RecordError as error:
        return await explain(datasette, request, _unshown(say, error))
    if media_type is None:
        return await explain(
            datasette, request, _unshown(say, say("they are no picture that is safe to show"))
        )
    name = f"{digits[:16]}.{media.SUFFIXES[media_type]}" if "download" in request.args else ""
    return served(request, data, media_type, digits, name=name)


async def thumbnail(datasette: Any, request: Any) -> Any:
    """`/-/thumbnail/<sha256>[?size=large]`: our own WebP of a picture."""
    say = spoken(request).say
    here, digits, places = await _places(datasette, request)
    if here is None or not places:
        return await explain(datasette, request, _nothing(say))
    width = LARGE if request.args.get("size") == "large" else SMALL
    try:
        record = await asyncio.to_thread(media.read_intact, here.root, places, f"sha256:{digits}")
    except RecordError as error:
        return await _refused(datasette, request, _damage(say, error))
    try:
        made = await asyncio.to_thread(here.thumbnails.get, record, digits, width)
    except (RecordError, SandboxError) as error:
        return await _refused(datasette, request, _unshown(say, error))
    return served(request, made, "image/webp", f"{digits}-{width}")


async def _refused(datasette: Any, request: Any, problem: Problem) -> Any:
    """The problem in words; where a page shows a picture, as a sign in its place."""
    if request.headers.get("sec-fetch-dest", "") != "image":
        return await explain(datasette, request, problem)
    body = _SIGN.format(problem.title).encode()
    headers = {
        "Content-Security-Policy": BYTES_POLICY,
        "Cache-Control": "no-store",
        "Content-Length": str(len(body)),
    }
    return Response(body, status=problem.status, headers=headers, content_type="image/svg+xml")


async def _places(datasette: Any, request: Any) -> tuple[Library | None, str, list[Location]]:
    here, digits = library(datasette), request.url_vars["digits"]
    if here is None:
        return None, digits, []
    database = datasette.get_database(here.database)
    return here, digits, await database.execute_fn(lambda db: media.locations(db, f"sha256:{digits}"))
