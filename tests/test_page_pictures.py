"""Every way in which a page names a picture, which are unwanted, and which belong to the article."""

import time

import msgspec
import pytest

from archiver.model import Article, Reference
from archiver.sources import read_page
from archiver.sources.html.candidates import css_urls
from archiver.sources.html.unwanted import by_url

URL = "https://www.example.org/a/1.html"
TEXT = "<p>" + "The delegates met by the river and spoke of the ferry and of the harbour. " * 6 + "</p>"


def read(page: str) -> Article:
    return msgspec.convert(read_page(page.encode(), url=URL), Article)


def references(markup: str, head: str = "") -> list[Reference]:
    page = f"<html><head>{head}</head><body><article>{TEXT}{markup}{TEXT}</article></body></html>"
    return list(read(page).references)


def found(markup: str, head: str = "") -> list[tuple[str, str]]:
    return [(one.place, one.url.removeprefix("https://www.example.org/")) for one in references(markup, head)]


PLACES = {
    "src": ('<img src="/a.jpg">', ["img-src a.jpg"]),
    "srcset": (
        '<img src="/a.jpg" srcset="/b.jpg 1x, /c.jpg 2x">',
        ["img-src a.jpg", "img-srcset b.jpg", "img-srcset c.jpg"],
    ),
    "voa": ('<img data-src="/a.jpg" src="">', ["img-data-src a.jpg"]),
    "original": ('<img src="/s.gif?x" data-original="/a">', ["img-src s.gif?x", "img-data-original a"]),
    "lazy-srcset": ('<img data-lazy-srcset="/a 1x">', ["img-data-lazy-srcset a"]),
    "hi-res": ('<img data-hi-res-src="/a">', ["img-data-hi-res-src a"]),
    "unlisted": ('<img data-my-photo="/a.webp?w=1">', ["img-data-my-photo a.webp?w=1"]),
    "unlisted-no-picture": (
        '<img data-my-photo="/a.html" data-id="1.jpg" data-my-photo-alt="an a.jpg here">',
        [],
    ),
    "discuz": ('<img file="/a.jpg" zoomfile="x">', ["img-file a.jpg"]),
    "picture": (
        '<picture><source srcset="/a.webp" data-srcset="/b.webp 2x"><img src="/c.jpg"></picture>',
        ["source-srcset a.webp", "source-data-srcset b.webp", "img-src c.jpg"],
    ),
    "noscript": ('<noscript><img src="/a.jpg"></noscript>', ["img-src a.jpg"]),
    "style": ('<div style="background:#fff url(/a.jpg) no-repeat"></div>', ["style a.jpg"]),
    "style-escapes": (r"""<i style='background-image:url("/a\28 1\29\2e jpg")'></i>""", ["style a(1).jpg"]),
    "style-several": (
        "<div style=\"background:url('/a.jpg'),url( /b.jpg )\"></div>",
        ["style a.jpg", "style b.jpg"],
    ),
    "style-data": ('<div style="background:url(data:image/png;base64,AA)"></div>', []),
    "background": ('<table><tr><td background="/a.jpg">x</table>', ["background a.jpg"]),
    "data-bg": ('<div data-bg="/a"></div>', ["data-bg a"]),
    "data-bg-url": ('<div data-bg="url(/a)"></div>', ["data-bg a"]),
    "data-bgset": (
        '<div data-bgset="/a.jpg 300w, /b.jpg 600w"></div>',
        ["data-bgset a.jpg", "data-bgset b.jpg"],
    ),
    "data-background-image": (
        '<section data-background-image="/a.jpg">x</section>',
        ["data-background-image a.jpg"],
    ),
    "div-data-src": (
        '<div class="js-delayed" data-src="/a.jpg"></div><iframe data-src="/b.html"></iframe>',
        ["data-src a.jpg"],
    ),
    "amp": ('<amp-img src="/a" srcset="/b 1x"></amp-img>', ["amp-img-src a", "amp-img-srcset b"]),
    "amp-anim": ('<amp-anim src="/a.gif"></amp-anim>', ["amp-anim-src a.gif"]),
    "amp-video": ('<amp-video poster="/a"></amp-video>', ["amp-poster a"]),
    "amp-story": ('<amp-story poster-portrait-src="/a"></amp-story>', ["amp-story-poster-portrait-src a"]),
    "video": ('<video poster="/a.jpg"><source src="/b.mp4"></video>', ["video-poster a.jpg"]),
    "video-late": ('<video data-poster="/a.jpg"></video>', ["video-data-poster a.jpg"]),
    "input": ('<input type="image" src="/a.png"><input type="text" src="/b.png">', ["input-src a.png"]),
    "svg": (
        '<svg><image href="/a.jpg"/><image xlink:href="/b.jpg"/></svg>',
        ["svg-image-href a.jpg", "svg-image-href b.jpg"],
    ),
    "object": (
        '<object type="image/png" data="/a"></object><object type="text/html" data="/b"></object>',
        ["object-data a"],
    ),
    "link-around": ('<a href="/full.JPG?x"><img src="/a.jpg"></a>', ["img-src a.jpg", "a-href full.JPG?x"]),
    "link-to-a-page": (
        '<a href="/wiki/File:x.jpg"><img src="/a.jpg"></a><a href="/b.jpg">text</a>',
        ["img-src a.jpg"],
    ),
    "microdata": (
        '<meta itemprop="image" content="/a"><link itemprop="thumbnailUrl" href="/b">',
        ["itemprop-image a", "itemprop-image b"],
    ),
    "raw-text": (
        '<textarea><img src="/a"></textarea><script>"<img src=/b>"</script><!-- <img src=/c> -->',
        [],
    ),
    "escaped": ("<pre>&lt;img src=/a.jpg&gt;</pre>", []),
    "not-the-web": ('<img src="data:image/png,x"><img src="blob:x"><img src=""><img>', []),
    "fragment": ('<img src="#" data-src="/a"><img src=" #top ">', ["img-data-src a"]),
}


