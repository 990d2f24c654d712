"""A sitemap or a sitemap index → a Listing of what it names (sitemaps.org protocol 0.9)."""

import re

from archiver.errors import SourceError
from archiver.model import Listing
from archiver.sources.html.pictures import LeftOut
from archiver.sources.listings.opened import Elements, mended
from archiver.sources.naming import Links

_LOCATION = re.compile(r"<loc\b", re.IGNORECASE)
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def read_sitemap(text: str, *, url: str, left_out: LeftOut) -> Listing:
    """Read XML that begins with `<urlset` or `<sitemapindex`; where it breaks, what stands before it.

    Links are the `<loc>` of each `<url>` and `<sitemap>`, never of a picture or a film in it; `modified`
    is `<lastmod>`, the title Google's `<news:title>`. Raises SourceError where it breaks before any link.
    """
    links = Links(url, left_out)
    index = False
    depth, entry = 0, dict[str, str]()

    def take() -> None:
        links.add(
            entry.get("loc", ""),
            "sitemap" if index else "page",
            title=entry.get("title", ""),
            modified=entry.get("lastmod", ""),
        )
        entry.clear()

    walk = Elements(mended(text))
    for element in walk:
        name = element.name.lower()
        if not element.end:
            depth += 1
            index = index or (depth == 1 and name == "sitemapindex")
            continue
        if depth == 3 or (depth == 4 and element.space == NEWS and name == "title"):
            entry[name] = element.text.strip()
        elif depth == 2 and name in ("url", "sitemap"):
            take()
            if links.full:
                break
        depth -= 1
    if walk.error:
        if entry.get("loc"):
            take()
        if not links.links:
            raise SourceError(f"a sitemap that breaks off before its first link: {walk.error}")
        left_out.add("what stands after an error in the XML", walk.error)
    if links.full:
        links.stop(len(_LOCATION.findall(text)))
    return Listing(
        kind="sitemap-index" if index else "sitemap",
        url=url or None,
        links=links.links,
        left_out=links.left_out,
    )
