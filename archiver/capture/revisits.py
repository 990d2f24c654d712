"""What came again: an exchange → the response or revisit record that keeps it.

WARC/1.1 section 6.7: `identical-payload-digest` for a body that the archive holds,
`server-not-modified` for a 304 to a conditional request. The payload's digest is that of the
entity-body, so chunk boundaries make no difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from archiver.capture.wire.exchange import Exchange
from archiver.digests import digest
from archiver.index.memory import Held, Memory

Mode = Literal["all", "payload", "none"]
LEAST_BYTES = 512  # below it a revisit record takes more room than it saves
_PROFILE = "http://netpreserve.org/warc/1.1/revisit/"


@dataclass(frozen=True)
class Revisit:
    """That an answer is one which the archive holds."""

    profile: str
    original: Held

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All three WARC-Refers-To fields: replay finds the original by URI and date, people by its id."""
        return (
            ("WARC-Profile", self.profile),
            ("WARC-Refers-To", f"<{self.original.record}>"),
            ("WARC-Refers-To-Target-URI", self.original.uri),
            ("WARC-Refers-To-Date", self.original.date),
        )


class Revisits:
    """Finds them. `least`: bytes of a body below which it is stored again."""

    def __init__(self, memory: Memory, mode: Mode = "all", least: int = LEAST_BYTES) -> None:
        self._memory, self._mode, self._least = memory, mode, least

    def held(self, url: str, purpose: str) -> Mapping[str, Held]:
        """The captures for which a server can say that nothing changed, by the URL to ask."""
        return self._memory.hops(url, purpose) if self._mode == "all" else {}

    @staticmethod
    def payload(exchange: Exchange) -> str | None:
        """The digest of a whole body; None for what is no body to compare."""
        if exchange.status != 200 or exchange.truncated or exchange.error:
            return None
        return digest(exchange.entity_body())

    def find(self, exchange: Exchange, held: Mapping[str, Held], payload: str | None) -> Revisit | None:
        """What the exchange repeats; None for what is to be stored as it came."""
        if not_modified(exchange, held):
            return Revisit(_PROFILE + "server-not-modified", held[exchange.url])
        if self._mode == "none" or payload is None or len(exchange.entity_body()) < self._least:
            return None
        original = self._memory.same_payload(payload, exchange.url)
        return None if original is None else Revisit(_PROFILE + "identical-payload-digest", original)


def not_modified(exchange: Exchange, held: Mapping[str, Held]) -> bool:
    """A 304 to a question that was asked. One that comes unasked is an answer like any other.

    So is one that names another version than the one asked for (RFC 9111 section 4.3.4).
    """
    asked = held.get(exchange.url)
    if exchange.status != 304 or asked is None:
        return False
    named = (exchange.header("etag") or "").removeprefix("W/")
    return named in ("", asked.validators.get("If-None-Match", named).removeprefix("W/"))