@pytest.mark.parametrize(("markup", "wanted"), PLACES.values(), ids=PLACES.keys())
def test_places(markup: str, wanted: list[str]) -> None:
    assert [f"{place} {url}" for place, url in found(markup)] == wanted
    assert {one.part for one in references(markup)} <= {"article"}


HEADS = {
    "open-graph": (
        '<meta property="og:image" content="/a"><meta name="twitter:image" content="/c">',
        ["meta-og:image a", "meta-twitter:image c"],
    ),
    "image_src": ('<link rel="image_src" href="/a">', ["link-image_src a"]),
    "enclosure": (
        '<link rel="enclosure" type="image/jpeg" href="/a"><link rel="enclosure" href="/b.mp3">',
        ["link-enclosure a"],
    ),
    "json-ld": (
        """<script type="application/ld+json">{"@type":"NewsArticle","thumbnailUrl":"/t",
        "image":["/a",{"@type":"ImageObject","contentUrl":"/b"}]}</script>""",
        ["json-ld-thumbnailUrl t", "json-ld-image a", "json-ld-image b"],
    ),
}


@pytest.mark.parametrize(("head", "wanted"), HEADS.values(), ids=HEADS.keys())
def test_places_in_the_head(head: str, wanted: list[str]) -> None:
    assert [f"{place} {url}" for place, url in found("", head)] == wanted
    assert {one.part for one in references("", head)} == {"article"}


def test_what_the_head_says_of_others_is_the_pages() -> None:
    head = (
        '<link rel="preload" as="image" href="/p" imagesrcset="/q 1x"><script type="application/ld+json">'
        '[{"@type":"ItemList","itemListElement":[{"@type":"NewsArticle","image":"/other.jpg"}]},'
        '{"@type":"NewsArticle","image":"/own.jpg","author":{"name":"x","image":"/face.jpg"},'
        '"publisher":{"logo":{"@type":"ImageObject","url":"/logo.png"}}}]</script>'
    )
    parts = {one.url.rpartition("/")[2]: (one.part, one.unwanted) for one in references("", head)}
    assert parts == {
        "other.jpg": ("page", ""),
        "own.jpg": ("article", ""),
        "face.jpg": ("page", ""),
        "logo.png": ("page", "icon: logo"),
        "p": ("page", ""),
        "q": ("page", ""),
    }


