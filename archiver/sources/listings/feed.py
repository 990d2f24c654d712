"""RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0 → what their items say.

Read with expat, and not with a library that tidies feeds: what is claimed stays as written, each clock keeps
its name, and the time is linear in the bytes. Where the XML breaks, the items behind are read one by one.
Sources: RSS 2.0 (rssboard.org/rss-specification), RSS 1.0 (web.resource.org/rss/1.0/spec), RFC 4287 for
Atom, Media RSS 1.5.1, Apple's podcast tags, and Dublin Core.
"""

import html
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from archiver.errors import SourceError
from archiver.sources.html.pictures import LeftOut
from archiver.sources.listings.items import ITEMS, Enclosure, Feed, Item, html_of_text, text_of_html
from archiver.sources.listings.opened import Element, Elements, Root, mended
from archiver.sources.naming import absolute

FEED_CHARS = 8 << 20
FEED_ELEMENTS = 400_000  # starts and ends of elements
ITEM_FIELDS = 5_000
PREFIXES = 50  # that are declared for a feed that forgot to
PATH = 4  # elements within one another that are looked at in an item

_ITEM = re.compile(r"<(?:[A-Za-z]\w{0,20}:)?(?:item|entry)[\s>/]")
_ITEM_END = re.compile(r"</(?:[A-Za-z]\w{0,20}:)?(?:item|entry)\s*+>")
_PREFIX = re.compile(r"[<\s]([A-Za-z_][\w.-]{0,30}+):[A-Za-z_]")  # of an element, an attribute or a mere word
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.-]{0,30}+)\s*+=")
_XML = "http://www.w3.org/XML/1998/namespace"
# Namespaces of what is not RSS or Atom itself, in lower case and without a slash at the end → prefix.
_PREFIXES = {
    "http://purl.org/dc/elements/1.1": "dc:",
    "http://purl.org/dc/terms": "dcterms:",
    "http://purl.org/rss/1.0/modules/content": "content:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
}
_OWN = (
    "",
    "http://purl.org/rss/1.0",
    "http://my.netscape.com/rdf/simple/0.9",
    "http://purl.org/atom/ns#",
    "http://www.w3.org/2005/atom",
)


_MARKUP = frozenset(("title", "description", "summary", "content", "content:encoded", "xhtml:body"))
_BODIES = (*(_MARKUP - {"title"}), "itunes:summary")
_CLOCKS = {
    "pubdate": "feed-published",
    "published": "feed-published",
    "issued": "feed-published",
    "dcterms:issued": "feed-published",
    "updated": "feed-updated",
    "modified": "feed-updated",
    "dcterms:modified": "feed-updated",
    "dc:date": "feed-date",
}
_VOID_TAGS = "area base br col embed hr img input link meta source track wbr"
_VOID = frozenset(_VOID_TAGS.split())
_NAMED_MAIL = re.compile(r"[^\s@]{1,200}@[^\s@]{1,200} \(([^()]{1,200})\)")  # RSS 2.0, "<author>"
_ESCAPED = re.compile(r"</|&#?\w{1,32};")


@dataclass
class _Field:
    """An element: its name with those of the elements between the item and it, and its text or markup."""

    path: tuple[str, ...]
    attributes: dict[str, str]
    base: str
    language: str
    parts: list[str] = field(default_factory=list)
    nested: bool = False  # there are elements in it: what it holds is markup

    @property
    def text(self) -> str:
        return "".join(self.parts).strip()

    def said(self, name: str) -> str:
        """The value of an attribute."""
        return self.attributes.get(name, "").strip()


def read_feed(text: str, root: Root, *, url: str, left_out: LeftOut) -> Feed:
    """Read XML that begins with `root`. Raises SourceError for what breaks off before its first item."""
    text, root = _declared(mended(text), root)
    starts = [item.start() for item in _ITEM.finditer(text)]
    end = len(text)
    if end > FEED_CHARS:
        whole = bisect(starts, FEED_CHARS) - 1
        end = starts[whole] if whole > 0 else FEED_CHARS
    reader, walk, stopped = _Reader(url), Elements(text[:end]), end < len(text)
    for number, element in enumerate(walk):
        reader.take(element)
        if number >= FEED_ELEMENTS or len(reader.feed.items) > ITEMS:
            stopped = True
            break
    items = reader.feed.items
    if walk.error and (walk.at < end or end == len(text)):
        reader.break_off()
        for start, stop in pairwise([*starts[bisect(starts, walk.at) :], end]):
            if len(items) > ITEMS or stop > end:
                break
            _read_one(reader, root, text[start:stop])
        if not items:
            raise SourceError(f"a feed that breaks off before its first item: {walk.error}")
        left_out.add("XML with an error, after which items were read one by one", walk.error)
    if stopped or len(items) > ITEMS:
        for start in starts[min(len(items), ITEMS) :]:
            left_out.add("item beyond what is read of a feed", text[start : start + 200])
    del items[ITEMS:]
    return reader.feed


