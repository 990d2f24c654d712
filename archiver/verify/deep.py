"""Step (10) of the check, with `--deep`: what the records say. Here parsers are at work."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from archiver.errors import RecordError
from archiver.index.reader import describe, described, note_of
from archiver.model import GAP, Entry, Finding, Location
from archiver.sandbox import Sandbox
from archiver.storage import is_imported
from archiver.verify.findings import of_file, of_record
from archiver.verify.lists import differing
from archiver.verify.pair import Pair
from archiver.warc.foreign import parse_stored
from archiver.warc.read import RECORD_BYTES, Member, StoredRecord, parse_member, read_stored
from archiver.warc.warcinfo import values


def check_records(
    root: Path, pair: Pair, origin: str, sandbox: Sandbox, stop: Callable[[], bool]
) -> Iterator[Finding]:
    """Every record parses, its own digests hold, and it says what its line says.

    Only of records whose stored bytes are those of their line: of others, step (4) has spoken. An imported
    record says what its line says; what else is wrong with it was so when it came, and is told as that.
    """
    if is_imported(pair.warc.path):
        yield from _imported(root, pair, sandbox, stop)
        return
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


def _imported(root: Path, pair: Pair, sandbox: Sandbox, stop: Callable[[], bool]) -> Iterator[Finding]:
    file, wrong, first = pair.warc.path, 0, 0
    for number, (entry, holds) in enumerate(zip(pair.entries, pair.holds, strict=False)):
        if stop():
            return
        if entry is None or not holds or entry.type == GAP or entry.length > RECORD_BYTES:
            continue
        try:
            stored = read_stored(root, Location(file=file, offset=entry.offset, length=entry.length))
            said = differing(entry, described(entry, Member(entry.offset, stored), sandbox))
            if said:
                message = f"its line in the record list says otherwise: {', '.join(said)}"
                yield _finding(file, number, entry, "line-content", message)
            if any(_digests(parse_stored(stored).stored(), known=True)):
                wrong, first = wrong + 1, first if wrong else number
        except RecordError:  # its form is not for `verify` to judge
            continue
    if wrong:
        yield of_file(
            file,
            "imported-digest",
            f"{wrong} of its records have digests of their own that are not those of their bytes, the first"
            f" is record {first}: they came so, and are as they were imported",
            verdict="unverifiable",
            advice="'archiver lint' names each. Another copy of the file, from where it came, may be better.",
        )


def _judge(stored: bytes, entry: Entry, origin: str, sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    record = parse_member(stored)
    yield from _digests(record)
    said = differing(entry, describe(Member(entry.offset, stored), sandbox))
    if said:
        yield "line-content", f"its line in the record list says otherwise: {', '.join(said)}"
    note_of(entry, stored)
    if record.type == "warcinfo" and origin not in values(record.block, "isPartOf"):
        yield "origin", f"its isPartOf is not {origin}, the name of this archive"


def _digests(record: StoredRecord, *, known: bool = False) -> Iterator[tuple[str, str]]:
    """Which of the digests that a record has of itself do not hold; `known`: of algorithms that we have."""
    block = record.get("warc-block-digest")
    if block is not None and not _holds(block, record.block, known):
        yield "block-digest", f"WARC-Block-Digest {block} is not that of the block"
    payload = record.get("warc-payload-digest") if record.type != "revisit" else None  # it has none itself
    if payload is not None and not any(_holds(payload, reading, known) for reading in _payloads(record)):
        yield "payload-digest", f"WARC-Payload-Digest {payload} is not that of the payload, in either reading"


def _payloads(record: StoredRecord) -> tuple[bytes, ...]:
    """The entity-body, and the body as transferred, which some tools digest instead."""
    if record.http is None:
        return (record.payload,)
    return record.payload, record.block[record.http.body_offset :]


def _holds(labelled: str, data: bytes, otherwise: bool) -> bool:
    """Whether a labelled digest (WARC/1.1 section 5.8) is that of the data; hex and base32 are read.

    `otherwise`: what is said of one by another algorithm.
    """
    label, _, value = labelled.partition(":")
    name = label.lower().replace("sha-", "sha")
    if name not in ("sha1", "sha256", "sha512", "md5"):
        return otherwise
    found = hashlib.new(name, data, usedforsecurity=False).digest()
    return value.lower().rstrip("=") in (found.hex(), base64.b32encode(found).decode().lower().rstrip("="))


def _finding(file: str, number: int, entry: Entry, code: str, message: str) -> Finding:
    advice = "The stored bytes are those that were committed: it was so when it was sealed."
    return of_record(file, number, entry, code, message, advice=advice)
