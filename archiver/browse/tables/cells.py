"""Cells of Datasette's own tables: thumbnails for digests, short names for long ids, links between rows."""

import re
from collections.abc import Awaitable
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from archiver.browse import words

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_RECORD_ID = re.compile(r"urn:uuid:([0-9a-f]{8})-[0-9a-f-]{27}", re.IGNORECASE)


class Cell(NamedTuple):
    """What Datasette tells of a cell. `table` is None for the result of a query.

    A foreign key that Datasette shows with a label has a dict of `value` and `label` as its value.
    """

    datasette: Any
    database: str
    table: str | None
    column: str
    row: Any
    value: Any


def render(cell: Cell) -> Markup | Awaitable[Markup | None] | None:
    """The cell's HTML; None leaves it to Datasette."""
    if isinstance(cell.value, dict):
        return _label(cell, cell.value)
    return _text(cell) if isinstance(cell.value, str) else None


def _text(cell: Cell) -> Markup | Awaitable[Markup | None] | None:
    if (cell.table, cell.column) == ("pictures", "format"):  # the digest is Datasette's own link to the row
        return _picture(cell, cell.row["payload_digest"], words.plain(cell.value))
    if _DIGEST.fullmatch(cell.value):
        name = Markup('<code title="{}">{}</code>').format(cell.value, words.short(cell.value))
        return _picture(cell, cell.value, name)
    if _RECORD_ID.fullmatch(cell.value):
        address = (
            f"{cell.datasette.urls.table(cell.database, 'records')}?record_id={quote(cell.value, safe='')}"
        )
        link = Markup('<a href="{}" title="{}"><code>{}…</code></a>')
        return link.format(address, cell.value, cell.value[9:17])
    if cell.table == "articles" and cell.column == "title":
        return _article(cell, cell.row["id"], cell.value)
    text = words.plain(cell.value)
    return Markup("{}").format(text) if text != cell.value else None


def _label(cell: Cell, expanded: dict[str, Any]) -> Markup | None:
    label = expanded.get("label")
    if cell.column in {"article_id", "document_id", "page_id"}:
        return _article(cell, expanded["value"], str(label))
    if isinstance(label, str) and label != words.plain(label):
        return Markup("{} <em>{}</em>").format(words.plain(label), expanded["value"])
    return None


def _article(cell: Cell, number: int, title: str) -> Markup:
    text = words.plain(title) or "(no title)"
    address = cell.datasette.urls.path(f"/-/articles/{number}")
    return Markup('<a href="{}" lang="{}">{}</a>').format(address, words.language_of(text, ""), text)


async def _picture(cell: Cell, digest: str, name: str) -> Markup:
    """The name, below a thumbnail if the digest is that of a picture."""
    found = await cell.datasette.get_database(cell.database).execute(
        "SELECT 1 FROM pictures WHERE payload_digest = ?", (digest,)
    )
    if not found.rows or not _DIGEST.fullmatch(digest):
        return Markup("{}").format(name)
    paths = (f"/-/{kind}/{digest.removeprefix('sha256:')}" for kind in ("media", "thumbnail"))
    whole, small = (cell.datasette.urls.path(path) for path in paths)
    link = Markup('<a class="archive-picture" href="{}"><img src="{}" alt="Picture" loading="lazy">{}</a>')
    return link.format(whole, small, name)
