"""Answers: our own pages from templates, problems in words, and archived bytes."""

import asyncio
import logging
import os
import re
import sqlite3
import traceback
from importlib.resources import files
from typing import Any, BinaryIO, NamedTuple

from datasette.utils.asgi import Base400, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup

from archiver.browse import words
from archiver.browse.language import spoken, to_say
from archiver.browse.library import library, settings
from archiver.errors import ArchiverError

# Our own pages: no script at all. Archived bytes: nothing at all, in an origin of their own.
PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
BYTES_POLICY = "default-src 'none'; sandbox"
_PIECE = 1 << 18
_log = logging.getLogger(__name__)
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


NOT_PUBLIC = Problem(
    403,
    to_say("Not for the public"),
    to_say("This server shows the archive and gives away no whole files."),
    to_say("Ask who runs it for a copy."),
)


class Download(Response):
    """A file to keep, which no browser opens: sent piece by piece, then closed."""

    def __init__(self, file: BinaryIO, name: str, media_type: str) -> None:
        headers = {
            "Content-Security-Policy": BYTES_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(os.fstat(file.fileno()).st_size),
        }
        super().__init__(b"", headers=headers, content_type=media_type)  # type: ignore[no-untyped-call]
        self._file = file

    async def asgi_send(self, send: Any) -> None:
        fields = {**self.headers, "content-type": self.content_type}
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        with self._file as file:
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def is_public(datasette: Any) -> bool:
    """Whether strangers are served (`archiver browse --public`): no SQL, no whole files, no writing."""
    return settings(datasette).get("public") is True


async def html(datasette: Any, request: Any, template: str, context: dict[str, Any]) -> Any:
    """A page of ours.

    Every template has `say`, `plural`, `lang`, `words`, `archive`, `database`, `public`. `context` may have a
    `status` for the answer, and `writable` where it has a form that writes.
    """
    here = library(datasette)
    language = spoken(request)
    shared = {
        "archive": words.plain(here.root.name) if here else "",
        "database": here.database if here else None,
        "words": words,
        "public": is_public(datasette),
        "say": language.say,
        "plural": language.plural,
        "lang": language.tag,
    }
    policy = {"Referrer-Policy": "same-origin"} if context.get("writable") else {}
    text = await datasette.render_template(template, shared | context, request=request)
    headers = {
        "Content-Security-Policy": PAGE_POLICY,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Language, Cookie",
        **policy,  # a form: under `no-referrer` a browser would say `Origin: null`
    }
    return Response.html(text, status=context.get("status", 200), headers=headers)


async def explain(datasette: Any, request: Any, problem: Problem) -> Any:
    """A page that says what went wrong, why, and what to do."""
    say = spoken(request).say
    texts = {
        name: words.plain(nowhere(datasette, say(text))) if text else ""
        for name, text in problem._asdict().items()
        if name != "status"
    }
    context = {"status": problem.status, **texts}
    return await html(datasette, request, "archive_message.html", context)


def nowhere(datasette: Any, text: str) -> str:
    """What an error says of the archive's files, without where on this machine it lies."""
    here = library(datasette)
    return text.replace(f"{here.root}/", "").replace(str(here.root), here.root.name) if here else text


async def refuse(datasette: Any, request: Any, error: Any) -> Any:
    """What a visitor asked for and cannot have, as Datasette, SQLite or the archive says it.

    Of what nobody foresaw, a forged row or a fault of ours, only its kind and place are told: the message may
    quote this machine's paths.
    """
    say = spoken(request).say
    status, title, advice = getattr(error, "status", 500), getattr(error, "title", None), ""
    message = str(getattr(error, "message", error))
    if isinstance(error, sqlite3.Error):
        title, advice = say("The catalogue cannot be read"), say("'archiver rebuild' makes it anew.")
    elif isinstance(error, ArchiverError):
        advice = error.advice
    elif not isinstance(error, Base400 | DatasetteError):
        what = f"{type(error).__name__}, {_place(error)}"
        _log.error("%.200a: %s", request.path, what)
        title = say("This page cannot be made")
        message = say("The catalogue holds what it should not, or we have a fault: %(what)s.", what=what)
        advice = say("'archiver rebuild' makes the catalogue anew.")
    if request.path.endswith(".json"):
        body = {"ok": False, "error": message, "status": status, "title": title}
        return Response.json(getattr(error, "error_dict", {}) | body, status=status)
    if getattr(error, "message_is_html", False):
        message = Markup(message).striptags()  # noqa: S704 - its HTML is taken off, and the text escaped
    known = {403: say("Not allowed"), 404: say("Not found")}.get(status, say("That did not work"))
    return await explain(datasette, request, Problem(status, title or known, message, advice))


def _place(error: BaseException) -> str:
    """The last line of ours that an exception passed, as `archiver.warc.read:80`."""
    frames = [
        (each.f_globals.get("__name__", ""), line) for each, line in traceback.walk_tb(error.__traceback__)
    ]
    ours = [f"{name}:{line}" for name, line in frames if name.startswith("archiver.")]
    return ours[-1] if ours else "datasette"


async def style(datasette: Any, request: Any) -> Any:  # noqa: ARG001 - Datasette gives what a view names
    """`/-/archive-style/<name>.css`: our style sheets."""
    body = STYLES[request.url_vars["name"]]
    headers = {"Cache-Control": "max-age=300", "Content-Length": str(len(body))}
    return Response(body, headers=headers, content_type="text/css; charset=utf-8")


def served(request: Any, data: bytes, media_type: str, tag: str, *, name: str = "") -> Any:
    """Bytes out of the archive, which no browser may run: all, one range (RFC 9110, section 14), or 304.

    The caller has just hashed them; a browser asks again at every view, so that damage shows. `tag` is what
    they are known by (ETag). `name`: they are a download, under this name of ASCII letters, digits, `.`, `-`.
    """
    headers = {
        "Content-Security-Policy": BYTES_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{tag}"',
        "Accept-Ranges": "bytes",
    }
    if name:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    status, body = 200, data
    if f'"{tag}"' in request.headers.get("if-none-match", ""):
        return Response(b"", status=304, headers=headers, content_type=media_type)
    asked = request.headers.get("range", "")
    if asked and request.headers.get("if-range", f'"{tag}"') == f'"{tag}"':
        span = byte_range(asked, len(data))
        if span is None:
            status, body = 416, b""
            headers["Content-Range"] = f"bytes */{len(data)}"
        elif span != (0, -1):
            status, body = 206, data[span[0] : span[1] + 1]
            headers["Content-Range"] = f"bytes {span[0]}-{span[1]}/{len(data)}"
    headers["Content-Length"] = str(len(body))
    return Response(body, status=status, headers=headers, content_type=media_type)


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a `Range` field; None when it lies outside.

    (0, -1) for all that means the whole: several ranges, other units, what is no range (section 14.2).
    """
    found = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", asked.replace(" ", ""), re.IGNORECASE)
    if not found or not any(found.groups()):
        return 0, -1
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) and size else None
    if last and int(last) < int(first):
        return 0, -1
    return (int(first), min(int(last or size - 1), size - 1)) if int(first) < size else None
