"""Which text of a page is the article's, with trafilatura and without; authors, section, language; links."""

import sys
import types

import msgspec
import pytest

from archiver.errors import SourceError
from archiver.model import Article, Listing
from archiver.sandbox import Sandbox
from archiver.sources import read_page
from archiver.sources.pages.links import read_links
from archiver.sources.pages.text import MARKUP_TAGS, chosen

URL = "https://www.example.org/a/1.html"
PARAGRAPHS = [
    "两岸代表周三在河边会谈，谈到航道与渡轮，双方都说会谈是有益的，并将在下周继续举行。",
    "渡轮公司的发言人说，航道在夏天会更浅，船只必须等候涨潮才能靠岸，乘客因此要多等一个小时。",
    "当地居民对此表示担忧，一位在码头卖鱼的老人说，他已经在这里生活了六十年，从没见过这样的水位。",
    "专家指出，上游的水库今年蓄水较多，下游水量减少，这一情况可能持续到明年春天。",
    "会谈结束后双方没有举行记者会，只发表了一份简短的声明。",
]
MENU = "".join(
    f'<li><a href="/{n}">{word}</a></li>' for n, word in enumerate(("首页", "国际", "财经", "体育", "天气"))
)
CHINESE = f"""<html lang="zh-Hans"><head><title>河边会谈 - 某报</title></head><body>
<div class="top"><ul>{MENU}</ul></div><div class="x1"><div class="x2"><h1>河边会谈</h1>
{"".join(f"<p>{text}</p>" for text in PARAGRAPHS)}</div></div>
<div class="more"><h3>更多新闻</h3><ul><li><a href="/8">昨日股市收高，投资者等待央行决定</a></li>
<li><a href="/9">大雨使三条铁路停运</a></li></ul></div>
<div class="footer"><p>版权所有，未经许可不得转载。</p><a href="/about">关于我们</a></div></body></html>"""


def read(page: str, **options: int) -> Article:
    return msgspec.convert(read_page(page.encode(), url=URL, **options), Article)


def texts(article: Article) -> list[str]:
    return [block.text for block in article.blocks if block.kind != "picture"]


def test_a_chinese_page_without_any_mark() -> None:
    article = read(CHINESE)
    assert article.reader.startswith("trafilatura 2.")
    assert texts(article) == PARAGRAPHS


def test_a_page_comes_out_in_the_sandbox_with_its_reader() -> None:
    with Sandbox() as sandbox:
        assert sandbox.read(Article, read_page, CHINESE.encode(), url=URL) == read(CHINESE)


def test_without_the_library_the_own_rule_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    article = read(CHINESE)
    assert article.reader == "own rule: trafilatura is not installed"
    assert set(PARAGRAPHS) <= set(texts(article))


