"""`archiver duplicates`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json, directory, key_folder, reason
from archiver.console import Output

_MARKS = {"not-same": "not_same", "withdrawn": "withdraw"}


@click.command()
@directory
@click.option(
    "--of",
    "what",
    metavar="WHAT",
    help="Only those of one picture: a file from anywhere, a URL, or a digest.",
)
@click.option(
    "--not-same",
    nargs=2,
    metavar="A B",
    help="Put on record that two pictures of the archive are not the same: no cluster holds both.",
)
@click.option("--withdraw", nargs=2, metavar="A B", help="Take that back; both stay on record.")
@click.option("--reason", type=reason, metavar="TEXT", help="Why you say so; it is put on record.")
@as_json
@click.pass_context
def duplicates(
    ctx: click.Context, /, directory: Path, what: str | None, as_json: bool, **options: Any
) -> None:
    """List the pictures that are one photograph, and those that are nearly and were kept apart."""
    from archiver import upkeep
    from archiver.relating import complete
    from archiver.sandbox import Sandbox
    from archiver.show import reading

    marks = [(said, pair) for said, name in _MARKS.items() if (pair := options[name])]
    if bool(marks) != bool(options["reason"]) or len(marks) + bool(what) > 1:
        raise click.UsageError("Use one of --of, --not-same and --withdraw; the last two with --reason.", ctx)
    out = Output(as_json)
    upkeep.ensure_catalogue(directory)
    for said, pair in marks:
        _mark(out, directory, pair, said, options["reason"])
        return
    with reading(directory) as db:
        done = complete(db, directory)
    if not done:
        upkeep.compare_pictures(directory, out.say, out.alive)
    with reading(directory) as db, Sandbox() as sandbox:
        _list(out, db, directory, what, sandbox)


def _mark(out: Output, directory: Path, pair: tuple[str, str], said: Any, why: str) -> None:
    from archiver import upkeep
    from archiver.duplicates import one_named
    from archiver.model import MarkNote
    from archiver.show import reading

    with reading(directory) as db:
        first, second = (one_named(db, each) for each in pair)
    if first == second:
        raise click.UsageError("Both are the same bytes: one picture.")
    note = MarkNote(pictures=(first, second), said=said, reason=why)
    sealed, healed = upkeep.mark(directory, note, out.say, key_folder())
    for line in healed:
        out.say(f"healed {line}")
    out.row({"type": "summary", "marked": said, "pictures": [first, second], "warc": sealed.path})
    out.say(f"On record in {sealed.path}: {first} and {second}: {said}.")


def _list(out: Output, db: Any, directory: Path, what: str | None, sandbox: Any) -> None:
    from archiver import duplicates
    from archiver.tell import duplicates as told

    counts = {"clusters": 0, "links": 0, "matches": 0}
    of = None if what is None else duplicates.named(db, what)
    if what is not None and not of:
        for row in duplicates.matches(db, directory, sandbox, duplicates.outside(Path(what))):
            counts["matches"] += 1
            told.match(out, row)
    compared = partial(duplicates.compare_stored, db, directory, sandbox)
    for row in duplicates.clusters(db, of, compared):
        counts["clusters"] += 1
        told.cluster(out, row)
    for row in duplicates.links(db, of):
        counts["links"] += 1
        told.link(out, row)
    out.row({"type": "summary", **counts})
    told.ending(out, counts, from_outside=what is not None and not of)
