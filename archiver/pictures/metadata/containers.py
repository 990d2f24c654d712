"""JPEG, PNG, GIF and WebP: where their metadata lies. Pixels are passed over unread."""

import re
import zlib

from archiver.pictures.metadata.tags import BLOCK_BYTES, Blocks, text_of_bytes

_SEGMENTS = 20_000
_CHUNKS = 200_000
_SUB_BLOCKS = 2_000_000
_INFLATED_BYTES = 4 << 20  # of all compressed chunks of a PNG
_TEXT_BYTES = 2 << 20  # of one text of a PNG
_COMMENT_BYTES = 64 << 10  # of a GIF
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_FILL = re.compile(b"\xff+")
_HEX = re.compile(rb"\s*(\w+)\s+(\d+)\s+([0-9A-Fa-f\s]*)")


# --- JPEG: ITU-T T.81 annex B -------------------------------------------------------------------


def read_jpeg(data: bytes, blocks: Blocks) -> None:
    """What stands before the first scan."""
    reader, at = _Jpeg(blocks), 2
    for _ in range(_SEGMENTS):
        fill = _FILL.match(data, at)
        at = fill.end() if fill else len(data)
        if at >= len(data):
            blocks.problems.append("JPEG: no segment where one should be")
            break
        marker = data[at]
        if marker in (0xD9, 0xDA):  # end of image, start of scan
            break
        size = max(int.from_bytes(data[at + 1 : at + 3]), 2)
        if marker in _JPEG_KINDS:
            reader.take(marker, data[at + 3 : at + 1 + size])
        at += 1 + size
    reader.end()


_COMMENT, _APP1, _APP2, _APP11, _APP13 = 0xFE, 0xE1, 0xE2, 0xEB, 0xED
_JPEG_KINDS = (_COMMENT, _APP1, _APP2, _APP11, _APP13)


