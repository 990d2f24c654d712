"""Bytes → text → HTML tree, within limits.

An HTML5 parser takes quadratic time for a few shapes (blocks nested by ten thousands, one tag with
as many attributes). They are counted first and refused; what slips through meets the sandbox's limits.
"""

import re
from collections import Counter

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archiver.errors import SourceError

MARKUP_CHARS = 16 << 20
MARKUP_TAGS = 200_000  # start and end tags
NESTED_BLOCKS = 5_000
TAG_ATTRIBUTES = 2_000

WHITESPACE = "\t\n\f\r "  # HTML's own: no-break and ideographic spaces are text

# Encoding labels (WHATWG Encoding, section 4.2) that news pages use → Python's codec. An allow-list:
# Python also has codecs that are no encodings of text. UTF-16 is known by its mark only.
_FAMILIES = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "gb18030": "gb18030 gb2312 gbk x-gbk gb_2312-80 chinese csgb2312 iso-ir-58",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5 csbig5",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji windows-31j csshiftjis",
    "euc_jp": "euc-jp x-euc-jp",
    "iso2022_jp": "iso-2022-jp",
    "cp949": "euc-kr ks_c_5601-1987 korean windows-949 ksc5601",
    "cp1252": "iso-8859-1 iso8859-1 latin1 l1 ascii us-ascii windows-1252 cp1252 x-cp1252",
    "cp1254": "iso-8859-9 latin5 windows-1254",
    "cp874": "tis-620 iso-8859-11 windows-874",
    "koi8_r": "koi8-r koi8 koi",
    "koi8_u": "koi8-u koi8-ru",
    "mac_roman": "macintosh mac",
}
_CODECS = {label: codec for codec, labels in _FAMILIES.items() for label in labels.split()}
_CODECS |= {f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
_CODECS |= {f"windows-{n}": f"cp{n}" for n in (1250, 1251, 1253, 1255, 1256, 1257, 1258)}

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE | re.ASCII)
_META_CHARSET = re.compile(rb"<meta[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_PRESCAN_BYTES = 4096

_BLOCK_TAG = re.compile(
    r"<(/?)(address|article|aside|blockquote|center|details|dialog|dir|div|dl|fieldset|figure|footer|form"
    r"|h[1-6]|header|hgroup|main|menu|nav|ol|section|summary|table|ul)\b",
    re.IGNORECASE,
)
_START_TAG = re.compile(r"<[a-z](?:[^>=]++|=\s*+\"[^\"]*\"|=\s*+'[^']*'|=)*+", re.IGNORECASE)
_QUOTED = re.compile(r"=\s*+(?:\"[^\"]*\"|'[^']*')")
_ATTRIBUTE = re.compile(r"[\s/]+[^\s/]")


def decode(data: bytes, content_type: str = "") -> str:
    """Text of an HTML page: byte order mark, then `content_type`, then `<meta>`, then UTF-8.

    Bytes that the encoding does not have become U+FFFD.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    declared = _CHARSET.search(content_type)
    codec = _CODECS.get(declared[1].lower(), "") if declared else ""
    if not codec and (meta := _META_CHARSET.search(data[:_PRESCAN_BYTES])):
        codec = _CODECS.get(meta[1].decode("ascii", "replace").lower(), "")
    return data.decode(codec or "utf-8", "replace")


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
