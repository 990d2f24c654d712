"""The demo site's feeds, sitemaps, lists and section page, in the shapes that publishers serve.

They tell of the same stories as the pages do (docs/demo.md).
"""

import gzip
import html
import json
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote, urljoin

from archiver.demo.mirror import mirror_documents
from archiver.demo.stories import NEWS, PROXY, STORIES, Photo, Story

_SITE = f"http://{NEWS}"
_TITLE = "The Demo Courier"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_FEEDS = {
    "/feeds/rsshub.xml": "RSSHub",
    "/feeds/full.xml": "full text",
    "/feeds/atom.xml": "Atom",
    "/feeds/rdf.xml": "RSS 1.0",
    "/feeds/feed.json": "JSON Feed",
    "/feeds/podcast.xml": "podcast",
}


def publications() -> dict[str, tuple[bytes, str]]:
    """Path on the news host → what stands there, and its Content-Type."""
    return {
        "/feeds/rsshub.xml": (_rsshub(), "application/xml; charset=UTF-8"),
        "/feeds/full.xml": (_full_text(), "text/xml; charset=utf-8"),
        "/feeds/atom.xml": (_atom(), "application/atom+xml"),
        "/feeds/rdf.xml": (_rdf(), "text/xml"),
        "/feeds/feed.json": (_json_feed(), "application/feed+json"),
        "/feeds/podcast.xml": (_podcast(), "application/rss+xml"),
        "/feeds/gone.xml": (b"Invalid url", "text/html"),
        "/feeds.opml": (_opml(), "text/x-opml"),
        "/sitemap.xml": (_sitemap_index(), "application/xml"),
        "/sitemap-stories.xml.gz": (gzip.compress(_sitemap(), mtime=0), "application/x-gzip"),
        "/sitemap-news.xml": (_news_sitemap(), "application/xml"),
        "/section/all.html": (_section_page(), "text/html; charset=utf-8"),
    }


# --- RSS 2.0 ------------------------------------------------------------------------------------


def _rsshub() -> bytes:
    """As RSSHub writes it with `image_hotlink_template` set to the proxy's `?url=${href_ue}`."""

    def proxied(story: Story, photo: Photo) -> str:
        return f"http://{PROXY}?url={quote(urljoin(story.url, photo.shown), safe='')}"

    items = "".join(
        f"<item><title>{_text(story.title)}</title>"
        f"<description>{_text(_markup(story, proxied))}</description>"
        f'<link>{story.url}</link><guid isPermaLink="false">{story.url}</guid>'
        f"<pubDate>{_rfc_822(story.published)}</pubDate>"
        f"<author>{_text(story.author)}</author><category>{_text(story.section)}</category></item>\n"
        for story in STORIES
    )
    return _rss(f"<generator>RSSHub</generator><language>en</language>\n{items}", f'xmlns:atom="{_ATOM}"')


def _full_text() -> bytes:
    """As feedx writes it: the body on one line, under the time at which the service read the page."""
    bodies = mirror_documents()
    items = ""
    for story in STORIES:
        body = bodies[story.name].decode().partition("\n------\n\n")[2].strip()
        fed = "Invalid Date" if story.fed is None else _rfc_822(story.fed)
        items += (
            f"<item><title><![CDATA[{story.title}]]></title><link>{story.url}</link><guid>{story.url}</guid>"
            f"<description><![CDATA[{body}]]></description><pubDate>{fed}</pubDate></item>\n"
        )
    return _rss(items)


