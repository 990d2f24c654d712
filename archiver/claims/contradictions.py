"""Which claimed times of an article contradict each other (docs/comparing.md). Nothing is guessed."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from archiver.model import ClaimedTime, Noun

_MODIFIED = ("-modified", "-updated")  # what these clocks' names end in
_UPLOADED = "guid"
_TAKEN = (
    "exif",
    "iptc",
    "xmp",
)  # a picture's own metadata: that most cameras know no zone is no contradiction
_EASTERNMOST = "+14:00"  # no local time is an earlier moment than there
_LOCAL = re.compile(r"(\d{4})[:-]?(\d\d)[:-]?(\d\d)(?:[ T](\d\d):?(\d\d)(?::?(\d\d))?)?", re.ASCII)
_NAMES = {
    "comment": "the comment",
    "front-matter": "the front matter",
    "front-matter-modified": "the front matter's date of changes",
    "printed": "the printed date",
    "time-element": "the <time> element",
    "meta": "the <meta> element",
    "meta-modified": "the <meta> element for changes",
    "json-ld-published": "the JSON-LD date",
    "json-ld-modified": "the JSON-LD date of changes",
    "feed-published": "the feed's date",
    "feed-updated": "the feed's date of changes",
    "feed-date": "the feed's date, of what it does not say",
    "htmldate": "the day found in the page's text",
    "guid": "the upload time in a picture's name",
    "exif": "the camera's time in a picture's EXIF",
    "iptc": "the time in a picture's IPTC",
    "xmp": "the time in a picture's XMP",
}
_NO_TIME = ("", "nan")  # how writers of documents write that there was none
_LEAST = timedelta(seconds=1)
_Kind = Literal["differ", "order", "missing", "unreadable"]


class Contradiction(Noun, frozen=True):
    """Two claims that cannot both be true, or one that claims nothing that can be read.

    differ: two times of publication · order: something after what it must come before ·
    missing: the claim is there, but holds no time · unreadable: it names no one moment.
    `seconds` is their distance, never negative; None for missing and unreadable.
    """

    kind: _Kind
    first: str  # clock
    second: str  # empty for missing and unreadable
    seconds: float | None
    words: str


_Moments = list[tuple[datetime, str]]


def contradictions(times: Sequence[ClaimedTime]) -> tuple[Contradiction, ...]:
    """What contradicts, first by kind, then in the order of the claims; at most two entries for a clock."""
    published: _Moments = []
    modified: _Moments = []
    before: _Moments = []  # publication
    local: _Moments = []  # the first moments that they can mean
    mute: dict[str, Contradiction] = {}
    for claim in times:
        moment = moment_of(claim.value)
        if claim.clock in _TAKEN:
            if moment is not None:
                before.append((moment, claim.clock))
            elif earliest := _earliest(claim.written):
                local.append((earliest, claim.clock))
        elif moment is None:
            mute.setdefault(claim.clock, _mute(claim))
        elif claim.clock == _UPLOADED:
            before.append((moment, claim.clock))
        elif claim.clock.endswith(_MODIFIED):
            modified.append((moment, claim.clock))
        else:
            published.append((moment, claim.clock))
    silent = sorted(mute.values(), key=lambda each: each.kind)  # missing, then unreadable
    late = (*_late(before, published), *_late(local, published, "at least "))
    return (*_differ(published), *_early(modified, published), *late, *silent)


def _differ(published: _Moments) -> Iterable[Contradiction]:
    """The first claim against each other clock's farthest; clocks with the same moment share an entry."""
    if not published:
        return
    base, first = published[0]
    farthest: dict[str, timedelta] = {}
    for moment, clock in published:
        if abs(moment - base) >= max(_LEAST, abs(farthest.get(clock, timedelta()))):
            farthest[clock] = moment - base
    groups: dict[timedelta, list[str]] = {}
    for clock, gap in farthest.items():
        groups.setdefault(gap, []).append(clock)
    for gap, clocks in groups.items():
        second, *others = map(clock_name, clocks)
        pair = f"{clock_name(first)} and {second}" if clocks[0] != first else f"Two claims of {second}"
        as_well = f" (and {', '.join(others)})" if others else ""
        which = second if clocks[0] != first else "the second"
        later = "later" if gap > timedelta() else "earlier"
        words = f"{_upper(pair)}{as_well} differ by {_span(abs(gap))}; {which} is {later}."
        yield _entry("differ", first, clocks[0], gap, words)


