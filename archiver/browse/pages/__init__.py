"""What is answered under each address; `ROUTES` is the list of them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from archiver.browse.pages.article import article
from archiver.browse.pages.articles import articles, start
from archiver.browse.pages.duplicates import duplicates
from archiver.browse.pages.media import original, thumbnail
from archiver.browse.pages.pair import changes, mark, pair
from archiver.browse.pages.picture import picture_page
from archiver.browse.pages.pictures import pictures
from archiver.browse.render import STYLES, style

__all__ = ["ROUTES", "start"]

_PAIR = r"/-/pictures/(?P<first>[0-9a-f]{64})/against/(?P<second>[0-9a-f]{64})"
ROUTES: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"/-/articles/?$", articles),
    (r"/-/articles/(?P<id>[0-9]{1,18})$", article),
    (r"/-/pictures/?$", pictures),
    (r"/-/pictures/(?P<digits>[0-9a-f]{64})$", picture_page),
    (rf"{_PAIR}$", pair),
    (rf"{_PAIR}/changes\.png$", changes),
    (rf"{_PAIR}/mark$", mark),
    (r"/-/duplicates/?$", duplicates),
    (r"/-/media/(?P<digits>[0-9a-f]{64})$", original),
    (r"/-/thumbnail/(?P<digits>[0-9a-f]{64})$", thumbnail),
    (rf"/-/archive-style/(?P<name>{'|'.join(map(re.escape, STYLES))})$", style),
)
