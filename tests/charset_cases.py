"""Pages in every way of saying, or not saying, their encoding: bytes and Content-Type.

Each is served to Chromium, whose `document.characterSet` and text are the truth (test_charset.py).
"""

from typing import NamedTuple

CHINESE = "两岸代表周三在河边会谈，谈到航道与渡轮。新闻照片由本报记者拍摄，会谈将在下周继续举行。"
TRADITIONAL = "兩岸代表週三在河邊會談，談到航道與渡輪。新聞照片由本報記者拍攝，會談將在下週繼續舉行。"
JAPANESE = "両岸の代表が水曜日に川辺で会談し、航路とフェリーについて話し合った。"
KOREAN = "양측 대표가 수요일 강변에서 만나 항로와 연락선에 대해 논의했다."
RUSSIAN = "Представители сторон встретились в среду на берегу реки и говорили о переправе."
WESTERN = "Café “déjà vu” – 20 €, naïve façade"
SINGLE = (
    "ibm866 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8 iso-8859-8-i "
    "iso-8859-10 iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16 koi8-r koi8-u macintosh windows-874 "
    "windows-1250 windows-1251 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 "
    "windows-1258 x-mac-cyrillic "
)
ALL = bytes(range(0x80, 0x100))


class Case(NamedTuple):
    data: bytes
    content_type: str = "text/html"


def page(text: str, codec: str, head: str = "", before: str = "") -> bytes:
    return f"{before}<html><head>{head}<title>t</title></head><body><p>{text}</p></body></html>".encode(codec)


def raw(data: bytes, label: str) -> Case:
    return Case(b"<meta charset=%b><p>%b</p>" % (label.encode(), data))


META = '<meta charset="{}">'
EQUIV = '<meta http-equiv="Content-Type" content="text/html; charset={}">'

