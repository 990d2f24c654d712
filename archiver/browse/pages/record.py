"""One WARC record: its headers, its payload made safe to read, its bytes to take away."""

import asyncio
import hashlib
from typing import Any

from markupsafe import Markup

from archiver.browse.data.record import Record, load_record
from archiver.browse.language import to_say
from archiver.browse.library import Library, library
from archiver.browse.render import NO_ARCHIVE, NOT_PUBLIC, Problem, explain, html, is_public, served
from archiver.errors import RecordError
from archiver.warc.head import GZIP

_NO_RECORD = Problem(404, to_say("No such record"), to_say("The archive holds no record with this number."))


async def record(datasette: Any, request: Any) -> Any:
    """`/-/records/<number or UUID>[?source]`: a record; `source` shows HTML as it is written."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    found = await _found(datasette, here, request)
    if found is None:
        return await explain(datasette, request, _NO_RECORD)
    source = "source" in request.args
    content, wrong = None, ""
    try:
        content = await asyncio.to_thread(here.contents.get, here.root, found.stored, source=source)
    except RecordError as error:
        wrong = f"{error} {error.advice}".strip()
    text = content.payload.text if content else ""
    context = {
        "record": found,
        "stored": found.stored,
        "content": content,
        "wrong": wrong,
        "source": source,
        # It is matched by readable.SAFE: tags without attributes, of a list without links and pictures.
        "structure": Markup(text) if content and content.payload.kind == "html" else "",  # noqa: S704
        "address": datasette.urls.path(f"/-/records/{found.stored.id}"),
    }
    return await html(datasette, request, "archive_record.html", context)


async def payload(datasette: Any, request: Any) -> Any:
    """`/-/records/<number or UUID>/payload`: as it came, hashed now, for no browser to open."""
    return await _bytes(datasette, request, "payload")


async def member(datasette: Any, request: Any) -> Any:
    """`/-/records/<number or UUID>/member`: the stored record, which is a WARC file of one record."""
    return await _bytes(datasette, request, "member")


async def _bytes(datasette: Any, request: Any, kind: str) -> Any:
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    if is_public(datasette):
        return await explain(datasette, request, NOT_PUBLIC)
    found = await _found(datasette, here, request)
    if found is None:
        return await explain(datasette, request, _NO_RECORD)
    read = here.contents.member if kind == "member" else here.contents.payload
    try:
        data = await asyncio.to_thread(read, here.root, found.stored)
    except RecordError as error:
        return await explain(datasette, request, Problem(500, to_say("Damaged"), str(error), error.advice))
    warc = "warc.gz" if data.startswith(GZIP) else "warc"  # an imported one may be plain
    ending = warc if kind == "member" else "payload"
    tag = hashlib.sha256(data).hexdigest()
    return served(request, data, "application/octet-stream", tag, name=f"record-{found.stored.id}.{ending}")


async def _found(datasette: Any, here: Library, request: Any) -> Record | None:
    name = request.url_vars["id"]
    return await datasette.get_database(here.database).execute_fn(lambda db: load_record(db, name))  # type: ignore[no-any-return]
