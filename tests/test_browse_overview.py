"""The start page, captures, checks and the timeline, through Datasette's own client."""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

import archives
import msgspec
import pytest
from browse_archive import BrowseArchive
from browse_articles import Site
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlite_utils import Database

from archiver import checks
from archiver.browse import plots
from archiver.browse.data import captures as fetched
from archiver.browse.data.timeline import Bar, Series, load_series
from archiver.browse.language import language
from archiver.browse.server import build, close
from archiver.checks import Checks
from archiver.index.tallies import tally_fetch
from archiver.manifest import manifest as commitment
from archiver.manifest import signednote
from archiver.model import FetchNote


class Looked:
    """A Datasette over an archive that was made."""

    def __init__(self, root: Path) -> None:
        self._datasette = build(root)

    def get(self, path: str) -> Any:
        return asyncio.run(self._datasette.client.get(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        close(self._datasette)


HOSTILE = "<b>$x^{2}$&amp;"
WORST = 1 << 62


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("overview") / "archive") as site:
        archive = site.archive
        for number in range(60):
            archive.row(
                "fetches",
                url=f"http://busy.example/{number}",
                host="busy.example",
                purpose="page",
                outcome="failed",
                started="2026-11-22T20:00:00Z",
                unchanged=0,
                attempt=0,
                stage="dns",
                reason=HOSTILE,
                note_id=f"urn:uuid:{number}",
            )
            note = FetchNote(
                url=f"http://busy.example/{number}", purpose="page", outcome="failed", started=""
            )
            tally_fetch(Database(archive.db), note)
        for month, number in (("2015-03", 3), ("2015-05", 1), ("9999-12", 2), ("", 4), ("nonsense", 1)):
            archive.row("tallies", of="articles-by-month", key=f"{month}", outcome=".", number=number)
        archive.row("tallies", of="articles-by-host", key=HOSTILE, outcome="", number=9)
        archive.row(
            "picture_marks",
            first="a",
            second="b",
            said="not-same",
            reason=HOSTILE,
            made="2026-11-23T08:00:00Z",
            note_id="urn:uuid:mark",
        )
        archive.row(
            "runs",
            run="urn:uuid:run",
            started="2026-11-22T19:05:00Z",
            ended="2026-11-22T19:06:00Z",
            interrupted=0,
            complete=1,
            sources=HOSTILE,
            robots=HOSTILE,
            outcomes='{"captured": 7}',
        )
        archive.row("unreadable_sources", given="a", reason="b", archived="c", note_id="d", source_id="e")
        yield site


def test_start_has_what_there_is_and_what_needs_somebody(site: Site) -> None:
    html = site.get("/").text
    assert html == site.get("/-/archive").text
    assert html.count('<li class="card') == 4
    assert "60 URLs did not come from busy.example" in html
    assert "/-/captures?host=busy.example" in html
    assert "1 source could not be read" in html
    assert "The manifest cannot be read" in html
    assert 'action="/-/search"' in html


def test_start_page_of_an_empty_archive_says_what_to_do(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "archive")
    archive.db.execute("DELETE FROM warcs")
    with closing(archive.db), Looked(archive.root) as looked:
        html = looked.get("/-/archive").text
    assert "This archive is empty" in html
    assert "archiver archive https://" in html


def test_failures_that_came_later_need_nobody(site: Site) -> None:
    db = site.archive.db
    db.execute("BEGIN")
    row = {
        "host": "busy.example",
        "purpose": "page",
        "outcome": "whole",
        "started": "",
        "unchanged": 0,
        "attempt": 0,
    }
    site.archive.row("fetches", url="http://busy.example/0", reason="", note_id="urn:uuid:later", **row)
    db.execute("COMMIT")
    try:
        assert "59 URLs did not come from busy.example" in site.get("/").text
    finally:
        db.execute("DELETE FROM fetches WHERE note_id = 'urn:uuid:later'")


def test_hosts_with_their_outcomes_lead_to_the_fetches(site: Site) -> None:
    html = site.get("/-/captures").text
    row = html[html.index(">busy.example<") :].partition("</tr>")[0]
    assert '/-/captures?host=busy.example&amp;outcome=failed">60<' in row
    assert html.index(">busy.example<") < html.index(">pictures.news.example<")
    assert "7 saved" in html
    assert HOSTILE not in html


def test_fetches_are_paged_by_their_ids(site: Site) -> None:
    first = site.get("/-/captures?host=BUSY.example&outcome=failed").text
    second = site.get(re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")).text  # type: ignore[index]
    found = [re.findall(r">(http://busy.example/\d+)<", html) for html in (first, second)]
    assert [len(each) for each in found] == [50, 10]
    assert len({*found[0], *found[1]}) == 60
    assert 'rel="next"' not in second
    assert "the host&#39;s name was not found: &lt;b&gt;" in first
    assert "There are none." in site.get("/-/captures?host=busy.example&outcome=whole").text


@pytest.mark.parametrize(
    "query", ["host='&outcome='", "outcome=nonsense", "host=%00", "host=a&before=-1", "before=x"]
)
def test_any_filter_is_answered(site: Site, query: str) -> None:
    assert site.get(f"/-/captures?{query}").status_code == 200


@pytest.mark.parametrize(
    ("host", "outcome"), [("busy.example", ""), ("busy.example", "failed"), ("", "whole")]
)
def test_fetches_are_found_by_an_index_in_order(site: Site, host: str, outcome: str) -> None:
    """However many a host has, a page reads its own."""
    statements: list[str] = []
    with closing(sqlite3.connect(site.archive.root / "catalogue.db")) as db:
        db.row_factory = sqlite3.Row
        db.set_trace_callback(statements.append)
        fetched.load_fetches(db, host, outcome, WORST, language("en").say)
        db.set_trace_callback(None)
        plan = " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert "USING INDEX fetches_by_" in plan
    assert "SCAN fetches" not in plan
    assert plan.count("TEMP B-TREE") <= 6  # of the few that are shown, for each outcome


def test_custody_is_told_newest_first(site: Site) -> None:
    html = site.get("/-/checks").text
    told = html[html.index('id="custody"') :]
    places = [told.index(text) for text in ("are not the same:", "A run ended:", "A run was begun.")]
    assert places == sorted(places)
    assert HOSTILE not in html
    assert "No check is remembered" in html


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.make(tmp_path_factory.mktemp("sealed") / "archive", 3)


def test_checks_and_files(sealed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(sealed, tmp_path / "archive"))
    files = [warc.path for warc in archives.manifest(root).warcs]
    archives.command(root, "--deep")
    archives.write(root, files[1], archives.flip(1500)((root / files[1]).read_bytes()))
    archives.command(root)
    (root / files[2]).with_name("20261122T190512Z-0000.warc.gz.open").write_bytes(b"")
    with Looked(root) as looked:
        html, start = looked.get("/-/checks").text, looked.get("/").text
    rows = html[html.index('id="files"') : html.index('id="history"')].split("<tr>")[2:]
    assert files[::-1] == [re.search("warcs/[^<]+", row)[0] for row in rows]  # type: ignore[index]
    assert [("Damaged" in row, "Intact" in row) for row in rows] == [
        (False, True),
        (True, False),
        (False, True),
    ]
    assert all(re.search(r"Sealed\">20\d\d-", row) for row in rows)
    history = html[html.index('id="history"') : html.index('id="custody"')]
    assert history.index("<code>verify</code>") < history.index("<code>verify --deep</code>")
    assert "Checkpoint 3 sealed" in html
    assert f"Damaged: {files[1]}" in start
    assert "Not sealed yet: 20261122T190512Z-0000.warc.gz.open" in start
    assert "1 file was damaged when last checked" in start


def test_a_check_is_seen_at_once_and_a_lost_manifest_said(sealed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(sealed, tmp_path / "archive"))
    with Looked(root) as looked:
        assert "3 WARC files were never checked" in looked.get("/").text
        with Checks(root) as remembered:
            warc = archives.manifest(root).warcs[0]
            remembered.mark(warc.path, warc.digest, "ok")
        assert "2 WARC files were never checked" in looked.get("/").text
        (root / checks.NAME).write_text(json.dumps({"format": "nonsense"}))
        assert "3 WARC files were never checked" in looked.get("/").text
        (root / "manifest.json").unlink()
        for page in ("/", "/-/checks"):
            assert "The manifest cannot be read" in looked.get(page).text
        (root / "archiver.toml").write_text("nonsense")
        assert looked.get("/").status_code == 200


def test_another_key_is_told(sealed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(sealed, tmp_path / "archive"))
    manifest = archives.manifest(root)
    one, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    points = tuple(
        msgspec.structs.replace(point, signatures=(str(signednote.sign(key, manifest.origin, point.note)),))
        for point, key in zip(manifest.checkpoints, (one, one, other), strict=True)
    )
    commitment.save(root, msgspec.structs.replace(manifest, checkpoints=points))
    with Looked(root) as looked:
        html = looked.get("/-/checks").text
    assert re.findall(r"Another key signs from checkpoint (\d+) on", html) == ["3"]


def test_timeline_counts_and_says_what_is_left_out(site: Site) -> None:
    html = site.get("/-/timeline").text
    assert "2 claim a time after the newest capture." in html
    claimed = html[html.index('id="claimed"') : html.index('id="hosts"')]
    assert "from 2015-03 to 2015-05: 4; the most, 3, in the period 2015-03." in claimed
    assert re.findall(r'row"><bdi>([^<]+)</bdi></th><td data-name="Articles">(\d+)<', claimed) == [
        ("2015-03", "3"),
        ("2015-05", "1"),
    ]
    assert HOSTILE not in html
    assert 'aria-current="page">Week<' in site.get("/-/timeline?by=week").text
    assert 'aria-current="page">Month<' in site.get("/-/timeline?by='").text


@pytest.mark.parametrize("name", ["captures", "claimed", "hosts"])
def test_a_plot_is_svg_that_can_do_nothing(site: Site, name: str) -> None:
    answers = [site.get(f"/-/timeline/{name}.svg{query}") for query in ("", "?scheme=dark", "?narrow=1")]
    assert len({answer.content for answer in answers}) == 3
    for answer in answers:
        assert answer.headers["content-type"] == "image/svg+xml"
        assert (
            answer.headers["content-security-policy"]
            == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
        drawn = ET.fromstring(answer.content)  # noqa: S314 - we made it
        assert not [each for each in drawn.iter() if each.tag.rpartition("}")[2] in ("script", "image", "a")]
    tag = answers[0].headers["etag"]
    assert site.get(f"/-/timeline/{name}.svg", headers={"If-None-Match": tag}).status_code == 304


def test_the_same_figures_give_the_same_bytes_and_no_text_is_read_as_mathematics() -> None:
    series = Series((Bar(HOSTILE, 9), Bar("新闻.example", 3), Bar("x" * 250, 1), Bar("", 1)))
    first = plots.draw("hosts", series, "light", False)
    plots.draw.cache_clear()
    assert plots.draw("hosts", series, "light", False) == first
    texts = [each.text for each in ET.fromstring(first).iter() if each.tag.endswith("}text")]  # noqa: S314
    assert HOSTILE in texts
    assert "\\u65b0\\u95fb.example" in texts
    assert plots.draw("captures", Series(()), "dark", True).startswith(b"<?xml")


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("day", ["2025-12-30", "2025-12-31", "2026-01-01"]),
        ("week", ["2025-12-29"]),
        ("month", ["2025-12", "2026-01"]),
        ("year", ["2025", "2026"]),
    ],
)
def test_periods_follow_each_other_without_a_gap(step: str, names: list[str], site: Site) -> None:
    days = [("2025-12-30", "whole", 2), ("2026-01-01", "whole", 1), ("2026-01-01", "failed", 3)]
    with closing(sqlite3.connect(":memory:")) as db:
        db.row_factory = sqlite3.Row
        db.execute("CREATE TABLE tallies (of, key, outcome, number)")
        db.executemany("INSERT INTO tallies VALUES ('fetches-by-day', ?, ?, ?)", days)
        found = load_series(db, "captures", step)  # type: ignore[arg-type]
        assert [bar.name for bar in found.bars] == names
        assert (found.total, found.lacking) == (3, 3)
        db.executemany(
            "INSERT INTO tallies VALUES ('fetches-by-day', ?, 'whole', 1)", [("0001-01-01",), ("1900-01-01",)]
        )
        found = load_series(db, "captures", step)  # type: ignore[arg-type]
        assert len(found.bars) <= 127
        assert found.total + found.before + found.without == 5


def test_pages_speak_chinese_and_keep_the_base_url(site: Site) -> None:
    for page in ("/", "/-/captures", "/-/captures?outcome=failed", "/-/checks", "/-/timeline"):
        html = site.get(page, headers={"Accept-Language": "zh-CN"}).text
        assert '<html lang="zh-Hans">' in html
        assert ">时间线</a>" in html
