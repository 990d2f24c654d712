"""The page of a WARC record, its bytes to take away, SQL that reads them, and `--public`."""

import asyncio
import gzip
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browse_archive import BrowseArchive
from browse_articles import HOSTILE

from archiver.browse.disk.readable import SAFE, readable
from archiver.browse.server import build, close
from archiver.browse.tables.functions import register
from archiver.errors import UsageError

PAGE = (
    '<html><head><title>T</title><style>p{color:red}</style></head><body onload="x()">'
    '<h1 class="a">渡轮</h1>'
    "<script>x()</script>"
    '<p style="a">first <a href="javascript:x()">link</a><img src="//evil.example/a.png"></p>'
    "<ul><li>one<li>two</ul>"
    "<table><tr><td>cell</table><iframe src=x></iframe>&#x202e;\u202ereversed</body></html>"
).encode("gb18030", "replace")


class Site:
    def __init__(self, root: Path) -> None:
        self.archive = BrowseArchive(root)
        answer = self.archive.response
        self.page, _ = answer("http://a.example/", PAGE, "text/html; charset=gb18030", coding="gzip")
        self.json, _ = answer("http://a.example/j", b'{"a":1,"a":1.50,"b":[]}', "application/json")
        self.deep, _ = answer("http://a.example/d", b"<div>" * 6000 + b"deep", "text/html")
        self.bytes, _ = answer("http://a.example/b", bytes(range(256)), "application/octet-stream")
        self.odd, _ = answer("http://a.example/o", b"x", "text/plain", coding="compress")
        self.empty, _ = answer("http://a.example/e", b"", "text/plain")
        self.long, _ = answer("http://a.example/l", b"word " * 900_000, "text/plain")
        self.evil = self.archive.record(
            "resource", HOSTILE.encode(), uri="javascript:alert(1)", mime="text/plain"
        )
        self.datasette = build(root)

    def get(self, record: str, rest: str = "", **options: Any) -> Any:
        return asyncio.run(self.datasette.client.get(f"/-/records/{record[9:]}{rest}", **options))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("records") / "a")
    yield site
    close(site.datasette)
    site.archive.db.close()


def test_html_is_text_with_structure(site: Site) -> None:
    page = site.get(site.page).text
    assert "<h3>渡轮</h3>" in page
    assert "<p>first link</p>" in page
    assert "<li>one</li>" in page
    assert "reversed" in page
    for gone in ("evil.example", "javascript", "x()", "color:red", "<iframe", "\u202e"):
        assert gone not in page.split('class="readable"')[1].split("</section>")[0]
    source = site.get(site.page, "?source").text
    assert "&lt;script&gt;x()" in source


def test_what_a_record_says(site: Site) -> None:
    page = site.get(site.page).text
    assert "Intact" in page
    assert "HTTP/1.1 200 OK" in page
    assert "content-encoding" in page
    assert "warc-record-id" in page
    assert f"&lt;{site.page}&gt;" in page
    number = page.split("Record ")[1].split("<")[0].split(" ")[0]
    assert asyncio.run(site.datasette.client.get(f"/-/records/{number}")).text == page
    assert f"/-/records/{int(number) + 1}" in page


def test_json_text_and_what_is_neither(site: Site) -> None:
    assert "{\n  &#34;a&#34;: 1,\n  &#34;a&#34;: 1.50," in site.get(site.json).text
    assert "256 bytes that are no text." in site.get(site.bytes).text
    assert "content coding &#39;compress&#39; is kept, but not read here" in site.get(site.odd).text
    assert "The record has none." in site.get(site.empty).text
    assert "&lt;div&gt;&lt;div&gt;" in site.get(site.deep).text  # nested too deep to be made safe quickly
    long = site.get(site.long).text
    assert "Only the beginning is shown." in long
    assert len(long) < 250_000
    evil = site.get(site.evil).text
    assert "gnp.exe" in evil  # HOSTILE, as HTML
    assert "alert(&#39;t" not in evil
    assert 'href="javascript' not in evil
    assert not {"\x1b", "\u202e"} & set(evil)


