"""What a run came to → its summary, its verdict in words and the next step."""

import shlex
from dataclasses import asdict
from pathlib import Path

from archiver.console import Output
from archiver.kept import Kept
from archiver.tell.stamps import timestamp_words
from archiver.tell.words import counted, many

_SAVED = ("captured", "unchanged")


def kept(out: Output, directory: Path, result: Kept) -> None:
    """The end of an archive run."""
    out.row(
        {
            "type": "summary",
            "archive": str(directory),
            "run": result.run or None,
            "continued": result.continued,
            "interrupted": result.interrupted,
            "articles": result.articles,
            "listings": result.listings,
            "fetches": result.outcomes,
            "guesses": result.guesses,
            "unreadable": result.unreadable,
            "refused_sources": result.refused,
            "passed_over": result.passed_over,
            "limited": result.limited,
            "warcs": [warc.path for warc in result.sealed],
            "signed": result.signed,
            "timestamps": [asdict(asked) for asked in result.timestamps.values()],
            "exit_code": result.exit_code,
        }
    )
    for line in _words(directory, result):
        out.say(line)


def _words(directory: Path, result: Kept) -> list[str]:
    """Where it lies, what to do next, and last the verdict."""
    if not result.run:
        return ["Nothing was saved."]
    folder = shlex.quote(str(directory))
    lines = ["This run went on with one that had been cut off."] if result.continued else []
    if result.sealed:
        records = many(sum(warc.records for warc in result.sealed), "record")
        last = directory / result.sealed[-1].path
        files = f"as {last}" if len(result.sealed) == 1 else f"in {len(result.sealed):,} files, last {last}"
        lines.append(f"Sealed {files} ({records}).")
    lines += map(timestamp_words, result.timestamps.values())
    if any(asked.outcome == "failed" for asked in result.timestamps.values()):
        lines.append(f"Who failed is asked again after the next sealing, or by: archiver timestamp {folder}")
    if result.interrupted:
        lines.append("The same command goes on with this run.")
    elif set(result.outcomes) - {*_SAVED}:
        lines.append(f"What is not whole is listed by: archiver status --failures {folder}")
        lines.append(f"It is asked for again by: archiver archive --retry-failed --into {folder}")
    return [*lines, _verdict(result)]


def _verdict(result: Kept) -> str:
    counts = (
        counted(result.outcomes) or f"nothing {'has come yet' if result.interrupted else 'was asked for'}"
    )
    if result.guesses:
        counts += f" ({many(result.guesses, 'guessed rendition')} did not come)"
    unread = len(result.refused) + result.unreadable
    if unread:
        counts += f"; {many(unread, 'source')} could not be read"
    if result.limited:
        counts += "; stopped at --max-pages"
    if result.interrupted:
        verdict = "Interrupted; what was saved is sealed"
    else:
        verdict = "Complete" if result.complete else "Incomplete: some items failed, see above"
    return f"{verdict}. {counts[0].upper()}{counts[1:]}."