class _Jpeg:
    """Takes segments; those that are parts of one thing are joined at the end."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._profile: dict[int, bytes] = {}
        self._extended: dict[bytes, dict[int, bytes]] = {}
        self._resources: list[bytes] = []
        self._boxes: dict[bytes, list[bytes]] = {}
        self._left = 2 * BLOCK_BYTES

    def take(self, marker: int, body: bytes) -> None:
        self._left -= len(body)
        if self._left < 0:
            self._blocks.problems.append("JPEG: more segments than are read")
        elif marker == _COMMENT:
            self._blocks.comment("JPEG", "Comment", text_of_bytes(body))
        elif marker == _APP1:
            self._described(body)
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0"):  # ICC.1:2022 annex B.4
            self._profile[int.from_bytes(body[12:13])] = body[14:]
        elif marker == _APP13 and body.startswith(b"Photoshop 3.0\0"):
            self._resources.append(body[14:])
        elif marker == _APP11 and body.startswith(b"JP"):  # ISO/IEC 18477-3: the box's head is in each part
            parts = self._boxes.setdefault(body[2:4], [])
            parts.append(body[16:] if parts else body[8:])

    def _described(self, body: bytes) -> None:
        if body.startswith(_EXIF):
            self._blocks.keep("exif", body[len(_EXIF) :])
        elif body.startswith(_XMP):
            self._blocks.keep("xmp", body[len(_XMP) :])
        elif body.startswith(_EXTENDED_XMP):
            part = body[len(_EXTENDED_XMP) :]
            self._extended.setdefault(part[:32], {})[int.from_bytes(part[36:40])] = part[40:]

    def end(self) -> None:
        if self._profile:
            self._blocks.keep("icc", _ordered(self._profile))
        if self._resources:
            self._blocks.keep("photoshop", b"".join(self._resources))
        main = b"".join(self._blocks.of("xmp"))
        for guid, parts in self._extended.items():  # XMP Specification Part 3, section 1.1.3.1
            if guid and guid in main:
                self._blocks.keep("xmp", _ordered(parts))
        for found in self._boxes.values():
            self._blocks.keep("c2pa", b"".join(found))


def _ordered(parts: dict[int, bytes]) -> bytes:
    return b"".join(part for _, part in sorted(parts.items()))


# --- PNG: W3C Portable Network Graphics (Third Edition) -----------------------------------------


def read_png(data: bytes, blocks: Blocks) -> None:
    """Chunks up to IEND."""
    reader, at = _Png(blocks), 8
    for _ in range(_CHUNKS):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind == b"IEND":
            return
        if at + 12 + size > len(data):
            break
        if kind in _PNG_KINDS and size > BLOCK_BYTES:
            blocks.problems.append("PNG: a chunk longer than is read")
        elif kind in _PNG_KINDS:
            reader.take(kind, data[at + 8 : at + 8 + size])
        at += 12 + size
    blocks.problems.append("PNG: it breaks off before its last chunk")


_PNG_KINDS = (b"eXIf", b"iCCP", b"caBX", b"tEXt", b"zTXt", b"iTXt", b"tIME")


class _Png:
    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._left = _INFLATED_BYTES

    def take(self, kind: bytes, body: bytes) -> None:
        name, _, rest = body.partition(b"\0")
        if kind == b"eXIf":
            self._blocks.keep("exif", body.removeprefix(_EXIF))
        elif kind == b"iCCP":
            self._blocks.keep("icc", self._inflated(rest[1:]))
        elif kind == b"caBX":
            self._blocks.keep("c2pa", body)
        elif kind == b"tIME" and len(body) == 7:
            year, month, day, hour, minute, second = int.from_bytes(body[:2]), *body[2:]
            written = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
            self._blocks.comment("PNG", "ModifyDate", written)
        elif kind == b"tEXt":
            self._text(name, rest, "latin-1")
        elif kind == b"zTXt":
            self._text(name, self._inflated(rest[1:]), "latin-1")
        elif kind == b"iTXt":
            packed, text = rest[:1], rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            self._text(name, self._inflated(text) if packed == b"\1" else text, "utf-8")

    def _text(self, name: bytes, text: bytes, encoding: str) -> None:
        keyword = name.decode("latin-1")
        if len(text) > _TEXT_BYTES:
            self._blocks.problems.append("PNG: a text longer than is read")
        elif keyword == "XML:com.adobe.xmp":
            self._blocks.keep("xmp", text)
        elif keyword.startswith("Raw profile type "):  # as ImageMagick writes them: name, length, hex digits
            self._raw_profile(keyword.removeprefix("Raw profile type "), text)
        else:
            self._blocks.comment("PNG", keyword, text[:10_000].decode(encoding, "replace"))

    def _raw_profile(self, kind: str, text: bytes) -> None:
        found = _HEX.match(text)
        digits = b"".join(found[3].split()) if found else b""
        value = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
        if kind == "exif" or value.startswith(_EXIF):
            self._blocks.keep("exif", value.removeprefix(_EXIF))
        elif kind == "xmp":
            self._blocks.keep("xmp", value)
        elif kind in ("iptc", "8bim"):
            self._blocks.keep("photoshop" if value.startswith(b"8BIM") else "iptc", value)
        elif kind in ("icc", "icm"):
            self._blocks.keep("icc", value)

    def _inflated(self, packed: bytes) -> bytes:
        """RFC 1950, within the limit."""
        if self._left <= 0:
            return b""
        try:
            out = zlib.decompressobj().decompress(packed, self._left)
        except zlib.error as error:
            self._blocks.problems.append(f"PNG: a compressed chunk cannot be read: {error}")
            return b""
        self._left -= len(out)
        if self._left <= 0:
            self._blocks.problems.append("PNG: compressed chunks that are longer than is read")
        return out


# --- WebP: RFC 9649 section 2.7 -----------------------------------------------------------------


def read_webp(data: bytes, blocks: Blocks) -> None:
    """Chunks of the RIFF file."""
    at = 12
    for _ in range(_CHUNKS):
        if at + 8 > len(data):
            return
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            break
        if kind in (b"EXIF", b"XMP ", b"ICCP", b"C2PA") and size <= BLOCK_BYTES:
            body = data[at + 8 : at + 8 + size]
            if kind == b"EXIF":
                blocks.keep("exif", body.removeprefix(_EXIF))
            elif kind == b"XMP ":
                blocks.keep("xmp", body)
            else:
                blocks.keep("icc" if kind == b"ICCP" else "c2pa", body)
        at += 8 + (size + 1 & ~1)
    blocks.problems.append("WebP: a chunk that is not whole, or more than are read")


# --- GIF: GIF89a, sections 18 to 27 -------------------------------------------------------------


def read_gif(data: bytes, blocks: Blocks) -> None:
    """Comments and application extensions, up to the trailer."""
    at = 13 + _colours(data[10:11])
    left = _SUB_BLOCKS
    while left > 0 and at < len(data):
        head = data[at]
        if head == 0x2C:  # a picture
            at += 10 + _colours(data[at + 9 : at + 10]) + 1
            at, left = _after(data, at, left)
        elif head == 0x21:
            begin = at + 2
            at, left = _after(data, begin, left)
            _extension(data, begin, at, blocks)
        elif head == 0x3B:
            return
        else:
            break
        left -= 1
    blocks.problems.append("GIF: it breaks off before its trailer")


def _colours(packed: bytes) -> int:
    """How long a table of colours is."""
    flags = packed[0] if packed else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after(data: bytes, at: int, left: int) -> tuple[int, int]:
    """Where a chain of sub-blocks ends, and how many more may be read."""
    while left > 0 and at < len(data):
        size = data[at]
        at += 1 + size
        left -= 1
        if size == 0:
            break
    return at, left


def _extension(data: bytes, begin: int, end: int, blocks: Blocks) -> None:
    label = data[begin - 1]
    if label == 0xFE:
        blocks.comment(
            "GIF", "Comment", text_of_bytes(_joined(data, begin, min(end, begin + _COMMENT_BYTES)))
        )
    elif label == 0xFF:
        name = data[begin + 1 : begin + 12]
        if (
            name == b"XMP DataXMP"
        ):  # as it is, with a trailer of 258 bytes: XMP Specification Part 3, section 1.1.2
            blocks.keep("xmp", data[begin + 12 : max(end - 258, begin + 12)])
        elif name == b"ICCRGBG1012":
            blocks.keep("icc", _joined(data, begin + 12, end))
        elif name[:8] == b"C2PA_GIF":
            blocks.keep("c2pa", _joined(data, begin + 12, end))


def _joined(data: bytes, at: int, end: int) -> bytes:
    parts: list[bytes] = []
    end = min(end, at + BLOCK_BYTES)
    while at < end and data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts)
