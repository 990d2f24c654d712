"""Whether to ask again, and when: by the kind of the failure (RFC 9110 sections 10.2.3 and 15.5, 15.6)."""

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from archiver.capture.manners import Manners
from archiver.capture.wire.exchange import Exchange

AGAIN = (
    408,
    425,
    429,
    500,
    502,
    503,
    504,
    *range(520, 531),
)  # from 520 on: Cloudflare's words for its origin
SLOW_DOWN = (429, 503)
FLOOR = 1.0  # seconds: what a host asks for is never taken for less
MOST_SECONDS = 10 * 366 * 86_400.0
_SECONDS = re.compile(r"[0-9]++")
_STAGES = ("connect", "tls", "proxy", "request", "response", "body")
_FOR_GOOD = ("its certificate is not accepted", "is not an HTTP/1 answer")


def may_pass(last: Exchange) -> bool:
    """Whether a failure is of a kind that may be over when the URL is asked for once more."""
    if last.error is not None and last.error.stage in _STAGES:
        return not any(words in str(last.error) for words in _FOR_GOOD) and last.truncated != "length"
    if last.error is not None and last.error.stage == "dns":
        return "temporary" in str(last.error).lower()
    return last.status in AGAIN


def delay(last: Exchange, attempt: int, manners: Manners) -> float | None:
    """Seconds until the URL is asked for again; None when it is not, in this run.

    Exponential with full jitter, so that many that failed together do not come back together.
    """
    if attempt >= manners.retries or not may_pass(last):
        return None
    asked = retry_after(last)
    if asked is not None:
        return asked if asked <= manners.patience else None
    return random.uniform(0, manners.backoff * 2**attempt)  # noqa: S311 - no secret


def retry_after(last: Exchange) -> float | None:
    """Seconds that a 429, a 503 or another error asks to wait (RFC 9110 section 10.2.3), at least FLOOR."""
    written = (last.header("retry-after") or "").strip()
    if not written or last.status is None or last.status < 400:
        return None
    if _SECONDS.fullmatch(written):  # of any length: what is too long for a float is infinite
        return min(max(float(written), FLOOR), MOST_SECONDS)
    try:
        moment = parsedate_to_datetime(written)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max((moment - datetime.now(UTC)).total_seconds(), FLOOR), MOST_SECONDS)
    except (ValueError, OverflowError):
        return None
