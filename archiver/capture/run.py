"""World → WARC: one source after the other, the document first, then its page, then its pictures.

Everything that is found or fails becomes a record before anybody is told of it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from archiver.capture.exchange import Exchange
from archiver.capture.fetch import ACCEPT_PAGE, ACCEPT_PICTURE, Client
from archiver.capture.outcome import hotlink_refusal, judge, media_type
from archiver.capture.plan import wanted, with_forms
from archiver.capture.records import ExchangeRecords, chain_record, note_record, source_record
from archiver.errors import RecordError, SandboxError
from archiver.model import Article, ArticleNote, FetchNote, Form, Record, Recorder, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.sources import read_document, read_page
from archiver.warc.http import decoded
from archiver.warc.write import warc_date

PAGE_BYTES = 32 << 20

Report = Callable[[ArticleNote | FetchNote | UnreadableNote], None]


@dataclass(frozen=True)
class _Wish:
    """A URL that is wanted, and by whom."""

    url: str
    purpose: Literal["page", "picture"]
    article: str | None = None  # id of the note that wants it
    form: Form | None = None
    references: tuple[int, ...] = ()
    referer: str | None = None


class Run:
    """Saves sources one by one. Each URL is asked for once in a run."""

    def __init__(
        self, recorder: Recorder, client: Client, sandbox: Sandbox, instances: Collection[str], report: Report
    ) -> None:
        """`report` is told of each note when its records are durable."""
        self._recorder, self._client, self._sandbox = recorder, client, sandbox
        self._instances, self._report = instances, report
        self._asked: set[str] = set()
        self._chains: dict[tuple[str, tuple[bytes, ...]], str] = {}

    def document(self, given: str, data: bytes) -> None:
        """Save a mirror document, the page of its article, and all forms of its pictures."""
        source = source_record(data)
        self._recorder.append([source])
        try:
            article = with_forms(self._sandbox.read(Article, read_document, data), self._instances)
        except SandboxError as error:
            self._note(UnreadableNote(given=given, reason=str(error)), source.id)
            return
        note_id = self._note(ArticleNote(given=given, article=article), source.id)
        if article.url is not None:
            self._page(article.url, note_id)
        self._pictures(article, note_id)

    def page(self, url: str) -> None:
        """Save an article's page and all forms of its pictures."""
        read = self._page(url, None)
        if read is not None:
            self._pictures(*read)

    def _page(self, url: str, wanted_by: str | None) -> tuple[Article, str] | None:
        """Fetch a page and note what it says; the article and its note's id, if it is one."""
        if url in self._asked:
            return None
        exchanges, response = self._fetch(_Wish(url, "page", wanted_by))
        last = exchanges[-1]
        if (
            response is None
            or last.status != 200
            or media_type(last) not in ("text/html", "application/xhtml+xml")
        ):
            return None
        try:
            html = decoded(last.entity_body(), last.header("content-encoding"), PAGE_BYTES)
            kind = last.header("content-type") or ""
            article = self._sandbox.read(Article, read_page, html, url=last.url, content_type=kind)
        except (RecordError, SandboxError) as error:
            self._note(UnreadableNote(given=url, reason=str(error)), response)
            return None
        article = with_forms(article, self._instances)
        return article, self._note(ArticleNote(given=url, article=article), response)

    def _pictures(self, article: Article, note_id: str) -> None:
        for form, numbers in wanted(article):
            if form.url not in self._asked:
                self._fetch(_Wish(form.url, "picture", note_id, form, numbers, article.url))

    def _fetch(self, wish: _Wish) -> tuple[list[Exchange], str | None]:
        """Ask for a URL, keep every exchange and what came of it; the last response's record id."""
        self._asked.add(wish.url)
        exchanges, attempts = self._ask(wish)
        outcome, reason = judge(exchanges, wish.purpose, wish.form)
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
            article=wish.article,
            references=wish.references,
            form=wish.form.form if wish.form else None,
            referer=wish.referer,
            hops=tuple(hops),
            stage=error.stage if error else None,
            reason=reason,
        )
        response = hops[-1].response
        self._note(note, response or hops[-1].request, records)
        return exchanges, response

    def _ask(self, wish: _Wish) -> tuple[list[Exchange], list[str]]:
        """All exchanges for a URL, and why each was made. A refused picture is asked for once more."""
        accept = ACCEPT_PICTURE if wish.purpose == "picture" else ACCEPT_PAGE
        exchanges = self._client.follow(wish.url, referer=wish.referer, accept=accept)
        attempts = ["", *["redirect"] * (len(exchanges) - 1)]
        if wish.form and wish.form.form == "origin" and wish.referer and hotlink_refusal(exchanges):
            again = self._client.follow(wish.url, accept=accept)
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

    def _note(
        self,
        note: ArticleNote | FetchNote | UnreadableNote,
        refers_to: str | None,
        records: list[Record] | None = None,
    ) -> str:
        record = note_record(note, refers_to)
        self._recorder.append([*(records or []), record])
        self._report(note)
        return record.id


def _chain_key(exchange: Exchange) -> tuple[str, tuple[bytes, ...]]:
    return urlsplit(exchange.url).netloc, exchange.tls.chain if exchange.tls else ()
