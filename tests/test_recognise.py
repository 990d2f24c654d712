"""What kind of source bytes are, by content: a table of samples, and that the readers agree with it."""

import gzip
import io
import json
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archiver.errors import SourceError
from archiver.model import Listing, Recognised
from archiver.sandbox import Sandbox
from archiver.sources import is_mirror_document, read_document, read_listing, read_page, recognise

URL = "https://www.example.org/a/1.html"
ITEM = f"<item><title>标题</title><link>{URL}</link></item>"
RSS = f'<rss version="2.0"><channel><title>新闻</title>{ITEM}</channel></rss>'
ATOM = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="{URL}"/></entry></feed>'
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    f"<channel/>{ITEM}</rdf:RDF>"
)
RDF_090 = RDF.replace("http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/")
SITEMAP = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{URL}</loc></url></urlset>'
INDEX = f"<sitemapindex><sitemap><loc>{URL}</loc></sitemap></sitemapindex>"
OPML = f'<opml version="2.0"><head/><body><outline text="新" xmlUrl="{URL}"/></body></opml>'
JSON = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "新闻", "items": [{"url": URL}]})
LIST = f"# 新闻\n{URL}\nhttps://www.example.org/b\n"
PAGE = (
    '<!DOCTYPE html>\n<html lang="zh"><head><title>新闻</title></head>'
    f'<body><p><a href="{URL}">x</a></p></body></html>'
)
XHTML = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>新闻</title></head><body><p>x</p></body></html>'
)
DOCUMENT = f"<!--1699468744000-->\n[标题]({URL})\n------\n\n<p>新闻</p>\n"
FRONT_MATTER = f"---\ntitle: 标题\nlink: {URL}\n---\n\n<p>新闻</p>\n"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'

LISTINGS = {
    "rss": (RSS, "feed"),
    "atom": (ATOM, "feed"),
    "rdf": (RDF, "feed"),
    "rdf-0.90": (RDF_090, "feed"),
    "json-feed": (JSON, "feed"),
    "sitemap": (SITEMAP, "sitemap"),
    "sitemap-index": (INDEX, "sitemap"),
    "opml": (OPML, "opml"),
    "list": (LIST, "list"),
}


def picture(kind: str) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(target, kind)
    return target.getvalue()


