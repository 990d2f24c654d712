"""Bytes of a page → text, as browsers decide it.

Labels and decoders: WHATWG Encoding, sections 4.2 and 8 to 14. Which one: HTML, section "Determining the
character encoding", with "prescan a byte stream to determine its encoding". Python's codecs differ from
the standard's decoders in places; `decoders` has what makes them the same.
"""

import re

from archiver.sources.encoding import text_of
from archiver.sources.html.decoders import decoded

PRESCAN_BYTES = 1024
HEAD_BYTES = 64 << 10  # how far a later <meta> in the head is looked for

# The standard's names, each with its labels.
_ENCODINGS = {
    "UTF-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "IBM866": "866 cp866 csibm866 ibm866",
    "ISO-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "ISO-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "ISO-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "ISO-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5"
    " iso_8859-5:1988",
    "ISO-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e"
    " iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "ISO-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597"
    " iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    "ISO-8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598"
    " iso_8859-8 iso_8859-8:1988 visual",
    "ISO-8859-8-I": "csiso88598i iso-8859-8-i logical",
    "ISO-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "ISO-8859-13": "iso-8859-13 iso8859-13 iso885913",
    "ISO-8859-14": "iso-8859-14 iso8859-14 iso885914",
    "ISO-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "ISO-8859-16": "iso-8859-16",
    "KOI8-R": "cskoi8r koi koi8 koi8-r koi8_r",
    "KOI8-U": "koi8-ru koi8-u",
    "macintosh": "csmacintosh mac macintosh x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "windows-1250": "cp1250 windows-1250 x-cp1250",
    "windows-1251": "cp1251 windows-1251 x-cp1251",
    "windows-1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1"
    " iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
    "windows-1253": "cp1253 windows-1253 x-cp1253",
    "windows-1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989"
    " l5 latin5 windows-1254 x-cp1254",
    "windows-1255": "cp1255 windows-1255 x-cp1255",
    "windows-1256": "cp1256 windows-1256 x-cp1256",
    "windows-1257": "cp1257 windows-1257 x-cp1257",
    "windows-1258": "cp1258 windows-1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "GBK": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "gb18030": "gb18030",
    "Big5": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "EUC-JP": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "ISO-2022-JP": "csiso2022jp iso-2022-jp",
    "Shift_JIS": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "EUC-KR": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601"
    " ksc_5601 windows-949",
    "replacement": "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
    "UTF-16BE": "unicodefffe utf-16be",
    "UTF-16LE": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "x-user-defined": "x-user-defined",
}
_NAMES = {label: name for name, labels in _ENCODINGS.items() for label in labels.split()}

_MARKS = ((b"\xef\xbb\xbf", "UTF-8"), (b"\xfe\xff", "UTF-16BE"), (b"\xff\xfe", "UTF-16LE"))

# HTML, "extract a character encoding from a meta element"; its white space is ASCII's.
_CHARSET = re.compile(
    r"charset[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|(?![\"'])([^\t\n\f\r ;]++))",
    re.IGNORECASE,
)

