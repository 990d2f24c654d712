"""The routes: the list of articles, an article, a picture's bytes, a thumbnail."""

import asyncio
import math
import sqlite3
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, NamedTuple

from datasette.utils.asgi import Response
from markupsafe import Markup

from archiver.browse import cards, media, words
from archiver.browse.article import Page, load_page
from archiver.browse.library import Library, library
from archiver.errors import RecordError, SandboxError
from archiver.model import Location

# Our own pages: no script at all. Archived bytes: nothing at all, in an origin of their own.
PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
BYTES_POLICY = "default-src 'none'; sandbox"
SMALL, LARGE = 480, 1200  # thumbnail widths in pixels: cards and cells, article pages
CHECKED_BYTES = 64 << 20  # a page's pictures are re-hashed before it is shown, up to this sum
_STATIC = files("archiver.browse").joinpath("static")
STYLES = {name: _STATIC.joinpath(name).read_bytes() for name in ("archive.css", "tables.css")}


class Problem(NamedTuple):
    """What is shown in words instead of what was asked for."""

    status: int
    title: str
    reason: str
    advice: str = ""


_NO_ARCHIVE = Problem(404, "No archive", "None of the databases served here is the catalogue of an archive.")
_NO_ARTICLE = Problem(404, "No such article", "The archive holds no article with this number.")
_NO_PICTURE = Problem(404, "No such picture", "The archive holds no bytes with this digest.")


def _damage(error: RecordError) -> Problem:
    reason = "The stored bytes are no longer the bytes that were archived, so they are not shown."
    advice = "Run 'archiver verify' on the archive to see how much is damaged."
    return Problem(500, "Damaged", f"{reason} {error}", advice)


def _unshown(reason: object) -> Problem:
    return Problem(415, "Not shown", f"The bytes are intact, but {reason}.")


# --- our own pages ------------------------------------------------------------------------------


async def articles(datasette: Any, request: Any) -> Any:
    """`/-/articles[?page=N]`: cards, newest first."""
    here = library(datasette)
    if here is None:
        return await _explain(datasette, request, _NO_ARCHIVE)
    asked = request.args.get("page") or "1"
    database = datasette.get_database(here.database)
    total = await database.execute_fn(cards.count_articles)
    pages = max(1, math.ceil(total / cards.PAGE_SIZE))
    page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
    page = min(max(1, page), pages)
    found = await database.execute_fn(lambda db: cards.list_cards(db, page))
    leads = {card.lead for card in found if card.lead}
    places = await database.execute_fn(
        lambda db: [(lead, media.locations(db, f"sha256:{lead}")) for lead in leads]
    )
    damaged = await asyncio.to_thread(_damaged, here, places)
    context = {"cards": found, "damaged": damaged, "total": total, "page": page, "pages": pages}
    return await _html(datasette, request, "archive_articles.html", context)


async def article(datasette: Any, request: Any) -> Any:
    """`/-/articles/<id>`: one article with its pictures, its claimed times, and where it all lies."""
    here = library(datasette)
    if here is None:
        return await _explain(datasette, request, _NO_ARCHIVE)
    number = int(request.url_vars["id"])
    page = await datasette.get_database(here.database).execute_fn(lambda db: load_page(db, number))
    if page is None:
        return await _explain(datasette, request, _NO_ARTICLE)
    pictures = sorted(page.pictures.values(), key=lambda each: each.aside)
    copies = (copy.shown for each in pictures for copy in each.copies)
    places = [(shown[0], [shown[1]]) for shown in copies if shown]
    damaged = await asyncio.to_thread(_damaged, here, places)
    context = {"page": page, "card": page.card, "damaged": damaged, "groups": _groups(page)}
    return await _html(datasette, request, "archive_article.html", context)


def _damaged(here: Library, pictures: Iterable[tuple[str, list[Location]]]) -> frozenset[str]:
    """Digits of the pictures whose bytes are not as archived, found by reading and hashing them."""
    damaged: set[str] = set()
    budget = CHECKED_BYTES
    for digits, places in pictures:
        budget -= sum(place.length for place in places[:1])
        if budget < 0:
            break
        try:
            media.read_intact(here.root, places, f"sha256:{digits}")
        except RecordError:
            damaged.add(digits)
    return frozenset(damaged)


def _groups(page: Page) -> dict[str, Any]:
    """The article's body as a template can walk it: list items together, the other pictures apart."""
    body: list[dict[str, Any]] = []
    own = {number: picture for number, picture in page.pictures.items() if not picture.aside}
    placed: set[int] = set()
    for kind, text, number in page.blocks:
        if kind == "picture":
            if number in own and number not in placed:
                placed.add(number)
                body.append({"kind": kind, "picture": own[number]})
        elif kind == "item" and body and body[-1]["kind"] == "list":
            body[-1]["items"].append(text)
        elif kind == "item":
            body.append({"kind": "list", "items": [text]})
        else:
            body.append({"kind": kind, "text": text})
    others = [picture for number, picture in own.items() if number not in placed]
    aside = [picture for picture in page.pictures.values() if picture.aside]
    text = " ".join(text for _, text, _ in page.blocks)[:2000]
    language = words.language_of(text, page.card.language)
    return {"body": body, "others": others, "aside": aside, "language": language}


