"""How hosts are treated, judged by a server's log: how far apart, what robots.txt forbids, quotas."""

import gzip
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from commands import archiver, query
from hypothesis import given
from hypothesis import strategies as st
from manners_server import (
    NO_RULES,
    Town,
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
from wire_server import Step, endless

from archiver.addresses import Proxies
from archiver.capture.job import Wish
from archiver.capture.manners import MOST_DELAY, Manners
from archiver.capture.manners.quota import Quota
from archiver.capture.manners.robots import READ_BYTES, Rules, rules
from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import Client
from archiver.config import load
from archiver.errors import FetchError

PAGES = [f"http://a.example/{number}" for number in range(4)]
WHOLE_DAYS = 86_400


def allowed(robots: str | bytes | Iterable[Step], *paths: str) -> list[bool]:
    """Which paths of a host with this robots.txt are asked for, as its log shows."""
    steps = [reply(robots)] if isinstance(robots, (str, bytes)) else robots
    urls = [f"http://a.example{path}" for path in paths]
    with Town(robots={"a.example": steps}) as town:
        words = ask(town, urls)
        seen = town.urls()
    assert {url for url, job in words.items() if stage(job) is None} == {*seen} - {
        "http://a.example/robots.txt"
    }
    assert {stage(job) for job in words.values()} <= {None, "robots", "response", "connect", "body"}
    return [url in seen for url in urls]


# --- how far apart --------------------------------------------------------------------------------


def test_public_hosts_are_left_alone_for_a_second() -> None:
    with Town() as town, running(town.as_proxy, Manners()) as engine:
        finished(engine, [*PAGES[:2], "http://b.example/"])
        assert min(town.gaps("a.example")) >= 1
        assert town.of("b.example")[1].began - town.of("a.example")[1].began < 1  # side by side


@pytest.mark.slow
def test_slow_hosts_are_left_alone_for_longer() -> None:
    with Town(lambda _: [0.8, reply("here")]) as town, running(town.as_proxy, Manners()) as engine:
        finished(engine, PAGES[:2])
        assert town.gaps("a.example")[1] >= 1.6
    pauses = [Manners().pause(seconds, spared=False) for seconds in (0.0, 0.4, 2.0, 14.0, 100.0)]
    assert pauses == [1, 1, 4, 28, MOST_DELAY]


def test_own_hosts_are_not_waited_for() -> None:
    with Town() as town:
        ask(town, PAGES)
        assert max(town.gaps("a.example")) < 0.5


def test_delay_that_the_person_wants() -> None:
    """On every host, one's own, too; and none at all where it is 0."""
    with Town() as town:
        ask(town, PAGES[:3], Manners(delay=0.3))
        assert min(town.gaps("a.example")) >= 0.3
    with Town() as town, running(town.as_proxy, Manners(delay=0)) as engine:
        finished(engine, PAGES)
        assert max(town.gaps("a.example")) < 0.5


@pytest.mark.parametrize("manners", [Manners(per_host=3, parallel=8), Manners(delay=0.1), Manners(delay=0)])
def test_crawl_delay(manners: Manners) -> None:
    """A minimum on every host, from the answer with robots.txt on; then also one request at a time."""
    robots = {"a.example": [reply("User-agent: *\nCrawl-delay: 0.4")]}
    with Town(robots=robots) as town:
        ask(town, [*PAGES[:3], "http://b.example/"], manners)
        assert min(town.gaps("a.example")) >= 0.4
        assert max(town.gaps("a.example")) < 1
        assert most_at_once(town.of("a.example")) == 1
        assert max(town.gaps("b.example")) < 0.3


@pytest.mark.parametrize("written", ["nan", "inf", "-1", "-inf", "0", "", "soon", "1e400", "0x10"])
def test_crawl_delays_that_mean_nothing(written: str) -> None:
    with Town(robots={"a.example": [reply(f"User-agent: *\nCrawl-delay: {written}")]}) as town:
        ask(town, PAGES)
        assert len(town.urls()) == 5
        assert max(town.gaps("a.example")) < 0.5


def test_huge_crawl_delay_is_kept_up_to_the_patience() -> None:
    with Town(robots={"a.example": [reply("User-agent: *\nCrawl-delay: 1e300")]}) as town:
        ask(town, PAGES[:2], Manners(patience=0.4))
        assert 0.4 <= min(town.gaps("a.example")) <= max(town.gaps("a.example")) < 1


# --- robots.txt: what it says ---------------------------------------------------------------------

OURS = "User-agent: newsarchiver\nDisallow: /ours\n\nUser-agent: *\nDisallow: /all\n"


@pytest.mark.parametrize(
    ("robots", "asked"),
    [
        ("", [True, True, True]),
        ("User-agent: *\nDisallow:", [True, True, True]),
        ("User-agent: *\nDisallow: /", [False, False, False]),
        ("User-agent: *\nDisallow: /all", [True, False, True]),
        ("user-AGENT : *\r\ndisALLOW : /all", [True, False, True]),
        ("\ufeffUser-agent: *\nDisallow: /all", [True, False, True]),  # a byte order mark is no name
        ("User-agent: *\rDisallow: /all", [True, False, True]),
        (OURS, [False, True, True]),  # the group with our name stands for itself
        (OURS.replace("newsarchiver", "NewsArchiver/0.1 # us"), [False, True, True]),
        (OURS.replace("newsarchiver", "news"), [True, False, True]),  # another crawler's token
        (OURS.replace("newsarchiver", "newsarchiver-news"), [True, False, True]),
        (OURS.replace("newsarchiver", "a\nUser-agent: newsarchiver\nUser-agent: b"), [False, True, True]),
        (OURS + "User-agent: newsarchiver\nDisallow: /deep", [False, True, False]),  # groups add up
        ("User-agent: newsarchiver\nUser-agent: *\nDisallow: /all", [True, False, True]),
        ("User-agent: other\nDisallow: /", [True, True, True]),
        ("User-agent: *\nDisallow: /\nAllow: /ours", [True, False, False]),  # the longest match
        ("User-agent: *\nAllow: /\nDisallow: /ours/and", [True, True, True]),
        ("User-agent: *\nDisallow: /ours\nAllow: /ours", [True, True, True]),  # of equals, allow
        ("User-agent: *\nDisallow: /*er/page$", [True, True, False]),
        ("User-agent: *\nDisallow: /%61ll", [True, False, True]),
        ("Disallow: /\n<html>not found</html>", [True, True, True]),
        ("User-agent: *\nSitemap: http://a.example/s\nDisallow: /all", [True, False, True]),
    ],
)
def test_what_robots_says(robots: str, asked: list[bool]) -> None:
    """RFC 9309 sections 2.2.1 to 2.2.3."""
    assert allowed(robots, "/ours", "/all/1", "/deeper/page") == asked


ALL = reply("User-agent: *\nDisallow: /")
BEGINNING = b"User-agent: *\nDisallow: /all\n"


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        ([NO_RULES], True),
        ([reply("User-agent: *\nDisallow: /", "403 Forbidden")], True),
        ([reply("", "401 Unauthorized")], True),
        ([reply("", "410 Gone")], True),
        ([reply("", "429 Too Many Requests")], True),
        ([reply("", "500 Internal Server Error")], False),
        ([reply("", "503 Service Unavailable")], False),
        ([reply("", "599 Whatever")], False),
        (["reset"], False),
        (["drop"], False),
        ([b"SSH-2.0-OpenSSH_9\r\n"], False),
        ([reply(bytes(range(256)) * 40)], True),
        ([reply(b"\xff\xfeU\0s\0e\0r\0")], True),
        ([reply(b"\x1f\x8b broken", "200 OK", "Content-Encoding: gzip")], True),
        ([reply(BEGINNING, "200 OK", "Content-Encoding: br")], True),
        ([reply(gzip.compress(BEGINNING, mtime=0), "200 OK", "Content-Encoding: gzip")], False),
        ([reply(BEGINNING + b"#" * 5_000_000)], False),
        ([reply(b"#" * (READ_BYTES + 1) + b"\n" + BEGINNING)], True),
        (
            [
                reply(
                    gzip.compress(BEGINNING + bytes(60_000_000), mtime=0),
                    "200 OK",
                    "Content-Encoding: gzip",
                )
            ],
            False,
        ),
        ([reply(BEGINNING)[:-1], "drop"], False),  # what came of it counts
    ],
)
def test_what_the_answer_to_robots_means(steps: list[Step], asked: bool) -> None:
    """RFC 9309 section 2.3.1: 4xx allows all, 5xx and silence nothing; of much, the beginning counts."""
    assert allowed(steps, "/all") == [asked]


