"""Mirror documents: every shape of the grammar, the three clocks, pictures with their captions."""

import html
from pathlib import Path

import ada_url
import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archiver.errors import SourceError
from archiver.model import Article
from archiver.sandbox import Sandbox
from archiver.sources import is_mirror_document, read_document

SAMPLE = Path(__file__).parents[2] / "shared" / "samples" / "000_eb24c55ad338b572.txt"
URL = "https://www.example.org/a/1.html"
PROXIED = "https://images.weserv.nl/?url=img.example.org"


def document(body: str, title: str = "标题", url: str = URL, stamp: str = "1699468744000") -> bytes:
    return f"<!--{stamp}-->\n[{title}]({url})\n------\n\n{body}\n".encode()


def read(data: bytes) -> Article:
    assert is_mirror_document(data)
    return msgspec.convert(read_document(data), Article)


def texts(article: Article, kind: str = "paragraph") -> list[str]:
    return [block.text for block in article.blocks if block.kind == kind]


def clocks(article: Article) -> list[tuple[str, str, str | None]]:
    return [(claim.clock, claim.written, claim.value) for claim in article.times]


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample is not part of the repository")
def test_the_sample() -> None:
    article = read(SAMPLE.read_bytes())
    assert article.title == "普京会见张又侠，盛赞中俄高科技军事合作"
    assert article.url.endswith("-20231108/7346943.html")
    assert clocks(article) == [
        ("comment", "1699468744000", "2023-11-08T18:39:04Z"),
        ("printed", "Wed, 08 Nov 2023 18:25:56 GMT", "2023-11-08T18:25:56Z"),
    ]
    lead, inner = article.references
    assert lead.written.startswith("https://images.weserv.nl?url=gdb.voanews.com/01000000-0a00-0242-1524")
    assert lead.url == lead.written.replace("nl?", "nl/?")
    assert lead.caption.startswith("俄罗斯总统普京在莫斯科会见中共中央军委副主席张又侠，俄罗斯国防部长")
    assert lead.alt == ""
    assert (
        inner.alt == inner.caption == "俄罗斯总统普京在莫斯科会见中共中央军委副主席张又侠。（2023年11月8日）"
    )
    assert [reference.place for reference in article.references] == ["img-src", "img-src"]
    kinds = "".join(block.kind[:2] for block in article.blocks)
    assert kinds == "pi" + "pa" * 4 + "pi" + "pa" * 14
    assert texts(article)[0].startswith("俄罗斯总统普京周三")
    assert not {lead.caption, inner.caption, article.title} & set(texts(article))
    assert not any("GMT" in text for text in texts(article))
    assert article.left_out == ()


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample is not part of the repository")
def test_the_sample_in_the_sandbox() -> None:
    data = SAMPLE.read_bytes()
    with Sandbox() as sandbox:
        assert msgspec.convert(sandbox.call(read_document, data), Article) == read(data)
        assert sandbox.call(is_mirror_document, data) is True


# --- the head -----------------------------------------------------------------------------------

HEADS = {
    "plain": document("<p>x</p>"),
    "not-a-number": document("<p>x</p>", stamp="NaN"),
    "before-1970": document("<p>x</p>", stamp="-1"),
    "crlf": document("<p>x</p>").replace(b"\n", b"\r\n"),
    "byte-order-mark": b"\xef\xbb\xbf" + document("<p>x</p>"),
    "body-in-div": document("<div>\n<p>x</p>\n</div>"),
    "whole-in-div": b"<div>\n" + document("<p>x</p>") + b"</div>\n",
    "whole-in-div-with-attributes": b'<div class="post">' + document("<p>x</p>") + b"</div>",
    "no-blank-line": document("<p>x</p>").replace(b"------\n\n", b"------\n"),
    "blank-lines": b"\n" + document("<p>x</p>").replace(b"-->\n", b" -->\n\n"),
    "no-last-newline": document("<p>x</p>").rstrip(),
    "front-matter": b"---\nlayout: post\ntitle: other\ntags: [ a ]\n---\n" + document("<p>x</p>"),
    "front-matter-no-comment": f"---\nlayout: post\n---\n[标题]({URL})\n------\n\n<p>x</p>".encode(),
    "front-matter-only": f'---\ntitle: "标题"\nfrom: {URL}\n---\n\n<p>x</p>\n'.encode(),
    "front-matter-and-comment": f"---\ntitle: 标题\nlink: '{URL}'\n---\n<!--1-->\n<p>x</p>\n".encode(),
}


