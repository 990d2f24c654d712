"""Everything that can be named beside one document: folders, feeds, sitemaps, OPML, lists, section pages."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import archiver, query, records
from mirrored import COPIES, DOCUMENT, INNER, LEAD, PICTURES, Mirror, gzip_members, mirrored

from archiver.demo import encoding, scenes
from archiver.demo.world import DemoWorld

HOST = "paper.example"
SITE = f"http://{HOST}"
GONE = "http://www.news.example/feeds/gone.xml"  # answers 200 with "Invalid url"
PICTURE = f"{SITE}/p/photo.png"


def article(name: str, links: str = "") -> bytes:
    return (
        f'<html lang="en"><head><title>{name}</title></head><body><article><h1>{name}</h1>'
        f"<p>Of {name} it is said that there is no other like it in the whole of the county.</p>"
        f'<img src="{PICTURE}" width="300" height="200">{links}</article></body></html>'
    ).encode()


def anchors(*names: str) -> str:
    return "".join(f'<a href="{name}">more of it</a>' for name in names)


@pytest.fixture
def world() -> Iterator[DemoWorld]:
    with DemoWorld(picture_hosts=(HOST, "elsewhere.example")) as running:
        add = running.site.add
        add(HOST, "/p/photo.png", encoding.png(scenes.marsh()), "image/png")
        for name in "abc":
            add(HOST, f"/news/{name}", article(name, anchors("d" if name == "a" else "a")), "text/html")
        add(HOST, "/news/d", article("d", anchors("e")), "text/html")
        add(HOST, "/news/e", article("e"), "text/html")
        add(HOST, "/other/f", article("f"), "text/html")
        add("elsewhere.example", "/g", article("g"), "text/html")
        links = anchors(
            "a", "b#part", "b", "c", "/other/f", "http://elsewhere.example/g", "mailto:x@y.example"
        )
        add(HOST, "/news/", article("section", links), "text/html")
        yield running


def save(
    world: DemoWorld, root: Path, *arguments: str, stdin: bytes = b""
) -> tuple[int, list[dict[str, Any]], str]:
    flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
    return archiver("archive", *arguments, "--into", str(root), "--json", *flags, stdin=stdin)


def pages(root: Path) -> list[str]:
    asked = query(root, "SELECT url FROM fetches WHERE purpose = 'page' ORDER BY id")
    return [url.removeprefix(SITE) for (url,) in asked]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], ["/news/"]),
        (["--follow", "prefix"], ["/news/", "/news/a", "/news/b", "/news/c"]),
        (["--follow", "host"], ["/news/", "/news/a", "/news/b", "/news/c", "/other/f"]),
        (["--follow", "/[bg]$"], ["/news/", "/news/b", "http://elsewhere.example/g"]),
        (
            ["--follow", "prefix", "--depth", "2"],
            ["/news/", "/news/a", "/news/b", "/news/c", "/news/d"],
        ),
        (
            ["--follow", "prefix", "--depth", "3"],
            ["/news/", "/news/a", "/news/b", "/news/c", "/news/d", "/news/e"],
        ),
    ],
    ids=["none", "prefix", "host", "pattern", "two", "three"],
)
def test_a_section_page_is_followed_in_its_scope(
    world: DemoWorld, tmp_path: Path, flags: list[str], expected: list[str]
) -> None:
    code, rows, text = save(world, tmp_path, f"{SITE}/news/", *flags)
    assert (code, sorted(pages(tmp_path))) == (0, sorted(expected)), text
    assert rows[-1]["articles"] == len(expected)
    pictures = query(tmp_path, "SELECT url FROM fetches WHERE purpose = 'picture'")
    assert pictures == [(PICTURE,)]  # once for all pages
    if flags:
        kinds = query(tmp_path, "SELECT DISTINCT kind FROM listings")
        assert kinds == [("section",)]
    assert archiver("verify", str(tmp_path), "--deep")[0] == 0


def test_the_limit_of_pages_ends_a_run_with_its_own_code(world: DemoWorld, tmp_path: Path) -> None:
    code, rows, text = save(world, tmp_path, f"{SITE}/news/", "--follow", "host", "--max-pages", "2")
    assert (code, pages(tmp_path)) == (7, ["/news/", "/news/a", "/news/b"])
    assert rows[-1]["limited"] is True
    assert "stopped at --max-pages" in text


@pytest.mark.parametrize("scope", ["(", "", "a" * 2_000, "a{99999999999}"])
def test_a_scope_that_is_none_is_a_wrong_use(world: DemoWorld, tmp_path: Path, scope: str) -> None:
    code, _, text = save(world, tmp_path / "archive", f"{SITE}/news/", "--follow", scope)
    assert code == 2
    assert "--follow" in text
    assert not (tmp_path / "archive").exists()


SITEMAP = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>{SITE}/news/a</loc><lastmod>2024-05-01</lastmod></url><url><loc>{SITE}/news/b</loc></url></urlset>"""
INDEX = f"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>{SITE}/sitemap.xml.gz</loc></sitemap><sitemap><loc>{SITE}/index.xml</loc></sitemap>
<sitemap><loc>{SITE}/news/c</loc></sitemap></sitemapindex>"""
FEED = f"""<rss version="2.0"><channel><title>Paper</title><link>{SITE}/</link><item><title>About a</title>
<link>{SITE}/news/a</link><pubDate>Sat, 14 Mar 2015 10:00:00 GMT</pubDate>
<description>&lt;p&gt;A short text of the feed.&lt;/p&gt;&lt;img src="/p/photo.png"&gt;</description></item>
</channel></rss>"""
OPML = f"""<opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Paper" type="rss" xmlUrl="{SITE}/feed.xml"/>
<outline text="Broken" type="rss" xmlUrl="{SITE}/invalid"/>
<outline text="Page" type="rss" xmlUrl="{SITE}/news/b"/></body></opml>"""


def publish(world: DemoWorld) -> None:
    world.site.add(HOST, "/sitemap.xml.gz", gzip.compress(SITEMAP.encode(), mtime=0), "application/gzip")
    world.site.add(HOST, "/index.xml", INDEX.encode(), "application/xml")
    world.site.add(HOST, "/feed.xml", FEED.encode(), "text/html")  # its type is not believed
    world.site.add(HOST, "/invalid", b"Invalid url", "application/rss+xml")


def test_a_sitemap_index_leads_to_the_pages_of_its_sitemaps(world: DemoWorld, tmp_path: Path) -> None:
    publish(world)
    code, rows, _ = save(world, tmp_path, f"{SITE}/index.xml")
    assert pages(tmp_path) == ["/index.xml", "/sitemap.xml.gz", "/news/c", "/news/a", "/news/b"]
    assert code == 3  # the index names a page as a sitemap
    assert [row["reason"] for row in rows if row["type"] == "unreadable"] == [
        "named as a sitemap, but what came is a page"
    ]
    assert query(tmp_path, "SELECT kind FROM listings ORDER BY id") == [("sitemap-index",), ("sitemap",)]
    assert query(tmp_path, "SELECT url, modified FROM links WHERE listing_id = 2") == [
        (f"{SITE}/news/a", "2024-05-01"),
        (f"{SITE}/news/b", ""),
    ]
    assert archiver("verify", str(tmp_path), "--deep")[0] == 0


def test_a_feed_gives_its_own_articles_and_their_pages(world: DemoWorld, tmp_path: Path) -> None:
    publish(world)
    code, rows, text = save(world, tmp_path, f"{SITE}/feed.xml")
    assert (code, pages(tmp_path)) == (0, ["/feed.xml", "/news/a"]), text
    found = query(tmp_path, "SELECT kind, title, url FROM articles ORDER BY id")
    assert found == [("item", "About a", f"{SITE}/news/a"), ("page", "a", f"{SITE}/news/a")]
    assert query(tmp_path, "SELECT clock, value FROM times WHERE article_id = 1") == [
        ("feed-published", "2015-03-14T10:00:00Z")
    ]
    assert query(tmp_path, "SELECT document_id, page_id FROM text_comparisons") == [(1, 2)]
    assert [row["links"] for row in rows if row["type"] == "listing"] == [1]
    source = query(tmp_path, "SELECT DISTINCT source_id FROM articles WHERE kind = 'item'")
    assert source == query(tmp_path, "SELECT source_id FROM listings")


def test_opml_leads_to_feeds_and_rubbish_is_no_empty_success(world: DemoWorld, tmp_path: Path) -> None:
    publish(world)
    path, root = tmp_path / "feeds.opml", tmp_path / "archive"
    path.write_text(OPML)
    code, rows, _ = save(world, root, str(path))
    assert code == 3
    assert sorted(pages(root)) == ["/feed.xml", "/invalid", "/news/a", "/news/b"]
    unreadable = {row["given"]: row["reason"] for row in rows if row["type"] == "unreadable"}
    assert set(unreadable) == {f"{SITE}/invalid", f"{SITE}/news/b"}
    assert "Invalid url" in unreadable[f"{SITE}/invalid"]
    assert unreadable[f"{SITE}/news/b"] == "named as a feed, but what came is a page"
    kept = [row["mime"] for row in records(root) if row["type"] == "resource"]
    assert kept == ["text/x-opml"]
    assert archiver("rebuild", str(root))[0] == 0
    assert query(root, "SELECT count(*) FROM unreadable_sources") == [(2,)]


@pytest.mark.parametrize("given", ["file", "-"])
def test_a_list_of_urls_is_as_good_as_naming_them(world: DemoWorld, tmp_path: Path, given: str) -> None:
    publish(world)
    path, root = tmp_path / "list.txt", tmp_path / "archive"
    lines = f"# mine\r\n{SITE}/news/b\n\n{SITE}/feed.xml\n{SITE}/news/\n".encode()
    path.write_bytes(lines)
    name = str(path) if given == "file" else "-"
    code, _, text = save(world, root, name, "--follow", "/c$", stdin=lines)
    assert code == 0, text
    assert pages(root) == ["/news/b", "/feed.xml", "/news/", "/news/a", "/news/c"]


def test_a_folder_is_read_document_by_document(tmp_path: Path) -> None:
    folder, root = tmp_path / "mirror", tmp_path / "archive"
    for name, data in {
        "articles/voa/0001.md": DOCUMENT,
        "articles/voa/0002.md": DOCUMENT.replace(b"7346943", b"7346944"),
        "README.md": b"# A mirror\n\nof news\n",
        "lists/voa.md": b"voa\n------\n11-08 [t](/articles/voa/0001.md)\n",
        ".git/0003.md": DOCUMENT,
        "sitemap.xml": SITEMAP.encode(),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "gone.md").symlink_to(folder / "nowhere")
    dead = [flag for port in (80, 443) for flag in ("--connect-to", f":{port}:127.0.0.1:9")]
    code, rows, text = archiver("archive", str(folder), "--into", str(root), "--json", *dead)
    assert code == 3  # nothing answers
    given = query(root, "SELECT given FROM articles ORDER BY id")
    assert given == [("articles/voa/0001.md",), ("articles/voa/0002.md",)]
    assert rows[-1]["passed_over"] == 3
    assert "passed over lists/voa.md: not a mirror document" in text
    assert len([row for row in records(root) if row["type"] == "resource"]) == 2


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    code, rows, text = archiver("archive", str(tmp_path), "--into", str(tmp_path / "archive"), "--json")
    assert (code, rows[-1]["refused_sources"]) == (3, [str(tmp_path)])
    assert "no mirror document in this folder" in text
    assert not (tmp_path / "archive").exists()


# --- beyond what a source names -----------------------------------------------------------------


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with mirrored(tmp_path) as running:
        yield running


def forms(root: Path) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT p.number, f.form, f.url, x.outcome FROM forms f JOIN article_pictures p"
        " ON p.id = f.article_picture_id LEFT JOIN fetches x ON x.id = f.fetch_id ORDER BY p.number, f.number"
    )
    return query(root, sql)


def test_renditions_are_guesses_that_may_fail(mirror: Mirror, tmp_path: Path) -> None:
    guid = INNER.partition("_")[0]
    mirror.world.site.add(PICTURES, f"/{guid}.jpg", encoding.jpeg(scenes.harbour()), "image/jpeg")
    root = tmp_path / "archive"
    options = ("--into", str(root), "--json", "--renditions", "master", *mirror.flags)
    code, rows, text = archiver("archive", str(mirror.document), *options)
    assert code == 0, text
    guesses = [(number, url, outcome) for number, form, url, outcome in forms(root) if form == "rendition"]
    assert [(number, outcome) for number, _, outcome in guesses] == [(0, "refused"), (1, "whole")]
    assert guesses[1][1] == f"http://{PICTURES}/{guid}.jpg"
    assert (rows[-1]["guesses"], rows[-1]["fetches"]) == (1, {"captured": 6})
    assert "1 guessed rendition did not come" in text
    assert query(root, "SELECT count(*) FROM failures") == [(0,)]
    groups = query(
        root, "SELECT rendition_group, rendition_area, rendition_width FROM article_pictures ORDER BY number"
    )
    assert len({group for group, _, _ in groups}) == 2
    assert [(area != "", width) for _, area, width in groups] == [(True, 900), (False, 900)]


def test_a_picture_that_is_dead_everywhere_is_asked_of_another_archive(tmp_path: Path) -> None:
    body = encoding.jpeg(scenes.podium())
    with mirrored(tmp_path) as mirror:
        site = mirror.world.site
        for name in (LEAD, INNER):
            site.add(PICTURES, f"/{name}", b"gone", "text/plain", status=410)
        root = tmp_path / "archive"
        root.mkdir()
        (root / "archiver.toml").write_text(f'timegate = "http://{COPIES}/web/"\n')
        copy = f"/web/20231109000000/http://{PICTURES}/{LEAD}"
        moved = (("Location", copy), ("Vary", "accept-datetime"))
        site.add(COPIES, f"/web/http://{PICTURES}/{LEAD}", b"", "text/plain", status=302, fields=moved)
        when = (("Memento-Datetime", "Thu, 09 Nov 2023 00:00:00 GMT"),)
        site.add(COPIES, copy, body, "image/jpeg", fields=when)
        site.add(COPIES, f"/web/http://{PICTURES}/{INNER}", body, "image/jpeg")  # does not say when
        options = ("--into", str(root), "--json", "--rescue", *mirror.flags)
        code, rows, text = archiver("archive", str(mirror.document), *options)
    assert code == 3  # the proxy and the publisher have failed all the same
    (warc,) = root.glob("warcs/*.warc.gz")
    asked = [record for record in gzip_members(warc) if f"Host: {COPIES}".encode() in record]
    assert len(asked) == 4
    assert all(
        b"GET /robots.txt" in record or b"Accept-Datetime: Wed, 08 Nov 2023 18:25:56 GMT" in record
        for record in asked
    )
    copies = [row for row in rows if row.get("form") == "memento"]
    copies.sort(key=lambda row: row["references"])
    assert [(row["outcome"], row.get("memento"), row["references"]) for row in copies] == [
        ("whole", "2023-11-09T00:00:00Z", [0]),
        ("refused", None, [1]),
    ]
    assert copies[0]["original"] == f"http://{PICTURES}/{LEAD}"
    assert "no memento" in copies[1]["reason"]
    assert "an archive's copy of 2023-11-09T00:00:00Z" in text
    kept = [row["uri"] for row in records(root) if row["type"] == "response" and row["status"] == 200]
    assert f"http://{COPIES}{copy}" in kept  # recorded as what it is
    assert [(number, outcome) for number, form, _, outcome in forms(root) if form == "memento"] == [
        (0, "whole"),
        (1, "refused"),
    ]
    before = forms(root)
    assert archiver("rebuild", str(root))[0] == 0
    assert forms(root) == before


def test_what_is_alive_is_not_asked_of_another_archive(mirror: Mirror, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    options = ("--into", str(root), "--json", "--rescue", *mirror.flags)
    assert archiver("archive", str(mirror.document), *options)[0] == 0
    assert {form for _, form, _, _ in forms(root)} == {"proxied", "origin"}


def test_every_feed_of_the_demo_site_is_archived_through_its_opml(tmp_path: Path) -> None:
    with DemoWorld() as world:
        proxy = ("--instance", world.instances[0])
        named = ("http://www.news.example/feeds.opml", GONE)
        code, rows, text = save(world, tmp_path, *named, *proxy)
    assert code == 3, text  # one feed is gone, and some pictures are
    listings = {row["given"].rpartition("/")[2]: row["links"] for row in rows if row["type"] == "listing"}
    shapes = ("rsshub.xml", "full.xml", "atom.xml", "rdf.xml", "feed.json", "podcast.xml")
    assert {name: listings[name] for name in shapes} == dict.fromkeys(shapes, 3)
    assert [row["given"] for row in rows if row["type"] == "unreadable"] == [GONE]
    counted = query(tmp_path, "SELECT kind, count(*) FROM articles GROUP BY kind")
    assert counted == [("item", 18), ("page", 3)]
    undone = query(
        tmp_path,
        "SELECT count(*) FROM forms f JOIN article_pictures p ON p.id = f.article_picture_id"
        " JOIN articles a ON a.id = p.article_id WHERE a.kind = 'item' AND f.proxy = 'weserv'",
    )
    assert undone[0][0] >= 6
    same = query(tmp_path, "SELECT count(*), sum(changed), sum(added) FROM text_comparisons WHERE same > 2")
    assert same[0][0] >= 9
    assert archiver("verify", str(tmp_path), "--deep")[0] == 0


def test_a_proxy_without_a_scheme_is_undone(tmp_path: Path) -> None:
    """In a browser such a picture is broken; what the mirror meant is clear."""
    bare = DOCUMENT.replace(b"https://images.weserv.nl?url=", b"images.weserv.nl/?url=")
    with mirrored(tmp_path, bare) as mirror:
        root = tmp_path / "archive"
        assert archiver("archive", str(mirror.document), "--into", str(root), *mirror.flags)[0] == 0
    assert [form for _, form, _, outcome in forms(root) if outcome == "whole"] == ["proxied", "origin"] * 2
