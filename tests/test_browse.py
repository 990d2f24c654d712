"""Browsing: the plugin's routes, tables and guards, through Datasette's own client and one real server."""

import asyncio
import hashlib
import http.client
import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("datasette")

from browse_archive import HOSTILE, WARC, BrowseArchive, encoded, make_archive, scene
from datasette.app import Datasette

from archiver.browse import words
from archiver.browse.hashes import hamming
from archiver.browse.library import library
from archiver.browse.media import Thumbnails, read_intact
from archiver.browse.server import build, close
from archiver.errors import NotAnArchive, RecordError, SandboxError, UsageError
from archiver.model import Location
from archiver.pictures.thumbnail import make_thumbnail
from archiver.sandbox import Sandbox
from archiver.warc.read import StoredRecord

CHINESE, PAGE, ENGLISH, EVIL = 1, 2, 3, 4


class Site:
    """An archive and a Datasette over it."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.archive = make_archive(root, **options)
        self.datasette = build(root)

    def get(self, path: str, **options: Any) -> Any:
        return asyncio.run(self.datasette.client.get(path, **options))

    def close(self) -> None:
        close(self.datasette)
        self.archive.db.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # A folder's name that is not plain: SQLite's URIs give `%`, `?` and `#` a meaning.
    site = Site(tmp_path_factory.mktemp("browse") / "我的 %41 #1?", fillers=30)
    yield site
    site.close()


# --- pages --------------------------------------------------------------------------------------


def test_start_leads_to_the_articles(site: Site) -> None:
    answer = site.get("/")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/-/articles"


def test_list_is_newest_first_with_pages(site: Site) -> None:
    first, second = site.get("/-/articles").text, site.get("/-/articles?page=2").text
    found = re.findall(r'href="/-/articles/(\d+)"', first)
    assert found[:4] == [str(PAGE), str(CHINESE), str(ENGLISH), str(EVIL)]
    assert len(found) == 24
    assert len(re.findall(r'href="/-/articles/(\d+)"', second)) == 10
    assert 'rel="next"' in first
    assert 'rel="prev"' in second
    assert "page 2 of 2" in second


@pytest.mark.parametrize("page", ["0", "-1", "x", "９", "99999999999999999999", "'", ""])
def test_list_takes_any_page_number(site: Site, page: str) -> None:
    assert site.get("/-/articles", params={"page": page}).status_code == 200


def test_cards_say_date_host_language_and_pictures(site: Site) -> None:
    cards = site.get("/-/articles").text.split('<li class="card')
    page, chinese, english, evil = cards[1:5]
    assert 'lang="zh"' in chinese
    assert "2 of 2 pictures" in chinese
    assert "www.news.example" in chinese
    assert f"/-/thumbnail/{site.archive.digits['origin']}" in chinese
    assert 'lang="zh-Hans"' in page
    assert "2023-11-08" in page
    assert "2023-11-10" in page  # two clocks, two days
    assert "No date claimed" in english
    assert "1 of 2 pictures" in english
    assert 'class="lacking"' in english
    assert "Damaged" in evil


def test_article_shows_text_in_order_with_pictures_in_place(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    places = [
        html.index(text)
        for text in ("<h1", "picture-1", "周三（11月8日）清晨", "老码头的新生活</h2>", "picture-2")
    ]
    assert places == sorted(places)
    assert '<blockquote class="reading" lang="zh"' in html
    assert site.get(f"/-/articles/{PAGE}").text.count("<li dir") == 2


def test_both_forms_of_a_picture_stand_side_by_side(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    first = html[html.index('id="picture-1"') : html.index('id="picture-2"')]
    assert first.index("As the image proxy served it") < first.index("As published")
    for name in ("proxied", "origin"):
        digits = site.archive.digits[name]
        assert f"/-/media/{digits}" in first
        assert f"sha256:{digits[:12]}…" in first
    assert "900 × 600 JPEG" in first
    assert "1200 × 800 JPEG" in first
    assert "different bytes" in first
    assert re.search(r"differ in \d+ of 64 bits: they look alike", first)
    assert "渡轮离开北岸" in first  # the alternative text
    assert "离开北岸老码头。（2023年11月8日）" in first  # the caption
    assert WARC in first


def test_a_missing_copy_says_why(site: Site) -> None:
    assert (
        "the host&#39;s name was not found: pictures.news.example has no address"
        in site.get(f"/-/articles/{CHINESE}").text
    )
    english = site.get(f"/-/articles/{ENGLISH}").text
    assert "The image proxy answered 404" in english
    assert "does not mean that the picture is gone" in english
    assert "no connection to the host: timed out" in english


def test_claimed_times_keep_their_clocks_apart(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    rows = html[html.index("<tbody>") : html.index("</tbody>")].split("<tr>")[1:]
    assert [re.search(r"\d{4}-\d\d-\d\d [\d:.]+ UTC", row).group() for row in rows] == [  # type: ignore[union-attr]
        "2023-11-08 18:05:07.97 UTC",
        "2023-11-08 18:10:00 UTC",
        "2023-11-08 18:25:56 UTC",
        "2023-11-08 18:39:04 UTC",
        "2023-11-10 01:00:00 UTC",
    ]
    assert "picture 1" in rows[0]
    assert "33 min 56.03 s later" in rows[3]
    assert "1699468744000" in rows[3]
    assert f'href="/-/articles/{PAGE}"' in rows[4]  # the page's claim, beside the document's
    english = site.get(f"/-/articles/{ENGLISH}").text
    assert "No time is claimed here" in english  # NaN
    assert "Cannot be read as one moment" in english  # a time without a zone


def test_article_says_where_it_lies(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    row = site.archive.db.execute(
        "SELECT records.id, record_id, digest FROM articles JOIN records ON record_id = source_id WHERE articles.id = 1"
    ).fetchone()
    for text in (f"/catalogue/records/{row[0]}", row[1], row[2], "/catalogue/times?article_id=1"):
        assert text in html
    assert site.get("/catalogue/times?article_id=1").status_code == 200


def test_unknown_things_get_a_page_of_words(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    for path in (
        "/-/articles/999",
        f"/-/media/{'0' * 64}",
        f"/-/thumbnail/{'0' * 64}",
        "/catalogue/nothing",
        "/nothing",
    ):
        answer = site.get(path)
        assert answer.status_code == 404, path
        assert "<h1>" in answer.text
    assert site.get("/nothing/at/all.json").json()["status"] == 404
    assert capfd.readouterr() == ("", "")  # and no traceback on the terminal


# --- hostile input ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/-/articles", f"/-/articles/{EVIL}", "/catalogue/articles", "/catalogue/blocks",
                                  "/catalogue/article_pictures", "/catalogue/fetches", f"/catalogue/articles/{EVIL}"])  # fmt: skip
def test_hostile_text_stays_text(site: Site, path: str) -> None:
    html = site.get(path).text
    assert "<script>alert" not in html
    assert "onerror=alert(1)>" not in html.replace("&gt;", "")
    assert 'href="javascript:' not in html
    body = html.split("<h1", 1)[1]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", body.replace("\r", ""))


def test_hostile_language_stays_out(site: Site) -> None:
    assert "<b" not in re.sub("<(b|bdi|body|blockquote)[ >]", "", site.get(f"/-/articles/{EVIL}").text)


def test_only_web_links_are_linked() -> None:
    assert words.link("https://a.example/x?y=1&z") == "https://a.example/x?y=1&z"
    for url in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example",
        "https://a.example/\n",
        'http://a"b',
        None,
        "",
    ):
        assert words.link(url) is None


@given(st.text())
def test_plain_text_has_no_unseen_characters(text: str) -> None:
    assert words.plain(words.plain(text)) == words.plain(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", words.plain(text))
    words.clock_time(text)
    words.moment(text)
    words.short(text)
    words.host_name(text)
    assert re.fullmatch("[A-Za-z0-9-]*", words.language_of(text, text))


# --- bytes --------------------------------------------------------------------------------------


def test_media_are_the_archived_bytes(site: Site) -> None:
    for name, mime in (("origin", "image/jpeg"), ("proxied", "image/jpeg")):
        digits = site.archive.digits[name]
        answer = site.get(f"/-/media/{digits}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == digits
        assert answer.headers["content-type"] == mime
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
        again = site.get(f"/-/media/{digits}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""


def test_media_lose_their_content_coding_only(site: Site) -> None:
    answer = site.get(f"/-/media/{site.archive.digits['room']}")
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (800, 1000)


@pytest.mark.parametrize("name", ["svg", "html"])
@pytest.mark.parametrize("kind", ["media", "thumbnail"])
def test_what_is_no_picture_is_never_served(site: Site, kind: str, name: str) -> None:
    answer = site.get(f"/-/{kind}/{site.archive.digits[name]}")
    assert answer.status_code == 415
    assert b"alert(1)" not in answer.content
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("kind", ["media", "thumbnail"])
def test_damaged_bytes_never_leave_as_a_picture(site: Site, kind: str) -> None:
    answer = site.get(f"/-/{kind}/{site.archive.digits['damaged']}")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "Damaged" in answer.text
    assert WARC in answer.text
    html = site.get(f"/-/articles/{EVIL}").text
    assert "Damage found." in html
    assert f"/-/thumbnail/{site.archive.digits['damaged']}" not in html


def test_every_damaged_byte_is_seen(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "a")
    url = "http://pictures.news.example/small.png"
    archive.response(url, encoded(Image.new("RGB", (8, 8), "teal"), "PNG"), "image/png", name="small")
    digest = f"sha256:{archive.digits['small']}"
    length = archive.db.execute("SELECT length FROM records").fetchone()[0]
    archive.db.close()
    place = [Location(file=WARC, offset=0, length=length)]
    whole = (archive.root / WARC).read_bytes()
    record = read_intact(archive.root, place, digest)
    unseen = []
    for at in range(length):
        (archive.root / WARC).write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            if read_intact(archive.root, place, digest).payload != record.payload:
                unseen.append(at)
        except RecordError:
            continue
    assert unseen == []


def test_a_location_outside_the_archive_is_not_read(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "a")
    archive.response("http://a.example/", b"x" * 100, "image/png", name="x")
    archive.db.close()
    (archive.root / WARC).rename(tmp_path / "outside.gz")
    with pytest.raises(RecordError, match="outside the archive"):
        read_intact(archive.root, [Location(file="../outside.gz", offset=0, length=9)], "sha256:0")
    (archive.root / WARC).symlink_to(tmp_path / "outside.gz")
    with pytest.raises(RecordError, match="outside the archive"):
        read_intact(archive.root, [Location(file=WARC, offset=0, length=9)], "sha256:0")


def test_the_catalogue_s_other_copy_is_served(tmp_path: Path) -> None:
    site = Site(tmp_path / "a")
    try:
        site.archive.damage("origin")  # the first of two records with these bytes
        answer = site.get(f"/-/media/{site.archive.digits['origin']}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == site.archive.digits["origin"]
        assert "Damage found." in site.get(f"/-/articles/{CHINESE}").text  # its own record is the damaged one
    finally:
        site.close()


# --- thumbnails ---------------------------------------------------------------------------------


def test_thumbnails_are_our_own_webp(site: Site) -> None:
    digits = site.archive.digits["origin"]
    for query, width in (("", 480), ("?size=large", 1200), ("?size=other", 480)):
        answer = site.get(f"/-/thumbnail/{digits}{query}")
        assert answer.headers["content-type"] == "image/webp"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.width) == ("WEBP", width)


def thumbnail(data: bytes, width: int = 200) -> Image.Image:
    import base64

    return Image.open(io.BytesIO(base64.b64decode(make_thumbnail(data, width=width))))


def test_thumbnail_keeps_shape_and_drops_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "secret"
    data = encoded(scene(5, (600, 400)), exif=exif.tobytes(), comment=b"secret", icc_profile=b"secret" * 30)
    with thumbnail(data) as image:
        assert image.size == (200, 300)
        assert "secret" not in str(image.info)
        assert not image.getexif()


@pytest.mark.parametrize(
    ("mode", "kind", "size", "expected"),
    [("P", "GIF", (50, 40), (50, 40)), ("LA", "PNG", (400, 100), (200, 50)), ("I;16", "PNG", (300, 300), (200, 200)),
     ("CMYK", "JPEG", (400, 400), (200, 200)), ("1", "PNG", (10, 5000), (1, 600)), ("RGBA", "WEBP", (1, 1), (1, 1))],
)  # fmt: skip
def test_thumbnail_of_every_mode(
    mode: str, kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    with thumbnail(encoded(Image.new(mode, size), kind)) as image:
        assert image.size == expected


@given(st.binary(max_size=200), st.integers(0, 3000))
@settings(max_examples=60, deadline=None)
def test_thumbnail_of_broken_bytes(junk: bytes, cut: int) -> None:
    whole = encoded(Image.new("RGB", (64, 64), "olive"))
    for data in (junk, whole[:cut] + junk, whole[: cut % len(whole)]):
        try:
            make_thumbnail(data, width=32)
        except RecordError:
            continue


def test_thumbnail_refuses_a_bomb_by_its_header() -> None:
    bomb = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    bomb[16:24] = (60_000).to_bytes(4) + (60_000).to_bytes(4)
    with pytest.raises(RecordError, match="bomb|pixels|not decodable"):
        make_thumbnail(bytes(bomb), width=100)


def test_thumbnails_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.browse.media.CACHE_BYTES", 3000)
    thumbnails = Thumbnails()
    records = [StoredRecord((), encoded(scene(seed, (120, 80)))) for seed in range(6)]
    try:
        made = [thumbnails.get(record, str(number), 100) for number, record in enumerate(records)]
        assert thumbnails.get(records[5], "5", 100) == made[5]
        assert thumbnails.get(records[0], "0", 100) == made[0]
        assert sum(map(len, thumbnails._kept.values())) == thumbnails._bytes <= 3000
        for _ in range(2):  # the second time without the sandbox
            with pytest.raises(SandboxError, match="not decodable"):
                thumbnails.get(StoredRecord((), b"\xff\xd8\xff junk"), "junk", 100)
    finally:
        thumbnails.close()


def test_thumbnail_is_made_in_a_child() -> None:
    with Sandbox() as sandbox:
        assert isinstance(sandbox.call(make_thumbnail, encoded(scene(6, (50, 50))), width=20), str)
        with pytest.raises(SandboxError, match="not decodable"):
            sandbox.call(make_thumbnail, b"GIF89a", width=20)


# --- Datasette's own tables ---------------------------------------------------------------------


def test_tables_show_thumbnails_and_short_names(site: Site) -> None:
    digits = site.archive.digits["origin"]
    for path in ("/catalogue/pictures", "/catalogue/records?_size=100", "/catalogue/fetches",
                 f"/catalogue?sql=select+'sha256:{digits}'+as+anything", f"/catalogue/pictures/sha256~3A{digits}"):  # fmt: skip
        assert f'<img src="/-/thumbnail/{digits}"' in site.get(path).text, path
    records = site.get("/catalogue/records?_size=100").text
    assert 'class="archive-picture"' in records
    assert f"/-/thumbnail/{site.archive.digits['svg']}" not in records
    digest = site.archive.db.execute("SELECT digest FROM records").fetchone()[0]
    assert f'<code title="{digest}">{digest[:19]}…</code>' in records
    assert (
        f'<a href="/-/articles/{CHINESE}" lang="zh">海湾新渡轮首航'
        in site.get("/catalogue/articles?_size=100").text
    )
    assert f'<a href="/-/articles/{CHINESE}" lang="zh">海湾新渡轮首航' in site.get("/catalogue/blocks").text


def test_tables_have_titles_facets_and_styles(site: Site) -> None:
    html = site.get("/catalogue/fetches").text
    assert "<h1>Fetches</h1>" in html
    assert "_facet=outcome" in html or "outcome=failed" in html
    assert "/-/archive-style/tables.css" in html
    assert site.get("/-/archive-style/tables.css").headers["content-type"].startswith("text/css")
    assert site.get("/-/archive-style/archive.css").status_code == 200
    assert "Suggested facets" not in html
    assert '"/-/articles"' in site.get("/catalogue").text
    for table in (
        "articles",
        "article_pictures",
        "forms",
        "hops",
        "records",
        "times",
        "blocks",
        "warcs",
        "duplicates",
        "failures",
    ):
        answer = site.get(f"/catalogue/{table}")
        assert answer.status_code == 200, table
        assert f"<h1>{table}" not in answer.text  # each has a title of its own


def test_hamming_in_sql(site: Site) -> None:
    sql = "select hamming('ff00','0f01') a, hamming('ff','f') b, hamming('zz','zz') c, hamming(1, 1) d, hamming(null,'f') e"
    assert site.get("/catalogue.json", params={"sql": sql, "_shape": "array"}).json() == [
        {"a": 5, "b": None, "c": None, "d": None, "e": None}
    ]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_hamming_counts_bits(one: int, other: int) -> None:
    assert hamming(f"{one:016x}", f"{other:016X}") == bin(one ^ other).count("1")


def test_base_url_is_kept(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a")
    datasette = Datasette([str(tmp_path / "a" / "catalogue.db")], settings={"base_url": "/archive/"})
    try:
        for path in ("/-/articles", f"/-/articles/{CHINESE}", "/catalogue/pictures", "/catalogue/articles"):
            html = asyncio.run(datasette.client.get(path)).text
            links = re.findall(r'(?:href|src|action)="(/[^"]*)"', html)
            assert links
            assert [link for link in links if not link.startswith("/archive/")] == [], path
    finally:
        close(datasette)
        archive.db.close()


# --- guards -------------------------------------------------------------------------------------


def test_every_answer_is_guarded(site: Site) -> None:
    for path in ("/", "/-/articles", f"/-/articles/{EVIL}", "/catalogue", "/catalogue/articles.json", "/nothing",
                 "/-/archive-style/archive.css", "/-/static/app.css", f"/-/media/{site.archive.digits['origin']}"):  # fmt: skip
        headers = site.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'"), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "script-src" not in site.get("/-/articles").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("localhost:8001", 200), ("127.0.0.1:8001", 200), ("[::1]:8001", 200), ("LOCALHOST", 200),
     ("192.0.2.7", 200), ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421),
     ("", 421), ("local host", 421), ("[evil]", 421), ("127.0.0.1@evil.example", 421)],
)  # fmt: skip
def test_only_known_names_are_answered(site: Site, host: str, status: int) -> None:
    answer = site.get("/-/articles", headers={"Host": host})
    assert answer.status_code == status
    assert "content-security-policy" in answer.headers


def test_the_database_cannot_be_downloaded_or_written(site: Site) -> None:
    assert site.get("/catalogue.db").status_code == 403

    async def write() -> None:
        await site.datasette.get_database("catalogue").execute_write("DELETE FROM articles")

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        asyncio.run(write())


def test_sql_is_for_this_machine_only(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a")
    for host, status in (
        ("127.0.0.1", 200),
        ("localhost", 200),
        ("::1", 200),
        ("0.0.0.0", 403),
        ("192.0.2.7", 403),
        ("a.example", 403),
    ):
        datasette = build(archive.root, host=host)
        try:
            assert asyncio.run(datasette.client.get("/catalogue?sql=select+1")).status_code == status, host
            assert asyncio.run(datasette.client.get("/-/articles")).status_code == 200
        finally:
            close(datasette)
    archive.db.close()


def test_a_bad_query_is_answered_in_words(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    answer = site.get("/catalogue/articles?_where=nonsense(")
    assert answer.status_code == 400
    assert "Traceback" not in "".join(capfd.readouterr())


# --- a catalogue that grows, and databases that are none ----------------------------------------


def test_new_articles_appear_and_nobody_is_locked_out(tmp_path: Path) -> None:
    site = Site(tmp_path / "a")
    try:
        before = site.get("/-/articles").text
        site.archive.db.execute("BEGIN IMMEDIATE")  # a running archive holds the write lock
        site.archive.article(
            "刚刚保存的文章", "https://www.news.example/new", archived="2026-11-23T00:00:00Z"
        )
        assert site.get("/-/articles").text == before
        site.archive.db.execute("COMMIT")
        assert "刚刚保存的文章" in site.get("/-/articles").text
    finally:
        site.close()


def test_an_empty_catalogue_has_a_page(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "a")
    datasette = build(tmp_path / "a")
    try:
        assert "Nothing is saved here yet" in asyncio.run(datasette.client.get("/-/articles")).text
    finally:
        close(datasette)
        archive.db.close()


def test_other_databases_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT)")
    db.execute("INSERT INTO articles VALUES (1, ?)", (f"{HOSTILE} sha256:{'0' * 64}",))
    db.commit()
    db.close()
    datasette = Datasette([str(path)])
    try:
        assert library(datasette) is None

        async def get(path: str) -> Any:
            return await datasette.client.get(path)

        assert asyncio.run(get("/-/articles")).status_code == 404
        assert asyncio.run(get("/")).status_code == 200
        answer = asyncio.run(get("/catalogue/articles"))
        assert "content-security-policy" not in answer.headers
        assert "archive" not in answer.text
        assert "\u202e" in answer.text
        assert "no such function" in asyncio.run(get("/catalogue?sql=select+hamming('f','f')")).text
    finally:
        close(datasette)


def test_a_catalogue_in_anybody_s_datasette(tmp_path: Path) -> None:
    """The entry point: `datasette other.db my-archive/catalogue.db` shows the archive, and keeps the rest."""
    archive = make_archive(tmp_path / "a")
    other = tmp_path / "other.db"
    sqlite3.connect(other).close()
    datasette = Datasette([str(other), str(tmp_path / "a" / "catalogue.db")])
    try:
        assert asyncio.run(datasette.client.get(f"/-/articles/{CHINESE}")).status_code == 200
        assert asyncio.run(datasette.client.get("/")).status_code == 200  # Datasette's own start page
        assert (
            asyncio.run(datasette.client.get("/-/articles", headers={"Host": "a.example"})).status_code == 200
        )
    finally:
        close(datasette)
        archive.db.close()


def test_entry_point_names_the_plugin() -> None:
    from importlib.metadata import entry_points

    found = [each for each in entry_points(group="datasette") if each.value == "archiver.browse.plugin"]
    assert [each.name for each in found] == ["archiver"]


def test_no_archive_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive, match=r"no catalogue\.db") as caught:
        build(tmp_path)
    assert "rebuild" in caught.value.advice
    for content in (b"", b"not a database at all, but long enough to be one" * 20):
        (tmp_path / "catalogue.db").write_bytes(content)
        with pytest.raises(NotAnArchive, match="not a catalogue"):
            build(tmp_path)


def test_a_taken_port_is_an_error_in_words(tmp_path: Path) -> None:
    import socket

    from archiver.browse.server import serve

    make_archive(tmp_path / "a").db.close()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="cannot listen"):
        serve(tmp_path / "a", "127.0.0.1", taken.getsockname()[1], open_browser=False)


SERVE = """
import sys
from pathlib import Path
from archiver.browse.server import serve
serve(Path(sys.argv[1]), "127.0.0.1", 0, False, ready=lambda url: print(url, flush=True))
print("ended")
"""


def test_serve_until_interrupted(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a")
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(archive.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", child.stdout.readline()).group(1))  # type: ignore[union-attr]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", f"/-/thumbnail/{archive.digits['origin']}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()[8:12]) == (200, b"WEBP")
        connection.request("HEAD", f"/-/media/{archive.digits['origin']}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.request("GET", "/-/articles", headers={"Host": "evil.example"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:11]) == (421, b"This server")
        connection.close()
        children = _children(child.pid)
        child.send_signal(signal.SIGINT)
        output, errors = child.communicate(timeout=20)
        assert (child.returncode, output, errors) == (0, "ended\n", "")
        assert children, "the sandbox's child was running"
        deadline = time.monotonic() + 5
        while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
        archive.db.close()


def _children(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[
                1
            ] == str(pid):
                found.append(int(entry))
        except OSError:
            continue
    return found
