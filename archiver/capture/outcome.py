"""What came of asking for a URL, judged from its exchanges. Pure.

A proxy's own 404 is not the publisher's: the proxy's words are kept as the reason.
"""

import json
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from archiver.capture.wire.exchange import Exchange
from archiver.errors import RecordError
from archiver.model import Form, Outcome
from archiver.pictures.decode import sniff
from archiver.warc.http import decoded, essence

ERROR_BYTES = 64 << 10
REFUSAL_BYTES = 256 << 10  # what a host says instead of a picture is shorter


def judge(
    exchanges: Sequence[Exchange], purpose: str, form: Form | None, *, confirmed: bool = False
) -> tuple[Outcome, str]:
    """The outcome and, unless it is whole, the reason in words.

    `confirmed`: the last answer says that what the archive holds has not changed.
    """
    last = exchanges[-1]
    if last.status is None or (last.error and not last.truncated):
        return "failed", str(last.error or "no answer that is HTTP")
    if last.truncated:
        return "partial", f"cut after {len(last.response)} bytes: {last.error or last.truncated}"
    proxied = form is not None and form.form == "proxied"
    if proxied and len(exchanges) > 1 and (said := proxy_error(exchanges[0])):
        return "substituted", f"the proxy sent its default picture: {said}"
    if confirmed or last.status == 206:
        return ("whole", "") if confirmed else ("partial", "status 206: a part that nobody asked for")
    if not 200 <= last.status < 300:
        said = proxy_error(last) if proxied else ""
        return "refused", f"status {last.status}" + (f"; the proxy says: {said}" if said else "")
    unfit = _unfit(last, purpose, form)
    return ("refused" if unfit else "whole"), unfit


def word(outcome: Outcome, stage: str | None, *, unchanged: bool) -> str:
    """An outcome as the summary counts it: captured, unchanged, robots, dead, deferred, or as it is."""
    if outcome == "whole":
        return "unchanged" if unchanged else "captured"
    if outcome == "skipped" or stage == "deferred":
        return stage or outcome
    return outcome


def _unfit(last: Exchange, purpose: str, form: Form | None) -> str:
    """Why a complete 2xx answer is not what was asked for; empty when it is."""
    if form is not None and form.form == "memento" and memento_time(last) is None:
        return "the answer is no memento: it does not say when the copy was made"
    if purpose == "picture" and not is_picture(last):
        return f"the answer is {media_type(last) or 'of no type'}, not a picture"
    return ""


def is_picture(exchange: Exchange) -> bool:
    """By the bytes, or, for what is kept but never decoded, by the type that the server states."""
    return sniff(exchange.entity_body()) is not None or (media_type(exchange) or "").startswith("image/")


def media_type(exchange: Exchange) -> str | None:
    return essence(exchange.header("content-type"))


def memento_time(exchange: Exchange) -> str | None:
    """When another archive says that it made this copy: Memento-Datetime (RFC 7089 section 2.1.1)."""
    try:
        moment = parsedate_to_datetime(exchange.header("memento-datetime") or "")
        if moment.tzinfo is None:
            return None
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):  # OverflowError: the last evening of the year 9999, in the west
        return None


def hotlink_refusal(exchanges: Sequence[Exchange]) -> bool:
    """Whether asking again without a Referer may help: pictures are refused or replaced by a page."""
    last = exchanges[-1]
    if last.status is None or last.truncated or len(last.response) > REFUSAL_BYTES:
        return False
    return last.status in (401, 403, 404) or (last.status == 200 and not is_picture(last))


def proxy_error(exchange: Exchange) -> str:
    """What an image proxy says in its error JSON (weserv: status, code, message); empty if nothing."""
    try:
        answer = json.loads(decoded(exchange.entity_body(), exchange.header("content-encoding"), ERROR_BYTES))
    except (RecordError, ValueError, RecursionError):
        return ""
    message = answer.get("message") if isinstance(answer, dict) and answer.get("status") == "error" else None
    return str(message)[:300] if message else ""
