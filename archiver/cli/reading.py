"""`archiver show`, `status` and `browse`: what an archive holds."""

import sys
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import DIRECTORY, age, as_json, directory, settings
from archiver.console import Output


@click.command()
@directory
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--public",
    is_flag=True,
    help="For strangers: no SQL, no download of whole files, nothing can be written.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="Answer to this host name too: that of a reverse proxy.",
)
@click.option(
    "--base-url",
    default="/",
    show_default=True,
    metavar="PATH",
    help="The path at which a reverse proxy shows it.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the start page in a browser.")
@as_json
def browse(
    *,
    directory: Path,
    host: str,
    port: int,
    public: bool,
    names: tuple[str, ...],
    base_url: str,
    open_browser: bool,
    as_json: bool,
) -> None:
    """Look at the articles and pictures in Datasette, until Ctrl-C."""
    from archiver import upkeep
    from archiver.browse.server import serve

    out = Output(as_json)

    def ready(url: str) -> None:
        out.row({"type": "serving", "url": url})
        out.say(f"{directory} is served at {url} until Ctrl-C.")

    if upkeep.ensure_catalogue(directory):
        out.say("The catalogue was made from the WARC files.")
    serve(directory, host, port, open_browser, ready, names=names, base_url=base_url, public=public)
    out.row({"type": "summary", "archive": str(directory)})
    out.say("Stopped.")


@click.command()
@click.argument("named", metavar="WHAT...", nargs=-1, required=True)
@click.option("--address", is_flag=True, help="WHAT are any URLs: say what each means, image proxies undone.")
@click.option("--instance", multiple=True, metavar="HOST", help="A self-hosted weserv image proxy.")
@click.option(
    "--in",
    "directory",
    metavar="DIR",
    type=DIRECTORY,
    default=Path(),
    envvar="ARCHIVER_DIR",
    help="The archive, and whose archiver.toml counts. Default: $ARCHIVER_DIR, else here.",
)
@as_json
def show(
    named: tuple[str, ...], address: bool, directory: Path, instance: tuple[str, ...], as_json: bool
) -> None:
    """Say what the archive holds of an article: its times, its pictures, and its text against the page's.

    WHAT is the article's URL or number, or - for one a line on stdin.
    """
    out = Output(as_json)
    given = [
        line for what in named for line in (sys.stdin.read().splitlines() if what == "-" else [what]) if line
    ]
    if address:
        _addresses(out, given, settings(directory, instance))
        return
    from archiver import tell, upkeep
    from archiver.show import articles, reading

    upkeep.ensure_catalogue(directory)
    with reading(directory) as db:
        found = [shown for what in given for shown in articles(db, what)]
    for shown in found:
        tell.article(out, shown)
    out.row({"type": "summary", "articles": len(found)})


def _addresses(out: Output, given: list[str], found: Any) -> None:
    from archiver import tell
    from archiver.addresses import Proxies, explain
    from archiver.addresses.renditions import rendition_of

    proxies = Proxies(found.instances, found.proxies)
    for url in given:
        meant = explain(url, proxies)
        tell.address(out, meant, rendition_of(meant.origin) if meant.origin else None)
    out.row({"type": "summary", "urls": len(given)})


@click.command()
@directory
@click.option(
    "--max-age",
    type=age,
    metavar="AGE",
    help="Exit with 3 when the last run that saved or confirmed something ended longer ago: 90m, 26h, 2d.",
)
@click.option(
    "--failures",
    is_flag=True,
    help="List the URLs that are not whole, one a line on stdout, as 'archive -' takes them.",
)
@as_json
def status(directory: Path, max_age: float | None, failures: bool, as_json: bool) -> None:
    """Say what the archive holds and how its last run ended. Asks no network and waits for no lock."""
    from archiver import status as looking
    from archiver import tell, upkeep
    from archiver.show import reading

    upkeep.ensure_catalogue(directory)
    with reading(directory) as db:
        found = looking.look(db, directory, max_age)
        listed = looking.failures(db) if failures else ()
        tell.state(Output(as_json, aside=failures), directory, found, listed)
    raise SystemExit(found.exit_code)
