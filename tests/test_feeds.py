"""Feeds in the shapes that publishers serve: what their items say, as written, and what is left out."""

import gzip
import html
import json

import msgspec
import pytest

from archiver.errors import SourceError
from archiver.model import Article, Listing
from archiver.sources import read_listing

URL = "https://www.example.org/feed.xml"
MARKUP = '<p>One</p><img src="/b.jpg" alt="a"><p>Two</p>'
DATE = "Wed, 08 Nov 2023 18:25:56 GMT"
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)


def read(text: str | bytes, url: str = URL, content_type: str = "") -> Listing:
    data = text.encode() if isinstance(text, str) else text
    listing = msgspec.convert(read_listing(data, url=url, content_type=content_type), Listing)
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(listing)), Listing) == listing
    assert listing.kind == "feed"
    return listing


def rss(content: str, head: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {SPACES}><channel><title>Paper</title>'
        f"<link>https://www.example.org/</link>{head}{content}</channel></rss>"
    )


def item(content: str, head: str = "") -> Article:
    """The one item of an RSS 2.0 feed."""
    (article,) = read(rss(f"<item><link>/a/1.html</link>{content}</item>", head)).articles
    return article


def entry(content: str, head: str = "") -> Article:
    """The one entry of an Atom feed."""
    text = f'<feed xmlns="http://www.w3.org/2005/Atom" {head}><entry>{content}</entry></feed>'
    (article,) = read(text).articles
    return article


def pictures(article: Article) -> list[tuple[str, str]]:
    assert [reference.number for reference in article.references] == list(range(len(article.references)))
    return [(reference.url, reference.place) for reference in article.references]


def texts(article: Article) -> list[str]:
    return [block.text for block in article.blocks if block.kind != "picture"]


def clocks(article: Article) -> list[tuple[str, str]]:
    return [(claim.clock, claim.written) for claim in article.times]


# --- the shapes of publishers -------------------------------------------------------------------


def test_voa_with_false_enclosures() -> None:
    article = item(
        "<title>标题</title><description>提要。</description>"
        f"<guid>https://www.voachinese.com/a/7346943.html</guid><pubDate>{DATE}</pubDate>"
        "<category>中国</category><author>noreply@voanews.com (美国之音)</author>"
        '<enclosure url="http://gdb.voanews.com/1_cx0_cy20_cw0_w800_h450.png" length="3123"'
        ' type="image/jpeg"/>'
    )
    assert (article.kind, article.title, article.url) == ("item", "标题", "https://www.example.org/a/1.html")
    assert (article.section, article.authors) == ("中国", ("美国之音",))
    assert [(claim.clock, claim.value) for claim in article.times] == [
        ("feed-published", "2023-11-08T18:25:56Z")
    ]
    assert pictures(article) == [("http://gdb.voanews.com/1_cx0_cy20_cw0_w800_h450.png", "enclosure")]
    assert texts(article) == ["提要。"]


def test_feedx_full_text_on_one_line() -> None:
    body = (
        f"<div><i>{DATE}</i></div>"
        '<img src="https://images.weserv.nl?url=gdb.voanews.com/1_w900.jpg" width="100%">'
        '<div><small style="color: #999;">说明</small></div><p>一<br /><br />二</p>'
        '<a href="/a/7317251.html"></a>'
    )
    article = item(
        f"<title>t</title><description><![CDATA[{body}]]></description><pubDate>Invalid Date</pubDate>"
    )
    assert clocks(article) == [("feed-published", "Invalid Date"), ("printed", DATE)]
    assert pictures(article) == [("https://images.weserv.nl/?url=gdb.voanews.com/1_w900.jpg", "img-src")]
    assert article.references[0].caption == "说明"
    assert texts(article) == ["一", "二"]


def test_rsshub_with_an_image_template() -> None:
    written = "https://images.weserv.nl?url=https%3A%2F%2Fe.org%2Fa.jpg"
    body = f'<img src="{written}" referrerpolicy="no-referrer"><p>一</p>'
    article = item(
        f"<title>一 &amp; 二</title><description>{html.escape(body)}</description>"
        f'<guid isPermaLink="false">x-1</guid><author>记者</author><pubDate>{DATE}</pubDate>'
        "<category>甲</category><category>乙</category>",
        "<generator>RSSHub</generator><language>zh-cn</language>",
    )
    assert article.title == "一 & 二"
    assert (article.section, article.language, article.authors) == ("甲", "zh-cn", ("记者",))
    assert article.references[0].written == written


