"""The Datasette plugin: its hooks.

Every Datasette of the environment loads it through the entry point, so each hook does nothing
unless a database carries our application id.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

from datasette.hookspecs import hookimpl
from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from archiver.browse import render
from archiver.browse.guard import guarded
from archiver.browse.library import library, settings
from archiver.browse.pages import ROUTES, SHOWN, start
from archiver.browse.tables import cells, functions
from archiver.browse.tables.filters import narrowed
from archiver.browse.tables.metadata import metadata, tell

_THEIRS = "datasette.handle_exception"


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    if library(datasette) is None:
        return []
    routes = list(ROUTES)
    if settings(datasette).get("start") == "archive":
        routes.append((r"/$", start))
    return routes


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    # Our names all begin with "archive_", so no template of Datasette or of a person is replaced.
    ours = FileSystemLoader(Path(__file__).with_name("templates"))
    env.loader = ChoiceLoader([env.loader, ours]) if env.loader else ours


@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Any) -> None:
    here = library(datasette)
    if here and here.database == database:
        functions.register(conn, here.root)


@hookimpl
def filters_from_request(request: Any, database: str, table: str, datasette: Any) -> Any:
    here = library(datasette)
    return narrowed(datasette, request, database, table) if here and here.database == database else None


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    here = library(datasette)
    if here is None:
        return lambda app: app
    hosts = settings(datasette).get("allowed_hosts")
    shown = SHOWN if render.is_public(datasette) else None
    return partial(guarded, hosts=hosts, shown=shown, at_end=here.close)


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, None]:
    """Answer in words: Datasette's own handler prints a traceback even for a 404."""
    outcome = yield
    if library(datasette) is not None:
        theirs = [answer for answer in outcome.get_result() if answer.__module__ != _THEIRS]
        outcome.force_result([*theirs, partial(render.refuse, datasette, request, exception)])


@hookimpl
def startup(datasette: Any) -> Callable[[], Awaitable[None]] | None:
    here = library(datasette)
    if here is None or not hasattr(datasette, "set_instance_metadata"):
        return None
    return partial(tell, datasette, metadata(here.database, datasette.urls.path("/-/articles")))


@hookimpl
def get_metadata(datasette: Any) -> dict[str, Any]:
    here = library(datasette)
    return metadata(here.database, datasette.urls.path("/-/articles")) if here else {}


@hookimpl
def extra_css_urls(database: str | None, datasette: Any) -> list[str]:
    here = library(datasette)
    return ["/-/archive-style/tables.css"] if here and database in (None, here.database) else []


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    return [{"href": datasette.urls.path("/-/articles"), "label": "Articles"}] if library(datasette) else []


@hookimpl
def render_cell(  # noqa: PLR0917 - pluggy passes these by name
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> Any:
    here = library(datasette)
    if here is None or here.database != database:
        return None
    return cells.render(cells.Cell(datasette, database, table, column, row, value))
