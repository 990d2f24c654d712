"""What is answered under each address; `ROUTES` is the list of them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from archiver.browse.pages.article import article
from archiver.browse.pages.articles import articles, start
from archiver.browse.pages.media import picture, thumbnail
from archiver.browse.pages.search import search
from archiver.browse.render import STYLES, style

__all__ = ["ROUTES", "start"]

ROUTES: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"/-/articles/?$", articles),
    (r"/-/articles/(?P<id>[0-9]{1,18})$", article),
    (r"/-/search/?$", search),
    (r"/-/media/(?P<digits>[0-9a-f]{64})$", picture),
    (r"/-/thumbnail/(?P<digits>[0-9a-f]{64})$", thumbnail),
    (rf"/-/archive-style/(?P<name>{'|'.join(map(re.escape, STYLES))})$", style),
)
