"""Pangea, the publishing system of VOA and RFE/RL: when a picture was uploaded, by its own name.

A picture is called `<GUID>(_<letters><digits>)*.<extension>`. Many of its GUIDs are made by a
database in order of time: `xxxxxxxx-(0a00|0aff|c0a8)-0242-AAAA-BBBBBBBBBBBB`, where the 64 bits
B·A count 100 ns steps from 0001-01-01T00:00:00 UTC, the ticks of .NET's DateTime. Inferred from
published pictures, whose times lie minutes before the article's; other GUIDs are random.
"""

import re
from datetime import UTC, datetime, timedelta

from archiver.model import ClaimedTime

_NAME = re.compile(
    r"/([0-9A-Fa-f]{8}-(?:0a00|0aff|c0a8)-0242-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{12}))(?:_[a-z]{1,3}\d*)*\.\w+$",
    re.ASCII | re.IGNORECASE,
)
_FIRST_TICK = datetime(1, 1, 1, tzinfo=UTC)
_OLDEST = datetime(2010, 1, 1, tzinfo=UTC)


def upload_time(url: str) -> ClaimedTime | None:
    """Return when a picture was uploaded, as the GUID in the publisher's own URL says; else None.

    Clock "guid"; `written` is the GUID; `value` is RFC 3339 in UTC, cut to whole microseconds. A
    time before 2010 or still to come is no time: such a GUID only looks like one.
    """
    found = _NAME.search(url.partition("?")[0].partition("#")[0])
    if found is None:
        return None
    guid, low, high = found.groups()
    try:
        moment = _FIRST_TICK + timedelta(microseconds=int(high + low, 16) // 10)
    except OverflowError:
        return None
    if not _OLDEST <= moment <= datetime.now(UTC):
        return None
    return ClaimedTime(clock="guid", written=guid, value=moment.isoformat().replace("+00:00", "Z"))
