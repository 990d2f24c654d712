"""`archiver compare-pictures`: what two pictures have to do with each other."""

from pathlib import Path
from typing import BinaryIO

import click

from archiver.cli.options import as_json
from archiver.console import Output


@click.command("compare-pictures")
@click.argument("first", metavar="A", type=click.File("rb"))
@click.argument("second", metavar="B", type=click.File("rb"))
@click.option(
    "--map",
    "into",
    metavar="FILE.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the change map goes. A file that is there is never written over. Default: changes.png, or "
    "the first of changes-2.png, changes-3.png … that is not there.",
)
@click.option("--no-map", is_flag=True, help="Write no change map.")
@as_json
def compare_pictures(
    first: BinaryIO, second: BinaryIO, into: Path | None, no_map: bool, as_json: bool
) -> None:
    """Say by their pixels what two pictures have to do with each other, and draw where they differ.

    A and B are files; one of them may be - for stdin. The change map is a PNG of A in greys: red what is
    changed, blue what was laid over, green what B shows of it. None is written when there is nothing to show.
    """
    from archiver import tell
    from archiver.pictures.files import compare_files, read_picture

    out = Output(as_json)
    names = ["-" if given.name == "<stdin>" else given.name for given in (first, second)]
    data = read_picture(first, names[0]), read_picture(second, names[1])
    found = compare_files(*data, into, draw=not no_map)
    tell.comparison(out, names[0], names[1], found)
    raise SystemExit(found.exit_code)
