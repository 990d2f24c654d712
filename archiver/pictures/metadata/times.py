"""The times that a picture's metadata claims: when it was taken or made."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from archiver.model import ClaimedTime
from archiver.pictures.metadata.tags import Tag
from archiver.sources.times import WRITTEN_CHARS, read_time

_EXIF = (
    ("DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal"),
    ("DateTimeDigitized", "SubSecTimeDigitized", "OffsetTimeDigitized"),
)
_IPTC = (("DateCreated", "TimeCreated"), ("DigitalCreationDate", "DigitalCreationTime"))
_XMP = (("XMP-photoshop", "DateCreated"), ("XMP-xmp", "CreateDate"), ("XMP-exif", "DateTimeOriginal"))
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)(.*)", re.ASCII)
_IPTC_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_IPTC_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)([+-]\d{4})?", re.ASCII)
_GPS_TIME = re.compile(r"(\d{1,2}) (\d{1,2}) (\d{1,2})(\.\d+)?", re.ASCII)


def claimed_times(tags: Iterable[Tag]) -> list[ClaimedTime]:
    """Clocks `exif`, `iptc`, `xmp`; each moment of a clock once. A time without a zone has no value.

    `written` is what the fields say, joined where several make one time. What names no day is no time.
    """
    said: dict[tuple[str, str], str] = {}
    for tag in tags:
        said.setdefault((tag.group, tag.name), tag.value)
    found: dict[tuple[str, str], ClaimedTime] = {}
    for clock, written, iso in (*_exif(said), *_iptc(said), *_xmp(said)):
        if len(written) <= WRITTEN_CHARS and _has_day(iso):
            value = read_time(iso)
            found.setdefault((clock, value or iso), ClaimedTime(clock=clock, written=written, value=value))
    return list(found.values())


_Said = dict[tuple[str, str], str]
_Times = Iterator[tuple[str, str, str]]  # clock, as written, in the form of ISO 8601


def _exif(said: _Said) -> _Times:
    """CIPA DC-008-2023 section 4.6.5: `YYYY:MM:DD HH:MM:SS`, with fraction and zone in other fields."""
    for base, fraction, zone in _EXIF:
        written = said.get(("Exif", base), "")
        parts = said.get(("Exif", fraction), ""), said.get(("Exif", zone), "")
        written += f".{parts[0]}" if written and parts[0].isdecimal() else ""
        written += parts[1] if written else ""
        yield "exif", written, _iso(written)
    day, time = (
        said.get(("Exif", "GPSDateStamp"), ""),
        _GPS_TIME.fullmatch(said.get(("Exif", "GPSTimeStamp"), "")),
    )
    if time:  # in UTC
        hour, minute, second = (int(part) for part in time.group(1, 2, 3))
        written = f"{day} {hour:02}:{minute:02}:{second:02}{time[4] or ''}Z"
        yield "exif", written, _iso(written)


def _iptc(said: _Said) -> _Times:
    """IIM 4.2 sections 2:55 and 2:60: `CCYYMMDD`, `HHMMSS±HHMM`."""
    for day, time in _IPTC:
        written = said.get(("IPTC", day), ""), said.get(("IPTC", time), "")
        date_parts, time_parts = _IPTC_DATE.fullmatch(written[0]), _IPTC_TIME.fullmatch(written[1])
        if date_parts:
            iso = "-".join(date_parts.groups())
            if time_parts:
                iso += "T" + ":".join(time_parts.group(1, 2, 3)) + (time_parts[4] or "")
            yield "iptc", " ".join(filter(None, written)), iso


def _xmp(said: _Said) -> _Times:
    for key in _XMP:
        written = said.get(key, "")
        yield "xmp", written, _iso(written)


def _iso(written: str) -> str:
    found = _DATE.fullmatch(written.strip())
    return f"{found[1]}-{found[2]}-{found[3]}{found[4]}" if found else ""


def _has_day(iso: str) -> bool:
    try:
        date.fromisoformat(iso[:10])
    except ValueError:  # `0000:00:00`: a camera whose clock was never set
        return False
    return True
