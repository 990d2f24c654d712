"""The decoders of WHATWG Encoding (sections 8 to 14), made of Python's codecs and of what these lack."""

import codecs
import re
from collections.abc import Callable
from functools import cache, partial

# The standard's names of single-byte encodings → Python's codecs, where the name does not say it.
_SINGLE = {
    "IBM866": "cp866",
    "ISO-8859-8-I": "iso8859_8",
    "KOI8-R": "koi8_r",
    "KOI8-U": "koi8_u",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}
# Where the standard's tables and Python's differ, but for the C1 controls of the Windows code pages.
_OTHERWISE = {"KOI8-U": {0xAE: "ў", 0xBE: "Ў"}, "windows-1255": {0xCA: "\u05ba"}}

# What Python's codec gives → what the standard's table has for the same bytes. Of gb18030 these are the
# characters that GB 18030-2005 still had in a private area.
_ALIKE = {
    "gb18030": dict(
        zip(
            "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795"
            "\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
            "\u3000︐︒︑︓︔︕︖︗︘︙ḿ龴龵龶龷龸龹龺龻",
            strict=True,
        )
    ),
    "big5hkscs": dict(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True)),
    "cp932": {"\xa0": "\ufffd", **dict.fromkeys("\uf8f0\uf8f1\uf8f2\uf8f3", "\ufffd")},
    "euc_jp": dict(zip("〜‖−¢£¬", "～∥－￠￡￢", strict=True)),
}
# Characters of the index of Big5 that big5hkscs lacks; before a run stand the bytes of its first.
_BIG5 = (
    "877a㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂"
    "稬剏遆㓦珄𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈䆁𥶙箮𢒼鿈"
    "𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋 8e69箸 8e6f簆 "
    "8e7e糎 8eab緒 8eb4縝 8ecd者 8ed0耨 8f57菁 8f69蒨 8f6e萏 8fcb覦覩 8ffe起 906d都 907a銹 90dc靜 90f1響 "
    "91bf鼖 9244蔃 92af兙兛兝兞 92c8鍮 92d1瑹 9447浧 94ca禛 95d9邗 9644靝 96ed瀞 96fc嬨 9b76爁 9b78矗 9b7b纇 "
    "9bc6駖 9bde釔 9bec惞 9bf6澶 9c42輶 9c53侻 9c62營 9c68鄄 9c6b鷰 9c77菏 9cbc尐秣 9cd0婧 9d57輋 9d5a筑 "
    "9dc4拐 9ea9恢 9eef痹 9efd汊 9f60鬮 9f66鼗 9fcb僭 9fd8弌 a063蠏 a077拎 a0d5瑨 a0df煢 a0e4牐 "
    "a3c0␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡€ c6cf廴 c6d3无 c6d5癶 c6d7隶 c6de〃仝 fa5f倩 fa66偽 fabd包 "
    "fac5卄 fad5卿 fb48嘅 fbb8婷 fbf3幵 fbf9廐 fc4f彘 fc6c悤 fcb9撐 fce2晴 fcf1杞 fdb7沜渝 fdbb港 fdf1煮 "
    "fe52猪 fe6f瑜 feaa瓩 fedd砉"
)
_RUN = re.compile(r"([0-9a-f]{4})([^0-9a-f ]+)")

_ESCAPE = re.compile(rb"\x1b(\([BJI]|\$[@B])")  # of ISO-2022-JP
_KATAKANA = {byte: 0xFF61 - 0x21 + byte for byte in range(0x21, 0x60)}


def decoded(data: bytes, name: str) -> str:
    """`data` in the encoding of that name (WHATWG Encoding section 4.2); errors become U+FFFD."""
    return _decoder(name)(data)


@cache
def _decoder(name: str) -> Callable[[bytes], str]:
    if name in ("UTF-8", "UTF-16LE", "UTF-16BE"):
        return lambda data: data.decode(name, "replace")
    if name == "replacement":
        return lambda data: "\ufffd" if data else ""
    if name == "ISO-2022-JP":
        return _iso_2022_jp
    if name in _DOUBLE:
        return _double(*_DOUBLE[name])
    return partial(_single, table=_table(name))


