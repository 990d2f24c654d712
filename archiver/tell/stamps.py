"""What authorities said of the time → rows and lines."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from archiver.console import Output
from archiver.kept import Asked
from archiver.tell.words import many, one_line
from archiver.verify.times import Anchor, TimeCheck

_OUTCOMES = {"stamped": "stamped", "pending": "pending", "anchored": "in Bitcoin", "failed": "no time"}


def timestamp(out: Output, asked: Asked) -> None:
    """What came of asking one authority."""
    out.row({"type": "timestamp", **asdict(asked)})
    out.say(timestamp_words(asked))


def timestamp_words(asked: Asked) -> str:
    said = f"existed before {asked.time}" if asked.time else f"({asked.reason})"
    return one_line(f"{_OUTCOMES[asked.outcome]:<11} {asked.authority}  {said}")


def proved_rows(times: TimeCheck | None) -> list[dict[str, Any]]:
    """Of each authority, what its newest timestamp that holds proves."""
    return [
        asdict(each) | {"time": moment_of(each.time), "until": moment_of(each.until)}
        for each in (times.proved.values() if times else ())
    ]


def anchor_rows(times: TimeCheck | None) -> list[dict[str, Any]]:
    """Of each calendar of OpenTimestamps, its newest proof in a block, and its newest promise after that."""
    return [
        asdict(each) | {"time": each.time and moment_of(each.time)}
        for each in (times.anchors.values() if times else ())
    ]


def _anchor_words(anchor: Anchor) -> str:
    first = f"The first {many(anchor.records, 'record')}"
    if anchor.block is None:
        return one_line(f"{first}: {anchor.authority} promised to put them into Bitcoin; no time is proved.")
    block = f"Bitcoin block {anchor.block}, says a proof of {anchor.authority}"
    if anchor.time is None:
        return one_line(f"{first} stand in {block}. Its header was not checked (--bitcoin-header FILE).")
    return one_line(f"{first} existed before {moment_of(anchor.time)}: the header you gave of {block}.")


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
    yield from map(_anchor_words, times.anchors.values())
    for authority, count in times.unjudged.items():
        why = "could not be judged: no roots are known (--roots FILE)"
        yield one_line(f"{many(count, 'timestamp')} of {authority} {why}.")
    for file in times.unread:
        yield one_line(f"{file} holds no certificates that can be read.")
    if not times.proved and not any(each.time for each in times.anchors.values()):
        yield "No time from outside is proved: compare this tree head with one that you kept elsewhere."


def moment_of(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
