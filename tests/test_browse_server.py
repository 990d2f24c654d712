"""Browsing: who is answered, what is never touched, and the real server."""

import asyncio
import http.client
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browse_archive import BrowseArchive
from browse_articles import CHINESE, EVIL, HOSTILE, Site, make_archive
from datasette.app import Datasette

from archiver.browse.library import library
from archiver.browse.server import _listen, build, close, serve
from archiver.errors import NotAnArchive, UsageError


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # A folder's name that is not plain: SQLite's URIs give `%`, `?` and `#` a meaning.
    with Site(tmp_path_factory.mktemp("browse") / "我的 %41 #1?") as site:
        yield site


def test_every_answer_is_guarded(site: Site) -> None:
    for path in (
        "/",
        "/-/articles",
        f"/-/articles/{EVIL}",
        "/catalogue",
        "/catalogue/articles.json",
        "/nothing",
        "/-/archive-style/archive.css",
        "/-/static/app.css",
        f"/-/media/{site.archive.digits['origin']}",
    ):
        headers = site.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'"), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "script-src" not in site.get("/-/articles").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8001", 200),
        ("127.0.0.1:8001", 200),
        ("[::1]:8001", 200),
        ("LOCALHOST", 200),
        ("192.0.2.7", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("local host", 421),
        ("[evil]", 421),
        ("127.0.0.1@evil.example", 421),
    ],
)
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


def test_new_articles_appear_and_nobody_is_locked_out(tmp_path: Path) -> None:
    with Site(tmp_path / "a") as site:
        before = site.get("/-/articles").text
        site.archive.db.execute("BEGIN IMMEDIATE")  # a running archive holds the write lock
        site.archive.article(
            "刚刚保存的文章", "https://www.news.example/new", archived="2026-11-23T00:00:00Z"
        )
        assert site.get("/-/articles").text == before
        site.archive.db.execute("COMMIT")
        assert "刚刚保存的文章" in site.get("/-/articles").text


def test_a_broken_catalogue_is_answered_in_words(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Site(tmp_path / "a") as site:
        site.archive.db.execute("DROP TABLE times")
        for path in ("/-/articles", f"/-/articles/{CHINESE}"):
            answer = site.get(path)
            assert answer.status_code == 500
            assert "no such table" in answer.text
            assert "times" in answer.text
            assert "archiver rebuild" in answer.text
    assert capfd.readouterr() == ("", "")


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


def test_serve_until_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # nothing is made yet
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
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = entry.read_text().rsplit(")", 1)[1].split()[1]
        except OSError:
            continue
        if parent == str(pid):
            found.append(int(entry.parent.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="what a connection takes over from its listener")
def test_answers_on_an_open_connection_do_not_wait() -> None:
    with (
        _listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
