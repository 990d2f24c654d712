"""Browsing: our own pages and Datasette's tables, through Datasette's own client."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from browse_archive import WARC
from browse_articles import CHINESE, ENGLISH, EVIL, PAGE, Site, make_archive
from datasette.app import Datasette
from hypothesis import given
from hypothesis import strategies as st

from archiver.browse import words
from archiver.browse.data import cards
from archiver.browse.hosts import host_name
from archiver.browse.language import language
from archiver.browse.server import close
from archiver.claims.contradictions import moment_of
from archiver.model import Relation
from archiver.pictures.hashes import hamming


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # A folder's name that is not plain: SQLite's URIs give `%`, `?` and `#` a meaning.
    with Site(tmp_path_factory.mktemp("browse") / "我的 %41 #1?", fillers=30) as site:
        yield site


def test_list_is_newest_first_with_pages(site: Site) -> None:
    first = site.get("/-/articles").text
    older = re.search(r'rel="next" href="(.*?)"', first)
    assert older
    second = site.get(older[1]).text
    found = re.findall(r'href="/-/articles/(\d+)"', first)
    assert found[:3] == [str(CHINESE), str(ENGLISH), str(EVIL)]
    assert len(found) == 24
    assert len(re.findall(r'href="/-/articles/(\d+)"', second)) == 10
    assert str(PAGE) not in found  # its mirror document stands for it
    assert 'rel="next"' in first
    assert 'rel="prev"' in second
    assert "34 saved" in second
    newer = re.search(r'rel="prev" href="(.*?)"', second)
    assert newer
    assert re.findall(r'href="/-/articles/(\d+)"', site.get(newer[1]).text) == found


@pytest.mark.parametrize("page", ["0", "-1", "x", "９", "99999999999999999999", "'", ""])
def test_list_takes_any_place(site: Site, page: str) -> None:
    for name in ("before", "after", "month"):
        assert site.get("/-/articles", params={name: page}).status_code == 200


def test_list_of_a_month(site: Site) -> None:
    site.archive.db.execute(
        "UPDATE articles SET archived = '2026-10-03T00:00:00Z' WHERE title = 'Short item 3'"
    )
    html = site.get("/-/articles?month=2026-10").text
    assert html.count('<li class="card') == 1
    assert "<option selected>2026-10</option>" in html
    assert "<option>2026-11</option>" in html
    html = site.get("/-/articles?month=1999-01").text
    assert "No article here." in html
    site.archive.db.execute(
        "UPDATE articles SET archived = '2026-11-01T00:00:00Z' WHERE title = 'Short item 3'"
    )


def test_no_list_reads_all_articles(site: Site) -> None:
    for window in (
        cards.Window(),
        cards.Window(before=2),
        cards.Window(after=2),
        cards.Window(month="2026-11"),
    ):
        asked: list[str] = []
        site.archive.db.row_factory = sqlite3.Row
        site.archive.db.set_trace_callback(asked.append)
        cards.list_cards(site.archive.db, window, language("en").say)
        site.archive.db.set_trace_callback(None)
        (listing,) = [sql for sql in asked if "NOT EXISTS" in sql]
        plan = [row[3] for row in site.archive.db.execute(f"EXPLAIN QUERY PLAN {listing}")]
        assert any("articles_by_archived" in step for step in plan)
        assert not any("TEMP B-TREE" in step for step in plan)
        site.archive.db.row_factory = None


def test_cards_say_date_host_language_and_pictures(site: Site) -> None:
    cards = site.get("/-/articles").text.split('<li class="card')
    chinese, english, evil = cards[1:4]
    assert 'lang="zh"' in chinese
    assert "2 of 2 pictures" in chinese
    assert "www.news.example" in chinese
    assert f"/-/thumbnail/{site.archive.digits['origin']}" in chinese
    assert "2023-11-08" in chinese
    assert "No date claimed" in english
    assert "1 of 2 pictures" in english
    assert 'class="lacking"' in english
    assert 'class="lacking"' not in chinese
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
    assert "different bytes, and have not been compared by their pixels yet" in first
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


def test_reasons_are_said_once() -> None:
    assert (
        words.missing("refused", None, 404, "status 404", "origin", language("en").say)
        == "The server answered 404."
    )
    said = words.missing(
        "refused", None, 404, "status 404; the proxy says: gone.", "proxied", language("en").say
    )
    assert said.startswith("The image proxy answered 404: the proxy says: gone. That a proxy")


def test_claimed_times_keep_their_clocks_apart(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    claims = html[html.index("Claimed times") :]
    *rows, taken, _ = claims[claims.index("<tbody>") : claims.index("</tbody>")].split("<tr>")[1:]
    assert "the picture&#39;s EXIF" in taken
    assert "Cannot be read as one moment" in taken
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


def test_copies_that_another_picture_represents_are_not_called_uncompared(site: Site) -> None:
    held = [(f"sha256:{site.archive.digits[name]}", f"sha256:{'3' * 64}") for name in ("proxied", "origin")]
    insert = (
        "INSERT INTO compared_pictures (payload_digest, represented_by, reason, label) VALUES (?, ?, '', '')"
    )
    site.archive.db.executemany(insert, held)
    try:
        html = site.get(f"/-/articles/{CHINESE}").text
    finally:
        site.archive.db.execute("DELETE FROM compared_pictures")
    first = html[html.index('id="picture-1"') : html.index('id="picture-2"')]
    assert "Both copies are re-encodings of another picture" in first
    assert "have not been compared" not in first


@pytest.mark.parametrize("tag", ["en", "zh"])
def test_every_relation_has_a_name(tag: str) -> None:
    names = {words.relation_name(relation, language(tag).say) for relation in get_args(Relation)}
    assert len(names) == len(get_args(Relation))


def test_article_says_where_it_lies(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    row = site.archive.db.execute(
        "SELECT records.id, record_id, digest FROM articles"
        " JOIN records ON record_id = source_id WHERE articles.id = 1"
    ).fetchone()
    for text in (f"/-/records/{row[0]}", row[1], row[2], "/catalogue/times?article_id=1"):
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


HOSTILE_PAGES = [
    "/-/articles",
    "/-/search?q=script",
    f"/-/articles/{EVIL}",
    f"/-/articles/{EVIL}/versions",
    "/catalogue/articles",
    "/catalogue/blocks",
    "/catalogue/article_pictures",
    "/catalogue/fetches",
    f"/catalogue/articles/{EVIL}",
]


@pytest.mark.parametrize("path", HOSTILE_PAGES)
def test_hostile_text_stays_text(site: Site, path: str) -> None:
    html = site.get(path).text
    assert "<script>alert" not in html
    assert "onerror=alert(1)>" not in html.replace("&gt;", "")
    assert 'href="javascript:' not in html
    body = html.split("<h1", 1)[1]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", body.replace("\r", ""))


def test_hostile_language_stays_out(site: Site) -> None:
    assert "<b" not in re.sub("<(b|bdi|body|blockquote|button)[ >]", "", site.get(f"/-/articles/{EVIL}").text)


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
    moment_of(text)
    words.short(text)
    host_name(text)
    assert re.fullmatch("[A-Za-z0-9-]*", words.language_of(text, text))


def test_tables_show_thumbnails_and_short_names(site: Site) -> None:
    digits = site.archive.digits["origin"]
    for path in (
        "/catalogue/pictures",
        "/catalogue/records?_size=100",
        "/catalogue/fetches",
        f"/catalogue?sql=select+'sha256:{digits}'+as+anything",
        f"/catalogue/pictures/sha256~3A{digits}",
    ):
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
        "unreadable_sources",
        "listings",
        "links",
        "text_comparisons",
        "duplicates",
        "failures",
        "picture_pairs",
        "picture_clusters",
        "picture_marks",
        "compared_pictures",
    ):
        answer = site.get(f"/catalogue/{table}")
        assert answer.status_code == 200, table
        assert f"<h1>{table}" not in answer.text  # each has a title of its own


def test_hamming_in_sql(site: Site) -> None:
    sql = (
        "select hamming('ff00','0f01') a, hamming('ff','f') b, hamming('zz','zz') c,"
        " hamming(1, 1) d, hamming(null,'f') e"
    )
    assert site.get("/catalogue.json", params={"sql": sql, "_shape": "array"}).json() == [
        {"a": 5, "b": None, "c": None, "d": None, "e": None}
    ]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_hamming_counts_bits(one: int, other: int) -> None:
    assert hamming(f"{one:016x}", f"{other:016X}") == sum(int(digit) for digit in f"{one ^ other:b}")


def test_base_url_is_kept(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a")
    datasette = Datasette([str(tmp_path / "a" / "catalogue.db")], settings={"base_url": "/archive/"})
    try:
        ours = ("archive", "articles", f"articles/{CHINESE}", f"articles/{CHINESE}/versions", "search?q=渡轮")
        others = ("captures", "captures?outcome=whole", "checks", "timeline")
        paths = (
            *(f"/-/{page}" for page in (*ours, *others)),
            "/catalogue/pictures",
            "/catalogue/articles",
        )
        for path in paths:
            html = asyncio.run(datasette.client.get(path)).text
            links = re.findall(r'(?:href|src|srcset|action)="(/[^"]*)"', html)
            assert links
            assert [link for link in links if not link.startswith("/archive/")] == [], path
    finally:
        close(datasette)
        archive.db.close()


@pytest.mark.parametrize(
    ("statement", "page"),
    [
        ("UPDATE records SET offset = 'x'", f"/-/articles/{CHINESE}"),
        ("UPDATE warcs SET path = 'a' || char(0)", f"/-/articles/{CHINESE}"),
        ("UPDATE articles SET archived = x'ff', title = 1.5", "/-/articles"),
    ],
    ids=["offset", "path", "blob"],
)
def test_a_forged_row_is_no_traceback(
    tmp_path: Path, statement: str, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Site(tmp_path / "here") as forged:
        forged.archive.db.execute(statement)
        answer = forged.get(page)
    assert answer.status_code in (200, 500)
    assert "Traceback" not in capsys.readouterr().err
    assert str(tmp_path) not in answer.text
    if answer.status_code == 500:
        assert "This page cannot be made" in answer.text


def test_an_error_does_not_say_where_the_archive_lies(tmp_path: Path) -> None:
    with Site(tmp_path / "here") as site:
        (tmp_path / "here/manifest.json").mkdir()
        answer = site.get(f"/-/articles/{CHINESE}/evidence.zip")
    assert answer.status_code >= 400
    assert "manifest.json" in answer.text
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize(
    "cookie", [b"a/b=1", b"ds_actor=\xff", b'ds_messages="\xfe; ds_actor=x', b"ds_a/b=1;;=;"]
)
def test_cookies_of_other_servers_do_no_harm(site: Site, cookie: bytes) -> None:
    assert site.get("/-/articles", headers={"Cookie": cookie}).status_code == 200
