"""The page of one article."""

import asyncio
from typing import Any

from archiver.browse import words
from archiver.browse.data.article import Page, load_page
from archiver.browse.language import preferred, to_say
from archiver.browse.library import library
from archiver.browse.pages.articles import damaged_pictures
from archiver.browse.render import NO_ARCHIVE, Problem, explain, html

_NO_ARTICLE = Problem(
    404, to_say("No such article"), to_say("The archive holds no article with this number.")
)


async def article(datasette: Any, request: Any) -> Any:
    """`/-/articles/<id>`: one article with its pictures, its claimed times, and where it all lies."""
    here = library(datasette)
    if here is None:
        return await explain(datasette, request, NO_ARCHIVE)
    number = int(request.url_vars["id"])
    language = preferred(request.headers.get("accept-language", ""))
    page = await datasette.get_database(here.database).execute_fn(lambda db: load_page(db, number, language))
    if page is None:
        return await explain(datasette, request, _NO_ARTICLE)
    pictures = sorted(page.pictures.values(), key=lambda each: each.aside)
    copies = (copy.shown for each in pictures for copy in each.copies)
    places = [(shown[0], [shown[1]]) for shown in copies if shown]
    damaged = await asyncio.to_thread(damaged_pictures, here, places)
    context = {"page": page, "card": page.card, "damaged": damaged, "groups": _groups(page)}
    return await html(datasette, request, "archive_article.html", context)


def _groups(page: Page) -> dict[str, Any]:
    """The article's body as a template can walk it: list items together, the other pictures apart."""
    body: list[dict[str, Any]] = []
    own = {number: picture for number, picture in page.pictures.items() if not picture.aside}
    placed: set[int] = set()
    for kind, text, number in page.blocks:
        if kind == "picture":
            if number in own and number not in placed:
                placed.add(number)
                body.append({"kind": kind, "picture": own[number]})
        elif kind == "item" and body and body[-1]["kind"] == "list":
            body[-1]["items"].append(text)
        elif kind == "item":
            body.append({"kind": "list", "items": [text]})
        else:
            body.append({"kind": kind, "text": text})
    others = [picture for number, picture in own.items() if number not in placed]
    aside = [picture for picture in page.pictures.values() if picture.aside]
    text = " ".join(text for _, text, _ in page.blocks)[:2000]
    language = words.language_of(text, page.card.language)
    return {"body": body, "others": others, "aside": aside, "language": language}
