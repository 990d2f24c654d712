"""The payload of a record as something that can be read and cannot do anything: runs in the sandbox's child.

HTML keeps its structure and nothing else: no attribute, no picture, no link, no style. All else is
text or is not shown.
"""

import re

import msgspec
import nh3

from archiver.browse.words import plain
from archiver.errors import SourceError
from archiver.sources.encoding import text_of
from archiver.sources.html.charset import decode
from archiver.sources.html.markup import parse

READ_BYTES = 2 << 20  # of a payload: what follows is not looked at
_MARKUP = 400_000  # characters of it that are made safe
_SHOWN = 200_000  # characters of a result
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # MIME Sniffing: "binary data byte"
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_TAG = (
    "b|blockquote|br|caption|cite|code|dd|del|div|dl|dt|em|figcaption|figure|h3|h4|h5|h6|hr|i|ins|kbd|li|mark|ol"
    "|p|pre|q|rp|rt|ruby|s|samp|small|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul|var"
)
_NO_TEXT = (
    "audio|button|datalist|iframe|math|noembed|noframes|noscript|object|option|script|select|style|svg|template"
    "|textarea|title|video"
)
_TAGS, _LEFT_OUT = set(_TAG.split("|")), set(_NO_TEXT.split("|"))
_HEADINGS = {f"h{number}": f"h{number + 2}" for number in (1, 2)}  # below those of our page
# What nh3 may have written, so that nobody has to trust the child which ran it.
SAFE = re.compile(rf"(?:[^<]|</?(?:{_TAG})>)*+")


class Readable(msgspec.Struct, frozen=True):
    """`kind` is `html` (matching SAFE), `json`, `text`, or `bytes`, which are not shown; `cut`: not all."""

    kind: str
    text: str = ""
    cut: bool = False


def readable(data: bytes, media_type: str, content_type: str, source: int) -> dict[str, object]:
    """A Readable of at most READ_BYTES. `content_type` is the HTTP field; `source`: HTML as it is written."""
    cut = len(data) >= READ_BYTES
    kind = _kind(data, media_type)
    if kind == "html":
        return _page(decode(data, content_type), cut, source=bool(source))
    if kind == "json":
        return _shown("json", _indented(data), cut)
    return _shown("text", text_of(data), cut) if kind == "text" else {"kind": "bytes"}


def _kind(data: bytes, media_type: str) -> str:
    if _BINARY.search(data[:4096]) and not data.startswith(_MARKS):
        return "bytes"
    if media_type in ("text/html", "application/xhtml+xml"):
        return "html"
    return "json" if media_type == "application/json" or media_type.endswith("+json") else "text"


def _page(markup: str, cut: bool, *, source: bool) -> dict[str, object]:
    try:
        parse(markup[:_MARKUP])  # refuses the shapes that take a parser of HTML quadratic time
    except SourceError:
        source = True
    if source:
        return _shown("text", markup, cut)
    return _shown("html", _structure(markup[:_MARKUP]), cut or len(markup) > _MARKUP)


def _structure(markup: str) -> str:
    for heading, lower in _HEADINGS.items():
        markup = re.sub(rf"<(/?){heading}\b", rf"<\1{lower}", markup, flags=re.IGNORECASE)
    clean = nh3.clean(markup, tags=_TAGS, clean_content_tags=_LEFT_OUT, attributes={}, link_rel=None)
    return re.sub(r"(?:\s*\n){3,}", "\n\n", clean)


def _indented(data: bytes) -> str:
    """JSON with every value as it is written."""
    try:
        return msgspec.json.format(data, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text_of(data)


def _shown(kind: str, text: str, cut: bool) -> dict[str, object]:
    text, cut = plain(text), cut or len(text) > _SHOWN
    if kind == "html" and len(text) > _SHOWN:
        end = text.rfind(">", 0, _SHOWN)
        text = nh3.clean(text[: end + 1], tags=_TAGS, attributes={}, link_rel=None)
    return {"kind": kind, "text": text[:_SHOWN] if kind != "html" else text, "cut": cut}
