"""`archiver compare`: two archives side by side."""

from pathlib import Path

import click

from archiver.cli.options import DIRECTORY, as_json
from archiver.console import Output


@click.command()
@click.argument("first", metavar="A", type=DIRECTORY)
@click.argument("second", metavar="B", type=DIRECTORY)
@as_json
def compare(first: Path, second: Path, as_json: bool) -> None:
    """Say what each of two archives has that the other lacks, and what contradicts.

    Only their manifests and record lists are read, so they need not have their WARC files. Records are the
    same where their stored bytes are; a record id with other bytes in each is damage.
    """
    from archiver.compare import compared
    from archiver.tell.compared import compared as tell

    out = Output(as_json)
    with out.alive(lambda: "reading the record lists"), compared(first, second) as found:
        code = tell(out, found)
    raise SystemExit(code)
