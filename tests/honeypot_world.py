"""The world in which the guard is tested: what its sites answer and its names say."""

import json
from html import escape

from honeypot_rows import (
    NAMES,
    PLACES,
    PROXIES,
    PUBLIC,
    PUBLIC6,
    REBOUND,
    REDIRECTS,
    ROWS,
    SITE,
    SOURCES,
    URLS,
    Turns,
)

Answer = tuple[str, dict[str, str], str]  # status line, fields, body

_PAGE = """<!doctype html><html><head><title>渡轮</title>{head}</head>
<body><article><h1>渡轮</h1>{text}{body}</article></body></html>"""
_HEAD = """<meta property="og:image" content="{meta-og-image}">
<link rel="stylesheet" href="{link-stylesheet}">
<link rel="canonical" href="{link-canonical}">
<link rel="preload" as="image" href="{link-preload}">
<script src="{script-src}"></script>
<meta http-equiv="refresh" content="0;url={meta-refresh}">"""
_BODY = """<img src="{img-src}">
<img src="/control-page.jpg" srcset="{img-srcset} 2x">
<img src="/control-lazy.jpg" data-src="{img-data-src}">
<noscript><img src="{noscript}"></noscript>
<picture><source srcset="{source-srcset}"><img src="/control-source.jpg"></picture>
<video poster="{video-poster}"></video>
<iframe src="{iframe-src}"></iframe>"""
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{base}"><title>n</title><id>urn:x</id>
<updated>2023-11-08T18:39:04Z</updated>
<entry><title>c</title><id>urn:y</id><updated>2023-11-08T18:39:04Z</updated><link href="{link}"/>
<content type="html">{text}</content></entry></feed>"""


def document(pictures: list[str], url: str = f"{SITE}/article.html") -> str:
    """A mirror document."""
    images = "".join(f'<p>第一段。</p><img src="{escape(picture)}">' for picture in pictures)
    return f"<!--1699468744000-->\n[标题]({url})\n------\n\n{images}\n"


def _page(body: str, head: str = "") -> str:
    text = f"<p>{'海湾的新渡轮周三首航，乘客说船很稳。' * 6}</p>" * 4
    return _PAGE.format(head=head, text=text, body=body)


def _places() -> dict[str, Answer]:
    """Pages that name each row of PLACES at its place."""
    url = {name: URLS[f"on-{name}"] for name, _ in PLACES}
    fields = {
        "Link": f"<{url['field-link']}>; rel=preload; as=image",
        "Refresh": f"0;url={url['field-refresh']}",
        "Content-Location": url["field-content-location"],
    }
    linked = json.dumps({"@context": "https://schema.org", "@type": "NewsArticle", "image": url["json-ld"]})
    head = _HEAD.format(**url) + f'<script type="application/ld+json">{linked}</script>'
    base, name = _cut(url["base-href"])
    return {
        "/places.html": ("200 OK", _HTML | fields, _page(_BODY.format(**url), head)),
        "/based.html": ("200 OK", _HTML, _page(f'<img src="{name}">', f'<base href="{base}">')),
    }


def _sources() -> dict[str, Answer]:
    """Feeds, sitemaps and OPML that name each row of SOURCES."""
    url = {name: URLS[f"in-{name}"] for name, _ in SOURCES}
    base, name = _cut(url["feed-base"])
    text = escape(f'<p>{"渡轮首航。" * 20}</p><img src="{url["feed-text"]}">')
    items = (
        f"<item><title>a</title><link>{url['feed-link']}</link></item>"
        f"<item><title>b</title><link>{SITE}/b.html</link><description>{text}</description>"
        f"<enclosure url='{url['feed-enclosure']}' type='image/jpeg' length='9'/></item>"
    )
    entry = f"<item><title>&e;</title><link>{SITE}/d.html</link></item>"
    include = f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{url['sitemap-include']}'/>"
    sheet = f"<?xml-stylesheet type='text/xsl' href='{url['feed-stylesheet']}'?>"
    outline = f"<outline type='rss' text='n' xmlUrl='{url['opml']}'/>"
    page = f"<url><loc>{SITE}/e.html</loc></url>"
    bodies = {
        "/feed.xml": _rss(items),
        "/base.xml": _XML
        + _ATOM.format(base=base, link=f"{SITE}/c.html", text=escape(f'<img src="{name}">')),
        "/entity.xml": _rss(entry, _entity(url["feed-entity"])),
        "/sheet.xml": _rss(entry.replace("&e;", "e"), sheet),
        "/one-url": url["feed-of-one-url"],
        "/sitemap.xml": _urls(f"<url><loc>{url['sitemap']}</loc></url>"),
        "/index.xml": _urls(f"<sitemap><loc>{url['sitemap-index']}</loc></sitemap>", name="sitemapindex"),
        "/sitemap-entity.xml": _urls(f"{page}<url><loc>&e;</loc></url>", _entity(url["sitemap-entity"])),
        "/sitemap-include.xml": _urls(page + include),
        "/outlines.opml": f"{_XML}<opml version='2.0'><head/><body>{outline}</body></opml>",
    }
    return {path: ("200 OK", {"Content-Type": "application/rss+xml"}, body) for path, body in bodies.items()}


def _cut(url: str) -> tuple[str, str]:
    base, slash, name = url.rpartition("/")
    return base + slash, name


def _rss(items: str, before: str = "") -> str:
    head = f"<title>n</title><link>{SITE}/</link><description>d</description>"
    return f"{_XML}{before}<rss version='2.0'><channel>{head}{items}</channel></rss>"


def _urls(inside: str, before: str = "", name: str = "urlset") -> str:
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f"{_XML}{before}<{name} xmlns='{space}'>{inside}</{name}>"


def _entity(target: str) -> str:
    entities = f'<!ENTITY e SYSTEM "{target}"><!ENTITY % p SYSTEM "{target}"> %p;'
    return f'<!DOCTYPE x SYSTEM "{target}" [{entities}]>'


def answers() -> dict[str, Answer]:
    """For each path, or host and path."""
    statuses = {f"to-{name}": status for name, status, _ in REDIRECTS}
    found = _places() | _sources()
    found |= {f"/{name}.html": ("200 OK", _HTML, _page("")) for name in ("article", "b", "c", "d", "e")}
    for row in ROWS:
        if row.way == "redirect":
            status = f"{statuses.get(row.name, '302')} Moved"
            found[f"/r/{row.name}"] = (status, {"Location": URLS[row.name]}, "")
    found["moved.test/robots.txt"] = ("302 Found", {"Location": URLS["in-robots-redirect"]}, "")
    found["sitemap.test/robots.txt"] = ("200 OK", {}, f"Sitemap: {URLS['in-robots-sitemap']}\n")
    found["/dead.jpg"] = ("404 Not Found", _HTML, "gone")
    found[f"/{SITE}/dead.jpg"] = ("302 Found", {"Location": URLS["rescue-redirect"]}, "")
    return found


def names() -> dict[str, Turns]:
    """What DNS says."""
    public = ["site.test", "moved.test", "sitemap.test", "timegate.test"]
    proxies = "images.weserv.nl wsrv.nl i0.wp.com res.cloudinary.com proxy.duckduckgo.com corsproxy.io"
    inside = ["router.search.test", "router", "nas.lan", "ten.test", "nas.home"]
    places = [(public, PUBLIC), (proxies.split(), PROXIES), (inside, "10.0.0.11")]
    found: dict[str, Turns] = {name: {"A": [[address]]} for group, address in places for name in group}
    found |= {f"{name}.test": turns for name, turns in (NAMES | REBOUND).items()}
    return found | {
        "site6.test": {"AAAA": [[PUBLIC6]]},
        "both.test": {"A": [[PUBLIC]], "AAAA": [[PUBLIC6]]},
        "crowd.test": {"A": [[f"93.184.216.{number}" for number in range(1, 31)]]},
    }


PATHS = (*_places(), *_sources())  # of pages, feeds and sitemaps
