"""What is answered under each address; `ROUTES` is the list of them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from archiver.browse.pages.article import article
from archiver.browse.pages.articles import articles
from archiver.browse.pages.captures import captures
from archiver.browse.pages.checks import checks
from archiver.browse.pages.downloads import evidence, records
from archiver.browse.pages.duplicates import duplicates
from archiver.browse.pages.media import original, thumbnail
from archiver.browse.pages.pair import changes, mark, pair
from archiver.browse.pages.picture import picture_page
from archiver.browse.pages.pictures import pictures
from archiver.browse.pages.record import member, payload, record
from archiver.browse.pages.search import search
from archiver.browse.pages.start import start
from archiver.browse.pages.timeline import plot, timeline
from archiver.browse.pages.versions import versions
from archiver.browse.render import STYLES, style

__all__ = ["ROUTES", "SHOWN", "start"]

_RECORD = r"/-/records/(?P<id>[0-9]{1,18}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_PAIR = r"/-/pictures/(?P<first>[0-9a-f]{64})/against/(?P<second>[0-9a-f]{64})"
ROUTES: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"/-/archive/?$", start),
    (r"/-/articles/?$", articles),
    (r"/-/articles/(?P<id>[0-9]{1,18})$", article),
    (r"/-/articles/(?P<id>[0-9]{1,18})/versions$", versions),
    (r"/-/articles/(?P<id>[0-9]{1,18})/evidence\.zip$", evidence),
    (r"/-/articles/(?P<id>[0-9]{1,18})/records\.warc\.gz$", records),
    (r"/-/search/?$", search),
    (r"/-/pictures/?$", pictures),
    (r"/-/pictures/(?P<digits>[0-9a-f]{64})$", picture_page),
    (rf"{_PAIR}$", pair),
    (rf"{_PAIR}/changes\.png$", changes),
    (rf"{_PAIR}/mark$", mark),
    (r"/-/duplicates/?$", duplicates),
    (r"/-/media/(?P<digits>[0-9a-f]{64})$", original),
    (r"/-/thumbnail/(?P<digits>[0-9a-f]{64})$", thumbnail),
    (rf"{_RECORD}$", record),
    (rf"{_RECORD}/payload$", payload),
    (rf"{_RECORD}/member$", member),
    (r"/-/captures/?$", captures),
    (r"/-/checks/?$", checks),
    (r"/-/timeline/?$", timeline),
    (r"/-/timeline/(?P<name>captures|claimed|hosts)\.svg$", plot),
    (rf"/-/archive-style/(?P<name>{'|'.join(map(re.escape, STYLES))})$", style),
)
# What follows `/-/` in them, and where Datasette has its lists of queries and the files that its pages load.
SHOWN = frozenset(re.split(r"[/?$]+", pattern)[2] for pattern, _ in ROUTES) | {
    "queries",
    "static",
    "static-plugins",
}
