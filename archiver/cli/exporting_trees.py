"""`archiver export` into folders: tables, pictures as files, mirror documents, a bag, a site."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from archiver.cli.exporting import export, selected, selecting
from archiver.console import Output


def _run(form: str, asked: dict[str, Any], write: Callable[..., Any]) -> NoReturn:
    """Export the selection by `write(root, db, selection, into, report)`; tell how it went, and end."""
    from archiver.tell.exported import exported, problem

    directory, into, out = asked.pop("directory"), asked.pop("into"), Output(asked.pop("as_json"))
    with out.alive(lambda: f"writing {into}"), selected(directory, **asked) as (selection, db):
        made = write(directory, db, selection, into, lambda found: problem(out, found))
    exported(out, form, made, into)
    raise SystemExit(made.exit_code)


@export.command()
@selecting
def csv(**asked: Any) -> None:
    """Write articles, pictures and captures as CSV files for spreadsheets.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    _write_tables("csv", asked)


@export.command()
@selecting
def jsonl(**asked: Any) -> None:
    """Write articles, pictures and captures as JSON Lines."""
    _write_tables("jsonl", asked)


def _write_tables(kind: Any, asked: dict[str, Any]) -> None:
    from archiver.exporting.tables import write_tables

    def write(_root: Path, db: Any, selection: Any, into: Path, _report: Any) -> Any:
        return write_tables(db, selection.articles(), kind, into)

    _run(kind, asked, write)


@export.command()
@selecting
@click.option(
    "--same-bytes",
    "same",
    type=click.Choice(["copy", "link", "once"]),
    default="copy",
    show_default=True,
    help="Bytes that are there already: copied again, a hard link, or written once and only named.",
)
@click.option("--aside", is_flag=True, help="Also pictures around the article, of menus and teasers.")
def files(same: Any, aside: bool, **asked: Any) -> None:
    """Write every form of every picture under a readable name, with SHA256SUMS and where each is from."""
    from archiver.exporting.files import write_files

    def write(root: Path, db: Any, selection: Any, into: Path, report: Any) -> Any:
        return write_files(root, db, selection.articles(), into, same=same, aside=aside, report=report)

    _run("files", asked, write)


@export.command()
@selecting
@click.option(
    "--form",
    "choice",
    type=click.Choice(["best", "origin", "proxied"]),
    default="best",
    show_default=True,
    help="Which form of a picture, where several came. Best: the publisher's own, else the proxy's copy.",
)
def mirror(choice: Any, **asked: Any) -> None:
    """Write articles as mirror documents again, with their pictures beside them.

    What was given as a document is the same byte for byte, but for its pictures' addresses. Pages become
    documents.
    """
    from archiver.exporting.mirror import write_mirror

    def write(root: Path, db: Any, selection: Any, into: Path, report: Any) -> Any:
        return write_mirror(root, db, selection.articles(), into, choice=choice, report=report)

    _run("mirror", asked, write)


@export.command()
@selecting
def bagit(**asked: Any) -> None:
    """Write all of the archive, or records of it as a WARC file, as a bag (RFC 8493) for libraries."""
    from archiver.exporting.bagit import write_bag

    def write(_root: Path, db: Any, selection: Any, into: Path, report: Any) -> Any:
        return write_bag(selection, db, into, report=report)

    _run("bagit", asked, write)


@export.command()
@selecting
@click.option(
    "--title", default="", metavar="WORDS", help="What the site is called. Default: the archive's folder."
)
@click.option(
    "--language",
    "tag",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of its headings and labels.",
)
@click.option("--no-records", is_flag=True, help="Do not give away each article's records as a WARC file.")
def site(title: str, tag: str, no_records: bool, **asked: Any) -> None:
    """Write a static site for any web host: lists, and a page for each article. It runs no script."""
    from archiver.browse.site.build import Wishes, write_site

    def write(root: Path, db: Any, selection: Any, into: Path, report: Any) -> Any:
        wishes = Wishes(title, tag, records=not no_records)
        return write_site(root, db, selection.articles(), into, wishes=wishes, report=report)

    _run("site", asked, write)