def _podcast() -> bytes:
    """Episodes: sound that is not there, a cover for each, show notes in two elements."""
    items = "".join(
        f"<item><title>{_text(story.title)}</title><link>{story.url}</link>"
        f'<guid isPermaLink="false">episode-{number}</guid><pubDate>{_rfc_822(story.published)}</pubDate>'
        f"<itunes:author>{_text(story.author)}</itunes:author><itunes:duration>00:0{number}:30</itunes:duration>"
        f'<itunes:image href="{_lead(story)}"/><itunes:summary>{_text(_lines(story)[0])}</itunes:summary>'
        f"<content:encoded><![CDATA[<p>{_text(_lines(story)[0])}</p><p>{_text(_lines(story)[1])}</p>]]>"
        f'</content:encoded><enclosure url="{_SITE}/audio/{number}.mp3" length="123456" type="audio/mpeg"/>'
        "</item>\n"
        for number, story in enumerate(STORIES, 1)
    )
    spaces = (
        'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    )
    return _rss(f'<itunes:image href="{_lead(STORIES[0])}"/>\n{items}', spaces)


def _rss(content: str, spaces: str = "") -> bytes:
    about = f"<title>{_TITLE}</title><link>{_SITE}/</link><description>{_TITLE}</description>"
    return f'{_XML}<rss version="2.0" {spaces}><channel>{about}\n{content}</channel></rss>\n'.encode()


# --- Atom, RSS 1.0, JSON Feed -------------------------------------------------------------------

_ATOM = "http://www.w3.org/2005/Atom"


def _atom() -> bytes:
    """RFC 4287: links relative to `xml:base`, bodies once as escaped HTML, else as XHTML."""
    entries = "".join(
        f'<entry xml:lang="{story.language}"><title type="html">{_text(_text(story.title))}</title>'
        f'<link rel="alternate" href="{story.path}"/><id>tag:{NEWS},2015:{number}</id>'
        f"<published>{story.published.isoformat()}</published><updated>{story.modified.isoformat()}</updated>"
        f'<author><name>{_text(story.author)}</name></author><category term="{_text(story.section)}"/>'
        f"{_atom_content(_markup(story, _shown), xhtml=number > 1)}</entry>\n"
        for number, story in enumerate(STORIES, 1)
    )
    newest = max(story.modified for story in STORIES).isoformat()
    return (
        f'{_XML}<feed xmlns="{_ATOM}" xml:base="{_SITE}/"><title>{_TITLE}</title>'
        f'<id>tag:{NEWS},2015:feed</id><link href="/"/><link rel="self" href="/feeds/atom.xml"/>'
        f"<updated>{newest}</updated>\n{entries}</feed>\n"
    ).encode()


def _atom_content(markup: str, *, xhtml: bool) -> str:
    if not xhtml:
        return f'<content type="html">{_text(markup)}</content>'
    return f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{markup}</div></content>'


def _rdf() -> bytes:
    """RSS 1.0 in GB 2312, as Chinese papers served it: a date by Dublin Core, and text without pictures."""
    listed = "".join(f'<rdf:li rdf:resource="{story.url}"/>' for story in STORIES)
    items = "".join(
        f'<item rdf:about="{story.url}"><title>{_text(story.title)}</title><link>{story.url}</link>'
        f"<description>{_text(_lines(story)[0])}</description><dc:creator>{_text(story.author)}</dc:creator>"
        f"<dc:subject>{_text(story.section)}</dc:subject><dc:date>{story.published.isoformat()}</dc:date></item>\n"
        for story in STORIES
    )
    return (
        '<?xml version="1.0" encoding="GB2312"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<channel rdf:about="{_SITE}/feeds/rdf.xml"><title>{_TITLE}</title><link>{_SITE}/</link>'
        f"<description>{_TITLE}</description><items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{items}</rdf:RDF>\n"
    ).encode("gb18030")


def _json_feed() -> bytes:
    """Version 1.1, with the lead as `image` and the second picture as an attachment."""
    items = [
        {
            "id": story.url,
            "url": story.url,
            "title": story.title,
            "content_html": _markup(story, _shown),
            "image": _lead(story),
            "date_published": story.published.isoformat(),
            "date_modified": story.modified.isoformat(),
            "authors": [{"name": story.author}],
            "language": story.language,
            "tags": [story.section],
            "attachments": [{"url": urljoin(story.url, story.photos[1].shown), "mime_type": "image/jpeg"}],
        }
        for story in STORIES
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _TITLE,
        "home_page_url": f"{_SITE}/",
        "feed_url": f"{_SITE}/feeds/feed.json",
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


# --- what names others --------------------------------------------------------------------------


def _opml() -> bytes:
    outlines = "\n".join(
        f'<outline type="rss" text="{name}" xmlUrl="{_SITE}{path}" htmlUrl="{_SITE}/"/>'
        for path, name in _FEEDS.items()
    )
    return (
        f'{_XML}<opml version="2.0"><head><title>{_TITLE}</title></head><body>\n'
        f'<outline text="All">\n{outlines}\n</outline>\n</body></opml>\n'
    ).encode()


def _sitemap_index() -> bytes:
    named = "".join(
        f"<sitemap><loc>{_SITE}{path}</loc></sitemap>\n"
        for path in ("/sitemap-stories.xml.gz", "/sitemap-news.xml")
    )
    return f'{_XML}<sitemapindex xmlns="{_SITEMAP}">\n{named}</sitemapindex>\n'.encode()


def _sitemap() -> bytes:
    named = "".join(
        f"<url><loc>{story.url}</loc><lastmod>{story.modified.isoformat()}</lastmod>"
        f"<image:image><image:loc>{_lead(story)}</image:loc></image:image></url>\n"
        for story in STORIES
    )
    spaces = f'xmlns="{_SITEMAP}" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
    return f"{_XML}<urlset {spaces}>\n{named}</urlset>\n".encode()


def _news_sitemap() -> bytes:
    """Google's news sitemap, of the newest story."""
    story = max(STORIES, key=lambda story: story.published)
    return (
        f'{_XML}<urlset xmlns="{_SITEMAP}" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n'
        f"<url><loc>{story.url}</loc><news:news><news:publication><news:name>{_TITLE}</news:name>"
        f"<news:language>{story.language}</news:language></news:publication>"
        f"<news:publication_date>{story.published.isoformat()}</news:publication_date>"
        f"<news:title>{_text(story.title)}</news:title></news:news></url>\n</urlset>\n"
    ).encode()


def _section_page() -> bytes:
    """A page of teasers: each a picture and a title that lead to the story, and a link to the feed."""
    teasers = "\n".join(
        f'<li><a href="{story.path}"><img src="{story.photos[0].shown}" alt="" width="300">'
        f"<h2>{_text(story.title)}</h2></a><p>{_text(_lines(story)[0])}</p></li>"
        for story in STORIES
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>All stories</title>
<link rel="alternate" type="application/rss+xml" href="/feeds/full.xml" title="{_TITLE}"></head>
<body><nav><a href="/">{_TITLE}</a></nav>
<main><h1>All stories</h1><ul>
{teasers}
</ul></main></body>
</html>
""".encode()


# --- pieces -------------------------------------------------------------------------------------


def _markup(story: Story, source: Callable[[Story, Photo], str]) -> str:
    """The body as well-formed HTML; `source` says what stands in the `src` of a photo."""
    return "".join(
        f'<figure><img src="{_text(source(story, piece))}" alt="{_text(piece.alt)}"/>'
        f"<figcaption>{_text(piece.caption)}</figcaption></figure>"
        if isinstance(piece, Photo)
        else f"<p>{_text(piece)}</p>"
        for piece in story.body
    )


def _shown(_: Story, photo: Photo) -> str:
    return photo.shown


def _lines(story: Story) -> list[str]:
    return [piece for piece in story.body if isinstance(piece, str)]


def _lead(story: Story) -> str:
    return urljoin(story.url, story.photos[0].shown)


def _rfc_822(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _text(words: str) -> str:
    return html.escape(words)
