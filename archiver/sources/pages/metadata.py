"""What a page says about itself outside its text: title, authors, section, language and times."""

import html
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from archiver.sources.html.markup import attribute, one_line
from archiver.sources.pages.jsonld import strings

AUTHORS = 50
NAME_CHARS = 200

META_TIMES = {
    "article:published_time": "meta",
    "og:published_time": "meta",
    "datepublished": "meta",
    "date": "meta",
    "dc.date": "meta",
    "pubdate": "meta",
    "publishdate": "meta",
    "parsely-pub-date": "meta",
    "article:modified_time": "meta-modified",
    "og:updated_time": "meta-modified",
    "datemodified": "meta-modified",
}
META_PICTURES = (
    "og:image",
    "og:image:url",
    "og:image:secure_url",
    "twitter:image",
    "twitter:image:src",
    "parsely-image-url",
    "sailthru.image.full",
    "sailthru.image.thumb",
    "thumbnail",
)
_META_AUTHORS = (
    "author",
    "article:author",
    "dc.creator",
    "dcterms.creator",
    "parsely-author",
    "sailthru.author",
    "byl",
)
_META_SECTIONS = ("article:section", "section", "parsely-section", "dcsext.section")
_META_LANGUAGES = ("content-language", "og:locale", "dc.language", "language")
_BYLINES = ("[itemprop~=author] [itemprop~=name]", "[itemprop~=author]", "[rel~=author]")


def metas(tree: LexborHTMLParser) -> dict[str, list[str]]:
    """The contents of `<meta>` by `property`, `name`, `itemprop` or `http-equiv` in lower case."""
    names: dict[str, list[str]] = {}
    for meta in tree.css("meta"):
        attributes = meta.attributes
        kinds = (attributes.get(kind) for kind in ("property", "name", "itemprop", "http-equiv"))
        name = next((kind for kind in kinds if kind), None)
        if name and (content := attributes.get("content")):
            names.setdefault(name.strip().lower(), []).append(content)
    return names


def title_of(tree: LexborHTMLParser, names: dict[str, list[str]]) -> str:
    """`og:title`, else the first `<h1>` with text, else `<title>`."""
    if title := one_line(next(iter(names.get("og:title", ())), "")):
        return title
    for tag in ("h1", "title"):
        node = tree.css_first(tag)
        if node is not None and (title := one_line(node.text())):
            return title
    return ""


def authors_of(
    tree: LexborHTMLParser, names: dict[str, list[str]], linked: list[dict[str, Any]]
) -> tuple[str, ...]:
    """The names that the first of JSON-LD, `<meta>` and marked bylines gives."""
    for source in (
        (name for node in linked for name in _persons(node.get("author"))),
        (name for kind in _META_AUTHORS for name in names.get(kind, ())),
        *((node.text() for node in tree.css(place)[:AUTHORS]) for place in _BYLINES),
    ):
        found = dict.fromkeys(filter(_is_name, (one_line(html.unescape(name)) for name in source)))
        if found:
            return tuple(found)[:AUTHORS]
    return ()


def section_of(names: dict[str, list[str]], linked: list[dict[str, Any]]) -> str:
    said = [name for kind in _META_SECTIONS for name in names.get(kind, ())]
    said += [name for node in linked for name in strings(node.get("articleSection"))]
    return next((name for one in said if _is_name(name := one_line(html.unescape(one)))), "")


def language_of(tree: LexborHTMLParser, names: dict[str, list[str]], linked: list[dict[str, Any]]) -> str:
    """`<html lang>`, else what `<meta>` or JSON-LD says."""
    root = tree.css_first("html")
    said = [attribute(root, "lang") or attribute(root, "xml:lang")] if root else []
    said += [one.replace("_", "-") for kind in _META_LANGUAGES for one in names.get(kind, ())]
    said += [one for node in linked for one in strings(node.get("inLanguage"))]
    return next((one for written in said if (one := one_line(written)) and len(one) <= NAME_CHARS), "")


def _persons(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        yield from strings(one.get("name") if isinstance(one, dict) else one)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= NAME_CHARS and "://" not in name
