"""Many hosts on one port of loopback, a log of when each request began and ended, and an engine to ask."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from wire_server import Asked, Step, WireServer

from archiver.capture.engine import Engine
from archiver.capture.job import Job, Wish
from archiver.capture.manners import Manners
from archiver.capture.manners.quota import Quota
from archiver.capture.wire.fetch import Client, Network


@dataclass
class Visit:
    """One request, as the server saw it. Moments are of the monotonic clock."""

    url: str
    connection: int
    began: float
    ended: float = 0.0  # just before the last of the answer was sent
    number: int = 0  # the how-manieth request for this URL, from 0

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


Answers = Callable[[Visit], Iterable[Step]]
Robots = Mapping[str, Iterable[Step]]


def reply(body: str | bytes, status: str = "200 OK", *fields: str) -> bytes:
    data = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Content-Type: text/plain", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + data


def _by_host(robots: Robots) -> Answers:
    return lambda visit: robots.get(visit.host, [NO_RULES])


NO_RULES = reply("", "404 Not Found")


def moved(url: str) -> bytes:
    return reply("", "302 Found", f"Location: {url}")


def most_at_once(visits: Sequence[Visit]) -> int:
    """How many requests were being answered at one moment, at most."""
    changes = [(visit.began, 1) for visit in visits]
    changes += [(visit.ended, -1) for visit in visits]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


class Town(WireServer):
    """A context manager. Also answers as a forwarding proxy: then nobody knows where the hosts are.

    `robots`: by host, what is answered to /robots.txt; 404 where nothing is said.
    """

    def __init__(self, answers: Answers | None = None, robots: Robots | Answers | None = None) -> None:
        super().__init__(self._steps)
        self._answers = answers or (lambda _: [reply("here")])
        self._robots = robots if callable(robots) else _by_host(robots or {})
        self.visits: list[Visit] = []
        self._counts: Counter[str] = Counter()

    def _steps(self, asked: Asked) -> Iterator[Step]:
        fields = asked.head.decode("latin-1").split("\r\n")
        host = next(line[5:].strip() for line in fields if line.lower().startswith("host:"))
        url = asked.path if asked.path.startswith("http") else f"http://{host}{asked.path}"
        began = time.monotonic()
        visit = Visit(url, asked.connection, began, number=self._counts[url])
        self._counts[url] += 1
        self.visits.append(visit)
        for step in self._robots(visit) if visit.path == "/robots.txt" else self._answers(visit):
            visit.ended = time.monotonic()
            yield step

    @property
    def network(self) -> Network:
        """On this machine, so nobody is spared for politeness."""
        return Network(connect_to=(f"::127.0.0.1:{self.port}",), connect_seconds=1, first_byte_seconds=4)

    @property
    def as_proxy(self) -> Network:
        """The hosts may be anywhere, so they are treated as public ones."""
        return Network(proxy=f"http://127.0.0.1:{self.port}", first_byte_seconds=4)

    def urls(self, host: str | None = None) -> list[str]:
        return [visit.url for visit in self.visits if host in (None, visit.host)]

    def of(self, host: str) -> list[Visit]:
        return [visit for visit in self.visits if visit.host == host]

    def gaps(self, host: str) -> list[float]:
        """Seconds from the end of each request to the beginning of the next."""
        return [later.began - earlier.ended for earlier, later in pairwise(self.of(host))]


@contextmanager
def running(
    network: Network, manners: Manners, quotas: Sequence[tuple[Quota, frozenset[str]]] = ()
) -> Iterator[Engine]:
    with Client(network) as client, Engine(client, manners, quotas=quotas, passed_on=lambda _: ()) as engine:
        yield engine


def finished(engine: Engine, urls: Iterable[str] = (), seconds: float = 60) -> list[Job]:
    """Ask for all of these pages, and return what came, in the order in which it came."""
    for url in urls:
        engine.submit(Wish(url, "page"))
    jobs: list[Job] = []
    end = time.monotonic() + seconds
    while jobs_left(engine, jobs) or engine.pending:
        assert time.monotonic() < end, f"{engine.pending} wishes have no last word"
    return jobs


def jobs_left(engine: Engine, jobs: list[Job]) -> bool:
    taken = engine.take(0.2)
    for job in taken:
        for exchange in job.exchanges:
            exchange.release()
    jobs += taken
    return bool(taken)


def ask(town: Town, urls: Iterable[str], manners: Manners | None = None) -> dict[str, Job]:
    """The last words on these pages of a town that is one's own; a fast back-off."""
    with running(town.network, manners or Manners(backoff=0.01)) as engine:
        return last_words(finished(engine, urls))


def last_words(jobs: Iterable[Job]) -> dict[str, Job]:
    """By URL; each must have exactly one."""
    words: dict[str, Job] = {}
    for job in jobs:
        if job.retry is None and job.wish.purpose != "robots":
            assert job.wish.url not in words
            words[job.wish.url] = job
    return words


def stage(job: Job) -> str | None:
    return job.refusal.stage if job.refusal else None
