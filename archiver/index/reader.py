"""The one reader: what a stored member says, as an Entry.

Capturing describes each member it has just written with it, `rebuild` each member of a file, and
`verify --deep` each member again; so all three see the same.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from archiver.digests import digest
from archiver.errors import RecordError, SandboxError
from archiver.model import GAP, NOTE_FIELD, NOTE_URI, Entry, Note, PictureFacts
from archiver.pictures.decode import sniff
from archiver.pictures.describe import describe_picture
from archiver.pictures.files import PICTURE_BYTES
from archiver.pictures.formats import not_decoded
from archiver.sandbox import Sandbox
from archiver.storage import open_plain, open_stored
from archiver.warc.foreign import ForeignRecord, Stretch, parse_stored
from archiver.warc.http import essence
from archiver.warc.read import RECORD_BYTES, Member, StoredRecord, members, parse_member

Absent = Callable[[RecordError], None]  # is told of an imported file whose bytes are not at hand
_NEEDED = ("type", "id", "date")  # of an entry, though they may be empty
_REASON = 300  # characters
_VALUE = 1 << 16  # characters of a value of somebody's record
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def describe(member: Member, sandbox: Sandbox) -> Entry:
    """The entry of one stored member. RecordError when it is not a WARC record."""
    return _entry(parse_member(member.stored), member.offset, len(member.stored), member.digest, sandbox)


def describe_stretch(stretch: Stretch, sandbox: Sandbox) -> Entry:
    """The line of a stretch of somebody's file: of a record what `describe` says of ours, else of a gap."""
    if stretch.record:
        return _foreign(stretch.record, stretch.offset, stretch.length, stretch.digest, sandbox)
    return Entry(
        offset=stretch.offset,
        length=stretch.length,
        digest=stretch.digest,
        type=GAP,
        id="",
        date="",
        unreadable=(stretch.reason or stretch.code)[:_REASON],
    )


def _foreign(record: ForeignRecord, offset: int, length: int, stored: str, sandbox: Sandbox) -> Entry:
    """Of a record whose block cannot be understood, or held, what its header says.

    A value for which a line has no room is left out.
    """
    try:
        made = _entry(record.stored(), offset, length, stored, sandbox)
    except RecordError as error:
        made = Entry(
            offset=offset,
            length=length,
            digest=stored,
            type=record.type,
            id=_bare(record.get("warc-record-id")) or "",
            date=record.get("warc-date") or "",
            uri=record.get("warc-target-uri"),
            refers_to=_bare(record.get("warc-refers-to") or record.get("warc-concurrent-to")),
            truncated=record.get("warc-truncated"),
            unreadable=str(error)[:_REASON],
        )
    values = msgspec.structs.asdict(made)
    long = [name for name, value in values.items() if isinstance(value, str) and len(value) > _VALUE]
    cut: dict[str, str | None] = {name: "" if name in _NEEDED else None for name in long}
    if made.type == GAP:  # it calls itself so, and is none
        cut["type"] = ""
    return msgspec.structs.replace(made, **cut)


def _entry(record: StoredRecord, offset: int, length: int, stored: str, sandbox: Sandbox) -> Entry:
    response = record.type in ("response", "resource")
    payload = record.payload if response else b""
    status = record.http.status if record.http and record.type in ("response", "revisit") else None
    picture, unreadable = _picture(record, status, sandbox) if response else (None, None)
    return Entry(
        offset=offset,
        length=length,
        digest=stored,
        type=record.type,
        id=_bare(record.get("warc-record-id")) or "",
        date=record.get("warc-date") or "",
        uri=record.get("warc-target-uri"),
        refers_to=_bare(record.get("warc-refers-to") or record.get("warc-concurrent-to")),
        status=status,
        mime=record.http.media_type if record.http else essence(record.get("content-type")),
        payload_digest=digest(payload) if response else _claimed_payload(record),
        payload_bytes=len(payload) if response else None,
        truncated=record.get("warc-truncated"),
        picture=picture,
        unreadable=unreadable,
    )