def _declared(text: str, root: Root) -> tuple[str, Root]:
    """The feed with the prefixes declared in its root that are used and declared nowhere."""
    used = set(_PREFIX.findall(text)) - set(_DECLARED.findall(text)) - {"xml", "xmlns"}
    if not 0 < len(used) <= PREFIXES:
        return text, root
    known = {prefix.rstrip(":"): space for space, prefix in _PREFIXES.items()}
    more = "".join(f' xmlns:{prefix}="{known.get(prefix, f"urn:{prefix}")}"' for prefix in sorted(used))
    opening = f"<{root.name}{more}"
    return opening + text[len(root.name) + 1 :], root._replace(attributes=more + root.attributes)


def _read_one(reader: "_Reader", root: Root, item: str) -> None:
    """An item behind an error, in the namespaces of the root."""
    end = _ITEM_END.search(item)
    opening = f"<{root.name}{root.attributes.rstrip('/')}>"
    for element in Elements(opening + item[: end.end() if end else len(item)]):
        reader.take(element)
    reader.break_off()


# --- elements → fields --------------------------------------------------------------------------


@dataclass
class _Open:
    """An element that is open now, and its field if it is one that counts."""

    name: str
    base: str
    language: str
    field: _Field | None = None


class _Reader:
    """Takes a feed's elements one by one."""

    def __init__(self, url: str) -> None:
        self.feed = Feed()
        self._url = url
        self._atom = False
        self._own = ""  # the root's namespace: it may be one that nobody knows
        self._open: list[_Open] = []
        self._item: list[_Field] = []  # of the item that is open; the first is the item itself
        self._item_depth = 0
        self._markup: _Field | None = None
        self._markup_depth = 0

    def take(self, element: Element) -> None:
        if element.end:
            self._end(element)
        else:
            self._start(element)

    def break_off(self) -> None:
        """The XML ends here. What was read of the item that is open stays."""
        if self._item_depth:
            self._close_item()
        self._open, self._markup = [], None

    def _start(self, element: Element) -> None:
        about = self._open[-1] if self._open else _Open("", self._url, self.feed.language)
        if not self._open:
            self._own = element.space
            self._atom = element.name.lower() == "feed"
        name = self._prefix(element.space) + element.name.lower()
        base, language = about.base, about.language
        if written := element.attributes.get(f"{_XML} base"):
            base = absolute(base, written) or base
        language = element.attributes.get(f"{_XML} lang", language)
        opened = _Open(name, base, language)
        self._open.append(opened)
        if self._markup is not None:
            self._markup.nested = True
            self._markup.parts += (html.escape(element.text, quote=False), _tag(element))
        elif name in ("item", "entry") and len(self._open) > 1:
            if self._item_depth:  # the one before was never closed
                self._close_item()
            self._item_depth = len(self._open)
            self._item = [_Field((), element.attributes, base, language)]
        elif (path := self._path()) and len(self._item) < ITEM_FIELDS:
            opened.field = _Field(path, element.attributes, base, language)
            if self._item_depth:
                self._item.append(opened.field)
            if path[0] in _MARKUP and len(path) == 1:
                self._markup, self._markup_depth = opened.field, len(self._open)

    def _path(self) -> tuple[str, ...]:
        """The names below the item, or below the feed, down to the innermost element; () if too deep."""
        in_channel = len(self._open) > 1 and self._open[1].name == "channel"
        depth = self._item_depth or (2 if in_channel else 1)
        if len(self._open) > depth + PATH:
            return ()
        return tuple(level.name for level in self._open[depth:])

    def _end(self, element: Element) -> None:
        depth = len(self._open)
        closed = self._open.pop()
        if self._markup is not None:
            nested = self._markup.nested
            self._markup.parts.append(html.escape(element.text, quote=False) if nested else element.text)
            if depth > self._markup_depth:
                if element.name.lower() not in _VOID:
                    self._markup.parts.append(f"</{element.name}>")
                return
            self._markup = None
        elif closed.field is not None:
            closed.field.parts.append(element.text)
        if depth == self._item_depth:
            self._close_item()
        elif closed.field is not None and not self._item_depth:
            self._about_itself(closed.field)

    def _about_itself(self, said: _Field) -> None:
        feed = self.feed
        if said.path == ("title",):
            feed.title = feed.title or _title(said, atom=self._atom)
        elif said.path == ("link",) and said.said("rel") in ("", "alternate"):
            feed.link = feed.link or said.text or said.said("href")
        elif said.path in (("language",), ("dc:language",)):
            feed.language = feed.language or said.text
        elif said.path == ("author", "name") and self._atom:
            feed.authors.append(said.text)

    def _close_item(self) -> None:
        self.feed.items.append(_item(self._item, self._url, atom=self._atom))
        self._item, self._item_depth, self._markup = [], 0, None

    def _prefix(self, space: str) -> str:
        if space == self._own:
            return ""
        key = space.lower().rstrip("/")
        if key in _OWN or "backend.userland.com/rss" in key:
            return ""
        return _PREFIXES.get(key, "?:")


