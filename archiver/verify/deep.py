"""Step (10) of the check, with `--deep`: what the records say. Here parsers are at work."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from archiver.errors import RecordError
from archiver.index.reader import describe, note_of
from archiver.model import Entry, Finding, Location
from archiver.sandbox import Sandbox
from archiver.verify.lists import differing
from archiver.verify.pair import Pair
from archiver.warc.read import Member, StoredRecord, parse_member, read_stored
from archiver.warc.warcinfo import values


def check_records(
    root: Path, pair: Pair, origin: str, sandbox: Sandbox, stop: Callable[[], bool]
) -> Iterator[Finding]:
    """Every record parses, its own digests hold, and it says what its line says.

    Only of records whose stored bytes are those of their line: of others, step (4) has spoken.
    """
    seen: dict[str, int] = {}
    for number, (entry, holds) in enumerate(zip(pair.entries, pair.holds, strict=False)):
        if stop():
            return
        if entry is None or not holds:
            continue
        file = pair.warc.path
        try:
            stored = read_stored(root, Location(file=file, offset=entry.offset, length=entry.length))
            for code, message in _judge(stored, entry, origin, sandbox):
                yield _finding(file, number, entry, code, message)
        except RecordError as error:
            yield _finding(file, number, entry, "record-form", str(error))
        if entry.id in seen:
            message = f"record {seen[entry.id]} has the same WARC-Record-ID"
            yield _finding(file, number, entry, "record-id", message)
        seen[entry.id] = number


def _judge(stored: bytes, entry: Entry, origin: str, sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    record = parse_member(stored)
    block = record.get("warc-block-digest")
    if block is not None and not _holds(block, record.block):
        yield "block-digest", f"WARC-Block-Digest {block} is not that of the block"
    payload = record.get("warc-payload-digest") if record.type != "revisit" else None  # it has none itself
    if payload is not None and not any(_holds(payload, reading) for reading in _payloads(record)):
        yield "payload-digest", f"WARC-Payload-Digest {payload} is not that of the payload, in either reading"
    said = differing(entry, describe(Member(entry.offset, stored), sandbox))
    if said:
        yield "line-content", f"its line in the record list says otherwise: {', '.join(said)}"
    note_of(entry, stored)
    if record.type == "warcinfo" and origin not in values(record.block, "isPartOf"):
        yield "origin", f"its isPartOf is not {origin}, the name of this archive"


def _payloads(record: StoredRecord) -> tuple[bytes, ...]:
    """The entity-body, and the body as transferred, which some tools digest instead."""
    if record.http is None:
        return (record.payload,)
    return record.payload, record.block[record.http.body_offset :]


def _holds(labelled: str, data: bytes) -> bool:
    """Whether a labelled digest (WARC/1.1 section 5.8) is that of the data; hex and base32 are read."""
    label, _, value = labelled.partition(":")
    name = label.lower().replace("sha-", "sha")
    if name not in ("sha1", "sha256", "sha512", "md5"):
        return False
    found = hashlib.new(name, data, usedforsecurity=False).digest()
    return value in (found.hex(), found.hex().upper(), base64.b32encode(found).decode())


def _finding(file: str, number: int, entry: Entry, code: str, message: str) -> Finding:
    return Finding(
        verdict="failed",
        code=code,
        file=file,
        record=number,
        offset=entry.offset,
        id=entry.id,
        uri=entry.uri,
        message=message,
        advice="The stored bytes are those that were committed: it was so when it was sealed.",
    )
