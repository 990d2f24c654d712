"""A service's own limit: so many requests in so many seconds, whichever of its hosts is asked."""

import re
import time
from collections import deque

from archiver.capture.wire.exchange import Exchange

_HIT = re.compile(r"\bHIT\b", re.IGNORECASE)
_CACHED = ("x-cache", "cf-cache-status", "x-cache-status", "cdn-cache")


class Quota:
    """A sliding window. Answers that the service gave from its cache are not counted.

    The service counts a request at a moment that nobody here knows, between its beginning and its end. So
    it counts from its beginning, and for so many seconds after its end.
    """

    def __init__(self, name: str, requests: int, seconds: float) -> None:
        self.name, self._most, self._seconds = name, requests, seconds
        self._on_their_way = 0
        self._ended: deque[float] = deque()  # moments, of those that still count

    def used(self, count: int) -> None:
        """So many requests were made just now by earlier runs."""
        self._ended.extend([time.monotonic()] * min(count, self._most))

    def free_at(self, now: float) -> float:
        """The moment at which the next request may be made."""
        while self._ended and self._ended[0] <= now - self._seconds:
            self._ended.popleft()
        if self._on_their_way + len(self._ended) < self._most:
            return now
        return (self._ended[0] if self._ended else now) + self._seconds

    def begins(self) -> None:
        self._on_their_way += 1

    def forgoes(self) -> None:
        self._on_their_way -= 1

    def answered(self, exchange: Exchange, now: float) -> None:
        """A request came to its end; one that cost the service nothing is given back."""
        self._on_their_way -= 1
        if not any(_HIT.search(exchange.header(name) or "") for name in _CACHED):
            self._ended.append(now)
