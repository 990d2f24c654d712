"""The engine, judged by a server's log: how many requests at once, none lost, none after the end."""

import random
import signal
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from commands import archiver
from killing import start
from manners_server import (
    Town,
    Visit,
    ask,
    finished,
    jobs_left,
    last_words,
    most_at_once,
    moved,
    reply,
    running,
    stage,
)
from wire_server import Step

from archiver.capture import engine as engine_module
from archiver.capture.engine import MOST_FINISHED, Engine
from archiver.capture.job import Job, Wish
from archiver.capture.manners import Manners
from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import Client, Network

NO_ROBOTS = "a test of something else"
QUICK = Manners(parallel=4, ignore_robots=NO_ROBOTS, backoff=0.01)


PAGE = reply(
    "<html><head><title>x</title></head><body><article><h1>x</h1><p>text</p>"
    '<img src="http://b.example/1.png"></article></body></html>'
).replace(b"text/plain", b"text/html")
LISTING = reply(
    '<rss version="2.0"><channel><title>x</title><item><title>y</title>'
    "<link>http://b.example/1.png</link></item></channel></rss>"
).replace(b"text/plain", b"application/rss+xml")


def lasting(seconds: float) -> Iterator[Step]:
    yield float(seconds)  # a pause; an int would end the connection
    yield reply("here")


# --- how many at once -----------------------------------------------------------------------------


@pytest.mark.parametrize(("parallel", "per_host"), [(1, 1), (4, 1), (4, 2), (8, 3)])
def test_never_more_at_once_than_allowed(parallel: int, per_host: int) -> None:
    urls = [f"http://{host}.example/{number}" for host in "abcdef" for number in range(6)]
    with Town(lambda _: lasting(0.02)) as town:
        ask(town, urls, Manners(parallel=parallel, per_host=per_host))
        assert sorted(set(town.urls()) - set(urls)) == [
            f"http://{host}.example/robots.txt" for host in "abcdef"
        ]
        assert sorted(url for url in town.urls() if url in urls) == urls
        assert most_at_once(town.visits) == parallel
        for host in "abcdef":
            assert most_at_once(town.of(f"{host}.example")) <= per_host
            assert town.urls(f"{host}.example")[0].endswith("/robots.txt")  # before anything else
            assert town.gaps(f"{host}.example")[0] >= 0


def test_one_slow_host_holds_up_no_other() -> None:
    slow = [f"http://slow.example/{number}" for number in range(30)]
    urls = [f"http://{number % 10}.example/{number}" for number in range(100)]
    with Town(lambda visit: lasting(1.5 if visit.host == "slow.example" else 0.0)) as town:
        with running(town.network, Manners(parallel=2)) as engine:
            for url in [*slow, *urls]:
                engine.submit(Wish(url, "page"))
            while len([v for v in town.visits if v.host != "slow.example"]) < 110:
                assert not engine.idle, sorted(set(urls) - set(town.urls()))
                jobs_left(engine, [])
            assert len(town.of("slow.example")) <= 3  # robots.txt and at most two pages
            engine.stop()
            while engine.pending:
                jobs_left(engine, [])
        last_other = max(v.began for v in town.visits if v.host != "slow.example")
        assert last_other - town.visits[0].began < 3


# --- the end of a run -----------------------------------------------------------------------------


def test_stop_finishes_what_is_on_its_way_and_begins_nothing() -> None:
    urls = [f"http://{number % 5}.example/{number}" for number in range(100)]
    with Town(lambda _: lasting(0.3)) as town:
        with running(town.network, QUICK) as engine:
            for url in urls:
                engine.submit(Wish(url, "page"))
            time.sleep(0.45)
            engine.stop()
            begun = set(town.urls())
            engine.submit(Wish("http://late.example/", "page"))
            jobs = finished(engine)
            assert engine.pending == 0
        assert set(town.urls()) == begun
        assert {job.wish.url for job in jobs} == begun
        assert len(begun) <= 8


