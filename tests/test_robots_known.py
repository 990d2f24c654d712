"""A robots.txt that the archive holds is not asked for again within a day, by any run."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from commands import query
from manners_server import Town, moved, reply
from wire_server import Step

from archiver.capture.manners import Manners
from archiver.capture.manners.robots import Known
from archiver.config import Settings
from archiver.index import catalogue
from archiver.index.memory import Memory
from archiver.keep import keep
from archiver.model import FetchNote, Note

ROBOTS = "http://a.example/robots.txt"
RULES = "User-agent: *\nDisallow: /private\n"
URLS = ("http://a.example/1", "http://a.example/private")
ALLOWS_ALL = {"refused": 2}
OBEYED = {"refused": 1, "robots": 1}
MOVED: dict[str, Iterable[Step]] = {
    "a.example": [moved("http://b.example/robots.txt")],
    "b.example": [reply(RULES)],
}


def town_of(robots: dict[str, Iterable[Step]]) -> Town:
    """Pages are refused, so that none has to be read."""
    return Town(lambda _: [reply("", "403 Forbidden")], robots)


def save(town: Town, root: Path, *urls: str, reason: str = "") -> tuple[dict[str, int], list[FetchNote]]:
    notes: list[Note] = []
    manners = Manners(backoff=0.001, retries=1, ignore_robots=reason)
    kept = keep(
        root, urls, town.network, Settings(), manners=manners, report=notes.append, say=lambda _: None
    )
    return kept.outcomes, [note for note in notes if isinstance(note, FetchNote)]


def asked(town: Town) -> int:
    return town.urls().count(ROBOTS)


def change(root: Path, sql: str, *values: str) -> None:
    with closing(sqlite3.connect(root / "catalogue.db")) as connection, connection:
        assert connection.execute(sql, values).rowcount > 0


def age(root: Path, seconds: float) -> None:
    """Let the archive's robots.txt have been asked for so long ago."""
    then = (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    change(root, "UPDATE fetches SET started = ? WHERE purpose = 'robots'", then)


@pytest.mark.parametrize(
    ("robots", "outcomes"),
    [
        ({"a.example": [reply(RULES)]}, OBEYED),
        ({"a.example": [reply(RULES + "# " + "long " * 300)]}, OBEYED),
        (MOVED, OBEYED),
        ({"a.example": [reply("", "404 Not Found")]}, ALLOWS_ALL),
        ({"a.example": [reply(RULES, "403 Forbidden")]}, ALLOWS_ALL),
    ],
    ids=["rules", "long-rules", "moved", "404", "403"],
)
def test_it_is_asked_for_once_a_day(
    tmp_path: Path, robots: dict[str, Iterable[Step]], outcomes: dict[str, int]
) -> None:
    """By three runs, the third of which finds it two days old; it means the same to all."""
    with town_of(robots) as town:
        first, _ = save(town, tmp_path, *URLS)
        second, notes = save(town, tmp_path, *(f"{url}/again" for url in URLS))
        assert (first, second) == (outcomes, outcomes)
        assert asked(town) == 1
        assert not [note for note in notes if note.purpose == "robots"]
        age(tmp_path, 86_400 * 2)
        assert save(town, tmp_path, *(f"{url}/third" for url in URLS))[0] == outcomes
        assert asked(town) == 2


def test_what_it_forbids_says_when_it_said_so(tmp_path: Path) -> None:
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        _, notes = save(town, tmp_path, URLS[1])
    ((started,),) = query(tmp_path, "SELECT started FROM fetches WHERE purpose = 'robots'")
    assert [note.reason for note in notes] == [f"its robots.txt of {started} forbids it"]


@pytest.mark.parametrize("seconds", [86_410, -60])
def test_too_old_or_from_the_future(tmp_path: Path, seconds: float) -> None:
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        age(tmp_path, seconds)
        assert save(town, tmp_path, *URLS)[0]["robots"] == 1
        assert asked(town) == 2


def test_just_young_enough(tmp_path: Path) -> None:
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        age(tmp_path, 86_300)
        assert save(town, tmp_path, *URLS)[0]["robots"] == 1
        assert asked(town) == 1


@pytest.mark.parametrize(
    "steps",
    [
        [reply("", "500 Internal Server Error")],
        [reply("", "503 Service Unavailable")],
        [reply("", "429 Too Many Requests", "Retry-After: 0")],
        [reply("", "408 Request Timeout")],
        [reply(RULES)[:-3], "drop"],
        ["reset"],
        [moved(ROBOTS)],
        [moved("http://127.0.0.1:1/")],
    ],
    ids=["500", "503", "429", "408", "cut", "reset", "circle", "refused-redirect"],
)
def test_a_failure_is_never_relied_on(tmp_path: Path, steps: list[Step]) -> None:
    """Also not on what came whole before it."""
    with town_of({"a.example": steps}) as town:
        save(town, tmp_path, *URLS)
        before = asked(town)
        save(town, tmp_path, *URLS)
        assert asked(town) > before
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        assert asked(town) == 1


def test_the_newest_answer_counts(tmp_path: Path) -> None:
    """Not the whole one before a failure, nor the failure before it."""
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
    age(tmp_path, 86_410)
    with town_of({"a.example": ["reset"]}) as town:
        save(town, tmp_path, *URLS)
        before = asked(town)
        save(town, tmp_path, *URLS)
        assert asked(town) > before


def test_each_origin_has_its_own(tmp_path: Path) -> None:
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        save(town, tmp_path, "http://b.example/private", "http://a.example:81/private")
        assert {"http://b.example/robots.txt", "http://a.example:81/robots.txt"} < set(town.urls())


def test_a_record_that_is_gone_or_changed(tmp_path: Path) -> None:
    """It is asked for as if it had never been."""
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        change(tmp_path, "UPDATE records SET digest = 'sha256:0' WHERE uri = ? AND type = 'response'", ROBOTS)
        assert save(town, tmp_path, *URLS)[0]["robots"] == 1
        assert asked(town) == 2


def test_ignored_robots_are_not_looked_up(tmp_path: Path) -> None:
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, *URLS)
        outcomes, _ = save(town, tmp_path, *(f"{url}/again" for url in URLS), reason="our own")
        assert outcomes == ALLOWS_ALL
        assert asked(town) == 1


def test_crawl_delay_holds_on(tmp_path: Path) -> None:
    with town_of({"a.example": [reply(RULES + "Crawl-delay: 0.4")]}) as town:
        save(town, tmp_path, URLS[0])
        before = len(town.visits)
        save(town, tmp_path, *(f"http://a.example/{number}" for number in range(3)))
        later = town.visits[before:]
        assert [visit.path for visit in later] == ["/0", "/1", "/2"]
        assert all(b.began - a.ended >= 0.4 for a, b in pairwise(later))


def test_after_the_run_nothing_is_known(tmp_path: Path) -> None:
    """A thread that is still on its way when a run breaks off must not ask a database that is closed."""
    with town_of({"a.example": [reply(RULES)]}) as town:
        save(town, tmp_path, URLS[0])
    with catalogue.reading(tmp_path) as db, Known(Memory(db, tmp_path, "")) as known:
        assert known.rules(ROBOTS)
    assert known.rules(ROBOTS) is None
