"""Two pictures beside each other: what their pixels say, the map of changes, and a person's word on them."""

import asyncio
import sqlite3
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from datasette.utils.asgi import Response

from archiver.browse.data import verdicts
from archiver.browse.data.pair import Pair, load_pair
from archiver.browse.disk import media
from archiver.browse.language import Language, spoken, to_say
from archiver.browse.library import Library, library
from archiver.browse.pages.picture import NO_PICTURE
from archiver.browse.render import NO_ARCHIVE, Problem, explain, html, nowhere, served
from archiver.browse.writing import record, refusal
from archiver.errors import ArchiverError, Locked, RecordError, SandboxError, UsageError
from archiver.model import Comparison, MarkNote
from archiver.pictures.files import PICTURE_BYTES
from archiver.pictures.pairs.compare import Drawn

_BUSY = Problem(
    503,
    to_say("Busy"),
    to_say("Other pictures are being compared. Each takes a second or two: load this page again."),
)
_NO_MAP = Problem(404, to_say("No map"), to_say("There is nothing to show in a map of these two pictures."))
_BODY_BYTES = 16 << 10
_REASON = 500  # characters, as at the command line


async def pair(datasette: Any, request: Any) -> Any:
    """`/-/pictures/<sha256>/against/<sha256>`: both beside each other, in the order in which they came."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    found = await _pair(datasette, here, request)
    if found is None:
        return await _no_pair(datasette, request)
    return await _page(datasette, request, here, found)


async def changes(datasette: Any, request: Any) -> Any:
    """`…/changes.png`: the map of changes over the first of the two, drawn when it is asked for."""
    here = library(datasette)
    found = await _pair(datasette, here, request) if here else None
    if here is None or found is None:
        return await explain(datasette, request, NO_PICTURE)
    drawn = await _drawn(datasette, here, found)
    if isinstance(drawn, Drawn) and drawn.png:
        tag = f"{found.first.digits[:32]}-{found.second.digits[:32]}-{len(drawn.png)}"
        return served(request, drawn.png, "image/png", tag)
    if isinstance(drawn, Drawn):
        return await explain(datasette, request, _NO_MAP)
    return await explain(datasette, request, drawn or _BUSY)


async def mark(datasette: Any, request: Any) -> Any:
    """`…/mark`: put on record what a person says of the two, or show the page again with what is wrong."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    found = await _pair(datasette, here, request)
    if found is None:
        return await _no_pair(datasette, request)
    if request.method != "POST":
        return Response.redirect(_address(datasette, found))
    refused = refusal(datasette, request)
    if refused:
        return await explain(datasette, request, refused)
    written = await _written(request)
    said, reason = written.get("said", ""), written.get("reason", "").strip()
    try:
        note = _note(found, said, reason, _language(request))
        told, warc = await asyncio.to_thread(record, here.root, note)
    except (ArchiverError, sqlite3.DatabaseError) as error:
        status = 409 if isinstance(error, Locked) else 400 if isinstance(error, UsageError) else 500
        problem = nowhere(datasette, f"{error} {getattr(error, 'advice', '')}".strip())
        kept = {"status": status, "problem": problem, "reason": reason}
        return await _page(datasette, request, here, found, **kept)
    after = await _pair(datasette, here, request)
    context = {"pair": after, "told": told, "warc": warc, "back": _address(datasette, found)}
    return await html(datasette, request, "archive_marked.html", context)


async def _pair(datasette: Any, here: Library, request: Any) -> Pair | None:
    names = [f"sha256:{request.url_vars[name]}" for name in ("first", "second")]
    return await datasette.get_database(here.database).execute_fn(partial(_load, names=names))  # type: ignore[no-any-return]


def _load(db: sqlite3.Connection, names: list[str]) -> Pair | None:
    return load_pair(db, *names)