def test_wordpress() -> None:
    article = item(
        "<title>Post</title><dc:creator><![CDATA[Ada Merrow]]></dc:creator>"
        '<guid isPermaLink="false">https://www.example.org/?p=7</guid>'
        "<description><![CDATA[<p>Excerpt [&#8230;]</p><img src='thumb.jpg'>]]></description>"
        f"<content:encoded><![CDATA[{MARKUP}<p>More</p>]]></content:encoded>"
        "<source url='https://other.example/feed'><title>not mine</title></source>"
    )
    assert (article.title, article.authors) == ("Post", ("Ada Merrow",))
    assert texts(article) == ["One", "Two", "More"]
    assert pictures(article) == [
        ("https://www.example.org/b.jpg", "img-src"),
        ("https://www.example.org/a/thumb.jpg", "img-src"),
    ]


def test_bbc_and_guardian_media() -> None:
    article = item(
        "<title><![CDATA[News]]></title><description><![CDATA[A summary.]]></description>"
        '<media:thumbnail width="240" height="135" url="https://ichef.bbci.co.uk/ace/standard/240/cpsprodpb/1.jpg"/>'
        '<media:content width="140" url="https://i.guim.co.uk/img/media/1/master/4.jpg?width=140&amp;s=3a">'
        '<media:credit scheme="urn:ebu">Photograph: A</media:credit></media:content>'
        '<media:content url="https://v.example/film" medium="video"><media:title>Film</media:title>'
        '<media:thumbnail url="https://v.example/still"/></media:content>'
        f"<dc:date>2023-11-08T18:25:56Z</dc:date><pubDate>{DATE}</pubDate>"
    )
    assert article.title == "News"
    assert pictures(article) == [
        ("https://ichef.bbci.co.uk/ace/standard/240/cpsprodpb/1.jpg", "media:thumbnail"),
        ("https://i.guim.co.uk/img/media/1/master/4.jpg?width=140&s=3a", "media:content"),
        ("https://v.example/still", "media:thumbnail"),
    ]
    assert clocks(article) == [("feed-date", "2023-11-08T18:25:56Z"), ("feed-published", DATE)]
    (told,) = article.left_out
    assert told.startswith("media:content that is no picture, not fetched: 1")


def test_youtube_group() -> None:
    article = entry(
        '<title>Film</title><link rel="alternate" href="https://www.youtube.com/watch?v=1"/>'
        "<author><name>Channel</name><uri>https://www.youtube.com/c</uri></author>"
        "<published>2023-11-08T18:25:56+00:00</published><updated>2023-11-09T00:00:00+00:00</updated>"
        '<media:group><media:title>Other</media:title><media:content url="https://www.youtube.com/v/1"'
        ' type="application/x-shockwave-flash"/><media:thumbnail url="https://i1.ytimg.com/vi/1/hqdefault.jpg"/>'
        "<media:description>Words</media:description></media:group>",
        'xmlns:media="http://search.yahoo.com/mrss/"',
    )
    assert (article.title, article.authors) == ("Film", ("Channel",))
    assert [clock for clock, _ in clocks(article)] == ["feed-published", "feed-updated"]
    assert pictures(article) == [("https://i1.ytimg.com/vi/1/hqdefault.jpg", "media:thumbnail")]


def test_podcast() -> None:
    article = item(
        "<title>Episode 1</title><itunes:title>Other</itunes:title><itunes:author>Host</itunes:author>"
        '<itunes:image href="https://cdn.example/cover.jpg"/><itunes:summary>Notes.</itunes:summary>'
        '<enclosure url="https://cdn.example/1.mp3?x=1" length="9" type="audio/mpeg"/>',
        '<itunes:image href="https://cdn.example/show.jpg"/><image><url>https://x.example/logo.png</url></image>',
    )
    assert (article.authors, texts(article)) == (("Host",), ["Notes."])
    assert pictures(article) == [("https://cdn.example/cover.jpg", "itunes:image")]
    assert article.left_out == (
        "enclosure that is no picture, not fetched: 1, the first 'https://cdn.example/1.mp3?x=1 audio/mpeg'",
    )


