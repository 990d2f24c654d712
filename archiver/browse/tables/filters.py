"""Datasette's own search box over the articles, which finds what our own pages find."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette.filters import FilterArguments

from archiver.index.search import Query, fold, parse, passages

_READ = 300  # articles whose text is read
_CANDIDATES = "SELECT rowid FROM article_words WHERE article_words MATCH ? ORDER BY rowid DESC LIMIT ?"
_THESE = "articles.id IN (SELECT value FROM json_each(:archive_found))"
_PERHAPS = "in too many articles to see whether all of it stands together"


def narrowed(datasette: Any, request: Any, database: str, table: str) -> Callable[[], Awaitable[Any]] | None:
    """What a row must meet beside what the index says; None where that says all."""
    written = request.args.get("_search")
    query = parse(written or "")
    if table != "articles" or query.exact:
        return None

    async def these() -> Any:
        found = await datasette.get_database(database).execute_fn(lambda db: _together(db, query))
        if found is None:
            return FilterArguments([], human_descriptions=[_PERHAPS])
        return FilterArguments([_THESE], {"archive_found": json.dumps(found)})

    return these


def _together(db: sqlite3.Connection, query: Query) -> list[int] | None:
    """The articles in which the query is found; None when too many would have to be read."""
    rows = db.execute(_CANDIDATES, (query.expression, _READ + 1)).fetchall()
    if len(rows) > _READ:
        return None
    return [number for (number,) in rows if query.found(fold(passages(db, number).values()))]