async def style(datasette: Any, request: Any) -> Any:  # noqa: ARG001 - Datasette gives what a view names
    """`/-/archive-style/<name>.css`: our style sheets."""
    body = STYLES[request.url_vars["name"]]
    headers = {"Cache-Control": "max-age=300", "Content-Length": str(len(body))}
    return Response(body, headers=headers, content_type="text/css; charset=utf-8")


async def start(datasette: Any) -> Any:
    """`/` of `archiver browse`: the list of articles."""
    return Response.redirect(datasette.urls.path("/-/articles"))


async def _html(datasette: Any, request: Any, template: str, context: dict[str, Any]) -> Any:
    here = library(datasette)
    shared = {
        "archive": words.plain(here.root.name) if here else "",
        "database": here.database if here else None,
        "words": words,
    }
    html = await datasette.render_template(template, shared | context, request=request)
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    return Response.html(html, status=context.get("status", 200), headers=headers)


async def _explain(datasette: Any, request: Any, problem: Problem) -> Any:
    context = problem._asdict() | {"reason": words.plain(problem.reason)}
    return await _html(datasette, request, "archive_message.html", context)


async def refuse(datasette: Any, request: Any, error: Any) -> Any:
    """What a visitor asked for and cannot have, as Datasette or SQLite says it."""
    status, title = getattr(error, "status", 500), getattr(error, "title", None)
    message = str(getattr(error, "message", error))
    if isinstance(error, sqlite3.Error):
        title, message = "The catalogue cannot be read", f"{message}. 'archiver rebuild' makes it anew."
    if request.path.endswith(".json"):
        body = {"ok": False, "error": message, "status": status, "title": title}
        return Response.json(getattr(error, "error_dict", {}) | body, status=status)
    if getattr(error, "message_is_html", False):
        message = Markup(message).striptags()  # noqa: S704 - its HTML is taken off, and the text escaped
    known = {403: "Not allowed", 404: "Not found"}.get(status, "That did not work")
    return await _explain(datasette, request, Problem(status, title or known, message))


# --- archived bytes -----------------------------------------------------------------------------


async def picture(datasette: Any, request: Any) -> Any:
    """`/-/media/<sha256>`: a picture's bytes as archived, or a page that says why not."""
    here, digits, places = await _places(datasette, request)
    if here is None or not places:
        return await _explain(datasette, request, _NO_PICTURE)
    if f'"{digits}"' in request.headers.get("if-none-match", ""):
        return _bytes(b"", "text/plain", digits, status=304)
    try:
        record = await asyncio.to_thread(media.read_intact, here.root, places, f"sha256:{digits}")
    except RecordError as error:
        return await _explain(datasette, request, _damage(error))
    try:
        data, media_type = media.picture(record)
    except RecordError as error:
        return await _explain(datasette, request, _unshown(error))
    if media_type is None:
        return await _explain(datasette, request, _unshown("they are no picture that is safe to show"))
    return _bytes(data, media_type, digits)


async def thumbnail(datasette: Any, request: Any) -> Any:
    """`/-/thumbnail/<sha256>[?size=large]`: our own WebP of a picture."""
    here, digits, places = await _places(datasette, request)
    if here is None or not places:
        return await _explain(datasette, request, _NO_PICTURE)
    width = LARGE if request.args.get("size") == "large" else SMALL
    try:
        record = await asyncio.to_thread(media.read_intact, here.root, places, f"sha256:{digits}")
    except RecordError as error:
        return await _explain(datasette, request, _damage(error))
    try:
        made = await asyncio.to_thread(here.thumbnails.get, record, digits, width)
    except (RecordError, SandboxError) as error:
        return await _explain(datasette, request, _unshown(error))
    return _bytes(made, "image/webp", f"{digits}-{width}")


async def _places(datasette: Any, request: Any) -> tuple[Library | None, str, list[Location]]:
    here, digits = library(datasette), request.url_vars["digits"]
    if here is None:
        return None, digits, []
    database = datasette.get_database(here.database)
    return here, digits, await database.execute_fn(lambda db: media.locations(db, f"sha256:{digits}"))


def _bytes(data: bytes, media_type: str, tag: str, status: int = 200) -> Any:
    headers = {
        "Content-Security-Policy": BYTES_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=31536000, immutable",
        "ETag": f'"{tag}"',
    }
    if status == 200:
        headers["Content-Length"] = str(len(data))
    return Response(data, status=status, headers=headers, content_type=media_type)
