"""What Datasette's own pages say about the catalogue: titles, descriptions, order, facets, queries.

Datasette 0.65 asks for all of it (`get_metadata`); Datasette 1 is told when it starts.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from archiver.browse.tables.queries import QUERIES

_SIZE = 20  # rows a page: thumbnails are tall
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
_SAID = ("title", "description", "description_html", "columns")  # the rest is how a table is shown


@cache
def described() -> dict[str, dict[str, Any]]:
    """tables.toml: of each table `title`, `about`, `columns` (both Markdown), and how it is shown."""
    found: dict[str, dict[str, Any]] = tomllib.loads(
        files("archiver.browse.tables").joinpath("tables.toml").read_text("utf-8")
    )
    return found


def metadata(database: str, articles: str) -> dict[str, Any]:
    """Datasette metadata for the catalogue; `articles` is the address of our own list."""
    words = Markup('The tables behind <a href="{}">the articles</a>, derived from the WARC files.').format(
        articles
    )
    tables = {name: _table(about) for name, about in described().items()}
    queries = {name: query._asdict() for name, query in QUERIES.items()}
    about = {"title": "Catalogue", "description_html": str(words), "tables": tables, "queries": queries}
    return {"title": "News archive", "databases": {database: about}}


def _table(about: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in about.items() if name not in ("about", "columns", "view")}
    columns = {name: plain(meaning) for name, meaning in about["columns"].items()}
    return {"size": _SIZE, "description": plain(about["about"]), **shown, "columns": columns}


def plain(markdown: str) -> str:
    """Markdown of tables.toml as plain text."""
    return _LINK.sub(r"\1", markdown).replace("`", "")


async def tell(datasette: Any, found: dict[str, Any]) -> None:
    """Give `metadata` to Datasette 1. What the person who runs it has said in its files stays."""
    if not await datasette.get_instance_metadata():
        await datasette.set_instance_metadata("title", found["title"])
    for database, about in found["databases"].items():
        said = await datasette.get_database_metadata(database)
        for key in ("title", "description_html"):
            if key not in said:
                await datasette.set_database_metadata(database, key, about[key])
        for name, query in about["queries"].items():
            if not await datasette.get_query(database, name):
                await datasette.add_query(database, name, is_trusted=True, **query)
        for table, each in about["tables"].items():
            await _tell_table(datasette, database, table, each)


async def _tell_table(datasette: Any, database: str, table: str, about: dict[str, Any]) -> None:
    said = await datasette.get_resource_metadata(database, table)
    for key in ("title", "description"):
        if key not in said:
            await datasette.set_resource_metadata(database, table, key, about[key])
    for column, meaning in about["columns"].items():
        if not await datasette.get_column_metadata(database, table, column):
            await datasette.set_column_metadata(database, table, column, "description", meaning)
    datasette.config = datasette.config or {}
    tables = datasette.config.setdefault("databases", {}).setdefault(database, {}).setdefault("tables", {})
    shown = {key: value for key, value in about.items() if key not in _SAID}
    tables[table] = shown | tables.get(table, {})
