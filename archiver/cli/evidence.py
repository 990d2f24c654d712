"""`archiver prove`: evidence for one capture."""

from pathlib import Path

import click

from archiver.cli.options import as_json, directory
from archiver.console import Output


@click.command()
@click.argument("subject")
@directory
@click.option(
    "--into",
    metavar="FILE.zip",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where the evidence goes. A file that is there is never written over.",
)
@as_json
def prove(subject: str, directory: Path, into: Path, as_json: bool) -> None:
    """Write the evidence for one capture into a ZIP that proves itself, without the rest of the archive.

    SUBJECT is a URL, an article's number, or a payload's digest (sha256:…). Of an article, the source, its
    pictures in all forms and the notes about them are taken.
    """
    import msgspec

    from archiver import upkeep
    from archiver.prove.bundle import prove as write_evidence
    from archiver.show import reading

    out = Output(as_json)
    upkeep.ensure_catalogue(directory)
    with out.alive(lambda: "gathering records and proofs"), reading(directory) as db:
        made = write_evidence(directory, db, subject, into)
    for line in made.said:
        out.say(line)
    if made.unsealed:
        out.say(f"{made.unsealed} records are not in it: they are not sealed yet.")
    out.row({"type": "summary", "file": str(into), **msgspec.to_builtins(made), "exit_code": 0})
    out.say(
        f"{into} holds {made.records} records in {made.bytes} bytes. Check it: python3 -I verify.py {into}"
    )