def _tag(element: Element) -> str:
    attributes = "".join(
        f' {name.rpartition(" ")[2]}="{html.escape(value)}"' for name, value in element.attributes.items()
    )
    return f"<{element.name}{attributes}>"


# --- fields → items -----------------------------------------------------------------------------


def _item(fields: list[_Field], url: str, *, atom: bool) -> Item:
    whole, *inner = fields
    direct = [said for said in inner if len(said.path) == 1]
    written = [(_markup(said, atom=atom), said) for said in direct if said.path[0] in _BODIES]
    bodies = sorted((body for body in written if body[0]), key=lambda body: len(body[0]), reverse=True)
    titles = [_title(said, atom=atom) for said in direct if said.path[0] == "title"]
    base = (bodies[0][1] if bodies else whole).base
    language = next((said.text for said in direct if said.path[0] == "dc:language"), "")
    return Item(
        title=next(filter(None, titles), ""),
        link=_link(whole, direct),
        base=base if base != url else "",
        language=language or (bodies[0][1] if bodies else whole).language,
        section=next(filter(None, map(_section, direct)), ""),
        authors=_authors(inner),
        times=[(_CLOCKS[said.path[0]], said.text) for said in direct if said.path[0] in _CLOCKS],
        bodies=list(dict.fromkeys(markup for markup, _ in bodies)),
        enclosures=list(_enclosures(inner)),
    )


def _markup(said: _Field, *, atom: bool) -> str:
    """HTML; in RSS all text is taken for it, in Atom what says so (RFC 4287 section 3.1.1)."""
    kind = said.said("type").lower()
    if said.nested or not atom or "html" in kind or kind.endswith("xml"):
        return said.text
    return html_of_text(said.text) if kind in ("", "text", "text/plain") else ""


def _title(said: _Field, *, atom: bool) -> str:
    """Words; in RSS, which does not say, HTML where an end tag or a character reference shows it."""
    markup = "html" in said.said("type").lower() if atom else _ESCAPED.search(said.text) is not None
    return text_of_html(said.text) if said.nested or markup else said.text


def _link(whole: _Field, direct: list[_Field]) -> str:
    """The item's page: `<link>`, an alternate that is HTML, any alternate, a `<guid>`, `rdf:about`."""
    links = [said for said in direct if said.path[0] == "link" and said.said("rel") in ("", "alternate")]
    pages = [said.said("href") for said in links if "html" in said.said("type") or not said.said("type")]
    others = [said.said("href") for said in links]
    guids = [said.text for said in direct if said.path[0] == "guid" and said.said("isPermaLink") != "false"]
    about = [value.strip() for name, value in whole.attributes.items() if name.endswith(" about")]
    named = [link for link in (*guids, *about) if link.startswith(("http://", "https://"))]
    return next(filter(None, (*(said.text for said in links), *pages, *others, *named)), "")


def _section(said: _Field) -> str:
    if said.path[0] not in ("category", "dc:subject"):
        return ""
    return said.said("label") or said.said("term") or said.text


def _authors(inner: list[_Field]) -> list[str]:
    """The names of the first kind that there is."""
    for path in (("author", "name"), ("dc:creator",), ("author",), ("itunes:author",)):
        names = [said.text for said in inner if said.path == path and said.text]
        if names:
            return [found[1] if (found := _NAMED_MAIL.fullmatch(name)) else name for name in names]
    return []


def _enclosures(inner: list[_Field]) -> Iterator[Enclosure]:
    for said in inner:
        name, kind = said.path[-1], said.said("type")
        if name in ("media:content", "media:thumbnail"):
            yield Enclosure(said.said("url") or said.text, name, kind or said.said("medium"))
        elif said.path == ("enclosure",) or (said.path == ("link",) and said.said("rel") == "enclosure"):
            yield Enclosure(said.said("url") or said.said("href"), "enclosure", kind)
        elif said.path == ("itunes:image",):
            yield Enclosure(said.said("href") or said.said("url"), name)
        elif said.path in (("image",), ("image", "url")) and said.text:
            yield Enclosure(said.text, "image")
        elif said.path == ("content",) and said.said("src"):
            yield Enclosure(said.said("src"), "content-src", kind)
