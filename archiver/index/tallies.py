"""How many articles and fetches there are, by host and time: counted as their rows come in."""

from typing import get_args
from urllib.parse import urlsplit

from sqlite_utils import Database

from archiver.claims.contradictions import earliest_published
from archiver.index.rows import value
from archiver.model import Article, FetchNote, Outcome

HOST_CHARS = 253  # of a name of the DNS (RFC 1035, section 2.3.4)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
# What of `fetches` is counted: the last word on each URL that somebody asked for or that came.
COUNTED = "retry IS NULL AND purpose <> 'robots' AND (form IS NOT 'rendition' OR outcome = 'whole')"
_ADD = """
INSERT INTO tallies (of, key, outcome, number) VALUES (?, ?, ?, 1)
ON CONFLICT (of, key, outcome) DO UPDATE SET number = number + 1
"""


def host_of(url: str | None) -> str:
    """The URL's host in lower case; "" where there is none."""
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return ""
    return host if len(host) <= HOST_CHARS else ""


def tally_fetch(db: Database, note: FetchNote) -> None:
    """One more fetch, unless it is left out by COUNTED."""
    guessed = note.form == "rendition" and note.outcome != "whole"
    if note.retry is None and note.purpose != "robots" and not guessed:
        db.execute(_ADD, ["fetches-by-host", host_of(note.url), note.outcome])
        db.execute(_ADD, ["fetches-by-day", note.started[:10], note.outcome])


def tally_article(db: Database, article: Article) -> None:
    """One more article, before its row is there: the first source of its URL counts, and its claimed time."""
    if article.url and value(db, "SELECT 1 FROM articles WHERE url = ?", article.url):
        return
    claimed = earliest_published(article.times) or ""
    db.execute(_ADD, ["articles-by-host", host_of(article.url), ""])
    db.execute(_ADD, ["articles-by-month", claimed[:7], ""])
