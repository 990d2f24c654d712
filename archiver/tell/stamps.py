"""What authorities said of the time → rows and lines."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from archiver.console import Output
from archiver.kept import Asked
from archiver.tell.words import many, one_line
from archiver.verify.times import TimeCheck


def timestamp(out: Output, asked: Asked) -> None:
    """What came of asking one authority."""
    out.row({"type": "timestamp", **asdict(asked)})
    out.say(timestamp_words(asked))


def timestamp_words(asked: Asked) -> str:
    if asked.time is None:
        return one_line(f"no time     {asked.authority}  ({asked.reason})")
    return one_line(f"stamped     {asked.authority}  existed before {asked.time}")


def proved_rows(times: TimeCheck | None) -> list[dict[str, Any]]:
    """Of each authority, what its newest timestamp that holds proves."""
    return [
        asdict(each) | {"time": moment_of(each.time), "until": moment_of(each.until)}
        for each in (times.proved.values() if times else ())
    ]


def proved_words(times: TimeCheck | None) -> Iterator[str]:
    """What the timestamps prove, by whose roots, and until when."""
    if times is None:
        return
    whose = "that you gave" if times.by == "given" else "that lie in the archive itself"
    for each in times.proved.values():
        said = f"{each.name} ({each.authority}), by roots {whose}"
        first = f"The first {many(each.records, 'record')} existed before {moment_of(each.time)}"
        yield one_line(f"{first}, according to {said}.")
        if each.renewed:
            yield "    Its certificates have run out; a later timestamp vouches for it."
        if each.soon:
            before = "before then: archiver timestamp --renew"
            yield f"    Its certificates run out on {each.until:%Y-%m-%d}; {before}"
    for authority, count in times.unjudged.items():
        why = "could not be judged: no roots are known (--roots FILE)"
        yield one_line(f"{many(count, 'timestamp')} of {authority} {why}.")
    for file in times.unread:
        yield one_line(f"{file} holds no certificates that can be read.")
    if not times.proved:
        yield "No time from outside is proved: compare this tree head with one that you kept elsewhere."


def moment_of(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
