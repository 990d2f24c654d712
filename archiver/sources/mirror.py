"""The mirror document: a feed item that a mirror saved as one Markdown file around one line of HTML.

    <!--1699468744000-->
    [title](https://www.example.org/a/1.html)
    ------

    <div>…the body…</div>

The grammar in full, with the shapes that other mirrors gave it, is in docs/sources.md.
"""

import json
import re
from typing import Any

import ada_url
import msgspec

from archiver.errors import SourceError
from archiver.model import Article, ClaimedTime
from archiver.sources.flow import Extent, Flow, Piece
from archiver.sources.markup import body_of, parse
from archiver.sources.pictures import Gallery
from archiver.sources.times import claimed, from_milliseconds, is_date_line

HEAD_BYTES = 64 << 10  # front matter, comment and heading lie within
HEADING_CHARS = 16 << 10
DATE_LINE_PIECES = 5  # a printed date stands among so many first paragraphs and pictures

_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_FIELD = re.compile(r"^([A-Za-z_][\w-]*):[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"\s*(?:<div\b[^<>]{0,200}>\s*)?<!--[ \t]*(-?\d{1,17}|NaN)[ \t]*-->[ \t]*(?:\n\s*|\Z)")
_RULE = re.compile(r"\)[ \t]*\n------[ \t]*(?:\n|\Z)")
_URL_KEYS = ("link", "from", "url", "source", "original_url", "canonical_url")


class _Head(msgspec.Struct, frozen=True):
    """What stands above the body, which begins at character `end`."""

    title: str
    url: str
    times: tuple[ClaimedTime, ...]
    end: int


def is_mirror_document(data: bytes) -> bool:
    """Whether the first bytes follow the grammar of a mirror document. Never raises."""
    return _head(_text(data[:HEAD_BYTES])) is not None


def read_document(data: bytes) -> dict[str, Any]:
    """Read a mirror document: an Article as built-in types. Raises SourceError."""
    head = _head(_text(data[:HEAD_BYTES]))
    if head is None:
        raise SourceError(
            "not a mirror document: neither a comment with a time and a [title](URL) over ------, "
            "nor YAML front matter with title and link over HTML",
            "see docs/sources.md for the grammar",
        )
    gallery = Gallery(head.url)
    body = body_of(parse(_text(data)[head.end :]))
    flow = Flow(gallery, Extent(text=body.mem_id, around=body.mem_id))
    flow.read(body)
    printed = _take_printed(flow.pieces)
    _drop_title(flow.pieces, head.title)
    blocks = flow.blocks()  # before the references: it gives them their captions
    article = Article(
        kind="document",
        title=head.title,
        url=head.url,
        times=(*head.times, *printed),
        blocks=blocks,
        references=gallery.references,
        left_out=gallery.left_out,
    )
    result: dict[str, Any] = msgspec.to_builtins(article)
    return result


def _text(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n")


def _head(text: str) -> _Head | None:
    front, end = _front_matter(text)
    times = [claimed("front-matter", front["date"])] if "date" in front else []
    if comment := _COMMENT.match(text, end):
        times.insert(0, from_milliseconds("comment", comment[1]))
        end = comment.end()
    if not (front or comment):
        return None
    if heading := _heading(text, end):
        title, url, end = heading
        return _Head(title, url, tuple(times), end)
    url = next((front[key] for key in _URL_KEYS if _is_address(front.get(key, ""))), "")
    if not url or "title" not in front or text[end:].lstrip()[:1] not in ("", "<"):
        return None
    return _Head(front["title"].strip(), url, tuple(times), end)


def _heading(text: str, start: int) -> tuple[str, str, int] | None:
    """Title, URL and the end of the rule below them.

    Neither is escaped. The URL ends at the last parenthesis before the rule and begins at the last
    `](http` before that, for a title may hold `](` and a URL may hold parentheses.
    """
    while text[start : start + 1].isspace():
        start += 1
    if not text.startswith("[", start):
        return None
    for rule in _RULE.finditer(text, start, start + HEADING_CHARS):
        split = text.rfind("](http", start, rule.start())
        url = text[split + 2 : rule.start()]
        if split != -1 and _is_address(url):
            return text[start + 1 : split].strip(), url, rule.end()
    return None


def _is_address(url: str) -> bool:
    return url.startswith(("http://", "https://")) and not re.search(r"\s", url) and ada_url.check_url(url)


def _front_matter(text: str) -> tuple[dict[str, str], int]:
    """The one-line fields at the top level of YAML front matter, and where it ends; the first of a name."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, 0
    fields: dict[str, str] = {}
    for name, value in _FRONT_FIELD.findall(found[1]):
        scalar = _scalar(value)
        if scalar is not None:
            fields.setdefault(name.lower(), scalar)
    return fields, found.end()


def _scalar(value: str) -> str | None:
    """A YAML scalar on one line (YAML 1.2.2 chapter 7.3); None for lists, maps and longer forms."""
    if value[0] == "'":
        single = re.match(r"'((?:[^']|'')*)'", value)
        return single[1].replace("''", "'") if single else None
    if value[0] == '"':
        try:
            double, _ = json.JSONDecoder(strict=False).raw_decode(value)
        except ValueError:
            double = value[1:].rpartition('"')[0] or None  # an escape that JSON does not know: as written
        return double.encode("utf-8", "replace").decode() if double else None
    if value[0] in "[{>|&*!%@`#":
        return None
    return re.split(r"[ \t]#", value, maxsplit=1)[0]


def _take_printed(pieces: list[Piece]) -> list[ClaimedTime]:
    """The date line at the top of the body, taken out of its piece; none or one time."""
    for piece in pieces[:DATE_LINE_PIECES]:
        for written, _shown in piece.times:
            return [claimed("printed", written)]
        lines = piece.text.split("\n")
        for number, line in enumerate(lines):
            if is_date_line(line):
                del lines[number]
                piece.text = "\n".join(lines)
                return [claimed("printed", line)]
    return []


def _drop_title(pieces: list[Piece], title: str) -> None:
    for piece in pieces[:DATE_LINE_PIECES]:
        if piece.text == title:
            piece.text = ""
            return
