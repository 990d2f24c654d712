"""Everything that somebody with write access can do to an archive's records is found and located."""

import gzip
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import archives
import msgspec
import pytest
from archives import (
    CHAIN,
    CUT,
    EMPTY,
    HTML,
    PICTURE,
    RECORDS,
    at,
    change,
    check,
    command,
    flip,
    members,
    repacked,
    rows,
    swap,
)
from hypothesis import given
from hypothesis import strategies as st

from archiver.digests import digest
from archiver.model import Entry
from archiver.sandbox import Sandbox
from archiver.verify import align
from archiver.verify.locate import locate
from archiver.warc.scan import walk

# --- WARC files ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A change of a WARC file's members, and the findings that it must give: no more, no fewer."""

    name: str
    alter: Callable[[list[bytes]], list[bytes]]
    expected: set[tuple[str, int]]
    code: int = 4


def replaced(pattern: bytes, by: bytes) -> Callable[[bytes], bytes]:
    return lambda member: repacked(member, lambda record: re.sub(pattern, by, record, count=1))


def stripped(record: bytes) -> bytes:
    """No digests, and another body of another length."""
    record = re.sub(rb"WARC-(Block|Payload)-Digest: [^\r]*\r\n", b"", record)
    head, _, block = record.partition(b"\r\n\r\n")
    block = block.removesuffix(b"\r\n\r\n") + b"<p>another ending</p>"
    head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(block), head)
    return head + b"\r\n\r\n" + block + b"\r\n\r\n"


def revisit(record: bytes) -> bytes:
    head = re.sub(rb"WARC-Type: response", b"WARC-Type: revisit", record)
    return re.sub(rb"(WARC-Block-Digest: sha256:)\w{8}", rb"\g<1>00000000", head)


def emptied(record: bytes) -> bytes:
    """A block of no bytes that keeps its digest."""
    head = re.sub(rb"\r\nContent-Length: \d+", b"\r\nContent-Length: 0", record.partition(b"\r\n\r\n")[0])
    return head + b"\r\n\r\n\r\n\r\n"


def new_record(m: list[bytes]) -> bytes:
    return replaced(rb"<urn:uuid:\w{8}", b"<urn:uuid:00000000")(m[HTML])


