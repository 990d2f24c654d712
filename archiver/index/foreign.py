"""What counts of what imported files say of themselves (docs/import.md#what-is-believed).

Their bytes are anybody's. A record's own id, date and URI become what rows can hold; a note of an archiver
among them counts only while it speaks of imported records alone.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlite_utils import Database

from archiver.errors import RecordError
from archiver.index.reader import note_of
from archiver.index.rows import OURS, insert, value
from archiver.model import Entry, FetchNote, ImportNote, Note, RunNote
from archiver.warc.head import read_head

UNNAMED = "urn:archiver:record:"
STRING_CHARS = 1 << 20  # a longer one in a note is no text that anybody reads
URI_CHARS = 1 << 16
_ID = re.compile(r"[!-;=?-~]{1,500}")
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(?:(:\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_CLAIM = re.compile(r"\s*((?i:sha-?1|sha-?256|sha-?512|md5))\s*:\s*([A-Za-z0-9+/=_-]{16,200})\s*", re.ASCII)
_WRITTEN_HERE = f"""
SELECT 1 FROM records JOIN warcs ON warcs.id = warc_id WHERE record_id = ? AND {OURS}
"""  # noqa: S608 - our own words
_PASSED_OVER = "SELECT number FROM tallies WHERE of = 'notes-passed-over' AND key = ?"
_ADD = """
INSERT INTO tallies (of, key, outcome, number) VALUES ('notes-passed-over', ?, '', 1)
ON CONFLICT (of, key, outcome) DO UPDATE SET number = number + 1
"""


def catalogued(db: Database, entry: Entry) -> Entry:
    """An imported record as rows name it: an id that no other bytes have, a readable date, a bare URI."""
    uri = entry.uri
    if uri is not None:
        uri = bare_uri(uri)[:URI_CHARS]
    return msgspec.structs.replace(entry, id=_id(db, entry), date=moment(entry.date), uri=uri)


def bare_uri(uri: str) -> str:
    """WARC-Target-URI without the angle brackets that WARC/1.0 was often taken to want."""
    return uri[1:-1] if uri.startswith("<") and uri.endswith(">") else uri


def moment(written: str) -> str:
    """A WARC-Date (WARC/1.1 section 5.4, of any precision) in RFC 3339, UTC; "" for what is none."""
    found = _DATE.fullmatch(written.strip())
    if found is None:
        return ""
    year, month, day, minute, second, fraction, zone = found.groups()
    full = f"{year}-{month or '01'}-{day or '01'}T{minute or '00:00'}{second or ':00'}{fraction or ''}"
    try:
        read = datetime.fromisoformat(full + (zone or "Z").replace("Z", "+00:00"))
        if zone in (None, "Z"):
            return full + "Z"
        return (read - (read.utcoffset() or read - read)).replace(tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        return ""


def _id(db: Database, entry: Entry) -> str:
    unnamed = UNNAMED + entry.digest
    if not _ID.fullmatch(entry.id) or entry.id.startswith(UNNAMED):
        return unnamed
    others = "SELECT 1 FROM records WHERE record_id = ? AND digest <> ? LIMIT 1"
    return unnamed if value(db, others, entry.id, entry.digest) else entry.id


def note_claim(db: Database, entry: Entry, stored: bytes) -> None:
    """Remember by which payload digest revisits of others may name a response."""
    if entry.type in ("response", "resource") and entry.payload_digest and not entry.truncated:
        head = read_head(stored)
        claim = claim_of((head and head.get("warc-payload-digest")) or "")
        record = value(db, "SELECT max(id) FROM records")
        if claim and claim != entry.payload_digest:
            insert(db, "claimed_digests", claimed=claim, record=record)


def claim_of(written: str) -> str:
    """A labelled digest in one form, as far as letters' case goes; "" for what is none."""
    found = _CLAIM.fullmatch(written)
    if found is None:
        return ""
    label, digits = found[1].lower().replace("-", ""), found[2].rstrip("=")
    hexadecimal = re.fullmatch(r"[0-9a-fA-F]+", digits) and len(digits) in (32, 40, 64, 128)
    base32 = re.fullmatch(r"[A-Za-z2-7]+", digits) and len(digits) in (26, 32, 52, 103)
    if hexadecimal and (label, len(digits)) != ("sha1", 32):
        return f"{label}:{digits.lower()}"
    return f"{label}:{digits.upper() if base32 else digits}"


def foreign_note(db: Database, entry: Entry, stored: bytes) -> Note | None:
    """The note in an imported record, if there is one. RecordError says why it does not count."""
    note = note_of(entry, stored, foreign=True)
    if note is None or isinstance(
        note, ImportNote
    ):  # how another archive came by its files is not our matter
        return None
    if entry.id.startswith(UNNAMED):
        raise RecordError("a note without an id of its own")
    if any(len(text) > STRING_CHARS for text in _strings(msgspec.to_builtins(note))):
        raise RecordError(f"a note with a text of more than {STRING_CHARS} characters")
    if isinstance(note, FetchNote | RunNote) and not _is_time(note.started):
        raise RecordError("a note without a readable time")
    if isinstance(note, FetchNote) and note.memento is not None and not _is_time(note.memento):
        raise RecordError("a note of a copy without a readable time")
    if any(value(db, _WRITTEN_HERE, name) for name in _named(entry, note)):
        raise RecordError("a note on a record that is not imported")
    return note


def pass_over(db: Database, path: str) -> None:
    """Count a note of an imported file that does not count."""
    db.execute(_ADD, [path])


def passed_over(db: Database, path: str) -> int:
    """How many notes of an imported file do not count."""
    number: int = value(db, _PASSED_OVER, path) or 0
    return number


def _named(entry: Entry, note: Note) -> Iterator[str]:
    """The records that a note speaks of, and its own."""
    yield entry.id
    if entry.refers_to:
        yield entry.refers_to
    if isinstance(note, FetchNote):
        if note.article:
            yield note.article
        for hop in note.hops:
            yield from filter(None, (hop.request, hop.response, hop.certificates, hop.stands_for))


def _is_time(written: str) -> bool:
    return len(written) < 40 and bool(moment(written)) and written.endswith("Z") and "T" in written


def _strings(built: Any) -> Iterator[str]:
    """Every string in built-in types."""
    waiting = [built]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += [*found, *found.values()]
        elif isinstance(found, list | tuple):
            waiting += found
