"""`archiver export`: what of an archive goes into the forms of other tools."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import DIRECTORY, as_json
from archiver.console import Output


@click.group()
def export() -> None:
    """Write articles and their records in a form that other tools read.

    What goes out is compared with the commitment first; what is damaged is never exported. Nothing that is
    there is written over.
    """


_SELECTING = (
    click.argument("subjects", metavar="[SUBJECT]...", nargs=-1),
    click.option("--query", default="", metavar="WORDS", help="The articles that 'archiver search' finds."),
    click.option("--all", "everything", is_flag=True, help="All that the archive has."),
    click.option(
        "--in",
        "directory",
        metavar="DIR",
        type=DIRECTORY,
        default=Path(),
        envvar="ARCHIVER_DIR",
        help="The archive. Default: $ARCHIVER_DIR, else here.",
    ),
    click.option(
        "--into",
        metavar="PATH",
        type=click.Path(path_type=Path),
        required=True,
        help="Where it goes. What is there is never written over.",
    ),
    as_json,
)


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every format takes: `subjects`, `query`, `everything`, `directory`, `into`, `as_json`."""
    for option in reversed(_SELECTING):
        command = option(command)
    return command


@contextmanager
def selected(
    directory: Path, subjects: tuple[str, ...], query: str, *, everything: bool
) -> Iterator[tuple[Any, Any]]:
    """The selection (`exporting.selection.Selection`) and the catalogue, open to read."""
    from archiver import upkeep
    from archiver.exporting.selection import Wanted, select
    from archiver.show import reading

    if everything == bool(subjects or query):
        raise click.UsageError("Name SUBJECTs or --query, or --all.")
    upkeep.ensure_catalogue(directory)
    with reading(directory) as db:
        yield select(directory, db, Wanted(subjects, query, everything)), db


def ended(out: Output, form: str, made: Any, words: str) -> None:
    """The summary of an export, and the same for people."""
    import msgspec

    out.row({"type": "summary", "format": form, **msgspec.to_builtins(made), "exit_code": 0})
    out.say(words)