UNWANTED = {
    "pixel": ('<img src="/t?x" width="1" height="1">', "tracking pixel: 1x1"),
    "pixel-px": ('<img src="/t.gif" style="width:1px; height: 1px">', "tracking pixel: 1x1"),
    "pixel-0": ('<img src="/t" width=0 height=0>', "tracking pixel: 0x0"),
    "hidden": ('<img src="/t?x=1" style="display:none">', "tracking pixel: hidden"),
    "amp-pixel": ('<amp-pixel src="https://t.example/x"></amp-pixel>', "tracking pixel: amp-pixel"),
    "icon": ('<img src="/i.png" width="16" height="16">', "icon: 16x16 declared"),
    "emoji": ('<img src="https://s.w.org/images/core/emoji/14/72x72/1f600.png">', "icon: emoji"),
    "emoji-class": ('<img class="x wp-smiley" src="/icon_wink.gif">', "icon: emoji"),
    "comscore": (
        '<img src="https://sb.scorecardresearch.com/p?c1=2">',
        "tracker: host scorecardresearch.com",
    ),
    "facebook": ('<img src="https://www.facebook.com/tr?id=1&noscript=1">', "tracker: host facebook.com"),
    "facebook-bare": ('<img src="https://www.facebook.com/tr">', "tracker: host facebook.com"),
    "analytics": (
        '<img src="https://www.google-analytics.com/collect?v=1&tid=UA-1">',
        "tracker: host google-analytics.com",
    ),
    "chartbeat": ('<img src="https://ping.chartbeat.net/ping?h=e.org">', "tracker: host ping.chartbeat.net"),
    "nyt": ('<img src="https://a.et.nytimes.com/.status">', "tracker: host et.nytimes.com"),
    "bbc": ('<img src="https://a1.api.bbc.co.uk/hit.xiti?s=1">', "tracker: path of tracking software"),
    "conversation": (
        '<img src="https://counter.theconversation.com/content/1/count.gif">',
        "tracker: host counter.theconversation.com",
    ),
    "matomo": (
        '<img src="https://stats.example.org/matomo.php?idsite=1">',
        "tracker: path of tracking software",
    ),
    "adobe": ('<img src="https://ssc.example.com/b/ss/rsid/1/H.1">', "tracker: path of tracking software"),
    "proxied": (
        '<img src="https://images.weserv.nl/?url=https%3A%2F%2Fpixel.wp.com%2Fb.gif">',
        "tracker: host pixel.wp.com",
    ),
    "spacer": ('<img src="/img/spacer.gif">', "spacer"),
    "blank": ('<img src="/img/blank.png?v=2">', "spacer"),
    "loading": ('<img src="/img/loading.gif">', "spacer"),
    "spacer-wide": ('<img src="/img/blank.gif" width="1200" height="8">', "spacer"),
    "hidden-small": ('<img src="/t?x=1" width="1" height="1" hidden>', "tracking pixel: hidden"),
}


@pytest.mark.parametrize(("markup", "reason"), UNWANTED.values(), ids=UNWANTED.keys())
def test_unwanted(markup: str, reason: str) -> None:
    assert [one.unwanted for one in references(markup)] == [reason]
    page = read(f"<article>{TEXT}{markup}{TEXT}</article>")
    assert not [block for block in page.blocks if block.kind == "picture"]


NEAR_MISSES = {
    "percent": '<img src="/a.jpg" width="100%" height="1">',
    "ratio": '<img src="/a.png" width="16" height="9">',
    "ratio-amp": '<amp-img src="/a.png" width="1" height="1" layout="responsive"></amp-img>',
    "lazy-1x1": '<img width="1" height="1" data-src="/a.png">',
    "srcset-1x1": '<img width="1" height="1" srcset="/a.png 600w">',
    "fluid-1x1": '<img width="1" height="1" style="width:100%" src="/a.png">',
    "photograph-1x1": '<img width="1" height="1" src="/a.jpg">',
    "one-side": '<img src="/a.png" width="1">',
    "narrow": '<img src="/a.png" width="1" height="600">',
    "hidden-photograph": '<img src="/a.jpg" style="display:none">',
    "hidden-lazy": '<img data-src="/a" style="display:none">',
    "thumbnail": '<img src="/a.jpg" width="80" height="60">',
    "pixel-art": '<img src="/pixel-art.png">',
    "blank-space": '<img src="/blank-space.jpg">',
    "spacer-story": '<img src="/spacer-gif.jpg">',
    "folder": '<img src="/pixel.gif/a.jpg">',
    "facebook": '<img src="https://www.facebook.com/photo/a.jpg">',
    "trending": '<img src="https://www.facebook.com/trending/a.jpg">',
    "transfer": '<img src="https://pic.example/a?from=https://www.facebook.com/transfer">',
    "hidden-large": '<img src="/a.png" style="display:none" width="1200" height="630">',
    "dot-large": '<img src="/dot.png" width="1200" height="800">',
    "travel": '<img src="https://www.facebook.com.example.org/tr/a.jpg">',
    "other-host": '<img src="https://notpixel.wp.com.example/a.jpg">',
    "photon": '<img src="https://i0.wp.com/www.example.com/a.jpg">',
    "product": '<img src="https://ws-eu.amazon-adsystem.com/widgets/q?ID=AsinImage">',
    "count": '<img src="/count.jpg">',
    "hidden-word": '<img src="/a.png" class="hidden">',
    "tco": '<img src="https://t.co/a.jpg">',
}


