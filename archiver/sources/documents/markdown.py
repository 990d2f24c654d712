"""Markdown → HTML, so that it is read like any other body: CommonMark 0.31 with GitHub's tables."""

import re

from markdown_it import MarkdownIt

from archiver.errors import SourceError

MARKDOWN_CHARS = 1 << 20
MARKDOWN_MARKS = 20_000  # lines and characters that may mean something, each of which costs time
_MARKS = "\n![*_`|<&\\"

# Where a line of text begins at the left margin after an empty line, Markdown is meant: HTML that is
# written in lines begins them with tags or indents them, and there an indented line is no code. But what
# stands in one element from the first character to the last is HTML, as Jekyll's own parser sees it.
_PARAGRAPH_AT_MARGIN = re.compile(r"\n[ \t]*+\n(?=[^\s<])")
_TAG = re.compile(r"<[!/a-z](?![\w+.-]*+:)", re.IGNORECASE)  # and no address in angle brackets
_CONTAINER = re.compile(r"<(article|body|div|main|section|table)\b", re.IGNORECASE)


class _Reader(MarkdownIt):
    """Keeps addresses as they are written, and leaves judging them to those who read the HTML."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return bool(url)


_READER = _Reader("commonmark").enable("table")


def is_markdown(body: str) -> bool:
    """Whether a body of lines is Markdown, which may hold HTML, rather than HTML alone."""
    body = body.strip()
    if not _TAG.match(body):
        return bool(body)
    container = _CONTAINER.match(body)
    if container and body[-len(container[1]) - 3 :].lower() == f"</{container[1].lower()}>":
        return False
    return _PARAGRAPH_AT_MARGIN.search(body) is not None


def html_of(body: str) -> str:
    """The HTML of a Markdown body. Raises SourceError where a limit of this module is passed."""
    _refuse(len(body), MARKDOWN_CHARS, "characters of Markdown")
    _refuse(sum(map(body.count, _MARKS)), MARKDOWN_MARKS, "lines and marks of Markdown")
    try:
        html: str = _READER.render(body)
    except (RecursionError, IndexError, ValueError) as error:
        raise SourceError(f"the Markdown parser failed: {error or type(error).__name__}") from error
    return html


def _refuse(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise SourceError(
            f"too large to be read as an article: {count} {what}, the limit is {limit}",
            "the bytes are archived; only the text and the pictures were not looked for",
        )
