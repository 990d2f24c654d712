"""What a host's robots.txt allows (RFC 9309), read by protego from what was captured, now or before."""

import re
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from protego import Protego

from archiver.capture.manners.retry import AGAIN
from archiver.capture.wire.exchange import Exchange
from archiver.errors import FetchError, RecordError
from archiver.index.memory import Memory
from archiver.warc.http import decoded

PRODUCT = "newsarchiver"  # the product token that rules may name (section 2.2.1)
READ_BYTES = 500 << 10  # section 2.5: at least so much is read; of more, the beginning counts
MATCHED = 4096  # characters of a URL that are held against patterns
FRESH_SECONDS = 24 * 3600  # section 2.4
OTHERS = "others"  # stands for every other crawler
AGAIN_SECONDS = 600  # after a robots.txt that could not be had

_TOKEN = re.compile(r"[A-Za-z_-]++")


@dataclass(frozen=True)
class Rules:
    """What one origin allows. `error`: no answer came; `why`: all is forbidden, and for what reason."""

    parsed: Protego | None = None
    why: str = ""
    error: FetchError | None = None
    size: int = 0  # characters that they were made from
    asked: str = ""  # when, where an earlier run asked: RFC 3339
    age: float = 0.0  # seconds since then

    def check(self, url: str) -> None:
        """Raise FetchError for a URL that may not be asked for; its stage is robots, or what failed."""
        if self.error is not None:
            raise FetchError(f"its robots.txt could not be asked for: {self.error}", self.error.stage)
        if self.why:
            raise FetchError(self.why, "robots")
        if self.parsed is not None and not self.parsed.can_fetch(url[:MATCHED], PRODUCT):
            of_then = f" of {self.asked}" if self.asked else ""
            raise FetchError(f"its robots.txt{of_then} forbids it", "robots")

    @property
    def crawl_delay(self) -> float:
        """Seconds between two requests; 0 where the rules name none. Not in RFC 9309, but widely obeyed."""
        return (self.parsed and self.parsed.crawl_delay(PRODUCT)) or 0.0

    @property
    def seconds(self) -> float:
        """How long they hold."""
        return AGAIN_SECONDS if self.error or self.why else FRESH_SECONDS - self.age


def rules(hops: list[Exchange]) -> Rules:
    """What the answer to /robots.txt means (section 2.3.1): 4xx and too many redirects allow all."""
    last = hops[-1]
    if last.error is not None and last.error.stage == "redirect":
        return Rules()
    if last.status is None:
        return Rules(error=last.error or FetchError("no answer that is HTTP", "response"))
    if last.status >= 500:
        return Rules(why=f"its robots.txt answered with status {last.status}, so nothing may be asked for")
    if not 200 <= last.status < 300:
        return Rules()
    return _parsed(_beginning(last.entity_body(), last.header("content-encoding")))


def _parsed(text: bytes, asked: str = "", age: float = 0.0) -> Rules:
    named = _named(text[:READ_BYTES].decode("utf-8-sig", "replace"))
    return Rules(Protego.parse(named), size=len(named), asked=asked, age=age)


class Known:
    """The rules that the archive holds: what was asked for in the last 24 hours is not asked for again.

    For several threads; `memory` is for this alone. A context manager: afterwards it knows nothing, and asks
    nothing of `memory`, also in threads that have not ended.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory: Memory | None = memory
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._memory = None

    def rules(self, url: str) -> Rules | None:
        """Those of a robots.txt; None where it has to be asked for, as after any failure."""
        try:
            with self._lock:
                found = self._memory.robots(url, 8 * READ_BYTES) if self._memory else None
            if found is None or found.status >= 500 or found.status in AGAIN:
                return None
            age = (datetime.now(UTC) - datetime.fromisoformat(found.asked).astimezone(UTC)).total_seconds()
            if not 0 <= age < FRESH_SECONDS:  # or by a clock that ran ahead
                return None
            if found.status >= 400:
                return Rules(asked=found.asked, age=age)
            return _parsed(found.data, found.asked, age) if 200 <= found.status < 300 else None
        except (RecordError, sqlite3.DatabaseError, ValueError, OverflowError):
            return None


def _beginning(body: bytes, coding: str | None) -> bytes:
    """What can be decoded of a body; of one that unfolds to very much, the first part."""
    size = READ_BYTES
    while size:
        try:
            return decoded(body[:size], coding, 8 * READ_BYTES)
        except RecordError:
            size //= 16
    return b""


def _named(text: str) -> str:
    """With each group under one of three names, so that Protego finds the groups that are ours.

    It takes a name that ours begins with for ours, and does not know the token in a name with a version
    (section 2.2.1). Its time grows with names times rules: of a hostile file, to hours.
    """
    return "\n".join(_with_short_name(line.partition("#")[0]) for line in text.splitlines())


def _with_short_name(line: str) -> str:
    words = line.replace(":", " ", 1).split(None, 2)
    heads = [word.lower() for word in words[:2]]
    if heads[:1] in (["user-agent"], ["useragent"]):
        name = words[1:2]
    elif heads == ["user", "agent"]:
        name = words[2:]
    else:
        return line
    if not name or name[0].startswith("*"):
        return f"User-agent: {'*' if name else ''}"
    token = _TOKEN.match(name[0])
    return f"User-agent: {PRODUCT if token and token[0].lower() == PRODUCT else OTHERS}"
