"""OPML → a Listing of the feeds and pages that it names (OPML 1.0 and 2.0, opml.org/spec2.opml)."""

from archiver.errors import SourceError
from archiver.model import Listing
from archiver.sources.html.markup import one_line
from archiver.sources.html.pictures import LeftOut
from archiver.sources.listings.opened import Element, Elements, mended
from archiver.sources.naming import Links


def read_opml(text: str, *, url: str, left_out: LeftOut) -> Listing:
    """Read XML that begins with `<opml`; where it breaks, what stands before it.

    An `<outline>` with `xmlUrl` names a feed; one without it that has `htmlUrl` or, as a link of OPML 2.0,
    `url` names a page. Names of attributes count in any case. Raises SourceError where it breaks before
    any link.
    """
    links = Links(url, left_out)
    title = ""
    outlines = 0
    walk = Elements(mended(text))
    for element in walk:
        name = element.name.lower()
        if element.end:
            title = element.text if name == "title" and not outlines else title
        elif name == "outline":
            outlines += 1
            _take(element, links, left_out)
            if links.full:
                break
    if walk.error:
        if not links.links:
            raise SourceError(f"OPML that breaks off before its first link: {walk.error}")
        left_out.add("what stands after an error in the XML", walk.error)
    if links.full:
        links.stop(text.count("<outline"))
    return Listing(
        kind="opml", title=one_line(title), url=url or None, links=links.links, left_out=links.left_out
    )


def _take(outline: Element, links: Links, left_out: LeftOut) -> None:
    said = {name.rpartition(" ")[2].lower(): value.strip() for name, value in outline.attributes.items()}
    feed, page = said.get("xmlurl", ""), said.get("htmlurl") or said.get("url", "")
    title = said.get("title") or said.get("text", "")
    if said.get("type", "").lower() == "include":
        left_out.add("outline that includes another OPML file", page)
    elif feed:
        links.add(feed, "feed", title=title)
    elif page:
        links.add(page, title=title)