def test_atom_with_escaped_html() -> None:
    article = entry(
        '<title type="html">A &amp;amp; &lt;b&gt;B&lt;/b&gt;</title><link href="a/1.html"/><id>tag:x</id>'
        '<link rel="enclosure" type="image/png" href="/e"/><link rel="self" href="/self"/>'
        f'<category term="t" label="Label"/>'
        f'<content type="html" xml:lang="de">{html.escape(MARKUP)}</content>'
        "<summary>One</summary>",
        'xml:base="https://b.example/x/" xml:lang="en"',
    )
    assert (article.title, article.url) == ("A & B", "https://b.example/x/a/1.html")
    assert (article.section, article.language) == ("Label", "de")
    assert pictures(article) == [("https://b.example/b.jpg", "img-src"), ("https://b.example/e", "enclosure")]
    assert texts(article) == ["One", "Two"]


def test_atom_with_xhtml_and_text() -> None:
    article = entry(
        '<title>1 &lt; 2 &amp;amp; 3</title><link href="https://e.org/a/1.html"/>'
        '<content type="xhtml" xml:base="../i/">'
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>One &lt;b&gt;<br/>two</p>'
        '<img src="c.jpg" alt="&quot;x"/></div>'
        "</content>",
        'xml:base="https://e.org/feeds/"',
    )
    assert article.title == "1 < 2 &amp; 3"
    assert texts(article) == ["One <b>\ntwo"]
    assert pictures(article) == [("https://e.org/i/c.jpg", "img-src")]
    assert article.references[0].alt == '"x'
    plain = entry('<link href="/1"/><summary type="text">a &lt;b&gt;\n\nc</summary>')
    assert texts(plain) == ["a <b>", "c"]


def test_atom_0_3() -> None:
    text = (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#" xml:lang="en"><title>Old</title>'
        '<entry><title>T</title><link rel="alternate" type="text/html" href="http://e.org/1"/>'
        "<issued>2004-03-01T10:00:00Z</issued><modified>2004-03-02T10:00:00Z</modified>"
        f'<content type="text/html" mode="escaped">{html.escape(MARKUP)}</content></entry></feed>'
    )
    listing = read(text)
    assert listing.title == "Old"
    assert clocks(listing.articles[0]) == [
        ("feed-published", "2004-03-01T10:00:00Z"),
        ("feed-updated", "2004-03-02T10:00:00Z"),
    ]
    assert texts(listing.articles[0]) == ["One", "Two"]


def test_rdf_in_gb2312() -> None:
    text = (
        '<?xml version="1.0" encoding="GB2312"?><rdf:RDF xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<channel rdf:about="http://e.org/"><title>报</title><link>http://e.org/</link><items><rdf:Seq>'
        '<rdf:li rdf:resource="http://e.org/1"/></rdf:Seq></items></channel><image><title>no</title></image>'
        '<item rdf:about="http://e.org/1"><title>朱镕基</title><description>文</description>'
        "<dc:subject>政治</dc:subject><dc:creator>记者</dc:creator><dc:date>2001-02-03T04:05:06+08:00</dc:date>"
        "</item></rdf:RDF>"
    )
    listing = read(text.encode("gb18030"))
    (article,) = listing.articles
    assert (listing.title, article.title, article.url) == ("报", "朱镕基", "http://e.org/1")
    assert (article.section, article.authors) == ("政治", ("记者",))
    assert [(claim.clock, claim.value) for claim in article.times] == [("feed-date", "2001-02-02T20:05:06Z")]


def test_rss_0_91_with_its_doctype_and_entities() -> None:
    text = (
        '<?xml version="1.0"?>\n<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"'
        ' "http://my.netscape.com/publish/formats/rss-0.91.dtd">\n<rss version="0.91"><channel>'
        "<title>a&nbsp;b</title>"
        "<item><title>Caf&eacute; & bar</title><link>http://e.org/?a=1&b=2</link></item></channel></rss>"
    )
    listing = read(text)
    assert listing.title == "a\xa0b"
    assert (listing.articles[0].title, listing.articles[0].url) == ("Café & bar", "http://e.org/?a=1&b=2")
    assert listing.left_out == ()


