"""Many hosts at once, few requests per host.

Threads talk to hosts, one exchange at a time; who uses the engine submits wishes and takes finished
jobs, in one thread. Every request is scheduled at its own host: also each hop of a redirect, each
further try, and each robots.txt.
"""

import heapq
import itertools
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from archiver.capture.job import Job, Wish
from archiver.capture.manners import Manners
from archiver.capture.manners.host import Host
from archiver.capture.manners.quota import Quota
from archiver.capture.manners.retry import SLOW_DOWN, delay, retry_after
from archiver.capture.manners.robots import Rules, rules
from archiver.capture.wire.fetch import Client
from archiver.capture.wire.routes import parse_target
from archiver.errors import FetchError

MOST_RULE_BYTES = 8 << 20  # of robots.txt that are remembered; parsed they take some twenty times as much
ROBOTS_BYTES = 1 << 20  # of a longer robots.txt the beginning counts (RFC 9309 section 2.5)
LOOKAHEAD = 10_000  # wishes that wait, at most: so many hosts can be found among them
MOST_FINISHED = 32  # jobs that nobody has taken yet: then the threads wait
MOST_HOSTS = 10_000  # that are remembered while nothing is asked of them


@dataclass(frozen=True)
class HostView:
    """What is going on at one host. `seconds`: until it may be asked again, 0 for now; `why` it waits."""

    host: str
    asking: tuple[str, ...]
    waiting: int
    seconds: float
    why: str


