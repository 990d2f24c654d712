"""The page of one article."""

import asyncio
from typing import Any

from archiver.browse import words
from archiver.browse.data import citation
from archiver.browse.data.article import Page, grouped, load_page
from archiver.browse.data.stored import Stored
from archiver.browse.disk.custody import Custody, custody
from archiver.browse.disk.intact import Check, check
from archiver.browse.language import spoken, to_say
from archiver.browse.library import Library, library
from archiver.browse.render import NO_ARCHIVE, Problem, explain, html
from archiver.model import Entry
from archiver.warc.read import is_inside
from archiver.warc.warcinfo import first_block, values

NO_ARTICLE = Problem(404, to_say("No such article"), to_say("The archive holds no article with this number."))


async def article(datasette: Any, request: Any) -> Any:
    """`/-/articles/<id>`: one article with pictures, claimed times, and whether it is still intact."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    number = int(request.url_vars["id"])
    language = spoken(request)
    page = await datasette.get_database(here.database).execute_fn(lambda db: load_page(db, number, language))
    if page is None:
        return await explain(datasette, request, NO_ARTICLE)
    found, kept, agent = await asyncio.to_thread(_read, here, page)
    context = {
        "page": page,
        "card": page.card,
        "check": found,
        "wrong": [part for part in page.parts if part.stored.record_id in found.damaged],
        "damaged": _damaged(page, found),
        "custody": kept,
        "agent": agent,
        "groups": grouped(page),
        "citation": citation.line(page.cited, language.say) if page.cited else "",
        "bibtex": citation.entry(page.cited) if page.cited else "",
    }
    return await html(datasette, request, "archive_article.html", context)


def _read(here: Library, page: Page) -> tuple[Check, Custody | None, str]:
    """What the disk says: whether the article is intact, who vouches for it, who asked the hosts."""
    found = check(here.root, [part.stored for part in page.parts])
    if page.provenance is None:
        return found, None, ""
    info = page.provenance.warcinfo
    return found, custody(here.root, page.provenance.warc), _agent(here, info) if info else ""


def _agent(here: Library, warcinfo: Stored) -> str:
    """The user agent that a warcinfo names; "" where it is damaged, or outside the archive."""
    if not is_inside(here.root, warcinfo.warc):
        return ""
    entry = Entry(
        offset=warcinfo.offset,
        length=warcinfo.length,
        digest=warcinfo.digest,
        type=warcinfo.type,
        id=warcinfo.record_id,
        date=warcinfo.date,
    )
    block = first_block(here.root, warcinfo.warc, entry)
    return words.plain(", ".join(values(block or b"", "http-header-user-agent")))[:500]


def _damaged(page: Page, found: Check) -> frozenset[str]:
    """Digits of the pictures whose records are damaged."""
    copies = [copy for picture in page.pictures.values() for copy in picture.copies]
    return frozenset(
        copy.digits
        for copy in copies
        if copy.digits
        and any(each and each.record_id in found.damaged for each in (copy.record, copy.original))
    )
