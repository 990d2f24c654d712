"""Bytes of a listing → text → elements of XML: gzip undone, encoding found, entities never expanded.

XML 1.0 (fifth edition) lets a document define entities that grow without bound, and ends at its first
error. So the prolog with its DOCTYPE is cut off, references to anything but characters become text, and
what XML does not allow but writers do (a bare `&`, `&nbsp;`, control characters) is mended first.
"""

import re
import zlib
from collections.abc import Iterator
from html.entities import html5
from typing import NamedTuple
from xml.parsers import expat

from archiver.errors import SourceError
from archiver.sources.encoding import text_of
from archiver.sources.html.charset import decode

UNPACKED_BYTES = 64 << 20  # of a gzip file
PROLOG_CHARS = 64 << 10  # the root element begins within
GZIP = b"\x1f\x8b"  # RFC 1952 section 2.3.1

_PART = 1 << 16  # characters given to the parser at once
_SPACE = re.compile(r"\s*+")
_XML_ENCODING = re.compile(rb"\s*+<\?xml[^>]{1,200}?encoding\s*+=\s*+[\"']([A-Za-z][\w.:-]{0,40})", re.ASCII)
_ROOT = re.compile(r"<([A-Za-z_][\w.-]{0,60}+(?::[\w.-]{1,60}+)?)(?=[\s/>])([^<>]{0,4000}+)")
_SUBSET = re.compile(r"\[(?:[^\]\"']++|\"[^\"]*+\"|'[^']*+')*+\]\s*+>")  # of a DOCTYPE
_SUBSET_END = re.compile(r"\]\s*+>")  # where quotes do not pair
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 section 2.2
_REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos);)(#[0-9]{1,7}+|#[xX][0-9A-Fa-f]{1,6}+|[A-Za-z]\w{0,31}+)?(;?)", re.ASCII
)


class Root(NamedTuple):
    """The first element's name as written, its attributes' text, and where it begins."""

    name: str
    attributes: str
    start: int

    @property
    def local(self) -> str:
        return self.name.rpartition(":")[2].lower()


class Element(NamedTuple):
    """The start or the end of an element, and the text between it and the tag before.

    Names are local; `space` is the namespace.
    """

    end: bool
    space: str
    name: str
    attributes: dict[str, str]
    text: str


def unpacked(data: bytes, limit: int = UNPACKED_BYTES) -> tuple[bytes, str]:
    """Undo gzip where the bytes begin like it; and what could not be undone, in words.

    Several members are one file (RFC 1952 section 2.2). Raises SourceError where nothing comes out.
    """
    if not data.startswith(GZIP):
        return data, ""
    parts: list[bytes] = []
    left, rest, told = limit, data, ""
    while rest.startswith(GZIP) and not told:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(rest, left))
        except zlib.error as error:
            told = f"gzip data that is damaged: {error}"
            break
        left -= len(parts[-1])
        if not member.eof:
            told = f"gzip data beyond {limit} bytes" if left <= 0 else "gzip data that breaks off"
        elif left <= 0 and member.unused_data:
            told = f"gzip data beyond {limit} bytes"
        rest = member.unused_data
    if told and not any(parts):
        raise SourceError(told)
    return b"".join(parts), told


def xml_text(data: bytes, content_type: str = "") -> str:
    """Text of an XML document: mark, then `content_type`, then its own declaration, then a guess.

    That is the order of RFC 7303 section 3; a declaration that the bytes contradict counts for nothing.
    """
    declared = [content_type] if "charset" in content_type.lower() else []
    if found := _XML_ENCODING.match(data[:1024].lstrip(b"\xef\xbb\xbf")):
        declared.append(f"charset={found[1].decode('ascii')}")
    if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<", b"\x00\x00\xfe\xff")):
        for label in declared:
            text = decode(data, label)
            if text.count("\ufffd") <= len(text) // 1000:
                return text
    return text_of(data)


def root_of(text: str, start: int = 0) -> Root | None:
    """The root element of XML or HTML: what follows declarations, comments and the DOCTYPE."""
    at = start
    while at < start + PROLOG_CHARS:
        at = space.end() if (space := _SPACE.match(text, at)) else at
        if text.startswith("<?", at):
            at = _after(text, "?>", at)
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at)
        elif text.startswith("<!", at):
            close, subset = text.find(">", at), text.find("[", at)
            if 0 <= subset < close:
                found = _SUBSET.match(text, subset) or _SUBSET_END.search(text, subset)
                at = found.end() if found else len(text)
            else:
                at = close + 1 if close >= 0 else len(text)
        else:
            root = _ROOT.match(text, at)
            return Root(root[1], root[2], at) if root else None
    return None


def mended(text: str) -> str:
    """Text that an XML parser can read further: outside CDATA, only references to characters are left."""
    head, *rest = _FORBIDDEN.sub("", text).split("<![CDATA[")
    parts = [_REFERENCE.sub(_character, head)]
    for part in rest:
        inside, close, outside = part.partition("]]>")
        parts += ["<![CDATA[", inside, close, _REFERENCE.sub(_character, outside)]
    return "".join(parts)


class Elements:
    """The elements of `text`, which begins with its root, one after the other.

    Where the XML breaks the iteration ends: then `error` says why, and `at` is the character.
    """

    def __init__(self, text: str) -> None:
        self.error = ""
        self.at = len(text)
        self._text = text
        self._seen: list[Element] = []
        self._words: list[str] = []
        self._parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._started
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = self._words.append

    def __iter__(self) -> Iterator[Element]:
        given = 0  # bytes
        for start in range(0, len(self._text) + 1, _PART):
            part = self._text[start : start + _PART].encode("utf-8", "replace")
            try:
                self._parser.Parse(part, start + _PART > len(self._text))
            except expat.ExpatError as error:
                self.error = str(error)
                before = part[: max(self._parser.ErrorByteIndex - given, 0)]
                self.at = start + len(before.decode("utf-8", "ignore"))
            given += len(part)
            yield from self._seen
            self._seen.clear()
            if self.error:
                return

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self._seen.append(Element(False, space, local, attributes, self._said()))

    def _ended(self, name: str) -> None:
        space, _, local = name.rpartition(" ")
        self._seen.append(Element(True, space, local, {}, self._said()))

    def _said(self) -> str:
        text = "".join(self._words)
        self._words.clear()
        return text


def _after(text: str, what: str, start: int) -> int:
    found = text.find(what, start)
    return found + len(what) if found >= 0 else len(text)


def _character(found: re.Match[str]) -> str:
    """A reference to a character as XML knows it; of anything else, its own spelling."""
    name, end = found[1], found[2]
    if name is not None and end:
        if name[0] != "#" and (known := html5.get(f"{name};")):
            return "".join(f"&#{ord(character)};" for character in known)
        if name[0] == "#":
            number = int(f"0{name[1:]}", 16) if name[1] in "xX" else int(name[1:])
            if number < 0x110000 and number and not _FORBIDDEN.match(chr(number)):
                return f"&#{number};"
    return f"&amp;{found[0][1:]}"
