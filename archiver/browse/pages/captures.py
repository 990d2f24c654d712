"""Fetches by host and outcome."""

from typing import Any

from archiver.browse import words
from archiver.browse.data import captures as data
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, explain, html
from archiver.index.tallies import HOST_CHARS, OUTCOMES


async def captures(datasette: Any, request: Any) -> Any:
    """`/-/captures[?host=…][&outcome=…][&before=ID]`: hosts and runs; or fetches, the newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    say = spoken(request).say
    database = datasette.get_database(here.database)
    host = (request.args.get("host") or "").lower()[:HOST_CHARS]
    outcome = request.args.get("outcome") or ""
    outcome = outcome if outcome in OUTCOMES else ""
    shared: dict[str, Any] = {"outcomes": OUTCOMES, "host": host, "outcome": outcome}
    if not (host or outcome):
        shared["names"] = [words.outcome_name(each, say) for each in OUTCOMES]
        hosts = await database.execute_fn(data.load_hosts)
        runs = await database.execute_fn(lambda db: data.load_runs(db, say))
        return await html(
            datasette, request, "archive_captures.html", shared | {"hosts": hosts, "runs": runs}
        )
    before = words.number_of(request.args.get("before"))
    found, after = await database.execute_fn(lambda db: data.load_fetches(db, host, outcome, before, say))
    context = shared | {"fetches": found, "after": after, "first": before is None}
    return await html(datasette, request, "archive_fetches.html", context)
