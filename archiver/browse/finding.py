"""Datasette's own search box over the articles, which finds what our own pages find."""

from typing import Any

from datasette.filters import FilterArguments

from archiver.index.search import parse

# The index knows which articles have the words, not whether they stand together.
_TOGETHER = """search_found(:archive_search,
    (SELECT json_group_array(text) FROM passages WHERE article_id = articles.id))"""


def narrowed(request: Any, table: str) -> Any:
    """What a row must meet beside the index's word; None where that says all."""
    written = request.args.get("_search")
    if table != "articles" or not written or parse(written).exact:
        return None
    return FilterArguments([_TOGETHER], {"archive_search": written})
