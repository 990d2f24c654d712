"""A feed, a sitemap, OPML or a list → the Listing of what it names."""

from typing import Any

import msgspec

from archiver.errors import SourceError
from archiver.model import Listing
from archiver.sources.html.pictures import LeftOut
from archiver.sources.kinds import Look, look_at
from archiver.sources.listings.feed import read_feed
from archiver.sources.listings.items import listing_of
from archiver.sources.listings.jsonfeed import read_json_feed
from archiver.sources.listings.linklist import read_list
from archiver.sources.listings.opml import read_opml
from archiver.sources.listings.sitemap import read_sitemap


def read_listing(data: bytes, *, url: str = "", content_type: str = "") -> dict[str, Any]:
    """Read a source that names others: a Listing as built-in types.

    `data` is a file or an entity-body with its content coding removed; a gzip file is unpacked. `url` is
    the listing's own, after redirects, "" for a file: relative links are joined to it. Raises SourceError
    for what is no listing, or breaks before the first thing it names.
    """
    look = look_at(data, content_type)
    left_out = LeftOut()
    if look.told:
        left_out.add("what could not be unpacked", look.told)
    result: dict[str, Any] = msgspec.to_builtins(_read(look, url, left_out))
    return result


def _read(look: Look, url: str, left_out: LeftOut) -> Listing:
    if look.root is None:
        if look.kind == "list":
            return read_list(look.text, url=url, left_out=left_out)
        if look.kind == "feed":
            return listing_of(read_json_feed(look.text, left_out=left_out), url=url, left_out=left_out)
        what = look.why or {"document": "a mirror document", "page": "a web page"}[look.kind]
        raise SourceError(
            f"no feed, sitemap, OPML or list of URLs: {what}", "docs/sources.md says what is one."
        )
    text = look.text[look.root.start :]
    if look.kind == "sitemap":
        return read_sitemap(text, url=url, left_out=left_out)
    if look.kind == "opml":
        return read_opml(text, url=url, left_out=left_out)
    return listing_of(read_feed(text, look.root, url=url, left_out=left_out), url=url, left_out=left_out)
