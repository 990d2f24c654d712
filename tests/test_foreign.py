"""Files of others: every byte is a record's or a gap's, and every record that can be read is."""

import hashlib
import io
import random

import pytest
from foreign_files import CRLF, DATE, HTTP, PAGE, arc_records, files, gz, head, members, record, records
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import RecordError
from archiver.warc.foreign import (
    Stretch,
    Transcribed,
    parse_stored,
    plain,
    recognise_file,
    stretches,
    transcribe,
)
from archiver.warc.foreign.source import Source
from archiver.warc.read import parse_member, parse_record

FILES = files()


def tiled(data: bytes) -> list[Stretch]:
    """The stretches of a file, after a look at whether they are as promised."""
    found = list(stretches(io.BytesIO(data)))
    at = 0
    for stretch in found:
        stored = data[stretch.offset : stretch.end]
        assert stretch.offset == at
        assert stretch.length > 0
        assert stretch.digest == "sha256:" + hashlib.sha256(stored).hexdigest()
        assert bool(stretch.record) == (stretch.kind == "record") == (not stretch.code)
        if stretch.record:
            alone = parse_stored(stored)
            assert (alone.fields, alone.block) == (stretch.record.fields, stretch.record.block)
            assert len(alone.block) == alone.block_bytes
        at = stretch.end
    assert at == len(data)
    return found


def transcribed(data: bytes) -> list[Transcribed]:
    """What has no place of its own; each record can be read again from its own bytes."""
    file, found = io.BytesIO(data), []
    for stretch in tiled(data):
        for each in transcribe(file, stretch) if stretch.hidden else ():
            assert stretch.offset <= each.offset < stretch.end
            if each.record:
                alone = parse_stored(b"".join(each.record.raw()))
                assert alone.block == each.record.block
                assert alone.get("warc-record-id") == each.record.get("warc-record-id")
            found.append(each)
    return found


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file(name: str) -> None:
    sample = FILES[name]
    found, inner = tiled(sample.data), transcribed(sample.data)
    placed = [each.record for each in found if each.record]
    hidden = [each.record for each in inner if each.record]
    problems = {problem.code for each in (*placed, *hidden) for problem in each.problems}
    gaps = tuple(each.code for each in found if not each.record and each.code != "zip")
    lost = tuple(each.code for each in inner if not each.record)
    assert recognise_file(sample.data[: 1 << 16]) == sample.kind
    assert (len(placed), len(hidden), problems) == (sample.placed, sample.hidden, sample.problems)
    assert (gaps, lost) == (sample.gaps, sample.lost)
    assert all(each.reason for each in found if each.kind == "gap")


@pytest.mark.parametrize("name", [name for name in FILES if FILES[name].data and ".warc" in name])
def test_sound_records_are_verbatim(name: str) -> None:
    """Every record that is whole in the file is found with its bytes, wherever it lies."""
    file = io.BytesIO(FILES[name].data)
    raw = [b"".join(each.record.raw()) for each in stretches(file) if each.record]
    raw += [b"".join(each.record.raw()) for each in transcribed(FILES[name].data) if each.record]
    sound = [each for each in raw if each in records()]
    for each in sound:
        assert parse_stored(each).fields == parse_record(each).fields


# --- records -------------------------------------------------------------------------------------


def test_what_a_record_says() -> None:
    (found,) = tiled(gz(record(number=7, WARC_IP_Address="192.0.2.7")))
    assert found.record
    assert (found.record.version, found.record.form, found.record.type) == ("WARC/1.0", "gzip", "response")
    assert found.record.get("WARC-Date") == DATE
    assert found.record.block == HTTP + PAGE
    stored = found.record.stored()
    assert (stored.payload, stored.http and stored.http.status) == (PAGE, 200)


def test_blocks_end_where_the_record_does() -> None:
    blocks = {
        name: [each.record.block for each in tiled(FILES[name].data) if each.record]
        for name in (
            "longer.warc",
            "ahead.warc",
            "shorter.warc",
            "no-length.warc",
            "longer.warc.gz",
            "cut.warc",
        )
    }
    whole = [each.partition(CRLF * 2)[2].removesuffix(CRLF * 2) for each in records()]
    assert blocks["longer.warc"] == blocks["no-length.warc"] == blocks["longer.warc.gz"] == whole[:2]
    assert blocks["ahead.warc"] == whole
    assert blocks["shorter.warc"] == [whole[0][:-9], whole[1]]
    assert blocks["cut.warc"] == [*whole[:2], whole[2][:-196]]


def test_a_problem_says_where() -> None:
    (found,) = tiled(record().replace(b"WARC-Date", b"nothing\r\nWARC-Date"))
    assert found.record
    (problem,) = found.record.problems
    assert found.record.head[problem.offset :].startswith(b"nothing\r\n")


def test_a_million_bad_lines_are_one_problem() -> None:
    (found,) = tiled(head(Content_Length="0")[:-2] + b"x\n" * 100_000 + CRLF * 3)
    assert found.record
    assert {each.code for each in found.record.problems} == {"line-end", "no-colon"}


