"""When a picture is dead everywhere, ask another archive for its copy (RFC 7089, Memento)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec

from archiver.capture.job import Wish
from archiver.model import Article, Form, Outcome, Reference

Outcomes = Callable[[str], Outcome | None]  # of a picture's URL in this run; None: not asked for

# Clocks that say when an article came out: a copy made near that time shows what was published.
_PUBLISHED = (
    "printed",
    "comment",
    "feed-published",
    "feed-date",
    "json-ld-published",
    "meta",
    "time-element",
    "front-matter",
)


def with_copies(article: Article, outcomes: Outcomes, timegate: str) -> Article:
    """The article; its pictures that are known to be dead have the copies that came for others before it."""
    references = tuple(_with_copy(reference, outcomes, timegate) for reference in article.references)
    return msgspec.structs.replace(article, references=references)


def _with_copy(reference: Reference, outcomes: Outcomes, timegate: str) -> Reference:
    url = timegate + _own(reference)
    if outcomes(url) is None or not _is_dead(reference, outcomes):
        return reference
    return msgspec.structs.replace(reference, forms=(*reference.forms, Form(form="memento", url=url)))


def rescues(article: Article, note_id: str, outcomes: Outcomes, timegate: str) -> Iterator[Wish]:
    """What to ask the TimeGate for: each dead picture's own URL once.

    `timegate` is the URL to which an original's URL is appended (RFC 7089 section 4.1: URI-G). A
    picture is dead when it was asked for and none of its forms came whole. Where nobody can say the
    publisher's URL, the proxy's own is asked for.
    """
    dead: dict[str, list[int]] = {}
    for reference in article.references:
        if not reference.unwanted and _is_dead(reference, outcomes):
            dead.setdefault(_own(reference), []).append(reference.number)
    fields = accept_datetime(article)
    for original, numbers in dead.items():
        url = timegate + original
        yield Wish(
            url=url,
            purpose="picture",
            wanted_by=note_id,
            form=Form(form="memento", url=url),
            references=tuple(numbers),
            original=original,
            fields=fields,
        )


def _own(reference: Reference) -> str:
    return next((form.url for form in reference.forms if form.form == "origin"), reference.url)


def _is_dead(reference: Reference, outcomes: Outcomes) -> bool:
    asked = [outcome for form in reference.forms if (outcome := outcomes(form.url))]
    return bool(asked) and "whole" not in asked


def accept_datetime(article: Article) -> dict[str, str]:
    """RFC 7089 section 2.1.1: the time about which a copy is wanted; without one, the newest copy."""
    for clock in _PUBLISHED:
        for claim in article.times:
            if claim.clock == clock and claim.value:
                moment = datetime.fromisoformat(claim.value).astimezone(UTC).replace(microsecond=0)
                return {"Accept-Datetime": format_datetime(moment, usegmt=True)}
    return {}
