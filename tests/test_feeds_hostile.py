"""Hostile feeds and mutated listings of all kinds: a result or a SourceError, in bounded time."""

import gzip
import html
import json
import random
import time

import msgspec
import pytest

from archiver.errors import SourceError
from archiver.model import Listing
from archiver.sources import read_listing
from archiver.sources.listings import feed, items

URL = "https://www.example.org/feed.xml"
MARKUP = '<p>One</p><img src="/b.jpg" alt="a"><p>Two</p>'
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"'
)


def read(text: str) -> Listing:
    return msgspec.convert(read_listing(text.encode(), url=URL), Listing)


def rss(content: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0" {SPACES}><channel>{content}</channel></rss>'


# --- hostile ------------------------------------------------------------------------------------

LETTERS = "abcdefghij"
BOMB = "".join(f"<!ENTITY {LETTERS[n]} '{f'&{LETTERS[n - 1]};' * 10}'>" for n in range(1, 10))
ONE = "<item><link>/1</link>"
MARKED = html.escape("<p>x</p>" * 500)
JSON_HEAD = '{"version": "https://jsonfeed.org/version/1", "items": [{"url": "http://e.org/1"}, '


def with_entity(declarations: str, name: str) -> str:
    return f"<!DOCTYPE rss [{declarations}]>" + rss(f"{ONE}<title>&{name};</title></item>").partition("?>")[2]


def big(count: int, content: str = "<title>t</title>") -> str:
    return "".join(f"<item><link>/{number}</link>{content}</item>" for number in range(count))


HOSTILE = {
    "entities": lambda: with_entity(f"<!ENTITY a 'lol'>{BOMB}", "j"),
    "many-items": lambda: rss(big(200_000)),
    "many-broken-items": lambda: rss(big(100_000, "<p>")),
    "deep": lambda: rss(ONE + "<a>" * 200_000),
    "deep-markup": lambda: rss(f"{ONE}<description>{'<p>' * 200_000}"),
    "many-categories": lambda: rss(f"{ONE}{'<category>x</category>' * 100_000}</item>"),
    "long-author": lambda: rss(f"{ONE}<author>{'a' * 300_000}</author></item>"),
    "long-title": lambda: rss(f"{ONE}<title>{'&lt;b' * 300_000}&lt;/b&gt;</title></item>"),
    "many-attributes": lambda: rss(
        f"<item{''.join(f' a{n}=_0_' for n in range(100_000))}>".replace("_", "'")
    ),
    "ampersands": lambda: rss(f"{ONE}<title>{'&' * 1_000_000}</title></item>"),
    "cdata": lambda: rss(f"{ONE}<title>{'<![CDATA[' * 300_000}"),
    "much-markup": lambda: rss(big(2_000, f"<description>{MARKED}</description>")),
    "json-deep": lambda: JSON_HEAD + '{"a":' * 100_000,
    "json-many": lambda: JSON_HEAD + '{"url": "http://e.org/1"}, ' * 100_000 + "{}]}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_feeds_take_bounded_time(name: str) -> None:
    text = HOSTILE[name]()
    start = time.process_time()
    listing = read(text)
    assert time.process_time() - start < 5
    assert len(listing.articles) <= items.ITEMS
    assert listing.articles or listing.left_out
    assert len(msgspec.json.encode(listing)) < 32 << 20


def test_entities_are_never_expanded() -> None:
    assert read(with_entity(f"<!ENTITY a 'lol'>{BOMB}", "j")).articles[0].title == "&j;"
    assert read(with_entity('<!ENTITY a SYSTEM "file:///etc/passwd">', "a")).articles[0].title == "&a;"


def test_what_is_beyond_the_limits_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (feed, items):
        monkeypatch.setattr(module, "ITEMS", 20)
    listing = read(rss(big(50)))
    assert len(listing.articles) == 20
    assert listing.left_out[0].startswith(
        "item beyond what is read of a feed: 30, the first '<item><link>/20<"
    )
    monkeypatch.setattr(feed, "FEED_CHARS", 800)
    listing = read(rss(big(50)))
    told = listing.left_out[0].split(",")[0]
    assert told == f"item beyond what is read of a feed: {50 - len(listing.articles)}"
    assert 0 < len(listing.articles) < 20


# --- mutations ----------------------------------------------------------------------------------

RSS_SEED = rss(
    f"<item><title>标题</title><link>/1</link><pubDate>2020-01-01</pubDate>"
    f"<description>{html.escape(MARKUP)}</description><content:encoded><![CDATA[{MARKUP}]]></content:encoded>"
    "<media:group><media:content url='/m.jpg'/></media:group><enclosure url='/e.mp3' type='audio/mpeg'/>"
    "</item>"
    "<item><guid>http://e.org/2</guid></item>"
)
ATOM_SEED = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://e.org/"><title type="html">x&amp;amp;</title>'
    '<entry><link href="1"/><author><name>n</name></author><content type="xhtml"><div><p>a<br/>b</p></div>'
    "</content></entry></feed>"
)
RDF_SEED = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    '<channel><title>t</title></channel><item rdf:about="http://e.org/1">'
    "<description>新 &amp; y</description></item></rdf:RDF>"
)
JSON_ITEM = {"id": 1, "url": "http://e.org/1", "content_html": MARKUP, "attachments": [{"url": "x"}]}
JSON_SEED = json.dumps({"version": "https://jsonfeed.org/version/1", "items": [JSON_ITEM] * 2})
SITEMAP_SEED = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>http://e.org/1</loc>'
    "<lastmod>2020</lastmod></url><url><loc>http://e.org/2?a&amp;b</loc></url></urlset>"
)
OPML_SEED = (
    '<?xml version="1.0"?><opml version="1.0"><head><title>t</title></head><body><outline text="a">'
    '<outline xmlUrl="http://e.org/f" htmlUrl="http://e.org/" text="b"/></outline></body></opml>'
)
SEEDS = [
    *(text.encode() for text in (RSS_SEED, ATOM_SEED, RDF_SEED, JSON_SEED, SITEMAP_SEED, OPML_SEED)),
    b"<sitemapindex><sitemap><loc>http://e.org/1.xml.gz</loc></sitemap></sitemapindex>",
    b"# comment\r\nhttp://e.org/1\r\n<http://e.org/2>\r\nnot a url\n" + b"http://e.org/x\n" * 20,
    gzip.compress(RSS_SEED.encode(), mtime=0),
    b"\xff\xfe" + ATOM_SEED.encode("utf-16-le"),
    f'<?xml version="1.0" encoding="GB2312"?>{RDF_SEED}'.encode("gb18030"),
]
TOKENS = (
    *(
        "<![CDATA[",
        "]]>",
        "<item>",
        "</item>",
        "<!--",
        "-->",
        "&",
        "&amp;",
        "<",
        ">",
        '"',
        "{",
        "[",
        "\x00",
        "\n",
    ),
    *(
        "<?xml ",
        "<!DOCTYPE x [",
        "http://[",
        "\\ud800",
        "\ufeff",
        " xml:base=':'",
        "<p>",
        "<entry>",
        "<url><loc>",
    ),
)


def mutated(source: random.Random) -> bytes:
    data = bytearray(source.choice(SEEDS))
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(data) + 1)
        match source.choice((0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 5)):
            case 0:
                data[at : at + 1] = bytes([source.randrange(256)])
            case 1:
                del data[at : at + source.randint(1, 60)]
            case 2:
                data[at:at] = source.choice(TOKENS).encode() * source.choice((1, 1, 1, 300))
            case 3:
                data[at:at] = data[max(0, at - source.randint(1, 200)) : at]
            case 4:
                other = source.choice(SEEDS)
                data[at:] = other[source.randrange(len(other)) :]
            case _:
                del data[at:]
    return bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_mutated_listings_end_in_a_result_or_a_source_error(seed: int) -> None:
    source = random.Random(seed)
    results = 0
    for _ in range(1_000):
        data = mutated(source)
        start = time.process_time()
        try:
            listing = msgspec.convert(read_listing(data, url=URL), Listing)
        except SourceError:
            continue
        finally:
            assert time.process_time() - start < 5
        assert msgspec.json.encode(listing)
        results += 1
    assert results > 300
