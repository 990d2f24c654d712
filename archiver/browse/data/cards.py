"""The list of articles, as plain data for the templates."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archiver.browse import words
from archiver.browse.language import Say
from archiver.claims.contradictions import moment_of

PAGE_SIZE = 24
_VALUES = 500  # for one statement

Rows = list[sqlite3.Row]


@dataclass(frozen=True)
class Card:
    """An article in the list. `dates` are the different days that its claimed times name.

    `pictures` are those of the article that are wanted; of the `saved` ones, `rescued` are here as another
    archive's copy only.
    """

    id: int
    title: str
    language: str
    host: str
    kind: str
    archived: str
    dates: tuple[str, ...]
    pictures: int
    saved: int
    rescued: int
    lead: str | None  # SHA-256 digits of the first saved picture
    lead_name: str  # what copy it is, where that must be said


@dataclass(frozen=True)
class Window:
    """Which articles a page lists: those saved before or after one of them, in a month (`2026-11`)."""

    before: int | None = None
    after: int | None = None
    month: str = ""


@dataclass(frozen=True)
class Listed:
    """Cards, newest first, and whether there are newer and older ones."""

    cards: tuple[Card, ...]
    newer: bool
    older: bool


# Each URL once for all its sources; an article without one is on its own.
_COUNT = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM articles WHERE url IS NOT NULL GROUP BY url))
     + (SELECT count(*) FROM articles WHERE url IS NULL)
"""
_LIST = """
SELECT * FROM articles WHERE NOT EXISTS (SELECT 1 FROM articles AS other WHERE other.url = articles.url
    AND (other.kind < articles.kind OR other.kind = articles.kind AND other.id > articles.id)) AND {}
ORDER BY archived {order}, id {order} LIMIT :limit
"""
_MONTHS = """
WITH RECURSIVE months(month) AS (SELECT substr(max(archived), 1, 7) FROM articles UNION ALL
    SELECT (SELECT substr(max(archived), 1, 7) FROM articles WHERE archived < month) FROM months
    WHERE month IS NOT NULL LIMIT 240)
SELECT month FROM months WHERE month IS NOT NULL
"""


_counted: dict[str, tuple[int | None, int]] = {}  # catalogue → its newest article, and the count then


def count_articles(db: sqlite3.Connection) -> int:
    """One for each address: its mirror document, its page and later captures are one article to a reader."""
    _, _, file = db.execute("PRAGMA database_list").fetchone()
    (newest,) = db.execute("SELECT max(id) FROM articles").fetchone()
    if file not in _counted or _counted[file][0] != newest:
        _counted[file] = (newest, int(db.execute(_COUNT).fetchone()[0]))
    return _counted[file][1]


def months(db: sqlite3.Connection) -> list[str]:
    """The months in which articles were saved, as `2026-11`, newest first."""
    return [words.plain(month) for (month,) in db.execute(_MONTHS)]


def list_cards(db: sqlite3.Connection, window: Window, say: Say) -> Listed:
    """One page of articles, newest first, each by its newest document or else page."""
    number = window.after if window.after is not None else window.before
    saved = db.execute("SELECT archived FROM articles WHERE id = ?", (number,)).fetchone()
    upwards = saved is not None and window.after is not None
    clauses = ["archived >= :month AND archived < :month || '~'"] if window.month else []
    clauses += [f"(archived, id) {'>' if upwards else '<'} (:saved, :number)"] if saved else []
    sql = _LIST.format(" AND ".join(clauses) or "1", order="ASC" if upwards else "DESC")
    values = {"month": window.month, "saved": saved and saved[0], "number": number, "limit": PAGE_SIZE + 1}
    rows = db.execute(sql, values).fetchall()
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    cards = tuple(make_cards(db, rows[::-1] if upwards else rows, say))
    return Listed(cards, newer=more if upwards else saved is not None, older=upwards or more)


_SAVED = """
SELECT article_pictures.article_id AS article, article_pictures.number AS number,
       max(fetches.outcome = 'whole' AND (pictures.format IS NOT NULL
           OR records.unreadable IS NOT NULL OR records.mime = 'image/svg+xml')) AS saved,
       max(CASE WHEN fetches.outcome = 'whole' AND pictures.format IS NOT NULL
           THEN CASE forms.form WHEN 'origin' THEN 3 WHEN 'proxied' THEN 2 WHEN 'rendition' THEN 1 ELSE 0 END
                || fetches.payload_digest END) AS shown
FROM article_pictures
LEFT JOIN forms ON forms.article_picture_id = article_pictures.id
LEFT JOIN fetches ON fetches.id = forms.fetch_id
LEFT JOIN records ON records.record_id = fetches.response_id
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE article_pictures.article_id IN ({})
  AND article_pictures.part = 'article' AND article_pictures.unwanted = ''
GROUP BY article_pictures.id ORDER BY article_pictures.article_id, article_pictures.number
"""
_RESCUED, _GUESSED = "0", "1"  # what `shown` begins with; then follow "sha256:" and the digits


def make_cards(db: sqlite3.Connection, rows: Rows, say: Say) -> list[Card]:
    ids = [row["id"] for row in rows]
    pictures, days = defaultdict(list), defaultdict(set)
    for row in select(db, _SAVED, ids):
        pictures[row["article"]].append(row)
    for row in select(db, "SELECT * FROM times WHERE picture IS NULL AND article_id IN ({})", ids):
        if moment_of(row["value"]):
            days[row["article_id"]].add(row["value"][:10])
    return [_card(row, pictures[row["id"]], sorted(days[row["id"]]), say) for row in rows]


def _card(row: sqlite3.Row, pictures: Rows, days: Sequence[str], say: Say) -> Card:
    title = words.plain(row["title"])
    shown = [picture["shown"] for picture in pictures if picture["shown"]]
    names = {_RESCUED: say("Another archive's copy"), _GUESSED: say("A rendition guessed from the name")}
    return Card(
        id=row["id"],
        title=title or words.plain(row["url"]) or words.plain(row["given"]) or say("(no title)"),
        language=words.language_of(title, row["language"]),
        host=words.host_of(row["url"]) or words.plain(row["given"]),
        kind=words.kind_name(row["kind"], say),
        archived=row["archived"],
        dates=tuple(days),
        pictures=len(pictures),
        saved=sum(bool(picture["saved"]) for picture in pictures),
        rescued=sum(each.startswith(_RESCUED) for each in shown),
        lead=shown[0][8:] if shown else None,
        lead_name=names.get(shown[0][0], "") if shown else "",
    )


def select(db: sqlite3.Connection, sql: str, values: Sequence[Any]) -> Rows:
    """Rows for a list of values: `{}` in the SQL becomes as many placeholders, in several statements."""
    rows: Rows = []
    for start in range(0, len(values), _VALUES):
        part = values[start : start + _VALUES]
        rows += db.execute(sql.format(", ".join("?" * len(part))), part).fetchall()
    return rows
