"""An HTML tree → pieces of an article in reading order, with its pictures and their captions.

One walk without recursion. Text is collected until a block element, a picture or the end breaks it;
two `<br>` in a row break it too, a single one is a new line.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from selectolax.lexbor import LexborNode

from archiver.errors import SourceError
from archiver.model import Block
from archiver.sources.markup import attribute, one_line
from archiver.sources.pictures import WORDS_CHARS, Gallery

BLOCKS = 20_000

# Their contents are neither text nor pictures of the article.
_UNREAD_TAGS = (
    "audio canvas embed head iframe math noembed noframes object script select style svg template textarea"
    " title"
)
UNREAD = frozenset(_UNREAD_TAGS.split())
_BREAKING_TAGS = (
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table"
    " tbody td tfoot th thead tr ul caption"
)
_BREAKING = frozenset(_BREAKING_TAGS.split())
Kind = Literal["paragraph", "heading", "quote", "item", "picture"]
_KINDS: dict[str, Kind] = {f"h{level}": "heading" for level in range(1, 7)}
_KINDS |= {"blockquote": "quote", "li": "item"}

# Attributes of <img> that name a picture, the browser's own first; the others are what scripts that
# load pictures late read.
_SOURCES = ("src", "data-src", "data-original", "data-lazy-src")
_SOURCE_SETS = ("srcset", "data-srcset", "data-lazy-srcset")

_SPACES = re.compile(r"[\t\n\f\r ]+")
_PARAGRAPH_END = re.compile(r"\n\s*\n")


@dataclass
class Piece:
    """A run of text, or a picture: `shown` is its number, `numbers` are those of all its candidates.

    `figure` identifies the enclosing <figure>; `times` are (datetime attribute, text) of its <time>s.
    """

    kind: Kind
    text: str = ""
    shown: int | None = None
    numbers: tuple[int, ...] = ()
    caption: bool = False
    figure: int | None = None
    inside: bool = True
    times: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Extent:
    """Which part of a page is read.

    `text`: the element whose text is the article's. `around`: an element about it, where pictures before
    the text are taken too. `<time>` counts up to the end of the text, and to that of `around` if `after`.
    `unread`: tags that are passed over, but never those `above` the text. Elements are known by `mem_id`.
    """

    text: int
    around: int
    after: bool = False
    unread: frozenset[str] = UNREAD
    above: frozenset[int] = frozenset()


@dataclass
class _Open:
    """Elements that are open now, the innermost last, as (mem_id, what they mean)."""

    kinds: list[tuple[int, Kind]] = field(default_factory=list)
    captions: list[int] = field(default_factory=list)
    figures: list[int] = field(default_factory=list)


class Flow:
    """Reads one tree; `pieces` are there when `read` has returned."""

    def __init__(self, gallery: Gallery, extent: Extent) -> None:
        self.pieces: list[Piece] = []
        self._gallery = gallery
        self._extent = extent
        self._open = _Open()
        self._run: list[str] = []  # text since the last break
        self._captioned = True  # all of it stood in a caption
        self._times: list[tuple[str, str]] = []
        self._time_starts = 0
        self._candidates: list[int] = []  # of <source>s that await the <img> of their <picture>
        self._inside = False
        self._around = False
        self._done = False

    def read(self, root: LexborNode) -> None:
        """Walk the tree below `root`. Raises SourceError for more than `BLOCKS` pieces."""
        node = root
        while True:
            child = node.first_child if self._enter(node) else None
            while child is None:
                self._leave(node)
                if node.mem_id == root.mem_id or node.parent is None:
                    self._break()
                    return
                child = node.next
                node = node.parent if child is None else node
            node = child

    def blocks(self) -> tuple[Block, ...]:
        """The pieces of the article's text and its pictures, captions given to their pictures."""
        blocks: list[Block] = []
        for piece in _settle(self.pieces, self._gallery):
            if piece.kind == "picture":
                block = Block(kind="picture", picture=piece.shown)
                if blocks and blocks[-1] == block:
                    continue  # the same again, as <noscript> and as a late-loading <img>
            elif not piece.inside or not piece.text or piece.text in (shown for _, shown in piece.times):
                continue
            else:
                block = Block(kind=piece.kind, text=piece.text)
            blocks.append(block)
        return tuple(blocks)

    # --- elements -------------------------------------------------------------------------------

    def _enter(self, node: LexborNode) -> bool:
        """Note what `node` is; say whether its children are to be read."""
        tag = node.tag or ""
        if tag == "-text":
            self._text(node.text_content or "")
            return False
        identity = node.mem_id
        if tag.startswith("-") or (tag in self._extent.unread and identity not in self._extent.above):
            return False
        if tag in _BREAKING:
            self._break()
        if identity == self._extent.around:
            self._around = True
        if identity == self._extent.text:
            self._break()
            self._inside = True
        if tag in ("img", "source", "video"):
            return self._media(node, tag)
        self._note(node, tag, identity)
        return True

    def _note(self, node: LexborNode, tag: str, identity: int) -> None:
        if tag == "br":
            self._run.append("\n")
        elif tag == "time":
            self._time_starts = len(self._run)
        elif tag == "picture":
            self._candidates = []
        elif tag == "figure":
            self._open.figures.append(identity)
        if kind := _KINDS.get(tag):
            self._open.kinds.append((identity, kind))
        if tag in ("small", "figcaption") or "wp-caption-text" in attribute(node, "class").split():
            self._open.captions.append(identity)

    def _leave(self, node: LexborNode) -> None:
        tag, identity = node.tag or "", node.mem_id
        if tag in _BREAKING:
            self._break()
        if tag == "time" and (written := attribute(node, "datetime")):
            self._times.append((written, one_line("".join(self._run[self._time_starts :]))))
        if tag == "picture" and self._candidates:
            self._picture(self._candidates, self._candidates[0])
        if self._open.kinds and self._open.kinds[-1][0] == identity:
            self._open.kinds.pop()
        if self._open.captions and self._open.captions[-1] == identity:
            self._open.captions.pop()
        if self._open.figures and self._open.figures[-1] == identity:
            self._open.figures.pop()
        if identity == self._extent.text:
            self._break()
            self._inside, self._done = False, True
            self._around = self._around and self._extent.after
        if identity == self._extent.around:
            self._around = False

    # --- text -----------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        text = _SPACES.sub(" ", text)
        if text.strip():
            self._captioned = self._captioned and bool(self._open.captions)
        self._run.append(text)

    def _break(self) -> None:
        """End the run of text: what it holds becomes pieces."""
        run, self._run = "".join(self._run), []
        times, self._times = tuple(self._times), []
        captioned, self._captioned = self._captioned, True
        self._time_starts = 0
        if self._done and not self._around:
            return
        parts = _PARAGRAPH_END.split(run) if self._inside or self._around else []
        kind = self._open.kinds[-1][1] if self._open.kinds else "paragraph"
        for text in [text for part in parts if (text := _lines(part))] or ([""] if times else []):
            self._add(Piece(kind, text, caption=captioned, inside=self._inside, times=times))
            times = ()

    def _add(self, piece: Piece) -> None:
        piece.figure = self._open.figures[-1] if self._open.figures else None
        self.pieces.append(piece)
        if len(self.pieces) > BLOCKS:
            raise SourceError(
                f"too large to be read as an article: more than {BLOCKS} paragraphs and pictures",
                "the bytes are archived; only the text and the pictures were not looked for",
            )

    # --- pictures -------------------------------------------------------------------------------

    def _media(self, node: LexborNode, tag: str) -> bool:
        """Take the pictures of an <img>, <source> or <video>; its children are never read."""
        if self._done or not (self._inside or self._around):
            return False
        add, add_set = self._gallery.add, self._gallery.add_srcset
        parent = node.parent
        in_picture = parent is not None and parent.tag == "picture"
        if tag == "source":
            if in_picture:
                numbers = add_set(attribute(node, "srcset"), "source-srcset")
                numbers += add_set(attribute(node, "data-srcset"), "source-data-srcset")
                single = add(attribute(node, "src"), "source-src")
                self._candidates += numbers if single is None else [*numbers, single]
            return False
        self._break()
        if tag == "video":
            poster = add(attribute(node, "poster"), "video-poster")
            poster = add(attribute(node, "data-poster"), "video-data-poster") if poster is None else poster
            self._picture([] if poster is None else [poster], poster)
            return False
        self._image(node, in_picture=in_picture)
        return False

    def _image(self, node: LexborNode, *, in_picture: bool) -> None:
        attributes = node.attributes
        alt = attributes.get("alt") or ""
        single = {
            name: self._gallery.add(attributes.get(name) or "", f"img-{name}", alt) for name in _SOURCES
        }
        numbers = [number for number in single.values() if number is not None]
        for name in _SOURCE_SETS:
            numbers += self._gallery.add_srcset(attributes.get(name) or "", f"img-{name}", alt)
        if in_picture:
            for number in self._candidates:
                self._gallery.describe(number, alt=alt)
            numbers += self._candidates
            self._candidates = []
        late = [number for name, number in single.items() if name != "src" and number is not None]
        # Where a script loads the picture late, `src` is a stand-in.
        self._picture(numbers, late[0] if late else next(iter(numbers), None))

    def _picture(self, numbers: list[int], shown: int | None) -> None:
        self._add(Piece("picture", shown=shown, numbers=tuple(numbers), inside=self._inside))
        self._candidates = []


