"""Pictures that look alike, to review."""

from typing import Any

from archiver.browse.data.duplicates import SHOWS, load_review
from archiver.browse.language import spoken
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, explain, html


async def duplicates(datasette: Any, request: Any) -> Any:
    """`/-/duplicates[?show=clusters|changed|neighbouring|marks&before=]`: the newest first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    asked, before = request.args.get("show") or "", request.args.get("before") or ""
    show = asked if asked in SHOWS else SHOWS[0]
    language = spoken(request)
    review = await datasette.get_database(here.database).execute_fn(
        lambda db: load_review(db, show, before, language)
    )
    context = {"review": review, "show": show, "first_page": not before}
    return await html(datasette, request, "archive_duplicates.html", context)
