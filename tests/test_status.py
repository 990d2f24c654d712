"""`archiver status`: what an archive holds, how its last run ended, and what failed, fed back."""

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import archiver, query

from archiver import journal
from archiver.archive import Archive
from archiver.cli import main
from archiver.demo import encoding, scenes
from archiver.demo.world import DemoWorld

HOST = "paper.example"
SITE = f"http://{HOST}"
PAGE, GONE, LATE = f"{SITE}/a", f"{SITE}/gone.jpg", f"{SITE}/late.jpg?x=1&y=2"
FETCH = """
INSERT INTO fetches (url, purpose, outcome, retry, form, note_id, started, unchanged, attempt, reason)
VALUES (?, ?, ?, ?, ?, ?, '2026', 0, 0, '')
"""

RUN = "urn:uuid:6a3f1c52-0b7e-4b1d-9d55-2f0a6c1e7a10"


@pytest.fixture(scope="module")
def world() -> Iterator[DemoWorld]:
    with DemoWorld(picture_hosts=(HOST,)) as running:
        text = "<p>Of the mill it is said that there is no other like it in the county.</p>"
        pictures = "".join(f"<img src='{url.replace('&', '&amp;')}' alt=x>" for url in (GONE, LATE))
        body = (
            f"<html><head><title>Mill</title></head><body><article>{text}{pictures}</article></body></html>"
        )
        running.site.add(HOST, "/a", body.encode(), "text/html")
        yield running