CASES: dict[str, Case] = {
    "header-gb2312": Case(page(CHINESE, "gb18030"), "text/html; charset=gb2312"),
    "header-quoted": Case(page(CHINESE, "gb18030"), 'text/html; charset="GBK"'),
    "header-capitals": Case(page(TRADITIONAL, "big5"), "TEXT/HTML;CHARSET=Big5"),
    "header-unknown-meta": Case(page(CHINESE, "gb18030", META.format("gbk")), "text/html; charset=nonsense"),
    "header-over-meta": Case(page(CHINESE, "utf-8", META.format("gbk")), "text/html; charset=utf-8"),
    "mark-over-header": Case(b"\xef\xbb\xbf" + page(CHINESE, "utf-8"), "text/html; charset=gbk"),
    "mark-utf-16le": Case(b"\xff\xfe" + page(CHINESE, "utf-16-le"), "text/html; charset=utf-8"),
    "mark-utf-16be": Case(b"\xfe\xff" + page(CHINESE, "utf-16-be")),
    "header-utf-16le": Case(page(CHINESE, "utf-16-le"), "text/html; charset=utf-16"),
    "header-utf-16be": Case(page(CHINESE, "utf-16-be"), "text/html; charset=utf-16be"),
    "header-latin1": Case(page(WESTERN, "cp1252"), "text/html; charset=iso-8859-1"),
    "header-ascii": Case(page(WESTERN, "cp1252"), "text/html; charset=us-ascii"),
    "header-user-defined": Case(b"<p>" + ALL, "text/html; charset=x-user-defined"),
    "meta-utf-8": Case(page(CHINESE, "utf-8", META.format("utf-8"))),
    "meta-gb2312": Case(page(CHINESE, "gb18030", META.format("gb2312"))),
    "meta-big5": Case(page(TRADITIONAL, "big5", META.format("big5"))),
    "meta-hkscs": Case(page("香港㗎嘢咁樣喺度" + TRADITIONAL, "big5hkscs", META.format("big5-hkscs"))),
    "meta-shift-jis": Case(page(JAPANESE, "cp932", META.format("x-sjis"))),
    "meta-euc-jp": Case(page(JAPANESE, "euc_jp", META.format("euc-jp"))),
    "meta-iso-2022-jp": Case(page(JAPANESE, "iso2022_jp", META.format("iso-2022-jp"))),
    "meta-euc-kr": Case(page(KOREAN, "cp949", META.format("ks_c_5601-1987"))),
    "meta-1251": Case(page(RUSSIAN, "cp1251", META.format("windows-1251"))),
    "meta-koi8": Case(page(RUSSIAN, "koi8_r", META.format("koi8-r"))),
    "meta-utf-16": Case(page(CHINESE, "utf-8", META.format("utf-16"))),
    "meta-user-defined": Case(page(WESTERN, "cp1252", META.format("x-user-defined"))),
    "meta-unquoted": Case(page(CHINESE, "gb18030", "<meta charset=gbk>")),
    "meta-single-quoted": Case(page(CHINESE, "gb18030", "<meta charset='gbk'>")),
    "meta-spaces": Case(page(CHINESE, "gb18030", '<META   CharSet =\n " gbk " >')),
    "meta-slash": Case(page(CHINESE, "gb18030", '<meta/charset="gbk"/>')),
    "meta-second": Case(page(CHINESE, "gb18030", '<meta charset="x"><meta charset="gbk">')),
    "meta-first-wins": Case(page(CHINESE, "gb18030", '<meta charset="gbk"><meta charset="utf-8">')),
    "equiv": Case(page(CHINESE, "gb18030", EQUIV.format("gb2312"))),
    "equiv-reversed": Case(
        page(CHINESE, "gb18030", '<meta content="text/html;charset=gbk" http-equiv=content-type>')
    ),
    "equiv-missing": Case(
        page(CHINESE, "utf-8", '<meta charset="utf-8"><meta content="text/html;charset=gbk">')
    ),
    "equiv-refresh": Case(
        page(CHINESE, "utf-8", '<meta http-equiv=refresh content="999;charset=gbk"><meta charset=utf-8>')
    ),
    "equiv-quoted": Case(
        page(CHINESE, "gb18030", "<meta http-equiv=content-type content=\"text/html; charset='gbk'\">")
    ),
    "in-comment": Case(page(CHINESE, "utf-8", "<!-- <meta charset=gbk> --><meta charset=utf-8>")),
    "in-short-comment": Case(page(CHINESE, "gb18030", "<!--><meta charset=gbk><!-- -->")),
    "in-attribute": Case(page(CHINESE, "utf-8", '<base data-x="<meta charset=gbk>"><meta charset=utf-8>')),
    "in-title": Case(page(CHINESE, "gb18030", "<meta charset=gbk>").replace(b"<title>t", b"<title><b>")),
    "after-script": Case(page(CHINESE, "gb18030", "<script>var a = 1;</script><meta charset=gbk>")),
    "after-style": Case(page(CHINESE, "gb18030", "<style>p {color: red}</style><meta charset=gbk>")),
    "late-in-head": Case(page(CHINESE, "gb18030", f"<script>/*{'x' * 2000}*/</script><meta charset=gbk>")),
    "very-late-in-head": Case(
        page(CHINESE, "gb18030", f"<script>/*{'x' * 9000}*/</script><meta charset=gbk>")
    ),
    "xml-declaration": Case(page(CHINESE, "gb18030", before='<?xml version="1.0" encoding="gb2312"?>')),
    "xml-and-meta": Case(
        page(CHINESE, "gb18030", META.format("gbk"), before='<?xml version="1.0" encoding="utf-8"?>')
    ),
    "c1-1252": raw(ALL, "windows-1252"),
    **{f"all-{name}": raw(ALL, name) for name in SINGLE.split()},
    "cut-gbk": raw(CHINESE.encode("gb18030")[:-1], "gbk"),
    "lead-before-tag": raw("中".encode("gb18030") + b"\xd6<b>x</b>", "gb2312"),
    "lead-before-tag-big5": raw("中".encode("big5") + b"\xa4<b>x</b>", "big5"),
    "lead-before-tag-sjis": raw("中".encode("cp932") + b"\x92<b>x</b>", "shift_jis"),
    "lead-before-tag-euc-kr": raw("가".encode("cp949") + b"\xb0<b>x</b>", "euc-kr"),
    "lead-before-tag-euc-jp": raw("中".encode("euc_jp") + b"\xc3<b>x</b>", "euc-jp"),
    "euro-gbk": raw(b"\x80 20", "gbk"),
    "four-bytes": raw("𠀀㐀".encode("gb18030"), "gb2312"),
    "ff-gbk": raw(b"a\xffb\xff\xfec", "gbk"),
    "ff-big5": raw(b"a\xffb\x80\xfec", "big5"),
    "row-13-euc-jp": raw(b"\xad\xa1\xad\xe2", "euc-jp"),
    "wave-dash": raw(b"\xa1\xc1", "euc-jp"),
    "kana-sjis": raw(b"\xb1\xb2\x80\xa0\xfd", "shift_jis"),
    "invalid-utf-8": raw(b"a\xe4\xb8b\xf0\x90\x28c\xff\xed\xa0\x80d", "utf-8"),
    "replacement": Case(page(CHINESE, "gb18030"), "text/html; charset=hz-gb-2312"),
    "nothing-ascii": Case(page("plain words", "ascii")),
    "nothing-utf-8": Case(page(CHINESE * 3, "utf-8")),
    "nothing-gbk": Case(page(CHINESE * 3, "gb18030")),
    "nothing-big5": Case(page(TRADITIONAL * 3, "big5")),
    "nothing-sjis": Case(page(JAPANESE * 3, "cp932")),
    "nothing-euc-kr": Case(page(KOREAN * 3, "cp949")),
    "nothing-1252": Case(page(WESTERN * 3, "cp1252")),
    "nothing-1251": Case(page(RUSSIAN * 3, "cp1251")),
}
