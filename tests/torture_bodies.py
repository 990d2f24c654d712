"""Bodies that cost whoever reads them far more than whoever sends them."""

import gzip
import io
import struct
import zlib
from functools import cache

from PIL import Image

LINK = b'<a href="/x">x</a>'
ARTICLE = b"<html><head><title>News</title></head><body><article><p>Words that say what happened.</p>%b"


def article(rest: bytes) -> bytes:
    return ARTICLE % rest


@cache
def zipped_zeros(size: int, *, twice: bool = False) -> bytes:
    """A gzip stream of `size` zeros, a thousandth of it; or that, packed once more."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
        for _ in range(size >> 20):
            packed.write(bytes(1 << 20))
    return gzip.compress(out.getvalue(), mtime=0) if twice else out.getvalue()


# --- pictures -----------------------------------------------------------------------------------


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, rows: int | None = None, extra: bytes = b"") -> bytes:
    """A white picture of one bit a pixel, of which `rows` are there."""
    packer = zlib.compressobj(9)
    line = b"\0" + b"\xff" * ((width + 7) // 8)
    pixels = b"".join(packer.compress(line) for _ in range(height if rows is None else rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", head), extra, _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    )


def png_with_texts() -> bytes:
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50 << 20), 9))
    return png(64, 64, extra=text * 20)


def jpeg_of_many_scans(count: int = 20_000) -> bytes:
    """A progressive JPEG (ITU-T T.81 annex G) whose last scan comes again and again."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((1500, 1500)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    size = int.from_bytes(data[last + 2 : last + 4])
    empty = data[last : last + 2 + size]  # the head of a scan without anything in it
    return data[:-2] + empty * count + data[-2:]


def gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(3) + b"\xff" * 3
    return head + b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02D\x01\0;"


SVG_OF_ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%b">' % (b, b"&%c;" % (b - 1) * 10) for b in range(ord("b"), ord("l")))
    + b']><svg xmlns="http://www.w3.org/2000/svg"><text>&k;</text></svg>'
)


@cache
def pictures() -> dict[str, tuple[bytes, bytes]]:
    """Name → what the server calls it, and what it is."""
    whole = png(640, 480)
    return {
        "whole": (b"image/png", whole),
        "png-bomb": (b"image/png", png(30_000, 30_000)),
        "png-without-rows": (b"image/png", png(7000, 7000, rows=1)),
        "png-cut": (b"image/png", whole[: len(whole) // 2]),
        "png-of-texts": (b"image/png", png_with_texts()),
        "jpeg-of-many-scans": (b"image/jpeg", jpeg_of_many_scans()),
        "gif-bomb": (b"image/gif", gif(65_535, 65_535)),
        "svg-of-entities": (b"image/svg+xml", SVG_OF_ENTITIES),
        "webp-of-nothing": (b"image/webp", b"RIFF\xff\xff\xff\x7fWEBPVP8X" + bytes(40)),
        "avif-of-nothing": (b"image/avif", bytes(3) + b"\x20ftypavif" + bytes(40)),
        "tiff-in-a-circle": (b"image/tiff", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
        "ico-of-nothing": (b"image/x-icon", b"\0\0\1\0\xff\xff" + bytes(90)),
        "empty": (b"image/jpeg", b""),
        "html-called-png": (b"image/png", article(b"")),
        "png-called-html": (b"text/html", whole),
        "postscript": (b"image/jpeg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n"),
    }


# --- pages and listings -------------------------------------------------------------------------


def _feed(items: bytes) -> bytes:
    return b'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>%b</channel></rss>' % items


def _entities() -> bytes:
    rows = b"".join(b'<!ENTITY e%d "%b">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 11))
    return b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "ha">%b]>' % rows + _feed(
        b"<item><title>&e10;</title></item>"
    ).removeprefix(b'<?xml version="1.0"?>')


@cache
def pages() -> dict[str, tuple[bytes, bytes]]:
    """Name → what the server calls it, and what it is. Each is sent whole."""
    html, feed, json = b"text/html", b"application/rss+xml", b"application/json"
    return {
        "attributes": (html, article(b"<p " + b"".join(b"a%d=1 " % n for n in range(300_000)) + b">x")),
        "deep": (html, article(b"<div>" * 200_000 + b"x")),
        "deep-inline": (html, article(b"<b><i>" * 60_000 + b"x")),
        "cdata": (html, article(b"<![CDATA[" * 100_000)),
        "declarations": (html, article(b"<?" * 300_000)),
        "end-tags": (html, article(b"</" * 300_000)),
        "comments": (html, article(b"<!--" * 200_000)),
        "angles": (html, b"<" * (2 << 20)),
        "characters": (html, article(b"<p>&#" + b"9" * 500_000 + b";</p>")),
        "entities": (html, article(b"<p>" + b"&CounterClockwiseContourIntegral" * 50_000)),
        "tables": (html, article(b"<table><tr><td>" * 30_000)),
        "one-long-word": (html, article(b"<p>" + b"x" * (3 << 20))),
        "json-ld": (
            html,
            article(b'<script type="application/ld+json">' + b"[" * 200_000 + b"</script>"),
        ),
        "data-pictures": (html, article(b'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">' * 20_000)),
        "srcset": (html, article(b'<img srcset="' + b"data:,x 1x, , " * 100_000 + b'">')),
        "base-href": (html, b'<base href="javascript:alert(1)">' + article(LINK)),
        "utf-7": (html + b"; charset=utf-7", article(b"+ADw-script+AD4-")),
        "zlib-charset": (html + b"; charset=zlib_codec", zlib.compress(bytes(10 << 20))),
        "utf-16": (html + b"; charset=utf-16", article(b"\xd8\x00")),
        "nuls": (html, article(bytes(100_000))),
        "no-type": (b"", bytes(range(256)) * 400),
        "long-type": (b"text/" + b"x" * 60_000, article(b"")),
        "xml-entities": (feed, _entities()),
        "feed-of-many": (
            feed,
            _feed(b"".join(b"<item><guid>%d</guid><title>t</title></item>" % n for n in range(15_000))),
        ),
        "feed-deep": (feed, _feed(b"<item>" + b"<a>" * 100_000)),
        "feed-of-text": (
            feed,
            _feed(b"<item><description>" + b"&lt;b&gt;" * 100_000 + b"</description></item>"),
        ),
        "json-feed-deep": (
            b"application/feed+json",
            b'{"version":"https://jsonfeed.org/version/1.1","items":' + b"[" * 300_000,
        ),
        "json-number": (
            json,
            b'{"version":"https://jsonfeed.org/version/1.1","items":[%b]}' % (b"9" * 500_000),
        ),
        "opml-deep": (b"text/x-opml", b'<opml version="2.0"><body>' + b'<outline text="a">' * 100_000),
        "sitemap-of-nothing": (
            b"application/xml",
            b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">' + b"<url><loc>" * 100_000,
        ),
    }
