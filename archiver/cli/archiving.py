"""`archiver archive`."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json, into_archive, key_folder, network, reason, settings, transfer
from archiver.console import Output

_MANNERS = ("parallel", "per_host", "delay", "retries")


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@into_archive
@network
@transfer
@click.option(
    "--parallel", type=int, metavar="N", help="Requests at once.  [default: 8, or as archiver.toml says]"
)
@click.option(
    "--per-host", type=int, metavar="N", help="Requests at once to one host.  [default: 1, or archiver.toml]"
)
@click.option(
    "--delay",
    type=float,
    metavar="SECONDS",
    help="Between two requests to one host.  [default: archiver.toml, else 1 or twice the time that the last"
    " one took, at most 30; 0 on your own machine or network]",
)
@click.option(
    "--retries",
    type=int,
    metavar="N",
    help="How often a URL is tried again that failed for now.  [default: 3, or archiver.toml]",
)
@click.option(
    "--contact", metavar="TEXT", help="A URL or mail address that publishers see; also in archiver.toml."
)
@click.option(
    "--ignore-robots",
    type=reason,
    metavar="REASON",
    help="Do not ask for robots.txt; the reason is put on record.",
)
@click.option(
    "--revisits",
    type=click.Choice(["all", "payload", "none"]),
    default="all",
    show_default=True,
    help="Store only a reference to what the archive has: what its server calls unchanged and the same bytes;"
    " only the same bytes; never.",
)
@click.option(
    "--retry-failed", is_flag=True, help="Ask again for what failed in earlier runs; SOURCE may be left out."
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
@as_json
@click.pass_context
def archive(
    ctx: click.Context,
    /,
    sources: tuple[str, ...],
    directory: Path,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Save articles, each with its page and every form of its pictures.

    SOURCE is the http(s) URL of an article, a feed, a sitemap or a section page; a file with a mirror
    document, a feed, a sitemap, OPML or a list of URLs; a folder of mirror documents; or - for stdin.
    The same command goes on with a run that was interrupted.
    """
    if not sources and not options["retry_failed"]:
        raise click.UsageError("Missing argument 'SOURCE...'.", ctx)
    from archiver import keep, preview, tell
    from archiver.tell.live import watching

    out = Output(as_json)
    found = settings(directory, options.pop("instance"))
    aims = _aims(found, options)
    manners = _manners(found, options)
    if dry_run:
        again = _failed(directory) if aims.retry_failed else ()
        _dry_run(out, chain(preview.plan(sources, found, aims, out.say), again))
        return
    kept = keep.keep(
        directory,
        sources,
        _network(found, options),
        found,
        aims,
        manners=manners,
        report=lambda note: tell.note(out, note),
        say=out.say,
        watching=lambda progress: watching(out, progress),
        keys=key_folder(),
        relating=out.alive,
    )
    for line in kept.healed:
        out.say(f"healed {line}")
    tell.kept(out, directory, kept)
    raise SystemExit(kept.exit_code)


def _aims(found: Any, options: dict[str, Any]) -> Any:
    from archiver.addresses.scope import Scope
    from archiver.capture.run import Reach
    from archiver.kept import Aims

    follow, rescue = options.pop("follow"), options.pop("rescue")
    reach = Reach(
        scope=Scope.parse(follow) if follow is not None else None,
        depth=options.pop("depth"),
        pages=options.pop("max_pages"),
        timegate=found.timegate if rescue else None,
    )
    names = ("renditions", "revisits", "retry_failed")
    return Aims(reach=reach, **{name: options.pop(name) for name in names})


def _manners(found: Any, options: dict[str, Any]) -> Any:
    import msgspec

    from archiver import config
    from archiver.capture.manners import Manners

    asked = config.overridden(found.manners, {name: options.pop(name) for name in _MANNERS})
    return Manners(**msgspec.structs.asdict(asked), ignore_robots=options.pop("ignore_robots") or "")


def _network(found: Any, options: dict[str, Any]) -> Any:
    """The limits of archiver.toml, and what is left of the options: curl's, each a field of its own."""
    from archiver.capture.wire.fetch import Network, user_agent

    limits = found.limits
    return Network(
        connect_seconds=limits.connect_seconds,
        first_byte_seconds=limits.first_byte_seconds,
        read_seconds=limits.read_seconds,
        slow_bytes=limits.slow_bytes,
        slow_seconds=limits.slow_seconds,
        total_seconds=options.pop("max_time"),
        max_bytes=limits.bytes,
        max_redirects=limits.redirects,
        user_agent=user_agent(options.pop("contact") or found.contact or None),
        **options,
    )


def _failed(directory: Path) -> Iterator[tuple[str, str]]:
    from archiver import upkeep
    from archiver.show import reading
    from archiver.status import failures

    upkeep.ensure_catalogue(directory)
    with reading(directory) as db:
        for row in failures(db):
            yield "--retry-failed", row["url"]


def _dry_run(out: Output, planned: Iterator[tuple[str, str]]) -> None:
    count = 0
    for count, (source, url) in enumerate(planned, 1):  # noqa: B007 - counted after the loop
        out.row({"type": "planned", "source": source, "url": url})
        out.text(url)
    out.row({"type": "summary", "urls": count})
