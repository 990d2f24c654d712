"""Answers: our own pages from templates, problems in words, and archived bytes."""

import sqlite3
from importlib.resources import files
from typing import Any, NamedTuple

from datasette.utils.asgi import Response
from markupsafe import Markup

from archiver.browse import words
from archiver.browse.language import preferred, to_say
from archiver.browse.library import library

# Our own pages: no script at all. Archived bytes: nothing at all, in an origin of their own.
PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
BYTES_POLICY = "default-src 'none'; sandbox"
_STATIC = files("archiver.browse").joinpath("static")
STYLES = {each.name: each.read_bytes() for each in _STATIC.iterdir() if each.name.endswith(".css")}


class Problem(NamedTuple):
    """What is shown in words instead of what was asked for: English that is `to_say`, or is said already."""

    status: int
    title: str
    reason: str
    advice: str = ""


NO_ARCHIVE = Problem(
    404, to_say("No archive"), to_say("None of the databases served here is the catalogue of an archive.")
)


async def html(datasette: Any, request: Any, template: str, context: dict[str, Any]) -> Any:
    """A page of ours. Every template has `say`, `plural`, `lang`, `words`, `archive` and `database`.

    `context` may have a `status` for the answer.
    """
    here = library(datasette)
    language = preferred(request.headers.get("accept-language", ""))
    shared = {
        "archive": words.plain(here.root.name) if here else "",
        "database": here.database if here else None,
        "words": words,
        "say": language.say,
        "plural": language.plural,
        "lang": language.tag,
    }
    text = await datasette.render_template(template, shared | context, request=request)
    headers = {
        "Content-Security-Policy": PAGE_POLICY,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Language, Cookie",
    }
    return Response.html(text, status=context.get("status", 200), headers=headers)


async def explain(datasette: Any, request: Any, problem: Problem) -> Any:
    """A page that says what went wrong, why, and what to do."""
    say = preferred(request.headers.get("accept-language", "")).say
    texts = {
        name: words.plain(say(text)) if text else ""
        for name, text in problem._asdict().items()
        if name != "status"
    }
    context = {"status": problem.status, **texts}
    return await html(datasette, request, "archive_message.html", context)


async def refuse(datasette: Any, request: Any, error: Any) -> Any:
    """What a visitor asked for and cannot have, as Datasette or SQLite says it."""
    say = preferred(request.headers.get("accept-language", "")).say
    status, title, advice = getattr(error, "status", 500), getattr(error, "title", None), ""
    message = str(getattr(error, "message", error))
    if isinstance(error, sqlite3.Error):
        title, advice = say("The catalogue cannot be read"), say("'archiver rebuild' makes it anew.")
    if request.path.endswith(".json"):
        body = {"ok": False, "error": message, "status": status, "title": title}
        return Response.json(getattr(error, "error_dict", {}) | body, status=status)
    if getattr(error, "message_is_html", False):
        message = Markup(message).striptags()  # noqa: S704 - its HTML is taken off, and the text escaped
    known = {403: say("Not allowed"), 404: say("Not found")}.get(status, say("That did not work"))
    return await explain(datasette, request, Problem(status, title or known, message, advice))


async def style(datasette: Any, request: Any) -> Any:  # noqa: ARG001 - Datasette gives what a view names
    """`/-/archive-style/<name>.css`: our style sheets."""
    body = STYLES[request.url_vars["name"]]
    headers = {"Cache-Control": "max-age=300", "Content-Length": str(len(body))}
    return Response(body, headers=headers, content_type="text/css; charset=utf-8")


def archived(data: bytes, media_type: str, tag: str, status: int = 200) -> Any:
    """Bytes out of the archive, which no browser may run; `tag` is what they are known by (ETag)."""
    headers = {
        "Content-Security-Policy": BYTES_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=31536000, immutable",
        "ETag": f'"{tag}"',
    }
    if status == 200:
        headers["Content-Length"] = str(len(data))
    return Response(data, status=status, headers=headers, content_type=media_type)