def _single(data: bytes, table: str) -> str:
    return codecs.charmap_decode(data, "replace", table)[0]


def _table(name: str) -> str:
    """The characters of a single-byte encoding's 256 bytes."""
    if name == "x-user-defined":
        return "".join(chr(byte if byte < 0x80 else 0xF700 + byte) for byte in range(256))
    codec = _SINGLE.get(name) or name.lower().replace("windows-", "cp").replace("iso-8859-", "iso8859_")
    table = list(bytes(range(256)).decode(codec, "replace"))
    for byte in range(0x80, 0xA0):
        if table[byte] == "\ufffd":
            table[byte] = chr(byte)
    for byte, character in _OTHERWISE.get(name, {}).items():
        table[byte] = character
    return "".join(table)


# --- two bytes and more -------------------------------------------------------------------------


def _double(codec: str, further: Callable[[bytes], str]) -> Callable[[bytes], str]:
    """A decoder on Python's `codec`, which asks `further` about each two bytes that the codec lacks."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        two = error.object[error.start : error.start + 2]
        if found := further(two):
            return found, error.start + len(found) if two[0] == 0x80 else error.start + 2
        # A lead byte is an error alone before ASCII, which may be markup; else it takes the next one along.
        alone = len(two) < 2 or two[1] < 0x80 or not 0x81 <= two[0] <= 0xFE
        return "\ufffd", error.start + (1 if alone else 2)

    errors = f"archiver-{codec}"
    codecs.register_error(errors, handle)
    alike = str.maketrans(_ALIKE.get(codec, {}))
    return lambda data: data.decode(codec, errors).translate(alike) if alike else data.decode(codec, errors)


def _none(_two: bytes) -> str:
    return ""


def _gb18030(two: bytes) -> str:
    return "€" if two[0] == 0x80 else ""


def _big5(two: bytes) -> str:
    return _big5_table().get(two, "")


@cache
def _big5_table() -> dict[bytes, str]:
    table = {}
    for first, characters in _RUN.findall(_BIG5):
        lead, trail = bytes.fromhex(first)
        for character in characters:
            table[bytes((lead, trail))] = character
            trail = 0xA1 if trail == 0x7E else trail + 1
    return table


def _euc_jp(two: bytes) -> str:
    """Rows of JIS X 0208 that only Shift_JIS has in Python: NEC's and IBM's extensions."""
    if len(two) < 2 or min(two) < 0xA1 or max(two) == 0xFF:
        return ""
    row, cell = two[0] - 0xA1, two[1] - 0xA1
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 if cell < 63 else 0x41)
    found = bytes((lead, trail)).decode("cp932", "replace")
    return found if len(found) == 1 and found != "\ufffd" and not "\ue000" <= found <= "\uf8ff" else ""


# The standard's name → Python's codec, and what to ask about the bytes that it lacks.
_DOUBLE: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "GBK": ("gb18030", _gb18030),
    "gb18030": ("gb18030", _gb18030),
    "Big5": ("big5hkscs", _big5),
    "Shift_JIS": ("cp932", _none),
    "EUC-KR": ("cp949", _none),
    "EUC-JP": ("euc_jp", _euc_jp),
}


def _iso_2022_jp(data: bytes) -> str:
    """Section 12.2: a run of each state between escapes."""
    texts, state, at = [], b"(B", 0
    for escape in (*_ESCAPE.finditer(data), None):
        run = data[at : escape.start() if escape else len(data)]
        if state[:1] == b"$":
            texts.append(
                _decoder("EUC-JP")(bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else 0xFF for byte in run))
            )
        else:
            text = run.decode("ascii", "replace")
            if state == b"(J":
                text = text.replace("\\", "¥").replace("~", "‾")
            texts.append(text.translate(_KATAKANA) if state == b"(I" else text)
        if escape:
            state, at = escape[1], escape.end()
    return "".join(texts)
