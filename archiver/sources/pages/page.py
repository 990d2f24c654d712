"""A live news page → an Article: its text, every picture it names, and every time it claims."""

from typing import Any

import msgspec

from archiver.errors import SourceError
from archiver.model import Article, ClaimedTime
from archiver.sources.html.flow import Flow
from archiver.sources.html.markup import base_of, body_of, markup_of, parse, require_url
from archiver.sources.html.pictures import Gallery
from archiver.sources.pages import jsonld
from archiver.sources.pages.extent import add_lead, choose, extent_of
from archiver.sources.pages.headlinks import add_links
from archiver.sources.pages.metadata import (
    META_PICTURES,
    META_TIMES,
    authors_of,
    language_of,
    metas,
    section_of,
    title_of,
)
from archiver.sources.pages.text import Extract, extract
from archiver.sources.times import WRITTEN_CHARS, claimed

TIMES = 50
OWN_RULE = "own rule"

_JSON_LD_TIMES = {"datePublished": "json-ld-published", "dateModified": "json-ld-modified"}


def read_page(data: bytes, *, url: str, content_type: str = "", library: int = 1) -> dict[str, Any]:
    """Read a page's entity-body (content coding removed): an Article as built-in types.

    `url` is the page's own, after redirects; `content_type` the header field's value, for its charset;
    `library` 0 keeps trafilatura out, for a page on which it was stopped.
    Raises SourceError for what is no HTML page or passes a limit.
    """
    require_url(url)
    markup = markup_of(data, content_type)
    tree = parse(markup)
    names = metas(tree)
    title = title_of(tree, names)
    gallery = Gallery(base_of(tree, url))
    flow = Flow(gallery, extent_of(tree))
    flow.read(body_of(tree))
    found, reader = _extract(markup, url) if library else (None, f"{OWN_RULE}: trafilatura was not asked")
    if found and not choose(flow.pieces, found.text, title):
        found, reader = None, f"{OWN_RULE}: {reader} found too little"
    add_lead(flow.pieces, title)
    blocks = flow.blocks()  # before the references: it gives them their captions
    linked_values = jsonld.values(tree, gallery)
    linked = jsonld.articles(linked_values)
    for name in META_PICTURES:
        for content in names.get(name, ()):
            gallery.add(content, f"meta-{name}")
    for one in jsonld.pictures(linked_values, linked):
        gallery.add(one.written, f"json-ld-{one.key}", unwanted=one.unwanted, outside=one.outside)
    add_links(tree, names, gallery)
    times = _times(flow, names, linked, gallery)
    if not times and found and found.date:
        times = (claimed("htmldate", found.date),)
    article = Article(
        kind="page",
        title=title,
        url=url,
        language=language_of(tree, names, linked),
        authors=authors_of(tree, names, linked) or (found.authors if found else ()),
        section=section_of(names, linked) or (found.section if found else ""),
        reader=reader,
        times=times,
        blocks=tuple(block for block in blocks if block.kind == "picture" or block.text != title),
        references=gallery.references,
        left_out=gallery.left_out,
    )
    result: dict[str, Any] = msgspec.to_builtins(article)
    return result


def _extract(markup: str, url: str) -> tuple[Extract | None, str]:
    """What trafilatura says, and what Article.reader is to say of it."""
    try:
        found = extract(markup, url)
    except SourceError as error:
        return None, f"{OWN_RULE}: {error}"
    return found, found.reader


def _times(
    flow: Flow, names: dict[str, list[str]], linked: list[dict[str, Any]], gallery: Gallery
) -> tuple[ClaimedTime, ...]:
    """Each distinct pair of a clock and what it says."""
    found = [
        ("time-element", written) for piece in flow.pieces if piece.timely for written, _shown in piece.times
    ]
    found += [(clock, written) for name, clock in META_TIMES.items() for written in names.get(name, ())]
    found += [
        (clock, written)
        for node in linked
        for key, clock in _JSON_LD_TIMES.items()
        for written in jsonld.strings(node.get(key))
    ]
    times: list[ClaimedTime] = []
    for clock, written in dict.fromkeys(found):
        if len(written) > WRITTEN_CHARS:
            gallery.leave_out(f"{clock} of more than {WRITTEN_CHARS} characters", written)
        elif len(times) >= TIMES:
            gallery.leave_out(f"time beyond the first {TIMES}", written)
        elif written.strip():
            times.append(claimed(clock, written))
    return tuple(times)
