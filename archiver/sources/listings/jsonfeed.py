"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1) → what its items say."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from archiver.errors import SourceError
from archiver.sources.html.pictures import LeftOut
from archiver.sources.listings.items import Enclosure, Feed, Item, html_of_text

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/1(?:\.\d{1,2})?/?")
_WRITTEN_VERSION = re.compile(rf'"version"\s*+:\s*+"{_VERSION.pattern}"'.replace("/", r"\\?/"))
_ITEMS = re.compile(r'"items"\s*+:\s*+\[')
_BETWEEN = re.compile(r"[\s,]*+")


def is_json_feed(text: str) -> bool:
    """Whether JSON, whole or broken off, says of itself that it is a JSON Feed."""
    try:
        said = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return _WRITTEN_VERSION.search(text) is not None
    version = bytes(said.get("version", b"")).decode("utf-8", "replace").replace("\\/", "/")
    return _VERSION.fullmatch(version.strip().strip('"')) is not None


def read_json_feed(text: str, *, left_out: LeftOut) -> Feed:
    """Read a JSON Feed; of one that breaks off, the items before. Raises SourceError where there are none."""
    try:
        said = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        said = {"items": list(_items(text))}
        if not said["items"]:
            raise SourceError(f"a JSON Feed that breaks off before its first item: {error}") from error
        left_out.add("JSON that breaks off, read item by item", str(error))
    if not isinstance(said.get("items"), list):
        raise SourceError("a JSON Feed without a list of items")
    items = _dicts(said, "items")
    if len(items) < len(said["items"]):
        left_out.add("item that is no JSON object", _word(said, "title"))
    return Feed(
        title=_word(said, "title"),
        link=_word(said, "home_page_url"),
        language=_word(said, "language"),
        authors=_authors(said),
        items=[_item(item) for item in items],
    )


def _items(text: str) -> Iterator[Any]:
    """The items up to the break."""
    found = _ITEMS.search(text)
    at = found.end() if found else len(text)
    decoder = json.JSONDecoder(strict=False)
    while text.startswith("{", at := _skipped(text, at)):
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield item


def _skipped(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _item(said: dict[str, Any]) -> Item:
    identity = _word(said, "id")
    permanent = identity if identity.startswith(("http://", "https://")) else ""
    bodies = [
        _word(said, "content_html"),
        *(html_of_text(_word(said, key)) for key in ("content_text", "summary")),
    ]
    clocks = (("feed-published", "date_published"), ("feed-updated", "date_modified"))
    return Item(
        title=_word(said, "title"),
        link=_word(said, "url") or permanent or _word(said, "external_url"),
        language=_word(said, "language"),
        section=next((tag for tag in said.get("tags") or () if isinstance(tag, str)), ""),
        authors=_authors(said),
        times=[(clock, written) for clock, key in clocks if (written := _word(said, key))],
        bodies=[body for body in bodies if body.strip()][:1],
        enclosures=[
            *(Enclosure(_word(said, key), f"json-feed-{key}") for key in ("image", "banner_image")),
            *(
                Enclosure(_word(file, "url"), "json-feed-attachment", _word(file, "mime_type"))
                for file in _dicts(said, "attachments")
            ),
        ],
    )


def _authors(said: dict[str, Any]) -> list[str]:
    """Of version 1.1 `authors`, of version 1.0 `author`."""
    written = _dicts(said, "authors") or _dicts({"author": [said.get("author")]}, "author")
    return [name for author in written if (name := _word(author, "name"))]


def _word(said: dict[str, Any], key: str) -> str:
    """A string of a feed's object, lone surrogates replaced; "" for anything else that stands there."""
    value = said.get(key)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _dicts(said: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list in a feed's object."""
    values = said.get(key)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
