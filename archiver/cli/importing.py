"""`archiver import`."""

from pathlib import Path

import click

from archiver.cli.options import DIRECTORY, as_json, key_folder, settings
from archiver.console import Output


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--into",
    "directory",
    metavar="DIR",
    type=DIRECTORY,
    default=Path(),
    envvar="ARCHIVER_DIR",
    help="The archive's folder, made when there is none. Default: $ARCHIVER_DIR, else here.",
)
@click.option("--link", is_flag=True, help="Leave each file where it is, and link to it; else it is copied.")
@click.option(
    "--instance",
    multiple=True,
    metavar="HOST",
    help="A self-hosted weserv image proxy; also in archiver.toml.",
)
@as_json
def import_(
    files: tuple[str, ...], directory: Path, link: bool, instance: tuple[str, ...], as_json: bool
) -> None:
    """Take in WARC, ARC and WACZ files of others, as they are.

    FILE is a file, a folder, of which every such file is taken, a pattern, or - for stdin. The same command
    goes on with an import that was interrupted.
    """
    from archiver.importing import import_files
    from archiver.tell import imports

    out = Output(as_json)
    done = import_files(
        directory,
        files,
        settings(directory, instance),
        link=link,
        report=lambda taken: imports.taken(out, taken),
        say=out.say,
        keys=key_folder(),
        watching=out.alive,
        relating=out.alive,
    )
    for line in done.healed:
        out.say(f"healed {line}")
    imports.imported(out, directory, done)
    raise SystemExit(done.exit_code)
