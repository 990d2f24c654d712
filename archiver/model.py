"""The nouns, in the order in which data passes through them.

Source → Listing of Articles with their References → Exchange → Location and Entry → Picture → Finding.

All are immutable msgspec structs, so each has one JSON form: that form is what `metadata` records
and record lists hold (docs/formats.md). Digests are `sha256:` and 64 lower-case hex digits; times
are RFC 3339 in UTC; lengths and offsets are bytes.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import msgspec


class Noun(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of all nouns: immutable, and absent fields stay out of the JSON."""


# --- what a source says -------------------------------------------------------------------------


class ClaimedTime(Noun, frozen=True):
    """A time that somebody claims, kept as written; `value` is None where it cannot be read."""

    clock: str  # who claims it: comment, printed, feed, time-element, meta … (docs/sources.md), guid
    written: str
    value: str | None = None


class Rendition(Noun, frozen=True):
    """Which rendition of a picture a URL claims to be. A claim: it never changes a captured URL."""

    family: str  # whose naming it follows: pangea, wordpress … (docs/addresses.md)
    group: str  # the same for all renditions of one picture
    area: str = ""  # the part of the picture that it shows, in the family's own words; empty: all of it
    width: int | None = None
    height: int | None = None
    master: str | None = None  # the largest form worth trying, where it is another URL than this one


FormName = Literal["proxied", "origin", "rendition", "memento"]


class Form(Noun, frozen=True):
    """One URL under which a picture can be had.

    proxied: by an image proxy · origin: from the publisher · rendition: another size from the publisher, a
    guess that nobody referred to · memento: another archive's copy.
    """

    form: FormName
    url: str
    proxy: str | None = None


class Reference(Noun, frozen=True):
    """A picture as an article refers to it."""

    number: int  # its place among the article's pictures, from 0
    written: str  # the attribute's value, character references resolved
    url: str  # what a browser would ask for
    place: str  # where it stood: img-src, img-srcset, img-data-src, source-srcset, meta-og:image …
    part: Literal["article", "page"] = "article"  # page: it stood outside the article, in a menu or a teaser
    alt: str = ""
    caption: str = ""
    unwanted: str = ""  # why it is kept as a claim and not fetched: a tracking pixel, an icon
    forms: tuple[Form, ...] = ()  # outermost proxy first, then the publisher's own, then its renditions
    times: tuple[ClaimedTime, ...] = ()
    rendition: Rendition | None = None


class Block(Noun, frozen=True):
    """A piece of an article in reading order: text, or the place of a picture."""

    kind: Literal["paragraph", "heading", "quote", "item", "picture"]
    text: str = ""
    picture: int | None = None  # Reference.number


class Article(Noun, frozen=True):
    """What a mirror document, a page or an item of a feed says: the result of reading a source."""

    kind: Literal["document", "page", "item"]
    title: str
    url: str | None
    language: str = ""
    authors: tuple[str, ...] = ()
    section: str = ""
    reader: str = ""  # the library that told the article's text from the rest of the page, with its version
    times: tuple[ClaimedTime, ...] = ()
    references: tuple[Reference, ...] = ()
    blocks: tuple[Block, ...] = ()
    left_out: tuple[str, ...] = ()  # what was found and not taken, and why


class Recognised(Noun, frozen=True):
    """What kind of source some bytes are; of the unknown, what they look like instead."""

    kind: Literal["document", "page", "feed", "sitemap", "opml", "list", "unknown"]
    why: str = ""


Role = Literal["page", "feed", "sitemap"]


class Link(Noun, frozen=True):
    """What a listing names."""

    url: str
    role: Role = "page"
    title: str = ""
    modified: str = ""  # as written


class Listing(Noun, frozen=True):
    """What a source says that names others: a feed's items, or the links of the rest."""

    kind: Literal["feed", "sitemap", "sitemap-index", "opml", "list", "section"]
    title: str = ""
    url: str | None = None
    links: tuple[Link, ...] = ()
    articles: tuple[Article, ...] = ()  # of a feed, each with its own text and pictures
    left_out: tuple[str, ...] = ()


# --- what lies in the archive -------------------------------------------------------------------


class Location(Noun, frozen=True):
    """Where a stored member lies: file relative to the archive's folder."""

    file: str
    offset: int
    length: int


PictureKind = Literal["photograph", "graphic", "plain", "tiny"]


class PictureFacts(Noun, frozen=True):
    """What decoding a picture tells: no claim about any other picture.

    `hashes` maps a label (algorithm and library versions) to zero-padded lower-case hex. Only photographs
    and graphics have hashes: plain (one colour, a gradient) and tiny ones hold too little to look alike.
    """

    format: str
    width: int
    height: int
    hashes: dict[str, str] = {}
    quality: int | None = None  # of its PDQ hash, 0 to 100; below 80 that hash finds nothing
    kind: PictureKind = "photograph"