@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS.keys())
def test_every_shape_of_the_head(data: bytes) -> None:
    article = read(data)
    assert (article.title, article.url, texts(article)) == ("标题", URL, ["x"])


@pytest.mark.parametrize(
    "title",
    [
        "a](b",
        "[1] and (2)",
        "see [x](http://other.example/) too",
        "two\nlines",
        "ends with ](",
        ")\n------",
        "&amp; <b>",
        "",
    ],
)
def test_titles_are_verbatim(title: str) -> None:
    article = read(document("<p>x</p>", title=title))
    assert (article.title, article.url) == (title, URL)


@pytest.mark.parametrize("url", ["https://e.org/a_(b).html", "https://e.org/(((", "http://e.org/x?y=](z)"])
def test_urls_may_hold_parentheses(url: str) -> None:
    assert read(document("", title="t", url=url)).url == url


NOT_DOCUMENTS = {
    "list": b"voa\n------\n\n2-15 [title](/articles/voa/1022800.md)\n",
    "list-of-links": b"[title](https://www.example.org/)\n------\n\n- x\n",
    "setext-heading": "标题 by author\n------\n\n**2020-10-11**\nbody".encode(),
    "changes": b"Version 1.2\n-----------\n**2020-10-11**\n\n- body",
    "relative-link": document("", url="/a/1.html"),
    "no-host": document("", url="https://"),
    "space-in-url": document("", url="https://e.org/a b"),
    "no-rule": document("x").replace(b"------", b"-----"),
    "letters-for-time": document("x", stamp="yesterday"),
    "read-me": f"# t\n\nSee [the site]({URL}).\n\n> quoted: words\n".encode(),
    "front-matter-without-title": f"---\nlink: {URL}\n---\n<p>x</p>".encode(),
    "front-matter-without-link": b"---\ntitle: t\n---\n<p>x</p>",
    "page": b"<!doctype html><html><body><p>x</p></body></html>",
    "empty": b"",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("data", NOT_DOCUMENTS.values(), ids=NOT_DOCUMENTS.keys())
def test_what_is_no_mirror_document(data: bytes) -> None:
    assert not is_mirror_document(data)
    with pytest.raises(SourceError, match="not a mirror document"):
        read_document(data)


def test_front_matter_scalars() -> None:
    fields = (
        f"title: 'it''s: \"so\"'\ndate: 2020-10-11 08:00:00 +0800 # local\nfrom: {URL}\ndate: 1999-01-01\n"
    )
    article = read(f"---\n{fields}---\n<p>".encode())
    assert article.title == 'it\'s: "so"'
    assert clocks(article) == [("front-matter", "2020-10-11 08:00:00 +0800", "2020-10-11T00:00:00Z")]
    escaped = read(f'---\ntitle: "\\u6807\\"x"\nurl: {URL}\n---\n'.encode())
    assert escaped.title == '标"x'


# --- times --------------------------------------------------------------------------------------


def test_times_of_the_comment() -> None:
    def comment(stamp: str) -> str | None:
        return read(document("", stamp=stamp)).times[0].value

    assert comment("1699468744000") == "2023-11-08T18:39:04Z"
    assert comment("1699468744120") == "2023-11-08T18:39:04.12Z"
    assert comment("-1") == "1969-12-31T23:59:59.999Z"
    assert comment("NaN") is None
    assert comment("99999999999999999") is None


@pytest.mark.parametrize(
    ("body", "written", "value", "authors"),
    [
        (
            "<div><i>Wed, 08 Nov 2023 18:25:56 GMT</i></div>",
            "Wed, 08 Nov 2023 18:25:56 GMT",
            "2023-11-08T18:25:56Z",
            (),
        ),
        (
            "<div><i>作者<br>2025-02-15T08:03:55.243Z</i></div>",
            "2025-02-15T08:03:55.243Z",
            "2025-02-15T08:03:55.243Z",
            ("作者",),
        ),
        (
            "<div><i><br>2025-02-12T10:44:45+08:00</i></div>",
            "2025-02-12T10:44:45+08:00",
            "2025-02-12T02:44:45Z",
            (),
        ),
        (
            '<address>A</address><time pudate="x" datetime="2025-02-14 05:24:00">2025年</time><figure>',
            "2025-02-14 05:24:00",
            None,
            ("A",),
        ),
        ('<time dateTime="2020-10-11">11 Oct</time><p></p>', "2020-10-11", None, ()),
        ("<div>26/09/2023 - 10:44</div>", "26/09/2023 - 10:44", None, ()),
    ],
)
def test_printed_dates(body: str, written: str, value: str | None, authors: tuple[str, ...]) -> None:
    article = read(document(body + "<p>words</p>"))
    assert clocks(article)[1:] == [("printed", written, value)]
    assert (article.authors, texts(article)) == (authors, ["words"])


def test_authors_are_printed_alone_above_the_date() -> None:
    article = read(document("<div><i>one<br>two<br>2025-02-15T08:03:55.243Z</i></div><p>words</p>"))
    assert (article.authors, texts(article)) == ((), ["one\ntwo", "words"])
    article = read(document("<address>A</address><p>words</p>"))
    assert (article.authors, texts(article)) == ((), ["A", "words"])


def test_a_date_far_below_is_text() -> None:
    article = read(document("<p>a</p>" * 6 + "<p>2020-10-11</p>"))
    assert [claim.clock for claim in article.times] == ["comment"]
    assert texts(article)[-1] == "2020-10-11"


# --- pictures -----------------------------------------------------------------------------------


def test_relative_links_and_character_references() -> None:
    article = read(
        document('<img src="/i/a.jpg?x=1&amp;y=2"><img src=" b.jpg\n#top"><img src="//cdn.example.org/c">')
    )
    assert [(r.written, r.url) for r in article.references] == [
        ("/i/a.jpg?x=1&y=2", "https://www.example.org/i/a.jpg?x=1&y=2"),
        (" b.jpg\n#top", "https://www.example.org/a/b.jpg"),
        ("//cdn.example.org/c", "https://cdn.example.org/c"),
    ]


def test_captions_reach_their_pictures_and_no_paragraph() -> None:
    body = (
        f'<img src="{PROXIED}/1.jpg"><div><small>after</small></div><p>a</p>'
        f'<div ><img src="{PROXIED}/2.jpg"/><div><small>same wrapper</small></div></div>'
        f'<p>b<img src="{PROXIED}/3.jpg"><small style="color: #999;">inline</small></p>'
        f'<figure><figcaption>above <cite>who</cite></figcaption><img src="{PROXIED}/4.jpg"></figure>'
        f'<div class="wp-caption"><img src="{PROXIED}/5.jpg"><p class="x wp-caption-text">press</p></div>'
        "<p>c <small>small print</small></p><small>lone</small>"
    )
    article = read(document(body))
    assert [r.caption for r in article.references] == [
        "after",
        "same wrapper",
        "inline",
        "above who",
        "press",
    ]
    assert texts(article) == ["a", "b", "c small print", "lone"]


def test_a_caption_is_not_given_to_another_picture() -> None:
    body = (
        f'<img src="{PROXIED}/1.jpg"><p>x</p><img src="data:image/gif;base64,AA=="><small>of the data</small>'
    )
    article = read(document(body + "<figure><figcaption>of no picture</figcaption></figure>"))
    assert [r.caption for r in article.references] == [""]
    assert texts(article) == ["x", "of the data", "of no picture"]


def test_one_picture_twice_is_one_reference() -> None:
    body = (
        '<noscript><img src="/a.jpg"></noscript>'
        '<img src="data:image/svg+xml,x" data-src="/a.jpg" alt="later" data-srcset="/a.jpg 8w, /b.jpg 3w">'
        '<p id="c" class="wp-caption-text">words</p>'
    )
    article = read(document(body))
    assert [(r.url[-5:], r.place, r.alt, r.caption) for r in article.references] == [
        ("a.jpg", "img-src", "later", "words"),
        ("b.jpg", "img-data-srcset", "later", "words"),
    ]
    assert [(b.kind, b.picture) for b in article.blocks] == [("picture", 0)]


def test_sources_posters_and_sets() -> None:
    body = (
        '<picture><source srcset="a,b.webp 1x, c.webp 2x"><source src="d.webp"><img src="e.jpg" alt="alt">'
        "</picture>"
        '<video poster="f.jpg"><source src="film.mp4"></video><picture><source srcset="g.webp,"></picture>'
    )
    article = read(document(body))
    found = [(r.written, r.place, r.alt) for r in article.references]
    assert found == [
        ("a,b.webp", "source-srcset", "alt"),
        ("c.webp", "source-srcset", "alt"),
        ("d.webp", "source-src", "alt"),
        ("e.jpg", "img-src", "alt"),
        ("f.jpg", "video-poster", ""),
        ("g.webp", "source-srcset", ""),
    ]
    assert [block.picture for block in article.blocks] == [3, 4, 5]


def test_what_is_left_out_is_told() -> None:
    body = '<img src=""><img src><img src="data:,x"><img src="http://[::"><img src="blob:x"><img src="ftp://h/a">'
    article = read(
        document(body + f'<img src="/{"a" * 4000}"><img src="/{"啊" * 1000}"><img alt="{"x" * 4001}" src=b>')
    )
    assert [r.written for r in article.references] == ["b"]
    assert article.references[0].alt == ""
    assert [told.rpartition(",")[0] for told in article.left_out] == [
        "img-src that is no URL: 1",
        "img-src that is not http or https: 2",
        "img-src of more than 4000 characters: 2",
        "alt text of more than 4000 characters: 1",
    ]


def test_more_pictures_than_the_limit_are_counted() -> None:
    article = read(document("".join(f"<img src={n}.jpg>" for n in range(2_100))))
    assert len(article.references) == len(article.blocks) == 2_000
    assert article.left_out[0].startswith(
        "picture beyond the first 2000: 100, the first 'https://www.example.org/a/2000"
    )


# --- text ---------------------------------------------------------------------------------------


def test_blocks_in_reading_order() -> None:
    body = (
        "<h2>Head</h2><p>one<br/>line<br /> <br>two</p>loose <b>text</b><ul><li>first<li>second</ul>"
        "<blockquote><p>said</p></blockquote><script>no()</script><style>p{}</style><p>&nbsp;</p>"
        "<footer><p>signed</p></footer><a href='/a/2.html'></a>"
    )
    article = read(document(body))
    assert [(block.kind, block.text) for block in article.blocks] == [
        ("heading", "Head"),
        ("paragraph", "one\nline"),
        ("paragraph", "two"),
        ("paragraph", "loose text"),
        ("item", "first"),
        ("item", "second"),
        ("quote", "said"),
        ("paragraph", "signed"),
    ]


def test_the_title_is_no_paragraph() -> None:
    article = read(document("<h1>标题</h1><p>x</p>"))
    assert [(block.kind, block.text) for block in article.blocks] == [("paragraph", "x")]


# --- properties ---------------------------------------------------------------------------------


@given(st.binary(max_size=300) | st.builds(lambda tail: document("")[:-1] + tail, st.binary(max_size=300)))
@settings(max_examples=300)
def test_any_bytes_are_an_article_or_a_source_error(data: bytes) -> None:
    if is_mirror_document(data):
        assert msgspec.json.encode(msgspec.convert(read_document(data), Article))
    else:
        with pytest.raises(SourceError):
            read_document(data)


WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
TITLES = st.text(
    st.sampled_from("[]()\n-! :/http啊\"'<>&x") | st.characters(exclude_categories=("Cs",)), max_size=60
)


@given(
    title=TITLES, path=st.text(st.sampled_from("()[]-/?&=%啊ab"), max_size=30), stamp=st.integers(0, 2**43)
)
@settings(max_examples=300)
def test_wild_heads_round_trip(title: str, path: str, stamp: int) -> None:
    url = ada_url.normalize_url(f"https://e.org/{path}")
    title = title.replace("\r", "")
    assume("](http" not in url)
    article = read(document("<p>x</p>", title=title, url=url, stamp=str(stamp)))
    assert (article.title, article.url, texts(article)) == (title.strip(), url, ["x"])
    assert article.times[0].written == str(stamp)


@given(st.lists(WORDS | st.integers(0, 9), max_size=12))
def test_bodies_round_trip(parts: list[str | int]) -> None:
    body = "".join(
        f'<img src="/{part}.jpg">' if isinstance(part, int) else f"<p>{html.escape(part)}</p>"
        for part in parts
    )
    article = read(document(body, title="no such words, " * 5))
    expected: list[str | int] = []
    for part in parts:
        plain = " ".join(part.strip().split(" ")) if isinstance(part, str) else part
        while isinstance(plain, str) and "  " in plain:
            plain = plain.replace("  ", " ")
        if plain != "" and not (isinstance(plain, int) and expected[-1:] == [plain]):
            expected.append(plain)
    urls = [int(reference.url[-5]) for reference in article.references]
    found = [block.text if block.picture is None else urls[block.picture] for block in article.blocks]
    assert found == expected
    assert urls == list(dict.fromkeys(part for part in parts if isinstance(part, int)))