@pytest.mark.parametrize(
    "answer", [reply("User-agent: *"), moved("http://b.example/rules")], ids=["rules", "redirect"]
)
def test_stop_while_robots_is_on_its_way(answer: bytes) -> None:
    """What a host answered is handed over, also when nobody needs it any more."""
    with Town(robots={"a.example": [0.3, answer]}) as town:
        with running(town.network, Manners()) as engine:
            engine.submit(Wish("http://a.example/1", "page"))
            time.sleep(0.15)
            engine.stop()
            jobs = finished(engine)
        assert town.urls() == ["http://a.example/robots.txt"]
        assert [(job.wish.purpose, len(job.exchanges)) for job in jobs] == [("robots", 1)]


def test_stop_between_redirects() -> None:
    """What came before is kept, and it is said that this is not the last word."""
    with Town(lambda _: [0.3, moved("http://b.example/")]) as town:
        with running(town.network, QUICK) as engine:
            engine.submit(Wish("http://a.example/1", "page"))
            time.sleep(0.15)
            engine.stop()
            (job,) = finished(engine)
        assert town.urls() == ["http://a.example/1"]
        assert (job.retry, stage(job), len(job.exchanges)) == (0.0, "deferred", 1)


@pytest.mark.parametrize("body", [LISTING, PAGE], ids=["feed", "page"])
def test_what_a_page_names_is_not_begun_after_the_first_signal(tmp_path: Path, body: bytes) -> None:
    """And the same command goes on with it."""
    with Town(lambda visit: [0.6, body] if visit.path == "/first" else [reply("here")]) as town:
        command = ["archive", "http://a.example/first", "--into", str(tmp_path / "archive"), "--json"]
        command += ["--connect-to", f"::127.0.0.1:{town.port}"]
        with start(*command) as process:
            while "http://a.example/first" not in town.urls():
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=15)
            finally:
                process.kill()
        assert process.returncode == 130
        assert town.urls() == ["http://a.example/robots.txt", "http://a.example/first"]
        archiver(*command)
        assert set(town.urls()[2:]) == {"http://b.example/robots.txt", "http://b.example/1.png"}


