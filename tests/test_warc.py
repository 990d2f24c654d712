"""WARC records on disk: written as meant, read strictly, whatever the bytes."""

import gzip
import hashlib
import io
import re
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import RecordError, StorageError
from archiver.model import Location, Record
from archiver.warc.read import (
    HEAD_BYTES,
    Member,
    StoredRecord,
    members,
    parse_member,
    parse_record,
    read_stored,
)
from archiver.warc.stored import read_record
from archiver.warc.write import WarcFile, record_id, warc_date

RECORD = Record(
    type="resource",
    id="urn:uuid:6f1c9f5e-0000-4000-8000-000000000001",
    date="2026-11-22T19:05:12.123456Z",
    uri="urn:archiver:source:渡轮",
    content_type="text/markdown",
    headers=(("WARC-IP-Address", "192.0.2.1"),),
    block="渡轮启航\r\n\r\nWARC/1.1\r\n".encode(),
)


def change(**fields: object) -> Record:
    return msgspec.structs.replace(RECORD, **fields)


def written(folder: Path, *records: Record) -> tuple[bytes, list[Location]]:
    path = folder / f"{len(list(folder.iterdir()))}.warc.gz"
    with WarcFile(path, path.name) as file:
        located = [file.append(record) for record in records]
        file.sync()
    return path.read_bytes(), [location for location, _ in located]


# --- write ---------------------------------------------------------------------------------------


def test_record_as_written(tmp_path: Path) -> None:
    data, [location] = written(tmp_path, RECORD)
    assert location.length == len(data)
    expected = (
        "WARC/1.1\r\n"
        "WARC-Type: resource\r\n"
        "WARC-Record-ID: <urn:uuid:6f1c9f5e-0000-4000-8000-000000000001>\r\n"
        "WARC-Date: 2026-11-22T19:05:12.123456Z\r\n"
        "WARC-Target-URI: urn:archiver:source:渡轮\r\n"
        "WARC-IP-Address: 192.0.2.1\r\n"
        f"WARC-Block-Digest: sha256:{hashlib.sha256(RECORD.block).hexdigest()}\r\n"
        "Content-Type: text/markdown\r\n"
        f"Content-Length: {len(RECORD.block)}\r\n\r\n"
    ).encode()
    assert gzip.decompress(data) == expected + RECORD.block + b"\r\n\r\n"


def test_records_after_warcinfo_name_it(tmp_path: Path) -> None:
    info = change(type="warcinfo", uri=None, content_type="application/warc-fields", block=b"software: x\r\n")
    data, locations = written(tmp_path, info, change(id=record_id(), payload_digest="sha256:00"))
    first, second = (parse_member(data[at.offset : at.offset + at.length]) for at in locations)
    assert first.get("WARC-Warcinfo-ID") is None
    assert second.get("WARC-Warcinfo-ID") == f"<{info.id}>"
    assert second.get("WARC-Payload-Digest") == "sha256:00"


@pytest.mark.parametrize("store", [True, False])
def test_pictures_are_stored_and_text_is_compressed(tmp_path: Path, store: bool) -> None:
    data, _ = written(tmp_path, change(block=b"a" * 10_000, store=store))
    assert (b"a" * 10_000 in data) == store
    assert gzip.decompress(data).endswith(b"a" * 10_000 + b"\r\n\r\n")


@pytest.mark.parametrize("kind", ["warcinfo", "response", "request", "metadata", "revisit", "conversion"])
def test_block_is_kept_for_every_type(tmp_path: Path, kind: str) -> None:
    data, _ = written(tmp_path, change(type=kind))
    assert parse_member(data).block == RECORD.block


@pytest.mark.parametrize(
    "unfit", ["\r\nEvil: 1", "\n x", "\r", "\x00", "\x7f", "\x1b[31m", "\ud800", " x", "x\t"]
)
@pytest.mark.parametrize(
    "place",
    [
        lambda value: change(uri=f"http://a/{value}" if value != " x" else value),
        lambda value: change(content_type=value),
        lambda value: change(headers=(("X", value),)),
        lambda value: change(date=value),
        lambda value: change(payload_digest=value),
    ],
)
def test_header_that_would_say_something_else_is_refused(
    tmp_path: Path, place: Callable[[str], Record], unfit: str
) -> None:
    with WarcFile(tmp_path / "x.gz", "x.gz") as file, pytest.raises(RecordError):
        file.append(place(unfit))
    assert (tmp_path / "x.gz").read_bytes() == b""


