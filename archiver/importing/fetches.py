"""What imported files hold → a note on each answer of a page or a picture, as if it was asked for here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from archiver.capture.desk import Desk
from archiver.capture.outcome import judge, memento_time
from archiver.capture.plan import Planner
from archiver.capture.wire.exchange import Exchange
from archiver.errors import RecordError
from archiver.importing.answers import MOST_HOPS, Answer, Answers
from archiver.importing.pages import HTML, Pages, is_robots
from archiver.index.memory import Memory
from archiver.index.rows import IMPORTED, value
from archiver.model import VIEW_URI, FetchNote, Form, FormName, Hop, Outcome, Purpose

RECENT = 1000  # payloads that are remembered beside the catalogue
_NOTED = f"""
SELECT 1 FROM hops JOIN fetches ON fetches.id = fetch_id WHERE hops.response_id = :id AND (fetches.url = :url
    OR EXISTS (SELECT 1 FROM records JOIN warcs ON warcs.id = warc_id
               WHERE record_id = fetches.note_id AND {IMPORTED})) LIMIT 1
"""  # noqa: S608 - our own words
_WANTED = f"""
SELECT forms.form, article_pictures.number, articles.note_id, articles.id, articles.url,
       EXISTS (SELECT 1 FROM records JOIN warcs ON warcs.id = warc_id
               WHERE record_id = articles.source_id AND {IMPORTED}) AS imported
FROM forms JOIN article_pictures ON article_pictures.id = article_picture_id
JOIN articles ON articles.id = article_id
WHERE forms.url = :url
ORDER BY imported DESC, archived > :date, abs(julianday(archived) - julianday(:date)), articles.id, forms.id
LIMIT 1
"""  # noqa: S608
_DOCUMENT = f"""
SELECT note_id FROM articles WHERE url = ? AND kind = 'document' AND source_id IN (
    SELECT record_id FROM records JOIN warcs ON warcs.id = warc_id WHERE {IMPORTED})
