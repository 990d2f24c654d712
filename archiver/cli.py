"""The commands. One command is one call below; only this module exits, and only through `console` it prints.

Everything but click and the errors is imported inside the commands, so that `--help` is quick.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from archiver import __version__
from archiver.console import Output, heartbeat, printable
from archiver.errors import EXIT_CODES, ArchiverError

_CODES = " · ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
DIRECTORY = click.Path(file_okay=False, path_type=Path)


class _Commands(click.Group):
    """Turns our own errors into a message with the next step, and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchiverError as error:
            _fail(str(error), error.advice, error.exit_code)
        except KeyboardInterrupt:
            _fail("interrupted", "", 130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the top: a bug becomes a message and exit 1
            traceback.print_exc()
            _fail(
                f"a bug in the archiver: {type(error).__name__}: {error}", "Please report the lines above.", 1
            )


def _fail(message: str, advice: str, code: int) -> None:
    click.echo(f"error: {printable(message)}" + (f"\n{printable(advice)}" if advice else ""), err=True)
    raise SystemExit(code)


@click.group(
    cls=_Commands,
    context_settings={"auto_envvar_prefix": "ARCHIVER", "max_content_width": 110},
    epilog="\b\nExit codes: " + _CODES.replace(" · ", "\n            "),
)
@click.version_option(__version__, prog_name="archiver")
def main() -> None:
    """Keep news articles and every form of their pictures as WARC, and prove later that nothing changed."""


def _directory(command: Callable[..., Any]) -> Callable[..., Any]:
    argument = click.argument(
        "directory", metavar="[DIR]", type=DIRECTORY, default=Path(), envvar="ARCHIVER_DIR"
    )
    return argument(command)


_json = click.option("--json", "as_json", is_flag=True, help="JSON Lines on stdout, people's text on stderr.")


@main.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--into",
    "directory",
    metavar="DIR",
    type=DIRECTORY,
    default=Path(),
    envvar="ARCHIVER_DIR",
    help="The archive's folder, made when there is none. Default: $ARCHIVER_DIR, else here.",
)
@click.option(
    "--resolve", multiple=True, metavar="HOST:PORT:ADDR", help="Use this address for a host, as curl."
)
@click.option(
    "--connect-to",
    multiple=True,
    metavar="HOST1:PORT1:HOST2:PORT2",
    help="Connect elsewhere instead, as curl.",
)
@click.option("--proxy", metavar="URL", help="An http, https, socks5 or socks5h proxy, as curl.")
@click.option(
    "--cacert",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="PEM certificates to trust instead of the usual ones.",
)
@click.option(
    "--allow-private", multiple=True, metavar="CIDR", help="Allow connections to these private addresses."
)
@click.option(
    "--max-time",
    type=click.FloatRange(min=0.1),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="For one request.",
)
@click.option(
    "--instance",
    multiple=True,
    metavar="HOST",
    help="A self-hosted weserv image proxy; also in archiver.toml.",
)
@click.option(
    "--follow",
    metavar="SCOPE",
    help="Also save what a page links to, where it fits: host, prefix, or a regular expression.",
)
@click.option(
    "--depth",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="For --follow: of how many pages in a row.",
)
@click.option(
    "--max-pages", type=click.IntRange(1), metavar="N", help="Stop after so many pages that others link to."
)
@click.option(
    "--renditions",
    type=click.Choice(["none", "master", "all"]),
    default="none",
    show_default=True,
    help="Also try larger forms of a picture that its name suggests.",
)
@click.option("--rescue", is_flag=True, help="Ask another archive for pictures that are dead everywhere.")
@click.option("--dry-run", is_flag=True, help="Print what would be fetched; fetch and write nothing.")
@_json
def archive(sources: tuple[str, ...], directory: Path, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Save articles, each with its page and every form of its pictures.

    SOURCE is the http(s) URL of an article, a feed, a sitemap or a section page; a file with a mirror
    document, a feed, a sitemap, OPML or a list of URLs; a folder of mirror documents; or - for stdin.
    """
    from archiver import keep, tell
    from archiver.capture.wire.fetch import Network

    out = Output(as_json)
    settings = _settings(directory, options.pop("instance"))
    aims = _aims(settings, options)
    if dry_run:
        _dry_run(out, keep.plan(sources, settings, aims, out.say))
        return
    network = Network(total_seconds=options.pop("max_time"), **options)
    kept = keep.keep(
        directory, sources, network, settings, aims, report=lambda note: tell.note(out, note), say=out.say
    )
    for line in kept.healed:
        out.say(f"healed {line}")
    tell.kept(out, directory, kept)
    raise SystemExit(kept.exit_code)


def _settings(directory: Path, instances: tuple[str, ...]) -> Any:
    """The archive's settings with the image proxies that the person named beside them."""
    import msgspec

    from archiver import config

    found = config.load(directory)
    return msgspec.structs.replace(found, instances=(*found.instances, *instances))


def _aims(settings: Any, options: dict[str, Any]) -> Any:
    from archiver.addresses.scope import Scope
    from archiver.capture.run import Reach
    from archiver.keep import Aims

    follow, rescue = options.pop("follow"), options.pop("rescue")
    reach = Reach(
        scope=Scope.parse(follow) if follow is not None else None,
        depth=options.pop("depth"),
        pages=options.pop("max_pages"),
        timegate=settings.timegate if rescue else None,
    )
    return Aims(renditions=options.pop("renditions"), reach=reach)


def _dry_run(out: Output, planned: Iterator[tuple[str, str]]) -> None:
    count = 0
    for count, (source, url) in enumerate(planned, 1):  # noqa: B007 - counted after the loop
        out.row({"type": "planned", "source": source, "url": url})
        out.text(url)
    out.row({"type": "summary", "urls": count})


@main.command()
@_directory
@click.option(
    "--deep", is_flag=True, help="Also parse every record, decode every picture, compare the catalogue."
)
@_json
def verify(directory: Path, deep: bool, as_json: bool) -> None:
    """Check that nothing in the archive changed since it was sealed."""
    raise SystemExit(_verify(Output(as_json), directory, deep=deep))


def _verify(out: Output, directory: Path, *, deep: bool) -> int:
    import msgspec

    from archiver import tell
    from archiver.verify import Verification

    check = Verification(directory, thorough=deep)
    with heartbeat(lambda: f"{check.records} records in {check.files} files checked"):
        for finding in check.findings():
            out.row(msgspec.to_builtins(finding))
            out.say(tell.finding_words(finding))
    head = check.manifest.tree if check.manifest else None
    code = {"ok": 0, "unverifiable": 3, "incomplete": 4, "failed": 4}[check.verdict]
    summary = {
        "type": "summary",
        "verdict": check.verdict,
        "findings": check.findings_count,
        "files": check.files,
        "records": check.records,
        "bytes": check.bytes,
        "tree_size": head.size if head else None,
        "tree_root": head.root if head else None,
        "deep": deep,
        "exit_code": code,
    }
    out.row(summary)
    looked = f"{check.records} records in {check.files} files"
    if check.verdict == "ok":
        out.say(f"Unaltered since tree head {summary['tree_root']}, {summary['tree_size']} records.")
        out.say("No signature or outside time is in it yet: compare it with one that you kept elsewhere.")
        out.say(f"No problems found in {looked}.")
    else:
        words = {"unverifiable": "NOT ALL COULD BE JUDGED", "incomplete": "INCOMPLETE", "failed": "DAMAGED"}
        out.say(f"{words[check.verdict]}: {check.findings_count} findings; {looked} read.")
    return code


@main.command()
@_directory
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the start page in a browser.")
@_json
def browse(directory: Path, host: str, port: int, open_browser: bool, as_json: bool) -> None:
    """Look at the articles and pictures in Datasette, until Ctrl-C."""
    from archiver import keep
    from archiver.browse.server import serve

    out = Output(as_json)

    def ready(url: str) -> None:
        out.row({"type": "serving", "url": url})
        out.say(f"{directory} is served at {url} until Ctrl-C.")

    if keep.ensure_catalogue(directory):
        out.say("The catalogue was made from the WARC files.")
    serve(directory, host, port, open_browser, ready)
    out.row({"type": "summary", "archive": str(directory)})
    out.say("Stopped.")


@main.command()
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
@_json
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
        _addresses(out, given, _settings(directory, instance))
        return
    from archiver import keep, tell
    from archiver.show import articles, reading

    keep.ensure_catalogue(directory)
    with reading(directory) as db:
        found = [shown for what in given for shown in articles(db, what)]
    for shown in found:
        tell.article(out, shown)
    out.row({"type": "summary", "articles": len(found)})


def _addresses(out: Output, given: list[str], settings: Any) -> None:
    from archiver import tell
    from archiver.addresses import Proxies, explain
    from archiver.addresses.renditions import rendition_of

    proxies = Proxies(settings.instances, settings.proxies)
    for url in given:
        meant = explain(url, proxies)
        tell.address(out, meant, rendition_of(meant.origin) if meant.origin else None)
    out.row({"type": "summary", "urls": len(given)})


@main.command()
@_directory
@_json
def rebuild(directory: Path, as_json: bool) -> None:
    """Make the catalogue anew from the WARC files alone."""
    from archiver import keep

    out = Output(as_json)
    with heartbeat(lambda: "reading the WARC files"):
        records, healed = keep.rebuild(directory)
    for line in healed:
        out.say(f"healed {line}")
    out.row({"type": "summary", "records": records, "healed": healed})
    out.say(f"The catalogue was made anew from {records} records.")


@main.command()
@click.option(
    "--into",
    "directory",
    metavar="DIR",
    type=DIRECTORY,
    default=Path("demo-archive"),
    show_default=True,
    help="Where the demo archive goes; made when there is none.",
)
@_json
def demo(directory: Path, as_json: bool) -> None:
    """Archive and verify a small news site with an image proxy on loopback; no internet needed."""
    from archiver import tell
    from archiver.demo.run import archive_world

    out = Output(as_json)
    out.say("A small news site and an image proxy run on loopback; their pictures are archived now.")
    kept = archive_world(directory, report=lambda note: tell.note(out, note), say=out.say)
    out.say("Some pictures failed on purpose: that, too, is kept. Now the integrity check:")
    code = _verify(out, directory, deep=True)
    out.say(f"{kept.articles} articles are in {directory}. Look at them: {sys.argv[0]} browse {directory}")
    raise SystemExit(code)
