"""Claimed times: kept as written, and read as UTC only where they say their zone.

Forms: RFC 5322 section 3.3 (feeds, `<i>Wed, 08 Nov 2023 18:25:56 GMT</i>`), ISO 8601 calendar dates as
RFC 3339 section 5.6 profiles them (with a space for the T, without seconds, without a zone), and
`DD/MM/YYYY - HH:MM`. A time without a zone has no value: nothing is guessed. Of the zones' names in RFC 5322
section 4.3, `CST` and `CDT` have no value either, for Chinese writers mean their own time by the first.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from archiver.model import ClaimedTime

WRITTEN_CHARS = 100  # what is longer is no time
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = {"EDT": -4, "EST": -5, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}  # hours
_ZONE = rf"(?P<zone>Z|GMT|UTC?|{'|'.join(_NAMED)}|C[SD]T|[+-]\d{{2}}(?::?\d{{2}})?)"
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:(?:T|[ ]+)(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9})\d*)?)?"
    rf"(?:[ ]*{_ZONE})?)?",
    re.ASCII | re.IGNORECASE,
)
_RFC_5322 = re.compile(
    r"(?:[a-z]{3},?[ ]+)?(?P<day>\d{1,2})[ ]+(?P<month>[a-z]{3})[ ]+(?P<year>\d{4})"
    rf"[ ]+(?P<hour>\d{{2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?(?:[ ]*{_ZONE})?",
    re.ASCII | re.IGNORECASE,
)
_DAY_FIRST = re.compile(r"\d{2}/\d{2}/\d{4}(?:[ ]*-?[ ]*\d{2}:\d{2})?", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,17}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def claimed(clock: str, written: str) -> ClaimedTime:
    """A time that `clock` claims, with its value where `written` says one."""
    return ClaimedTime(clock=clock, written=written, value=read_time(written))


def from_milliseconds(clock: str, written: str) -> ClaimedTime:
    """A time as milliseconds since 1970-01-01T00:00:00Z; `NaN` and what no calendar holds have no value."""
    value = None
    if _MILLISECONDS.fullmatch(written):
        seconds, milliseconds = divmod(int(written), 1000)
        try:
            value = _rfc_3339(_EPOCH + timedelta(seconds=seconds), f"{milliseconds:03}")
        except OverflowError:
            value = None
    return ClaimedTime(clock=clock, written=written, value=value)


def is_date_line(text: str) -> bool:
    """Whether a line of text is a date in one of the forms above, and nothing else."""
    return len(text) <= WRITTEN_CHARS and any(form.fullmatch(text) for form in (_RFC_5322, _ISO, _DAY_FIRST))


def read_time(written: str) -> str | None:
    """The time in RFC 3339, UTC, ending in Z; None where the form or the zone is missing."""
    text = written.strip()[: WRITTEN_CHARS + 1]
    found = _ISO.fullmatch(text) or _RFC_5322.fullmatch(text)
    if found is None or found["zone"] is None or found["zone"].upper() in ("CST", "CDT"):
        return None
    parts = found.groupdict()
    try:
        local = datetime(
            int(parts["year"]),
            _month(parts["month"]),
            int(parts["day"]),
            int(parts["hour"]),
            int(parts["minute"]),
            int(parts["second"] or 0),
            tzinfo=timezone(_offset(parts["zone"])),
        )
        return _rfc_3339(local.astimezone(UTC), parts.get("fraction") or "")
    except (ValueError, OverflowError):
        return None


def _month(written: str) -> int:
    return int(written) if written.isdigit() else _MONTHS.index(written.lower()) + 1


def _offset(zone: str) -> timedelta:
    if zone[0] not in "+-":
        return timedelta(hours=_NAMED.get(zone.upper(), 0))
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def _rfc_3339(moment: datetime, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    seconds = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{seconds}.{fraction}Z" if fraction else f"{seconds}Z"