def _early(modified: _Moments, published: _Moments) -> Iterable[Contradiction]:
    """For each clock of changes, its earliest, where that is before every time of publication."""
    if published:
        base, second = min(published, key=_when)
        for moment, clock in _each(sorted(modified, key=_when)):
            if base - moment >= _LEAST:
                words = (
                    f"{_upper(clock_name(clock))} is {_span(base - moment)} before {clock_name(second)}, the"
                )
                yield _entry("order", clock, second, base - moment, f"{words} earliest time of publication.")


def _late(before: _Moments, published: _Moments, about: str = "") -> Iterable[Contradiction]:
    """The last upload, and the last picture taken, where they are after every time of publication."""
    if published:
        base, second = max(published, key=_when)
        for moment, clock in _each(sorted(before, key=_when, reverse=True)):
            if moment - base >= _LEAST:
                distance = f"{about}{_span(moment - base)}"
                words = f"{_upper(clock_name(clock))} is {distance} after {clock_name(second)}, the"
                ending = " last time of publication" + (", in every time zone." if about else ".")
                yield _entry("order", clock, second, moment - base, words + ending)


def _each(moments: _Moments) -> _Moments:
    """The first moment of each clock."""
    return [(moment, clock) for clock, moment in {clock: moment for moment, clock in moments[::-1]}.items()]


def _when(claim: tuple[datetime, str]) -> datetime:
    return claim[0]


def _earliest(written: str) -> datetime | None:
    """The first moment that a date and a time of day without a zone can mean; None for what is none."""
    found = _LOCAL.match(written)
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups(default="00")
    return moment_of(f"{year}-{month}-{day}T{hour}:{minute}:{second}{_EASTERNMOST}")


def _mute(claim: ClaimedTime) -> Contradiction:
    name, written = _upper(clock_name(claim.clock)), claim.written.strip()
    if written.lower() in _NO_TIME:
        told = f" ({written})" if written else ""
        why = "; the mirror's writer could not read the feed's time" if claim.clock == "comment" else ""
        return _entry("missing", claim.clock, "", None, f"{name} claims no time{told}{why}.")
    words = f"{name}, “{written}”, names no one moment: no time zone, or a form that is not known."
    return _entry("unreadable", claim.clock, "", None, words)


def _entry(kind: _Kind, first: str, second: str, gap: timedelta | None, words: str) -> Contradiction:
    seconds = None if gap is None else abs(gap).total_seconds()
    return Contradiction(kind=kind, first=first, second=second, seconds=seconds, words=words)


def clock_name(clock: str) -> str:
    """A clock within a sentence: `the printed date`."""
    return _NAMES.get(clock, f"the claim “{clock}”")


def span_words(seconds: float) -> str:
    """`788` → `13 min 8 s`: the two largest units."""
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{int(count)} {unit}")
    if seconds or not parts:
        parts.append(f"{_number(seconds)} s")
    return " ".join(parts[:2])


def _span(gap: timedelta) -> str:
    """Exact, and to read: `788 s (13 min 8 s)`."""
    exact, told = f"{_number(gap.total_seconds())} s", span_words(gap.total_seconds())
    return exact if exact == told else f"{exact} ({told})"


def _number(seconds: float) -> str:
    return f"{seconds:,.6f}".rstrip("0").rstrip(".")


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def earliest_published(times: Iterable[ClaimedTime]) -> str | None:
    """The earliest value that is claimed for the publication; None where none is."""
    others = (*_TAKEN, _UPLOADED)
    claims = (claim for claim in times if claim.clock not in others and not claim.clock.endswith(_MODIFIED))
    dated = [(moment, claim.value) for claim in claims if (moment := moment_of(claim.value))]
    return min(dated, key=lambda each: each[0])[1] if dated else None


def moment_of(value: str | None) -> datetime | None:
    """A time in RFC 3339, as a ClaimedTime holds it; None for what is none or has no zone."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