def test_bytes_to_take_away(site: Site) -> None:
    payload = site.get(site.page, "/payload")
    assert gzip.decompress(payload.content) == PAGE
    member = site.get(site.page, "/member")
    assert gzip.decompress(member.content).endswith(payload.content + b"\r\n\r\n")
    for answer in (payload, member):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert site.get(site.page, "/payload", headers={"Range": "bytes=2-3"}).content == payload.content[2:4]


def test_no_such_record(site: Site) -> None:
    for path in ("999999", "00000000-0000-4000-8000-ffffffffffff", "999999/payload"):
        assert asyncio.run(site.datasette.client.get(f"/-/records/{path}")).status_code == 404
    for path in ("1/other", "x"):
        assert asyncio.run(site.datasette.client.get(f"/-/records/{path}")).status_code == 404


def test_a_damaged_record_is_not_shown(tmp_path: Path) -> None:
    site = Site(tmp_path / "a")
    db = site.archive.db
    try:
        db.execute(
            "UPDATE records SET digest = 'sha256:' || hex(zeroblob(32)) WHERE record_id = ?", (site.page,)
        )
        page = site.get(site.page)
        assert "Not shown" in page.text
        assert "SHA-256 is" in page.text
        assert "渡轮" not in page.text
        for kind in ("/payload", "/member"):
            answer = site.get(site.page, kind)
            assert answer.status_code == 500
            assert "text/html" in answer.headers["content-type"]
        db.execute("UPDATE records SET offset = 1 << 40 WHERE record_id = ?", (site.json,))
        assert "ends" in site.get(site.json).text
        db.execute("UPDATE warcs SET path = '../../etc/passwd'")
        assert "outside the archive" in site.get(site.deep).text
        assert site.get(site.deep, "/member").status_code == 500
    finally:
        close(site.datasette)
        db.close()


@pytest.mark.parametrize(
    "markup",
    [
        "<p>a<br>b</p>",
        "<svg><p><style><a id='</style><img src=x onerror=alert(1)>'>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;<img src=x onerror=alert(1)>'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<p/onclick=alert(1)>x<plaintext><b>",
        "<template><script>alert(1)</script></template><xmp><script>alert(1)</script>",
        "<p>" * 30_000,
        "&lt;script&gt;",
    ],
)
def test_what_is_shown_of_html_is_safe(markup: str) -> None:
    made = readable(markup.encode(), "text/html", "", 0)
    assert SAFE.fullmatch(str(made["text"]))
    assert len(str(made["text"])) < 500_000


def test_only_what_is_safe_is_believed() -> None:
    for text in ("<p class=a>", "<script>", "<p >", "<a>", "<img>", "< p>", "<p\n>", "a < b"):
        assert not SAFE.fullmatch(text)


def test_sql_functions_are_stopped_in_time(tmp_path: Path) -> None:
    site = Site(tmp_path / "a")
    try:
        assert site.archive.db.execute("SELECT count(*) FROM records").fetchone()[0] > 5
        sql = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
            " SELECT sum(record_ok(record_id)) FROM n, records"
        )
        start = time.monotonic()
        answer = asyncio.run(site.datasette.client.get(f"/catalogue.json?sql={sql.replace('+', '%2B')}"))
        assert answer.status_code == 400
        assert time.monotonic() - start < 20
    finally:
        close(site.datasette)
        site.archive.db.close()


def test_record_ok_reads_nothing_outside(tmp_path: Path) -> None:
    site = Site(tmp_path / "a")
    close(site.datasette)
    db = sqlite3.connect(tmp_path / "a" / "catalogue.db")
    register(db, (tmp_path / "a").resolve())
    try:
        ok = f"SELECT record_ok('{site.json}')"
        assert db.execute(ok).fetchone() == (1,)
        db.execute("UPDATE records SET length = 1 << 40 WHERE record_id = ?", (site.json,))
        assert db.execute(ok).fetchone() == (None,)
        db.execute("UPDATE records SET length = 10, digest = 'sha256:0'")
        assert db.execute(ok).fetchone() == (0,)
        db.execute("UPDATE warcs SET path = '/etc/passwd'")
        assert db.execute(ok).fetchone() == (0,)
    finally:
        db.close()
        site.archive.db.close()


@pytest.mark.parametrize(
    "options", [{"base_url": "archive"}, {"base_url": "//evil.example/"}, {"names": ["a b:c"]}]
)
def test_names_and_paths_that_are_none(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--"):
        build(tmp_path, **options)
