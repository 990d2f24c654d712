"""What imported files hold, as the catalogue has it: answers of servers, and which belong together."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sqlite_utils import Database

from archiver.addresses import canonical
from archiver.capture.wire.exchange import Exchange, Truncated
from archiver.errors import ArchiverError, FetchError
from archiver.index.foreign import UNNAMED, bare_uri, claim_of, moment
from archiver.index.memory import Body
from archiver.index.rows import IMPORTED
from archiver.model import Location
from archiver.warc.http import decoded
from archiver.warc.read import RECORD_BYTES, StoredRecord, read_committed
from archiver.warc.stored import parse

BATCH = 200  # rows that are read at once
MOST_HOPS = 20  # of a chain of redirects
_TRUNCATED: tuple[Truncated, ...] = ("length", "time", "disconnect", "unspecified")
_LENGTH = re.compile(r"\d{1,15}")
_COLUMNS = """
SELECT records.id, record_id, type, uri, date, status, mime, payload_digest, truncated, refers_to, path,
    offset, length, records.digest, payload_digest IN (SELECT payload_digest FROM pictures) AS picture
FROM records JOIN warcs ON warcs.id = warc_id
"""
_OF_FILES = f"""{_COLUMNS}
WHERE warc_id IN (SELECT value FROM json_each(:warcs)) AND records.id > :after
AND type IN ('response', 'revisit', 'resource') AND length <= :most
AND (uri GLOB '[Hh][Tt][Tt][Pp]*://*' OR type = 'resource' AND :others)
AND (NOT :redirects OR status BETWEEN 300 AND 399) ORDER BY records.id LIMIT :limit
"""  # noqa: S608 - our own words
_NEAREST = f"""{_COLUMNS}
WHERE uri IN (:url, :written) AND type IN ('response', 'revisit') AND {IMPORTED}
AND records.id <> :but AND abs(julianday(date) - julianday(:date)) <= 1
ORDER BY abs(julianday(date) - julianday(:date)), records.id LIMIT 1
"""
_WHOLE = "AND type IN ('response', 'resource') AND truncated IS NULL AND records.id <> :but"
_BY_ID = _COLUMNS + "WHERE record_id = :id " + _WHOLE + " ORDER BY records.id LIMIT 1"
_BY_DATE = (
    _COLUMNS
    + "WHERE uri IN (:uri, '<' || :uri || '>') AND date = :date "
    + _WHOLE
    + " ORDER BY records.id LIMIT 1"
)
_BY_PAYLOAD = (
    _COLUMNS + "WHERE payload_digest = :payload " + _WHOLE + " ORDER BY uri = :uri DESC, records.id LIMIT 1"
)
_BY_CLAIM = f"""{_COLUMNS}
WHERE records.id IN (SELECT record FROM claimed_digests WHERE claimed = :claimed) {_WHOLE}
ORDER BY uri = :uri DESC, records.id LIMIT 1
"""  # noqa: S608
_READ_BEFORE = f"""{_COLUMNS}
WHERE uri = :uri AND type IN ('response', 'revisit') AND date <= :date AND records.id <> :but
AND (record_id IN (SELECT source_id FROM articles) OR record_id IN (SELECT source_id FROM listings))
ORDER BY date DESC, records.id DESC LIMIT 1
"""  # noqa: S608
_REQUEST = """
SELECT record_id FROM records
WHERE type = 'request' AND (refers_to = :id AND :named OR record_id = :concurrent)
ORDER BY refers_to = :id DESC, id LIMIT 1
"""


@dataclass(frozen=True)
class Answer:
    """A response, a revisit or a resource of an imported file. Reading what it says raises RecordError."""

    root: Path
    row: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["record_id"])

    @property
    def type(self) -> str:
        return str(self.row["type"])

    @cached_property
    def url(self) -> str:
        """As forms of pictures have it; as written where it cannot be taken apart."""
        return _canonical(self.row["uri"] or "")

    @property
    def mime(self) -> str:
        return self.row["mime"] or ""

    @property
    def picture(self) -> bool:
        """Whether its payload is a picture: decoded, or one by its type, as of SVG."""
        return bool(self.row["picture"]) or self.mime.startswith("image/")

    @cached_property
    def stored(self) -> StoredRecord:
        """Its record, whose bytes are those that are committed."""
        row = self.row
        location = Location(file=row["path"], offset=row["offset"], length=row["length"])
        return parse(location.file, read_committed(self.root, location, row["digest"]))

    def body(self, limit: int) -> Body:
        """Its payload without transfer coding and content coding; RecordError past `limit` bytes."""
        http = self.stored.http if self.type != "resource" else None
        coding = http.get("content-encoding") if http else None
        content_type = (http.get("content-type") if http else self.stored.get("content-type")) or ""
        return Body(self.url, content_type, decoded(self.stored.payload, coding, limit))

    @property
    def location(self) -> str:
        """Where a redirect leads to, as the record's server wrote it; empty where it leads nowhere."""
        http = self.stored.http
        return (http.get("location") or "") if http else ""

    def exchange(self, original: "Answer | None" = None) -> Exchange:
        """As capturing has it, to be judged alike; of a revisit with the body of its original."""
        record = self.stored
        http = record.http if self.type != "resource" else None
        block = record.block
        if http is None or http.status is None:
            kind = (record.get("content-type") or "").encode("latin-1", "replace")
            block = b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n" + block
        if original is not None:
            return self._again(original)
        found = Exchange(url=self.url, method="GET", started=datetime.now(UTC), response=block)
        if http is None or http.status is None:
            found.status, found.headers = 200, (("content-type", record.get("content-type") or ""),)
            found.body_offset = block.index(b"\r\n\r\n") + 4
        else:
            found.status, found.headers, found.body_offset = http.status, http.fields, http.body_offset
        self._cut(found)
        return found

    def _again(self, original: "Answer") -> Exchange:
        found = original.exchange()
        found.url = self.url
        return found

    def _cut(self, found: Exchange) -> None:
        """Whether it was cut: its record says so, or its body is shorter than its head says."""
        said = self.row["truncated"]
        if said is not None and self.type != "revisit":
            found.truncated = next((each for each in _TRUNCATED if each == said), "unspecified")
            return
        length, there = found.header("content-length") or "", len(found.response) - found.body_offset
        if _LENGTH.fullmatch(length) and int(length) > there and not found.header("transfer-encoding"):
            found.truncated = "unspecified"
            found.error = FetchError(f"its Content-Length is {length}", "body")


