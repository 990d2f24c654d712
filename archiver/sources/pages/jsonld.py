"""JSON-LD in a page: the objects that describe its article, and the pictures that any of them name."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from archiver.sources.html.markup import attribute
from archiver.sources.html.pictures import Gallery

_ARTICLES = re.compile(r"Article$|Posting$|^Report$|^WebPage$")
_PICTURES = frozenset(("image", "thumbnailUrl", "thumbnail", "primaryImageOfPage", "photo"))
_ICONS = frozenset(("logo",))
_OTHERS_NAMES = "author creator editor publisher sourceOrganization isPartOf comment review"
_OTHERS = frozenset(_OTHERS_NAMES.split())


class Named(NamedTuple):
    """A picture that JSON-LD names; `outside`: not of an object that describes the article."""

    written: str
    key: str
    outside: bool
    unwanted: str = ""


def values(tree: LexborHTMLParser, gallery: Gallery) -> list[Any]:
    """What each `<script type="application/ld+json">` holds; what is no JSON is told to the gallery."""
    found = []
    for script in tree.css("script"):
        if not attribute(script, "type").strip().lower().startswith("application/ld+json"):
            continue
        text = script.text()
        try:
            found.append(json.loads(text, strict=False))
        except (ValueError, RecursionError):
            gallery.leave_out("JSON-LD that is not JSON", text)
    return found


def articles(found: list[Any]) -> list[dict[str, Any]]:
    """The objects that describe the page or its article, in order."""
    nodes = []
    waiting = found[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            if _is_article(value):
                nodes.append(value)
            waiting.extend(value[key] for key in ("mainEntity", "@graph") if key in value)
    return nodes


def pictures(found: list[Any], described: list[dict[str, Any]]) -> Iterator[Named]:
    """Every picture that is named, an object's before those of the objects in it."""
    own = {id(node) for node in described}
    waiting: list[tuple[Any, bool]] = [(value, True) for value in found[::-1]]
    while waiting:
        value, outside = waiting.pop()
        if isinstance(value, list):
            waiting.extend((one, outside) for one in reversed(value))
        elif isinstance(value, dict):
            if id(value) in own:
                outside = False
            elif _is_article(value) or "itemListElement" in value:
                outside = True
            for key in value:
                if key in _PICTURES:
                    yield from (Named(written, key, outside) for written in _written(value[key]))
                elif key in _ICONS:
                    yield from (Named(written, key, True, "icon: logo") for written in _written(value[key]))
            if "ImageObject" in strings(value.get("@type")):
                yield from (Named(written, "image", outside) for written in _written(value))
            waiting.extend(
                (value[key], outside or key in _OTHERS)
                for key in reversed(value)
                if isinstance(value[key], dict | list) and key not in _ICONS
            )


def strings(value: Any) -> list[str]:
    """The strings of a string or a list; lone surrogates, which JSON can escape, replaced."""
    several = value if isinstance(value, list) else [value]
    return [text.encode("utf-8", "replace").decode() for text in several if isinstance(text, str)]


def _is_article(value: dict[str, Any]) -> bool:
    return any(_ARTICLES.search(name) for name in strings(value.get("@type")))


def _written(value: Any) -> Iterator[str]:
    """The URLs of a picture, which may be an ImageObject or a list of them."""
    for one in value if isinstance(value, list) else [value]:
        yield from strings(one.get("contentUrl") or one.get("url") if isinstance(one, dict) else one)
