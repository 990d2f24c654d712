"""`archiver import` and `merge`: what others archived is taken in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import DIRECTORY, as_json, into_archive, key_folder, settings
from archiver.console import Output


def _taking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both."""
    for option in (
        as_json,
        click.option(
            "--link", is_flag=True, help="Leave each file where it is, and link to it; else it is copied."
        ),
        into_archive,
    ):
        command = option(command)
    return command


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@_taking
@click.option(
    "--instance",
    multiple=True,
    metavar="HOST",
    help="A self-hosted weserv image proxy; also in archiver.toml.",
)
def import_(
    files: tuple[str, ...], directory: Path, link: bool, instance: tuple[str, ...], as_json: bool
) -> None:
    """Take in WARC, ARC and WACZ files of others, as they are.

    FILE is a file, a folder, of which every such file is taken, a pattern, or - for stdin. The same command
    goes on with an import that was interrupted.
    """
    _take(Output(as_json), files, directory, link=link, instance=instance)


@click.command()
@click.argument("others", metavar="OTHER...", nargs=-1, required=True, type=DIRECTORY)
@_taking
def merge(others: tuple[Path, ...], directory: Path, link: bool, as_json: bool) -> None:
    """Take all that other archives hold into one, with their manifests.

    Each OTHER is verified first; when one is damaged nothing is taken. What DIR has already is not taken
    again, and the same command goes on with a merge that was interrupted.
    """
    from archiver.importing import check_whole

    out = Output(as_json)
    with out.alive(lambda: "verifying what is to be merged"):
        check_whole(others)
    _take(out, [str(other) for other in others], directory, link=link)


def _take(
    out: Output, files: Sequence[str], directory: Path, *, link: bool, instance: tuple[str, ...] = ()
) -> None:
    from archiver.importing import import_files
    from archiver.tell import imports

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
