"""`archiver export`: what of an archive goes into the forms of other tools."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json, in_archive, key_folder, network
from archiver.cli.options import size as size_in_bytes
from archiver.console import Output

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def export() -> None:
    """Write articles and their records in a form that other tools read.

    What goes out is compared with the commitment first; what is damaged is never exported. Nothing that is
    there is written over.
    """


_SELECTING = (
    click.argument("subjects", metavar="[SUBJECT]...", nargs=-1),
    click.option("--query", default="", metavar="WORDS", help="The articles that 'archiver search' finds."),
    click.option("--all", "everything", is_flag=True, help="All that the archive has."),
    in_archive,
    click.option(
        "--into",
        metavar="PATH",
        type=click.Path(path_type=Path),
        required=True,
        help="Where it goes. What is there is never written over.",
    ),
    as_json,
)


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every format takes: `subjects`, `query`, `everything`, `directory`, `into`, `as_json`."""
    for option in reversed(_SELECTING):
        command = option(command)
    return command


@contextmanager
def selected(
    directory: Path, subjects: tuple[str, ...], query: str, *, everything: bool
) -> Iterator[tuple[Any, Any]]:
    """The selection (`exporting.selection.Selection`) and the catalogue, open to read."""
    from archiver import upkeep
    from archiver.exporting.selection import Wanted, select
    from archiver.show import reading

    if everything == bool(subjects or query):
        raise click.UsageError("Name SUBJECTs or --query, or --all.")
    upkeep.ensure_catalogue(directory)
    with reading(directory) as db:
        yield select(directory, db, Wanted(subjects, query, everything)), db


size = click.option(
    "--size",
    type=size_in_bytes,
    metavar="SIZE",
    help="Write parts NAME-001, NAME-002 … of about this size, each complete in itself: 1GB.",
)


@export.command()
@selecting
@size
@click.option(
    "--cert",
    metavar="FILE",
    type=_FILE,
    help="Sign for a domain: PEM file of its TLS certificate and those above it. Needs --authority.",
)
@click.option("--cert-key", metavar="FILE", type=_FILE, help="For --cert: PEM file of its private key.")
@click.option("--authority", metavar="URL", help="For --cert: the timestamp authority (RFC 3161) to ask.")
@click.option("--roots", metavar="FILE", type=_FILE, help="For --authority: PEM file of its roots.")
@network
def wacz(
    directory: Path,
    subjects: tuple[str, ...],
    query: str,
    *,
    everything: bool,
    into: Path,
    size: int | None,
    as_json: bool,
    cert: Path | None,
    cert_key: Path | None,
    authority: str | None,
    roots: Path | None,
    **options: Any,
) -> None:
    """Write a WACZ for ReplayWeb.page and pywb: records, index, pages, proof, signature.

    It is signed with a key that is derived from the one that signs the archive; with --cert for a domain.
    """
    from archiver.capture.wire.fetch import Network
    from archiver.exporting.wacz.package import write_wacz
    from archiver.exporting.wacz.signatures import Domain, Signer, anonymous, by_domain, own_key
    from archiver.tell.exported import written

    out = Output(as_json)
    signer: Signer | None
    if cert and cert_key and authority and roots:
        domain = Domain.parse(cert.read_bytes(), cert_key.read_bytes())
        signer = by_domain(domain, Network(**options), authority, roots)
    elif cert or cert_key or authority or roots:
        raise click.UsageError("--cert, --cert-key, --authority and --roots go together.")
    else:
        key = own_key(directory, key_folder())
        signer = anonymous(key) if key else None
    with out.alive(lambda: "writing"), selected(directory, subjects, query, everything=everything) as found:
        made = write_wacz(*found, into, size, signer)
    written(out, "wacz", found[0].left_out, made)


@export.command()
@selecting
def cdxj(
    directory: Path, subjects: tuple[str, ...], query: str, *, everything: bool, into: Path, as_json: bool
) -> None:
    """Write an index of the archive's own WARC files, sorted, for pywb and others."""
    from archiver.exporting.cdxj import write_cdxj
    from archiver.tell.exported import written

    out = Output(as_json)
    with out.alive(lambda: "reading"), selected(directory, subjects, query, everything=everything) as found:
        made = write_cdxj(found[0], into)
    written(out, "cdxj", found[0].left_out, made)


@export.command()
@selecting
@size
def warc(
    directory: Path,
    subjects: tuple[str, ...],
    query: str,
    *,
    everything: bool,
    into: Path,
    size: int | None,
    as_json: bool,
) -> None:
    """Write the records as they are stored into one WARC file, or several."""
    from archiver.exporting.warc import write_warc
    from archiver.tell.exported import written

    out = Output(as_json)
    with out.alive(lambda: "writing"), selected(directory, subjects, query, everything=everything) as found:
        made = write_warc(*found, into, size)
    written(out, "warc", found[0].left_out, made)
