"""The import command: files of others in, committed as they are, with notes on what they hold.

First all files are taken in, then all that is new is noted, so that a page and its pictures belong together
also when they lie in different files. What was cut off is gone on with by the next import: a file is done
when its `import` note is there.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archiver.addresses import Proxies
from archiver.archive import Archive
from archiver.capture.desk import Desk
from archiver.capture.outcome import word
from archiver.capture.plan import Planner
from archiver.capture.reading import Reader
from archiver.capture.records import manifest_record
from archiver.capture.revisits import Revisits
from archiver.config import Settings
from archiver.errors import RecordError, SourceError
from archiver.importing.answers import Answers
from archiver.importing.fetches import Fetches
from archiver.importing.files import HEAD_BYTES, Files, Found
from archiver.importing.packages import Package, package_of, state_of
from archiver.importing.pages import Pages
from archiver.importing.taking import Taken, Taker
from archiver.index.foreign import passed_over
from archiver.index.memory import Memory
from archiver.index.rows import value
from archiver.inputs import plain_name
from archiver.intake import FOLDER, TRANSCRIPT
from archiver.keys import KeyFolder
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedWarc
from archiver.model import GAP, ImportNote, Location, Record, RunNote
from archiver.relating import Relating, relate_quietly, unwatched
from archiver.sandbox import Sandbox
from archiver.session import SealAt, Session
from archiver.signals import Stop, stoppable
from archiver.storage import is_imported, open_stored
from archiver.upkeep import SOFTWARE, catalogue_of, signer
from archiver.warc.foreign import FileKind, recognise_file
from archiver.warc.stored import read_record
from archiver.warc.warcinfo import values
from archiver.warc.write import record_id, warc_date

REST = 500  # answers after which what is noted is sealed, if it is much
Watching = Callable[[Callable[[], str]], AbstractContextManager[None]]


@dataclass
class Imported:
    """What an import came to. `outcomes` count URLs, in the words of `capture.outcome.word`."""

    run: str = ""
    files: list[Taken] = field(default_factory=list)
    noted: int = 0  # files that were taken in earlier, and of which the notes were still to be made
    articles: int = 0
    listings: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    passed_over: int = 0
    healed: list[str] = field(default_factory=list)
    sealed: list[CommittedWarc] = field(default_factory=list)
    signed: int = 0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        return 3 if self.refused or any(taken.gaps for taken in self.files) else 0


@dataclass(frozen=True)
class _Pending:
    """A file in imports/ of which notes are still to be made."""

    path: str
    given: str
    warcs: tuple[int, ...]  # rows of `warcs`: its own, and its transcript's
    transcript: str
    kind: FileKind
    package: Package


def import_files(
    root: Path,
    givens: Sequence[str],
    settings: Settings,
    *,
    link: bool = False,
    report: Callable[[Taken], None],
    say: Callable[[str], None],
    keys: KeyFolder | None = None,
    watching: Watching = lambda _: nullcontext(),
    relating: Relating = unwatched,
) -> Imported:
    """Take files of others into the archive at `root`; `link`: leave them where they are.

    `report` gets each file as it is taken, `say` a line for what is not. Raises what stops it: UsageError,
    Locked, ManifestError, StorageError. What is wrong with one file is in the result.
    """
    archive, result = Archive(root), Imported()
    planner = Planner(Proxies(settings.instances, settings.proxies))
    with Sandbox() as sandbox:
        files = Files(givens, root, sandbox, say, result.refused)
        found = iter(files)
        first = list(islice(found, 1))
        if not first:  # then no archive is made
            result.passed_over = files.passed_over
            return result
        with archive.lock("import"):
            archive.create()
            archive.signer = signing = signer(archive, say, keys) if settings.proof.sign else None
            result.healed = archive.heal()
            archive.check_extendable()
            with stoppable() as stop:
                work = _Work(archive, Taker(archive, sandbox, link=link), result, planner, stop)
                try:
                    with watching(work.words):
                        work.complete(files)
                        work.take(files, chain(first, found), report)
                    with catalogue_of(archive, sandbox) as db:
                        with watching(work.words):
                            work.note(db, settings, files)
                        relate_quietly(db, root, sandbox, say, stop=stop, watching=relating)
                finally:
                    result.passed_over = files.passed_over
                    result.signed = signing.signed if signing else 0
        result.interrupted = stop()
    return result


class _Work:
    """One import, step by step."""

    def __init__(
        self, archive: Archive, taker: Taker, result: Imported, planner: Planner, stop: Stop
    ) -> None:
        self._archive, self._taker, self._sandbox, self._result = archive, taker, taker.sandbox, result
        self._planner, self._stop = planner, stop
        self._names: dict[str, str] = {}  # of files taken in now, what the person called them
        self._left: set[str] = set()  # files whose notes are left to a later import
        self._doing = "reading"
        self._done = 0

    def words(self) -> str:
        """How far it is."""
        read = f"{len(self._result.files):,} files, {self._taker.records:,} records"
        return f"{self._doing}: {read}" + (f", {self._done:,} answers noted" if self._done else "")

    def take(self, files: Files, found: Iterator[Found], report: Callable[[Taken], None]) -> None:
        """Take in file by file, until it is to stop."""
        for one in found:
            if self._stop():
                return
            self._doing = f"taking in {one.given}"
            try:
                taken = self._taker.take(one, self._stop)
            except (RecordError, SourceError) as error:
                files.refuse(one.given, error)
                continue
            if taken is not None:
                self._names[taken.path] = one.given
                self._result.files.append(taken)
                report(taken)

    def complete(self, files: Files) -> None:
        """Make the transcripts that a crash left out. A linked file that is not at hand waits for it."""
        root, manifest = self._archive.root, self._archive.manifest()
        there = {warc.path for warc in manifest.warcs}
        lacking = [
            warc.path
            for warc in manifest.warcs
            if is_imported(warc.path) and warc.path + TRANSCRIPT not in there and _may_hide(root, warc)
        ]
        if not lacking:
            return
        with catalogue_of(self._archive, self._sandbox) as db:
            pending = [path for path in lacking if _is_pending(db, path)]
        for path in pending:
            if self._stop():
                return
            try:
                self._taker.transcribe(path)
            except SourceError as error:
                self._leave(path, error, files)

    def _leave(self, path: str, error: SourceError, files: Files) -> None:
        if path not in self._left:
            files.refuse(path, error)
        self._left.add(path)

    def note(self, db: Database, settings: Settings, files: Files) -> None:
        """Write notes on all that is new."""
        root, result = self._archive.root, self._result
        pending = list(self._pending(db, files))
        kept = [record for record in map(manifest_record, files.manifests) if not _is_there(db, record)]
        if not (pending or kept) or self._stop():
            return
        result.run, started = record_id(), warc_date(datetime.now(UTC))
        memory = Memory(db, root, result.run)
        session = Session(self._archive, self._sandbox, db, _info(result.run), SealAt(settings.seal.bytes))
        try:
            desk = Desk(session, memory, Revisits(memory, "none"), lambda _: None)
            self._notes(db, desk, memory, pending)
            if not self._stop():
                for one in pending:
                    desk.note(_import_note(db, self._archive, one), None)
                result.noted = len(pending)
                for record in kept:
                    desk.keep(record)
            desk.flush()
            result.articles, result.listings = (
                _sources(db, table, pending) for table in ("articles", "listings")
            )
            for outcome, unchanged, stage, count in memory.outcomes():
                counted = word(outcome, stage, unchanged=unchanged)
                result.outcomes[counted] = result.outcomes.get(counted, 0) + count
            named = tuple(plain_name(Path(given).name or given) for given in files.givens)
            note = RunNote(
                run=result.run,
                started=started,
                sources=named,
                interrupted=self._stop(),
                complete=not result.refused and not self._stop(),
            )
            desk.note(note, None)
            desk.flush()
            session.seal()
        finally:
            session.close()
            result.sealed = session.sealed

    def _pending(self, db: Database, files: Files) -> Iterator[_Pending]:
        """The files in imports/ that have no `import` note yet, and are at hand."""
        for warc in self._archive.manifest().warcs:
            path = warc.path
            if path in self._left or not _is_pending(db, path):
                continue
            both = "SELECT id, path FROM warcs WHERE path IN (?, ?) ORDER BY id"
            rows = db.execute(both, [path, path + TRANSCRIPT]).fetchall()
            transcript = next((name for _, name in rows if name != path), "")
            given = self._names.get(path, path.removeprefix(f"{FOLDER}/"))
            warcs = tuple(row for row, _ in rows)
            try:
                yield _Pending(path, given, warcs, transcript, *_looked_at(self._archive.root, path))
            except SourceError as error:
                self._leave(path, error, files)

    def _notes(self, db: Database, desk: Desk, memory: Memory, pending: Sequence[_Pending]) -> None:
        """First articles, since pictures belong to them; then what came of each URL."""
        answers = Answers(db, self._archive.root)
        reader = Reader(desk, memory, self._sandbox, self._planner)
        pages = Pages(db, desk, reader, self._sandbox)
        now = warc_date(datetime.now(UTC))
        self._doing = "reading pages"
        for one in pending:
            for answer in answers.of(one.warcs, others=True):
                if self._stop():
                    return
                pages.note(answer, one.given, one.package.pages, answers)
            desk.flush()  # so that the next file's revisits find what was read
        planner = self._planner
        fetches = Fetches(db, desk, memory, answers=answers, pages=pages, planner=planner, now=now)
        self._doing = "noting what came"
        warcs = [warc for one in pending for warc in one.warcs]
        fetches.follow(answers.of(warcs, redirects=True))
        for answer in answers.of(warcs):
            if self._stop():
                return
            fetches.note(answer)
            self._done += 1
            if self._done % REST == 0:
                desk.rest()


def _is_there(db: Database, record: Record) -> bool:
    return value(db, "SELECT 1 FROM records WHERE uri = ? AND type = 'resource'", record.uri) is not None


def _sources(db: Database, table: str, pending: Sequence[_Pending]) -> int:
    """How many articles or listings these files hold."""
    number: int = value(
        db,
        f"SELECT count(*) FROM {table} WHERE source_id IN (SELECT record_id FROM records"  # noqa: S608
        " WHERE warc_id IN (SELECT value FROM json_each(?)))",
        json.dumps([warc for one in pending for warc in one.warcs]),
    )
    return number


def _may_hide(root: Path, warc: CommittedWarc) -> bool:
    """Whether a file in imports/ has a stretch that may hold records without a place of their own."""
    return any(entry.type == GAP for entry in recordlist.read(root / warc.list.path))


def _is_pending(db: Database, path: str) -> bool:
    """Whether it is a file in imports/ that has no `import` note yet."""
    if not is_imported(path) or path.endswith(TRANSCRIPT):
        return False
    return value(db, "SELECT 1 FROM imports WHERE path = ?", path) is None


def _looked_at(root: Path, path: str) -> tuple[FileKind, Package]:
    """The kind of a file in imports/, and of a WACZ what it says of itself."""
    try:
        with open_stored(root, path) as file:
            kind = recognise_file(file.read(HEAD_BYTES))
            try:
                return kind, package_of(file) if kind == "wacz" else Package()
            except RecordError:  # bytes that are no longer what they were: `verify` says so
                return kind, Package()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}", "Run 'archiver verify'.") from error


def _import_note(db: Database, archive: Archive, one: _Pending) -> ImportNote:
    warcs = {warc.path: warc for warc in archive.manifest().warcs}
    warc, root = warcs[one.path], archive.root
    records = gaps = 0
    for path in filter(None, (one.path, one.transcript)):
        for entry in recordlist.read(root / warcs[path].list.path):
            gaps += entry.type == GAP
            records += entry.type != GAP
    return ImportNote(
        file=one.path,
        given=one.given,
        bytes=warc.bytes,
        digest=warc.digest,
        kind=one.kind,
        stored="linked" if (root / one.path).is_symlink() else "copied",
        transcript=one.transcript,
        records=records,
        gaps=gaps,
        passed_over=sum(passed_over(db, path) for path in (one.path, one.transcript) if path),
        software=_software(db, root, one.warcs),
        title=one.package.title,
        main_page=one.package.main_page,
        **(_checked(root, one.path) if one.kind == "wacz" else {}),
    )


def _checked(root: Path, path: str) -> dict[str, Any]:
    try:
        with open_stored(root, path) as file:
            return state_of(file)
    except (OSError, RecordError):  # a link whose file is gone
        return {}


def _software(db: Database, root: Path, warcs: Collection[int]) -> str:
    """What the first warcinfo record says that wrote it."""
    row = db.execute(
        "SELECT path, offset, length FROM records JOIN warcs ON warcs.id = warc_id WHERE type = 'warcinfo'"
        " AND warc_id IN (SELECT value FROM json_each(?)) ORDER BY records.id LIMIT 1",
        [json.dumps(list(warcs))],
    ).fetchone()
    if row is None:
        return ""
    try:
        record = read_record(root, Location(file=row[0], offset=row[1], length=row[2]))
    except RecordError:
        return ""
    return next(iter(values(record.block, "software")), "")[:300]


def _info(run: str) -> dict[str, str]:
    return {"run": run, **SOFTWARE}
