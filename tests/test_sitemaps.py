"""Sitemaps, OPML and lists of URLs: what they name, in order, and what is left out."""

import contextlib
import gzip
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import SourceError
from archiver.model import Listing
from archiver.sources import naming, read_listing
from archiver.sources.listings import opened

URL = "https://www.example.org/sitemap.xml"
SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def read(data: str | bytes, url: str = URL) -> Listing:
    return msgspec.convert(read_listing(data.encode() if isinstance(data, str) else data, url=url), Listing)


def urlset(content: str, spaces: str = "") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{SPACE}"{spaces}>{content}</urlset>'


# --- sitemaps -----------------------------------------------------------------------------------


def test_a_sitemap_with_extensions() -> None:
    spaces = (
        ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
        ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
        ' xmlns:xhtml="http://www.w3.org/1999/xhtml"'
    )
    listing = read(
        urlset(
            "<url><loc>\n https://e.org/1?a=1&amp;b=2 \n</loc><lastmod>2023-11-08</lastmod>"
            "<changefreq>daily</changefreq><image:image><image:loc>https://e.org/1.jpg</image:loc></image:image>"
            '<xhtml:link rel="alternate" href="https://e.org/de"/></url>'
            "<url><news:news><news:publication><news:name>Paper</news:name></news:publication>"
            "<news:publication_date>2023</news:publication_date>"
            "<news:title>标题 &amp; x</news:title></news:news>"
            "<loc><![CDATA[/2#top]]></loc></url>"
            "<url><loc>https://e.org/1?a=1&amp;b=2</loc></url><url><loc>mailto:x</loc></url><url/>",
            spaces,
        )
    )
    assert listing.kind == "sitemap"
    assert [(link.url, link.role, link.title, link.modified) for link in listing.links] == [
        ("https://e.org/1?a=1&b=2", "page", "", "2023-11-08"),
        ("https://www.example.org/2", "page", "标题 & x", ""),
    ]
    assert listing.left_out == ("link that is no http or https URL: 2, the first 'mailto:x'",)


def test_an_index_in_gzip() -> None:
    text = (
        "<sitemapindex><sitemap><loc>https://e.org/1.xml.gz</loc><lastmod>2023</lastmod></sitemap>"
        "<sitemap><loc>2.xml</loc></sitemap></sitemapindex>"
    )
    listing = read(gzip.compress(text.encode(), mtime=0))
    assert listing.kind == "sitemap-index"
    assert [(link.url, link.role, link.modified) for link in listing.links] == [
        ("https://e.org/1.xml.gz", "sitemap", "2023"),
        ("https://www.example.org/2.xml", "sitemap", ""),
    ]


def test_members_of_gzip_are_one_file() -> None:
    text = urlset("<url><loc>https://e.org/1</loc></url>").encode()
    data = gzip.compress(text[:90], mtime=0) + gzip.compress(text[90:], mtime=0)
    assert [link.url for link in read(data).links] == ["https://e.org/1"]


@pytest.mark.parametrize(
    "text",
    [
        '<urlset xmlns="http://www.google.com/schemas/sitemap/0.84"><url><loc>https://e.org/1</loc></url></urlset>',
        f'<s:urlset xmlns:s="{SPACE}"><s:url><s:loc>https://e.org/1</s:loc></s:url></s:urlset>',
        "<URLSET><URL><LOC>https://e.org/1</LOC></URL></URLSET>",
        "https://e.org/1\r\n",
    ],
)
def test_other_spellings(text: str) -> None:
    assert [link.url for link in read(text).links] == ["https://e.org/1"]


def test_links_before_a_break_stay() -> None:
    text = urlset("<url><loc>https://e.org/1</loc></url><url><loc>https://e.org/2</loc><lastmod>x</url>")
    listing = read(text)
    assert [link.url for link in listing.links] == ["https://e.org/1", "https://e.org/2"]
    assert listing.left_out[0].startswith(
        "what stands after an error in the XML: 1, the first 'mismatched tag"
    )
    packed = gzip.compress(urlset("<url><loc>https://e.org/1</loc></url>" + " " * 9_000).encode(), 0, mtime=0)
    listing = read(packed[:-3_000])
    assert [link.url for link in listing.links] == ["https://e.org/1"]
    assert listing.left_out[0] == "what could not be unpacked: 1, the first 'gzip data that breaks off'"


def test_bare_ampersands_do_not_break_it() -> None:
    listing = read(urlset("<url><loc>https://e.org/?a=1&b=2&copy;=3</loc></url>"))
    assert [link.url for link in listing.links] == ["https://e.org/?a=1&b=2%C2%A9=3"]
    assert listing.left_out == ()


def test_an_empty_sitemap_is_one() -> None:
    assert read("<urlset/>").links == ()


@pytest.mark.parametrize("text", ["<urlset><url><loc>https://e.org", "<sitemapindex><sitemap>"])
def test_broken_before_any_link(text: str) -> None:
    with pytest.raises(SourceError, match="a sitemap that breaks off before its first link"):
        read(text)


# --- OPML ---------------------------------------------------------------------------------------


