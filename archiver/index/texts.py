"""Which mirror is held against which page, and the comparison of two articles of the catalogue."""

import sqlite3
from typing import Any

from sqlite_utils import Database

from archiver.claims.compare import Comparison, compare
from archiver.model import Article, Block

COMPARED = 20  # documents that are held against one page: a page that more name is not theirs

_PAGES = """
SELECT articles.id, (SELECT count(*) FROM articles AS since
    WHERE since.url = :url AND since.kind <> 'page' AND since.id > articles.id)
FROM articles WHERE kind = 'page' AND source_id IN
    (SELECT response_id FROM fetches WHERE url = :url AND purpose = 'page')
ORDER BY articles.archived DESC, articles.id DESC LIMIT 1
"""
_DOCUMENTS = """
SELECT DISTINCT articles.id FROM articles JOIN fetches ON fetches.url = articles.url
WHERE articles.kind <> 'page' AND fetches.purpose = 'page' AND fetches.response_id = :response
AND NOT EXISTS (SELECT 1 FROM text_comparisons JOIN articles AS held ON held.id = page_id
    WHERE document_id = articles.id AND held.archived > (SELECT archived FROM articles WHERE id = :page))
ORDER BY articles.id DESC LIMIT :most
"""


def note_comparisons(db: Database, article_id: int, article: Article, source_id: str) -> None:
    """Hold a mirror's text against the newest page that came when its URL was asked for."""
    if article.kind == "page":
        asked = {"response": source_id, "page": article_id, "most": COMPARED}
        pairs = [(row[0], article_id) for row in db.execute(_DOCUMENTS, asked)]
    else:
        pages = db.execute(_PAGES, {"url": article.url}).fetchall()
        pairs = [(article_id, page) for page, since in pages if since <= COMPARED]
    for document_id, page_id in pairs:
        found = compared(db, document_id, page_id)
        counts = {kind: getattr(found, kind) for kind in ("same", "changed", "missing", "added")}
        row: dict[str, Any] = {"document_id": document_id, "page_id": page_id, **counts}
        db.table("text_comparisons").insert(row, replace=True)


def note_page(db: Database, response: str) -> None:
    """The same for a page of which it is known later, as after an import, when its URL was asked for."""
    page = "SELECT id, title, url FROM articles WHERE kind = 'page' AND source_id = ?"
    for article_id, title, url in db.execute(page, [response]).fetchall():
        note_comparisons(db, article_id, Article(kind="page", title=title, url=url), response)


def compared(db: Database | sqlite3.Connection, document_id: int, page_id: int) -> Comparison:
    """The text of a mirror document or a feed's item against that of a page, both by `articles.id`."""
    return compare(_blocks(db, document_id), _blocks(db, page_id))


def _blocks(db: Database | sqlite3.Connection, article_id: int) -> list[Block]:
    sql = "SELECT kind, text FROM blocks WHERE article_id = ? AND kind <> 'picture' ORDER BY number"
    return [Block(kind=kind, text=text) for kind, text in db.execute(sql, [article_id])]
