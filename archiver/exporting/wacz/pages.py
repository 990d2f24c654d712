"""pages.jsonl of a WACZ: what a reader can open, with titles and texts; and a page for each mirror document.

A mirror document is no web page: its record is a resource under a URN, which no replay shows. So the exporter
makes a page from what was read in it, which shows the pictures under the URLs by which they were captured. It
lies in a WARC file of its own and says what it is. Format: json-pages-1.0 (WACZ 1.1.1 section 5.2.3).
"""

import hashlib
import html
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.digests import digest
from archiver.exporting.selection import Selection
from archiver.model import VIEW_URI, Record
from archiver.warc.write import record_id

_SOURCE = "SELECT uri, date, type FROM records WHERE record_id = ? LIMIT 1"
_PAGES_OF = """
SELECT page.id, page.source_id FROM articles AS page JOIN articles AS chosen ON chosen.url = page.url
WHERE chosen.id = ? AND page.kind = 'page' ORDER BY page.id
"""
_TEXT = "SELECT text FROM blocks WHERE article_id = ? AND text <> '' ORDER BY number"
_BLOCKS = "SELECT kind, text, picture FROM blocks WHERE article_id = ? ORDER BY number"
_FORMS = """
SELECT article_pictures.number, alt, caption, forms.form, forms.url FROM article_pictures
JOIN forms ON article_picture_id = article_pictures.id JOIN fetches ON fetches.id = fetch_id
WHERE article_pictures.article_id = ? AND part = 'article' AND outcome = 'whole'
ORDER BY article_pictures.number, forms.number
"""
_CAPTURES = """
SELECT uri, date FROM records WHERE record_id IN (SELECT value FROM json_each(?)) AND status = 200
AND type IN ('response', 'revisit') ORDER BY date, uri
"""
_FORM_WORDS = {
    "proxied": "as the image proxy served it 图片代理提供",
    "origin": "from the publisher 发布者提供",
    "rendition": "another size from the publisher 发布者的另一尺寸",
    "memento": "another archive's copy 其他存档的副本",
}
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif }}
img {{ max-width: 100%; height: auto }} figure {{ margin: 1.5rem 0 }}
figcaption, .made {{ color: #555; font-size: .875rem; overflow-wrap: anywhere }}
.made {{ border: 1px solid #bbb; padding: .75rem }}
blockquote {{ border-left: 3px solid #bbb; margin: 0; padding-left: 1rem }}
</style></head><body>
<p class="made">This page was made by the archiver when it exported the article; no server sent it. It shows
what was read in the source {source}, and the pictures as they were captured. The article’s own address:
{address}<br>本页由存档程序在导出时生成，并非来自任何服务器；图片为存档时所得。</p>
<h1>{title}</h1>
{body}
</body></html>
"""
_TAGS = {"heading": "h2", "quote": "blockquote"}


@dataclass(frozen=True)
class Page:
    """A row of pages.jsonl, and for a mirror document the record of the page that was made for it."""

    id: str
    url: str
    ts: str
    title: str
    text: str
    view: Record | None = None

    @property
    def row(self) -> bytes:
        facts = {"id": self.id, "url": self.url, "ts": self.ts, "title": self.title, "text": self.text}
        return json.dumps({name: value for name, value in facts.items() if value}).encode() + b"\n"


def pages(selection: Selection, db: sqlite3.Connection) -> Iterator[Page]:
    """A page for each article; where another subject was chosen, one for each of its answers."""
    numbers = dict.fromkeys(selection.articles()) if selection.records is not None else {}
    for number in list(numbers):
        numbers.update(dict.fromkeys(_captured_pages(db, number, selection.records or set())))
    for number in numbers or selection.articles():
        yield from _page(db, number)
    if not numbers and selection.records is not None and selection.subject not in selection.records:
        wanted = json.dumps(sorted(selection.records))
        for at, (uri, date) in enumerate(db.execute(_CAPTURES, (wanted,))):
            yield Page(f"capture-{at}", uri, moment(date), uri, "")


def _captured_pages(db: sqlite3.Connection, number: int, records: set[str]) -> list[int]:
    """Numbers of the articles that were read from the publisher's own page of this one."""
    return [row[0] for row in db.execute(_PAGES_OF, (number,)) if row[1] in records]


def moment(date: str) -> str:
    """A WARC-Date without fractions of seconds, as every reader of pages.jsonl takes it."""
    return date.partition(".")[0].removesuffix("Z") + "Z"


def _page(db: sqlite3.Connection, number: int) -> Iterator[Page]:
    article = db.execute("SELECT * FROM articles WHERE id = ?", (number,)).fetchone()
    source = db.execute(_SOURCE, (article["source_id"],)).fetchone()
    if source is None or not (source["uri"] or article["kind"] != "page"):
        return
    text = "\n".join(row[0] for row in db.execute(_TEXT, (number,)))
    if article["kind"] == "page" and source["type"] in ("response", "revisit"):
        yield Page(f"article-{number}", source["uri"], moment(source["date"]), article["title"], text)
        return
    url = VIEW_URI + hashlib.sha256(article["note_id"].encode("utf-8", "replace")).hexdigest()[:32]
    block = _view(db, article, source["uri"] or article["source_id"])
    record = Record(
        type="resource",
        id=record_id(),
        date=article["archived"],
        uri=url,
        content_type="text/html; charset=utf-8",
        block=block,
        payload_digest=digest(block),
    )
    yield Page(f"article-{number}", url, moment(article["archived"]), article["title"], text, record)


def _view(db: sqlite3.Connection, article: sqlite3.Row, source: str) -> bytes:
    """The page: everything that others wrote is escaped; no script, nothing but captured pictures."""
    shown: dict[int, tuple[str, str, list[tuple[str, str]]]] = {}
    for number, alt, caption, form, url in db.execute(_FORMS, (article["id"],)):
        shown.setdefault(number, (alt, caption, []))[2].append((form, url))
    body, placed = list[str](), set[int]()
    for kind, text, picture in db.execute(_BLOCKS, (article["id"],)):
        if kind == "picture":
            body.append(_figures(*shown[picture]) if picture in shown else "")
            placed.add(picture)
        else:
            tag = _TAGS.get(kind, "p")
            body.append(f"<{tag}>{html.escape(text)}</{tag}>")
    body += [_figures(*shown[number]) for number in shown if number not in placed]
    address = html.escape(article["url"] or "–")
    if address.startswith(("http://", "https://")):
        address = f'<a href="{address}">{address}</a>'
    page = _PAGE.format(
        language=html.escape(article["language"]),
        title=html.escape(article["title"]),
        source=html.escape(source),
        address=address,
        body="\n".join(body),
    )
    return page.encode("utf-8", "replace")


def _figures(alt: str, caption: str, forms: list[tuple[str, str]]) -> str:
    """A picture in each form that came, the article's own first."""
    figures = []
    for at, (form, url) in enumerate(forms):
        words = " · ".join(filter(None, (caption if at == 0 else "", _FORM_WORDS[form], url)))
        figures.append(
            f'<figure><img src="{html.escape(url)}" alt="{html.escape(alt)}">'
            f"<figcaption>{html.escape(words)}</figcaption></figure>"
        )
    return "".join(figures)
