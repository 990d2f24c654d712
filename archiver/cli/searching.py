"""`archiver search`."""

from pathlib import Path

import click

from archiver.cli.options import as_json, in_archive
from archiver.console import Output


@click.command(context_settings={"ignore_unknown_options": True})  # -WORD is a word to leave out
@click.argument("words", metavar="WORDS...", nargs=-1, required=True, type=click.UNPROCESSED)
@in_archive
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many articles to list.",
)
@click.option(
    "--before",
    type=click.IntRange(1, 2**63 - 1),
    metavar="ID",
    help="Only articles read before this one: how the list goes on.",
)
@as_json
def search(words: tuple[str, ...], directory: Path, limit: int, before: int | None, as_json: bool) -> None:
    """List the articles that hold all of WORDS, newest first.

    Chinese, Japanese and Korean are found by any characters that stand together. "..." in the words is a
    phrase, OR joins two, -WORD leaves out, WORD* finds what begins so.
    """
    from archiver import tell, upkeep
    from archiver.index.search import parse
    from archiver.search import search
    from archiver.show import reading

    unknown = next((word for word in words if word.startswith("--")), None)
    if unknown is not None:
        raise click.NoSuchOption(unknown)
    query = parse(" ".join(words))
    if not query.groups:
        raise click.UsageError("There is no word in it to search for.")
    upkeep.ensure_catalogue(directory)
    with reading(directory) as db:
        tell.found(Output(as_json), search(db, query, limit=limit, before=before))
