"""What the archive holds already, and what this run has asked for: questions to the catalogue.

So a run of any length remembers nothing in its own memory, and one that was cut off goes on where its
records end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archiver.digests import digest
from archiver.errors import RecordError
from archiver.index.reader import note_of
from archiver.index.rows import OURS, value
from archiver.model import ArticleNote, Entry, FetchNote, ListingNote, Location, Outcome, Role
from archiver.storage import is_imported
from archiver.warc.http import decoded
from archiver.warc.read import StoredRecord, read_stored
from archiver.warc.stored import parse

FORGIVEN = 3  # failures to reach a host that count for nothing: the fault may be on this side
MOST_DAYS = 32
_PROXY_GONE = re.compile(r"returned error: 4(?:04|10)\b")  # weserv's words for what the publisher answered
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,1000}"')  # RFC 9110 section 8.8.3
_DATE = re.compile(r"[A-Za-z0-9 ,:+-]{10,60}")
_RECORD = """
SELECT warcs.path, records.offset, records.length, records.digest, records.type, records.record_id,
       records.date, records.uri, records.refers_to, records.payload_digest, records.truncated
FROM records JOIN warcs ON warcs.id = records.warc_id
"""


@dataclass(frozen=True)
class Held:
    """A whole response in the archive, of which a revisit may say that it came again."""

    record: str  # id of the response itself, never of a revisit
    uri: str
    date: str
    payload_digest: str
    chunked: bool  # how its body is stored
    validators: dict[str, str] = field(default_factory=dict)  # fields that ask whether it changed


@dataclass(frozen=True)
class Body:
    """What stands in the archive for an answer: its payload, with what its head says of it."""

    url: str
    content_type: str
    data: bytes  # without transfer coding and content coding


@dataclass(frozen=True)
class Robots:
    """How a robots.txt was answered when it was last asked for: RFC 3339, HTTP status, payload as in Body."""

    asked: str
    status: int
    data: bytes


class Memory:
    """Asks the catalogue of one archive, for one run. Rows count when their records are durable."""

    def __init__(self, db: Database, root: Path, run: str) -> None:
        self._db, self._root, self._run = db, root, run
        self._known_run: int | None = None
        self._before = self._value("SELECT coalesce(max(id), 0) FROM fetches")  # this process asked later

    @property
    def _run_id(self) -> int | None:
        """The row of this run, which its first record makes."""
        if self._known_run is None:
            self._known_run = self._value("SELECT id FROM runs WHERE run = ?", self._run)
        return self._known_run

    @property
    def begun(self) -> bool:
        """Whether this run has written anything."""
        return self._run_id is not None

    @property
    def newest(self) -> str | None:
        """The date of this run's newest record."""
        found: str | None = self._value(
            "SELECT date FROM records WHERE warc_id = (SELECT max(id) FROM warcs WHERE run_id = ?)"
            " ORDER BY id DESC LIMIT 1",
            self._run_id,
        )
        return found

    @property
    def has_ended(self) -> bool:
        """Whether this run came to its end, and not because it was interrupted."""
        asked = "SELECT 1 FROM runs WHERE run = ? AND interrupted = 0"
        return self._value(asked, self._run) is not None

    # --- this run -------------------------------------------------------------------------------

    def outcome(self, url: str, purpose: str) -> Outcome | None:
        """The last word on a URL in this run; None when it was not asked for, or is to be asked again."""
        found: Outcome | None = self._value(
            "SELECT outcome FROM fetches WHERE run_id = ? AND url = ? AND purpose = ? AND retry IS NULL"
            " AND (stage IS NOT 'deferred' OR id > ?) ORDER BY id DESC LIMIT 1",
            self._run_id,
            url,
            purpose,
            self._before,
        )
        return found

    def response(self, url: str) -> str | None:
        """The record id of the answer that came for a page in this run."""
        found: str | None = self._value(
            "SELECT response_id FROM fetches WHERE run_id = ? AND url = ? AND purpose = 'page'"
            " AND retry IS NULL AND outcome IN ('whole', 'partial')"
            " AND (status BETWEEN 200 AND 299 OR status = 304) ORDER BY id DESC LIMIT 1",
            self._run_id,
            url,
        )
        return found

    def outcomes(self) -> Iterator[tuple[Outcome, bool, str | None, int]]:
        """Of all URLs of this run: outcome, whether unchanged, stage, and how many there are of it."""
        yield from self._db.execute(
            "SELECT outcome, unchanged, stage, count(*) FROM fetches WHERE id IN (SELECT max(id) FROM fetches"
            " WHERE run_id = ? AND retry IS NULL AND purpose <> 'robots' GROUP BY url, purpose)"
            " AND (form IS NOT 'rendition' OR outcome = 'whole') GROUP BY 1, 2, 3",
            [self._run_id],
        )

    def asked_since(self, host: str, moment: datetime) -> int:
        """How often a host was asked since then, by this run or another."""
        return sum(
            self._value(
                "SELECT count(*) FROM fetches WHERE url >= ? AND url < ? AND started >= ?"
                " AND outcome <> 'skipped' AND NOT imported",
                f"{scheme}://{host}/",
                f"{scheme}://{host}0",  # 0 follows / in ASCII
                moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            )
            for scheme in ("http", "https")
        )

    # --- the archive ----------------------------------------------------------------------------

    def source(self, payload: str) -> str | None:
        """The record id of a source file with these bytes."""
        found: str | None = self._value(
            f"SELECT record_id FROM ({_RECORD}) WHERE uri = ? AND type = 'resource' AND {OURS}",  # noqa: S608
            f"urn:archiver:source:{payload}",
        )
        return found

    def is_unreadable(self, given: str, record: str) -> bool:
        """Whether it is noted of a record that it cannot be read."""
        asked = "SELECT 1 FROM unreadable_sources WHERE source_id = ? AND given = ?"
        return self._value(asked, record, given) is not None

    def noted(self, note: str | None) -> ArticleNote | None:
        """The note of an article, by its id."""
        found = self._note("SELECT ?", note)
        return found[1] if found and isinstance(found[1], ArticleNote) else None

    def is_article(self, note: str | None) -> bool:
        return self._value("SELECT 1 FROM articles WHERE note_id = ?", note) is not None

    def article(self, given: str, kind: str, url: str | None) -> tuple[str, ArticleNote] | None:
        """The newest note of an article that was given and named alike, with its id."""
        by = "url" if url is not None else "given"  # of the two the one that says more
        note = self._note(
            f"SELECT note_id FROM articles INDEXED BY articles_by_{by} WHERE url IS ? AND given = ?"  # noqa: S608
            " AND kind = ? ORDER BY id DESC LIMIT 1",
            url,
            given,
            kind,
        )
        return note if note and isinstance(note[1], ArticleNote) else None

    def listing(self, given: str, kind: str) -> tuple[str, ListingNote] | None:
        """The newest note of a listing that was given alike, with its id."""
        note = self._note(
            "SELECT note_id FROM listings WHERE given = ? AND kind = ? ORDER BY id DESC LIMIT 1", given, kind
        )
        return note if note and isinstance(note[1], ListingNote) else None

    def links(self, note: str) -> Iterator[tuple[str, Role]]:
        """URL and role of what a listing names, in its order."""
        listing, number = self._value("SELECT id FROM listings WHERE note_id = ?", note), -1
        while rows := self._db.execute(
            "SELECT number, url, role FROM links WHERE listing_id = ? AND number > ?"
            " ORDER BY number LIMIT 500",
            [listing, number],
        ).fetchall():
            yield from ((url, role) for _, url, role in rows)
            number = rows[-1][0]

    def body(self, response: str, limit: int) -> Body:
        """The payload of a response, or of what a revisit stands for. RecordError when it is not there."""
        row = self._record(response)
        head, _ = self._stored(row)
        record = self._stored(self._record(row["refers_to"]))[0] if row["type"] == "revisit" else head
        if head.http is None or record.http is None:
            raise RecordError(f"record {response} holds no HTTP answer")
        told = head.http if head.http.status == 200 else record.http  # who says what the payload is
        data = decoded(record.payload, told.get("content-encoding"), limit)
        content_type = head.http.get("content-type") or record.http.get("content-type") or ""
        return Body(head.get("warc-target-uri") or "", content_type, data)

    def robots(self, url: str, limit: int) -> Robots | None:
        """The newest answer to a robots.txt; None when none came whole. RecordError when it is harmed."""
        row = self._row(
            "SELECT * FROM (SELECT started, status, response_id, outcome, stage, retry FROM fetches"
            " WHERE url = ? AND purpose = 'robots' AND outcome <> 'skipped' AND NOT imported"
            " ORDER BY id DESC LIMIT 1)"
            " WHERE outcome IN ('whole', 'refused') AND stage IS NULL AND retry IS NULL",
            url,
        )
        if row is None:
            return None
        return Robots(row["started"], row["status"], self.body(row["response_id"], limit).data)

    def same_payload(self, payload: str, uri: str) -> Held | None:
        """A whole response with this payload, of the same URL if there is one; checked to be there."""
        row = self._row(
            _RECORD + "WHERE payload_digest = ? AND type = 'response' AND status = 200 AND truncated IS NULL"
            f" AND {OURS} ORDER BY uri = ? DESC, records.id DESC LIMIT 1",  # an older one may be damaged
            payload,
            uri,
        )
        return None if row is None else self._held(row, row)

    def hops(self, url: str, purpose: str) -> dict[str, Held]:
        """By URL, what the newest capture of a URL ended in: what may be asked for whether it changed."""
        row = self._row(
            _RECORD + "WHERE records.record_id = (SELECT response_id FROM fetches WHERE url = ?"  # noqa: S608
            " AND purpose = ? AND outcome = 'whole' AND status = 200 AND NOT imported"
            " ORDER BY id DESC LIMIT 1) LIMIT 1",
            url,
            purpose,
        )
        if row is None or (row["truncated"] and row["type"] == "response"):
            return {}
        original = row if row["type"] == "response" else self._find(row["refers_to"])
        held = None if original is None else self._held(original, row)
        return {} if held is None or not held.validators else {row["uri"]: held}

    def last_payload(self, url: str, purpose: str) -> str | None:
        """The payload's digest when a URL was last captured whole."""
        found: str | None = self._value(
            "SELECT payload_digest FROM fetches WHERE url = ? AND purpose = ? AND outcome = 'whole'"
            " ORDER BY id DESC LIMIT 1",
            url,
            purpose,
        )
        return found

    # --- failures -------------------------------------------------------------------------------

    def known_dead(self, url: str, purpose: str) -> str:
        """Why a URL is left alone for now, in words: it failed for good, not long ago. Empty: it is not."""
        failures, last = 0, None
        for row in self._db.query(
            "SELECT outcome, stage, status, form, reason, started FROM fetches WHERE url = ? AND purpose = ?"
            " AND retry IS NULL AND outcome <> 'skipped' AND NOT imported ORDER BY id DESC LIMIT 12",
            [url, purpose],
        ):
            unreached = row["outcome"] == "failed" and row["stage"] in ("dns", "connect", "tls")
            if row["outcome"] == "whole" or not (unreached or _is_gone(row)):
                break
            last = last or row
            failures += 1
        if last is None or (last["outcome"] == "failed" and failures < FORGIVEN):
            return ""
        if last["outcome"] == "failed":
            failures -= FORGIVEN - 1
        now = datetime.now(UTC)  # a clock that ran ahead must not make it later
        until = min(_moment(last["started"]), now) + timedelta(days=min(2 ** (failures - 1), MOST_DAYS))
        if now >= until:
            return ""
        again = f"asked again after {until:%Y-%m-%d %H:%M}"
        return f"known dead since {last['started'][:10]} ({last['reason']}): {again}"

    def failures(self) -> Iterator[FetchNote]:
        """The newest note on each URL that did not come whole when it was last asked for."""
        rows = self._db.execute(
            "SELECT id, note_id FROM fetches WHERE outcome <> 'whole' AND id IN (SELECT max(id) FROM fetches"
            " WHERE purpose <> 'robots' AND form IS NOT 'rendition' AND NOT imported"
            " GROUP BY url, purpose) ORDER BY id"
        ).fetchall()
        for _, note_id in rows:
            note = self._note("SELECT ?", note_id)
            if note and isinstance(note[1], FetchNote):
                yield note[1]

    def picture(self, url: str) -> FetchNote | None:
        """How a URL was asked for as an article's picture, when it never was anything else."""
        note = self._note(
            "SELECT note_id FROM fetches WHERE url = :url AND purpose = 'picture' AND NOT EXISTS"
            " (SELECT 1 FROM fetches WHERE url = :url AND purpose = 'page') ORDER BY id DESC LIMIT 1",
            url=url,
        )
        return note[1] if note and isinstance(note[1], FetchNote) else None

    # --- below ----------------------------------------------------------------------------------

    def _value(self, sql: str, *parameters: Any) -> Any:
        return value(self._db, sql, *parameters)

    def _row(self, sql: str, *parameters: Any) -> dict[str, Any] | None:
        return next(iter(self._db.query(sql, list(parameters))), None)

    def _find(self, record_id: str | None) -> dict[str, Any] | None:
        return self._row(_RECORD + "WHERE records.record_id = ?", record_id)

    def _record(self, record_id: str | None) -> dict[str, Any]:
        row = self._find(record_id)
        if row is None:
            raise RecordError(f"record {record_id} is not in the archive")
        return row

    def _stored(self, row: dict[str, Any]) -> tuple[StoredRecord, bytes]:
        """The record in a row, whose bytes are those that were written. RecordError when they are not."""
        location = Location(file=row["path"], offset=row["offset"], length=row["length"])
        stored = read_stored(self._root, location)
        if digest(stored) != row["digest"]:
            raise RecordError(
                f"{location.file}: the record at {location.offset} was changed", "Run 'archiver verify'."
            )
        return parse(location.file, stored), stored

    def _held(self, original: dict[str, Any], newest: dict[str, Any]) -> Held | None:
        """A response that is there, unharmed; None when it is not: then it is no original for a revisit."""
        try:
            record, _ = self._stored(original)
            head = record if newest is original else self._stored(newest)[0]
        except RecordError:
            return None
        if original["truncated"] or original["type"] != "response" or record.http is None:
            return None
        if digest(record.payload) != original["payload_digest"]:
            return None
        names = ("uri", "date", "payload_digest")
        return Held(
            record=original["record_id"],
            **{name: original[name] for name in names},
            chunked=record.http.chunked,
            validators=_validators(head if head.block or original["uri"] != newest["uri"] else record),
        )

    def _note(self, sql: str, *parameters: Any, **named: Any) -> tuple[str, Any] | None:
        found = self._db.execute(sql, named or list(parameters)).fetchone()
        row = self._find(found[0]) if found else None
        if row is None or is_imported(row["path"]):  # what others noted is not repeated
            return None
        try:
            _, stored = self._stored(row)
        except RecordError:  # damaged or gone: then it is as if nothing had been noted
            return None
        entry = Entry(
            offset=0,
            length=0,
            digest=row["digest"],
            type=row["type"],
            id=row["record_id"],
            date="",
            uri=row["uri"],
        )
        return row["record_id"], note_of(entry, stored)


def _validators(record: StoredRecord) -> dict[str, str]:
    """RFC 9110 section 13.1: the fields of a conditional request, from those of an answer."""
    if record.http is None:
        return {}
    etag, modified = record.http.get("etag") or "", record.http.get("last-modified") or ""
    fields = {}
    if _ETAG.fullmatch(etag):
        fields["If-None-Match"] = etag
    if _DATE.fullmatch(modified):
        fields["If-Modified-Since"] = modified
    return fields


def _is_gone(row: dict[str, Any]) -> bool:
    """The publisher's server said that there is nothing; a proxy's own 404 may mean anything."""
    if row["form"] == "proxied":
        return bool(_PROXY_GONE.search(row["reason"]))
    return row["outcome"] == "refused" and row["status"] in (404, 410)


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