def test_opml_nested_and_in_any_case() -> None:
    listing = read(
        b'<?xml version="1.0" encoding="ISO-8859-1"?><opml version="1.1">'
        b"<head><title>My &amp; feeds</title></head>"
        b'<body><outline text="Group"><outline TEXT="a" title="A" type="rss" xmlUrl="https://e.org/a?x=1&y=2"'
        b' htmlUrl="https://e.org/"/><outline text="deep"><outline text="page" htmlUrl="https://e.org/p"/>'
        b'<outline text="link" type="link" url="/l"/><outline text="i" type="include" url="/other.opml"/>'
        b'<outline text="caf\xe9" XMLURL=" /c "/></outline></outline><outline text="none"/></body></opml>'
    )
    assert (listing.kind, listing.title) == ("opml", "My & feeds")
    assert [(link.url, link.role, link.title) for link in listing.links] == [
        ("https://e.org/a?x=1&y=2", "feed", "A"),
        ("https://e.org/p", "page", "page"),
        ("https://www.example.org/l", "page", "link"),
        ("https://www.example.org/c", "feed", "café"),
    ]
    assert listing.left_out == ("outline that includes another OPML file: 1, the first '/other.opml'",)


def test_opml_that_breaks_off() -> None:
    listing = read('<opml><body><outline xmlUrl="https://e.org/a"/><outline xmlUrl="https')
    assert [link.url for link in listing.links] == ["https://e.org/a"]
    with pytest.raises(SourceError, match="OPML that breaks off before its first link"):
        read("<opml><body><outline")


# --- lists --------------------------------------------------------------------------------------


def test_a_list_as_people_keep_it() -> None:
    lines = ["\ufeff# news", "", " https://e.org/1 ", "<https://e.org/2>", "HTTP://E.ORG/3#x", "# more"]
    lines += ["https://e.org/1", "https://e.org/新", *(f"https://e.org/x{number}" for number in range(20))]
    lines += ["www.example.org", "ftp://e.org/", "https://["]
    listing = read("\r\n".join(lines))
    assert listing.kind == "list"
    assert [link.url for link in listing.links][:4] == [
        "https://e.org/1",
        "https://e.org/2",
        "http://e.org/3",
        "https://e.org/%E6%96%B0",
    ]
    assert len(listing.links) == 24
    assert listing.left_out == (
        "line 29 is no URL: 'www.example.org'",
        "line 30 is no URL: 'ftp://e.org/'",
        "line 31 is no URL: 'https://['",
    )


def test_a_list_in_utf_16() -> None:
    listing = read("https://e.org/1\r\nhttps://e.org/2\r\n".encode("utf-16"))
    assert [link.url for link in listing.links] == ["https://e.org/1", "https://e.org/2"]


@given(st.lists(st.integers(0, 99), min_size=1, max_size=50), st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
def test_every_line_of_a_list_is_a_link(numbers: list[int], end: str) -> None:
    listing = read(end.join(f"https://e.org/{number}" for number in numbers))
    assert [link.url for link in listing.links] == [
        f"https://e.org/{number}" for number in dict.fromkeys(numbers)
    ]
    assert listing.left_out == ()


# --- limits -------------------------------------------------------------------------------------


OUTLINE = '<outline xmlUrl="https://e.org/{}"/>'


def many(count: int) -> dict[str, str]:
    return {
        "sitemap": urlset("".join(f"<url><loc>https://e.org/{n}</loc></url>" for n in range(count))),
        "opml": f"<opml>{''.join(map(OUTLINE.format, range(count)))}</opml>",
        "list": "".join(f"https://e.org/{n}\n" for n in range(count)),
    }


@pytest.mark.parametrize("kind", many(0))
def test_what_is_beyond_the_limit_is_told(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "LINKS", 10)
    listing = read(many(50)[kind])
    assert [link.url for link in listing.links] == [f"https://e.org/{n}" for n in range(10)]
    assert listing.left_out == ("what follows the first 10 links: 1, the first 'about 50 links in all'",)


@pytest.mark.slow
@pytest.mark.parametrize("kind", many(0))
def test_long_listings_take_bounded_time(kind: str) -> None:
    text = many(700_000)[kind]
    start = time.process_time()
    listing = read(text)
    assert time.process_time() - start < 5
    assert len(listing.links) == naming.LINKS


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "<urlset>" + "<url>" * 1_000_000,
        "<urlset><url><loc>" + "&" * 2_000_000,
        "<urlset><url><loc>https://e.org/1</loc></url>" + "<![CDATA[" * 500_000,
        "<opml>" + "<outline xmlUrl='https://e.org/'>" * 300_000,
        "https://e.org/1\n" + "<" * 1_000_000,
        "<!DOCTYPE x [" + "]" * 1_000_000,
        "<!--" * 500_000,
        "[a](" * 500_000,
        "<rss " * 300_000,
    ],
    ids=["deep", "ampersands", "cdata", "opml-deep", "brackets", "doctype", "comments", "markdown", "roots"],
)
def test_hostile_listings_take_bounded_time(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(SourceError):
        read(text)
    assert time.process_time() - start < 5


def test_a_gzip_bomb_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(urlset("<url><loc>https://e.org/1</loc></url>").encode() + b" " * (1 << 24), mtime=0)
    data, told = opened.unpacked(bomb, 1_000)
    assert (len(data), told) == (1_000, "gzip data beyond 1000 bytes")
    assert read(bomb).links[0].url == "https://e.org/1"