async def _no_pair(datasette: Any, request: Any) -> Any:
    if request.url_vars["first"] == request.url_vars["second"]:  # same bytes: one picture
        return Response.redirect(datasette.urls.path(f"/-/pictures/{request.url_vars['first']}"))
    return await explain(datasette, request, NO_PICTURE)


async def _page(datasette: Any, request: Any, here: Library, found: Pair, **context: Any) -> Any:
    """The page; a pair that the archive has not compared is compared now."""
    language, comparison, problem = _language(request), found.comparison, None
    if comparison is None:
        drawn = await _drawn(datasette, here, found)
        comparison = drawn.comparison if isinstance(drawn, Drawn) else None
        problem = None if comparison else drawn or _BUSY
    places = await _places(datasette, here, found)
    damage = await asyncio.to_thread(
        lambda: [
            digest
            for digest, each in places.items()
            if len(media.damaged_places(here.root, each, digest)) == len(each)
        ]
    )
    shown = {
        "pair": found,
        "damaged": [digest.removeprefix("sha256:") for digest in damage],
        "uncompared": problem,
        "address": _address(datasette, found),
        "writable": refusal(datasette, request, form=True) is None,
        **_told(comparison, language),
        **context,
    }
    return await html(datasette, request, "archive_pair.html", shown)


def _told(comparison: Comparison | None, language: Language) -> dict[str, Any]:
    """What the template shows of a comparison."""
    if comparison is None:
        return {"comparison": None}
    names = language.say("the first picture"), language.say("the second picture")
    return {
        "comparison": comparison,
        "sentence": verdicts.sentence(comparison, language, *names),
        "tone": verdicts.tone(comparison),
        "evidence": verdicts.evidence(comparison, language.say),
        "frames": [verdicts.frames(comparison, "first"), verdicts.frames(comparison, "second")],
        "has_map": verdicts.has_map(comparison),
    }


async def _places(datasette: Any, here: Library, found: Pair) -> dict[str, Any]:
    names = [found.first.digest, found.second.digest]
    return await datasette.get_database(here.database).execute_fn(  # type: ignore[no-any-return]
        lambda db: {name: media.locations(db, name) for name in names}
    )


async def _drawn(datasette: Any, here: Library, found: Pair) -> Drawn | Problem | None:
    """What the pixels say, why they say nothing, or None while too many others wait."""
    places = await _places(datasette, here, found)

    def read(digits: str) -> bytes:
        name = f"sha256:{digits}"
        return media.read_intact(here.root, places[name], name).content_decoded(PICTURE_BYTES)

    try:
        return await here.drawings.get(found.first.digits, found.second.digits, read)
    except (RecordError, SandboxError) as error:
        return Problem(500, to_say("They cannot be compared"), str(error))


def _note(found: Pair, said: str, reason: str, language: Language) -> MarkNote:
    """Raises UsageError."""
    if said not in ("not-same", "withdrawn") or found.apart == (said == "not-same"):
        raise UsageError(language.say("That is on record already, or there is nothing to take back."))
    if not reason or len(reason) > _REASON or not reason.isprintable():
        raise UsageError(language.say("Say why, in one line of at most 500 characters: it is put on record."))
    pictures = (found.first.digest, found.second.digest)
    return MarkNote(pictures=pictures, said="not-same" if said == "not-same" else "withdrawn", reason=reason)


async def _written(request: Any) -> dict[str, str]:
    """The fields of a form, of at most _BODY_BYTES; nothing of a larger one, or of one that broke off."""
    body, more = b"", True
    while more and len(body) <= _BODY_BYTES:
        message = await request.receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > _BODY_BYTES or message["type"] == "http.disconnect":
        return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:  # more fields than any form of ours has
        return {}
    return {name: values[0] for name, values in fields.items()}


def _language(request: Any) -> Language:
    return spoken(request)


def _address(datasette: Any, found: Pair) -> str:
    return str(datasette.urls.path(f"/-/pictures/{found.first.digits}/against/{found.second.digits}"))