def test_json_feed() -> None:
    listing = read(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "报",
                "home_page_url": "https://e.org/",
                "language": "zh",
                "authors": [{"name": "All"}],
                "items": [
                    {
                        "id": 7,
                        "url": "a/1.html",
                        "title": "标题",
                        "content_html": MARKUP,
                        "image": "i.jpg",
                        "banner_image": "https://e.org/b.jpg",
                        "date_published": "2023-11-08T18:25:56Z",
                        "date_modified": "2023-11-09T18:25:56+08:00",
                        "tags": ["甲", "乙"],
                        "attachments": [
                            {"url": "https://e.org/x", "mime_type": "image/webp"},
                            {"url": "https://e.org/x.m4a", "mime_type": "audio/mp4"},
                        ],
                    },
                    {
                        "id": "https://e.org/2",
                        "content_text": "a <b>\n\nc",
                        "author": {"name": "One"},
                        "tags": "x",
                    },
                    "no object",
                ],
            },
            ensure_ascii=False,
        )
    )
    first, second = listing.articles
    assert (first.title, first.url, first.section, first.language) == (
        "标题",
        "https://e.org/a/1.html",
        "甲",
        "zh",
    )
    assert (first.authors, second.authors) == (("All",), ("One",))
    assert pictures(first) == [
        ("https://e.org/b.jpg", "img-src"),
        ("https://e.org/a/i.jpg", "json-feed-image"),
        ("https://e.org/x", "json-feed-attachment"),
    ]
    assert clocks(first) == [
        ("feed-published", "2023-11-08T18:25:56Z"),
        ("feed-updated", "2023-11-09T18:25:56+08:00"),
    ]
    assert first.left_out[0].startswith("json-feed-attachment that is no picture, not fetched: 1")
    assert (second.url, texts(second)) == ("https://e.org/2", ["a <b>", "c"])
    assert listing.left_out == ("item that is no JSON object: 1, the first '\\u62a5'",)


def test_utf_16_and_gzip() -> None:
    text = rss("<item><title>标题</title><link>/1</link></item>").replace("UTF-8", "UTF-16")
    for data in (b"\xff\xfe" + text.encode("utf-16-le"), gzip.compress(text.encode("utf-16"), mtime=0)):
        assert read(data).articles[0].title == "标题"


# --- links, titles, bodies ----------------------------------------------------------------------


def test_each_item_is_a_link_once() -> None:
    listing = read(
        rss(
            f"<item><title>A</title><link>/1#top</link><pubDate>{DATE}</pubDate></item>"
            "<item><title>B</title><link>/1</link></item><item><title>no link</title></item>"
            "<item><description>text alone</description></item><item><link>mailto:x</link></item>"
        )
    )
    assert [(link.url, link.role, link.title, link.modified) for link in listing.links] == [
        ("https://www.example.org/1", "page", "A", DATE)
    ]
    assert [article.url for article in listing.articles] == ["https://www.example.org/1"] * 2 + [None]
    assert listing.left_out == (
        "item without a link and without text: 2, the first 'no link'",
        "link that is no http or https URL: 1, the first 'mailto:x'",
    )


@pytest.mark.parametrize(
    ("content", "url"),
    [
        ("<guid>https://e.org/g</guid>", "https://e.org/g"),
        ('<guid isPermaLink="false">https://e.org/g</guid><description>x</description>', None),
        ("<guid>12345</guid><description>x</description>", None),
        ("<link/><guid>https://e.org/g</guid>", "https://e.org/g"),
        ('<atom:link rel="self" href="/s"/><link>/l</link>', "https://www.example.org/l"),
        ('<atom:link href="/alternate"/>', "https://www.example.org/alternate"),
        ("<link>\n /l \n</link>", "https://www.example.org/l"),
        ("<LINK>/l</LINK>", "https://www.example.org/l"),
    ],
)
def test_where_the_link_stands(content: str, url: str | None) -> None:
    (article,) = read(rss(f"<item>{content}</item>")).articles
    assert article.url == url


def test_relative_links_of_a_file_are_left_out() -> None:
    listing = read(
        rss('<item><title>a</title><link>/1</link><description><img src="x.jpg"></description></item>'), ""
    )
    assert listing.url is None
    assert listing.links[0].url == "https://www.example.org/1"  # the feed says where its site is
    bare = read(
        '<rss version="2.0"><channel><item><link>/1</link><title>x</title></item><item>'
        "<description>x</description></item></channel></rss>",
        "",
    )
    assert (bare.links, bare.articles[0].url) == ((), None)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("<![CDATA[a &amp; <b>b</b>]]>", "a & b"),
        ("5 &lt; 6", "5 < 6"),
        ("the &lt;br&gt; tag", "the <br> tag"),
        ("two\n  lines", "two lines"),
        ("<b>nested</b> words", "nested words"),
    ],
)
def test_titles(written: str, title: str) -> None:
    assert item(f"<title>{written}</title>").title == title


def test_elements_in_a_description_are_markup() -> None:
    article = item('<description>One<br/>two <b>three</b><img src="/x.jpg"/> &amp; four</description>')
    assert texts(article) == ["One\ntwo three", "& four"]
    assert pictures(article) == [("https://www.example.org/x.jpg", "img-src")]


