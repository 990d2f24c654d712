"""What was checked when, and what was done to the archive."""

import asyncio
from typing import Any

from archiver.browse import words
from archiver.browse.data import checks as data
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, explain, html


async def checks(datasette: Any, request: Any) -> Any:
    """`/-/checks[?before=N]`: each WARC file with its last check, the newest checks, and custody."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    language = spoken(request)
    database = datasette.get_database(here.database)
    before = words.number_of(request.args.get("before"))
    context = {
        "files": await database.execute_fn(lambda db: data.load_files(db, here.root, before)),
        "events": await database.execute_fn(lambda db: data.load_events(db, here.root, language)),
        "history": await asyncio.to_thread(data.load_history, here.root),
        "first": before is None,
    }
    return await html(datasette, request, "archive_checks.html", context)
