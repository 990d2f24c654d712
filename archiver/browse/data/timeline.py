"""Captures and claimed times over the years, and articles by host: figures for the plots and their tables."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from archiver.browse import words

Step = Literal["day", "week", "month", "year"]
STEPS: tuple[Step, ...] = ("day", "week", "month", "year")
NAMES = ("captures", "claimed", "hosts")
_PLACES = 120  # bars of a plot: the newest
_HOSTS = 20


@dataclass(frozen=True)
class Bar:
    """`count` things in a period, or of a host; of captures, `lacking` are URLs that did not come whole."""

    name: str
    count: int
    lacking: int = 0


@dataclass(frozen=True)
class Series:
    """Bars from the oldest to the newest (hosts: the largest first).

    `before`: how many things are older than the first bar; `after`: how many claim a time after the newest
    capture; `without`: how many claim no time that can be read; `others`: how many other hosts have the rest.
    """

    bars: tuple[Bar, ...]
    before: int = 0
    after: int = 0
    without: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)

    @property
    def lacking(self) -> int:
        return sum(bar.lacking for bar in self.bars)

    @property
    def highest(self) -> Bar | None:
        return max(self.bars, key=lambda bar: bar.count, default=None)


_DAYS = """
SELECT key, sum(CASE WHEN outcome = 'whole' THEN number ELSE 0 END),
       sum(CASE WHEN outcome = 'whole' THEN 0 ELSE number END)
FROM tallies WHERE of = 'fetches-by-day' GROUP BY key
"""
_MONTHS = "SELECT key, number, 0 FROM tallies WHERE of = 'articles-by-month'"
_HOST_BARS = """
SELECT key, number FROM tallies WHERE of = 'articles-by-host' ORDER BY number DESC, key LIMIT ?
"""
_HOST_TOTAL = "SELECT count(*), coalesce(sum(number), 0) FROM tallies WHERE of = 'articles-by-host'"


def load_series(db: sqlite3.Connection, name: str, step: Step) -> Series:
    """The figures of one of NAMES. Claimed times are counted by month, or by year."""
    if name == "hosts":
        rows = db.execute(_HOST_BARS, (_HOSTS,)).fetchall()
        hosts, articles = db.execute(_HOST_TOTAL).fetchone()
        bars = tuple(Bar(words.plain(row["key"]), row["number"]) for row in rows)
        rest = articles - sum(bar.count for bar in bars)
        return Series(bars, before=rest, others=hosts - len(bars))
    captured = [_figures(row) for row in db.execute(_DAYS)]
    if name == "captures":
        return _series(captured, step, "9999-12-31")
    newest = max((day for day, *_ in captured if _day(day)), default="9999-12-31")
    coarse: Step = "year" if step == "year" else "month"
    return _series([_figures(row) for row in db.execute(_MONTHS)], coarse, newest)


_Figures = tuple[str, int, int]


def _figures(row: sqlite3.Row) -> _Figures:
    name, count, lacking = row
    return (f"{name}-01" if len(name) == 7 else name), count, lacking


def _series(found: list[_Figures], step: Step, newest: str) -> Series:
    """Bars without a gap between the first and the last, at most _PLACES of them."""
    begin = _BEGIN[step]
    periods: dict[date, list[int]] = {}
    without = after = 0
    for name, count, lacking in found:
        day = _day(name)
        if day is None:
            without += count + lacking
        elif name > newest:
            after += count + lacking
        else:
            sums = periods.setdefault(begin(day), [0, 0])
            sums[0] += count
            sums[1] += lacking
    if not periods:
        return Series((), after=after, without=without)
    places = [max(periods)]
    while len(places) < _PLACES and places[-1] > min(periods):
        places.append(begin(places[-1] - timedelta(days=1)))
    shown = [(place, periods.get(place, [0, 0])) for place in reversed(places)]
    before = sum(sum(sums) for place, sums in periods.items() if place < places[-1])
    return Series(tuple(Bar(_name(place, step), *sums) for place, sums in shown), before, after, without)


def _day(text: str) -> date | None:
    """A day after the first year, so that there is one before it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year > 1 and len(text) == 10 else None


_BEGIN: dict[Step, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


def _name(place: date, step: Step) -> str:
    """`2026-11-22` (of a week its Monday), `2026-11`, `2026`."""
    return place.isoformat()[: {"year": 4, "month": 7}.get(step, 10)]
