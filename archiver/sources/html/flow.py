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
from archiver.sources.html.candidates import Candidate, candidates, is_linked_picture
from archiver.sources.html.markup import attribute, one_line
from archiver.sources.html.pictures import WORDS_CHARS, Gallery, srcset_urls
from archiver.sources.html.unwanted import by_element

BLOCKS = 20_000

# Their contents are neither text nor pictures.
_UNREAD_NAMES = "embed head iframe math noembed noframes script select style template textarea title"
UNREAD = frozenset(_UNREAD_NAMES.split())
# Their contents are no text of the article, but pictures may stand in them.
_MUTE_NAMES = "audio canvas object svg video"
_MUTE = frozenset(_MUTE_NAMES.split())
_PLAYER = "c-mmp"  # the class of Pangea's player: its words are the player's own
_BREAKING_TAGS = (
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table"
    " tbody td tfoot th thead tr ul caption"
)
_BREAKING = frozenset(_BREAKING_TAGS.split())
Kind = Literal["paragraph", "heading", "quote", "item", "picture"]
_KINDS: dict[str, Kind] = {f"h{level}": "heading" for level in range(1, 7)}
_KINDS |= {"blockquote": "quote", "li": "item"}

_MEDIA_NAMES = "amp-anim amp-img image img input meta link object source video"
_MEDIA = frozenset(_MEDIA_NAMES.split())
# Attributes that never name a picture; most elements have no others.
_PLAIN_NAMES = (
    "align alt aria-hidden aria-label border class cols colspan content datetime dir href id itemid "
    "itemscope itemtype lang name onclick rel role rowspan tabindex target title type valign"
)
_PLAIN = frozenset(_PLAIN_NAMES.split())
_MICRODATA_NAMES = "image thumbnailurl primaryimageofpage"
_MICRODATA = frozenset(_MICRODATA_NAMES.split())

_SPACES = re.compile(r"[\t\n\f\r ]+")
_PARAGRAPH_END = re.compile(r"\n\s*\n")


@dataclass
class Piece:
    """A run of text, or a picture: `shown` is its number, `numbers` are those of all its candidates.

    `figure` identifies the enclosing <figure>; `times` are (datetime attribute, text) of its <time>s.
    `inside`: it belongs to the article. `beside`: it stands in
    an element whose contents never do. `timely`: it stands where an article's <time> may.
    """

    kind: Kind
    text: str = ""
    shown: int | None = None
    numbers: tuple[int, ...] = ()
    caption: bool = False
    figure: int | None = None
    inside: bool = True
    beside: bool = False
    timely: bool = True
    times: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Extent:
    """Which part of a page is the article.

    `text`: the element whose text is the article's. `around`: an element about it, where pictures before
    the text belong to it too. `<time>` counts up to the end of the text, and to that of `around` if `after`.
    `outside`: tags, `teasers`: classes of elements whose contents do not belong to it, but never those
    `above` the text. Elements are known by `mem_id`.
    """

    text: int
    around: int
    after: bool = False
    outside: frozenset[str] = frozenset()
    teasers: frozenset[str] = frozenset()
    above: frozenset[int] = frozenset()