ORDER BY id LIMIT 1
"""  # noqa: S608
_NUMBERS = """
SELECT DISTINCT article_pictures.number FROM article_pictures
JOIN forms ON article_picture_id = article_pictures.id
WHERE article_id = ? AND forms.url = ? ORDER BY 1
"""


@dataclass(frozen=True)
class _Want:
    """What wants a URL as a picture: the last imported article before that shows it, else the next one."""

    form: FormName
    article: str | None = None
    references: tuple[int, ...] = ()
    referer: str | None = None


@dataclass(frozen=True)
class _Step:
    """An answer on the way to the last one; of a revisit with its original."""

    answer: Answer
    original: Answer | None = None
    exchange: Exchange = field(kw_only=True)


class Fetches:
    """Notes what came of URLs. Every article of these files has to be noted before."""

    def __init__(
        self,
        db: Database,
        desk: Desk,
        memory: Memory,
        *,
        answers: Answers,
        pages: Pages,
        planner: Planner,
        now: str,
    ) -> None:
        self._db, self._desk, self._memory, self._answers, self._pages = db, desk, memory, answers, pages
        self._now, self._planner = now, planner
        self._leads: dict[int, int] = {}  # of redirects: row of what each leads to
        self._ends: set[int] = set()
        self._newest: dict[tuple[str, str], str | None] = {}  # payloads whose notes may not be stored yet

    def follow(self, redirects: Iterable[Answer]) -> None:
        """Find what redirects lead to. One that would close a circle leads nowhere."""
        for answer in redirects:
            try:
                found = self._answers.led_to(answer)
            except RecordError:
                continue
            if found and not self._leads_back(found.row["id"], answer.row["id"]):
                self._leads[answer.row["id"]] = found.row["id"]
                self._ends.add(found.row["id"])

    def _leads_back(self, start: int, to: int) -> bool:
        at: int | None = start
        for _ in range(MOST_HOPS):
            if at is None or at == to:
                return at == to
            at = self._leads.get(at)
        return True

    def note(self, answer: Answer) -> None:
        """Note what came of the URL of an answer, unless nobody asks for such, or it is noted."""
        if self._db.execute(_NOTED, {"id": answer.id, "url": answer.url}).fetchone():
            return
        want = self._want(answer)
        if answer.row["id"] in self._ends and want is None:
            return
        chain = [answer]
        while (after := self._leads.get(chain[-1].row["id"])) and len(chain) <= MOST_HOPS:
            chain.append(self._answers.by_id(after))
        try:
            if purpose := self._purpose(chain, want):
                steps = [self._step(each) for each in chain]
                if self._is_of_head(steps[-1]):
                    return
                self._desk.note(self._fetch_note(steps, purpose, want), chain[-1].id)
        except RecordError:  # its bytes are not there, or are no longer what they were: `verify` says so
            return

    def _is_of_head(self, step: _Step) -> bool:
        """Whether nobody asked for a body, and so none was cut off."""
        found = step.exchange
        bodiless = step.original is None and len(found.response) == found.body_offset
        return bodiless and bool(found.truncated) and self._answers.is_of_head(step.answer)

    def _step(self, answer: Answer) -> _Step:
        original = self._answers.original(answer) if answer.type == "revisit" else None
        return _Step(answer, original, exchange=answer.exchange(original))

    def _purpose(self, chain: Sequence[Answer], want: _Want | None) -> Purpose | None:
        first, last = chain[0], chain[-1]
        original = self._answers.original(last) if last.type == "revisit" else None
        if want or last.picture or (original and original.picture):
            return "picture"
        if is_robots(first.url):
            return "robots"
        if last.url.startswith(VIEW_URI):  # no server sent it
            return None
        html = last.mime in HTML or (original is not None and original.mime in HTML)
        return "page" if html or self._pages.is_source(last) else None

    def _want(self, answer: Answer) -> _Want | None:
        asked = {"url": answer.url, "date": answer.row["date"] or None}
        row: dict[str, Any] | None = next(iter(self._db.query(_WANTED, asked)), None)
        if row is None:
            return None
        if not row["imported"]:
            return _Want(row["form"])
        numbers = tuple(number for (number,) in self._db.execute(_NUMBERS, [row["id"], answer.url]))
        return _Want(row["form"], row["note_id"], numbers, row["url"])

    def _document(self, url: str, purpose: Purpose) -> str | None:
        """The mirror document whose page it is."""
        found: str | None = value(self._db, _DOCUMENT, url) if purpose == "page" else None
        return found

    def _fetch_note(self, steps: Sequence[_Step], purpose: Purpose, want: _Want | None) -> FetchNote:
        last, url = steps[-1], steps[0].answer.url
        judged = want.form if want else "proxied" if self._planner.passed_on(url) else None
        form = Form(form=judged, url=url) if judged else None
        outcome, reason = _verdict(steps, purpose, form)
        payload = (last.original or last.answer).row["payload_digest"]
        return FetchNote(
            url=url,
            purpose=purpose,
            outcome=outcome,
            started=steps[0].answer.row["date"] or self._now,
            unchanged=outcome == "whole" and self._is_unchanged(url, purpose, payload),
            article=want.article if want else self._document(url, purpose),
            references=want.references if want else (),
            form=want.form if want else None,
            memento=memento_time(last.exchange) if want and want.form == "memento" else None,
            referer=want.referer if want else None,
            hops=tuple(self._hop(number, step) for number, step in enumerate(steps)),
            reason=reason,
        )

    def _is_unchanged(self, url: str, purpose: Purpose, payload: str | None) -> bool:
        """Whether the same bytes came as when this URL was last captured, also just now."""
        if len(self._newest) >= RECENT:
            self._desk.flush()
            self._newest.clear()
        before = self._newest.get((url, purpose)) or self._memory.last_payload(url, purpose)
        self._newest[url, purpose] = payload
        return before is not None and before == payload

    def _hop(self, number: int, step: _Step) -> Hop:
        answer = step.answer
        return Hop(
            url=answer.url,
            request=self._answers.request(answer),
            response=answer.id,
            status=answer.row["status"],
            truncated=step.exchange.truncated,
            attempt="redirect" if number else "",
            stands_for=step.original.id if step.original else None,
        )


def _verdict(steps: Sequence[_Step], purpose: Purpose, form: Form | None) -> tuple[Outcome, str]:
    """As `judge`, for which a revisit is what it stands for."""
    last = steps[-1].answer
    if last.type == "revisit" and steps[-1].original is None and last.row["status"] in (None, 200, 304):
        return "partial", "a revisit of a body that is not in this archive"
    outcome, reason = judge([step.exchange for step in steps], purpose, form)
    if last.type != "revisit" and 300 <= (last.row["status"] or 0) < 400 and outcome == "refused":
        reason += "; what it leads to is not in an imported file"
    return outcome, reason
