"""Live pages: where title, text, pictures and times stand, encodings, and what is no page."""

import contextlib
import json
import re
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import SourceError
from archiver.model import Article
from archiver.sandbox import Sandbox
from archiver.sources import read_page
from archiver.sources.html.pictures import srcset_urls

URL = "https://www.example.org/a/slug/7346943.html"


def read(page: str | bytes, content_type: str = "", url: str = URL) -> Article:
    data = page.encode() if isinstance(page, str) else page
    return msgspec.convert(read_page(data, url=url, content_type=content_type), Article)


def texts(article: Article) -> list[str]:
    return [block.text for block in article.blocks if block.kind != "picture"]


def places(article: Article) -> list[tuple[str, str]]:
    return [(one.place, one.url.rpartition("/")[2]) for one in article.references if one.part == "article"]


# Like an article page of a publisher on the Pangea system: `content` before `property`, a character
# reference in the time, an empty src, the lead picture and the time outside the text.
PANGEA = """<!doctype html><html lang="zh-CN"><head><title>标题 - Site</title>
<meta content="标题" property="og:title">
<meta content="https://gdb.example.org/lead_w1200.jpg" property="og:image">
<meta name="twitter:image" content="https://gdb.example.org/lead_w1200.jpg">
<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":"x",
"datePublished":"2019-06-30 22:02:29Z","dateModified":"2019-07-01 08:00:00",
"image":{"@type":"ImageObject","url":"https://gdb.example.org/ld.jpg"}}</script></head>
<body><nav><img src="/logo.png"><p>menu</p></nav>
<main><h1>标题</h1>
<div class="publishing">
<time pubdate="pubdate" datetime="2019-06-30T22:02:29&#x2B;00:00">2019年7月1日</time></div>
<div class="cover"><figure>
<div class="thumb"><img data-src="https://gdb.example.org/lead_w33_r1.jpg" src="" alt="领导"></div>
<figcaption><span>说明文字</span></figcaption></figure></div>
<div id="article-content"><div class="wsw"><p>第一段。<br>
同段</p><div class="c-mmp"><video poster="/poster.jpg"></video></div><p>第二段。</p></div></div>
<ul class="share"><li>share</ul>
<div class="teaser"><img src="/other.jpg"><time datetime="2020-01-01">x</time></div>
</main><footer><img src="/foot.png">foot</footer></body></html>"""


def test_a_page_of_a_publisher() -> None:
    article = read(PANGEA)
    assert (article.kind, article.title, article.url, article.language) == ("page", "标题", URL, "zh-CN")
    assert texts(article) == ["第一段。\n同段", "第二段。"]
    assert places(article) == [
        ("img-data-src", "lead_w33_r1.jpg"),
        ("video-poster", "poster.jpg"),
        ("meta-og:image", "lead_w1200.jpg"),
        ("json-ld-image", "ld.jpg"),
    ]
    lead, poster = (block.picture for block in article.blocks if block.kind == "picture")
    assert (article.references[lead].alt, article.references[lead].caption) == ("领导", "说明文字")
    assert article.references[poster].url.endswith("/poster.jpg")
    assert [one.url.rpartition("/")[2] for one in article.references if one.part == "page"] == [
        "logo.png",
        "other.jpg",
        "foot.png",
    ]
    assert [(claim.clock, claim.written, claim.value) for claim in article.times] == [
        ("time-element", "2019-06-30T22:02:29+00:00", "2019-06-30T22:02:29Z"),
        ("json-ld-published", "2019-06-30 22:02:29Z", "2019-06-30T22:02:29Z"),
        ("json-ld-modified", "2019-07-01 08:00:00", None),
    ]
    assert article.left_out == ()


def test_a_page_in_the_sandbox() -> None:
    with Sandbox() as sandbox:
        found = sandbox.call(read_page, PANGEA.encode(), url=URL, content_type="text/html")
    assert msgspec.convert(found, Article) == read(PANGEA)


def test_where_the_title_stands() -> None:
    og = '<meta property="og:title" content=" of\n the meta ">'
    assert read(f"<title>t</title>{og}<h1>h</h1>").title == "of the meta"
    assert read("<title>t</title><h1> <i>h</i> </h1>").title == "h"
    assert read("<title>t\n</title><h1></h1><p>x").title == "t"
    assert read("<p>x").title == ""


