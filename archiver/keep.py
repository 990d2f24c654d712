"""The archive command: sources in, a sealed WARC file with its proof and its catalogue rows out."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, islice
from pathlib import Path

import msgspec
from sqlite_utils import Database

from archiver import journal
from archiver.addresses import Proxies
from archiver.archive import Archive
from archiver.capture.desk import Desk, Report
from archiver.capture.engine import Engine
from archiver.capture.manners import Manners
from archiver.capture.manners.quota import Quota
from archiver.capture.manners.robots import Known
from archiver.capture.outcome import word
from archiver.capture.plan import Planner
from archiver.capture.reading import Reader
from archiver.capture.records import note_record
from archiver.capture.revisits import Revisits
from archiver.capture.run import Run
from archiver.capture.wire.fetch import Client, Network
from archiver.capture.wire.routes import parse_proxy
from archiver.config import Settings
from archiver.index import catalogue
from archiver.index.memory import Memory
from archiver.inputs import Inputs, Source
from archiver.journal import Unfinished
from archiver.kept import Aims, Kept, Progress, Watching
from archiver.keys import KeyFolder
from archiver.model import Note, RunNote
from archiver.relating import Relating, relate_quietly, unwatched
from archiver.sandbox import Sandbox
from archiver.session import SealAt, Session
from archiver.signals import Stop, stoppable
from archiver.stamping import Stamping
from archiver.upkeep import SOFTWARE, catalogue_of, signer
from archiver.warc.write import record_id, warc_date

CONTINUED = timedelta(days=1)  # since its last record, a run that was cut off can be continued


@dataclass(frozen=True)
class _Orders:
    """What the person wants of a run."""

    givens: Sequence[str]
    network: Network
    settings: Settings
    aims: Aims
    manners: Manners
    planner: Planner
    report: Report
    say: Callable[[str], None]
    watching: Watching


def keep(
    root: Path,
    givens: Sequence[str],
    network: Network,
    settings: Settings,
    aims: Aims | None = None,
    *,
    manners: Manners | None = None,
    report: Report,
    say: Callable[[str], None],
    watching: Watching = lambda _: nullcontext(),
    keys: KeyFolder | None = None,
    relating: Relating = unwatched,
) -> Kept:
    """Save sources into the archive at `root` and seal it. `say` gets each source that is not taken.

    `keys` sign what is sealed: left out, those of the person. What cannot be signed is said.
    When all is sealed, its pictures are compared; `relating` gets what tells how far that is.
    A run of the same sources and aims that was cut off is continued. `watching` gets what tells how far it
    is. Raises what stops the whole run: UsageError, Locked, ManifestError, StorageError, and
    KeyboardInterrupt when it is to end at once. What failed for one source or URL is in the result and in
    the archive.
    """
    aims, kept, archive = aims or Aims(), Kept(), Archive(root)
    # First: a mistake in the settings leaves the archive as it is.
    planner = Planner(Proxies(settings.instances, settings.proxies), aims.renditions)
    orders = _Orders(givens, network, settings, aims, manners or Manners(), planner, report, say, watching)
    with Sandbox() as sandbox, Client(network) as client:
        inputs = Inputs(givens, sandbox, say, kept.refused)
        sources = iter(inputs)
        first = list(islice(sources, 1))
        if not first and not aims.retry_failed:  # where nothing is to be saved, no archive is made
            kept.passed_over = inputs.passed_over
            return kept
        if not first:
            archive.manifest()
        with archive.lock("archive"):
            archive.create()
            archive.signer = signing = signer(archive, say, keys) if settings.proof.sign else None
            kept.healed = archive.heal()
            archive.check_extendable()
            with catalogue_of(archive, sandbox) as db:
                work = _Work(orders, archive, sandbox, db, kept)
                try:
                    with stoppable() as stop:
                        work.do(client, chain(first, sources), stop)
                        kept.passed_over = inputs.passed_over
                        work.end(interrupted=stop())
                        relate_quietly(db, root, sandbox, say, stop=stop, watching=relating)
                finally:
                    work.close()
                    kept.signed = signing.signed if signing else 0
    return kept


class _Work:
    """The parts of one run, put together."""

    def __init__(self, orders: _Orders, archive: Archive, sandbox: Sandbox, db: Database, kept: Kept) -> None:
        """Begin a run, or go on with one that was cut off: durably remembered."""
        self._orders, self._root, self._sandbox, self._kept = orders, archive.root, sandbox, kept
        self._begun = _begun(archive.root, orders, db)
        self._memory = Memory(db, archive.root, self._begun.run)
        kept.run, kept.continued = self._begun.run, self._memory.begun
        seal = orders.settings.seal
        info = _info(orders, self._begun.run)
        stamping = Stamping(archive, orders.settings.proof, orders.network, kept.asked, orders.say)
        at = SealAt(seal.bytes, 60 * seal.minutes)
        self._session = Session(archive, sandbox, db, info, at, value=stamping.value, after=stamping.ask)
        self._revisits = Revisits(self._memory, orders.aims.revisits, orders.settings.revisits.bytes)
        self._desk = Desk(self._session, self._memory, self._revisits, self._noted)

    def do(self, client: Client, sources: Iterator[Source], stop: Stop) -> None:
        """Save the sources, and all that follows from them."""
        aims, watching = self._orders.aims, self._orders.watching
        with (
            catalogue.reading(self._root) as db,
            Known(Memory(db, self._root, self._begun.run)) as known,
            self._engine(client, known) as engine,
            watching(partial(self._progress, engine, stop)),
        ):
            run = Run(
                self._desk,
                engine,
                self._memory,
                revisits=self._revisits,
                reader=Reader(self._desk, self._memory, self._sandbox, self._orders.planner),
                reach=aims.reach,
                continued=self._kept.continued,
                insist=aims.retry_failed,
            )
            run.begin(partial(_save, run, source) for source in sources)
            if aims.retry_failed:
                run.begin(partial(run.again, note) for note in self._memory.failures())
            run.save(stop)
            self._kept.limited = run.limited

    def end(self, *, interrupted: bool) -> None:
        """Write the run's last record, which says how it ended, and seal."""
        kept = self._kept
        kept.interrupted, kept.outcomes = interrupted, {}
        for outcome, unchanged, stage, count in self._memory.outcomes():
            counted = word(outcome, stage, unchanged=unchanged)
            kept.outcomes[counted] = kept.outcomes.get(counted, 0) + count
        note = RunNote(
            run=kept.run,
            started=self._begun.started,
            sources=self._begun.sources,
            interrupted=interrupted,
            complete=kept.complete,
            continued=kept.continued,
            outcomes=kept.outcomes,
        )
        if self._session.wrote or kept.outcomes:
            self._session.append([note_record(note, None)])
        self._session.seal()
        if not interrupted:
            journal.end(self._root, self._begun)

    def close(self) -> None:
        """Leave what is open to the next command."""
        self._session.close()
        self._kept.sealed = self._session.sealed

    def _engine(self, client: Client, known: Known) -> Engine:
        """With the quotas of known services, less what was asked of them just before."""
        planner, quotas = self._orders.planner, []
        for rule, (requests, seconds) in planner.proxies.quotas():
            quota = Quota(rule.name, requests, seconds)
            since = datetime.now(UTC) - timedelta(seconds=seconds)
            quota.used(sum(self._memory.asked_since(host, since) for host in rule.hosts))
            quotas.append((quota, frozenset(rule.hosts)))
        return Engine(
            client, self._orders.manners, quotas=quotas, passed_on=planner.passed_on, known=known.rules
        )

    def _noted(self, note: Note) -> None:
        self._kept.count(note)
        self._orders.report(note)

    def _progress(self, engine: Engine, stop: Stop) -> Progress:
        return Progress(
            outcomes=dict(self._kept.outcomes),
            articles=self._kept.articles,
            waiting=engine.pending,
            requests=engine.requests,
            bytes=engine.bytes,
            hosts=tuple(engine.hosts()),
            stopping=stop(),
        )


