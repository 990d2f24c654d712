"""EXIF: the fields of a TIFF structure (TIFF 6.0 section 2; CIPA DC-008-2023, Exif 3.0, section 4.6)."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from archiver.pictures.metadata.tags import (
    BLOCK_BYTES,
    MOST_CHARACTERS,
    BlockKind,
    Blocks,
    Tags,
    names,
    text_of_bytes,
)

_FIELDS = 1_000  # of one directory
_NUMBERS = 64  # of one field; of more only the count is kept
_TEXT_BYTES = 4 * MOST_CHARACTERS
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1}
_CODES = {1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d"}
_ASCII, _UNDEFINED, _UTF8, _RATIONALS = 2, 7, 129, (5, 10)
_POINTERS = {0x8769: "exif", 0x8825: "gps", 0xA005: "interop"}
_BLOCKS: dict[int, BlockKind] = {
    0x02BC: "xmp",  # XMP Specification Part 3, section 3.3
    0x83BB: "iptc",
    0x8649: "photoshop",
    0x8773: "icc",
    0xCD41: "c2pa",  # C2PA Technical Specification 2.2, appendix A.3
}
_SHOWN = 32  # bytes of a kind that nobody says
_THUMBNAIL = 0x0202  # how long it is: JPEGInterchangeFormatLength
_COPYRIGHT, _MAKER_NOTE, _USER_COMMENT = 0x8298, 0x927C, 0x9286
_UTF_16 = range(0x9C9B, 0x9CA0)  # XPTitle … XPSubject
# Where pixels and other directories lie, and how they are coded: that says nothing of the picture.
_STRUCTURE = frozenset(
    {
        *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x010A, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C, 0x013D),
        *(0x0120, 0x0121, 0x0140, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x0152, 0x0153, 0x015B, 0x0200),
        *(0x0201, 0x0203, 0x0205, 0x0206, 0x0207, 0x0208, 0x0209, 0x0211, 0x0212, 0x0213, 0x0214),
    }
)
_COMMENT_CODES = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp"}


def read_exif(data: bytes, tags: Tags, blocks: Blocks, *, whole: bool = False) -> None:
    """Add the fields of the first directory and of those it names; `whole`: of a TIFF file.

    The second directory of EXIF describes the thumbnail: only its size is told. IPTC, XMP, a profile and C2PA
    in fields of their own go to `blocks`. Maker notes are told by their size alone.
    """
    if data[:4] not in (b"II*\0", b"MM\0*"):
        tags.problem("EXIF without a TIFF header")
        return
    reader = _Reader(data, tags, blocks)
    following = reader.directory(reader.number(4, "I"), "exif")
    for section in ("exif", "gps", "interop"):
        if offset := reader.pointers.get(section):
            reader.directory(offset, section)
    if following and not whole:
        reader.thumbnail(following)


class _Field(NamedTuple):
    tag: int
    kind: int
    at: int  # where its value lies
    size: int  # of its value, in bytes


class _Reader:
    """Reads four directories at most: the first, and one for each pointer."""

    def __init__(self, data: bytes, tags: Tags, blocks: Blocks) -> None:
        self.pointers: dict[str, int] = {}
        self._data, self._tags, self._blocks = data, tags, blocks
        self._taken: set[BlockKind] = set()
        self._order = "<" if data[:1] == b"I" else ">"

    def number(self, at: int, code: str) -> int:
        """An unsigned number; 0 where the bytes end."""
        found = self._data[at : at + struct.calcsize(code)]
        return int(struct.unpack(self._order + code, found)[0]) if len(found) == struct.calcsize(code) else 0

    def directory(self, at: int, section: str) -> int:
        """Add its fields; return where the next directory begins, 0 for none."""
        for field in self._fields(at):
            known = f"0x{field.tag:04x}"
            if section == "exif" and field.tag in _POINTERS:
                self.pointers.setdefault(_POINTERS[field.tag], self.number(field.at, "I"))
            elif section == "exif" and field.tag in _BLOCKS:
                self._block(_BLOCKS[field.tag], field)
            elif section != "exif" or field.tag not in _STRUCTURE:
                self._tags.add("Exif", names(section).get(known, known), self._words(field))
        return self.number(at + 2 + 12 * self.number(at, "H"), "I")

    def _block(self, kind: BlockKind, field: _Field) -> None:
        """Once of each kind: a thousand fields may name the same bytes."""
        if kind not in self._taken:
            self._taken.add(kind)
            self._blocks.keep(kind, self._data[field.at : field.at + min(field.size, BLOCK_BYTES + 1)])

    def thumbnail(self, at: int) -> None:
        """Add what the directory of the thumbnail says of its size."""
        for field in self._fields(at):
            if field.tag == _THUMBNAIL:
                self._tags.add("Exif", "Thumbnail", f"{self.number(field.at, 'I')} bytes")

    def _fields(self, at: int) -> Iterator[_Field]:
        count = self.number(at, "H")
        if at < 8 or count > _FIELDS or at + 2 + 12 * count > len(self._data):
            self._tags.problem("EXIF: a directory that is not whole")
            count = min(count, _FIELDS) if at >= 8 else 0
        for entry in range(at + 2, min(at + 2 + 12 * count, len(self._data) - 11), 12):
            tag, kind = self.number(entry, "H"), self.number(entry + 2, "H")
            size = self.number(entry + 4, "I") * _SIZES.get(kind, 0)
            where = entry + 8 if size <= 4 else self.number(entry + 8, "I")
            if size == 0 or where + size > len(self._data):
                self._tags.problem(f"EXIF: field 0x{tag:04x} has no value")
            else:
                yield _Field(tag, kind, where, size)

    def _words(self, field: _Field) -> str:
        """A field's value to read and to compare."""
        value = self._data[field.at : field.at + min(field.size, _TEXT_BYTES)]
        if field.tag == _USER_COMMENT:
            return self._comment(value)
        if field.tag in _UTF_16:
            return value.decode("utf-16-le", "replace")
        if field.kind in (_ASCII, _UTF8):
            both = field.tag == _COPYRIGHT  # the photographer's and, behind a NUL, the editor's
            text = value.rstrip(b"\0").replace(b"\0", b"\n") if both else value.partition(b"\0")[0]
            return text_of_bytes(text)
        if field.kind == _UNDEFINED or field.tag == _MAKER_NOTE:
            return _opaque(value, field)
        return self._number_words(field, value)

    def _number_words(self, field: _Field, value: bytes) -> str:
        numbers = field.size // _SIZES[field.kind]
        if numbers > _NUMBERS:
            return f"{numbers} numbers"
        code = _CODES[field.kind]
        found = struct.unpack(f"{self._order}{code * numbers}", value)
        if field.kind in _RATIONALS:
            return " ".join(map(_ratio, found[::2], found[1::2]))
        return " ".join(f"{number:g}" if code in "fd" else str(number) for number in found)

    def _comment(self, value: bytes) -> str:
        """CIPA DC-008-2023 section 4.6.5: the first 8 bytes name the encoding."""
        code = _COMMENT_CODES.get(value[:8])
        if code == "utf-16":
            code = "utf-16-le" if self._order == "<" else "utf-16-be"
        return value[8:].decode(code, "replace") if code else text_of_bytes(value[8:])


def _opaque(value: bytes, field: _Field) -> str:
    if field.tag == _MAKER_NOTE or field.size > _SHOWN:
        return f"{field.size} bytes"
    text = value.rstrip(b"\0")
    return text.decode("ascii") if text.isascii() and text.decode("ascii").isprintable() else value.hex()


def _ratio(above: int, below: int) -> str:
    """`28/10` as 2.8, `1/250` as it is: the same number is always written the same way."""
    if below == 0:
        return f"{above}/0"
    number = Fraction(above, below)
    rounded = round(number, 6)
    if rounded == number and (abs(number) >= 1 or number == 0):
        return f"{float(number):.6f}".rstrip("0").rstrip(".")
    return f"{number.numerator}/{number.denominator}"