@pytest.mark.slow
def test_robots_that_does_not_come() -> None:
    began = time.monotonic()
    with Town(robots={"a.example": ["hold"]}) as town, running(town.network, Manners(retries=0)) as engine:
        words = last_words(finished(engine, [*PAGES, "http://b.example/"]))
        assert town.urls("a.example") == ["http://a.example/robots.txt"]
    assert 4 <= time.monotonic() - began < 8
    assert {stage(words[url]) for url in PAGES} == {"response"}
    assert "robots.txt" in str(words[PAGES[0]].refusal)
    assert stage(words["http://b.example/"]) is None


def test_endless_robots() -> None:
    """It is cut at the limit of every answer, and its beginning counts."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (65536, b"#" * 65535 + b"\n")
    steps = endless(chunk, head + b"1d\r\n" + BEGINNING + b"\r\n")
    with Town(robots=lambda _: steps()) as town:
        with running(town.network, Manners(retries=0)) as engine:
            words = last_words(finished(engine, ["http://a.example/all", "http://a.example/other"]))
        assert town.urls() == ["http://a.example/robots.txt", "http://a.example/other"]
        assert stage(words["http://a.example/all"]) == "robots"


def test_robots_elsewhere() -> None:
    """Redirects are followed, to other hosts, too; the rules are for the host that was asked first."""
    robots = {
        "a.example": [moved("http://b.example/rules")],
        "c.example": [moved("/rules")],
        "d.example": [moved("http://gone.example/robots.txt")],
        "e.example": [moved("http://10.0.0.1:1/robots.txt")],
    }
    rules_of = reply("User-agent: *\nDisallow: /1")
    with Town(lambda visit: [rules_of if visit.path == "/rules" else reply("here")], robots) as town:
        words = ask(town, [f"http://{host}.example/{number}" for host in "abcd" for number in (1, 2)])
        assert {url for url, job in words.items() if stage(job)} == {
            "http://a.example/1",
            "http://c.example/1",
        }
        assert not set(town.urls()) & {"http://a.example/1", "http://c.example/1"}
        assert "http://b.example/1" in town.urls()
        assert town.urls("gone.example") == ["http://gone.example/robots.txt"]


# --- robots.txt: hostile --------------------------------------------------------------------------

LONG = "http://a.example/" + "a" * 8000


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"User-agent: a{n}\n" for n in range(16_000))
        + "".join(f"Allow: /{n}\n" for n in range(14_000)),
        "".join(f"user\x85agent a{n}\n" for n in range(9_000))
        + "".join(f"Allow: /{n}\n" for n in range(9_000)),
        "".join(f"User-agent: {n}*{n}\n" for n in range(9_000))
        + "".join(f"Allow: /{n}\n" for n in range(9_000)),
        "User-agent: *\n" + "".join(f"Disallow: /rule/{n}\n" for n in range(25_000)),
        "User-agent: *\n" + "".join(f"Disallow: /*b{n}\n" for n in range(25_000)),
        "User-agent: *\nDisallow: /" + "*a" * 250_000 + "b",
        "User-agent: *\nDisallow: /" + "$" * 500_000,
        "User-agent: *\nDisallow: /" + "%" * 500_000,
        "\n" * READ_BYTES,
        "User-agent: *\n" + "Disallow: /%zz$\n" * 30_000,
        "User-agent " * 45_000,
        ": " * 250_000,
    ],
    ids=range(12),
)
def test_hostile_robots_take_little_time(text: str) -> None:
    """Without the groups of others put together, the first takes Protego an hour."""
    exchange = captured(text.encode())
    began = time.process_time()
    found = rules([exchange])
    found.check(LONG)
    assert found.crawl_delay == 0
    assert time.process_time() - began < 3


def captured(body: bytes) -> Exchange:
    with Town(robots={"a.example": [reply(body)]}) as town, Client(town.network) as client:
        return client.exchange("http://a.example/robots.txt")


@pytest.fixture(scope="module")
def template() -> Exchange:
    return captured(b"")


@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    "User-agent: *",
                    "Allow: /a$",
                    "Disallow: /*%",
                    "crawl-delay: 1_0",
                    "user agent",
                    ":",
                    "\x00",
                ]
            )
        ).map(lambda lines: "\n".join(lines).encode()),
    ),
    path=st.text(max_size=20),
)
def test_any_robots_ends_in_rules(template: Exchange, body: bytes, path: str) -> None:
    template.response = template.response[: template.body_offset] + body
    found = rules([template])
    assert found.crawl_delay >= 0
    for url in ("http://a.example/", f"http://a.example/{path}"):
        with suppress(FetchError):
            found.check(url)


def test_rules_hold_for_a_while() -> None:
    assert Rules().seconds == WHOLE_DAYS
    assert Rules(why="down").seconds == Rules(error=FetchError("gone", "connect")).seconds == 600


# --- robots.txt: when it is asked -----------------------------------------------------------------


def test_robots_is_asked_once_for_each_origin() -> None:
    """Another port is another host; it comes before anything else."""
    urls = [f"http://{host}/{number}" for host in ("a.example", "a.example:8080") for number in range(5)]
    with Town() as town:
        ask(town, urls, Manners(parallel=8, per_host=4))
        for host in ("a.example", "a.example:8080"):
            assert town.urls(host)[0] == f"http://{host}/robots.txt"
            assert town.gaps(host)[0] >= 0
        assert len(town.urls()) == 12


def test_http_and_https_have_rules_of_their_own() -> None:
    """There is no TLS here: what cannot be asked for over https is not asked for over http instead."""
    with Town() as town:
        words = ask(town, ["http://a.example/", "https://a.example/"], Manners(retries=0))
        assert stage(words["http://a.example/"]) is None
        assert stage(words["https://a.example/"]) == "tls"
        assert "robots.txt" in str(words["https://a.example/"].refusal)


def test_forbidden_hops_are_not_asked() -> None:
    answers = {"/go": [moved("http://b.example/private")]}
    with Town(lambda v: answers.get(v.path, [reply("here")]), {"b.example": [ALL]}) as town:
        job = ask(town, ["http://a.example/go"])["http://a.example/go"]
        assert stage(job) == "robots"
        assert [exchange.url for exchange in job.exchanges] == ["http://a.example/go"]
        assert town.urls("b.example") == ["http://b.example/robots.txt"]


# --- by the command -------------------------------------------------------------------------------

PAGE = reply(
    "<html><head><title>x</title></head><body><article><h1>x</h1><p>text text text</p>"
    '<img src="/private/a.png"><img src="http://b.example/moved.png"></article></body></html>'
).replace(b"text/plain", b"text/html")


def test_the_command_and_robots(tmp_path: Path) -> None:
    answers = {"/page": [PAGE], "/moved.png": [moved("http://a.example/private/b.png")]}
    robots = {"a.example": [reply("User-agent: *\nDisallow: /private")], "c.example": [ALL]}
    root = tmp_path / "archive"
    with Town(lambda visit: answers.get(visit.path, [NO_RULES]), robots) as town:
        command = ["archive", "http://a.example/page", "http://c.example/page", "--into", str(root), "--json"]
        command += ["--connect-to", f"::127.0.0.1:{town.port}"]
        code, rows, _ = archiver(*command)
        assert code == 3
        assert rows[-1]["fetches"] == {"captured": 1, "robots": 3}
        assert not [url for url in town.urls() if "private" in url or url == "http://c.example/page"]
        skipped = query(
            root, "SELECT url, outcome, stage, status FROM fetches WHERE stage = 'robots' ORDER BY url"
        )
        assert skipped == [
            ("http://a.example/private/a.png", "skipped", "robots", None),
            ("http://b.example/moved.png", "skipped", "robots", 302),
            ("http://c.example/page", "skipped", "robots", None),
        ]
        assert query(root, "SELECT count(*) FROM fetches WHERE purpose = 'robots'") == [(3,)]
        recorded = query(root, "SELECT uri FROM records WHERE type = 'response' AND uri LIKE '%/robots.txt'")
        assert len(recorded) == 3
        assert query(root, "SELECT robots FROM runs") == [("obey",)]

        before = len(town.visits)
        for unfit in ("", "\n", "two\r\nlines: x", "x" * 501):
            assert archiver(*command, "--ignore-robots", unfit)[0] == 2
        _, rows, _ = archiver(*command, "--ignore-robots", " 渡轮: the publisher allowed it ")
        asked = town.urls()[before:]
        assert not [url for url in asked if url.endswith("/robots.txt")]
        assert {"http://a.example/private/a.png", "http://a.example/private/b.png"} <= set(asked)
        assert "robots" not in rows[-1]["fetches"]
        newest = max((root / "warcs").glob("*.warc.gz"), key=lambda path: path.stat().st_mtime_ns)
        info = gzip.decompress(newest.read_bytes()).split(b"\r\n\r\n")[1].decode()
        assert "robots: ignore\r\n" in info
        assert "robots-reason: 渡轮: the publisher allowed it\r\n" in info
        assert query(root, "SELECT robots FROM runs ORDER BY id")[1] == ("渡轮: the publisher allowed it",)
        assert archiver("verify", str(root))[0] == 0


# --- quotas ---------------------------------------------------------------------------------------


def windows(moments: list[float], seconds: float) -> int:
    """How many moments lie in one window, at most."""
    return max(sum(first <= moment < first + seconds for moment in moments) for first in moments)


def test_quota_over_the_hosts_of_a_service() -> None:
    quota = Quota("small", 5, 1.0)
    urls = [f"http://{host}.example/{number}" for number in range(9) for host in "ab"]
    hosts = frozenset({"a.example", "b.example"})
    with Town() as town, running(town.network, Manners(), [(quota, hosts)]) as engine:
        finished(engine, [*urls, "http://c.example/"])
        moments = sorted(visit.began for visit in town.visits if visit.host != "c.example")
        assert windows(moments, 1.0) == 5
        assert len(moments) == 20
        assert 3 <= moments[-1] - moments[0] < 6
        assert town.of("c.example")[-1].began - moments[0] < 1


def test_rules_elsewhere_count_in_a_quota() -> None:
    """Also those of another host that leads there."""
    robots = {"a.example": [moved("/1")], "b.example": [moved("http://a.example/2")]}
    quota = [(Quota("small", 1, 0.5), frozenset({"a.example"}))]
    with Town(robots=robots) as town, running(town.network, Manners(), quota) as engine:
        finished(engine, ["http://a.example/", "http://b.example/"])
        assert len(town.of("a.example")) == 4
        assert min(town.gaps("a.example")) >= 0.5


def test_cached_answers_are_not_counted() -> None:
    def answer(visit: object) -> list[Step]:
        return [
            reply("here", "200 OK", "X-Cache: MISS" if next(turns) % 3 == 0 else "x-cache: HIT from edge")
        ]

    turns = iter(range(100))
    with Town(answer) as town:
        quota = [(Quota("small", 5, 1.0), frozenset({"a.example"}))]
        with running(town.network, Manners(ignore_robots="a test"), quota) as engine:
            jobs = finished(engine, [f"http://a.example/{number}" for number in range(30)])
        uncached = [
            visit.began
            for visit in town.visits
            for job in jobs
            if job.wish.url == visit.url and job.exchanges[0].header("x-cache") == "MISS"
        ]
        assert len(uncached) == 10
        assert windows(uncached, 1.0) <= 5
        assert town.visits[-1].began - town.visits[0].began < 3  # 30 in six windows took longer


def test_what_a_quota_waits_for_is_said() -> None:
    quota = Quota("small", 2, 60)
    with Town() as town, running(town.network, Manners(), [(quota, frozenset({"a.example"}))]) as engine:
        for url in PAGES:
            engine.submit(Wish(url, "page"))
        while len(town.visits) < 2 or not engine.hosts() or engine.hosts()[0].asking:
            jobs_left(engine, [])
        (view,) = engine.hosts()
        assert (view.host, view.waiting, view.why) == ("a.example", 3, "quota of small")
        assert 50 < view.seconds <= 60
        engine.stop()


def test_known_quotas() -> None:
    """weserv: 2,500 uncached pictures in 10 minutes (its documentation, "Fair use")."""
    known = {rule.name: quota for rule, quota in Proxies((), ()).quotas()}
    assert known["weserv"] == (2500, 600)


@pytest.mark.slow
def test_a_quota_in_the_settings_holds_between_runs(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    root.mkdir()
    (root / "archiver.toml").write_text(
        '[[proxies]]\nname = "small"\nhosts = ["p.example", "q.example"]\ntemplate = "http://p.example/?u=${href_ue}"\n'
        "quota = [5, 6.0]\n"
    )
    assert load(root).proxies
    with Town() as town:
        for run in range(2):
            urls = [f"http://{host}.example/{run}-{number}" for number in range(2) for host in "pq"]
            code, _, text = archiver(
                "archive", *urls, "--into", str(root), "--connect-to", f"::127.0.0.1:{town.port}"
            )
            assert code == 3, text  # what is plain text is kept, and is no article
        moments = sorted(visit.began for visit in town.visits)
        assert len(moments) == 10  # the second run asks for no robots.txt
        assert windows(moments, 6.0) <= 5
        assert all(later >= earlier for earlier, later in pairwise(moments))
