"""The archive command: sources in, a sealed WARC file with its proof and its catalogue rows out."""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlite_utils import Database

from archiver import __version__
from archiver.addresses import canonical
from archiver.archive import Archive, Session
from archiver.capture.fetch import Client, Network
from archiver.capture.plan import wanted, with_forms
from archiver.capture.routes import parse_proxy
from archiver.capture.run import Report, Run
from archiver.config import Settings
from archiver.errors import ArchiverError, RecordError, SourceError
from archiver.index import catalogue
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Article, ArticleNote, FetchNote, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.sources import is_mirror_document, read_document

DOCUMENT_BYTES = 64 << 20


@dataclass(frozen=True)
class Source:
    """What the person named: a mirror document's bytes, or the URL of an article's page."""

    given: str
    data: bytes | None = None
    url: str | None = None


@dataclass
class Kept:
    """What a run came to."""

    articles: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    refused: list[str] = field(default_factory=list)  # sources that were not taken
    healed: list[str] = field(default_factory=list)
    sealed: CommittedWarc | None = None
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        return not self.unreadable and not self.refused and set(self.outcomes) <= {"whole"}

    def count(self, note: ArticleNote | FetchNote | UnreadableNote) -> None:
        match note:
            case ArticleNote():
                self.articles += 1
            case FetchNote():
                self.outcomes[note.outcome] = self.outcomes.get(note.outcome, 0) + 1
            case UnreadableNote():
                self.unreadable += 1


def recognise(given: str) -> Source:
    """Tell what was named: an http(s) URL, a file with a mirror document, or `-` for one on stdin.

    Raises SourceError, UsageError.
    """
    if given.lower().startswith(("http://", "https://")):
        return Source(given=given, url=canonical(given))
    try:
        if given == "-":
            data = sys.stdin.buffer.read(DOCUMENT_BYTES + 1)
        else:
            with Path(given).open("rb") as file:
                data = file.read(DOCUMENT_BYTES + 1)
    except OSError as error:
        raise SourceError(
            f"{given}: {error.strerror or error}", "Name a mirror document or an http(s) URL."
        ) from error
    if len(data) > DOCUMENT_BYTES:
        raise SourceError(f"{given}: larger than a mirror document may be ({DOCUMENT_BYTES} bytes)")
    if not is_mirror_document(data):
        raise SourceError(
            f"{given}: neither a mirror document nor an http(s) URL",
            "docs/sources.md shows what a mirror document is.",
        )
    name = os.fsencode(Path(given).name).decode("utf-8", "backslashreplace")
    return Source(given=given if given == "-" else name, data=data)


def plan(source: Source, settings: Settings) -> Iterator[str]:
    """The URLs that would be asked for, in order, without asking. A page's pictures are not known yet."""
    if source.url is not None:
        yield source.url
    if source.data is None:
        return
    with Sandbox() as sandbox:
        article = sandbox.read(Article, read_document, source.data)
    if article.url is not None:
        yield article.url
    for form, _ in wanted(with_forms(article, settings.instances)):
        yield form.url


def keep(
    root: Path,
    givens: Sequence[str],
    network: Network,
    settings: Settings,
    *,
    report: Report,
    say: Callable[[str], None],
) -> Kept:
    """Save sources into the archive at `root` and seal it. `say` gets each source that is refused.

    Raises what stops the whole run: Locked, ManifestError, StorageError. What failed for one source
    or URL is in the result and in the archive.
    """
    archive = Archive(root)
    kept = Kept()
    sources = _recognised(givens, kept, say)
    if not sources:
        return kept

    def noted(note: ArticleNote | FetchNote | UnreadableNote) -> None:
        kept.count(note)
        report(note)

    with Sandbox() as sandbox, Client(network) as client, archive.lock("archive"):
        archive.create()
        kept.healed = archive.heal()
        archive.check_extendable()
        try:
            with _catalogue(archive, sandbox) as db:
                session = Session(archive, sandbox, db, _info(network, settings))
                try:
                    run = Run(session, client, sandbox, settings.instances, noted)
                    for source in sources:
                        _save(run, source)
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
    if source.data is not None:
        run.document(source.given, source.data)
    elif source.url is not None:
        run.page(source.url)


def _recognised(givens: Sequence[str], kept: Kept, say: Callable[[str], None]) -> list[Source]:
    sources = []
    for given in givens:
        try:
            sources.append(recognise(given))
        except ArchiverError as error:
            kept.refused.append(given)
            say(f"{error}. {error.advice}".strip())
    return sources


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


def _info(network: Network, settings: Settings) -> dict[str, str]:
    """The warcinfo fields: which software with which options wrote the file. No secrets."""
    proxy = network.proxy
    options = {
        **asdict(network),
        "proxy": proxy and parse_proxy(proxy).shown,
        "instances": list(settings.instances),
    }
    return {
        "software": f"newsarchiver/{__version__} Python/{platform.python_version()}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "http-header-user-agent": network.user_agent,
        "robots": "ignore",
        "options": json.dumps(options, ensure_ascii=True, sort_keys=True),
    }
