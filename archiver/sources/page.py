"""A live news page → an Article: its text, every picture it names for it, and every time it claims."""

import json
import re
from collections.abc import Iterator
from typing import Any

import ada_url
import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from archiver.errors import SourceError
from archiver.model import Article, ClaimedTime
from archiver.sources.flow import UNREAD, Extent, Flow
from archiver.sources.markup import attribute, body_of, decode, one_line, parse
from archiver.sources.pictures import Gallery
from archiver.sources.times import WRITTEN_CHARS, claimed

TIMES = 50
TEXT_CANDIDATES = 50

_TEXT_PLACES = ("[itemprop~=articleBody]", "#article-content", "article", "main")
_UNREAD = UNREAD | {"nav", "aside", "footer"}
_META_PICTURES = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")
_META_TIMES = {
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
_JSON_LD_TIMES = {"datePublished": "json-ld-published", "dateModified": "json-ld-modified"}
_JSON_LD_TYPES = re.compile(r"Article$|Posting$|^Report$|^WebPage$")

# MIME Sniffing, "binary data byte", in the bytes that it looks at.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SNIFFED_BYTES = 1445
_TAG = re.compile(
    r"<(?:!doctype\s+html|html|head|body|meta|title|link|script|div|p|a|span|img|h[1-6]|article|section|main"
    r"|table|ul|ol|br|b|i|em|strong|figure|time)\b",
    re.IGNORECASE,
)
_OTHER_ROOT = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(rss|feed|urlset|sitemapindex|rdf:RDF|svg|opml)\b", re.DOTALL
)


def read_page(data: bytes, *, url: str, content_type: str = "") -> dict[str, Any]:
    """Read a page's entity-body (content coding removed): an Article as built-in types.

    `url` is the page's own, after redirects; `content_type` the header field's value, for its charset.
    Raises SourceError for what is no HTML page or passes a limit.
    """
    if not ada_url.check_url(url):
        raise SourceError(f"not a URL: {url[:200]!a}", "give the page's whole URL, with http:// or https://")
    tree = parse(_markup(data, content_type))
    names = _metas(tree)
    title = _title(tree, names)
    gallery = Gallery(_base(tree, url))
    flow = Flow(gallery, _extent(tree))
    flow.read(body_of(tree))
    linked = list(_json_ld(tree, gallery))
    for name in _META_PICTURES:
        for content in names.get(name, ()):
            gallery.add(content, f"meta-{name}")
    for node in linked:
        for picture in _json_ld_pictures(node):
            gallery.add(picture, "json-ld-image")
    times = _times(flow, names, linked, gallery)
    blocks = flow.blocks()  # before the references: it gives them their captions
    article = Article(
        kind="page",
        title=title,
        url=url,
        language=one_line(attribute(html, "lang")) if (html := tree.css_first("html")) else "",
        times=times,
        blocks=tuple(block for block in blocks if block.kind == "picture" or block.text != title),
        references=gallery.references,
        left_out=gallery.left_out,
    )
    result: dict[str, Any] = msgspec.to_builtins(article)
    return result


def _markup(data: bytes, content_type: str) -> str:
    """The page's text. Raises SourceError for pictures, feeds and whatever else is no HTML."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and _BINARY.search(data[:_SNIFFED_BYTES]):
        raise SourceError("not a web page: the bytes are binary, not text")
    markup = decode(data, content_type)
    if other := _OTHER_ROOT.match(markup):
        raise SourceError(f"not a web page: a document of XML with the root <{other[1]}>")
    if _TAG.search(markup) is None:
        raise SourceError("not a web page: no HTML element in it")
    return markup


def _extent(tree: LexborHTMLParser) -> Extent:
    body = body_of(tree)
    text = _text_root(tree)
    if text is None:
        # A whole page may stand in one <form>; the site's own header is no part of an article.
        return Extent(body.mem_id, body.mem_id, unread=_UNREAD | {"header"})
    above = []
    around = text
    node: LexborNode | None = text
    while node is not None:
        above.append(node.mem_id)
        if node.tag in ("article", "main") and around is text:
            around = node
        node = node.parent
    return Extent(
        text=text.mem_id,
        around=around.mem_id,
        after=around.tag == "article",  # in <main> other articles follow
        unread=_UNREAD | {"form"},
        above=frozenset(above),
    )


def _text_root(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that holds the article's text: of the first kind that has any, the one with most."""
    for place in _TEXT_PLACES:
        sizes = [(len(node.text(strip=True)), node) for node in tree.css(place)[:TEXT_CANDIDATES]]
        size, node = max(sizes, key=lambda sized: sized[0], default=(0, None))
        if size:
            return node
    return None


