"""What `archiver status` found → its rows and lines."""

import math
import shlex
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from archiver.console import Output
from archiver.status import RECENT_DAYS, Checked, Run, Status
from archiver.tell.words import counted, duration, many, moment, one_line, size


def state(out: Output, directory: Path, found: Status, failures: Iterable[dict[str, Any]]) -> None:
    """The archive's state, after the `failures` that were asked for."""
    listed = set()
    for row in failures:
        out.row(row)
        if row["url"] not in listed:  # as a page and as a picture
            listed.add(row["url"])
            out.text(one_line(row["url"]))
    held = msgspec.to_builtins((found.unfinished, found.checks.damage))
    summary = asdict(found) | {"unfinished": held[0]}
    summary["checks"]["damage"] = held[1]
    out.row(
        {"type": "summary", "archive": str(directory)}
        | summary
        | {"fresh": found.fresh, "exit_code": found.exit_code}
    )
    for name, text in _facts(directory, found):
        out.say(one_line(f"{name:<11} {text}"))
    out.say(_verdict(found))


def _facts(directory: Path, found: Status) -> Iterable[tuple[str, str]]:
    folder = shlex.quote(str(directory))
    imports = f"{many(found.imports, 'imported file')}, " if found.imports else ""
    held = f"{many(found.warcs, 'WARC file')}, {imports}{many(found.records, 'record')}, {size(found.bytes)}"
    yield "sealed", f"{held}; the newest record is of {moment(found.sealed)}" if found.sealed else held
    yield "holds", f"{many(found.articles, 'article')}, {many(found.pictures, 'picture')}"
    if found.uncompared:
        then = f"the next run does it, or: archiver duplicates {folder}"
        yield "compares", f"{many(found.uncompared, 'picture')} not compared with the others yet; {then}"
    for path in found.open:
        yield "open", f"{path}: it is being written, or the next command seals it"
    if found.waiting:
        waits = "1 authority waits" if len(found.waiting) == 1 else f"{len(found.waiting)} authorities wait"
        asked = f"asked after the next sealing, or by: archiver timestamp {folder}"
        yield "time", f"{waits}: {', '.join(found.waiting)}; {asked}"
    for authority, until in found.expiring.items():
        renewed = f"before then: archiver timestamp --renew {folder}"
        yield "time", f"the certificates of {authority} run out on {until[:10]}; {renewed}"
    yield from _checks(folder, found.checks)
    yield "last run", _run(found.last_run) if found.last_run else "none is on record"
    for run in found.unfinished:
        sources = " ".join(map(shlex.quote, run.sources[:3])) + (" …" if len(run.sources) > 3 else "")
        what = sources or "--retry-failed"
        yield "unfinished", f"since {moment(run.started)}: {what}; the same command goes on with it"
    if found.failures:
        listed = f"archiver status --failures {folder}"
        again = f"archiver archive --retry-failed --into {folder}"
        yield "not whole", f"{many(found.failures, 'URL')}; listed by: {listed}; asked for again by: {again}"


def _checks(folder: str, found: Checked) -> Iterable[tuple[str, str]]:
    if found.recent is None:
        return
    if found.oldest is None:
        yield "checked", f"never, as far as is remembered: archiver verify {folder}"
    else:
        never = f"; {many(found.never, 'file')} never" if found.never else ""
        share = f"{math.floor(100 * found.recent)} % of the bytes within {RECENT_DAYS} days"
        yield "checked", f"{share}; the oldest check is of {found.oldest}{never}"
    if found.damaged:
        rest = f" and {len(found.damaged) - 1:,} more" if len(found.damaged) > 1 else ""
        yield "damaged", f"{found.damaged[0]}{rest}, when last checked: archiver verify {folder}"
    if found.damage:
        yield "last damage", f"found {found.damage.found} in {found.damage.file} [{found.damage.code}]"


def _run(run: Run) -> str:
    when = f"{moment(run.started)} to {moment(run.ended)}" if run.ended else f"since {moment(run.started)}"
    ending = "it goes on, or was cut off" if run.ending == "unfinished" else run.ending
    counts = counted(run.outcomes)
    return f"{when}, {ending}" + (f": {counts}" if counts else "")


def _verdict(found: Status) -> str:
    if found.max_age is None:
        failing = (
            f"{many(found.failures, 'URL')} not whole"
            if found.failures
            else "Every URL that was asked for is whole"
        )
        return f"{failing}; {many(len(found.unfinished), 'unfinished run')}."
    allowed = f"allowed: {duration(found.max_age)}"
    if found.last_saved is None or found.age is None or found.last_saved.ended is None:
        return f"STALE: no run that ended has saved anything yet; {allowed}."
    ended = moment(found.last_saved.ended)
    if found.age < 0 and not found.fresh:
        return f"STALE: the last run that saved something ended in the future, {ended}: set this clock right."
    word = "Fresh" if found.fresh else "STALE"
    return f"{word}: the last run that saved something ended {duration(found.age)} ago, {ended}; {allowed}."