def _lines(part: str) -> str:
    lines = (re.sub(" {2,}", " ", line.strip()) for line in part.split("\n"))
    return "\n".join(line for line in lines if line)


def _settle(pieces: list[Piece], gallery: Gallery) -> list[Piece]:
    """Give captions to their pictures; what remains are text and pictures.

    A caption in a <figure> belongs to the figure's pictures, any other to the picture just before it.
    """
    figures: dict[int, list[int]] = {}
    for piece in pieces:
        if piece.figure is not None and piece.numbers:
            figures.setdefault(piece.figure, []).extend(piece.numbers)
    captions: dict[tuple[int, ...], list[str]] = {}
    kept: list[Piece] = []
    before: tuple[int, ...] = ()  # the picture just before
    for piece in pieces:
        if piece.kind == "picture":
            before = piece.numbers
            if before:
                kept.append(piece)
            continue
        owners = before if piece.figure is None else tuple(figures.get(piece.figure, ()))
        if piece.caption and owners and len(piece.text) <= WORDS_CHARS:
            captions.setdefault(owners, []).append(piece.text)
        else:
            before = () if piece.text else before
            kept.append(piece)
    for owners, texts in captions.items():
        caption = "\n".join(texts)
        for number in owners:
            gallery.describe(number, caption=caption)
    return kept
