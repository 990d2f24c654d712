"""Steps (7) and (8) of the check: what `--deep` adds. Here parsers are at work, and say so."""

import base64
import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from archiver.digests import digest
from archiver.errors import RecordError
from archiver.index import catalogue
from archiver.index.reader import describe, note_of
from archiver.manifest.manifest import CommittedWarc, Manifest
from archiver.model import Entry, Finding, Location
from archiver.sandbox import Sandbox
from archiver.verify.lists import differing
from archiver.warc.read import Member, StoredRecord, parse_member, read_stored

ROWS_NAMED = 20
_TABLES = (
    "warcs",
    "records",
    "pictures",
    "articles",
    "blocks",
    "times",
    "fetches",
    "hops",
    "article_pictures",
    "forms",
)


def check_records(root: Path, warc: CommittedWarc, entries: Sequence[Entry]) -> Iterator[Finding]:
    """(7) Every record parses, its own digests hold, and it says what its line says."""
    seen: dict[str, int] = {}
    with Sandbox() as sandbox:
        for number, entry in enumerate(entries):
            location = Location(file=warc.path, offset=entry.offset, length=entry.length)
            try:
                stored = read_stored(root, location)
                if digest(stored) != entry.digest:
                    continue  # step (4) has said so
                for code, message in _judge(stored, entry, sandbox):
                    yield _finding(warc, number, entry, code, message)
            except RecordError as error:
                yield _finding(warc, number, entry, "record-form", str(error))
            if entry.id in seen:
                yield _finding(
                    warc, number, entry, "record-id", f"record {seen[entry.id]} has the same WARC-Record-ID"
                )
            seen[entry.id] = number


def _judge(stored: bytes, entry: Entry, sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    record = parse_member(stored)
    block = record.get("warc-block-digest")
    if block is not None and not _holds(block, record.block):
        yield "block-digest", f"WARC-Block-Digest {block} is not that of the block"
    payload = record.get("warc-payload-digest")
    if payload is not None and not any(_holds(payload, reading) for reading in _payloads(record)):
        yield "payload-digest", f"WARC-Payload-Digest {payload} is not that of the payload, in either reading"
    said = differing(entry, describe(Member(entry.offset, stored), sandbox))
    if said:
        yield "record-list-line", f"its line in the record list says otherwise: {', '.join(said)}"
    note_of(entry, stored)


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


def _finding(warc: CommittedWarc, number: int, entry: Entry, code: str, message: str) -> Finding:
    return Finding(
        verdict="failed",
        code=code,
        file=warc.path,
        record=number,
        offset=entry.offset,
        id=entry.id,
        uri=entry.uri,
        message=message,
        advice="The stored bytes are those that were committed: it was so when it was sealed.",
    )


def check_catalogue(root: Path, manifest: Manifest) -> Iterator[Finding]:
    """(8) The catalogue has the rows that a rebuild from the WARC files gives."""
    if not (root / catalogue.NAME).exists():
        return
    try:
        with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
            anew = Path(folder) / catalogue.NAME
            with closing(catalogue.connect(anew)) as db:
                catalogue.catch_up(db, root, [warc.path for warc in manifest.warcs], sandbox)
            copy = Path(folder) / "copy.db"  # a reader, too, would write beside a database in WAL mode
            for end in ("", "-wal"):
                if (root / (catalogue.NAME + end)).exists():
                    shutil.copyfile(root / (catalogue.NAME + end), f"{copy}{end}")
            with closing(sqlite3.connect(copy)) as connection:
                connection.execute("ATTACH ? AS anew", [str(anew)])
                for table in _TABLES:
                    yield from _compare(connection, table)
    except (sqlite3.DatabaseError, RecordError, OSError) as error:
        yield Finding(
            verdict="unverifiable",
            code="catalogue",
            file=catalogue.NAME,
            message=f"the catalogue could not be compared with the records: {error}",
            advice="Mend what the other findings name, then run 'archiver rebuild'.",
        )


def _compare(connection: sqlite3.Connection, table: str) -> Iterator[Finding]:
    for ours, theirs, what in (("main", "anew", "is in no record"), ("anew", "main", "is missing")):
        sql = f"SELECT * FROM {ours}.{table} EXCEPT SELECT * FROM {theirs}.{table}"  # noqa: S608 - our own names
        rows = connection.execute(sql).fetchall()
        for row in rows[:ROWS_NAMED]:
            yield _row(table, what, repr(row)[:300])
        if len(rows) > ROWS_NAMED:
            yield _row(table, what, f"and {len(rows) - ROWS_NAMED} rows more")


def _row(table: str, what: str, row: str) -> Finding:
    return Finding(
        verdict="failed",
        code="catalogue-row",
        file=catalogue.NAME,
        message=f"a row of {table} {what}: {row}",
        advice="Run 'archiver rebuild': the catalogue is made anew from the WARC files.",
    )