# --- how two pictures differ --------------------------------------------------------------------

Relation = Literal[
    "same-bytes",
    "same-pixels",
    "re-encoded",  # or resized, or both
    "cropped",
    "overlapping",  # each shows something that the other does not: linked, and never merged by itself
    "overlaid",  # with a logo, a bar, a border, a caption strip added at an edge
    "turned",  # mirrored, rotated
    "locally-changed",
    "edited-or-neighbouring",  # linked and never merged
    "different",
    "undecodable",
]
MERGED = ("same-bytes", "same-pixels", "re-encoded", "cropped", "overlaid", "turned")  # one photograph


class Box(Noun, frozen=True):
    """A part of a picture, in shares of its upright width and height, from the left and the top."""

    left: float
    top: float
    width: float
    height: float


class Evidence(Noun, frozen=True):
    """What was measured of a pair: what a relation rests on. None: not measured."""

    distance: int | None = None  # bits of 256 between their PDQ hashes, the nearest of the 8 turned forms
    inliers: int | None = None  # keypoints that one affine map takes from the second picture to the first
    blocks: float | None = None  # share of textured blocks that correlate above 0.7 after the map
    affine: tuple[float, ...] = ()  # 2x3, by rows: (x, y, 1) of the second to the first, in shares


class Comparison(Noun, frozen=True):
    """What two pictures have to do with each other, and why it is said."""

    relation: Relation
    whole: Literal["", "first", "second"] = ""  # which of two shows more, where one is cut
    box: Box | None = None  # what the other shows of it
    boxes: tuple[Box, ...] = ()  # of the first: where something was laid over, or changed
    turn: Literal["", "mirrored", "rotated", "mirrored and rotated"] = ""
    degrees: float = 0.0  # counter-clockwise, from the first to the second
    evidence: Evidence = Evidence()
    reason: str = ""  # in words: why it is said, or why nothing can be


GAP = "gap"  # Entry.type of a stretch of an imported file that is no record by itself; `unreadable` says why
Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


class Entry(Noun, forbid_unknown_fields=True, frozen=True):
    """One line of a record list: a stored record, in file order; of an imported file also what is none."""

    offset: Count
    length: Count
    digest: Digest  # of the stored member: the input of the tree's leaf
    type: str
    id: str
    date: str
    uri: str | None = None
    refers_to: str | None = None
    status: int | None = None
    mime: str | None = None  # of the payload
    payload_digest: str | None = None  # of the entity-body: transfer coding removed, content coding kept
    payload_bytes: int | None = None
    truncated: str | None = None
    picture: PictureFacts | None = None
    unreadable: str | None = None  # why its bytes could not be understood, or what a gap is


# --- what a metadata record says ----------------------------------------------------------------

SOURCE_URI = "urn:archiver:source:"  # of a source that was given as a file, before its digest
MERGED_URI = "urn:archiver:manifest:"  # of the manifest of another archive, before its digest
NOTE_URI = "urn:archiver:note:"  # what the target URI of a note's record begins with
# What the URL of a page begins with that an exporter made: RFC 2606 section 2, so no such host can be.
VIEW_URI = "https://view.archiver.invalid/"
NOTE_FIELD = "WARC-JSON-Metadata"  # the header field of a request's record that holds a FetchNote


class ArticleNote(Noun, tag="article", frozen=True):
    """A source was read and said this. WARC-Refers-To names the record of the source."""

    given: str  # what the person typed, without the folders above it
    article: Article


class ListingNote(Noun, tag="listing", frozen=True):
    """A source that names others was read. Its articles have notes of their own on the same record."""

    given: str
    listing: Listing


class Hop(Noun, frozen=True):
    """One request on the way from the first URL to the last answer."""

    url: str
    request: str | None = None  # record ids
    response: str | None = None
    status: int | None = None
    protocol: str | None = None  # "tls/1.3" …
    certificates: str | None = None  # id of the record that holds the server's certificate chain
    truncated: str | None = None
    interim: tuple[str, ...] = ()  # heads of 1xx answers, as latin-1
    surplus: int = 0  # bytes that the server sent after the end of the message
    redacted: tuple[str, ...] = ()  # request header fields left out of the record
    through: str | None = None  # the proxy that the person named, without credentials
    head: str = ""  # of the answer, as latin-1, where its record has none: of a revisit
    attempt: str = ""  # why this hop was made: "", redirect, without-referer, unconditional
    stands_for: str | None = None  # of an imported revisit: id of the record that holds its body


