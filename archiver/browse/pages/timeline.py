"""Captures and claimed times over the years, and the plots of them."""

import asyncio
import hashlib
from typing import Any

from datasette.utils.asgi import Response

from archiver.browse import plots
from archiver.browse.data.timeline import NAMES, STEPS, Step, load_series
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, explain, html

# A plot's own inline styles work, and nothing else does.
PLOT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


async def timeline(datasette: Any, request: Any) -> Any:
    """`/-/timeline[?by=day|week|month|year]`: plots with their figures."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    step = _step(request)
    database = datasette.get_database(here.database)
    found = await database.execute_fn(lambda db: {name: load_series(db, name, step) for name in NAMES})
    return await html(
        datasette, request, "archive_timeline.html", {"series": found, "step": step, "steps": STEPS}
    )


async def plot(datasette: Any, request: Any) -> Any:
    """`/-/timeline/<name>.svg[?by=…][&scheme=dark][&narrow=1]`: one plot."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    name, step = request.url_vars["name"], _step(request)
    scheme: plots.Scheme = "dark" if request.args.get("scheme") == "dark" else "light"
    narrow = request.args.get("narrow") == "1"
    series = await datasette.get_database(here.database).execute_fn(lambda db: load_series(db, name, step))
    body = await asyncio.to_thread(plots.draw, name, series, scheme, narrow)
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    known = tag in request.headers.get("if-none-match", "")
    headers = {
        "Content-Security-Policy": PLOT_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
        "ETag": tag,
    }
    if known:
        return Response(b"", status=304, headers=headers, content_type="image/svg+xml")
    headers["Content-Length"] = str(len(body))
    return Response(body, headers=headers, content_type="image/svg+xml")


def _step(request: Any) -> Step:
    asked = request.args.get("by")
    return next((step for step in STEPS if step == asked), "month")
