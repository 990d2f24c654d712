"""The wall of pictures."""

from typing import Any
from urllib.parse import urlencode

from archiver.browse.data.wall import asked, load_wall
from archiver.browse.library import library
from archiver.browse.render import NO_ARCHIVE, explain, html


async def pictures(datasette: Any, request: Any) -> Any:
    """`/-/pictures[?kind=&shape=&host=&before=]`: the newest pictures first."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    wanted = asked(request.args)
    wall = await datasette.get_database(here.database).execute_fn(lambda db: load_wall(db, wanted))
    older = urlencode({**wanted.filters, "before": wall.older}) if wall.older else ""
    hosts = sorted({tile.look.host for tile in wall.tiles if tile.look.host})
    context = {
        "wall": wall,
        "asked": wanted,
        "older": older,
        "newest": urlencode(wanted.filters) if wanted.before is not None else None,
        "hosts": hosts,
    }
    return await html(datasette, request, "archive_pictures.html", context)