class Engine:
    """A context manager. Wishes go in, finished jobs come out, in the order in which they finish."""

    def __init__(
        self,
        client: Client,
        manners: Manners,
        *,
        quotas: Iterable[tuple[Quota, frozenset[str]]],
        passed_on: Callable[[str], Iterable[str]],
        known: Callable[[str], Rules | None] = lambda _: None,
    ) -> None:
        """`quotas`: services that limit how often they are asked, each with the names of its hosts.

        `passed_on`: what an image proxy will be asked to fetch when a URL is asked for. `known`: the rules of
        a robots.txt that need not be asked for; called in the threads.
        """
        self.requests = self.bytes = 0
        self._resting = 0  # threads that wait for a turn to come
        self._rule_bytes = 0
        self.pending = 0  # wishes without a last word
        self._client, self._manners, self._passed_on, self._known = client, manners, passed_on, known
        self._quotas = {host: quota for quota, hosts in quotas for host in hosts}
        self._hosts: dict[str, Host] = {}
        self._most_hosts = MOST_HOSTS
        self._plan: list[tuple[float, int, Host]] = []  # when to look at a host; entries may be out of date
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._work, self._news = threading.Condition(self._lock), threading.Condition(self._lock)
        self._finished: deque[Job] = deque()
        self._closed = self._stopping = False
        self._threads = [threading.Thread(target=self._talk, daemon=True) for _ in range(manners.parallel)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._closed = True
            self._work.notify_all()
        if kind is None:  # else nobody waits for servers: the threads are daemons
            for thread in self._threads:
                thread.join()

    # --- for who uses it ------------------------------------------------------------------------

    def submit(self, wish: Wish) -> None:
        """Let a wish wait for its turn. After `stop` it is left for another run."""
        with self._lock:
            if not self._stopping:
                self.pending += 1
                self._enqueue(Job(wish))

    def take(self, seconds: float, most: int = 16) -> list[Job]:
        """Finished jobs, as soon as there is one; none after so many seconds, or when none is pending."""
        end = time.monotonic() + seconds
        with self._lock:
            while not self._finished and self.pending and (left := end - time.monotonic()) > 0:
                self._news.wait(min(left, 1))
                if not all(thread.is_alive() for thread in self._threads):
                    raise RuntimeError("a thread of the capture engine ended")
            taken = [self._finished.popleft() for _ in range(min(most, len(self._finished)))]
            self._work.notify_all()
        return taken

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for or waits, and all that was finished has been taken."""
        with self._lock:
            return not self.pending and not self._finished

    @property
    def hungry(self) -> bool:
        """Whether more wishes would help: a thread has nothing to do."""
        few = 4 * self._manners.parallel
        return self.pending < few or (self.pending < LOOKAHEAD and self._resting > 0)

    def stop(self) -> None:
        """Begin no further request; those on their way are finished."""
        with self._lock:
            self._stopping = True
            for job in [job for host in self._hosts.values() for job in host.clear()]:
                self._cut_short(job)
            self._news.notify_all()

    def hosts(self) -> list[HostView]:
        """The hosts that are asked or waited for, the busiest first."""
        now = time.monotonic()
        with self._lock:
            busy = [host for host in self._hosts.values() if host.asking or host.waiting]
            views = [self._view(host, now) for host in busy]
        return sorted(views, key=lambda view: (-len(view.asking), -view.waiting, view.host))

    # --- in any thread, under the lock ----------------------------------------------------------

    @staticmethod
    def _for_itself(job: Job) -> bool:
        """Nobody wished for a robots.txt."""
        return job.wish.purpose == "robots"

    def _view(self, host: Host, now: float) -> HostView:
        due = host.due(now, self._manners)
        seconds = max(0.0, (due or now) - now)
        why = host.why if seconds and host.free > now else ("back-off" if seconds else "")
        if host.quota and seconds and host.quota.free_at(now) > max(now, host.free):
            why = f"quota of {host.quota.name}"
        if host.asked_rules:
            why = "robots.txt"
        return HostView(host.name, tuple(host.asking), host.waiting, seconds, why)

    def _enqueue(self, job: Job, moment: float = 0.0) -> None:
        try:
            name = parse_target(job.url).authority
        except FetchError as error:
            self._refused(job, error)
            return
        host = self._hosts.get(name)
        if host is None:
            self._forget_idle_hosts()
            host = self._hosts[name] = Host(name, self._quotas.get(name))
        host.add(job, moment)
        self._schedule(host)

    def _forget_idle_hosts(self) -> None:
        if len(self._hosts) < self._most_hosts:
            return
        now = time.monotonic()
        self._hosts = {name: host for name, host in self._hosts.items() if not host.idle(now)}
        self._most_hosts = max(MOST_HOSTS, 2 * len(self._hosts))  # so that it is not looked for each time

    def _schedule(self, host: Host) -> None:
        due = host.due(time.monotonic(), self._manners)
        if due is not None and (host.planned is None or due < host.planned):
            host.planned = due
            heapq.heappush(self._plan, (due, next(self._order), host))
            self._work.notify()

    def _finish(self, job: Job) -> None:
        self._finished.append(job)
        self._news.notify()

    def _next(self) -> tuple[Host, Job, Rules] | None:
        """Wait for a request whose turn it is, and what its host says of it; None when all is over."""
        while not self._closed:
            now = time.monotonic()
            if len(self._finished) >= MOST_FINISHED:
                self._work.wait(1)
                continue
            due, _, host = self._plan[0] if self._plan else (now + 1, 0, None)
            if host is None or due > now:
                self._resting += 1
                self._work.wait(min(due - now, 1))
                self._resting -= 1
                continue
            heapq.heappop(self._plan)
            if host.planned != due:
                continue  # out of date
            host.planned = None
            real = host.due(now, self._manners)
            if real is None or real > now:
                self._schedule(host)
                continue
            taken = host.take(now)
            try:
                host.check_open(now)
            except FetchError as error:
                self._refused(taken, error)
            else:
                job, known = self._before(host, taken, now)
                host.begins(job.url)
                self._schedule(host)
                return host, job, known
            self._schedule(host)
        return None

    def _before(self, host: Host, job: Job, now: float) -> tuple[Job, Rules]:
        """The job and the rules for it, or the robots.txt that must be asked for before it."""
        target = parse_target(job.url)
        if self._manners.ignore_robots or self._for_itself(job):
            return job, Rules()
        known = host.rules.get(target.scheme)
        if known is not None and known[1] >= now:
            return job, known[0]
        host.put_back(job)
        host.asked_rules.add(target.scheme)
        self.pending += 1
        return Job(Wish(f"{target.scheme}://{target.authority}/robots.txt", "robots")), Rules()

    def _refused(self, job: Job, refusal: FetchError) -> None:
        """It is not asked, or not asked on."""
        job.refusal = refusal
        self.pending -= 1
        self._finish(job)
        if self._for_itself(job):
            self._ruled(job, Rules(error=refusal))

    def _cut_short(self, job: Job) -> None:
        """The run ends before this job: what came of it so far is kept."""
        self.pending -= 1
        if job.exchanges:
            job.refusal = FetchError("the run was stopped before its redirect was followed", "deferred")
            job.retry = 0.0
            self._finish(job)

    # --- the threads ----------------------------------------------------------------------------

    def _talk(self) -> None:
        while True:
            with self._lock:
                found = self._next()
            if found is None:
                return
            host, job, known = found
            url = job.url
            if self._for_itself(job) and not job.exchanges and (rules_held := self._known(url)):
                with self._lock:
                    host.forgoes(url)
                    self.pending -= 1
                    self._ruled(job, rules_held)
                    self._news.notify()
                continue
            try:  # out of the lock: rules and patterns of others may take long
                self._check(url, known)
            except FetchError as error:
                with self._lock:
                    host.forgoes(url)
                    self._refused(job, error)
                    self._schedule(host)
                continue
            most = ROBOTS_BYTES if self._for_itself(job) else sys.maxsize
            exchange = self._client.exchange(url, headers=job.fields, most=most)
            more = job.took(exchange, self._client.max_redirects)
            ruled = rules(job.exchanges) if self._for_itself(job) and not more else None
            with self._lock:
                host.ended(url, exchange, time.monotonic(), self._manners)
                self._took(host, job, more=more, ruled=ruled)

    def _check(self, url: str, known: Rules) -> None:
        """Raise FetchError for what robots.txt forbids, or what no proxy may be asked to fetch."""
        for inner in self._passed_on(url):
            self._client.check_asked(inner)
        known.check(url)

    def _took(self, host: Host, job: Job, *, more: bool, ruled: Rules | None) -> None:
        now, exchange = time.monotonic(), job.exchanges[-1]
        self.requests += bool(exchange.request)
        self.bytes += len(exchange.response)
        if exchange.status in SLOW_DOWN:
            host.slow_down(retry_after(exchange), now, self._manners)
        elif exchange.status is not None:
            host.relax()
        for name, quota in self._quotas.items():  # one that was given back is there for its other hosts
            if quota is host.quota and name in self._hosts:
                self._schedule(self._hosts[name])
        if not more:
            self._ended(job, ruled)
        elif self._stopping:
            self._cut_short(job)
        else:
            self._enqueue(job)
        self._schedule(host)

    def _ended(self, job: Job, ruled: Rules | None) -> None:
        job.retry = delay(job.exchanges[-1], job.attempt, self._manners)
        self._finish(job)
        if job.retry is not None and not self._stopping:
            self._enqueue(job.again(), time.monotonic() + job.retry)
            return
        self.pending -= 1
        if ruled is not None:
            self._ruled(job, ruled)

    def _ruled(self, job: Job, found: Rules) -> None:
        """A robots.txt has come, or will not."""
        target = parse_target(job.wish.url)
        host = self._hosts[target.authority]
        self._rule_bytes += found.size
        host.ruled(target.scheme, found, time.monotonic(), self._manners)
        self._schedule(host)
        if self._rule_bytes > MOST_RULE_BYTES:
            self._forget_rules()

    def _forget_rules(self) -> None:
        """The rules of hosts that nothing is asked of: they are asked for again when they are needed."""
        now = time.monotonic()
        for host in self._hosts.values():
            if host.idle(now):
                host.rules.clear()
        self._rule_bytes = sum(
            known.size for host in self._hosts.values() for known, _ in host.rules.values()
        )