def _base(tree: LexborHTMLParser, url: str) -> str:
    """The URL that relative ones are joined to (HTML, "document base URL")."""
    element = tree.css_first("base[href]")
    if element is None:
        return url
    try:
        base: str = ada_url.join_url(url, attribute(element, "href"))
    except ValueError:
        return url
    return base if base.startswith(("http:", "https:")) else url


def _metas(tree: LexborHTMLParser) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for meta in tree.css("meta"):
        attributes = meta.attributes
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop")
        if name and (content := attributes.get("content")):
            names.setdefault(name.strip().lower(), []).append(content)
    return names


def _title(tree: LexborHTMLParser, names: dict[str, list[str]]) -> str:
    if title := one_line(next(iter(names.get("og:title", ())), "")):
        return title
    for tag in ("h1", "title"):
        node = tree.css_first(tag)
        if node is not None and (title := one_line(node.text())):
            return title
    return ""


# --- JSON-LD ------------------------------------------------------------------------------------


def _json_ld(tree: LexborHTMLParser, gallery: Gallery) -> Iterator[dict[str, Any]]:
    """The objects of JSON-LD that describe the page or its article, in order."""
    for script in tree.css("script"):
        if not attribute(script, "type").strip().lower().startswith("application/ld+json"):
            continue
        text = script.text()
        try:
            values = [json.loads(text, strict=False)]
        except (ValueError, RecursionError):
            gallery.leave_out("JSON-LD that is not JSON", text)
            continue
        while values:
            value = values.pop()
            if isinstance(value, list):
                values.extend(reversed(value))
            elif isinstance(value, dict):
                if any(_JSON_LD_TYPES.search(name) for name in _strings(value.get("@type"))):
                    yield value
                values.extend(value[key] for key in ("mainEntity", "@graph") if key in value)


def _strings(value: Any) -> list[str]:
    """The strings of a string or a list; lone surrogates, which JSON can escape, replaced."""
    values = value if isinstance(value, list) else [value]
    return [text.encode("utf-8", "replace").decode() for text in values if isinstance(text, str)]


def _json_ld_pictures(node: dict[str, Any]) -> Iterator[str]:
    image = node.get("image")
    for value in image if isinstance(image, list) else [image]:
        if isinstance(value, dict):
            value = value.get("contentUrl") or value.get("url")  # noqa: PLW2901 - an ImageObject stands for its URL
        yield from _strings(value)


def _times(
    flow: Flow, names: dict[str, list[str]], linked: list[dict[str, Any]], gallery: Gallery
) -> tuple[ClaimedTime, ...]:
    """Each distinct pair of a clock and what it says."""
    found = [("time-element", written) for piece in flow.pieces for written, _shown in piece.times]
    found += [(clock, written) for name, clock in _META_TIMES.items() for written in names.get(name, ())]
    found += [
        (clock, written)
        for node in linked
        for key, clock in _JSON_LD_TIMES.items()
        for written in _strings(node.get(key))
    ]
    times: list[ClaimedTime] = []
    for clock, written in dict.fromkeys(found):
        if len(written) > WRITTEN_CHARS:
            gallery.leave_out(f"{clock} of more than {WRITTEN_CHARS} characters", written)
        elif len(times) >= TIMES:
            gallery.leave_out(f"time beyond the first {TIMES}", written)
        elif written.strip():
            times.append(claimed(clock, written))
    return tuple(times)
