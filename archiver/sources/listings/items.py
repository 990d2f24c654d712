"""The items of a feed → Articles, whichever format they came in."""

import html
import re
from dataclasses import dataclass, field

import msgspec
from selectolax.lexbor import LexborHTMLParser

from archiver.errors import SourceError
from archiver.model import Article, Listing, Reference
from archiver.sources.documents.body import Body, read_body
from archiver.sources.html.markup import one_line
from archiver.sources.html.pictures import Gallery, LeftOut
from archiver.sources.naming import Links, absolute
from archiver.sources.times import WRITTEN_CHARS, claimed

ITEMS = 2_000
FEED_TAGS = 200_000  # `<` in the markup of all items
WORDS_CHARS = 1_000  # of a title, an author or a section
AUTHORS = 50

_EXTENSION = re.compile(r"\.([a-z0-9]{2,5})\Z", re.IGNORECASE)
_PICTURE_EXTENSIONS = "jpg jpeg jpe jfif png gif webp avif bmp tif tiff svg heic heif jxl jp2 ico"
_OTHER_EXTENSIONS = (
    "mp3 m4a aac ogg oga opus wav flac mp4 m4v mov webm mkv avi mpg mpeg wmv flv m3u8 ts 3gp pdf zip epub"
    " torrent swf doc docx htm html php"
)
_PICTURES = frozenset(_PICTURE_EXTENSIONS.split())
_OTHERS = frozenset(_OTHER_EXTENSIONS.split())


@dataclass(frozen=True)
class Enclosure:
    """A file that an item names, and what the feed says of it: a claim that may be false."""

    url: str
    place: str
    type: str = ""

    def is_picture(self) -> bool:
        """By the type that is claimed or the extension; the place decides where neither says anything."""
        kind = self.type.strip().lower().partition("/")[0]
        path = self.url.partition("?")[0].partition("#")[0]
        found = _EXTENSION.search(path)
        extension = found[1].lower() if found else ""
        if kind == "image" or extension in _PICTURES:
            return True
        return (
            not kind and extension not in _OTHERS and self.place not in ("enclosure", "json-feed-attachment")
        )


@dataclass
class Item:
    """What an item says, as written. `base` is what its links are relative to, where it says so itself."""

    title: str = ""
    link: str = ""
    base: str = ""
    language: str = ""
    section: str = ""
    authors: list[str] = field(default_factory=list)
    times: list[tuple[str, str]] = field(default_factory=list)  # (clock, written)
    bodies: list[str] = field(
        default_factory=list
    )  # HTML; the first is the text, of the others only pictures count
    enclosures: list[Enclosure] = field(default_factory=list)


@dataclass
class Feed:
    """What a feed says of itself, and its items."""

    title: str = ""
    link: str = ""
    language: str = ""
    authors: list[str] = field(default_factory=list)  # of the items that name none
    items: list[Item] = field(default_factory=list)


def listing_of(feed: Feed, *, url: str, left_out: LeftOut) -> Listing:
    """The feed's items as Articles, and a link to each."""
    home = absolute(url, feed.link) or url
    links = Links(home, left_out)
    articles: list[Article] = []
    tags = 0
    for item in feed.items[:ITEMS]:
        base = (absolute(url, item.base) if item.base else None) or home
        link = absolute(base, item.link)
        if link is not None:
            modified = [written for _, written in item.times]
            links.add(link, title=item.title, modified=modified[-1] if modified else "")
        elif item.link.strip():
            left_out.add("link that is no http or https URL", item.link)
        if link is None and not any(body.strip() for body in item.bodies):
            left_out.add("item without a link and without text", item.title)
            continue
        tags += sum(body.count("<") for body in item.bodies)
        if tags > FEED_TAGS:
            left_out.add(f"text of an item beyond the first {FEED_TAGS} tags", item.link or item.title)
            continue
        articles.append(_article(item, feed, link, base if item.base else link or home))
    for item in feed.items[ITEMS:]:
        left_out.add(f"item beyond the first {ITEMS}", item.link or item.title)
    return Listing(
        kind="feed",
        title=one_line(feed.title)[:WORDS_CHARS],
        url=url or None,
        links=links.links,
        articles=tuple(articles),
        left_out=left_out.told(),
    )


def text_of_html(markup: str) -> str:
    """The words of a title that is written in HTML, on one line."""
    if "<" not in markup and "&" not in markup:
        return one_line(markup)
    if len(markup) > WORDS_CHARS * 10:
        return ""
    return one_line(LexborHTMLParser(markup).text())


def html_of_text(text: str) -> str:
    """Plain text as HTML: its line ends and empty lines stay."""
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def _article(item: Item, feed: Feed, link: str | None, base: str) -> Article:
    left_out = LeftOut()
    title = _word(item.title, "title", left_out)
    first, *others = item.bodies or [""]
    body, told = _body(first, base, title)
    pictures = list(body.references)
    for markup in others:
        if "<" in markup:
            _join(pictures, _body(markup, base, title)[0].references)
    gallery = Gallery(base)
    for enclosure in item.enclosures:
        if enclosure.is_picture():
            gallery.add(enclosure.url, enclosure.place)
        elif enclosure.url:
            left_out.add(
                f"{enclosure.place} that is no picture, not fetched", f"{enclosure.url} {enclosure.type}"
            )
    _join(pictures, gallery.references)
    times = []
    for clock, written in dict.fromkeys(item.times):
        if len(written) > WRITTEN_CHARS:
            left_out.add(f"{clock} of more than {WRITTEN_CHARS} characters", written)
        elif written.strip():
            times.append(claimed(clock, written))
    return Article(
        kind="item",
        title=title,
        url=link,
        language=_word(item.language or feed.language, "language", left_out),
        authors=_authors(item.authors or feed.authors, left_out) or body.authors,
        section=_word(item.section, "section", left_out),
        times=(*times, *body.times),
        references=tuple(pictures),
        blocks=body.blocks,
        left_out=(*told, *body.left_out, *gallery.left_out, *left_out.told()),
    )


def _body(markup: str, base: str, title: str) -> tuple[Body, tuple[str, ...]]:
    try:
        return read_body(markup, url=base, title=title), ()
    except SourceError as error:
        return Body(times=(), blocks=(), references=(), authors=(), left_out=()), (str(error),)


def _join(pictures: list[Reference], more: tuple[Reference, ...]) -> None:
    """Put pictures behind those that are there, without those whose URL is there already."""
    known = {picture.url for picture in pictures}
    for picture in more:
        if picture.url not in known:
            known.add(picture.url)
            pictures.append(msgspec.structs.replace(picture, number=len(pictures)))


def _authors(names: list[str], left_out: LeftOut) -> tuple[str, ...]:
    words = [_word(name, "author", left_out) for name in names[:AUTHORS]]
    return tuple(dict.fromkeys(word for word in words if word))


def _word(text: str, what: str, left_out: LeftOut) -> str:
    if len(text) > WORDS_CHARS:
        left_out.add(f"{what} of more than {WORDS_CHARS} characters", text)
        return ""
    return one_line(text)