def test_where_the_text_stands() -> None:
    junk = "<nav>n</nav><aside>a</aside><footer>f</footer><form>o</form><script>s</script><style>y</style>"
    inner = f"{junk}<p>words</p>"
    for page in (
        f'<article><p>teaser</p><div itemprop="x articleBody">{inner}</div></article>',
        f'<main><p>other</p><div id="article-content">{inner}</div></main>',
        f"<article>less</article><article>{inner} </article>",
        f"<p>outside</p><main>{inner}</main>",
        "<form><article><p>words</p></article></form>",
        "<header>site</header><form><p>words</p></form>",
        "<article> </article><p>words</p>",
    ):
        assert texts(read(f"<body>{page}</body>")) == ["words"], page


def test_pictures_before_the_text_count_and_those_after_do_not() -> None:
    page = (
        '<img src="/logo"><article><img src="/lead" alt="l"><small>caption</small><p>by</p>'
        '<div itemprop="articleBody">x<img src="/in"></div><img src="/after"></article>'
    )
    article = read(page)
    assert places(article) == [("img-src", "lead"), ("img-src", "in")]
    assert next(one for one in article.references if one.url.endswith("/lead")).caption == "caption"
    assert [one.part for one in article.references] == ["page", "article", "article", "page"]
    assert [(block.kind, block.text) for block in article.blocks] == [
        ("picture", ""),
        ("paragraph", "x"),
        ("picture", ""),
    ]


def test_a_lead_picture_between_the_title_and_the_text_counts() -> None:
    lead = '<div><p>by</p><img src="/lead"><small>caption</small></div>'
    text = '<div id="article-content"><p>x</p></div>'
    page = f'<div><img src="/logo"><h1>t</h1>{lead}{text}</div><img src="/after">'
    article = read(page)
    assert places(article) == [("img-src", "lead")]
    assert [(block.kind, block.text) for block in article.blocks] == [("picture", ""), ("paragraph", "x")]
    assert places(read(page.replace("<h1>t</h1>", ""))) == []  # without a title nothing tells it from a logo


def test_what_pangea_puts_into_the_text_is_not_the_articles() -> None:
    """Its player's words, a teaser and the list for sharing; the player's posters are."""
    article = read(
        """<h1>t</h1><div id="article-content"><div class="wsw"><p>一</p>
<div class="media-block also-read"><a href="/a/2.html"><div class="thumb"><img data-src="/teaser.jpg"
src=""></div></a><span>Read also</span><h4>Another</h4></div><div class="c-mmp" data-poster="/p1.jpg">
<div class="c-mmp__poster js-poster"><img data-src="/p2.jpg" src=""></div><div class="c-spinner">
<img src="/player-spinner.png" alt="please wait"></div><span>No media source currently available</span>
<video poster="/p3.jpg"></video></div><ul class="share__list"><li>share</ul><p>二</p></div></div>"""
    )
    assert texts(article) == ["一", "二"]
    assert places(article) == [
        ("data-poster", "p1.jpg"),
        ("img-data-src", "p2.jpg"),
        ("img-src", "player-spinner.png"),
        ("video-poster", "p3.jpg"),
    ]
    assert [one.url.rpartition("/")[2] for one in article.references if one.unwanted] == [
        "player-spinner.png"
    ]
    assert [one.url[-10:] for one in article.references if one.part == "page"] == ["teaser.jpg"]


def test_the_nearest_article_or_main_counts() -> None:
    page = (
        '<main><img src="/other"><article><img src="/lead"><p itemprop="articleBody">x</p></article></main>'
    )
    assert places(read(page)) == [("img-src", "lead")]


def test_the_title_is_no_block() -> None:
    assert texts(read("<article><h1> the\ntitle</h1><p>x</p></article>")) == ["x"]


def test_base_and_relative_links() -> None:
    def resolved(head: str) -> str:
        return read(f'<head>{head}</head><img src="b.jpg">').references[0].url

    assert resolved("") == "https://www.example.org/a/slug/b.jpg"
    assert (
        resolved('<base target="x"><base href="/c/"><base href="/d/">') == "https://www.example.org/c/b.jpg"
    )
    assert resolved('<base href="//cdn.example.org">') == "https://cdn.example.org/b.jpg"
    assert resolved('<base href="data:,x">') == "https://www.example.org/a/slug/b.jpg"
    assert resolved('<base href="http://[">') == "https://www.example.org/a/slug/b.jpg"