@dataclass
class _Open:
    """Elements that are open now, the innermost last, as (mem_id, what they mean)."""

    kinds: list[tuple[int, Kind]] = field(default_factory=list)
    captions: list[int] = field(default_factory=list)
    figures: list[int] = field(default_factory=list)
    mute: list[int] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)
    links: list[tuple[int, str]] = field(default_factory=list)  # <a> that lead to a picture

    def leave(self, identity: int) -> None:
        for pairs in (self.kinds, self.links):
            if pairs and pairs[-1][0] == identity:
                pairs.pop()
        for plain in (self.captions, self.figures, self.mute, self.outside):
            if plain and plain[-1] == identity:
                plain.pop()


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
        """The pieces that belong to the article, captions given to their pictures.

        Pictures of the others become the gallery's `outside` ones.
        """
        blocks: list[Block] = []
        for piece in _settle(self.pieces, self._gallery):
            if not piece.inside:
                continue
            if piece.kind == "picture":
                if piece.shown is None:
                    continue
                block = Block(kind="picture", picture=piece.shown)
                if blocks and blocks[-1] == block:
                    continue  # the same again, as <noscript> and as a late-loading <img>
            elif not piece.text or piece.text in (shown for _, shown in piece.times):
                continue
            else:
                block = Block(kind=piece.kind, text=piece.text)
            blocks.append(block)
        pictures = [(piece.inside, number) for piece in self.pieces for number in piece.numbers]
        inside = {number for its, number in pictures if its}
        self._gallery.place_outside({number for _, number in pictures} - inside)
        return tuple(blocks)

    # --- elements -------------------------------------------------------------------------------

    def _enter(self, node: LexborNode) -> bool:
        """Note what `node` is; say whether its children are to be read."""
        tag = node.tag or ""
        if tag == "-text":
            self._text(node.text_content or "")
            return False
        if tag.startswith("-") or tag in UNREAD:
            return False
        identity = node.mem_id
        if tag in _BREAKING:
            self._break()
        attributes = node.attributes
        classes = (attributes.get("class") or "").split()
        if identity not in self._extent.above and (
            tag in self._extent.outside or not self._extent.teasers.isdisjoint(classes)
        ):
            self._open.outside.append(identity)
        if identity == self._extent.around:
            self._around = True
        if identity == self._extent.text:
            self._break()
            self._inside = True
        if tag in _MEDIA or not _PLAIN.issuperset(attributes):
            self._pictures(node, tag, attributes)
        self._note(tag, identity, attributes, classes)
        return tag != "img"

    def _note(self, tag: str, identity: int, attributes: dict[str, str | None], classes: list[str]) -> None:
        if tag == "br":
            self._run.append("\n")
        elif tag == "time":
            self._time_starts = len(self._run)
        elif tag == "picture":
            self._candidates = []
        elif tag == "figure":
            self._open.figures.append(identity)
        elif tag == "a" and is_linked_picture(href := attributes.get("href") or ""):
            self._open.links.append((identity, href))
        elif tag in _MUTE or _PLAYER in classes:
            self._break()
            self._open.mute.append(identity)
        if kind := _KINDS.get(tag):
            self._open.kinds.append((identity, kind))
        if tag in ("small", "figcaption") or "wp-caption-text" in classes:
            self._open.captions.append(identity)

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "-text":
            return
        identity = node.mem_id
        if tag in _BREAKING or tag in _MUTE:
            self._break()
        if tag == "time" and (written := attribute(node, "datetime")):
            self._times.append((written, one_line("".join(self._run[self._time_starts :]))))
        if tag == "picture" and self._candidates:
            self._picture(self._candidates, self._candidates[0])
        self._open.leave(identity)
        if identity == self._extent.text:
            self._break()
            self._inside, self._done = False, True
            self._around = self._around and self._extent.after
        if identity == self._extent.around:
            self._around = False

    # --- text -----------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        if self._open.mute:
            return
        text = _SPACES.sub(" ", text)
        if text.strip():
            self._captioned = self._captioned and bool(self._open.captions)
        self._run.append(text)

    def _break(self) -> None:
        """End the run of text: what it holds becomes pieces."""
        if not (self._run or self._times):
            return
        run, self._run = "".join(self._run), []
        times, self._times = tuple(self._times), []
        captioned, self._captioned = self._captioned, True
        self._time_starts = 0
        if not (times or run.strip()):
            return
        inside = self._inside and not self._open.outside
        timely = self._around or not self._done
        kind = self._open.kinds[-1][1] if self._open.kinds else "paragraph"
        for text in [text for part in _PARAGRAPH_END.split(run) if (text := _lines(part))] or (
            [""] if times else []
        ):
            self._add(Piece(kind, text, caption=captioned, inside=inside, timely=timely, times=times))
            times = ()

    def _add(self, piece: Piece) -> None:
        piece.beside = bool(self._open.outside)
        piece.figure = self._open.figures[-1] if self._open.figures else None
        self.pieces.append(piece)
        if len(self.pieces) > BLOCKS:
            raise SourceError(
                f"too large to be read as an article: more than {BLOCKS} paragraphs and pictures",
                "the bytes are archived; only the text and the pictures were not looked for",
            )

    # --- pictures -------------------------------------------------------------------------------

    def _pictures(self, node: LexborNode, tag: str, attributes: dict[str, str | None]) -> None:
        """Take the pictures that an element names."""
        if tag == "source":
            parent = node.parent
            if parent is not None and parent.tag == "picture":
                self._candidates += self._take(candidates(tag, attributes), attributes)
            return
        found = candidates(tag, attributes)
        if _MICRODATA.intersection((attributes.get("itemprop") or "").lower().split()):
            written = attributes.get("content") or attributes.get("href") or ""
            found = [*found, Candidate(written, "itemprop-image")]
        if tag in ("img", "amp-img", "amp-anim"):
            self._break()
            self._image(found, attributes)
        elif numbers := self._take(found, attributes):
            seen = tag in _BREAKING or tag in _MUTE or tag.startswith("amp-") or tag == "input"
            if seen:
                self._break()
            wanted = filter(self._gallery.is_wanted, numbers if seen else ())
            self._picture(numbers, next(wanted, None))

    def _image(self, found: list[Candidate], attributes: dict[str, str | None]) -> None:
        alt = attributes.get("alt") or ""
        numbers = self._take(found, attributes)
        for number in self._candidates:
            self._gallery.describe(number, alt=alt)
        numbers += self._candidates
        late = self._take([one for one in found if one.late and not one.several], attributes)
        # Where a script loads the picture late, `src` is a stand-in.
        wanted = filter(self._gallery.is_wanted, (*late, *numbers))
        shown = next(wanted, None)
        if self._open.links:
            numbers += self._take([Candidate(self._open.links[-1][1], "a-href")], attributes)
        self._picture(numbers, shown)

    def _take(self, found: list[Candidate], attributes: dict[str, str | None]) -> list[int]:
        late = bool(self._candidates) or any(one.late or one.several for one in found if one.value)
        alt = attributes.get("alt") or ""

        def unwanted(url: str) -> str:
            return by_element(attributes, url, late=late)

        numbers: list[int] = []
        for one in found:
            judge = one.unwanted or (unwanted if one.judged else "")
            for written in srcset_urls(one.value) if one.several else (one.value,):
                number = self._gallery.add(written, one.place, alt, unwanted=judge)
                if number is not None:
                    numbers.append(number)
        return numbers

    def _picture(self, numbers: list[int], shown: int | None) -> None:
        inside = not (self._open.outside or self._done) and (self._inside or self._around)
        self._add(Piece("picture", shown=shown, numbers=tuple(numbers), inside=inside))
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
            if piece.shown is not None or not piece.numbers:
                before = piece.numbers  # one that is not shown takes no caption
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
