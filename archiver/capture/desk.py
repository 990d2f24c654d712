"""Where finished jobs become records: all of a group durable, before anybody is told of one of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from archiver.capture.job import Job, Wish
from archiver.capture.manners.retry import may_pass, retry_after
from archiver.capture.outcome import judge, memento_time
from archiver.capture.records import ExchangeRecords, chain_record, note_record
from archiver.capture.revisits import Revisit, Revisits, not_modified
from archiver.capture.wire.exchange import Exchange
from archiver.index.memory import Body, Memory
from archiver.model import FetchNote, Hop, Note, Outcome, Record, Recorder
from archiver.warc.http import decoded
from archiver.warc.write import warc_date

Report = Callable[[Note], None]

GROUP_BYTES, GROUP_RECORDS = 8 << 20, 64  # a group so large is stored before more is added
MOST_CHAINS = 10_000  # certificates that are remembered; what is forgotten is stored once more
NOT_ASKED = ("robots", "dead", "deferred")  # stages in which a URL is skipped: that is no failure of its own


@dataclass(frozen=True)
class Answer:
    """What came of a wish: the id of the last answer's record, if there is one, and the verdict."""

    outcome: Outcome
    response: str | None = None
    last: Exchange | None = None  # None where it came before, or nothing came

    @property
    def readable(self) -> bool:
        """Whether there is a body to read: all of it, or what came of it."""
        if self.response is None or self.outcome not in ("whole", "partial"):
            return False
        return self.last is None or self.last.status == 304 or 200 <= (self.last.status or 0) < 300


