"""What is counted as rows come in is what a scan of the rows would count."""

import sqlite3
from collections import Counter
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import archives
import pytest
from sqlite_utils import Database

from archiver.index.tallies import COUNTED, host_of, tally_article, tally_fetch
from archiver.model import Article, ClaimedTime, FetchNote


@pytest.fixture
def db() -> Database:
    db = Database(memory=True)
    db.executescript(files("archiver.index").joinpath("schema.sql").read_text("utf-8"))
    return db


def counted(db: Database, of: str) -> dict[tuple[str, str], int]:
    rows = db.execute("SELECT key, outcome, number FROM tallies WHERE of = ?", [of])
    return {(key, outcome): number for key, outcome, number in rows}


def test_they_are_what_the_rows_say(tmp_path: Path) -> None:
    root = archives.make(tmp_path / "archive", 2)
    with closing(sqlite3.connect(root / "catalogue.db")) as db:
        for of, key in (("fetches-by-host", "host"), ("fetches-by-day", "substr(started, 1, 10)")):
            rows = db.execute(f"SELECT {key}, outcome FROM fetches WHERE {COUNTED}").fetchall()  # noqa: S608
            found = db.execute("SELECT key, outcome, number FROM tallies WHERE of = ?", (of,)).fetchall()
            assert rows
            assert Counter(rows) == {(key, outcome): number for key, outcome, number in found}
        assert {host for (host,) in db.execute("SELECT host FROM fetches")} <= {
            host_of(url) for (url,) in db.execute("SELECT url FROM fetches")
        }


def test_fetches_are_counted_by_the_last_word(db: Database) -> None:
    def add(**more: Any) -> None:
        shared = {"url": "http://A.example:80/x", "purpose": "picture", "outcome": "failed"}
        tally_fetch(db, FetchNote(**(shared | {"started": "2026-11-22T19:05:12Z"} | more)))

    add()
    add(retry=3.0)
    add(purpose="robots")
    add(form="rendition")
    assert counted(db, "fetches-by-host") == {("a.example", "failed"): 1}
    add(form="rendition", outcome="whole")
    add(url="urn:x", started="no time")
    assert counted(db, "fetches-by-host") == {
        ("a.example", "failed"): 1,
        ("a.example", "whole"): 1,
        ("", "failed"): 1,
    }
    assert counted(db, "fetches-by-day")["2026-11-22", "failed"] == 1


def test_an_article_is_counted_once_by_its_earliest_claim(db: Database) -> None:
    claims = (
        ClaimedTime(clock="printed", written="b", value="2023-11-08T18:25:56Z"),
        ClaimedTime(clock="comment", written="a", value="2023-10-31T18:25:56Z"),
        ClaimedTime(clock="meta-modified", written="", value="2020-01-01T00:00:00Z"),
        ClaimedTime(clock="guid", written="", value="2019-01-01T00:00:00Z"),
        ClaimedTime(clock="meta", written="nonsense", value="nonsense"),
    )
    article = Article(kind="page", title="t", url="http://news.example/a", times=claims)
    tally_article(db, article)
    rest = ("page", *[""] * 7, "note", "source")
    db.execute(f"INSERT INTO articles VALUES (1, 't', ?{', ?' * 10})", [article.url, *rest])  # noqa: S608
    tally_article(db, article)
    tally_article(db, Article(kind="document", title="t", url=None))
    assert counted(db, "articles-by-host") == {("news.example", ""): 1, ("", ""): 1}
    assert counted(db, "articles-by-month") == {("2023-10", ""): 1, ("", ""): 1}


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.News.example:8443/a?b#c", "www.news.example"),
        ("http://[::1]:8001/", "::1"),
        ("http://[broken/", ""),
        ("javascript:alert(1)", ""),
        (f"http://{'x' * 300}/", ""),
        (None, ""),
    ],
)
def test_hosts(url: str | None, host: str) -> None:
    assert host_of(url) == host