@pytest.mark.parametrize("failure", [ValueError("x"), RecursionError(), AttributeError("y"), MemoryError()])
def test_where_the_library_fails_no_text_is_lost(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    library = types.ModuleType("trafilatura")

    def fail(*_: object, **__: object) -> None:
        raise failure

    library.__version__ = "9.9"
    library.bare_extraction = fail
    monkeypatch.setitem(sys.modules, "trafilatura", library)
    article = read(CHINESE)
    assert article.reader == f"own rule: trafilatura 9.9 failed: {type(failure).__name__}"
    assert set(PARAGRAPHS) <= set(texts(article))


def test_the_library_can_be_kept_out() -> None:
    article = read(CHINESE, library=0)
    assert article.reader == "own rule: trafilatura was not asked"
    assert set(PARAGRAPHS) <= set(texts(article))


def test_a_large_page_is_not_given_to_the_library() -> None:
    article = read(f"<article><p>{PARAGRAPHS[0]}</p></article>" + "<b>x</b>" * (MARKUP_TAGS // 2))
    assert "too large" in article.reader
    assert texts(article) == [PARAGRAPHS[0]]


def test_a_short_article_in_its_own_place_is_kept_whole() -> None:
    page = "<div><p>Menu and other words</p></div><article><p>One.</p><p>Two.</p></article><p>Three.</p>"
    article = read(page)
    assert texts(article) == ["One.", "Two."]
    assert article.reader.endswith("found too little")


def test_chosen_is_by_runs_of_characters() -> None:
    text = f"- {PARAGRAPHS[0]}\n{PARAGRAPHS[1][:30]} {PARAGRAPHS[1][30:]}\nshort one"
    pieces = [
        *PARAGRAPHS[:3],
        PARAGRAPHS[0][:20],
        "short  one",
        "short",
        "",
        PARAGRAPHS[1].replace("，", "，\n"),
    ]
    assert chosen(pieces, text) == [True, True, False, True, True, False, False, True]


# --- metadata -----------------------------------------------------------------------------------


def linked(json: str) -> str:
    return f'<script type="application/ld+json">{{"@type":"NewsArticle",{json}}}</script>'


@pytest.mark.parametrize(
    ("head", "authors"),
    [
        (linked('"author":{"@type":"Person","name":"A B"}'), ("A B",)),
        (linked('"author":[{"name":"A B"},"C &amp; D",{"name":["E"]}]'), ("A B", "C & D", "E")),
        ('<meta name="author" content="王 小明">', ("王 小明",)),
        (
            '<meta property="article:author" content="https://f.example/x"><meta name=author content=B>',
            ("B",),
        ),
        ('<body><a rel="author" href="/x"> A\n B </a>', ("A B",)),
        ('<body><i itemprop="author"><b itemprop="name">A</b> writes</i>', ("A",)),
        (linked('"author":7') + '<meta name="author" content="A"><meta name="author" content="A">', ("A",)),
    ],
)
def test_authors(head: str, authors: tuple[str, ...]) -> None:
    assert read(f"{head}<p>x").authors == authors


@pytest.mark.parametrize(
    ("head", "section"),
    [
        ('<meta property="article:section" content="World">', "World"),
        (linked('"articleSection":"Asia &amp;amp; more"'), "Asia &amp; more"),
        (linked('"articleSection":["国际","财经"]'), "国际"),
        ("", ""),
    ],
)
def test_section(head: str, section: str) -> None:
    assert read(f"{head}<p>x").section == section


@pytest.mark.parametrize(
    ("page", "language"),
    [
        ('<html lang="zh-Hant"><meta property="og:locale" content="zh_TW">', "zh-Hant"),
        ('<meta property="og:locale" content="zh_TW">', "zh-TW"),
        ('<meta http-equiv="Content-Language" content="de">', "de"),
        (linked('"inLanguage":"fr"'), "fr"),
    ],
)
def test_language(page: str, language: str) -> None:
    assert read(f"{page}<p>x").language == language


def test_a_date_that_only_the_library_finds_is_its_own_claim() -> None:
    article = read(
        CHINESE.replace('<div class="footer">', '<div class="date">2023-11-08</div><div class="footer">')
    )
    assert [(claim.clock, claim.written, claim.value) for claim in article.times] == [
        ("htmldate", "2023-11-08", None)
    ]


# --- links --------------------------------------------------------------------------------------


def links(page: str | bytes, url: str = URL, content_type: str = "") -> Listing:
    data = page.encode() if isinstance(page, str) else page
    return msgspec.convert(read_links(data, url=url, content_type=content_type), Listing)


def test_the_links_of_a_section_page() -> None:
    listing = links(
        '<title>World</title><base href="/b/">'
        '<link rel="alternate" type="application/rss+xml" href="/f" title="F">'
        '<link rel="alternate" hreflang="de" href="/de"><link rel="stylesheet" href="/s.css">'
        '<link rel="alternate" type="application/feed+json; charset=utf-8" href="/j">'
        '<a href="x.html#top" rel="nofollow"> one\n <b>two</b></a><a href="x.html">again</a><a name="x">n</a>'
        '<a href="mailto:a@example.org">m</a><a href="javascript:x()">j</a><a href="http://[">bad</a>'
        '<a href="https://BÜCHER.example:443/ü?q=1#f"><img alt="pic"></a>'
        '<map><area href="//o.example" alt="Z"></map>'
    )
    assert (listing.kind, listing.title, listing.url) == ("section", "World", URL)
    assert [(link.url, link.role, link.title) for link in listing.links] == [
        ("https://www.example.org/f", "feed", "F"),
        ("https://www.example.org/j", "feed", ""),
        ("https://www.example.org/b/x.html", "page", "one two"),
        ("https://xn--bcher-kva.example/%C3%BC?q=1", "page", "pic"),
        ("https://o.example/", "page", "Z"),
    ]
    assert listing.left_out[0].startswith("link that is no http or https URL: 3")


def test_links_of_an_encoded_page() -> None:
    assert links("<meta charset=gbk><a href=/a>国际</a>".encode("gbk")).links[0].title == "国际"
    big5 = "<a href=/a>國際</a>".encode("big5")
    assert links(big5, content_type="text/html; charset=big5").links[0].title == "國際"


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"Invalid url", b"<rss><a href=/x></a></rss>"])
def test_what_has_no_links(data: bytes) -> None:
    with pytest.raises(SourceError, match="not a web page"):
        links(data)


def test_many_links_end_soon() -> None:
    assert len(links("".join(f"<a href=/{n}>x</a>" for n in range(60_000))).links) == 60_000
    assert links("<table><tr><td><a href=/x>" * 4_900 + "x" * 100_000).links[0].url.endswith("/x")
