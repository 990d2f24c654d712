"""AVIF: where its metadata lies (ISO/IEC 14496-12, ISO/IEC 23008-12)."""

from collections.abc import Iterator
from typing import NamedTuple

from archiver.pictures.metadata.tags import BLOCK_BYTES, Blocks

_BOXES = 10_000
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


class _Box(NamedTuple):
    kind: bytes
    begin: int
    end: int


class _Item(NamedTuple):
    number: int
    kind: bytes
    media_type: bytes


def read_avif(data: bytes, blocks: Blocks) -> None:
    """EXIF and XMP items, the colour profile, and C2PA's box of its own."""
    for box in _boxes(data, 0, len(data)):
        if box.kind == b"meta":
            _read_meta(data, box, blocks)
        elif box.kind == b"uuid" and data[box.begin : box.begin + 16] == _C2PA:
            _read_c2pa(data, box, blocks)


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    """The boxes between two places, without those within them."""
    for _ in range(_BOXES):
        if at + 8 > end:
            return
        size, kind, begin = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, begin = int.from_bytes(data[at + 8 : at + 16]), at + 16
        stop = end if size == 0 else at + size
        if stop > end or stop < begin:
            return
        yield _Box(kind, begin, stop)
        at = stop


def _read_meta(data: bytes, meta: _Box, blocks: Blocks) -> None:
    inner = {box.kind: box for box in _boxes(data, meta.begin + 4, meta.end)}
    properties = inner.get(b"iprp")
    for box in _boxes(data, properties.begin, properties.end) if properties else ():
        for found in _boxes(data, box.begin, box.end) if box.kind == b"ipco" else ():
            if found.kind == b"colr" and data[found.begin : found.begin + 4] in (b"prof", b"rICC"):
                blocks.keep("icc", data[found.begin + 4 : found.end])
    if b"iinf" not in inner or b"iloc" not in inner:
        return
    wanted = {item.number: item for item in _items(data, inner[b"iinf"])}
    idat = inner.get(b"idat")
    for number, begin, size in _extents(data, inner[b"iloc"], idat.begin if idat else None, set(wanted)):
        body = data[begin : begin + size]
        if len(body) < size:
            blocks.problems.append("AVIF: metadata that lies outside the file")
        elif wanted[number].kind == b"Exif":  # ISO/IEC 23008-12 annex A.2.1: how far its TIFF header is
            blocks.keep("exif", body[4 + int.from_bytes(body[:4]) :])
        else:
            blocks.keep("xmp", body)


def _items(data: bytes, box: _Box) -> Iterator[_Item]:
    """Items of `iinf` that are EXIF or XMP: ISO/IEC 14496-12 section 8.11.6."""
    wide = data[box.begin] > 0
    for entry in _boxes(data, box.begin + (8 if wide else 6), box.end):
        version = data[entry.begin]
        if entry.kind != b"infe" or version not in (2, 3):
            continue
        at = entry.begin + 4
        length = 2 if version == 2 else 4
        number, kind = int.from_bytes(data[at : at + length]), data[at + length + 2 : at + length + 6]
        names = data[at + length + 6 : entry.end].split(b"\0")
        item = _Item(number, kind, names[1] if len(names) > 1 else b"")
        if kind == b"Exif" or (kind == b"mime" and item.media_type == b"application/rdf+xml"):
            yield item


def _extents(data: bytes, box: _Box, idat: int | None, wanted: set[int]) -> Iterator[tuple[int, int, int]]:
    """Of the wanted items of `iloc`: number, place in the file, length. Section 8.11.3; the first extent."""
    version, sizes = data[box.begin], data[box.begin + 4 : box.begin + 6]
    if len(sizes) < 2:
        return
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version else 0
    reader = _Numbers(data, box.begin + 6, box.end)
    long = 4 if version == 2 else 2
    left = _BOXES
    for _ in range(reader.take(long)):
        number = reader.take(long)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        base = reader.take(base_size)
        extents = reader.take(2)
        for extent in range(extents):
            reader.take(index_size)
            begin, size = base + reader.take(offset_size), reader.take(length_size)
            if extent == 0 and number in wanted and size <= BLOCK_BYTES:
                if method == 0:
                    yield number, begin, size
                elif method == 1 and idat is not None:
                    yield number, idat + begin, size
            left -= 1
            if reader.at >= box.end or left <= 0:
                return
        if reader.at >= box.end:
            return


class _Numbers:
    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.at = at
        self._data, self._end = data, end

    def take(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self._data[self.at - size : min(self.at, self._end)])


def _read_c2pa(data: bytes, box: _Box, blocks: Blocks) -> None:
    """C2PA Technical Specification 2.2, appendix A.5: a full box, its purpose, of a manifest an offset."""
    purpose, _, rest = data[box.begin + 20 : box.end].partition(b"\0")
    if purpose == b"manifest":
        blocks.keep("c2pa", rest[8:])