ALL = range(RECORDS)
WARC_CASES = [
    # the table of validators' blind spots
    Case(
        "last record cut in its body", lambda m: [*m[:-1], m[-1][: len(m[-1]) // 2]], {("cut-record", CHAIN)}
    ),
    Case("bit flipped in a member", at(PICTURE, flip(400)), {("changed-record", PICTURE)}),
    Case("bit of the CRC flipped", at(PICTURE, flip(-6)), {("changed-record", PICTURE)}),
    Case("bit of the length flipped", at(PICTURE, flip(-1)), {("changed-record", PICTURE)}),
    Case("bit of the gzip magic flipped", at(PICTURE, flip(0)), {("changed-record", PICTURE)}),
    Case("torn in the middle", at(PICTURE, lambda member: member[:700]), {("changed-record", PICTURE)}),
    Case(
        "torn at the end, then a new record",
        lambda m: [*m[:-1], m[-1][:-30], new_record(m)],
        {("changed-record", CHAIN), ("added-record", RECORDS)},
    ),
    Case("last 8 bytes missing", at(CHAIN, lambda member: member[:-8]), {("cut-record", CHAIN)}),
    Case("5 bytes of a next member", lambda m: [*m, m[0][:5]], {("added-bytes", RECORDS)}),
    Case(
        "plain WARC cut in a header",
        lambda m: [b"".join(map(gzip.decompress, m))[:-900]],
        {("changed-record", number) for number in ALL},
    ),
    Case(
        "last CRLF CRLF missing",
        at(CHAIN, lambda m: repacked(m, lambda r: r[:-4])),
        {("changed-record", CHAIN)},
    ),
    Case(
        "two records in a member",
        lambda m: [*m[:5], repacked(m[5], lambda r: r + gzip.decompress(m[6])), *m[7:]],
        {("changed-record", 5), ("changed-record", 6)},
    ),
    Case(
        "a record split over two members",
        at(HTML, lambda m: gzip.compress(gzip.decompress(m)[:300]) + gzip.compress(gzip.decompress(m)[300:])),
        {("changed-record", HTML)},
    ),
    Case(
        "empty block with the old digest",
        at(EMPTY, lambda m: repacked(m, emptied)),
        {("changed-record", EMPTY)},
    ),
    Case(
        "revisit with a wrong block digest",
        at(EMPTY, lambda m: repacked(m, revisit)),
        {("changed-record", EMPTY)},
    ),
    Case(
        "digests stripped, body replaced",
        at(HTML, lambda m: repacked(m, stripped)),
        {("changed-record", HTML)},
    ),
    # what no digest inside a WARC covers
    Case(
        "target URI edited",
        at(PICTURE, replaced(rb"news\.example", b"fake.example")),
        {("changed-record", PICTURE)},
    ),
    Case(
        "date edited",
        at(CUT, replaced(rb"Date: 2026-11-22T19", b"Date: 2025-11-22T19")),
        {("changed-record", CUT)},
    ),
    Case("truncation hidden", at(CUT, replaced(rb"WARC-Truncated: \w+\r\n", b"")), {("changed-record", CUT)}),
    Case(
        "compressed again, nothing else",
        at(HTML, lambda m: gzip.compress(gzip.decompress(m), 1)),
        {("changed-record", HTML)},
    ),
    # records gone, doubled, moved, added
    Case("first deleted", lambda m: m[1:], {("missing-record", 0)}),
    Case("middle deleted", lambda m: m[:5] + m[6:], {("missing-record", 5)}),
    Case("last deleted", lambda m: m[:-1], {("missing-record", CHAIN)}),
    Case("three deleted", lambda m: m[:2] + m[3:5] + m[7:], {("missing-record", n) for n in (2, 5, 6)}),
    Case(
        "one deleted, the next changed",
        lambda m: [*m[:5], flip(99)(m[6]), *m[7:]],
        {("missing-record", 5), ("changed-record", 6)},
    ),
    Case("doubled in place", lambda m: [*m[:5], m[5], *m[5:]], {("duplicated-record", 5)}),
    Case("doubled at the end", lambda m: [*m, m[2]], {("duplicated-record", 2)}),
    Case("doubled at the start", lambda m: [m[9], *m], {("duplicated-record", 9)}),
    Case("one replaced by another", lambda m: [*m[:4], m[9], *m[5:]], {("changed-record", 4)}),
    Case("neighbours swapped", swap(5, 6), {("moved-record", 5)}),
    Case("distant ones swapped", swap(2, 10), {("moved-record", 2), ("moved-record", 10)}),
    Case("reversed", lambda m: m[::-1], {("moved-record", n) for n in range(RECORDS - 1)}),
    Case("appended", lambda m: [*m, new_record(m)], {("added-record", RECORDS)}),
    Case("inserted", lambda m: [*m[:4], new_record(m), *m[4:]], {("added-record", 4)}),
    Case("torn bytes appended", lambda m: [*m, m[3][:100]], {("added-bytes", RECORDS)}),
    Case("bytes inserted between members", lambda m: [*m[:4], b"x" * 50, *m[4:]], {("added-bytes", 4)}),
    Case("zeros appended", lambda m: [*m, bytes(1 << 20)], {("added-bytes", RECORDS)}),
    Case(
        "all but a few deleted", lambda m: m[4:7], {("missing-record", n) for n in ALL if n not in (4, 5, 6)}
    ),
]


@pytest.mark.parametrize("case", WARC_CASES, ids=lambda case: case.name)
def test_warc(case: Case, root: Path) -> None:
    committed = archives.entries(root)
    archives.put_members(root, case.alter(members(root)))
    code, printed = command(root)
    assert code == case.code
    *findings, summary = printed
    assert {(row["code"], row["record"]) for row in findings} == case.expected
    assert len(findings) == len(case.expected)
    assert {row["file"] for row in findings} == {archives.warc(root)}
    assert summary["verdict"] == (
        "failed" if any(row["verdict"] == "failed" for row in findings) else "incomplete"
    )
    for row in findings:
        assert row["message"]
        assert row["advice"]
        if not str(row["code"]).startswith("added-"):
            entry = committed[int(str(row["record"]))]
            assert (row["id"], row.get("uri")) == (entry.id, entry.uri)
            assert row["code"] == "duplicated-record" or row["offset"] == entry.offset


def test_all_records_in_one_stream(root: Path, sandbox: Sandbox) -> None:
    archives.put_members(root, [gzip.compress(b"".join(map(gzip.decompress, members(root))))])
    found = rows(check(root, sandbox), root)
    assert {record for _, _, record in found} == set(ALL)
    assert {code for code, _, _ in found} <= {"changed-record", "missing-record"}


def test_added_record_is_named_by_its_own_header(root: Path, sandbox: Sandbox) -> None:
    archives.put_members(root, [*members(root), new_record(members(root))])
    (found,) = check(root, sandbox)
    assert found.uri == archives.entries(root)[HTML].uri
    assert str(found.id).startswith("urn:uuid:00000000")


@pytest.mark.parametrize("beside", [-1, 0, 1])
@pytest.mark.parametrize("kept", range(1, RECORDS + 1))
def test_cut_at_every_boundary(kept: int, beside: int, root: Path, sandbox: Sandbox) -> None:
    ends = [entry.offset + entry.length for entry in archives.entries(root)]
    size = ends[kept - 1] + beside
    if size == ends[-1]:
        return
    change(root, archives.warc(root), lambda data: (data + b"\0")[:size])
    found = rows(check(root, sandbox), root)
    if size > ends[-1]:
        assert found == {("added-bytes", "warc", RECORDS)}
        return
    cut = {("cut-record", "warc", kept - 1 if beside < 0 else kept)} if beside else set()
    first_gone = kept if beside <= 0 else kept + 1
    assert found == cut | {("missing-record", "warc", number) for number in range(first_gone, RECORDS)}


def test_empty_file_is_one_finding(root: Path, sandbox: Sandbox) -> None:
    archives.write(root, archives.warc(root), b"")
    assert rows(check(root, sandbox), root) == {("empty-file", "warc", None)}
    assert command(root)[0] == 4


def test_another_file_in_its_place(root: Path, sandbox: Sandbox) -> None:
    change(root, archives.warc(root), lambda _: b"\0" * 5000)
    found = rows(check(root, sandbox), root)
    assert {record for _, _, record in found} == set(ALL)


# --- what is hostile to the search itself --------------------------------------------------------


def longest(left: list[str], right: list[str]) -> int:
    """Length of a longest common subsequence, the plain way."""
    before = [0] * (len(right) + 1)
    for a in left:
        row = [0]
        for j, b in enumerate(right):
            row.append(before[j] + 1 if a == b else max(before[j + 1], row[j]))
        before = row
    return before[-1]


items = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@given(left=items, right=items)
def test_alignment_is_a_longest_one(left: list[str], right: list[str]) -> None:
    pairs = align.common(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    often = max((left.count(item) * right.count(item) for item in left), default=0)
    if often <= align._MANY:
        assert len(pairs) == longest(left, right)
    stretches = list(align.gaps(pairs, len(left), len(right)))
    assert sum(len(i) for i, _ in stretches) + len(pairs) == len(left)
    assert sum(len(j) for _, j in stretches) + len(pairs) == len(right)


def hostile(data: bytes, tmp_path: Path) -> float:
    """Seconds that a walk takes."""
    path = tmp_path / "hostile.warc.gz"
    path.write_bytes(data)
    start = time.process_time()
    with path.open("rb") as file:
        spans = walk(file)
    assert [span.offset for span in spans[1:]] == [span.end for span in spans[:-1]]
    assert spans[-1].end == len(data)
    return time.process_time() - start


def test_walk_ends_soon_on_hostile_bytes(tmp_path: Path) -> None:
    heads = b"\x1f\x8b\x08" * 100_000
    packer = zlib.compressobj(0, zlib.DEFLATED, 31)
    endless = (packer.compress(b"WARC/1.1\r\n" * 3) + packer.flush(zlib.Z_SYNC_FLUSH)) * 5_000
    bomb = gzip.compress(bytes(100 << 20))
    for data in (heads, endless, bomb, bomb[:-1] + heads, endless + bomb):
        assert hostile(data, tmp_path) < 20


def test_many_equal_records_are_compared_soon(tmp_path: Path) -> None:
    """All stand at the wrong place, and each could be any other."""
    entry = Entry(offset=0, length=1, digest="sha256:" + "0" * 64, type="", id="", date="")
    member = gzip.compress(b"WARC/1.1\r\n", mtime=0)
    same = msgspec.structs.replace(entry, length=len(member), digest=digest(member))
    path = tmp_path / "equal.warc.gz"
    path.write_bytes(b"x" + member * 20_000 + b"x")
    start = time.process_time()
    with path.open("rb") as file:
        assert list(locate(file, path.name, [entry, *[same] * 19_000, entry]))
    assert time.process_time() - start < 20