@pytest.mark.parametrize("name", ["", "X:", "X Y", "X\r\nY", "渡"])
def test_header_name_must_be_a_name(tmp_path: Path, name: str) -> None:
    with WarcFile(tmp_path / "x.gz", "x.gz") as file, pytest.raises(RecordError):
        file.append(change(headers=((name, "value"),)))


def test_header_that_no_reader_would_take_is_refused(tmp_path: Path) -> None:
    with WarcFile(tmp_path / "x.gz", "x.gz") as file, pytest.raises(RecordError, match="too large"):
        file.append(change(uri="http://a/" + "x" * HEAD_BYTES))


def test_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(b"old")
    with pytest.raises(StorageError, match=r"x\.gz: File exists"):
        WarcFile(tmp_path / "x.gz", "x.gz")
    assert (tmp_path / "x.gz").read_bytes() == b"old"


def test_dates_have_microseconds_in_utc() -> None:
    moment = datetime(2026, 11, 23, 3, 5, 12, 7, tzinfo=timezone(timedelta(hours=8)))
    assert warc_date(moment) == "2026-11-22T19:05:12.000007Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", warc_date(datetime.now(UTC)))


PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)


RECORDS = st.builds(
    Record,
    type=st.sampled_from(["response", "metadata"]),
    block=st.binary(),
    content_type=PRINTABLE,
    date=PRINTABLE,
    id=PRINTABLE,
    uri=st.none() | PRINTABLE,
    store=st.booleans(),
)


@given(st.lists(RECORDS, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, records: list[Record]) -> None:
    folder = tmp_path_factory.mktemp("w")
    data, locations = written(folder, *records)
    walked = list(members(io.BytesIO(data)))
    assert [(member.offset, len(member.stored)) for member in walked] == [
        (at.offset, at.length) for at in locations
    ]
    for record, location in zip(records, locations, strict=True):
        read = read_record(folder, location)
        assert (read.type, read.block, read.get("warc-date")) == (record.type, record.block, record.date)
        assert (read.get("warc-target-uri"), read.get("content-type")) == (record.uri, record.content_type)


# --- read ----------------------------------------------------------------------------------------

PLAIN = (
    b"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:x>\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n"
)


def test_plain_record() -> None:
    record = parse_record(PLAIN)
    assert (record.type, record.block, record.payload, record.http) == ("metadata", b"hello", b"hello", None)


LENGTHS = ["+5", "5_", "0_5", "٥", "5.0", "0x5", "-5", "", "5 5", "5,5", "5\x0b", "5\xa0", "4", "6"]


@pytest.mark.parametrize("length", [*LENGTHS, "9" * 15, "9" * 16, str(2**62)])
def test_length_that_is_none(length: str) -> None:
    with pytest.raises(RecordError, match="Content-Length"):
        parse_record(PLAIN.replace(b"Length: 5", b"Length: " + length.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"WARC/1.1", b"WARC/2.0"),
        (b"WARC/1.1", b" WARC/1.1"),
        (b"WARC/1.1\r\n", b"WARC/1.1\n"),
        (b"Content-Length: 5\r\n", b""),
        (b"Content-Length: 5", b"Content-Length: 5\r\nContent-Length: 5"),
        (b"Content-Length: 5", b"Content-Length: 5\r\ncontent-length: 9"),
        (b"<urn:x>", b"<urn:x>\r\nWARC-Record-ID: <urn:y>"),
        (b"metadata", b"metadata\r\nWARC-Type: response"),
        (b"WARC-Type:", b"WARC-Type :"),
        (b"WARC-Type:", b" WARC-Type:"),
        (b"WARC-Type: metadata", b"no colon"),
        (b"hello\r\n\r\n", b"hello\r\n"),
        (b"hello\r\n\r\n", b"hello"),
        (b"hello\r\n\r\n", b"hello\r\n\r\n\r\n"),
        (b"hello\r\n\r\n", b"hello\r\n\r\n" + PLAIN),
        (b"hello", b"hell"),
        (b"\r\n\r\nhello", b"\n\nhello"),
    ],
)
def test_record_of_another_form(old: bytes, new: bytes) -> None:
    assert old in PLAIN
    with pytest.raises(RecordError):
        parse_record(PLAIN.replace(old, new))


