"""What an export wrote, and what could not go out."""

from pathlib import Path
from typing import Any

import msgspec

from archiver.console import Output
from archiver.exporting.result import Exported
from archiver.exporting.selection import LeftOut
from archiver.tell.words import many, one_line, size

_PROBLEMS = {"missing": "never came", "left-out": "left out", "damaged": "DAMAGED"}


def problem(out: Output, found: dict[str, Any]) -> None:
    """One thing that does not go out, as it happens."""
    out.row(found)
    place = [f"article {found['article']}"] if found.get("article") else []
    place += [f"picture {found['picture']}"] if found.get("picture") else []
    said = f"{_PROBLEMS[found['type']]:<11} {', '.join(place)}  {found['url'] or ''}  ({found['reason']})"
    out.say(one_line(said))


def exported(out: Output, form: str, made: Exported, into: Path) -> None:
    """The summary."""
    counts = {"type": "summary", "format": form, "into": str(into), **msgspec.to_builtins(made)}
    out.row({**counts, "exit_code": made.exit_code})
    held = [f"{count:,} {table}" for table, count in made.rows.items()]
    held += [many(made.articles, "article")] if made.articles else []
    held += [many(made.pictures, "picture")] if made.pictures else []
    out.say(f"{into} holds {', '.join([*held, many(made.files, 'file')])}, {size(made.bytes)}.")
    if made.problems:
        counted = (f"{count:,} {_PROBLEMS[kind].lower()}" for kind, count in made.problems.items())
        out.say(f"Not in it: {', '.join(counted)}.")


def written(out: Output, form: str, left_out: LeftOut, made: Any) -> None:
    """The summary of files for replay: `made` is what their writer says of them."""
    counts = msgspec.to_builtins(made)
    unsealed, large = len(left_out.unsealed), len(left_out.large)
    left = {"unsealed": unsealed, "too_large": large}
    out.row({"type": "summary", "format": form, **counts, **left, "exit_code": 0})
    if "signed_by" in counts:
        unsigned = "It is not signed: there is no key. 'archiver key make' makes one."
        out.say(f"Signed by {counts['signed_by']}." if counts["signed_by"] else unsigned)
    if unsealed:
        out.say(f"{many(unsealed, 'record')} left out: not sealed yet.")
    if large:
        out.say(f"{many(large, 'record')} left out: larger than 1 GiB.")
    held = [many(counts[name], name[:-1]) for name in ("pages", "records", "lines") if name in counts]
    out.say(f"{', '.join(made.files)}: {', '.join(held)}, {size(made.bytes)}.")