def test_a_large_record_is_not_held() -> None:
    """Of 40 MB only both ends are kept; its block is inflated again when it is asked for."""
    block = HTTP + bytes(40 << 20)
    data = gz(record(block)) + gz(record())
    large, small = stretches(io.BytesIO(data))
    assert large.record
    assert small.record
    assert (large.record.block_bytes, large.record.problems) == (len(block), ())
    sha256 = hashlib.sha256()
    for each in large.record.blocks():
        assert len(each) <= 1 << 20
        sha256.update(each)
    assert sha256.digest() == hashlib.sha256(block).digest()


def test_one_record_at_a_time() -> None:
    for stored in (b"", gz(*records()), b"".join(records()), gz(b"none"), gz(record())[:-9]):
        with pytest.raises(RecordError):
            parse_stored(stored)


# --- ARC -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_arc_records_as_records_of_warc(version: int) -> None:
    first, page, dns, other = (
        each.record.stored() for each in transcribed(b"".join(arc_records(version))) if each.record
    )
    assert [each.type for each in (first, page, dns, other)] == [
        "warcinfo",
        "response",
        "resource",
        "resource",
    ]
    assert first.get("WARC-Filename") == "news.arc"
    assert page.get("WARC-Date") == "2001-02-03T04:05:06Z"
    assert (page.get("WARC-Target-URI"), page.get("WARC-IP-Address")) == ("http://news.example/", "192.0.2.7")
    assert (page.payload, page.http and page.http.status) == (PAGE, 200)
    assert (dns.get("Content-Type"), other.get("WARC-Target-URI")) == (
        "text/dns",
        "ftp://news.example/a%20b%20c.html",
    )
    assert len({each.get("WARC-Record-ID") for each in (first, page, dns, other)}) == 4


def test_arc_records_are_strict_records_of_warc_and_the_same_each_time() -> None:
    data = b"".join(arc_records())
    once, again = ([b"".join(each.record.raw()) for each in transcribed(data) if each.record] for _ in "ab")
    assert once == again
    for each in once:
        assert parse_record(each).block
        assert parse_member(gz(each)).fields == parse_record(each).fields


# --- hostile bytes -------------------------------------------------------------------------------


def read_all(data: bytes) -> None:
    tiled(data)
    transcribed(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(set(FILES) - {"endless-head.warc"})), st.randoms(use_true_random=False))
def test_changed_files_are_tiled(name: str, chance: random.Random) -> None:
    data = bytearray(FILES[name].data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                del data[at:]
            case 1:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del data[at : at + chance.randrange(40)]
            case _:
                data[at:at] = chance.choice(
                    [b"WARC/1.0\r\nA:", b"\x1f\x8b\x08\0", CRLF * 2, b"PK\x03\x04", b"9"]
                )
    read_all(bytes(data))


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"WARC/1.0\r\n", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"]),
)
def test_any_bytes_are_tiled(data: bytes, start: bytes) -> None:
    read_all(start + data)


def test_a_gzip_bomb_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.warc.foreign.inflate.RECORD_BYTES", 1 << 20)
    bomb = gz(bytes(30 << 20))
    found = tiled(gz(record()) + bomb + gz(record()))
    assert [each.code for each in found] == ["", "bomb"]
    frames = [each.code for each in transcribed(gz(*records(), bytes(30 << 20)))]
    assert frames == []


def test_a_file_of_magic_numbers_is_one_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.warc.foreign.inflate.RECORD_BYTES", 1 << 20)
    (found,) = tiled(b"\x1f\x8b\x08" * 10_000)
    assert not found.hidden
    assert not transcribed(b"\x28\xb5\x2f\xfd" * 5_000)[0].record


def test_a_file_that_shrinks_is_a_record_error() -> None:
    file = io.BytesIO(members(records()) + bytes(4 << 20))
    walk = stretches(file)
    next(walk)
    file.truncate(1 << 19)
    with pytest.raises(RecordError, match="shorter"):
        list(walk)
    file.close()
    with pytest.raises(RecordError, match="cannot be read"):
        list(stretches(file))


def test_a_record_without_oddities_is_read_as_all_others_are() -> None:
    """What is told from one look at a member is what the careful way tells."""
    head_ = b"WARC/1.1\r\nWARC-Type: resource\r\ncontent-LENGTH:\t5 \r\nX:\r\n"
    odd = (
        head_ + b"\r\nhello\r\n",
        head_ + b"\r\nhello\r\n\r\n\r\n",
        head_ + b"Content-Length: 7\r\n\r\nhello\r\n\r\n",
        head_ + b" folded\r\n\r\nhello\r\n\r\n",
        head_.replace(b"5", b"+5") + b"\r\nhello\r\n\r\n",
    )
    assert not any(plain.ordinary(data, "gzip") for data in odd)
    quick = plain.ordinary(whole := head_ + b"\r\nhello\r\n\r\n", "gzip")
    careful = plain.record_at(Source.of(whole), 0, "gzip")
    assert quick
    assert careful
    assert careful.record
    for name in ("version", "fields", "head", "block_bytes", "form", "problems", "lead", "block", "type"):
        assert getattr(quick, name) == getattr(careful.record, name)
    assert b"".join(quick.blocks()) == bytes(quick.view()) == quick.block == b"hello"
    assert b"".join(quick.raw()) == b"".join(careful.record.raw())
