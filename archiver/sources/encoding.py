"""Bytes of a file that declares no encoding → text.

Byte order mark; UTF-16 by where its NULs are; UTF-8, damaged or not; then the one of five East Asian
encodings in which the text is made of that language's frequent characters; then charset-normalizer
for the alphabets. It is not asked about East Asian text, for it gives up on a file with one damaged byte.
"""

import re
from functools import cache

from charset_normalizer import from_bytes

PROBE_BYTES = 64 << 10  # what the guess is made from
GUESS_BYTES = 8 << 10  # and charset-normalizer's, which is slow
FREQUENT = 0.9  # the share of frequent characters from which an East Asian encoding is believed

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),  # before the UTF-16 mark that it begins with
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Bytes that no text has (WHATWG MIME Sniffing section 4.3, "binary data byte"), but ESC.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_ASCII = re.compile(r"[\0-\x7f]++")
_PUNCTUATION = frozenset(
    "　、。〈〉《》「」『』【】〔〕〜・ー·—…‘’“”！（），－．：；？～％／０１２３４５６７８９"
)

# Codec → rows (first bytes) of its frequent characters and the second bytes in them: KS X 1001 Hangul;
# GB 2312 level 1; JIS X 0208 kana and level 1, twice; Big5 level 1. Rows that lie among another's come first.
_SECOND = range(0xA1, 0xFF)
_ROWS = {
    "cp949": (range(0xB0, 0xC9), _SECOND),
    "gb18030": (range(0xB0, 0xD8), _SECOND),
    "cp932": ((0x82, 0x83, *range(0x88, 0x99)), range(0x40, 0xFD)),
    "euc_jp": ((0xA4, 0xA5, *range(0xB0, 0xD0)), _SECOND),
    "big5hkscs": (range(0xA4, 0xC7), (*range(0x40, 0x7F), *_SECOND)),
}
_ALPHABETS = ["cp1252", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"]


def text_of(data: bytes) -> str:
    """The text of a file. Never raises: bytes outside its encoding become U+FFFD."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    probe = data[:PROBE_BYTES]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data.decode(_utf_16(probe, 50) or _guess(probe), "replace")
    codec = _utf_16(probe, 3)  # in ASCII, every other byte is a NUL, and it would pass for UTF-8
    return data.decode(codec, "replace") if codec else text


def _utf_16(probe: bytes, of: int) -> str:
    """UTF-16 has NULs beside ASCII characters, at least one `of` so many bytes; read the wrong way, fewer."""
    if probe.count(0) * of <= len(probe):
        return ""
    even = probe[: len(probe) & ~1]
    texts = {codec: even.decode(codec, "replace") for codec in ("utf-16-le", "utf-16-be")}
    codec = min(texts, key=lambda codec: len(_ASCII.sub("", texts[codec])))
    wrong = _CONTROL.search(texts[codec]) or texts[codec].count("\ufffd") * 20 > len(texts[codec])
    return "" if wrong else codec


def _guess(probe: bytes) -> str:
    text = probe.decode("utf-8", "replace")
    strange = len(_ASCII.sub("", text))
    broken = text.count("\ufffd")
    if broken * 3 <= strange or _BINARY.search(probe):
        return "utf-8"
    for codec in _ROWS:
        if _share(probe, codec) >= FREQUENT:
            return codec
    found = from_bytes(probe[:GUESS_BYTES], cp_isolation=_ALPHABETS).best()
    return found.encoding if found else "cp1252"


def _share(probe: bytes, codec: str) -> float:
    """The share of frequent characters among those that are not ASCII."""
    strange = _ASCII.sub("", probe.decode(codec, "replace"))
    return sum(map(_frequent(codec).__contains__, strange)) / max(1, len(strange))


@cache
def _frequent(codec: str) -> frozenset[str]:
    first, second = _ROWS[codec]
    pairs = (bytes((lead, trail)).decode(codec, "ignore") for lead in first for trail in second)
    also = _frequent("big5hkscs") if codec == "gb18030" else _PUNCTUATION  # it has the traditional forms, too
    return also.union(pair for pair in pairs if len(pair) == 1)
