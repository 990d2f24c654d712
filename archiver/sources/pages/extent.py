"""Which part of a page is the article: by its markup, and by the text that a library found."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archiver.sources.html.flow import Extent, Piece
from archiver.sources.html.markup import body_of
from archiver.sources.pages.text import chosen

TEXT_CANDIDATES = 50
LEAD_PIECES = 8  # byline, date and lead picture above the text, at most
LEAD_CHARS = 120
SHORT_CHARS = 250  # less than that trafilatura itself takes for a failure and guesses
TRUST = 0.8  # the share of the found text that must stand in the markup's own place for it

_TEXT_PLACES = ("[itemprop~=articleBody]", "#article-content", "article", "main")
_OUTSIDE = frozenset(("nav", "aside", "footer"))
_TEASERS = frozenset(("also-read", "share__list"))  # of Pangea (VOA, RFE/RL), within the text


def extent_of(tree: LexborHTMLParser) -> Extent:
    """Where the markup says that the text is (docs/sources.md section 2)."""
    body = body_of(tree)
    text = _text_root(tree)
    if text is None:
        # A whole page may stand in one <form>; the site's own header is no part of an article.
        return Extent(body.mem_id, body.mem_id, outside=_OUTSIDE | {"header"}, teasers=_TEASERS)
    above = []
    around = text
    node: LexborNode | None = text
    while node is not None:
        above.append(node.mem_id)
        if node.tag in ("article", "main") and around is text:
            around = node
        node = node.parent
    return Extent(
        text=text.mem_id,
        around=around.mem_id,
        after=around.tag == "article",  # in <main> other articles follow
        outside=_OUTSIDE | {"form"},
        teasers=_TEASERS,
        above=frozenset(above),
    )


def choose(pieces: list[Piece], text: str, title: str) -> bool:
    """Let the pieces that stand in `text` be the article's, with the pictures between and just above them.

    Where the markup has its own place for the text and `text` stands in it, its pictures are those of that
    place. False, and nothing is changed, if too little stands in `text`.
    """
    words = [number for number, piece in enumerate(pieces) if piece.kind != "picture" and piece.text]
    stands = chosen([pieces[number].text for number in words], text)
    found = {number for number, its in zip(words, stands, strict=True) if its}
    if not found:
        return False
    size = sum(len(pieces[number].text) for number in found)
    rooted = any(not piece.inside for piece in pieces if not piece.beside)
    if rooted and size < SHORT_CHARS:
        return False
    own = sum(len(pieces[number].text) for number in found if pieces[number].inside)
    if not (rooted and own >= TRUST * size):
        first, last = _lead(pieces, min(found), title), _tail(pieces, max(found))
        for number, piece in enumerate(pieces):
            if piece.kind == "picture":
                piece.inside = first <= number <= last and not piece.beside
    for number in words:
        pieces[number].inside = number in found
    return True


def add_lead(pieces: list[Piece], title: str) -> None:
    """Let the pictures between the title and the article's beginning just below be the article's, too."""
    first = next((number for number, piece in enumerate(pieces) if piece.inside), 0)
    lead = _lead(pieces, first, title)
    if title and pieces[lead : lead + 1] and pieces[lead].text == title:
        for piece in pieces[lead:first]:
            piece.inside = piece.inside or (piece.kind == "picture" and not piece.beside)


def _lead(pieces: list[Piece], first: int, title: str) -> int:
    """Where the article begins above its first paragraph: below the title, or below other text."""
    for number in range(min(first, len(pieces) - 1), max(-1, first - LEAD_PIECES), -1):
        if title and pieces[number].text == title:
            return number
        if number < first and (pieces[number].beside or len(pieces[number].text) > LEAD_CHARS):
            return number + 1
    return max(0, first - LEAD_PIECES + 1)


def _tail(pieces: list[Piece], last: int) -> int:
    """Where it ends below its last paragraph: after pictures that have captions."""
    end = last
    for number in range(last + 1, len(pieces)):
        if pieces[number].caption and pieces[number].text:
            end = number
        elif pieces[number].kind != "picture":
            break
    return end


def _text_root(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that holds the article's text: of the first kind that has any, the one with most."""
    for place in _TEXT_PLACES:
        sizes = [(len(node.text(strip=True)), node) for node in tree.css(place)[:TEXT_CANDIDATES]]
        size, node = max(sizes, key=lambda sized: sized[0], default=(0, None))
        if size:
            return node
    return None
