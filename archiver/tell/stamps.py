"""What authorities said of the time → rows and lines."""

from dataclasses import asdict

from archiver.console import Output
from archiver.kept import Asked
from archiver.tell.words import one_line


def timestamp(out: Output, asked: Asked) -> None:
    """What came of asking one authority."""
    out.row({"type": "timestamp", **asdict(asked)})
    out.say(timestamp_words(asked))


def timestamp_words(asked: Asked) -> str:
    if asked.time is None:
        return one_line(f"no time     {asked.authority}  ({asked.reason})")
    return one_line(f"stamped     {asked.authority}  existed before {asked.time}")
