"""The demo news site's pages as HTML: a home page, and an article with what news pages carry."""

import html
import json
from urllib.parse import urljoin

from archiver.demo.stories import NEWS, STORIES, Photo, Story


def home_page() -> bytes:
    """A list of links, newest first."""
    newest = sorted(STORIES, key=lambda story: story.published, reverse=True)
    items = "\n".join(
        f'<li lang="{story.language}"><a href="{story.path}">{html.escape(story.title)}</a></li>'
        for story in newest
    )
    return _page(
        "en", "The Demo Courier", "", f"<main>\n<h1>The Demo Courier</h1>\n<ul>\n{items}\n</ul>\n</main>"
    )


def article_page(story: Story) -> bytes:
    """Title, JSON-LD, a time element, figures with captions, and a relative link to another story."""
    stamp = story.published.strftime("%Y-%m-%dT%H:%M:%S&#x2B;00:00")
    body = "\n".join(
        _figure(piece) if isinstance(piece, Photo) else _paragraph(piece) for piece in story.body
    )
    content = f"""<main>
<article>
<h1>{html.escape(story.title)}</h1>
<p class="byline"><time pubdate="pubdate" datetime="{stamp}">{story.published:%Y-%m-%d %H:%M} UTC</time>
{html.escape(story.author)}</p>
<div id="article-content">
{body}
</div>
</article>
<aside><a href="{story.related}">…</a></aside>
</main>"""
    return _page(story.language, story.title, _head(story), content)


def not_found_page() -> bytes:
    return _page("en", "Not found", "", "<main><h1>Not found</h1></main>")


def _head(story: Story) -> str:
    lead = urljoin(story.url, story.photos[0].shown)
    return f"""<link rel="canonical" href="{story.url}">
<meta content="article" property="og:type">
<meta content="{html.escape(story.title)}" property="og:title">
<meta content="{lead}" property="og:image">
<script type="application/ld+json">{_json_ld(story, lead)}</script>
"""


def _json_ld(story: Story, lead: str) -> str:
    """schema.org NewsArticle, its times with a space as news systems write them."""
    said = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "articleSection": story.section,
        "author": {"@type": "Person", "name": story.author},
        "datePublished": story.published.strftime("%Y-%m-%d %H:%M:%SZ"),
        "dateModified": story.modified.strftime("%Y-%m-%d %H:%M:%SZ"),
        "image": {"@type": "ImageObject", "url": lead},
        "mainEntityOfPage": story.url,
    }
    return json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")  # nothing may close the element


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text, quote=False)}</p>"


def _figure(photo: Photo) -> str:
    srcset = f' srcset="{photo.srcset}"' if photo.srcset else ""
    image = f'<img src="{photo.shown}"{srcset} alt="{html.escape(photo.alt)}">'
    return f"<figure>{image}<figcaption>{html.escape(photo.caption)}</figcaption></figure>"


def _page(language: str, title: str, head: str, content: str) -> bytes:
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
{head}</head>
<body>
<header><nav><a href="/">The Demo Courier</a></nav></header>
{content}
<footer>{NEWS}: an invented paper with invented news.</footer>
</body>
</html>
""".encode()
