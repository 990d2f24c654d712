"""`archiver lint`."""

from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json
from archiver.console import Output


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Warnings count as errors for the exit code.")
@click.option(
    "--roots",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of the roots to which the certificates that sign a WACZ have to lead.",
)
@as_json
def lint(files: tuple[str, ...], strict: bool, roots: tuple[Path, ...], as_json: bool) -> None:
    """Judge WARC, ARC and WACZ files by the texts that define them.

    FILE is a file, a folder of such files, or - for standard input. Each finding has the section of its
    text. The exit code is 0 without errors, 4 with errors, 3 when a file could not be read or judged.
    """
    from archiver.lint import Linting
    from archiver.lint.words import Lines, row

    missing = next((each for each in files if each != "-" and not Path(each).exists()), None)
    if missing is not None:
        raise click.UsageError(f"There is no {missing}.")
    out, linting = Output(as_json), Linting(files, _roots(roots), strict=strict)
    lines = Lines(linting)
    linting.start()
    with out.alive(lines.alive):
        for found in linting.findings():
            out.row(row(found))
            for line in lines.of(found):
                out.say(line)
    out.row(lines.summary())
    out.say(lines.end())
    raise SystemExit(linting.exit_code)


def _roots(paths: tuple[Path, ...]) -> list[Any]:
    if not paths:
        return []
    from archiver.manifest.timestamp import load_roots

    return [each for path in paths for each in load_roots(path)]