@pytest.mark.parametrize("markup", NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_real_pictures_are_wanted(markup: str) -> None:
    assert [one.unwanted for one in references(markup)] == [""]


@pytest.mark.parametrize("rel", ["icon", "shortcut icon", "apple-touch-icon", "mask-icon", "ICON"])
def test_icons_of_the_page(rel: str) -> None:
    icon, picture = references('<img src="/a.jpg">', f'<link rel="{rel}" href="/i.png">')[::-1]
    assert (icon.part, icon.unwanted) == ("page", f"icon: link rel={rel.lower().split()[-1]}")
    assert (picture.part, picture.unwanted) == ("article", "")


def test_a_picture_wanted_anywhere_is_wanted() -> None:
    pixel = '<img src="/a.png" width="1" height="1">'
    assert [one.unwanted for one in references(pixel + '<img src="/a.png">')] == [""]
    assert [one.unwanted for one in references('<img src="/a.png">' + pixel)] == [""]


def test_late_pictures_are_shown_and_stand_ins_are_not() -> None:
    page = read(f'<article>{TEXT}<img src="/blank.gif" data-src="/a.jpg"><small>c</small>{TEXT}</article>')
    (shown,) = (block.picture for block in page.blocks if block.kind == "picture")
    assert shown is not None
    assert (page.references[shown].url[-5:], page.references[shown].caption) == ("a.jpg", "c")


def test_pictures_outside_the_article_are_the_pages() -> None:
    page = read(
        '<header><img src="/logo.jpg"></header><nav><img src="/menu.jpg"></nav><main>'
        f'<article><img src="/lead.jpg">{TEXT}'
        f'<aside><img src="/aside.jpg"></aside><img src="/in.jpg">{TEXT}</article>'
        '<div class="related"><a href="/2.html"><img src="/teaser.jpg">Another story</a></div></main>'
        '<footer><img src="/foot.jpg"></footer>'
    )
    parts = {one.url.rpartition("/")[2][:-4]: one.part for one in page.references}
    assert parts == {
        "logo": "page",
        "menu": "page",
        "lead": "article",
        "aside": "page",
        "in": "article",
        "teaser": "page",
        "foot": "page",
    }
    shown = [page.references[block.picture].url[-7:] for block in page.blocks if block.picture is not None]
    assert shown == ["ead.jpg", "/in.jpg"]


def test_without_any_mark_the_text_itself_tells_where_the_article_is() -> None:
    menu = '<div><a href="/x"><img src="/menu.jpg"></a><a href="/y">Politics</a> <a href="/z">World</a></div>'
    teasers = '<div><a href="/2"><img src="/teaser.jpg"></a><a href="/2">Read this as well</a></div>' * 3
    page = read(
        f'{menu}<div><h1>Talks</h1><img src="/lead.jpg">{TEXT}<img src="/in.jpg">{TEXT}{TEXT}</div>{teasers}'
    )
    assert page.reader.startswith("trafilatura ")
    parts = {one.url.rpartition("/")[2]: one.part for one in page.references}
    assert parts == {"menu.jpg": "page", "lead.jpg": "article", "in.jpg": "article", "teaser.jpg": "page"}


def test_css_urls() -> None:
    style = r"""a:url(x\)y);b:URL( "a'b\"c" );c:url('\41 \000042C\
d');d:url(e f);e:url(g"""
    assert list(css_urls(style)) == ["x)y", "a'b\"c", "ABCd"]


@pytest.mark.parametrize(
    "value",
    [
        "url(" * 20_000,
        "url(\\" * 15_000,
        'url("' * 20_000,
        "url(" + " " * 90_000,
        "width:" * 15_000,
        "/" * 90_000 + ".jpg",
        "//" + "a." * 1_900,
        "https://" * 10_000,
    ],
    ids=["url", "escape", "quote", "spaces", "width", "path", "host", "schemes"],
)
def test_tiring_attributes_are_read_soon(value: str) -> None:
    started = time.process_time()
    read(
        f"<p>x<img src='/a.png' style='{value}' data-photo='{value}' width='{value}'><i data-bg='{value}'>"
        * 10
    )
    by_url(f"https://e.org/{value}")
    assert time.process_time() - started < 3
