"""Bytes → text → HTML tree, within limits.

An HTML5 parser takes quadratic time for a few shapes (blocks nested by ten thousands, one tag with
as many attributes). They are counted first and refused; what slips through meets the sandbox's limits.
"""

import re
from collections import Counter

import ada_url
from selectolax.lexbor import LexborHTMLParser, LexborNode

from archiver.errors import SourceError
from archiver.sources.html.charset import decode, is_utf_16

MARKUP_CHARS = 16 << 20
MARKUP_TAGS = 200_000  # start and end tags
NESTED_BLOCKS = 5_000
TAG_ATTRIBUTES = 2_000

WHITESPACE = "\t\n\f\r "  # HTML's own: no-break and ideographic spaces are text

# MIME Sniffing, "binary data byte", in the bytes that it looks at.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
SNIFFED_BYTES = 1445
_TAG = re.compile(
    r"<(?:!doctype\s+html|html|head|body|meta|title|link|script|div|p|a|span|img|h[1-6]|article|section|main"
    r"|table|ul|ol|br|b|i|em|strong|figure|time)\b",
    re.IGNORECASE,
)
_OTHER_ROOT = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(rss|feed|urlset|sitemapindex|rdf:RDF|svg|opml)\b", re.DOTALL
)

_BLOCK_TAG = re.compile(
    r"<(/?)(address|article|aside|blockquote|center|details|dialog|dir|div|dl|fieldset|figure|footer|form"
    r"|h[1-6]|header|hgroup|main|menu|nav|ol|section|summary|table|ul)\b",
    re.IGNORECASE,
)
_START_TAG = re.compile(r"<[a-z](?:[^>=]++|=\s*+\"[^\"]*\"|=\s*+'[^']*'|=)*+", re.IGNORECASE)
_QUOTED = re.compile(r"=\s*+(?:\"[^\"]*\"|'[^']*')")
_ATTRIBUTE = re.compile(r"[\s/]+[^\s/]")


def parse(markup: str) -> LexborHTMLParser:
    """The tree of `markup`. Raises SourceError where a limit of this module is passed."""
    _refuse(len(markup), MARKUP_CHARS, "characters of markup")
    _refuse(markup.count("<"), MARKUP_TAGS, "tags")
    _refuse(_deepest(markup), NESTED_BLOCKS, "elements one inside the other")
    for tag in _START_TAG.finditer(markup):
        if tag.end() - tag.start() > 2 * TAG_ATTRIBUTES:
            attributes = len(_ATTRIBUTE.findall(_QUOTED.sub(" ", tag[0])))
            _refuse(attributes, TAG_ATTRIBUTES, "attributes in one tag")
    return LexborHTMLParser(markup)


def markup_of(data: bytes, content_type: str = "") -> str:
    """The text of an HTML page. Raises SourceError for pictures, feeds and whatever else is no HTML."""
    if not is_utf_16(data, content_type) and _BINARY.search(data[:SNIFFED_BYTES]):
        raise SourceError("not a web page: the bytes are binary, not text")
    markup = decode(data, content_type)
    if other := _OTHER_ROOT.match(markup):
        raise SourceError(f"not a web page: a document of XML with the root <{other[1]}>")
    if _TAG.search(markup) is None:
        raise SourceError("not a web page: no HTML element in it")
    return markup


def require_url(url: str) -> None:
    """Raises SourceError for what is no URL."""
    if not ada_url.check_url(url):
        raise SourceError(f"not a URL: {url[:200]!a}", "give the page's whole URL, with http:// or https://")


def base_of(tree: LexborHTMLParser, url: str) -> str:
    """The URL that relative ones are joined to (HTML, "document base URL")."""
    element = tree.css_first("base[href]")
    if element is None:
        return url
    try:
        base: str = ada_url.join_url(url, attribute(element, "href"))
    except ValueError:
        return url
    return base if base.startswith(("http:", "https:")) else url


def body_of(tree: LexborHTMLParser) -> LexborNode:
    """The `<body>`, or the root of a page of frames. Raises SourceError for an empty tree."""
    body = tree.body or tree.root
    if body is None:
        raise SourceError("the HTML parser found no document")
    return body


def attribute(node: LexborNode, name: str) -> str:
    """The value of an attribute; an empty string where it is missing or has none."""
    return node.attributes.get(name) or ""


def one_line(text: str) -> str:
    """`text` with each run of HTML's white space as one space, none at the ends."""
    return re.sub(r"[\t\n\f\r ]+", " ", text).strip()


def _deepest(markup: str) -> int:
    """How many block elements are open at once, by counting; end tags close only their own kind."""
    opened: Counter[str] = Counter()
    depth = deepest = 0
    for tag in _BLOCK_TAG.finditer(markup):
        name = tag[2].lower()
        if not tag[1]:
            opened[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
    return deepest


def _refuse(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise SourceError(
            f"too large to be read as an article: {count} {what}, the limit is {limit}",
            "the bytes are archived; only the text and the pictures were not looked for",
        )