def _save(run: Run, source: Source) -> None:
    if source.url is not None:
        run.url(source.url)
    else:
        run.file(source.given, source.data, source.kind)


def _goes_on(unfinished: Unfinished, memory: Memory) -> bool:
    """Whether a run that was cut off is continued: what is older than a day would hide what is new since.

    Nor is one whose end is noted, where the crash came before it was forgotten, or one of standard input.
    """
    last = datetime.fromisoformat(memory.newest or unfinished.started)
    fresh = abs(datetime.now(UTC) - last) < CONTINUED
    return fresh and not memory.has_ended and "-" not in unfinished.sources


def _named(source: str) -> str:
    """As notes name what was given: without the folders above it, and without anybody's password."""
    scheme, mark, rest = source.partition("://")
    if not mark:
        return Path(source).name or source
    server, slash, path = rest.partition("/")
    return f"{scheme}{mark}{server.rpartition('@')[2]}{slash}{path}"


def _begun(root: Path, orders: _Orders, db: Database) -> Unfinished:
    """The run of this command that was cut off, or a new one."""
    sources = tuple(os.fsencode(given).decode("utf-8", "backslashreplace") for given in orders.givens)
    command = journal.command_digest(sources, orders.aims.options())
    for unfinished in journal.load(root):
        if unfinished.command == command and _goes_on(unfinished, Memory(db, root, unfinished.run)):
            return unfinished
    begun = Unfinished(
        run=record_id(),
        command=command,
        sources=tuple(map(_named, sources)),
        started=warc_date(datetime.now(UTC)),
    )
    journal.begin(root, begun)
    return begun


def _info(orders: _Orders, run: str) -> dict[str, str]:
    """The warcinfo fields: which software with which options wrote the file. No secrets."""
    proxy = orders.network.proxy
    settings = msgspec.to_builtins(orders.settings)
    for authority in settings["proof"]["authorities"]:
        del authority["roots"]  # a path of this machine
    options = {
        **asdict(orders.network),
        "proxy": proxy and parse_proxy(proxy).shown,
        **orders.aims.options(),
        "manners": asdict(orders.manners),
        "settings": settings,
    }
    reason = " ".join(orders.manners.ignore_robots.split())
    return {
        "run": run,
        **SOFTWARE,
        "http-header-user-agent": orders.network.user_agent,
        "robots": "ignore" if reason else "obey",
        **({"robots-reason": reason} if reason else {}),
        "options": json.dumps(options, ensure_ascii=True, sort_keys=True),
    }
