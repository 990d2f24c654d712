"""What imported files hold → notes on the articles and listings among it, as after own capture."""

import unicodedata
from collections.abc import Collection

from sqlite_utils import Database

from archiver.capture.desk import Desk
from archiver.capture.reading import BODY_BYTES, Read, Reader
from archiver.errors import RecordError, SandboxError, SourceError
from archiver.importing.answers import Answer, Answers
from archiver.model import VIEW_URI, Article, Recognised
from archiver.sandbox import Sandbox
from archiver.sources import recognise

LEAST_TEXT = 200  # columns of text that a page has to have to be read as an article
HTML = ("text/html", "application/xhtml+xml")
_SOURCES = (
    *HTML,
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/rss+xml",
    "application/xml",
    "text/markdown",
    "text/plain",
    "text/x-opml",
    "text/xml",
)
_LISTINGS = ("feed", "sitemap", "opml")
_PUBLISHED = ("json-ld-published", "meta")  # clocks of a publication (docs/sources.md)
_KNOWN = """
SELECT 1 FROM articles WHERE source_id = :id UNION ALL SELECT 1 FROM listings WHERE source_id = :id LIMIT 1
"""


class Pages:
    """Reads those answers that may be articles, mirror documents or listings. Hostile bytes: in the sandbox.

    `named`: of a file that names its pages, as a WACZ does, their URLs; then no other page is an article.
    """

    def __init__(self, db: Database, desk: Desk, reader: Reader, sandbox: Sandbox) -> None:
        self._db, self._desk, self._reader, self._sandbox = db, desk, reader, sandbox

    def note(self, answer: Answer, given: str, named: Collection[str], answers: Answers) -> None:
        """Note what an answer says, if it is a source; once."""
        try:
            original = answers.original(answer) if answer.type == "revisit" else None
            if not _may_be_source(original or answer, answer.url) or self.is_source(answer):
                return
            if original is not None and answers.repeats(answer, original):
                return
            exchange = answer.exchange(original)
            if exchange.status != 200 or exchange.truncated:
                return
            body = (original or answer).body(BODY_BYTES)
            found = self._sandbox.read(Recognised, recognise, body.data, content_type=body.content_type)
            self._read(Read(given, body.data, answer.id, found.kind, answer.url, body.content_type), named)
        except (RecordError, SandboxError, SourceError):  # then it is an answer like any other
            return

    def is_source(self, answer: Answer) -> bool:
        """Whether an article or a listing was read from an answer."""
        return bool(self._db.execute(_KNOWN, {"id": answer.id}).fetchone())

    def _read(self, read: Read, named: Collection[str]) -> None:
        if read.kind in _LISTINGS:
            listing, _ = self._reader.listing(read)
            for item in listing.articles:
                self._reader.article(read, item)
        elif read.kind == "document" or (read.kind == "page" and (not named or read.url in named)):
            article = self._reader.said(read)
            if read.kind == "document" or named or is_article(article):
                self._reader.article(read, article)


def is_article(article: Article) -> bool:
    """Whether a page reads as an article: a title, and text enough or some text and when it came out."""
    text = "".join(block.text for block in article.blocks if block.kind in ("paragraph", "quote", "item"))
    published = any(time.clock in _PUBLISHED and time.value for time in article.times)
    return bool(article.title and text) and (published or _columns(text) >= LEAST_TEXT)


def _columns(text: str) -> int:
    """How wide a text is: a Chinese character says as much as two letters."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text[: 2 * LEAST_TEXT])


def _may_be_source(answer: Answer, url: str) -> bool:
    return answer.mime in _SOURCES and not is_robots(url) and not url.startswith(VIEW_URI)


def is_robots(url: str) -> bool:
    """Whether it is the URL of a robots.txt (RFC 9309 section 2.3)."""
    return url.partition("://")[2].partition("/")[2] == "robots.txt"
