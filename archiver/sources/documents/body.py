"""The HTML body of a mirror document or of a feed's item → its blocks, pictures, printed date and authors."""

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from archiver.model import Block, ClaimedTime, Reference
from archiver.sources.html.flow import Extent, Flow, Piece
from archiver.sources.html.markup import body_of, one_line, parse
from archiver.sources.html.pictures import Gallery
from archiver.sources.times import claimed, is_date_line

NO_URL = "about:blank"  # a base to which nothing relative can be joined
TOP_PIECES = 5  # a printed date stands among so many first paragraphs and pictures
AUTHOR_CHARS = 100

_ADDRESS = re.compile("<address", re.IGNORECASE)


@dataclass(frozen=True)
class Body:
    """What a body says. `times` has the printed date, `authors` those printed with it."""

    times: tuple[ClaimedTime, ...]
    authors: tuple[str, ...]
    blocks: tuple[Block, ...]
    references: tuple[Reference, ...]
    left_out: tuple[str, ...]


def read_body(markup: str, *, url: str, title: str) -> Body:
    """Read HTML whose relative links are relative to `url` ("" where it has none). Raises SourceError.

    Date line and authors at the top become a time and authors, and a piece of text that only repeats
    the title is left out.
    """
    gallery = Gallery(url or NO_URL)
    root = body_of(parse(markup))
    flow = Flow(gallery, Extent(text=root.mem_id, around=root.mem_id))
    flow.read(root)
    top = flow.pieces[:TOP_PIECES]
    times, authors = _take_printed(top)
    if times and not authors and _ADDRESS.search(markup):
        authors = _take_addressed(top, root)
    _drop(top, title)
    blocks = flow.blocks()  # before the references: it gives them their captions
    return Body(times, authors, blocks, gallery.references, gallery.left_out)


def _take_printed(top: list[Piece]) -> tuple[tuple[ClaimedTime, ...], tuple[str, ...]]:
    """The date line, taken out of its piece; and with it the author, if that is all there is above it."""
    for piece in top:
        for written, _shown in piece.times:
            return (claimed("printed", written),), ()
        lines = piece.text.split("\n")
        for number, line in enumerate(lines):
            if not is_date_line(line):
                continue
            times = (claimed("printed", line),)
            if number == 1 and len(lines) == 2 and len(lines[0]) <= AUTHOR_CHARS:
                piece.text = ""
                return times, (lines[0],)
            del lines[number]
            piece.text = "\n".join(lines)
            return times, ()
    return (), ()


def _take_addressed(top: list[Piece], root: LexborNode) -> tuple[str, ...]:
    """The text of an <address> at the top: whom to ask about the article (HTML section 4.3.10)."""
    address = root.css_first("address")
    author = one_line(address.text()) if address else ""
    if not author or len(author) > AUTHOR_CHARS:
        return ()
    return (author,) if _drop(top, author) else ()


def _drop(pieces: list[Piece], text: str) -> bool:
    """Empty the first piece that says only `text`; say whether there was one."""
    for piece in pieces:
        if piece.text == text:
            piece.text = ""
            return True
    return False
