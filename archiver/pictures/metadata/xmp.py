"""XMP: properties of an RDF document in XML (ISO 16684-1:2019). Entities are never expanded."""

import re
from dataclasses import dataclass

from archiver.pictures.metadata.tags import Tags, names
from archiver.sources.listings.opened import Element, Elements, mended, root_of, xml_text

_BYTES = 2 << 20  # of all packets
_ELEMENTS = 20_000  # starts and ends, of one packet
_DEPTH = 12
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_NOTE = "http://ns.adobe.com/xmp/note/"  # how a packet names its extension
_LISTS = ("Bag", "Seq", "Alt", "li")
_WORD = re.compile(r"[A-Za-z][\w-]*")


def read_xmp(packets: list[bytes], tags: Tags) -> None:
    """Add each property as `XMP-<prefix>`, `<name>`; members of structures as `<name>/<member>`.

    Each item of a list is an entry of its own, and a language other than x-default stands behind the name.
    """
    left = _BYTES
    for packet in packets:
        left -= len(packet)
        if left < 0:
            tags.problem(f"XMP: what is longer than {_BYTES} bytes was not read")
            return
        _read_packet(packet, tags)


def _read_packet(data: bytes, tags: Tags) -> None:
    text = xml_text(data)
    root = root_of(text)
    if root is None:
        tags.problem("XMP: no XML")
        return
    walk, reader = Elements(mended(text[root.start :])), _Reader(tags)
    for number, element in enumerate(walk):
        if number >= _ELEMENTS or reader.too_deep:
            tags.problem("XMP: longer or deeper than is read")
            return
        reader.take(element)
    if walk.error:
        tags.problem(f"XMP: {walk.error}")


@dataclass
class _Open:
    """An element that is open: the name that it adds to the path of its property, and its language."""

    path: tuple[str, ...] = ()
    group: str = ""
    language: str = ""
    inside: bool = False  # a description, or within one
    leaf: bool = False  # a property, an item: its text is a value, if no element is in it


class _Reader:
    def __init__(self, tags: Tags) -> None:
        self._tags = tags
        self._open: list[_Open] = [_Open()]

    @property
    def too_deep(self) -> bool:
        return len(self._open) > _DEPTH + 4

    def take(self, element: Element) -> None:
        if not element.end:
            self._start(element)
        elif len(self._open) > 1:
            closed = self._open.pop()
            if closed.leaf:
                self._say(closed, element.text)

    def _start(self, element: Element) -> None:
        above = self._open[-1]
        above.leaf = False
        language = element.attributes.get(f"{_XML} lang", above.language)
        opened = _Open(above.path, above.group, language, above.inside)
        if element.space == _RDF:
            opened.inside = above.inside or element.name == "Description"
            opened.leaf = above.inside and element.name == "li"
        elif above.inside:
            opened.group = above.group or _group(element.space)
            opened.path = (*above.path, element.name)
            opened.leaf = True
        self._open.append(opened)
        if opened.inside and element.name not in _LISTS[:3]:
            self._attributes(opened, element.attributes)

    def _attributes(self, opened: _Open, attributes: dict[str, str]) -> None:
        """Properties written as attributes: section 7.9.2.2."""
        for name, value in attributes.items():
            space, _, local = name.rpartition(" ")
            if space == _RDF and local == "resource":
                self._say(opened, value)
            elif space not in ("", _RDF, _XML):
                inner = _Open((*opened.path, local), opened.group or _group(space), opened.language)
                self._say(inner, value)

    def _say(self, what: _Open, value: str) -> None:
        if not what.path or what.group == _group(_NOTE):
            return
        language = "" if what.language in ("", "x-default") else f"-{what.language}"
        self._tags.add(what.group, "/".join(what.path) + language, value)


def _group(space: str) -> str:
    """`XMP-dc`; of a namespace that is not known, the last word of it."""
    words = _WORD.findall(space)
    known = names("xmp").get(space) or (words[-1] if words else "unknown")
    return f"XMP-{known}"