class Desk:
    """Stores what came, in the order in which it is told. For one thread."""

    def __init__(self, recorder: Recorder, memory: Memory, revisits: Revisits, report: Report) -> None:
        """`report` is told of each note when its records are durable."""
        self._recorder, self._memory, self._revisits, self._report = recorder, memory, revisits, report
        self._records: list[Record] = []  # of the group that is being made
        self._notes: list[Note] = []
        self._waiting: list[tuple[Note, str]] = []  # notes in it, with their ids
        self._bodies: set[str] = set()  # payloads in it
        self._chains: dict[tuple[str, tuple[bytes, ...]], str] = {}

    def keep(self, record: Record) -> None:
        """Store a record as it is, with the next group."""
        self._records.append(record)

    def note(self, note: Note, refers_to: str | None) -> str:
        """Store a note with the next group; its id."""
        record = self._add(note, refers_to)
        if len(self._records) >= GROUP_RECORDS:
            self.flush()
        return record.id

    def waiting(self, note: Note) -> str | None:
        """The id of an equal note in the group that is being made."""
        return next((identifier for other, identifier in self._waiting if other == note), None)

    def repeat(self, note: Note) -> None:
        """Tell of a note that the archive, or the group, holds already."""
        if self._records:
            self._notes.append(note)
        else:
            self._report(note)

    def store(self, jobs: Iterable[Job]) -> list[Answer]:
        """Keep every exchange of these jobs and what came of them."""
        answers = [self._finish(job) for job in jobs]
        self.flush()
        return answers

    def flush(self) -> None:
        """Make the group durable, and tell of it."""
        if not self._records:
            return
        records, notes = self._records, self._notes
        self._records, self._notes, self._waiting, self._bodies = [], [], [], set()
        self._recorder.append(records)
        for note in notes:
            self._report(note)

    def rest(self) -> None:
        """Make all that was given durable, then seal what has become large or old."""
        self.flush()
        self._recorder.seal_when_due()

    def body(self, answer: Answer, limit: int) -> Body:
        """What came, or what the archive holds of it, decoded. RecordError where that is not possible."""
        last = answer.last
        if last is None or last.status == 304:
            return self._memory.body(answer.response or "", limit)
        data = decoded(last.entity_body(), last.header("content-encoding"), limit)
        return Body(last.url, last.header("content-type") or "", data)

    # --- one job --------------------------------------------------------------------------------

    def _add(self, note: Note, refers_to: str | None) -> Record:
        record = note_record(note, refers_to)
        self._records.append(record)
        self._notes.append(note)
        self._waiting.append((note, record.id))
        return record

    def _finish(self, job: Job) -> Answer:
        hops: list[Hop] = []
        revisit: Revisit | None = None
        payload: str | None = None
        kept: ExchangeRecords | None = None
        for exchange, why in zip(job.exchanges, job.why, strict=True):
            payload = self._revisits.payload(exchange)
            if payload in self._bodies:  # its original must be in the catalogue first
                self.flush()
            revisit = self._revisits.find(exchange, job.wish.held, payload)
            kept = ExchangeRecords(exchange, why, revisit)
            records = kept.records
            self._records += records[:-1] + self._new_chain(exchange, records) + records[-1:]
            hops.append(kept.hop(self._chains.get(_chain_key(exchange))))
            if payload is not None and revisit is None:
                self._bodies.add(payload)
        note = self._fetch_note(job, hops, revisit, payload)
        response = hops[-1].response if hops else None
        if kept is not None and kept.carry(note):
            self._notes.append(note)
        else:
            self._add(note, response or (hops[-1].request if hops else None))
        if sum(len(record.block) for record in self._records) > GROUP_BYTES:
            self.flush()
        for exchange in job.exchanges:
            exchange.release()
        return Answer(note.outcome, response, job.exchanges[-1] if job.exchanges else None)

    def _fetch_note(
        self, job: Job, hops: list[Hop], revisit: Revisit | None, payload: str | None
    ) -> FetchNote:
        wish, last = job.wish, job.exchanges[-1] if job.exchanges else None
        outcome, stage, reason = _verdict(job)
        return FetchNote(
            url=wish.url,
            purpose=wish.purpose,
            outcome=outcome,
            started=warc_date(job.exchanges[0].started if last else datetime.now(UTC)),
            unchanged=outcome == "whole" and last is not None and self._is_unchanged(wish, revisit, payload),
            attempt=job.attempt,
            retry=job.retry,
            article=wish.wanted_by,
            references=wish.references,
            form=wish.form.form if wish.form else None,
            original=wish.original,
            memento=memento_time(last) if wish.original and last else None,
            referer=wish.referer,
            hops=tuple(hops),
            stage=stage,
            reason=reason,
        )

    def _is_unchanged(self, wish: Wish, revisit: Revisit | None, payload: str | None) -> bool:
        """Whether the same bytes came as when this URL was last captured."""
        before = self._memory.last_payload(wish.url, wish.purpose)
        return before is not None and before == (revisit.original.payload_digest if revisit else payload)

    def _new_chain(self, exchange: Exchange, answer: list[Record]) -> list[Record]:
        """The record of a host's certificates, when they are new in this run."""
        key = _chain_key(exchange)
        if key in self._chains or exchange.tls is None or not exchange.tls.chain:
            return []
        if len(self._chains) >= MOST_CHAINS:
            self._chains.clear()
        record = chain_record(key[0], exchange.tls.chain, answer[0].id if answer else None)
        self._chains[key] = record.id
        return [record]


def _verdict(job: Job) -> tuple[Outcome, str | None, str]:
    """Outcome, stage and reason."""
    if job.refusal is not None:
        skipped = job.refusal.stage in NOT_ASKED
        return "skipped" if skipped else "failed", job.refusal.stage, str(job.refusal)
    last, wish = job.exchanges[-1], job.wish
    outcome, reason = judge(job.exchanges, wish.purpose, wish.form, confirmed=not_modified(last, wish.held))
    stage = last.error.stage if last.error else None
    asked = retry_after(last) if may_pass(last) and outcome == "refused" else None
    if asked is not None and job.retry is None:
        stage, reason = "deferred", f"{reason}; it asks to wait {asked:.0f} s: left for the next run"
    return outcome, stage, reason


def _chain_key(exchange: Exchange) -> tuple[str, tuple[bytes, ...]]:
    if exchange.tls is None:  # then the URL may be one that cannot be taken apart
        return "", ()
    return urlsplit(exchange.url).netloc, exchange.tls.chain
