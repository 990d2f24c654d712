"""One host: what waits for it, when it may be asked next, and what it said about being asked."""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field

from archiver.capture.job import Job
from archiver.capture.manners import Manners
from archiver.capture.manners.quota import Quota
from archiver.capture.manners.robots import Rules
from archiver.capture.wire.exchange import Exchange
from archiver.errors import FetchError

STRIKES = 5  # requests in a row that got no answer: then nobody is at home
DEAD_SECONDS = 600.0
REFUSALS = 8  # answers in a row that ask to be left alone
CLOSED_SECONDS = 3600.0  # that it then is
AT_ONCE = 4  # requests, where a quota says what the host can bear
MOST_DOUBLED = 8  # times that a host's back-off doubles
_UNREACHED = ("dns", "connect", "tls", "proxy")
_ORDER = itertools.count()


@dataclass
class Host:
    """Its moments are of the monotonic clock. Not for several threads: the engine locks."""

    name: str  # as in a URL's authority
    quota: Quota | None = None
    asking: list[str] = field(default_factory=list)  # URLs on their way
    free: float = 0.0  # no request before
    why: str = ""  # what `free` comes from
    own: bool = False  # on one's own machine or network
    rules: dict[str, tuple[Rules, float]] = field(default_factory=dict)  # by scheme; until when they hold
    asked_rules: set[str] = field(default_factory=set)  # schemes whose robots.txt is on its way
    closed: FetchError | None = None  # why nothing is asked for now
    reopens: float = 0.0
    planned: float | None = None  # when the engine looks at it next
    _ready: deque[Job] = field(default_factory=deque)
    _later: list[tuple[float, int, Job]] = field(default_factory=list)  # heaps by moment
    _urgent: list[tuple[float, int, Job]] = field(default_factory=list)  # robots.txt: goes before all others
    _strikes: float = 0.0
    _slowed: int = 0
    _refusals: int = 0  # 429 and 503 in a row

    def idle(self, now: float) -> bool:
        """Whether it may be forgotten: nothing is asked of it, and it does not ask for anything."""
        return not (self.waiting or self.asking or self.asked_rules) and now > max(self.free, self.reopens)

    @property
    def waiting(self) -> int:
        return len(self._urgent) + len(self._ready) + len(self._later)

    def add(self, job: Job, moment: float = 0.0) -> None:
        """Let a job wait, until `moment` if there is one."""
        if job.wish.purpose == "robots":
            heapq.heappush(self._urgent, (moment, next(_ORDER), job))
        elif moment:
            heapq.heappush(self._later, (moment, next(_ORDER), job))
        elif job.exchanges:
            self._ready.appendleft(job)  # what was begun comes first
        else:
            self._ready.append(job)

    def put_back(self, job: Job) -> None:
        """Let a job wait that was taken too early."""
        self._ready.appendleft(job)

    def due(self, now: float, manners: Manners) -> float | None:
        """When its next job may begin; None while none can."""
        if not self.waiting or len(self.asking) >= self._at_once(manners):
            return None
        if self.asked_rules and not self._urgent:
            return None
        if self.closed and now < self.reopens:
            return now
        queue = self._urgent or ([] if self._ready else self._later)
        moment = queue[0][0] if queue else now
        return max(now, moment, self.free, self.quota.free_at(now) if self.quota else now)

    def _at_once(self, manners: Manners) -> int:
        if self._crawl_delay(manners):
            return 1
        return manners.per_host if self.quota is None else max(manners.per_host, AT_ONCE)

    def take(self, now: float) -> Job:
        """The job whose turn it is."""
        if self._urgent:
            return heapq.heappop(self._urgent)[2]
        if self._later and (self._later[0][0] <= now or not self._ready):
            return heapq.heappop(self._later)[2]
        return self._ready.popleft()

    def begins(self, url: str) -> None:
        self.asking.append(url)
        if self.quota:
            self.quota.begins()

    def forgoes(self, url: str) -> None:
        """What was to begin is not asked for after all."""
        self.asking.remove(url)
        if self.quota:
            self.quota.forgoes()

    def ended(self, url: str, exchange: Exchange, now: float, manners: Manners) -> None:
        """A request came to its end: find out when the next may begin, and whether anybody is there."""
        self.asking.remove(url)
        if exchange.peer is not None:
            self.own = exchange.private
        if self.quota:
            self.quota.answered(exchange, now)
        spared = self.quota is not None or self.own
        self.wait(now + manners.pause(exchange.seconds, spared=spared), "politeness")
        self.wait(now + self._crawl_delay(manners), "crawl-delay")
        strike = _strike(exchange)
        self._strikes = self._strikes + strike if strike else 0.0
        if self._strikes >= STRIKES:
            why = f"{self._strikes / strike:.0f} requests in a row got no whole answer: {exchange.error}"
            self.close(why, "dead", now + DEAD_SECONDS)

    def ruled(self, scheme: str, rules: Rules, now: float, manners: Manners) -> None:
        """Its robots.txt has come, or will not: then what it said before holds (RFC 9309 section 2.4)."""
        before = self.rules.get(scheme)
        if before is not None and before[0].parsed is not None and (rules.error or rules.why):
            self.rules[scheme] = (before[0], now + rules.seconds)
        else:
            self.rules[scheme] = (rules, now + rules.seconds)
        self.asked_rules.discard(scheme)
        self.wait(now + self._crawl_delay(manners), "crawl-delay")

    def _crawl_delay(self, manners: Manners) -> float:
        longest = max((rules.crawl_delay for rules, _ in self.rules.values()), default=0.0)
        return min(longest, manners.patience)

    def slow_down(self, asked: float | None, now: float, manners: Manners) -> None:
        """It answered 429 or 503: everything that waits for it waits longer, as it asks or ever longer."""
        self._refusals += 1
        if self._refusals >= REFUSALS:
            why = f"{self._refusals} times in a row it asked to be left alone: left for the next run"
            self.close(why, "deferred", now + CLOSED_SECONDS)
        elif asked is None:
            self.wait(now + min(manners.backoff * 2**self._slowed, manners.patience), "back-off")
            self._slowed = min(self._slowed + 1, MOST_DOUBLED)
        elif asked > manners.patience:
            self.close(f"it asks to wait {asked:.0f} s: left for the next run", "deferred", now + asked)
        else:
            self.wait(now + asked, "Retry-After")

    def relax(self) -> None:
        self._slowed = self._refusals = 0

    def wait(self, moment: float, why: str) -> None:
        if moment > self.free:
            self.free, self.why = moment, why

    def check_open(self, now: float) -> None:
        """Raise the FetchError for which nothing is asked for now."""
        if self.closed is not None and now < self.reopens:
            raise FetchError(str(self.closed), self.closed.stage)
        self.closed = None

    def close(self, why: str, stage: str, until: float) -> None:
        self.closed, self.reopens = FetchError(why, stage), until
        self._strikes = 0.0
        self._refusals = 0

    def clear(self) -> list[Job]:
        """Forget all that waits; return it."""
        everything = [*self._ready, *(job for _, _, job in [*self._urgent, *self._later])]
        self._ready.clear()
        self._urgent.clear()
        self._later.clear()
        self.asked_rules.clear()
        return everything


def _strike(exchange: Exchange) -> float:
    """How much an exchange speaks for nobody being there: a quarter where an answer took too long."""
    stage = exchange.error.stage if exchange.error else ""
    if stage in _UNREACHED or (stage == "response" and not exchange.response):
        return 1.0
    return 0.25 if exchange.truncated == "time" else 0.0