@pytest.fixture(scope="module")
def made(world: DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one run in which the page came and its two pictures did not."""
    root = tmp_path_factory.mktemp("status") / "it's an archive"
    code, rows, text = archive(world, root, PAGE)
    assert (code, rows[-1]["fetches"]) == (3, {"captured": 1, "refused": 2}), text
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


def archive(
    world: DemoWorld, root: Path, *arguments: str, stdin: bytes = b""
) -> tuple[int, list[dict[str, Any]], str]:
    flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
    return archiver("archive", *arguments, "--into", str(root), "--json", *flags, stdin=stdin)


def told(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """`commands.archiver` for a command that only reads: in this process, which is quicker."""
    done = CliRunner().invoke(main, arguments)
    assert "Traceback" not in done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()] if "--json" in arguments else []
    return done.exit_code, rows, done.stderr if rows else done.output


def status(root: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, rows, text = told("status", str(root), "--json", *arguments)
    assert [row["type"] for row in rows][-1:] == ["summary"], text
    return code, rows[-1]


def change(root: Path, sql: str, *parameters: object) -> None:
    with closing(sqlite3.connect(root / "catalogue.db", isolation_level=None)) as db:
        db.execute(sql, parameters)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_status_counts_what_is_there(made: Path) -> None:
    code, found = status(made)
    warcs = [path.stat() for path in made.glob("warcs/*.warc.gz")]
    lines = b"".join(path.read_bytes() for path in made.glob("warcs/*.records.jsonl")).splitlines()
    assert code == found["exit_code"] == 0
    assert (found["warcs"], found["records"], found["bytes"]) == (1, len(lines), warcs[0].st_size)
    assert (found["articles"], found["pictures"], found["failures"]) == (1, 0, 2)
    assert found["sealed"] == json.loads(lines[-1])["date"]
    last = found["last_run"]
    assert (last["ending"], last["outcomes"]) == ("incomplete", {"captured": 1, "refused": 2})
    assert last["started"] < last["ended"]
    assert (found["open"], found["unfinished"], found["fresh"], found["max_age"]) == ([], [], True, None)


def test_status_says_it_in_words(made: Path) -> None:
    code, _, text = told("status", str(made))
    assert code == 0
    assert "1 WARC file, " in text
    assert "1 article, 0 pictures" in text
    assert "incomplete: 1 captured, 2 refused" in text
    command = re.search(r"listed by: (.+?); asked", text)
    assert command  # can be typed as it is
    assert shlex.split(command[1]) == ["archiver", "status", "--failures", str(made)]
    assert text.splitlines()[-1] == "2 URLs not whole; 0 unfinished runs."


def test_status_changes_nothing_and_waits_for_no_lock(root: Path) -> None:
    with Archive(root).lock("archive"):
        before = files(root)
        assert "catalogue.db-wal" not in before
        assert status(root)[0] == 0
        assert files(root) == before


def test_age_of_the_last_run(root: Path) -> None:
    assert status(root, "--max-age", "26h")[0] == 0
    code, _, text = told("status", str(root), "--max-age", "0s")
    assert (code, text.splitlines()[-1][:6]) == (3, "STALE:")
    hours = (
        "2001-02-03T04:05:06.000000Z",
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 9000)),
    )
    for ended, age, expected in [
        (hours[0], "2d", 3),
        (hours[1], "2h", 3),
        (hours[1], "3h", 0),
        (hours[1], "160m", 0),
    ]:
        change(root, "UPDATE runs SET ended = ?", ended)
        assert status(root, "--max-age", age)[0] == expected, (ended, age)


def test_only_a_run_that_ended_and_saved_something_counts(root: Path) -> None:
    fresh = {"captured": 0, "unchanged": 1, "failed": 9}
    for outcomes, ended, expected in [
        (fresh, True, 0),
        ({"captured": 3}, False, 3),
        ({"failed": 9, "partial": 2}, True, 3),
        ({}, True, 3),
    ]:
        change(root, "UPDATE runs SET outcomes = ?", json.dumps(outcomes))
        if not ended:
            change(root, "UPDATE runs SET ended = NULL")
        code, found = status(root, "--max-age", "26h")
        assert (code, found["last_run"]["outcomes"]) == (expected, outcomes)
        assert (found["last_run"]["ending"] == "unfinished") is not ended
        if not ended:
            change(root, "UPDATE runs SET ended = started")


def test_an_archive_without_runs_is_stale(sealed: Path) -> None:
    code, found = status(sealed, "--max-age", "9999d")
    assert (code, found["last_run"], found["last_saved"], found["age"]) == (3, None, None, None)
    assert status(sealed)[0] == 0


def test_a_run_of_the_future_does_not_count_as_fresh(root: Path) -> None:
    change(root, "UPDATE runs SET ended = '2999-01-01T00:00:00.000000Z'")
    code, _, text = told("status", str(root), "--max-age", "26h")
    assert (code, "in the future" in text) == (3, True)


@pytest.mark.parametrize("age", ["", "26", "h", "-1h", "1e3s", "1.h", "26h ", "٣h", "1w", "9" * 40 + "d"])
def test_ages_that_are_none(made: Path, age: str) -> None:
    code, _, text = told("status", str(made), "--max-age", age)
    assert (code, "is no age" in text) == (2, True)


def test_what_is_open_and_unfinished_is_named(root: Path) -> None:
    (root / "warcs" / "20261122T190512Z-7f3a.warc.gz.open").touch()
    sources = ("a b.md", "c\nwhole", "d", "e")
    begun = "2026-11-22T19:05:12.000001Z"
    journal.begin(root, journal.Unfinished(run=RUN, command="sha256:x", sources=sources, started=begun))
    code, found = status(root)
    assert (code, found["open"]) == (0, ["warcs/20261122T190512Z-7f3a.warc.gz.open"])
    assert found["unfinished"] == [
        {"run": RUN, "command": "sha256:x", "sources": list(sources), "started": begun}
    ]
    lines = told("status", str(root))[2].splitlines()
    assert (
        "unfinished  since 2026-11-22T19:05:12Z: 'a b.md' 'c whole' d …; the same command goes on with it"
        in lines
    )


def damage(sql: str) -> Callable[[Path], None]:
    return lambda root: change(root, sql)


@pytest.mark.parametrize(
    "harm",
    [
        damage("UPDATE runs SET outcomes = '['"),
        damage('UPDATE runs SET outcomes = \'{"captured": "x"}\''),
        damage("UPDATE runs SET outcomes = x'00ff'"),
        damage("UPDATE runs SET ended = 'yesterday'"),
        damage("DROP TABLE runs"),
        lambda root: (root / "catalogue.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000),
        lambda root: (root / "catalogue.db").write_bytes(b""),
    ],
    ids=["no-json", "no-number", "bytes", "no-time", "no-table", "no-database", "empty"],
)
def test_a_damaged_catalogue_is_said_to_be_damaged(root: Path, harm: Callable[[Path], None]) -> None:
    harm(root)
    code, _, text = told("status", str(root), "--max-age", "1d")
    assert (code, "archiver rebuild" in text) == (4, True), text


def test_without_a_catalogue_it_is_made(root: Path) -> None:
    before = status(root)[1]
    (root / "catalogue.db").unlink()
    assert status(root)[1] | {"age": None} == before | {"age": None}


def test_no_archive_is_said_so(tmp_path: Path) -> None:
    assert told("status", str(tmp_path), "--max-age", "1d")[0] == 5


# --- what failed ---------------------------------------------------------------------------------


def test_failures_are_listed_for_people_and_programs(made: Path) -> None:
    code, rows, _ = told("status", str(made), "--failures", "--json")
    assert code == 0
    keys = ("type", "url", "purpose", "outcome", "status", "article")
    assert [tuple(row[key] for key in keys) for row in rows[:-1]] == [
        ("failure", url, "picture", "refused", 404, 1) for url in (GONE, LATE)
    ]
    assert all("404" in row["reason"] for row in rows[:-1])


def test_the_list_of_failures_is_fed_back(world: DemoWorld, root: Path) -> None:
    listed = listing(root)
    assert listed == f"{GONE}\n{LATE}\n".encode()
    world.site.add(HOST, LATE.removeprefix(SITE), encoding.jpeg(scenes.harbour()), "image/jpeg")
    code, rows, text = archive(world, root, "-", stdin=listed)
    assert (code, rows[-1]["fetches"]) == (3, {"captured": 1, "refused": 1}), text
    asked = [(row["url"], row["purpose"], row["outcome"]) for row in rows if row["type"] == "fetch"]
    assert sorted(row for row in asked if row[1] != "robots") == [
        (GONE, "picture", "refused"),
        (LATE, "picture", "whole"),
    ]
    assert listing(root) == f"{GONE}\n".encode()
    assert query(root, "SELECT count(*) FROM fetches WHERE url LIKE '%late.jpg%'") == [(2,)]


def listing(root: Path) -> bytes:
    """What a pipe gets of `status --failures`: URLs and nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "archiver", "status", str(root), "--failures"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"not whole" in done.stderr
    return done.stdout


def test_only_the_newest_word_on_a_url_counts(root: Path) -> None:
    """A guess, robots.txt and what was captured since are no failures; a retry that never came is one."""
    for number, (url, purpose, outcome, retry, form) in enumerate(
        [
            (GONE, "picture", "whole", None, None),
            (LATE, "picture", "failed", 5.0, None),
            (LATE + "&w=9", "picture", "failed", None, "rendition"),
            (SITE + "/robots.txt", "robots", "failed", None, None),
            (PAGE, "picture", "failed", None, None),
            (SITE + "/dead", "page", "skipped", None, None),
        ]
    ):
        change(root, FETCH, url, purpose, outcome, retry, form, f"urn:x:{number}")
    rows = told("status", str(root), "--failures", "--json")[1]
    assert [(row["url"], row["purpose"]) for row in rows[:-1]] == [
        (LATE, "picture"),
        (PAGE, "picture"),
        (SITE + "/dead", "page"),
    ]
    assert rows[-1]["failures"] == 3


def test_a_url_that_is_two_things_is_listed_once(root: Path) -> None:
    change(root, FETCH, GONE, "page", "failed", None, None, "urn:x")
    assert sorted(listing(root).decode().split()) == [GONE, LATE]


def test_a_dry_run_of_retrying_names_what_failed(root: Path) -> None:
    code, rows, _ = told("archive", "--retry-failed", "--dry-run", "--into", str(root), "--json")
    assert (code, [row["url"] for row in rows[:-1]]) == (0, [GONE, LATE])
