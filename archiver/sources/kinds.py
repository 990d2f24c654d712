"""What kind of source some bytes are: by what they hold, never by a name."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from archiver.errors import SourceError
from archiver.model import Recognised
from archiver.sources.documents.mirror import is_mirror_document
from archiver.sources.html.markup import markup_of
from archiver.sources.listings.jsonfeed import is_json_feed
from archiver.sources.listings.linklist import is_list
from archiver.sources.listings.opened import GZIP, Root, root_of, unpacked, xml_text

Kind = Literal["document", "page", "feed", "sitemap", "opml", "list", "unknown"]

JUNK_CHARS = 4_096  # before the beginning of an XML document
SNIFFED_CHARS = 1_445

_ROOTS: dict[str, Kind] = {
    "rss": "feed",
    "feed": "feed",
    "urlset": "sitemap",
    "sitemapindex": "sitemap",
    "opml": "opml",
}
_RSS_1 = ("http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/")

# What files begin with, as the WHATWG MIME Sniffing Standard and IANA's registrations of media types say.
_MAGIC = (
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP file, or one of the formats in it (DOCX, EPUB, WACZ)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a file of an old Microsoft Office"),
    (b"{\\rtf", "an RTF file"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (b"GIF87a", "a picture (GIF)"),
    (b"GIF89a", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"),
    (b"II*\x00", "a picture (TIFF)"),
    (b"MM\x00*", "a picture (TIFF)"),
    (b"\x00\x00\x01\x00", "a picture (ICO)"),
    (b"ID3", "a sound file (MP3)"),
    (b"OggS", "a sound or film file (Ogg)"),
    (b"fLaC", "a sound file (FLAC)"),
    (b"\x1aE\xdf\xa3", "a film (Matroska or WebM)"),
    (b"WARC/", "a WARC file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"(\xb5/\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf'\x1c", "a 7z file"),
    (b"Rar!\x1a\x07", "a RAR file"),
)
_TEXTUAL = ("a PDF file", "an RTF file", "a WARC file")
_ISO_MEDIA = re.compile(rb".{4}ftyp(avif|avis|heic|heix|mif1)?", re.DOTALL)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # MIME Sniffing: "binary data byte"
_WHOLE_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XML = re.compile(
    r"<\?xml\s|<rss\s[^<>]{0,2000}?version\s*+=|<(?:feed|urlset|sitemapindex|rdf:RDF)\s[^<>]{0,2000}?xmlns"
)
_MARKDOWN_LINK = re.compile(r"\[[^\]\n]{1,300}+\]\([^)\s]{1,2000}+\)")


@dataclass(frozen=True)
class Look:
    """What a first look at some bytes found."""

    kind: Kind
    why: str = ""  # what the unknown looks like
    text: str = ""  # of a listing
    root: Root | None = None  # of a listing in XML
    told: str = ""  # what of a gzip file could not be undone


def recognise(data: bytes, *, content_type: str = "") -> dict[str, Any]:
    """What kind of source the bytes are: a Recognised as built-in types. Never raises.

    `content_type` is the header field's value; of it only the charset and whether it says HTML count.
    """
    look = look_at(data, content_type)
    result: dict[str, Any] = msgspec.to_builtins(Recognised(kind=look.kind, why=look.why))
    return result


def look_at(data: bytes, content_type: str = "") -> Look:
    """As `recognise`, with the text that was found on the way. Gzip is looked through for listings."""
    if not data.startswith(GZIP):
        return _look(data, content_type)
    try:
        inner, told = unpacked(data)
    except SourceError as error:
        return Look("unknown", str(error))
    look = Look("unknown", "another gzip file") if inner.startswith(GZIP) else _look(inner, content_type)
    if look.kind in ("document", "page", "unknown"):
        what = {"document": "a mirror document", "page": "a web page"}.get(look.kind, look.why)
        return Look("unknown", f"a gzip file of this: {what}")
    return Look(look.kind, text=look.text, root=look.root, told=told)


def _look(data: bytes, content_type: str) -> Look:
    if not data or data.isspace():
        return Look("unknown", "empty")
    if is_mirror_document(data):
        return Look("document")
    text = xml_text(data, content_type)
    control = _CONTROL.search(text[:SNIFFED_CHARS]) is not None
    if what := _known(data, control=control):
        return Look("unknown", what)
    root = root_of(text)
    return (
        _json(text)
        or _xml(text, root)
        or (Look("unknown", "binary data of an unknown format") if control else None)
        or _page(data, text, root, content_type)
        or (Look("list", text=text) if is_list(text) else Look("unknown", _words(text)))
    )


def _known(data: bytes, *, control: bool) -> str:
    """What other programs' files begin like; most are no text and so hold control characters."""
    for magic, what in _MAGIC:
        if data.startswith(magic) and (control or what in _TEXTUAL):
            return what
    if media := _ISO_MEDIA.match(data):
        return "a picture (AVIF or HEIF)" if media[1] else "a film or sound file (MP4)"
    if data.startswith(b"RIFF") and control:
        return "a picture (WebP)" if data[8:12] == b"WEBP" else "a sound or film file (RIFF)"
    return ""


def _json(text: str) -> Look | None:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    if is_json_feed(text):
        return Look("feed", text=text)
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return Look("unknown", "JSON-LD" if '"@context"' in text else "JSON that is no JSON Feed")


def _xml(text: str, root: Root | None) -> Look | None:
    """A listing in XML, also behind junk such as a server's warnings, or another document of XML."""
    if found := _listing(text, root):
        return found
    if root is None or root.local not in ("html", "head", "body"):
        start = _XML.search(text, 0, JUNK_CHARS)
        if start and not _WHOLE_PAGE.search(text, 0, start.start()):
            inner = root_of(text, start.start())
            if found := _listing(text, inner):
                return found
    if root is None or root.local == "html":
        return None
    if root.local == "svg":
        return Look("unknown", "a picture (SVG)")
    if text.lstrip().startswith("<?xml") or root.local == "rdf":
        return Look("unknown", f"XML with the root <{root.name}>, which is no feed, sitemap or OPML")
    return None


def _listing(text: str, root: Root | None) -> Look | None:
    if root is None:
        return None
    kind = _ROOTS.get(root.local)
    if root.local == "rdf" and any(space in root.attributes for space in _RSS_1):
        kind = "feed"
    return Look(kind, text=text, root=root) if kind else None


def _page(data: bytes, text: str, root: Root | None, content_type: str) -> Look | None:
    """HTML as `read_page` reads it, if it begins like HTML, is said to be or is whole."""
    if not (root or "html" in content_type.lower() or _WHOLE_PAGE.search(text)):
        return None
    try:
        markup_of(data, content_type)
    except SourceError as error:
        return Look("unknown", str(error)) if root else None
    return Look("page")


def _words(text: str) -> str:
    links = _MARKDOWN_LINK.findall(text[:65_536])
    if len(links) > 1:
        return (
            "text with Markdown links, which is no mirror document; of a list of documents, name their folder"
        )
    line = " ".join(text[:200].split())
    return f"plain text that begins {line[:60]!r}"