def archive(name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr(zipfile.ZipInfo(name), "words")
    return target.getvalue()


SAMPLES: dict[str, tuple[bytes, str]] = {}
for name, (text, kind) in LISTINGS.items():
    xml = text.startswith("<")
    SAMPLES |= {
        name: (text.encode(), kind),
        f"{name}-mark": (b"\xef\xbb\xbf" + text.encode(), kind),
        f"{name}-utf-16-le": (b"\xff\xfe" + text.encode("utf-16-le"), kind),
        f"{name}-utf-16-be": (b"\xfe\xff" + text.encode("utf-16-be"), kind),
        f"{name}-crlf-around": (b"\r\n\r\n  " + text.encode() + b"\r\n", kind),
        f"{name}-gzip": (gzip.compress(text.encode(), mtime=0), kind),
        f"{name}-gzip-of-utf-16": (gzip.compress(b"\xff\xfe" + text.encode("utf-16-le"), mtime=0), kind),
        f"{name}-gzip-cut": (gzip.compress((text + " " * 9000).encode(), 0, mtime=0)[:-2000], kind),
    }
    if xml:
        SAMPLES |= {
            f"{name}-declared": ((XML + text).encode(), kind),
            f"{name}-gb2312": ((XML.replace("UTF-8", "GB2312") + text).encode("gb18030"), kind),
            f"{name}-big5": ((XML.replace("UTF-8", "Big5") + text).encode("big5", "replace"), kind),
            f"{name}-utf-16-unmarked": ((XML.replace("UTF-8", "UTF-16") + text).encode("utf-16-le"), kind),
            f"{name}-stylesheet": (
                f'{XML}<?xml-stylesheet href="a.xsl"?>\n<!-- <html> -->{text}'.encode(),
                kind,
            ),
            f"{name}-junk": (f"<br />\n<b>Warning</b>: date() in x.php\n{XML}{text}".encode(), kind),
            f"{name}-cut": (text[: len(text) * 3 // 4].encode(), kind),
        }

SAMPLES |= {
    # feeds
    "rss-doctype": (
        f'{XML}<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://x.example/rss.dtd">{RSS}'.encode(),
        "feed",
    ),
    "rss-entities": (f'{XML}<!DOCTYPE rss [<!ENTITY a "]>"> ]>{RSS}'.encode(), "feed"),
    "rss-junk-undeclared": (f"Notice: x\n{RSS}".encode(), "feed"),
    "rss-upper": (b'<RSS VERSION="0.91"><CHANNEL></CHANNEL></RSS>', "feed"),
    "rss-empty": (b'<rss version="2.0"/>', "feed"),
    "rss-that-holds-html": (RSS.replace("标题", "&lt;html&gt;<![CDATA[<html><body>]]>").encode(), "feed"),
    "atom-prefixed": (ATOM.replace("<feed xmlns", "<a:feed xmlns:a").encode(), "feed"),
    "json-feed-1.0": (b'{"items": [], "version": "https:\\/\\/jsonfeed.org\\/version\\/1"}', "feed"),
    "json-feed-cut": (JSON[:-4].encode(), "feed"),
    # lists
    "list-one": (b"https://www.example.org/", "list"),
    "list-brackets": (b"<https://www.example.org/a>\r\n<https://www.example.org/b>\r\n", "list"),
    "list-nine-of-ten": (b"https://e.org/a\n" * 9 + b"not one\n", "list"),
    "list-eight-of-ten": (b"https://e.org/a\n" * 8 + b"not one\nnor this\n", "unknown"),
    "list-upper": (b"HTTPS://E.ORG/A\n", "list"),
    "text-with-a-url": (b"He wrote it down.\nhttps://e.org/a\nAnd went home.\n", "unknown"),
    "only-comments": (b"# nothing\n# here\n", "unknown"),
    # documents
    "document": (DOCUMENT.encode(), "document"),
    "document-mark": (b"\xef\xbb\xbf" + DOCUMENT.encode(), "document"),
    "document-crlf": (DOCUMENT.replace("\n", "\r\n").encode(), "document"),
    "document-front-matter": (FRONT_MATTER.encode(), "document"),
    "document-that-holds-a-page": (DOCUMENT.replace("<p>", "<html><body><p>").encode(), "document"),
    "document-that-holds-a-feed": (DOCUMENT.replace("<p>", RSS).encode(), "document"),
    "document-gzip": (gzip.compress(DOCUMENT.encode(), mtime=0), "unknown"),
    # pages
    "page": (PAGE.encode(), "page"),
    "page-mark": (b"\xef\xbb\xbf" + PAGE.encode(), "page"),
    "page-utf-16": (b"\xff\xfe" + PAGE.encode("utf-16-le"), "page"),
    "page-gb2312": (PAGE.replace("<head>", '<head><meta charset="gb2312">').encode("gb18030"), "page"),
    "page-no-doctype": (b"<html><body><p>x</p></body></html>", "page"),
    "page-fragment": (b"<p>x</p><p>y</p>", "page"),
    "page-spaces": (b"\r\n\r\n   " + PAGE.encode(), "page"),
    "page-comment": (b"<!-- cached --><!-- <rss> -->\n" + PAGE.encode(), "page"),
    "page-mentions-rss": (PAGE.replace("<p>", "<p>About <rss> and <feed>").encode(), "page"),
    "page-shows-a-feed": (PAGE.replace("<p>", f"<textarea>{XML}{RSS}</textarea>").encode(), "page"),
    "page-mentions-rss-in-a-script": (PAGE.replace("<p>", f"<script>x = '{RSS}'</script>").encode(), "page"),
    "page-after-a-warning": (b"Warning: x in y.php on line 3\n" + PAGE.encode(), "page"),
    "page-cut": (PAGE[:60].encode(), "page"),
    "page-gzip": (gzip.compress(PAGE.encode(), mtime=0), "unknown"),
    "page-of-an-error": (b"<html><head><title>404 Not Found</title></head><body></body></html>", "page"),
    "xhtml": (XHTML.encode(), "page"),
    "xhtml-declared": ((XML + XHTML).encode(), "page"),
    "xhtml-doctype": (
        f'{XML}<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x">{XHTML}'.encode(),
        "page",
    ),
    # what is nothing that can be read
    "empty": (b"", "unknown"),
    "mark-only": (b"\xef\xbb\xbf", "unknown"),
    "white-space": (b" \r\n\t\n", "unknown"),
    "nul": (b"\x00" * 100, "unknown"),
    "all-bytes": (bytes(range(256)), "unknown"),
    "invalid-url": (b"Invalid url", "unknown"),
    "sentence": ("他走了。\n第二行。\n".encode(), "unknown"),
    "sentence-gb18030": ("他昨天走了，没有再回来。".encode("gb18030"), "unknown"),
    "mirror-list": (
        b"voa\n------\n\n2-15 [a](/articles/voa/1.md)\n\n2-14 [b](/articles/voa/2.md)\n",
        "unknown",
    ),
    "readme": (b"# News\n\nA mirror of [a](https://a.example/) and [b](https://b.example/).\n", "unknown"),
    "json": (b'{"status": "error", "code": 404}', "unknown"),
    "json-list": (b'["https://e.org/a"]', "unknown"),
    "json-ld": (b'{"@context": "https://schema.org", "@type": "NewsArticle"}', "unknown"),
    "json-other-version": (b'{"version": "https://example.org/version/1", "items": []}', "unknown"),
    "json-cut": (b'{"status": "err', "unknown"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><title>x</title></svg>', "unknown"),
    "svg-declared": (f"{XML}<!DOCTYPE svg><svg><a/></svg>".encode(), "unknown"),
    "xml": (f"{XML}<note><title>x</title></note>".encode(), "unknown"),
    "rdf-no-feed": (RDF.replace("http://purl.org/rss/1.0/", "http://x.example/").encode(), "unknown"),
    "css": (b"body { color: red }", "unknown"),
    "script": (b"function f() { return '<p>' }", "unknown"),
    "csv": (b"url,title\nhttps://e.org/a,x\n", "unknown"),
    "mail": (b"From: <a@example.org>\r\nTo: <b@example.org>\r\n\r\nHello\r\n", "unknown"),
    "warc": (b"WARC/1.1\r\nWARC-Type: warcinfo\r\n\r\n", "unknown"),
    "warc-gzip": (gzip.compress(b"WARC/1.1\r\nWARC-Type: warcinfo\r\n\r\n", mtime=0), "unknown"),
    "gzip-damaged": (b"\x1f\x8b\x08\x00" + b"\xff" * 50, "unknown"),
    "gzip-head-only": (b"\x1f\x8b", "unknown"),
    "gzip-of-gzip": (gzip.compress(gzip.compress(RSS.encode(), mtime=0), mtime=0), "unknown"),
    "gzip-of-nothing": (gzip.compress(b"", mtime=0), "unknown"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "unknown"),
    "rtf": (b"{\\rtf1\\ansi Hello}", "unknown"),
    "word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "unknown"),
    "docx": (archive("word/document.xml"), "unknown"),
    "jpeg": (picture("JPEG"), "unknown"),
    "png": (picture("PNG"), "unknown"),
    "gif": (picture("GIF"), "unknown"),
    "webp": (picture("WEBP"), "unknown"),
    "bmp": (picture("BMP"), "unknown"),
    "tiff": (picture("TIFF"), "unknown"),
    "avif": (picture("AVIF"), "unknown"),
    "mp3": (b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(90), "unknown"),
    "mp4": (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "unknown"),
    "sqlite": (b"SQLite format 3\x00" + bytes(84), "unknown"),
    "elf": (b"\x7fELF\x02\x01\x01\x00" + bytes(56), "unknown"),
    "words-that-begin-like-a-picture": (b"BMW sold more cars. MZ made motorcycles.", "unknown"),
}


CUT_TOO_EARLY = [SAMPLES[name][0] for name in ("opml-cut", "sitemap-cut", "json-feed-cut")]


def seen(data: bytes, content_type: str = "") -> Recognised:
    return msgspec.convert(recognise(data, content_type=content_type), Recognised)


def test_the_table_is_long_enough() -> None:
    assert len(SAMPLES) >= 120


@pytest.mark.parametrize(("data", "kind"), SAMPLES.values(), ids=SAMPLES.keys())
def test_what_each_sample_is(data: bytes, kind: str) -> None:
    found = seen(data)
    assert found.kind == kind, found.why
    assert bool(found.why) == (kind == "unknown")


@pytest.mark.parametrize(("data", "kind"), SAMPLES.values(), ids=SAMPLES.keys())
def test_the_readers_agree(data: bytes, kind: str) -> None:
    """Each reader takes what is said to be its own, and nothing else is a mirror document or a listing."""
    assert is_mirror_document(data) == (kind == "document")
    if kind == "document":
        assert read_document(data)["title"] == "标题"
    if kind == "page":
        assert read_page(data, url=URL)["kind"] == "page"
    if kind in ("document", "page", "unknown"):
        with pytest.raises(SourceError, match="no feed, sitemap, OPML or list of URLs"):
            read_listing(data)
    elif data in CUT_TOO_EARLY:
        with pytest.raises(SourceError, match="breaks off before its first"):
            read_listing(data)
    else:
        assert msgspec.convert(read_listing(data), Listing).kind.removesuffix("-index") == kind


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("empty", "empty"),
        ("invalid-url", "plain text that begins 'Invalid url'"),
        ("mirror-list", "name their folder"),
        ("word", "an old Microsoft Office"),
        ("docx", "a ZIP file"),
        ("jpeg", "a picture (JPEG)"),
        ("webp", "a picture (WebP)"),
        ("avif", "a picture (AVIF or HEIF)"),
        ("svg", "a picture (SVG)"),
        ("pdf", "a PDF file"),
        ("json", "JSON that is no JSON Feed"),
        ("json-ld", "JSON-LD"),
        ("xml", "XML with the root <note>"),
        ("all-bytes", "binary data of an unknown format"),
        ("document-gzip", "a gzip file of this: a mirror document"),
        ("gzip-damaged", "gzip data that is damaged"),
        ("words-that-begin-like-a-picture", "plain text"),
    ],
)
def test_why_something_is_unknown(name: str, why: str) -> None:
    assert why in seen(SAMPLES[name][0]).why


def test_the_content_type_never_decides_against_the_content() -> None:
    assert seen(RSS.encode(), "text/html").kind == "feed"
    assert seen(PAGE.encode(), "application/rss+xml").kind == "page"
    assert seen(LIST.encode(), "text/html; charset=utf-8").kind == "list"
    assert seen(b"Invalid url", "text/html").kind == "unknown"
    assert seen(b"Hello <b>world</b>").kind == "unknown"
    assert seen(b"Hello <b>world</b>", "text/html").kind == "page"


def test_the_charset_of_the_content_type_is_heard() -> None:
    data = RSS.encode("gb18030")
    assert read_listing(data, content_type="text/xml; charset=gb2312")["title"] == "新闻"
    wrong = (XML + RSS).encode("gb18030")  # it declares UTF-8, and is none
    assert read_listing(wrong)["title"] == "新闻"
    assert read_listing(wrong, content_type="text/xml; charset=utf-8")["title"] == "新闻"


def test_in_the_sandbox() -> None:
    with Sandbox() as sandbox:
        assert sandbox.read(Recognised, recognise, RSS.encode(), content_type="text/xml").kind == "feed"
        assert sandbox.read(Listing, read_listing, RSS.encode(), url=URL).links[0].url == URL


@given(
    st.binary(max_size=400)
    | st.builds(bytes.__add__, st.sampled_from([b"<", b"{", b"\x1f\x8b"]), st.binary())
)
@settings(max_examples=300)
def test_any_bytes_are_recognised(data: bytes) -> None:
    assert msgspec.json.encode(seen(data))