def test_tracking_and_repeated_pictures_keep_one_number() -> None:
    article = item(
        '<description><![CDATA[<img src="https://e.org/1.jpg"><p>x</p>]]></description>'
        '<enclosure url="https://e.org/1.jpg" type="image/jpeg"/><enclosure url="https://e.org/2.png"/>'
        '<enclosure url="https://e.org/page"/><enclosure/>'
    )
    assert pictures(article) == [("https://e.org/1.jpg", "img-src"), ("https://e.org/2.png", "enclosure")]
    assert article.left_out == (
        "enclosure that is no picture, not fetched: 1, the first 'https://e.org/page '",
    )


# --- what is broken -----------------------------------------------------------------------------

RUBBISH = {
    "html": "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>",
    "text": "Invalid url",
    "cut-before-an-item": '<rss version="2.0"><channel><title>x</title>',
    "json": '{"error": "no such feed"}',
    "json-feed-cut": '{"version": "https://jsonfeed.org/version/1", "title": "x", "items": [{"id',
    "json-feed-without-items": '{"version": "https://jsonfeed.org/version/1"}',
}


@pytest.mark.parametrize("text", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_is_an_error(text: str) -> None:
    with pytest.raises(SourceError):
        read_listing(text.encode(), url=URL)


@pytest.mark.parametrize(
    "text",
    [
        '<rss version="2.0"><channel><title>x</title></channel></rss>',
        '<rss version="2.0"/>',
        '<feed xmlns="http://www.w3.org/2005/Atom"/>',
        '{"version": "https://jsonfeed.org/version/1", "items": []}',
    ],
)
def test_an_empty_feed_is_a_feed(text: str) -> None:
    listing = read(text)
    assert (listing.links, listing.articles, listing.left_out) == ((), (), ())


def test_items_before_and_behind_an_error() -> None:
    """One item's end tags do not match: it stays as far as it was read, and so do all others."""
    good = "<item><title>{0}</title><link>/{0}</link><description>text {0}</description></item>"
    bad = "<item><title>bad</title><link>/bad</link><description><p>x</description></item>"
    listing = read(rss(good.format(1) + bad + good.format(2) + bad.replace("bad", "worse") + good.format(3)))
    assert [link.url[24:] for link in listing.links] == ["1", "bad", "2", "worse", "3"]
    assert [texts(article) for article in listing.articles][::2] == [["text 1"], ["text 2"], ["text 3"]]
    (told,) = listing.left_out
    assert told.startswith(
        "XML with an error, after which items were read one by one: 1, the first 'mismatched tag"
    )


def test_a_feed_cut_in_its_second_item() -> None:
    text = rss("<item><title>a</title><link>/1</link></item><item><title>b</title><link>/2</link><descr")
    listing = read(text[: text.index("<descr") + 6])
    assert [article.title for article in listing.articles] == ["a", "b"]
    assert len(listing.left_out) == 1


def test_a_json_feed_cut_in_its_second_item() -> None:
    text = (
        '{"version": "https://jsonfeed.org/version/1", "items": [{"url": "https://e.org/1"}, {"url": "https'
    )
    listing = read(text)
    assert [link.url for link in listing.links] == ["https://e.org/1"]
    assert listing.left_out[0].startswith("JSON that breaks off, read item by item")


def test_prefixes_that_nobody_declared() -> None:
    content = '<media:thumbnail url="https://e.org/1.jpg"/><dc:creator>A</dc:creator><odd:x y:z="1">b</odd:x>'
    text = f'<rss version="2.0"><channel><item><link>http://e.org/1</link>{content}</item></channel></rss>'
    listing = read(text)
    (article,) = listing.articles
    assert pictures(article) == [("https://e.org/1.jpg", "media:thumbnail")]
    assert (article.authors, listing.left_out) == (("A",), ())


def test_items_that_were_never_closed() -> None:
    listing = read(
        '<rss version="2.0"><channel><item><link>http://e.org/1</link><item><link>http://e.org/2</link>'
    )
    assert [link.url for link in listing.links] == ["http://e.org/1", "http://e.org/2"]


def test_control_characters_and_wrong_references() -> None:
    article = item("<author>a\x0bb &#11; &unknown; &#x110000; &#0; R&D &hellip; &#x41;</author>")
    assert article.authors == ("ab &#11; &unknown; &#x110000; &#0; R&D … A",)
