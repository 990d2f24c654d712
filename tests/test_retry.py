"""What is asked for again, and when: by the kind of failure, as hosts wish, never for ever."""

import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from commands import archiver, query
from hypothesis import given
from hypothesis import strategies as st
from manners_server import Town, Visit, ask, finished, last_words, moved, reply, running, stage
from sqlite_utils.db import Table
from wire_server import Asked, Step, WireServer, server_context

from archiver import journal
from archiver.capture.job import Wish
from archiver.capture.manners import Manners
from archiver.capture.manners.host import DEAD_SECONDS, REFUSALS, STRIKES
from archiver.capture.manners.retry import FLOOR, MOST_SECONDS, delay, retry_after
from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import Network
from archiver.errors import FetchError
from archiver.index import catalogue
from archiver.index.memory import FORGIVEN, Memory

DATE = "2026-11-23T05:00:00.000000Z"
NOT_HERE = "a test of something else"
QUICK = Manners(ignore_robots=NOT_HERE, backoff=0.01)
BUSY = reply("", "503 Service Unavailable")


# --- what is asked for again ----------------------------------------------------------------------


def status(code: int, *fields: str) -> list[Step]:
    return [reply("", f"{code} Said", *fields)]


@pytest.mark.parametrize(
    ("steps", "tries"),
    [
        *((status(code), 4) for code in (408, 425, 429, 500, 502, 503, 504, 520, 522, 530)),
        *((status(code), 1) for code in (400, 401, 403, 404, 405, 410, 421, 451, 501, 505, 511)),
        (["reset"], 4),
        (["drop"], 4),
        ([b"HTTP/1.1 200 OK\r\nContent-"], 4),  # nothing more comes
        ([reply("cut off")[:-1], "drop"], 4),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", "reset"], 4),
        ([b"SSH-2.0-OpenSSH_9\r\n"], 1),
        ([reply("x" * 70_000)], 1),  # over the limit
        ([b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000 + b"\r\n"], 1),
        ([moved("http://a.example/")], 1),  # in a circle
        ([moved("http://10.0.0.1:6000/")], 1),  # a port that is not for web servers
        ([moved("http://127.0.0.1:1/")], 1),
        (status(500, "Retry-After: 700"), 1),
        (status(404, "Retry-After: 1"), 1),
    ],
)
def test_how_often(steps: list[Step], tries: int) -> None:
    with Town(lambda _: steps) as town:
        network = Network(
            resolve=(f"a.example:{town.port}:127.0.0.1",),
            first_byte_seconds=0.4,
            read_seconds=0.4,
            max_bytes=65_536,
        )
        url = f"http://a.example:{town.port}/"
        with running(network, QUICK) as engine:
            jobs = finished(engine, [url])
        assert town.urls() == [url] * tries
        assert [job.attempt for job in jobs] == list(range(tries))
        assert [job.retry is None for job in jobs] == [False] * (tries - 1) + [True]


def test_nobody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    network = Network(connect_to=(f"::127.0.0.1:{port}",))
    with running(network, QUICK) as engine:
        jobs = finished(engine, ["http://a.example/"])
    assert [job.exchanges[0].error.stage for job in jobs if job.exchanges[0].error] == ["connect"] * 4


def test_certificates_are_not_asked_for_twice(authority: trustme.CA, pem: str) -> None:
    def answer(_: Asked) -> list[Step]:
        return [reply("here")]

    with WireServer(answer, server_context(authority, "other.example")) as server:
        network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=pem)
        with running(network, QUICK) as engine:
            (job,) = finished(engine, ["https://a.example/"])
        assert server.connections == 1
        assert job.exchanges[0].error
        assert job.exchanges[0].error.stage == "tls"
        assert not server.asked


def test_number_of_retries() -> None:
    for retries in (0, 1, 5):
        with Town(lambda _: status(500)) as town:
            ask(town, ["http://a.example/"], Manners(retries=retries, backoff=0.01, ignore_robots=NOT_HERE))
            assert len(town.visits) == retries + 1


def test_until_it_comes() -> None:
    """Each try goes through all redirects again; the last word is that of the try that worked."""
    with Town(
        lambda v: [moved("http://b.example/")] if v.host[0] == "a" else status(500 - 300 * (v.number > 1))
    ) as town:
        with running(town.network, QUICK) as engine:
            jobs = finished(engine, ["http://a.example/"])
        assert town.urls() == ["http://a.example/", "http://b.example/"] * 3
        assert last_words(jobs)["http://a.example/"].exchanges[-1].status == 200