Outcome = Literal["whole", "partial", "refused", "substituted", "failed", "skipped"]
Purpose = Literal["page", "picture", "robots"]


class FetchNote(Noun, tag="fetch", frozen=True):
    """A URL was asked for and this came of it; a failure is a fact like any other.

    whole: a complete 2xx answer · partial: cut short · refused: another status ·
    substituted: a picture proxy sent us to its default picture · failed: no answer · skipped: not asked.
    """

    url: str
    purpose: Purpose
    outcome: Outcome
    started: str
    unchanged: bool = False  # whole, and the same bytes as when this URL was captured before
    attempt: int = 0  # how often it was tried before in this run
    retry: float | None = None  # it is asked again after so many seconds: this is not the last word
    article: str | None = None  # record id of the ArticleNote or ListingNote that wants it
    references: tuple[int, ...] = ()
    form: FormName | None = None
    original: str | None = None  # the URL whose copy another archive was asked for
    memento: str | None = None  # when that archive says it captured the copy: RFC 3339, UTC
    referer: str | None = None
    hops: tuple[Hop, ...] = ()
    stage: str | None = None  # FetchError.stage
    reason: str = ""


class UnreadableNote(Noun, tag="unreadable", frozen=True):
    """A source is kept, but could not be read as an article."""

    given: str
    reason: str


class RunNote(Noun, tag="run", frozen=True):
    """A run came to its end. Its files' warcinfo records name it, too; one without this note was cut off."""

    run: str  # urn:uuid:…
    started: str
    sources: tuple[str, ...]  # as the person typed them
    interrupted: bool = False
    complete: bool = True
    continued: bool = False  # an earlier process had begun it
    outcomes: dict[str, int] = {}  # what came of the URLs, in the words of the summary (docs/formats.md)


class MarkNote(Noun, tag="mark", frozen=True):
    """A person's word on two pictures, named by their payload digests; the newest on a pair counts."""

    pictures: tuple[Digest, Digest]
    said: Literal["not-same", "withdrawn"]  # never in one cluster; what was said before no longer counts
    reason: str


class ImportNote(Noun, tag="import", frozen=True):
    """A file of others was taken in. What it says of itself: `software`, `title`, `main_page`."""

    file: str  # imports/NAME
    given: str  # what the person called it, without the folders above it
    bytes: int
    digest: Digest
    kind: str  # warc, warc+gzip, arc, wacz … (docs/import.md)
    stored: Literal["copied", "linked"]
    transcript: str = ""  # imports/NAME.transcript.warc.gz, where records have no place of their own in it
    records: int = 0
    gaps: int = 0  # stretches that hold no record
    passed_over: int = 0  # notes of an archiver in it that do not count here
    software: str = ""
    title: str = ""  # of a WACZ
    main_page: str = ""
    hashes: Literal["hold", "fail"] | None = None  # of a WACZ, as it was taken in
    signature: Literal["none", "holds", "fails"] | None = None
    signer: str = ""  # the domain, or the public key in Base64
    signed: str | None = None  # the time that a token of an authority has, if the signature holds
    proof: Literal["none", "holds", "fails"] | None = None  # that of an archive of ours (docs/evidence.md)


Note = ArticleNote | ListingNote | FetchNote | UnreadableNote | RunNote | MarkNote | ImportNote


class Record(msgspec.Struct, kw_only=True):
    """A WARC record about to be written. `block` is the record block, verbatim."""

    type: str
    block: bytes
    content_type: str
    date: str
    id: str
    uri: str | None = None
    headers: tuple[tuple[str, str], ...] = ()  # further WARC header fields, in order
    payload_digest: str | None = None
    store: bool = False  # True: already compressed, gzip level 0


class Recorder(Protocol):
    """What capturing needs of an archive: all records of a call are durable when it returns."""

    def append(self, records: Sequence[Record]) -> list[Entry]: ...

    def seal_when_due(self) -> None: ...


# --- what verification says ---------------------------------------------------------------------

Verdict = Literal["ok", "unverifiable", "incomplete", "failed"]


class Finding(Noun, tag="finding", frozen=True):
    """One thing that is not as committed.

    failed: bytes differ from the commitment · incomplete: committed bytes are missing ·
    unverifiable: nothing to judge by.
    """

    verdict: Verdict
    code: str
    file: str
    message: str
    record: int | None = None  # position in the file, from 0
    offset: int | None = None
    id: str | None = None
    uri: str | None = None
    expected: str | None = None
    found: str | None = None
    advice: str = ""