def test_times_of_metas_are_kept_apart() -> None:
    page = (
        '<meta property="article:published_time" content="2020-01-02T03:04:05Z">'
        '<meta content="2020-01-03T00:00:00+08:00" property="article:modified_time">'
        '<meta name="DC.date" content="2020-01-02">'
        '<meta itemprop="datePublished" content="2020-01-04"><meta name="date" content="2020-01-02">'
        f'<meta name="pubdate" content="{"1" * 101}"><p>x'
    )
    article = read(page)
    assert [(claim.clock, claim.written, claim.value) for claim in article.times] == [
        ("meta", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z"),
        ("meta", "2020-01-04", None),
        ("meta", "2020-01-02", None),
        ("meta-modified", "2020-01-03T00:00:00+08:00", "2020-01-02T16:00:00Z"),
    ]
    assert article.left_out[0].startswith("meta of more than 100 characters: 1")


def linked(value: object) -> Article:
    return read(f'<script type="application/ld+json">{json.dumps(value)}</script><p>x')


def test_json_ld() -> None:
    node = {"@type": ["Thing", "ReportageNewsArticle"], "datePublished": "2020-01-01T00:00:00Z"}
    others = {"@type": "ItemList", "itemListElement": [node], "datePublished": "1999-01-01T00:00:00Z"}
    assert len(linked(node).times) == len(linked([others, {"@graph": [node]}]).times) == 1
    assert [claim.clock for claim in linked(others).times] == ["htmldate"]
    two = [node | {"datePublished": day} for day in ("2020-01-01", "2020-01-02")]
    assert [claim.written for claim in linked(two).times] == ["2020-01-01", "2020-01-02"]
    pictures = ["/a.jpg", {"url": "/b.jpg"}, {"contentUrl": "/c.jpg", "url": "/page"}, 7, None, "data:,x"]
    assert places(linked(node | {"image": pictures})) == [("json-ld-image", f"{name}.jpg") for name in "abc"]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"@type":"NewsArticle"', "1" * 5_000, "", "<!-- {} -->"], ids=len
)
def test_json_ld_that_is_not_json(text: str) -> None:
    article = read(f'<script type="application/ld+json">{text}</script><p>x')
    assert article.left_out[0].startswith("JSON-LD that is not JSON: 1")


def test_json_ld_with_lone_surrogates() -> None:
    article = linked({"@type": "NewsArticle", "datePublished": "\ud800", "image": "/\ud800.jpg"})
    assert msgspec.json.encode(article)


# --- encodings ----------------------------------------------------------------------------------

TEXT = "中文新聞"


@pytest.mark.parametrize(
    ("codec", "head", "content_type"),
    [
        ("utf-8", "", ""),
        ("utf-8-sig", "", "text/html; charset=gbk"),
        ("utf-16", "", "text/html; charset=utf-8"),
        ("gb18030", "", "text/html;charset=GB2312"),
        ("gb18030", '<meta charset="gb2312">', ""),
        (
            "gbk",
            '<meta http-equiv="Content-Type" content="text/html; charset=GBK">',
            "text/html; charset=none",
        ),
        ("big5hkscs", '<meta charset="gbk">', 'text/html; charset="big5"'),
        ("utf-8", '<meta charset="utf-16">', ""),
        ("utf-8", '<meta charset="zlib_codec">', "text/html; charset=idna"),
    ],
)
def test_encodings(codec: str, head: str, content_type: str) -> None:
    page = f"<head>{head}</head><p>{TEXT}".encode(codec)
    assert texts(read(page, content_type)) == [TEXT]


def test_bytes_outside_the_encoding_are_replaced() -> None:
    assert texts(read(b"<meta charset=utf-8><p>a\xff\xfeb")) == ["a��b"]