def failed(code: int = 500, *fields: tuple[str, str]) -> Exchange:
    return Exchange("http://a.example/", "GET", datetime.now(UTC), status=code, headers=fields)


def test_back_off_grows_and_differs() -> None:
    """Full jitter: anything from nothing to 2 s · 2^n."""
    manners = Manners(retries=5)
    for attempt in range(5):
        waits = [delay(failed(), attempt, manners) or 0.0 for _ in range(300)]
        most = 2 * 2**attempt
        assert 0 <= min(waits) < most * 0.1
        assert most * 0.9 < max(waits) <= most
        assert len(set(waits)) > 290
    assert delay(failed(), 5, manners) is None


# --- Retry-After ----------------------------------------------------------------------------------


def date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [
        ("5", 5, 5),
        (" 120 ", 120, 120),
        ("0", FLOOR, FLOOR),
        ("9" * 30, MOST_SECONDS, MOST_SECONDS),
        ("9" * 5000, MOST_SECONDS, MOST_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", FLOOR, FLOOR),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_SECONDS, MOST_SECONDS),
    ],
)
def test_what_retry_after_means(written: str, least: float, most: float) -> None:
    """RFC 9110 section 10.2.3."""
    assert least <= (retry_after(failed(503, ("retry-after", written))) or 0) <= most


def test_retry_after_as_a_date() -> None:
    for seconds in (30, 600, 7200):
        asked = retry_after(failed(429, ("retry-after", date(seconds)))) or 0
        assert seconds - 3 <= asked <= seconds


@pytest.mark.parametrize(
    "written", ["", "-1", "1.5", "soon", "inf", "nan", "٣", "1 2", "Wed, 99 Oct 2015", "\0", ","]
)
def test_what_retry_after_does_not_mean(written: str) -> None:
    assert retry_after(failed(503, ("retry-after", written))) is None


@given(
    st.one_of(
        st.text(max_size=60),
        st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,12} [A-Z][a-z]{2} [0-9]{1,9} [0-9:+-]{1,20}"),
    )
)
def test_any_retry_after(written: str) -> None:
    asked = retry_after(failed(503, ("retry-after", written)))
    assert asked is None or FLOOR <= asked <= MOST_SECONDS


def test_retry_after_of_what_is_no_failure() -> None:
    for code in (200, 301, 304):
        assert retry_after(failed(code, ("retry-after", "10"))) is None


# --- 429 and 503: the whole host ------------------------------------------------------------------


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("asked", ["Retry-After: 0", "Retry-After: 1"])
def test_the_whole_host_waits_and_no_other(code: int, asked: str) -> None:
    """With a floor: a host that asks for 0 s is not asked again at once."""
    urls = [f"http://{host}.example/{number}" for number in range(3) for host in "ab"]

    def answer(visit: Visit) -> list[Step]:
        return status(code, asked) if visit.url == urls[0] and not visit.number else status(200)

    with Town(answer) as town:
        words = ask(town, urls, QUICK)
        assert town.gaps("a.example")[0] >= 1
        assert max(town.gaps("a.example")[1:]) < 0.5
        assert max(town.gaps("b.example")) < 0.5
        assert {job.exchanges[-1].status for job in words.values()} == {200}


def test_a_host_that_does_not_say_how_long_is_left_alone_ever_longer() -> None:
    with Town(lambda v: [BUSY] if v.path == "/0" else status(200)) as town:
        ask(town, ["http://a.example/0"], Manners(backoff=0.1, ignore_robots=NOT_HERE))
        assert [gap >= 0.1 * 2**n for n, gap in enumerate(town.gaps("a.example"))] == [True] * 3


def test_a_host_that_answered_again_begins_anew() -> None:
    codes = [503, 503, 503, 503, 200, 503, 200]
    with Town(lambda _: status(codes[min(len(town.visits), 7) - 1])) as town:
        manners = Manners(backoff=0.1, retries=9, ignore_robots=NOT_HERE)
        ask(town, ["http://a.example/0", "http://a.example/1"], manners)
        assert town.gaps("a.example")[3] >= 0.8
        assert 0.1 <= town.gaps("a.example")[5] < 0.7


@pytest.mark.parametrize(("fields", "why"), [((), "back-off"), (("Retry-After: 30",), "Retry-After")])
def test_why_a_host_waits(fields: tuple[str, ...], why: str) -> None:
    manners = Manners(backoff=30, ignore_robots=NOT_HERE)
    with Town(lambda _: status(503, *fields)) as town, running(town.network, manners) as engine:
        for number in range(3):
            engine.submit(Wish(f"http://a.example/{number}", "page"))
        while not engine.take(0.1):
            pass
        (view,) = engine.hosts()
        assert (view.host, view.asking, view.waiting, view.why) == ("a.example", (), 3, why)
        assert 25 < view.seconds <= 30
        engine.stop()


