"""The mirror document: a news article that a mirror saved as one file, mostly from a feed's item.

    <!--1699468744000-->
    [title](https://www.example.org/a/1.html)
    ------

    <div>…the body…</div>

That is the commonest shape; the grammar of all of them is in docs/sources.md.
"""

import re
from typing import Any

import msgspec

from archiver.errors import SourceError
from archiver.model import Article
from archiver.sources.documents.body import read_body
from archiver.sources.documents.heads import head_of
from archiver.sources.documents.markdown import html_of, is_markdown
from archiver.sources.encoding import text_of

# One writer puts a space after every `@`. In an http(s) URL and in an e-mail address none can be meant.
_SPACED_URL = re.compile(r"https?://(?:[^\s<>\"@]++|@ )++")
_SPACED_MAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64}+@) (?=[A-Za-z0-9-]{1,63}+\.[A-Za-z])", re.ASCII)
_LONE_AT = re.compile(r"@(?! )")


def is_mirror_document(data: bytes) -> bool:
    """Whether the bytes follow the grammar of a mirror document in any of its shapes. Never raises."""
    return head_of(_text(data)) is not None


def read_document(data: bytes) -> dict[str, Any]:
    """Read a mirror document: an Article as built-in types. Raises SourceError."""
    text = _text(data)
    head = head_of(text)
    if head is None:
        raise SourceError(
            f"not a mirror document: {_lacks(text)}",
            "docs/sources.md shows the shapes that are read.",
        )
    markup = text[head.end :]
    if head.spaced_at:
        markup = _close_up(markup)
    if head.lines and is_markdown(markup):
        markup = html_of(markup)
    body = read_body(markup, url=head.url or "", title=head.title)
    article = Article(
        kind="document",
        title=head.title,
        url=head.url,
        language=head.language,
        authors=head.authors or body.authors,
        section=head.section,
        times=(*head.times, *body.times),
        blocks=body.blocks,
        references=body.references,
        left_out=body.left_out,
    )
    result: dict[str, Any] = msgspec.to_builtins(article)
    return result


def _text(data: bytes) -> str:
    return text_of(data).replace("\r\n", "\n")


def _lacks(text: str) -> str:
    """In words, what keeps a text from being a mirror document."""
    start = text.lstrip()
    if not start:
        return "it is empty"
    if "\0" in text[:1000]:
        return "its bytes are no text"
    if start.startswith("---"):
        return "its front matter has no title with an http(s) link, from, url or source"
    if start.startswith("<!--"):
        return "below its comment stands no [title](URL) over a line of six hyphens"
    return (
        "neither a comment with a time over [title](URL) and ------, nor front matter with title and link, "
        "nor a title over ------ and a bold date, nor a # title over quoted lines with the original's URL"
    )


def _close_up(markup: str) -> str:
    """Undo the space after `@` where it breaks an address; an `@` without shows another writer."""
    if "@" not in markup or _LONE_AT.search(markup):
        return markup
    markup = _SPACED_URL.sub(lambda url: url[0].replace("@ ", "@"), markup)
    return _SPACED_MAIL.sub(r"\1", markup)