def test_a_thread_that_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours ends the run; it does not make it wait for ever."""
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: seen.append(hook.exc_type))

    class Broken(Client):
        def exchange(self, url: str, **_: object) -> Exchange:
            raise ZeroDivisionError(url)

    with Broken(Network()) as client:
        with (
            pytest.raises(RuntimeError, match="thread of the capture engine"),
            Engine(client, QUICK, quotas=(), passed_on=lambda _: ()) as engine,
        ):
            finished(engine, ["http://a.example/"])
        assert seen == [ZeroDivisionError]


def test_leaving_by_an_exception_waits_for_no_server() -> None:
    with Town(lambda _: lasting(3)) as town:
        began = time.monotonic()
        with suppress(ZeroDivisionError), running(town.network, QUICK) as engine:
            engine.submit(Wish("http://a.example/", "page"))
            engine.take(0.2)
            raise ZeroDivisionError
        assert time.monotonic() - began < 2


# --- bounds ---------------------------------------------------------------------------------------


def test_nobody_takes() -> None:
    """The threads wait, so that answers do not fill the memory."""
    urls = [f"http://{number}.example/" for number in range(200)]
    with Town() as town, running(town.network, QUICK) as engine:
        for url in urls:
            engine.submit(Wish(url, "page"))
        time.sleep(1)
        assert MOST_FINISHED <= len(town.visits) <= MOST_FINISHED + QUICK.parallel
        assert len(last_words(finished(engine))) == 200


def test_refusals_are_bounded_too() -> None:
    with running(Network(), QUICK) as engine:
        for number in range(100):
            engine.submit(Wish(f"http://127.0.0.1:{9000 + number}/", "page"))
        jobs = finished(engine)
    assert {job.exchanges[0].error.stage for job in jobs if job.exchanges[0].error} == {"address"}
    assert len(jobs) == 100


def test_idle_hosts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """But none that is not to be asked for now."""
    monkeypatch.setattr(engine_module, "MOST_HOSTS", 20)
    closed = reply("", "503 Service Unavailable", "Retry-After: 5000")
    with Town(lambda visit: [closed if visit.host == "closed.example" else reply("here")]) as town:
        with running(town.network, QUICK) as engine:
            finished(engine, ["http://closed.example/1"])
            for number in range(300):
                finished(engine, [f"http://{number}.example/"])
            assert len(engine._hosts) <= 40
            (job,) = finished(engine, ["http://closed.example/2"])
        assert stage(job) == "deferred"
        assert town.urls("closed.example") == ["http://closed.example/1"]


@pytest.mark.slow
def test_many_wishes_over_many_hosts() -> None:
    urls = [f"http://{number % 1000}.example/{number}" for number in range(4000)]
    with Town() as town:
        words = ask(town, urls, Manners(parallel=8))
        assert words.keys() == set(urls)
        assert {job.exchanges[-1].status for job in words.values()} == {200}
        counted = Counter(town.urls())
        assert set(counted.values()) == {1}
        assert len(counted) == 5000


# --- no deadlock, nothing lost --------------------------------------------------------------------


def test_robots_of_two_hosts_that_redirect_to_each_other() -> None:
    robots: dict[str, Iterable[Step]] = {
        "a.example": [moved("http://b.example/robots.txt")],
        "b.example": [moved("http://a.example/robots.txt")],
        "c.example": [moved("http://d.example/rules")],
        "d.example": [0.3, moved("http://c.example/rules")],
    }
    urls = [f"http://{host}.example/{number}" for host in "abcd" for number in range(3)]
    rules = reply("User-agent: *\nDisallow: /1")
    with Town(lambda visit: [rules if visit.path == "/rules" else reply("here")], robots) as town:
        words = ask(town, urls)
    skipped = {url for url, job in words.items() if stage(job) == "robots"}
    assert skipped == {"http://c.example/1", "http://d.example/1"}  # a circle allows everything
    assert words.keys() == set(urls)


def chance(seed: int, visit: Visit) -> list[Step]:
    """What a difficult host does, the same in every run of a test: 17 hosts that point at each other."""
    value = zlib.crc32(f"{seed} {visit.url} {visit.number}".encode())
    pause, kind, other = value % 7 / 500, value >> 8 & 15, (value >> 16) % 17
    steps: dict[int, list[Step]] = {
        0: [moved(f"http://{other}.example/{value % 50}")],
        1: [moved(f"http://{other}.example/robots.txt")],
        2: [reply("", "503 Service Unavailable")],
        3: ["reset"],
        4: [reply("whole")[:-2], "drop"],
        5: [reply("", "429 Too Many Requests", "Retry-After: 700")] if value % 40 == 5 else ["drop"],
        6: [reply("", "404 Not Found")],
        7: [b"SSH-2.0-OpenSSH\r\n"],  # which ends the exchange
        8: [moved(f"https://user@{other}.example/")],
    }
    return [pause, *steps.get(kind, [reply("User-agent: *\nDisallow: /7\nCrawl-delay: 0.01")])]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_every_wish_gets_one_last_word(seed: int) -> None:
    rng = random.Random(seed)
    urls = sorted({f"http://{rng.randrange(17)}.example/{rng.randrange(60)}" for _ in range(400)})
    manners = Manners(parallel=rng.choice((2, 8, 16)), per_host=rng.choice((1, 2)), retries=2, backoff=0.02)

    def answer(visit: Visit) -> list[Step]:
        return chance(seed, visit)

    with Town(answer, answer) as town:
        with running(town.network, manners) as engine:
            words = last_words(finished(engine, urls, 100))
        assert words.keys() == set(urls)
        assert most_at_once(town.visits) <= manners.parallel
        for host in {urlsplit(url).netloc for url in urls}:
            assert most_at_once(town.of(host)) <= manners.per_host
        kinds = {stage(job) or str(job.exchanges[-1].status) for job in words.values()}
        assert len(kinds) >= 4


def test_takes_only_what_is_there() -> None:
    with running(Network(), QUICK) as engine:
        began = time.monotonic()
        assert engine.take(5) == []
        assert time.monotonic() - began < 1
        assert Job(Wish("http://a.example/", "page")).url == "http://a.example/"