def test_beyond_the_patience_the_rest_is_left_for_the_next_run() -> None:
    urls = [f"http://{host}.example/{number}" for number in range(4) for host in "ab"]
    with Town(lambda v: status(429, "Retry-After: 601") if v.host[0] == "a" else status(200)) as town:
        words = ask(town, urls, QUICK)
        assert town.urls("a.example") == ["http://a.example/0"]
        assert len(town.urls("b.example")) == 4
    left = [words[f"http://a.example/{number}"] for number in range(1, 4)]
    assert {stage(job) for job in left} == {"deferred"}
    assert {str(job.refusal) for job in left} == {"it asks to wait 601 s: left for the next run"}


def test_a_redirect_to_a_host_that_wants_to_be_left_alone() -> None:
    """Nor is it asked for the rules of another one."""
    answers: dict[str, list[Step]] = {
        "a.example": [moved("http://b.example/2")],
        "b.example": status(503, "Retry-After: 999"),
    }
    robots = {"c.example": [moved("http://b.example/rules")]}
    with Town(lambda visit: answers[visit.host], robots) as town:
        with running(town.network, Manners()) as engine:
            finished(engine, ["http://b.example/1"])
            words = last_words(finished(engine, ["http://a.example/1", "http://c.example/1"]))
        assert town.urls("b.example") == ["http://b.example/robots.txt", "http://b.example/1"]
        assert {stage(job) for job in words.values()} == {"deferred"}


def test_robots_that_asks_to_wait() -> None:
    robots = {"a.example": status(503, "Retry-After: 3000")}
    with Town(robots=robots) as town:
        words = ask(town, ["http://a.example/1", "http://a.example/2"])
        assert town.urls() == ["http://a.example/robots.txt"]
        assert {stage(job) for job in words.values()} == {"deferred"}


# --- dead hosts -----------------------------------------------------------------------------------


class Deaf(WireServer):
    """Takes connections and ends them before TLS can begin: counted, and never a request."""

    def __init__(self) -> None:
        super().__init__(lambda _: (), greet=lambda: ["reset"])


def test_nobody_at_home() -> None:
    urls = [f"https://a.example/{number}" for number in range(30)]
    with Deaf() as deaf, Town() as town:
        network = Network(
            connect_to=(f"a.example:443:127.0.0.1:{deaf.port}", f"::127.0.0.1:{town.port}"), connect_seconds=2
        )
        with running(network, Manners(retries=0, delay=0, ignore_robots=NOT_HERE)) as engine:
            jobs = finished(engine, [*urls, "http://b.example/"])
        assert deaf.connections == STRIKES
        assert town.urls() == ["http://b.example/"]
    words = last_words(jobs)
    assert [stage(words[url]) for url in urls] == [None] * STRIKES + ["dead"] * (30 - STRIKES)
    assert f"{STRIKES} requests in a row got no whole answer" in str(words[urls[-1]].refusal)
    assert DEAD_SECONDS == 600


def test_strikes_count_in_a_row(authority: trustme.CA, pem: str) -> None:
    """A host that answers each fifth time is not dead."""

    def greet() -> list[Step]:
        return ["reset"] if server.connections % STRIKES else []

    def answer(_: Asked) -> list[Step]:
        return [*status(200, "Connection: close"), "close"]

    context = server_context(authority, "a.example")
    with WireServer(answer, context, greet=greet) as server:
        network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=pem)
        with running(network, Manners(retries=0, delay=0, ignore_robots=NOT_HERE)) as engine:
            words = last_words(finished(engine, [f"https://a.example/{number}" for number in range(15)]))
        assert (server.connections, len(server.asked)) == (15, 3)
        assert {stage(job) for job in words.values()} == {None}


def test_nobody_at_home_before_robots() -> None:
    """Without an answer to robots.txt nothing is asked for, and each URL says why."""
    urls = [f"https://a.example/{number}" for number in range(30)]
    with Deaf() as deaf:
        network = Network(connect_to=(f"::127.0.0.1:{deaf.port}",), connect_seconds=2)
        with running(network, Manners(backoff=0.01, delay=0)) as engine:
            words = last_words(finished(engine, urls))
        assert deaf.connections == 4
    assert {stage(job) for job in words.values()} == {"tls"}
    assert all("robots.txt could not be asked for" in str(job.refusal) for job in words.values())