# --- what is no page ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF<html>", "binary"),
        (b"\x89PNG\r\n\x1a\n<p>", "binary"),
        (b"\x1f\x8b\x08\x00<p>", "binary"),
        ("<p>x".encode("utf-16-le"), "binary"),
        (b"Invalid url", "no HTML element"),
        (b'{"status":"error","code":404}', "no HTML element"),
        (b"", "no HTML element"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<rss version="2.0"><p>x</p></rss>', "root <rss>"),
        (b"<!-- x --><svg><a>", "root <svg>"),
        (b"<p>" + b"<div>" * 200_000, "too large"),
    ],
)
def test_what_is_no_page(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        read(data)


@pytest.mark.parametrize("url", ["", "/a/1.html", "https://", "http://[::1", "a" * 10_000])
def test_a_page_needs_a_url(url: str) -> None:
    with pytest.raises(SourceError, match="not a URL"):
        read("<p>x", url=url)


@pytest.mark.parametrize(
    "page",
    [
        "<article>" * 4_000 + "x",
        "<main>" + "<b>" * 150_000 + "<img src=a>",
        "<meta name=date content=x>" * 100_000,
        "<figure><img src=a><time datetime=x>" * 6_000,
        "<script type=application/ld+json>[]</script>" * 50_000,
        "<p>" + "<article>x</article>" * 40_000,
        "<!--" * 100_000 + "<p>",
        "<meta " * 100_000,
    ],
    ids=["articles", "inline", "metas", "figures", "scripts", "flat", "comments", "open"],
)
def test_tiring_pages_end_soon(page: str) -> None:
    started = time.process_time()
    with contextlib.suppress(SourceError):
        read(page)
    assert time.process_time() - started < 5


# --- properties ---------------------------------------------------------------------------------

PARTS = """<p> <div> </div> <article> </article> <main> <img src="a"> <img srcset="b,c"> <picture>
<source srcset="d"> </picture> <figure> <figcaption> </figure> <small> </small> <br> <time datetime="2020">
</time> <table> <td> <form> <nav> </nav> <h1> </h1> <video poster="e"> <template> <svg> <noscript> <a> <b>
</b> </p> <li> <base href="x"> <meta property="og:title" content="t">
<frameset> <select> &amp; \x00 x 啊 <!-- -->
<![CDATA[ </html> <html lang="x"> <blockquote itemprop="articleBody"> </blockquote>"""
SOUP = st.lists(st.sampled_from(re.split(r"(?<=>)\s|\s(?=[<&])", PARTS)), max_size=60)


@given(SOUP)
@settings(max_examples=300)
def test_any_soup_is_an_article_or_a_source_error(parts: list[str]) -> None:
    try:
        article = read(" ".join(parts))
    except SourceError:
        return
    shown = [block.picture for block in article.blocks if block.kind == "picture"]
    assert set(shown) <= {reference.number for reference in article.references}
    assert [reference.number for reference in article.references] == list(range(len(article.references)))
    assert len({reference.url for reference in article.references}) == len(article.references)
    assert all(block.text.strip() == block.text != "" for block in article.blocks if block.kind != "picture")
    assert msgspec.json.encode(article)


@given(
    st.binary(max_size=400) | st.binary(max_size=300).map(lambda tail: b"<p>" + tail), st.text(max_size=30)
)
@settings(max_examples=300)
def test_any_bytes_are_an_article_or_a_source_error(data: bytes, content_type: str) -> None:
    try:
        article = read(data, content_type)
    except SourceError:
        return
    assert msgspec.json.encode(article)


@given(
    st.lists(st.text(st.sampled_from("abc/:?=,.()-%"), min_size=1, max_size=20), max_size=6),
    st.sampled_from([" 1x", " 300w ", ""]),
)
def test_srcset_gives_back_its_urls(urls: list[str], descriptor: str) -> None:
    urls = [stripped for url in urls if (stripped := url.strip(","))]
    assert list(srcset_urls(", ".join(url + descriptor for url in urls))) == urls


def test_srcset_as_browsers_read_it() -> None:
    assert list(srcset_urls("a 1x,b 2x")) == ["a", "b"]
    assert list(srcset_urls("a,b")) == ["a,b"]
    assert list(srcset_urls(" ,a,, b (1x, 2x), c\n2x")) == ["a", "b", "c"]
    assert list(srcset_urls("a (1x, b")) == ["a"]
    assert list(srcset_urls(" , ")) == []