class Answers:
    """Asks the catalogue for what imported files hold."""

    def __init__(self, db: Database, root: Path) -> None:
        self._db, self._root = db, root

    def of(self, warcs: Sequence[int], *, others: bool = False, redirects: bool = False) -> Iterator[Answer]:
        """What these files hold of http and https, in their order; with `others` also other resources."""
        asked = {"warcs": str(list(warcs)), "others": others, "redirects": redirects}
        asked |= {"most": RECORD_BYTES, "limit": BATCH}
        after = 0
        while rows := list(self._db.query(_OF_FILES, asked | {"after": after})):
            yield from (Answer(self._root, row) for row in rows)
            after = rows[-1]["id"]

    def led_to(self, answer: Answer) -> Answer | None:
        """What a redirect leads to: of that URL's answers the nearest in time, at most a day away."""
        location = answer.location
        if not location or not answer.row["date"]:
            return None
        with suppress(ValueError):
            written = urljoin(answer.url, location)
            asked = {"url": _canonical(written), "written": written, "date": answer.row["date"]}
            return self._one(_NEAREST, asked | {"but": answer.row["id"]})
        return None

    def by_id(self, record: int) -> Answer:
        """The answer of this row."""
        return Answer(self._root, next(iter(self._db.query(_COLUMNS + "WHERE records.id = ?", [record]))))

    def original(self, revisit: Answer) -> Answer | None:
        """The whole answer whose body a revisit stands for (WARC/1.1 section 6.7).

        By WARC-Refers-To, else by the URI and date that it refers to, else by its payload digest in any of
        the archive's records, of the same URL if there is one.
        """
        record, but = revisit.stored, {"but": revisit.row["id"]}
        uri, date = bare_uri(record.get("warc-refers-to-target-uri") or ""), record.get("warc-refers-to-date")
        claimed = record.get("warc-payload-digest") or record.get("archiver-payload-digest") or ""
        named = (record.get("warc-refers-to") or "").strip("<>")
        if named and (found := self._one(_BY_ID, but | {"id": named})):
            return found
        if uri and date and (found := self._one(_BY_DATE, but | {"uri": uri, "date": moment(date)})):
            return found
        claim = claim_of(claimed)
        asked = but | {"uri": revisit.row["uri"]}
        if claim.startswith("sha256:") and (found := self._one(_BY_PAYLOAD, asked | {"payload": claim})):
            return found
        return self._one(_BY_CLAIM, asked | {"claimed": claim}) if claim else None

    def repeats(self, revisit: Answer, original: Answer) -> bool:
        """Whether what was last read of this URL, as article or listing, is what a revisit stands for."""
        row = revisit.row
        before = self._one(_READ_BEFORE, {"uri": row["uri"], "date": row["date"], "but": row["id"]})
        if before is not None and before.type == "revisit":
            before = self.original(before)
        return before is not None and before.row["payload_digest"] == original.row["payload_digest"]

    def request(self, answer: Answer) -> str | None:
        """The record id of the request of an answer, by WARC-Concurrent-To of either."""
        named = not answer.id.startswith(UNNAMED)
        concurrent = None if answer.type == "revisit" else answer.row["refers_to"]
        found: str | None = value_of(self._db, _REQUEST, id=answer.id, named=named, concurrent=concurrent)
        return found

    def is_of_head(self, answer: Answer) -> bool:
        """Whether it answers a HEAD request (RFC 9110 section 9.3.2), and so has no body."""
        found = self._one(_COLUMNS + "WHERE record_id = :id", {"id": self.request(answer)})
        return found is not None and found.stored.block.startswith(b"HEAD ")

    def _one(self, sql: str, asked: dict[str, Any]) -> Answer | None:
        row = next(iter(self._db.query(sql, asked)), None)
        return None if row is None else Answer(self._root, row)


def value_of(db: Database, sql: str, **named: Any) -> Any:
    """The first column of the first row; None when there is none."""
    row = db.execute(sql, named).fetchone()
    return row[0] if row else None


def _canonical(url: str) -> str:
    try:
        return canonical(url)
    except ArchiverError:
        return url