# --- between runs ---------------------------------------------------------------------------------

URL = "http://a.example/a.png"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with catalogue.writing(tmp_path) as db:
        yield Memory(db, tmp_path, "urn:uuid:none")


def add(memory: Memory, days_ago: float, outcome: str, **fields: object) -> None:
    """A row for a URL that was asked for."""
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    row = {
        "url": URL,
        "purpose": "picture",
        "outcome": outcome,
        "started": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "unchanged": 0,
        "attempt": 0,
        "form": "origin",
        "reason": "said",
        "note_id": f"urn:uuid:{moment.timestamp()}",
        **fields,
    }
    table = memory._db["fetches"]
    assert isinstance(table, Table)
    table.insert(row)


def gone(memory: Memory, *days_ago: float) -> bool:
    for days in sorted(days_ago, reverse=True):
        add(memory, days, "refused", status=404)
    return bool(memory.known_dead(URL, "picture"))


@pytest.mark.parametrize(
    ("failures", "days"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 32), (20, 32)]
)
def test_dead_is_left_alone_ever_longer(memory: Memory, failures: int, days: int) -> None:
    long_ago = [days + 10 + number for number in range(failures - 1)]
    assert gone(memory, days - 0.01, *long_ago)
    memory._db.execute("DELETE FROM fetches")
    assert not gone(memory, days + 0.01, *(day + 1 for day in long_ago))


def test_what_was_gone_and_came_again_is_not_dead(memory: Memory) -> None:
    assert gone(memory, 5, 4, 3)
    add(memory, 2, "whole", status=200)
    assert not memory.known_dead(URL, "picture")
    assert gone(memory, 0.5)  # once: a day
    assert not Memory(memory._db, Path(), "urn:uuid:other").known_dead(URL, "page")


@pytest.mark.parametrize(
    ("outcome", "fields"),
    [
        ("refused", {"status": 403}),
        ("refused", {"status": 500}),
        ("refused", {"status": 503, "stage": "deferred"}),
        ("refused", {"status": 200}),
        ("partial", {"status": 200, "stage": "body"}),
        ("failed", {"stage": "response"}),
        ("failed", {"stage": "address"}),
        ("skipped", {"stage": "robots"}),
        ("skipped", {"stage": "dead"}),
        ("refused", {"status": 404, "retry": 1.0}),
        ("refused", {"status": 404, "form": "proxied"}),
        ("substituted", {"status": 404}),
    ],
)
def test_what_may_pass_is_asked_for_again(memory: Memory, outcome: str, fields: dict[str, object]) -> None:
    for number in range(5):
        add(memory, 0.1 + number / 100, outcome, **fields)
    assert not memory.known_dead(URL, "picture")


@pytest.mark.parametrize("fault", ["dns", "connect", "tls"])
def test_unreachable_hosts_are_forgiven_at_first(memory: Memory, fault: str) -> None:
    for number in range(FORGIVEN - 1):
        add(memory, 0.5 - number / 100, "failed", stage=fault)
        assert not memory.known_dead(URL, "picture")
    add(memory, 0.3, "failed", stage=fault)
    assert memory.known_dead(URL, "picture")


def test_skips_do_not_make_the_time_longer(memory: Memory) -> None:
    add(memory, 0.9, "refused", status=410)
    for number in range(20):
        add(memory, 0.8 - number / 100, "skipped", stage="dead")
    assert memory.known_dead(URL, "picture")
    assert "asked again after" in memory.known_dead(URL, "picture")
    memory._db.execute("UPDATE fetches SET started = ? WHERE outcome = 'refused'", ["2020-01-01T00:00:00Z"])
    assert not memory.known_dead(URL, "picture")


PAGE = "<html><head><title>x</title></head><body><article><h1>x</h1><p>text</p>{}</article></body></html>"