def entries(root: Path, warc: str, sandbox: Sandbox, offset: int = 0) -> Iterator[tuple[Entry, Member]]:
    """Describe every member of a WARC file from `offset` on. RecordError names file and offset."""
    try:
        with open_plain(root / warc) as file:
            for member in members(file, offset):
                try:
                    yield describe(member, sandbox), member
                except RecordError as error:
                    raise RecordError(f"offset {member.offset}: {error}") from error
    except RecordError as error:
        raise RecordError(f"{warc}: {error}", "Run 'archiver verify' to see what is damaged.") from error
    except OSError as error:
        raise RecordError(f"{warc}: {error.strerror or error}") from error


def imported(
    root: Path, file: str, lines: Iterable[Entry], sandbox: Sandbox | None, absent: Absent | None = None
) -> Iterator[tuple[Entry, bytes | None]]:
    """Describe the records of an imported file, which lie where the lines of its record list say.

    With the stored bytes: none of a gap, and of a record that is too large to be held. Without a sandbox the
    lines are what they say: for who has just described them. Where the file is not at hand, or has other
    bytes than a line commits, `absent` is told so, once, and it is the line itself with None; without
    `absent` that is a RecordError, which names file and offset.
    """
    with ExitStack() as opened:
        stored: BinaryIO | None = None
        try:
            stored = opened.enter_context(open_stored(root, file))
        except OSError as error:
            absent = _told(absent, _not_at_hand(file, error))
        for line in lines:
            if line.type == GAP or line.length > RECORD_BYTES:
                yield line, b""
                continue
            try:
                member = _committed_member(file, stored, line) if stored else None
            except RecordError as error:
                absent, member = _told(absent, error), None
            if member is not None and sandbox is not None:
                line = described(line, member, sandbox)  # noqa: PLW2901 - the same record, said anew
            yield line, member.stored if member else None


def _told(absent: Absent | None, error: RecordError) -> Absent:
    """What is told the next time: nothing."""
    if absent is None:
        raise error
    absent(error)
    return lambda _: None


def _committed_member(file: str, stored: BinaryIO, line: Entry) -> Member:
    try:
        stored.seek(line.offset)
        member = Member(line.offset, stored.read(line.length))
    except OSError as error:
        raise _not_at_hand(file, error) from error
    if member.digest != line.digest:
        raise RecordError(
            f"{file}: offset {line.offset}: not the bytes that were committed",
            "Run 'archiver verify' to see what is damaged.",
        )
    return member


def _not_at_hand(file: str, error: OSError) -> RecordError:
    return RecordError(f"{file}: {error.strerror or error}", "Run 'archiver verify' to see what is missing.")


def described(line: Entry, member: Member, sandbox: Sandbox) -> Entry:
    """What an imported record says; what its line says, where today's reader does not know its form."""
    try:
        return _foreign(
            parse_stored(member.stored), member.offset, len(member.stored), member.digest, sandbox
        )
    except RecordError:
        return line


def note_of(entry: Entry, stored: bytes, *, foreign: bool = False) -> Note | None:
    """The note in a metadata record of ours or in a request's header; None for every other record."""
    noted = entry.type == "metadata" and (entry.uri or "").startswith(NOTE_URI)
    if not noted and entry.type != "request":
        return None
    record = parse_stored(stored).stored() if foreign else parse_member(stored)
    written = record.block if noted else record.get(NOTE_FIELD)
    try:
        note: Note | None = None if written is None else msgspec.json.decode(written, type=Note)
        return note
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"record {entry.id}: not a note that this version knows: {error}") from error


def _picture(
    record: StoredRecord, status: int | None, sandbox: Sandbox
) -> tuple[PictureFacts | None, str | None]:
    """Facts about a whole picture, or why there are none."""
    if status not in (None, 200) or record.get("warc-truncated"):
        return None, None
    try:
        data = record.content_decoded(PICTURE_BYTES)
        if sniff(data) is None:
            return None, not_decoded(data)
        return sandbox.read(PictureFacts, describe_picture, data), None
    except (RecordError, SandboxError) as error:
        return None, str(error)[:300]


def _claimed_payload(record: StoredRecord) -> str | None:
    """Of a revisit, the payload that it stands for: it says so itself, the bytes are elsewhere."""
    claimed = record.get("warc-payload-digest") or record.get("archiver-payload-digest") or ""
    return claimed if record.type == "revisit" and _DIGEST.fullmatch(claimed) else None


def _bare(identifier: str | None) -> str | None:
    return identifier.strip("<>") if identifier else None
