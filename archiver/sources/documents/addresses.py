"""Where the addresses of a document's pictures stand in its bytes, so that they alone can be replaced.

A document is read here as bytes in an alphabet of 256 letters (ISO 8859-1), in which every byte stands for
itself: what is markup is ASCII in all encodings of documents but UTF-16 and UTF-32, whose bytes hold NULs.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from archiver.errors import SourceError
from archiver.sources.documents.heads import head_of
from archiver.sources.encoding import text_of
from archiver.sources.html.candidates import candidates

# Comments, and elements whose contents are no markup; then start tags (HTML section 13.1.2).
_TAG = re.compile(
    r"<!--(?:(?!-->).)*+(?:-->)?"
    r"|<(script|style|textarea|title|noembed|iframe|xmp)\b(?:(?!</\1).)*+"
    r"|<([a-z][^\s/>]*+)((?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+)>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'=<>`]++)))?")
_MARKDOWN = r"(?:\]\([ \t]*+<?|^ {0,3}\[[^\]\n]{1,500}\]:[ \t]*+<?)(%s)(?=[>)\s])"
_CODECS = ("utf-8", "gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "cp1252")
ADDRESSES = 2_000


class Address(NamedTuple):
    """Bytes `start` to `end` of a document are the address of the picture with this number."""

    start: int
    end: int
    picture: int


def picture_addresses(data: bytes, *, written: str) -> list[Address]:
    """Where the addresses stand, in order. `written`: JSON, a picture's number → its address as written.

    Found are those that an element names as a picture, links to the same, and Markdown's where the body is
    that. Raises SourceError for UTF-16 and UTF-32.
    """
    if b"\0" in data[:1000]:
        raise SourceError("a document in UTF-16 or UTF-32: its addresses are not looked for")
    wanted: dict[str, int] = {}
    for number, text in list(json.loads(written).items())[:ADDRESSES]:
        for form in _forms(text.strip()):
            wanted.setdefault(form, int(number))
    text = data.decode("latin-1")
    found = set(_in_tags(text, wanted))
    head = head_of(text_of(data).replace("\r\n", "\n"))
    if head is not None and head.lines:
        found.update(_in_markdown(text, wanted))
    apart: list[Address] = []
    for each in sorted(found):
        if not apart or each.start >= apart[-1].end:
            apart.append(each)
    return apart


def _forms(address: str) -> Iterator[str]:
    """An address as its bytes may be, each byte a letter, and as character references say it."""
    yield address
    for codec in () if address.isascii() else _CODECS:
        try:
            yield address.encode(codec).decode("latin-1")
        except UnicodeEncodeError:
            continue


def _in_tags(text: str, wanted: Mapping[str, int]) -> Iterator[Address]:
    for tag in _TAG.finditer(text):
        if not tag[2]:
            continue
        places = [
            (each[1].lower(), each.span(group))
            for each in _ATTRIBUTE.finditer(text, *tag.span(3))
            for group in (2, 3, 4)
            if each[group] is not None
        ]
        attributes: dict[str, str | None] = {}
        for name, (start, end) in places:
            attributes.setdefault(name, html.unescape(text[start:end]))
        name = tag[2].lower()
        named = {each.value for each in candidates(name, attributes)}
        linked = attributes.get("href") if name == "a" else None
        for attribute, (start, end) in places:
            value = attributes[attribute] or ""
            if value in named or (attribute == "href" and value == linked):
                yield from _whole(text, start, end, wanted)
            elif any(each in value for each in named):
                yield from _within(text, start, end, wanted)


def _whole(text: str, start: int, end: int, wanted: Mapping[str, int]) -> Iterator[Address]:
    """An attribute that is an address, or several as a `srcset`."""
    raw = text[start:end]
    number = wanted.get(html.unescape(raw).strip())
    if number is None:
        yield from _within(text, start, end, wanted)
    else:
        left = start + len(raw) - len(raw.lstrip())
        yield Address(left, left + len(raw.strip()), number)


def _within(text: str, start: int, end: int, wanted: Mapping[str, int]) -> Iterator[Address]:
    """Addresses among other text of an attribute, the longest first where one begins another."""
    for token in re.finditer(r"[^\s\"'()]++", text[start:end]):
        raw = token[0].strip(",;")
        number = wanted.get(html.unescape(raw))
        if raw and number is not None:
            left = start + token.start() + token[0].index(raw)
            yield Address(left, left + len(raw), number)


def _in_markdown(text: str, wanted: Mapping[str, int]) -> Iterator[Address]:
    """What a picture of Markdown names, inline or by a definition (CommonMark sections 4.7 and 6.4)."""
    forms = {form: number for raw, number in wanted.items() for form in (raw, html.escape(raw, quote=False))}
    if not forms:
        return
    anyone = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    for found in re.finditer(_MARKDOWN % anyone, text, re.MULTILINE):
        yield Address(*found.span(1), forms[found[1]])
