"""Ask for one URL and keep all that happened, before anybody is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from archiver.capture.outcome import hotlink_refusal, judge, memento_time
from archiver.capture.records import ExchangeRecords, chain_record, note_record
from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import ACCEPT_PAGE, ACCEPT_PICTURE, Client
from archiver.model import FetchNote, Form, Note, Outcome, Record, Recorder
from archiver.warc.write import warc_date

Report = Callable[[Note], None]


@dataclass(frozen=True)
class Wish:
    """A URL that is wanted, and by whom."""

    url: str
    purpose: Literal["page", "picture"]
    wanted_by: str | None = None  # id of the note that wants it
    form: Form | None = None
    references: tuple[int, ...] = ()
    referer: str | None = None
    original: str | None = None  # the URL whose copy another archive is asked for
    fields: Mapping[str, str] = field(default_factory=dict)  # further request header fields


@dataclass(frozen=True)
class Answer:
    """What came of a wish: the last exchange, the id of its response's record, and the verdict."""

    last: Exchange
    response: str | None
    outcome: Outcome


class Desk:
    """Where wishes become records. Remembers what was asked for in this run, and what became of it."""

    def __init__(self, recorder: Recorder, client: Client, report: Report) -> None:
        """`report` is told of each note when its records are durable."""
        self._recorder, self._client, self._report = recorder, client, report
        self.pages: set[str] = set()  # URLs that were asked for as pages
        self.outcomes: dict[str, Outcome] = {}  # of pictures, by URL
        self._chains: dict[tuple[str, tuple[bytes, ...]], str] = {}

    def keep(self, record: Record) -> None:
        """Store a record as it is."""
        self._recorder.append([record])

    def note(self, note: Note, refers_to: str | None, records: list[Record] | None = None) -> str:
        """Store a note, with the records that it speaks of before it; its id."""
        record = note_record(note, refers_to)
        self._recorder.append([*(records or []), record])
        self._report(note)
        return record.id

    def ask(self, wish: Wish) -> Answer:
        """Ask for a URL; keep every exchange and what came of it."""
        exchanges, attempts = self._exchanges(wish)
        outcome, reason = judge(exchanges, wish.purpose, wish.form)
        if wish.purpose == "page":
            self.pages.add(wish.url)
        else:
            self.outcomes[wish.url] = outcome
        records: list[Record] = []
        hops = []
        for exchange, attempt in zip(exchanges, attempts, strict=True):
            kept = ExchangeRecords(exchange, attempt)
            chain = self._new_chain(exchange, kept.records)
            records += kept.records + chain
            hops.append(kept.hop(self._chains.get(_chain_key(exchange))))
        error = exchanges[-1].error
        note = FetchNote(
            url=wish.url,
            purpose=wish.purpose,
            outcome=outcome,
            started=warc_date(exchanges[0].started),
            article=wish.wanted_by,
            references=wish.references,
            form=wish.form.form if wish.form else None,
            original=wish.original,
            memento=memento_time(exchanges[-1]) if wish.original else None,
            referer=wish.referer,
            hops=tuple(hops),
            stage=error.stage if error else None,
            reason=reason,
        )
        response = hops[-1].response
        self.note(note, response or hops[-1].request, records)
        return Answer(exchanges[-1], response, outcome)

    def _exchanges(self, wish: Wish) -> tuple[list[Exchange], list[str]]:
        """All exchanges for a URL, and why each was made. A refused picture is asked for once more."""
        accept = ACCEPT_PICTURE if wish.purpose == "picture" else ACCEPT_PAGE
        exchanges = self._client.follow(wish.url, referer=wish.referer, accept=accept, fields=wish.fields)
        attempts = ["", *["redirect"] * (len(exchanges) - 1)]
        proxied = wish.form is None or wish.form.form == "proxied"
        if not proxied and wish.referer and hotlink_refusal(exchanges):
            again = self._client.follow(wish.url, accept=accept, fields=wish.fields)
            attempts += ["without-referer", *["redirect"] * (len(again) - 1)]
            exchanges += again
        return exchanges, attempts

    def _new_chain(self, exchange: Exchange, answer: list[Record]) -> list[Record]:
        """The record of a host's certificates, when they are new in this run."""
        key = _chain_key(exchange)
        if key in self._chains or exchange.tls is None or not exchange.tls.chain:
            return []
        record = chain_record(key[0], exchange.tls.chain, answer[0].id if answer else None)
        self._chains[key] = record.id
        return [record]


def _chain_key(exchange: Exchange) -> tuple[str, tuple[bytes, ...]]:
    if exchange.tls is None:  # then the URL may be one that cannot be taken apart
        return "", ()
    return urlsplit(exchange.url).netloc, exchange.tls.chain