@pytest.mark.slow
def test_the_command_and_failures(tmp_path: Path) -> None:
    """Counted once each; the dead left alone, the rest asked again, and all of it when one insists."""
    pictures = ["http://a.example/gone.png", "http://a.example/busy.png", "http://b.example/later.png"]
    page = reply(PAGE.format("".join(f'<img src="{url}">' for url in pictures)), "200 OK")
    answers: dict[str, list[Step]] = {
        "/page": [page.replace(b"text/plain", b"text/html")],
        "/gone.png": status(404),
        "/busy.png": status(500),
        "/later.png": status(503, "Retry-After: 4000"),
    }
    root = tmp_path / "archive"
    root.mkdir()
    (root / "archiver.toml").write_text("[manners]\nretries = 1\n")
    with Town(lambda visit: answers[visit.path]) as town:
        flags = ["--into", str(root), "--json", "--connect-to", f"::127.0.0.1:{town.port}"]

        def asked(*arguments: str) -> tuple[set[str], dict[str, int]]:
            before = len(town.visits)
            code, rows, _ = archiver("archive", *arguments, *flags)
            assert code == 3
            return {visit.path for visit in town.visits[before:]} - {"/robots.txt"}, rows[-1]["fetches"]

        source = "http://a.example/page"
        paths, summary = asked(source)
        assert paths == set(answers)
        assert summary == {"captured": 1, "deferred": 1, "refused": 2}
        rows = query(root, "SELECT attempt, retry IS NULL FROM fetches WHERE url LIKE '%busy%' ORDER BY id")
        assert rows == [(0, 0), (1, 1)]
        assert town.urls("b.example") == ["http://b.example/robots.txt", pictures[2]]
        assert asked(source) == (
            set(answers) - {"/gone.png"},
            {"unchanged": 1, "deferred": 1, "refused": 1, "dead": 1},
        )
        assert asked(source, "--retry-failed") == (
            set(answers),
            {"unchanged": 1, "deferred": 1, "refused": 2},
        )
        assert "/gone.png" not in asked(source)[0]
        assert "/gone.png" in asked(pictures[0])[0]  # it is named
        assert asked("--retry-failed")[0] == set(answers) - {"/page"}


def test_the_wish_of_a_job() -> None:
    """A refusal is not the server's answer: nothing is tried again for it."""
    with running(Network(), QUICK) as engine:
        engine.submit(Wish("ftp://a.example/", "page"))
        (job,) = finished(engine)
    assert isinstance(job.refusal, FetchError)
    assert (stage(job), job.retry, job.exchanges) == ("address", None, [])


def test_a_host_that_always_asks_to_be_left_alone_is_left_for_another_run() -> None:
    """Else a thousand URLs of one such host keep a run alive for weeks."""
    urls = [f"http://busy.example/{number}" for number in range(40)]
    good = [f"http://good.example/{number}" for number in range(5)]
    manners = Manners(ignore_robots=NOT_HERE, backoff=0.001)
    with Town(lambda visit: [BUSY if visit.host == "busy.example" else reply("here")]) as town:
        words = ask(town, [*urls, *good], manners)
        assert len(town.of("busy.example")) < 3 * REFUSALS
    left = [url for url in urls if stage(words[url]) == "deferred"]
    assert len(left) > 20
    assert all(words[url].exchanges[-1].status == 200 for url in good)


@pytest.mark.parametrize("etag", ['"other"', 'W/"other"'])
def test_a_304_for_another_version_is_asked_again_without_the_condition(tmp_path: Path, etag: str) -> None:
    """RFC 9111 section 4.3.4: it does not speak of what the archive holds."""
    page = reply("<p>" + "here " * 300, "200 OK", 'ETag: "v1"', "Content-Type: text/html")

    def answer(asked: Asked) -> list[Step]:
        if b"robots.txt" in asked.head:
            return [reply("", "404 Not Found")]
        conditional = b"if-none-match" in asked.head.lower()
        return [f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode()] if conditional else [page]

    root = tmp_path / "archive"
    with WireServer(answer) as server:
        flags = ("--into", str(root), "--json", "--connect-to", f"news.example:80:127.0.0.1:{server.port}")
        codes = [archiver("archive", "http://news.example/a", *flags)[0] for _ in range(2)]
    assert codes == [0, 0]
    hops = query(root, "SELECT hops.attempt, hops.status FROM hops JOIN fetches ON fetches.id = fetch_id"
                 " WHERE run_id = 2 AND purpose = 'page' ORDER BY hops.number")  # fmt: skip
    assert hops == [("", 304), ("unconditional", 200)]
    assert archiver("verify", str(root), "--deep")[0] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": "urn:uuid:1\r\nrobots: ignore"},
        {"started": "yesterday"},
        {"command": "x" * 1000},
        {"sources": 7},
    ],
)
def test_a_journal_that_we_did_not_write_counts_as_none(tmp_path: Path, wrong: dict[str, object]) -> None:
    run = {"run": f"urn:uuid:{uuid.uuid4()}", "command": "sha256:0", "sources": ["a"], "started": DATE}
    for each, count in ((run, 1), (run | wrong, 0)):
        text = json.dumps({"format": journal.FORMAT, "unfinished": [each]})
        (tmp_path / journal.NAME).write_text(text)
        assert len(journal.load(tmp_path)) == count
