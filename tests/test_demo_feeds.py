"""The demo site's feeds, sitemaps and lists: served as publishers serve them, and read without loss."""

import html
from urllib.parse import urljoin

import msgspec
import pytest
from demo_client import ask

from archiver.demo.feeds import publications
from archiver.demo.stories import NEWS, PROXY, STORIES, Story
from archiver.demo.world import DemoWorld
from archiver.model import Article, Listing, Recognised
from archiver.sources import read_document, read_links, read_listing, read_page, recognise

SITE = f"http://{NEWS}"
FULL_TEXT = ("/feeds/rsshub.xml", "/feeds/full.xml", "/feeds/atom.xml", "/feeds/feed.json")
KINDS = {
    "/feeds/rsshub.xml": "feed",
    "/feeds/full.xml": "feed",
    "/feeds/atom.xml": "feed",
    "/feeds/rdf.xml": "feed",
    "/feeds/feed.json": "feed",
    "/feeds/podcast.xml": "feed",
    "/feeds/gone.xml": "unknown",
    "/feeds.opml": "opml",
    "/sitemap.xml": "sitemap",
    "/sitemap-stories.xml.gz": "sitemap",
    "/sitemap-news.xml": "sitemap",
    "/section/all.html": "page",
}


def listing(path: str) -> Listing:
    data, content_type = publications()[path]
    return msgspec.convert(read_listing(data, url=SITE + path, content_type=content_type), Listing)


def words(article: Article) -> list[str]:
    return [block.text for block in article.blocks if block.kind != "picture"]


def paragraphs(story: Story) -> list[str]:
    return [piece for piece in story.body if isinstance(piece, str)]


def test_all_are_served_and_recognised() -> None:
    assert publications().keys() == KINDS.keys()
    with DemoWorld() as world:
        for path, kind in KINDS.items():
            answer = ask(world.site.address, NEWS, path)
            body, content_type = publications()[path]
            assert (answer.status, answer.body) == (200, body)
            assert answer.fields["content-type"] == content_type
            found = msgspec.convert(recognise(answer.body, content_type=content_type), Recognised)
            assert found.kind == kind, found.why


def test_a_feed_that_is_gone_answers_200_with_words() -> None:
    found = recognise(*publications()["/feeds/gone.xml"][:1], content_type="text/html")
    assert found == {"kind": "unknown", "why": "plain text that begins 'Invalid url'"}


@pytest.mark.parametrize("path", [path for path, kind in KINDS.items() if kind == "feed"])
def test_every_feed_names_every_story(path: str) -> None:
    feed = listing(path)
    assert (feed.kind, feed.title, feed.left_out) == ("feed", "The Demo Courier", ())
    assert [article.url for article in feed.articles] == [story.url for story in STORIES]
    assert [link.url for link in feed.links] == [story.url for story in STORIES]
    assert [article.title for article in feed.articles] == [story.title for story in STORIES]


@pytest.mark.parametrize("path", FULL_TEXT)
def test_full_text_feeds_keep_the_text_and_the_pictures(path: str) -> None:
    for article, story in zip(listing(path).articles, STORIES, strict=True):
        assert words(article) == [part for text in paragraphs(story) for part in text.split("\n")]
        shown = [urljoin(story.url, photo.shown) for photo in story.photos]
        if path == "/feeds/full.xml":
            mirrored = [html.unescape(photo.mirrored) for photo in story.photos]
            assert [reference.written for reference in article.references] == mirrored
        elif path != "/feeds/rsshub.xml":
            assert [reference.url for reference in article.references] == shown
        assert [reference.caption for reference in article.references] == [p.caption for p in story.photos]
        assert article.left_out == ()


def test_the_rsshub_feed_has_its_pictures_through_the_proxy() -> None:
    with DemoWorld() as world:
        for article, story in zip(listing("/feeds/rsshub.xml").articles, STORIES, strict=True):
            for reference, photo in zip(article.references, story.photos, strict=True):
                assert reference.url.startswith(f"http://{PROXY}/?url=http%3A%2F%2F")
                answer = ask(world.proxy.address, PROXY, reference.url.removeprefix(f"http://{PROXY}"))
                if answer.status == 200:
                    assert answer.fields["link"] == f'<{urljoin(story.url, photo.shown)}>; rel="canonical"'


def test_the_full_text_feed_is_what_the_mirror_documents_hold() -> None:
    with DemoWorld() as world:
        documents = [msgspec.convert(read_document(data), Article) for data in world.documents.values()]
    for article, document in zip(listing("/feeds/full.xml").articles, documents, strict=True):
        assert article.blocks == document.blocks
        assert article.references == document.references
        assert article.times[1:] == document.times[1:]  # the printed ones


def test_authors_sections_and_times() -> None:
    clocks = {
        "/feeds/rsshub.xml": ["feed-published"],
        "/feeds/atom.xml": ["feed-published", "feed-updated"],
        "/feeds/rdf.xml": ["feed-date"],
        "/feeds/feed.json": ["feed-published", "feed-updated"],
    }
    for path, expected in clocks.items():
        for article, story in zip(listing(path).articles, STORIES, strict=True):
            assert (article.authors, article.section) == ((story.author,), story.section)
            assert [claim.clock for claim in article.times] == expected
            moments = (story.published, story.modified)[: len(expected)]
            assert [claim.value for claim in article.times] == [f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in moments]


def test_the_podcast_has_covers_and_leaves_the_sound() -> None:
    for article, story in zip(listing("/feeds/podcast.xml").articles, STORIES, strict=True):
        (cover,) = article.references
        assert (cover.url, cover.place) == (urljoin(story.url, story.photos[0].shown), "itunes:image")
        assert article.left_out[0].startswith("enclosure that is no picture, not fetched: 1")
        assert words(article) == paragraphs(story)[:2]


def test_the_lists_name_the_feeds_the_sitemaps_and_the_stories() -> None:
    feeds = [SITE + path for path, kind in KINDS.items() if kind == "feed"]
    assert [(link.url, link.role) for link in listing("/feeds.opml").links] == [
        (url, "feed") for url in feeds
    ]
    index = listing("/sitemap.xml")
    assert index.kind == "sitemap-index"
    assert [link.role for link in index.links] == ["sitemap", "sitemap"]
    for link in index.links:
        named = listing(link.url.removeprefix(SITE))
        assert {inner.url for inner in named.links} <= {story.url for story in STORIES}
        assert named.links
    assert len(listing("/sitemap-stories.xml.gz").links) == len(STORIES)
    (newest,) = listing("/sitemap-news.xml").links
    assert newest.title == max(STORIES, key=lambda story: story.published).title


def test_the_section_page_links_to_the_stories_and_a_feed() -> None:
    data, content_type = publications()["/section/all.html"]
    url = f"{SITE}/section/all.html"
    links = msgspec.convert(read_links(data, url=url, content_type=content_type), Listing).links
    assert {story.url for story in STORIES} <= {link.url for link in links if link.role == "page"}
    assert [link.url for link in links if link.role == "feed"] == [f"{SITE}/feeds/full.xml"]
    assert read_page(data, url=url, content_type=content_type)["title"] == "All stories"
