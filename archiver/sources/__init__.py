"""What to save: bytes of a document, page, feed, sitemap or list → an Article or a Listing.

Pure: nothing here reads a file or asks the network. The bytes are hostile, so these functions are made for
`archiver.sandbox.Sandbox.call`: module-level, JSON in and out (docs/sources.md). Each loads its reader when
it is called: who only names it, as the parent of a sandbox does, loads none.
"""

from typing import Any


def recognise(data: bytes, *, content_type: str = "") -> dict[str, Any]:
    """What kind of source the bytes are: a Recognised as built-in types. Never raises.

    `content_type` is the header field's value; of it only the charset and whether it says HTML count.
    """
    from archiver.sources import kinds  # noqa: PLC0415

    return kinds.recognise(data, content_type=content_type)


def is_mirror_document(data: bytes) -> bool:
    """Whether the bytes follow the grammar of a mirror document in any of its shapes. Never raises."""
    from archiver.sources.documents import mirror  # noqa: PLC0415

    return mirror.is_mirror_document(data)


def read_document(data: bytes) -> dict[str, Any]:
    """Read a mirror document: an Article as built-in types. Raises SourceError."""
    from archiver.sources.documents import mirror  # noqa: PLC0415

    return mirror.read_document(data)


def read_page(data: bytes, *, url: str, content_type: str = "", library: int = 1) -> dict[str, Any]:
    """Read a page's entity-body (content coding removed): an Article as built-in types.

    `url` is the page's own, after redirects; `content_type` the header field's value, for its charset;
    `library` 0 keeps trafilatura out, for a page on which it was stopped.
    Raises SourceError for what is no HTML page or passes a
    limit.
    """
    from archiver.sources.pages import page  # noqa: PLC0415

    return page.read_page(data, url=url, content_type=content_type, library=library)


def read_links(data: bytes, *, url: str, content_type: str = "") -> dict[str, Any]:
    """Read the links of a page's entity-body (content coding removed): a Listing as built-in types.

    `url` and `content_type` as for `read_page`. Raises SourceError for what is no HTML page or passes a
    limit.
    """
    from archiver.sources.pages import links  # noqa: PLC0415

    return links.read_links(data, url=url, content_type=content_type)


def read_listing(data: bytes, *, url: str = "", content_type: str = "") -> dict[str, Any]:
    """Read a source that names others: a Listing as built-in types.

    `data` is a file or an entity-body with its content coding removed; `url` is the listing's own, after
    redirects, "" for a file. Raises SourceError for what is no listing, or breaks before the first thing it
    names.
    """
    from archiver.sources.listings import listing  # noqa: PLC0415

    return listing.read_listing(data, url=url, content_type=content_type)
