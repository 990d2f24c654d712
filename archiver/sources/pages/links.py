"""A section page → a Listing of the links on it, for those who follow them."""

import itertools
from typing import Any, Literal

import msgspec
from selectolax.lexbor import LexborNode

from archiver.model import Listing
from archiver.sources.html.markup import attribute, base_of, markup_of, parse, require_url
from archiver.sources.html.pictures import LeftOut
from archiver.sources.naming import TITLE_CHARS, Links
from archiver.sources.pages.metadata import metas, title_of

TITLE_NODES = 200  # of a link's contents that are looked at for its text

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")


def read_links(data: bytes, *, url: str, content_type: str = "") -> dict[str, Any]:
    """The links of a page's entity-body (content coding removed): a Listing as built-in types.

    `url` is the page's own, after redirects; `content_type` the header field's value, for its charset.
    Links are in document order, each URL once, `http` and `https` only, without fragments; `rel=nofollow`
    speaks to search engines and changes nothing. Raises SourceError for what is no HTML page or passes
    a limit.
    """
    require_url(url)
    tree = parse(markup_of(data, content_type))
    left_out = LeftOut()
    links = Links(base_of(tree, url), left_out)
    for node in tree.css("a[href], area[href], link[href]"):
        if role := _role(node):
            links.add(attribute(node, "href"), role, title=_words(node))
    listing = Listing(
        kind="section",
        title=title_of(tree, metas(tree)),
        url=url,
        links=links.links,
        left_out=left_out.told(),
    )
    result: dict[str, Any] = msgspec.to_builtins(listing)
    return result


def _role(node: LexborNode) -> Literal["page", "feed"] | None:
    if node.tag != "link":
        return "page"
    kind = attribute(node, "type").partition(";")[0].strip().lower()
    alternate = "alternate" in attribute(node, "rel").lower().split()
    return "feed" if alternate and kind in _FEED_TYPES else None


def _words(node: LexborNode) -> str:
    """A link's text, else its title or the alt text of its picture. Only the first nodes are looked at."""
    words, alt, size = [], attribute(node, "title") or attribute(node, "alt"), 0
    for part in itertools.islice(node.traverse(include_text=True), TITLE_NODES):
        if part.tag == "-text":
            words.append(part.text_content or "")
            size += len(words[-1])
        elif part.tag == "img":
            alt = alt or attribute(part, "alt")
        if size > TITLE_CHARS:
            break
    return "".join(words)[:TITLE_CHARS].strip() or alt