_META = re.compile(rb"<meta[\t\n\f\r /]", re.IGNORECASE)
_HEAD_END = re.compile(rb"<(?:/head|body|p|div)\b", re.IGNORECASE)
_TAG = re.compile(rb"</?[a-z][^\t\n\f\r >]*+", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*+(?:(>)|([^\t\n\f\r />][^\t\n\f\r />=]*+)[\t\n\f\r ]*+"
    rb"(?:=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|(?![\"'])([^\t\n\f\r >]*+)))?+)"
)
_XML = re.compile(rb"<\?xml[^>]*?\bencoding[\x00- ]*+=[\x00- ]*+(?:\"([^\">]*+)\"|'([^'>]*+)')")


def decode(data: bytes, content_type: str = "") -> str:
    """The text of a page; its byte order mark taken off. Bytes that its encoding lacks become U+FFFD.

    Where nothing declares an encoding it is found from the bytes (`encoding.text_of`).
    """
    name = encoding_of(data, content_type)
    if not name:
        return text_of(data)
    mark = next((mark for mark, _ in _MARKS if data.startswith(mark)), b"")
    return decoded(data[len(mark) :], name)


def encoding_of(data: bytes, content_type: str = "") -> str:
    """The standard's name of the encoding that a mark, else `content_type`, else the page declares, or ""."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    return _labelled(_charset_of(content_type)) or _prescan(data[:PRESCAN_BYTES]) or _later(data)


def is_utf_16(data: bytes, content_type: str = "") -> bool:
    """Whether a mark or `content_type` says UTF-16, in which text has NULs."""
    if data.startswith((b"\xfe\xff", b"\xff\xfe")):
        return True
    return _labelled(_charset_of(content_type)).startswith("UTF-16")


def _labelled(label: str) -> str:
    """WHATWG Encoding section 4.2, "get an encoding"."""
    return _NAMES.get(label.strip("\t\n\f\r ").lower(), "")


def _charset_of(text: str) -> str:
    found = _CHARSET.search(text)
    return next((label for label in found.groups() if label is not None), "") if found else ""


def _prescan(data: bytes) -> str:
    """HTML, "prescan a byte stream to determine its encoding"."""
    if data.startswith(b"<\0?\0x\0"):
        return "UTF-16LE"
    if data.startswith(b"\0<\0?\0x"):
        return "UTF-16BE"
    at = data.find(b"<")
    while at != -1:
        if data.startswith(b"<!--", at):
            end = data.find(b"-->", at + 2)  # "<!-->" is a whole comment
            at = end + 2 if end != -1 else len(data)
        elif _META.match(data, at):
            pairs, at = _attributes(data, at + 5)
            if at <= len(data) and (name := _meta(pairs)):
                return name
        elif tag := _TAG.match(data, at):
            _, at = _attributes(data, tag.end())
        elif data[at + 1 : at + 2] in (b"!", b"/", b"?"):
            end = data.find(b">", at)
            at = end if end != -1 else len(data)
        else:
            at += 1
        at = data.find(b"<", at)
    return _xml(data)


def _attributes(data: bytes, at: int) -> tuple[dict[str, str], int]:
    """The attributes from `at` to the tag's end, the first of a name, and where it ends.

    That is past the end of the data where the tag does not end.
    """
    pairs: dict[str, str] = {}
    while found := _ATTRIBUTE.match(data, at):
        at = found.end()
        if found[1]:
            return pairs, at
        value = next((text for text in found.groups()[2:] if text is not None), b"")
        pairs.setdefault(found[2].lower().decode("latin-1"), value.decode("latin-1"))
    return {}, len(data) + 1


def _meta(pairs: dict[str, str]) -> str:
    """The encoding that a `<meta>` declares. UTF-16 cannot be what it says: it was read as ASCII."""
    label = pairs.get("charset")
    if label is None and pairs.get("http-equiv", "").lower() == "content-type":
        label = _charset_of(pairs.get("content", ""))
    name = _labelled(label or "")
    return {"UTF-16LE": "UTF-8", "UTF-16BE": "UTF-8", "x-user-defined": "windows-1252"}.get(name, name)


def _xml(data: bytes) -> str:
    """HTML, "get an XML encoding"."""
    found = _XML.match(data)
    name = _labelled((found[1] or found[2] or b"").decode("latin-1")) if found else ""
    return "UTF-8" if name.startswith("UTF-16") else name


def _later(data: bytes) -> str:
    """A `<meta>` in the head beyond what is prescanned: browsers start again when they come to it."""
    if len(data) <= PRESCAN_BYTES:
        return ""
    head = _HEAD_END.search(data, 0, HEAD_BYTES)
    return _prescan(data[: head.start() if head else HEAD_BYTES])
