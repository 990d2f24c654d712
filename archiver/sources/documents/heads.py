"""What stands above the body of a mirror document: title, URL, times, authors; a grammar for each writer."""

import re
from collections.abc import Iterable

import ada_url
import msgspec

from archiver.model import ClaimedTime
from archiver.sources.documents.frontmatter import Fields, front_matter
from archiver.sources.times import claimed, from_milliseconds

HEAD_CHARS = 64 << 10  # the head lies within
HEADING_CHARS = 16 << 10
AUTHOR_CHARS = 60  # what is longer after " by " belongs to the title
QUOTED_LINES = 20

_COMMENT = re.compile(
    r"\s*+(?:<div\b[^<>]{0,200}>\s*+)?<!--[ \t]*+(-?\d{1,17}|NaN)[ \t]*+-->[ \t]*+(?:\n\s*+|\Z)"
)
_RULE = re.compile(r"\)[ \t]*+\n------[ \t]*+(?:\n|\Z)")
_ISSUE = re.compile(
    r"\s*+(?P<title>[^\s<\[#>-][^\n]{0,1000})\n------[ \t]*+\n"
    r"\*\*(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})\*\*[ \t]*+(?:\n|\Z)"
)
_HEADLINE = re.compile(r"\s*+#[ \t]++([^\n]{1,1000})\n\s*+(?=>)")
_QUOTED_LINE = re.compile(r">[ \t]*+([^\n]{0,4000})(?:\n|\Z)")
_QUOTED_FIELD = re.compile(r"(?:\*\*|[-*][ \t]++)?([^:：*]{1,20})(?:\*\*)?[:：](?:\*\*)?[ \t]*+(.*)\Z")
_ADDRESS_IN_MARKDOWN = re.compile(r"<([^<>\s]++)>|\[[^\]]{0,500}\]\((\S+)\)|(\S+)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")  # CommonMark section 2.4

_URL_KEYS = ("link", "from", "url", "source", "source_url", "original_url", "canonical_url")
_MODIFIED_KEYS = ("last_modified_at", "modified", "updated", "lastmod")
_AUTHOR_KEYS = ("authors", "author")
_SECTION_KEYS = ("section", "categories", "category", "tags")
_LANGUAGE_KEYS = ("lang", "language", "locale")
_QUOTED_KEYS = {  # what quoted lines call their fields → the front matter's names
    "url": "原文链接 原文地址 原文 源链接 链接 来源 url link source original",
    "date": "发布时间 发布日期 发表时间 时间 日期 date published",
    "author": "作者 author",
}
_QUOTED_NAMES = {word: name for name, words in _QUOTED_KEYS.items() for word in words.split()}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the body, which begins at character `end`."""

    title: str
    url: str | None
    end: int
    times: tuple[ClaimedTime, ...] = ()
    authors: tuple[str, ...] = ()
    section: str = ""
    language: str = ""
    lines: bool = False  # the body is of lines as people write them, Markdown perhaps; else one of HTML
    spaced_at: bool = False  # its writer put a space after every @ of the body


def head_of(text: str) -> Head | None:
    """The head of a mirror document in any of its shapes; None for anything else. Never raises."""
    text = text[:HEAD_CHARS]
    fields, end = front_matter(text)
    if not fields and (head := _issue(text) or _quoted(text)):
        return head
    times = [claimed("front-matter", written) for written in fields.get("date", ())[:1]]
    times += [claimed("front-matter-modified", written) for written in _first(fields, _MODIFIED_KEYS)[:1]]
    if comment := _COMMENT.match(text, end):
        times.insert(0, from_milliseconds("comment", comment[1]))
        end = comment.end()
    if not (fields or comment):
        return None
    if heading := _heading(text, end):
        title, url, end = heading
    else:
        url = next((url for key in _URL_KEYS for url in fields.get(key, ()) if is_address(url)), "")
        title = "".join(fields.get("title", ())[:1])
        if not (title and url):
            return None
    return Head(
        title=title.strip(),
        url=url,
        end=end,
        times=tuple(times),
        authors=tuple(dict.fromkeys(_first(fields, _AUTHOR_KEYS))),
        section="".join(_first(fields, _SECTION_KEYS)[:1]),
        language="".join(_first(fields, _LANGUAGE_KEYS)[:1]),
        lines=not heading,
    )


def is_address(url: str) -> bool:
    """Whether this is an absolute http(s) URL without white space."""
    return url.startswith(("http://", "https://")) and not re.search(r"\s", url) and ada_url.check_url(url)


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
        if split != -1 and is_address(url):
            return text[start + 1 : split].strip(), url, rule.end()
    return None


def _issue(text: str) -> Head | None:
    """`title by author` over a rule and a bold date: what is posted in issues, without any URL."""
    found = _ISSUE.match(text)
    if found is None:
        return None
    title, by, author = found["title"].strip().rpartition(" by ")
    if not title or len(author) > AUTHOR_CHARS:
        title, by, author = found["title"].strip(), "", ""
    return Head(
        title=title,
        url=None,
        end=found.end(),
        times=(claimed("printed", found["date"]),),
        authors=(author,) if by else (),
        lines=True,
        spaced_at=True,
    )


def _quoted(text: str) -> Head | None:
    """`# title` over quoted lines of `name: value`, one of them with the address of the original."""
    headline = _HEADLINE.match(text)
    if headline is None:
        return None
    fields: Fields = {}
    end = headline.end()
    for _ in range(QUOTED_LINES):
        line = _QUOTED_LINE.match(text, end)
        if line is None:
            break
        end = line.end()
        if field := _QUOTED_FIELD.match(line[1].strip(" \t\\")):
            name = _QUOTED_NAMES.get(field[1].strip().lower(), "")
            fields.setdefault(name, []).append(field[2].strip())
    url = next(filter(is_address, map(_address, fields.get("url", ()))), None)
    if url is None:
        return None
    return Head(
        title=_ESCAPE.sub(r"\1", headline[1]).strip(),
        url=url,
        end=end,
        times=tuple(claimed("printed", written) for written in fields.get("date", ())[:1]),
        authors=tuple(author for author in fields.get("author", ()) if author),
        lines=True,
    )


def _address(written: str) -> str:
    found = _ADDRESS_IN_MARKDOWN.match(written)
    return next(filter(None, found.groups()), "") if found else ""


def _first(fields: Fields, keys: Iterable[str]) -> list[str]:
    """The scalars of the first of `keys` that has any."""
    return next(filter(None, (fields.get(key) for key in keys)), [])
