"""The archive command: sources in, a sealed WARC file with its proof and its catalogue rows out."""

import json
import platform
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path

import msgspec
from sqlite_utils import Database

from archiver import __version__
from archiver.addresses import Proxies
from archiver.archive import Archive, Session
from archiver.capture.ask import Desk, Report
from archiver.capture.plan import Guesses, Planner, wanted
from archiver.capture.run import Reach, Run
from archiver.capture.wire.fetch import Client, Network
from archiver.capture.wire.routes import parse_proxy
from archiver.config import Settings
from archiver.errors import RecordError
from archiver.index import catalogue
from archiver.inputs import Inputs, Source
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Article, ArticleNote, FetchNote, Listing, ListingNote, Note, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.sources import read_document, read_listing


@dataclass(frozen=True)
class Aims:
    """What a run is to save, beside what its sources name: all that is neither network nor settings."""

    renditions: Guesses = "none"
    reach: Reach = field(default_factory=Reach)


@dataclass
class Kept:
    """What a run came to."""

    articles: int = 0
    listings: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    guesses: int = 0  # renditions that nobody referred to and that did not come
    unreadable: int = 0
    refused: list[str] = field(default_factory=list)  # what was named or found and cannot be read
    passed_over: int = 0  # files in folders that are no mirror documents
    limited: bool = False
    healed: list[str] = field(default_factory=list)
    sealed: CommittedWarc | None = None
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        return not self.unreadable and not self.refused and set(self.outcomes) <= {"whole"}

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        if not self.complete:
            return 3
        return 7 if self.limited else 0

    def count(self, note: Note) -> None:
        match note:
            case ArticleNote():
                self.articles += 1
            case ListingNote():
                self.listings += 1
            case FetchNote(form="rendition") if note.outcome != "whole":
                self.guesses += 1
            case FetchNote():
                self.outcomes[note.outcome] = self.outcomes.get(note.outcome, 0) + 1
            case UnreadableNote():
                self.unreadable += 1


def plan(
    givens: Sequence[str], settings: Settings, aims: Aims, say: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """What was named and a URL that would be asked for, in order, without asking.

    What a page, or a feed that is named by its URL, leads to is not known yet.
    """
    planner = _planner(settings, aims)
    with Sandbox() as sandbox:
        for source in Inputs(givens, sandbox, say, []):
            for url in _planned(source, sandbox, planner):
                yield source.given, url


def _planned(source: Source, sandbox: Sandbox, planner: Planner) -> Iterator[str]:
    if source.url is not None:
        yield source.url
        return
    if source.kind == "document":
        listing = Listing(kind="list", articles=(sandbox.read(Article, read_document, source.data),))
    else:
        listing = sandbox.read(Listing, read_listing, source.data)
    for article in listing.articles:
        if article.url is not None and article.kind == "document":
            yield article.url
        for form, _ in wanted(planner.with_forms(article)):
            yield form.url
    yield from (link.url for link in listing.links)


def keep(
    root: Path,
    givens: Sequence[str],
    network: Network,
    settings: Settings,
    aims: Aims | None = None,
    *,
    report: Report,
    say: Callable[[str], None],
) -> Kept:
    """Save sources into the archive at `root` and seal it. `say` gets each source that is not taken.

    Raises what stops the whole run: UsageError, Locked, ManifestError, StorageError. What failed for one
    source or URL is in the result and in the archive.
    """
    archive, aims, kept = Archive(root), aims or Aims(), Kept()
    planner = _planner(settings, aims)  # first: a mistake in the settings leaves the archive as it is

    def noted(note: Note) -> None:
        kept.count(note)
        report(note)

    with Sandbox() as sandbox, Client(network) as client:
        inputs = Inputs(givens, sandbox, say, kept.refused)
        sources = iter(inputs)
        first = next(sources, None)  # where nothing is to be saved, no archive is made
        if first is None:
            kept.passed_over = inputs.passed_over
            return kept
        with archive.lock("archive"):
            archive.create()
            kept.healed = archive.heal()
            archive.check_extendable()
            try:
                with _catalogue(archive, sandbox) as db:
                    session = Session(archive, sandbox, db, _info(network, settings, aims))
                    try:
                        run = Run(Desk(session, client, noted), sandbox, planner, aims.reach)
                        for source in chain([first], sources):
                            _save(run, source)
                        kept.limited, kept.passed_over = run.limited, inputs.passed_over
                        kept.sealed = session.seal()
                    finally:
                        session.close()
            except KeyboardInterrupt:
                kept.interrupted = True
                kept.healed += archive.heal()
                with _catalogue(archive, sandbox):  # anew: the connection may have been left in a transaction
                    pass
    return kept


def _save(run: Run, source: Source) -> None:
    if source.url is not None:
        run.url(source.url)
    else:
        run.file(source.given, source.data, source.kind)


def _planner(settings: Settings, aims: Aims) -> Planner:
    return Planner(Proxies(settings.instances, settings.proxies), aims.renditions)


@contextmanager
def _catalogue(archive: Archive, sandbox: Sandbox) -> Iterator[Database]:
    """The catalogue, up to date with the sealed files; one that is damaged is made anew."""
    warcs = [warc.path for warc in archive.manifest().warcs]
    try:
        with catalogue.writing(archive.root) as db:
            catalogue.catch_up(db, archive.root, warcs, sandbox)
    except (RecordError, sqlite3.DatabaseError):
        catalogue.rebuild(archive.root, warcs, sandbox)
    with catalogue.writing(archive.root) as db:
        yield db


def ensure_catalogue(root: Path) -> bool:
    """Make the catalogue when the archive has none, as after a copy; whether it was made."""
    Archive(root).manifest()
    missing = not (root / catalogue.NAME).exists()
    if missing:
        rebuild(root)
    return missing


def rebuild(root: Path) -> tuple[int, list[str]]:
    """Derived files from WARC alone: number of records, and what was healed before."""
    archive = Archive(root)
    archive.manifest()
    with archive.lock("rebuild"), Sandbox() as sandbox:
        healed = archive.heal()
        return catalogue.rebuild(root, [warc.path for warc in archive.manifest().warcs], sandbox), healed


def _info(network: Network, settings: Settings, aims: Aims) -> dict[str, str]:
    """The warcinfo fields: which software with which options wrote the file. No secrets."""
    proxy = network.proxy
    options = {
        **asdict(network),
        "proxy": proxy and parse_proxy(proxy).shown,
        "renditions": aims.renditions,
        "reach": aims.reach.options(),
        "settings": msgspec.to_builtins(settings),
    }
    return {
        "software": f"newsarchiver/{__version__} Python/{platform.python_version()}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "http-header-user-agent": network.user_agent,
        "robots": "ignore",
        "options": json.dumps(options, ensure_ascii=True, sort_keys=True),
    }