def test_member_and_record_are_one() -> None:
    one = gzip.compress(PLAIN)
    assert parse_member(one).block == b"hello"
    wrong = {
        "two records in a member": gzip.compress(PLAIN * 2),
        "a record split over two members": gzip.compress(PLAIN[:40]) + gzip.compress(PLAIN[40:]),
        "two members": one * 2,
        "bytes after the member": one + b"\x00",
        "a cut member": one[:-1],
        "nothing": b"",
        "no gzip": PLAIN,
        "zlib": zlib.compress(PLAIN),
        "wrong checksum": one[:-8] + bytes([one[-8] ^ 1]) + one[-7:],
    }
    taken = []
    for what, stored in wrong.items():
        with suppress(RecordError):
            parse_member(stored)
            taken.append(what)
    assert not taken


def test_members_are_walked_over_any_boundary() -> None:
    stored = [gzip.compress(PLAIN * count, mtime=0) for count in (1, 5_000, 1, 40_000)] * 3
    walked = list(members(io.BytesIO(b"".join(stored))))
    assert [member.stored for member in walked] == stored
    assert walked[1].digest == "sha256:" + hashlib.sha256(stored[1]).hexdigest()
    assert [member.stored for member in members(io.BytesIO(b"".join(stored)), walked[7].offset)] == stored[7:]


@pytest.mark.parametrize(
    "tail",
    [b"\x00", b"\x00" * 100_000, b"\x1f\x8b", gzip.compress(PLAIN, mtime=0)[:-1], b"WARC/1.1"],
    ids=["a zero", "zeros", "magic", "cut", "plain"],
)
def test_walk_ends_at_bytes_that_are_no_member(tail: bytes) -> None:
    whole = gzip.compress(PLAIN)
    walk = members(io.BytesIO(whole + tail))
    assert next(walk) == Member(0, whole)
    with pytest.raises(RecordError, match=f" {len(whole)}"):
        next(walk)


def test_bomb_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound itself is a gigabyte: a smaller one stands for it here."""
    monkeypatch.setattr("archiver.warc.read.RECORD_BYTES", 1 << 20)
    bomb = gzip.compress(bytes(200 << 20))
    with pytest.raises(RecordError, match="larger than a record may be"):
        parse_member(bomb)
    with pytest.raises(RecordError, match="larger than a record may be"):
        list(members(io.BytesIO(bomb)))


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 11), (10, 1), (-1, 5), (0, -1), (1 << 62, 1), (0, 1 << 62), (1 << 70, 1 << 70), (5, 1 << 40)],
)
def test_location_that_is_not_there(tmp_path: Path, offset: int, length: int) -> None:
    (tmp_path / "x").write_bytes(bytes(10))
    with pytest.raises(RecordError, match="x: "):
        read_stored(tmp_path, Location(file="x", offset=offset, length=length))
    with pytest.raises(RecordError, match="missing"):
        read_stored(tmp_path, Location(file="missing", offset=0, length=1))


@given(st.binary() | st.binary().map(gzip.compress))
def test_any_bytes_are_a_record_or_an_error(data: bytes) -> None:
    with suppress(RecordError):
        assert isinstance(parse_member(data), StoredRecord)
    with suppress(RecordError):
        assert b"".join(member.stored for member in members(io.BytesIO(data))) == data


PIECES = [b"WARC/1.1\r\n", b"\r\n", b"\n", b":", b" ", b"Content-Length: ", b"5", b"WARC-Type: ", b"\xff"]
HEADS = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@given(
    HEADS
    | st.integers(0, len(PLAIN)).flatmap(lambda at: HEADS.map(lambda part: PLAIN[:at] + part + PLAIN[at:]))
)
def test_any_pieces_are_a_record_or_an_error(data: bytes) -> None:
    with suppress(RecordError):
        record = parse_record(data)
        assert data.endswith(record.block + b"\r\n\r\n")
        assert record.payload in data


def test_header_of_hundreds_of_thousands_of_lines_is_quick() -> None:
    start = time.process_time()
    with suppress(RecordError):
        parse_record(b"WARC/1.1\r\n" + b"a:\r\n" * (HEAD_BYTES // 4 - 100) + b"\r\n\r\n")
    assert time.process_time() - start < 5
