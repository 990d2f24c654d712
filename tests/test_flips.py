"""Random damage: every flipped bit and every replaced stretch of any file is found."""

import gzip
import random
import shutil
import tempfile
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import archives
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.digests import digest
from archiver.manifest import recordlist
from archiver.model import Finding
from archiver.sandbox import Sandbox
from archiver.verify import Verification

FLIPS = 2000
LEAST = 100  # for each file, however small
SEED = 20261122


def verify(root: Path, sandbox: Sandbox) -> list[Finding]:
    return list(Verification(root, sandbox=sandbox).findings())


def shares(sizes: dict[str, int]) -> dict[str, int]:
    """How many flips each file gets: LEAST, and of the rest by its size."""
    rest, total = FLIPS - LEAST * len(sizes), sum(sizes.values())
    counts = {name: LEAST + rest * size // total for name, size in sizes.items()}
    counts[max(sizes, key=lambda name: sizes[name])] += FLIPS - sum(counts.values())
    return counts


def ends(root: Path, name: str) -> list[int]:
    """Where each record's member or line ends."""
    number = next(n for n, w in enumerate(archives.manifest(root).warcs) if name in (w.path, w.list.path))
    parts = archives.members(root, number) if name.endswith(".gz") else archives.lines(root, number)
    return list(accumulate(map(len, parts)))


@pytest.mark.slow
def test_every_flipped_bit_is_found_and_located(root: Path, sandbox: Sandbox) -> None:
    source = random.Random(SEED)
    done = located = 0
    sizes = {name: (root / name).stat().st_size for name in archives.files(root)}
    assert {Path(name).suffix for name in sizes} == {".gz", ".jsonl", ".json", ".db", ".sha256"}
    for name, count in shares(sizes).items():
        path = root / name
        places = ends(root, name) if name.startswith("warcs/") else None
        path.chmod(0o644)
        whole = path.read_bytes()
        for place in source.choices(range(len(whole)), k=count):
            bit = 1 << source.randrange(8)
            write_byte(path, place, whole[place] ^ bit)
            found = verify(root, sandbox)
            write_byte(path, place, whole[place])
            assert found, f"{name}: bit {bit} of byte {place} was not found"
            assert "failed" in {each.verdict for each in found}
            done += 1
            if places:
                record = bisect_right(places, place)
                assert_located(found, name, record, joined=place + 1 in places)
                located += 1
        assert path.read_bytes() == whole
    assert done == FLIPS
    assert located > 600
    assert verify(root, sandbox) == []


def assert_located(found: list[Finding], name: str, record: int, *, joined: bool) -> None:
    """In that file and record, and nowhere else. Where a line's end was flipped, two lines became one."""
    assert {each.file for each in found} == {name}
    records = {each.record for each in found}
    two = joined and name.endswith(".jsonl")
    assert records == {record} or (two and records == {record, record + 1}), (name, record, found)


def write_byte(path: Path, place: int, value: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([value]))


@pytest.mark.slow
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_other_change_is_found(data: st.DataObject, root: Path, sandbox: Sandbox) -> None:
    """A stretch of any file taken out, put in, or replaced."""
    name = data.draw(st.sampled_from(archives.files(root)))
    before = (root / name).read_bytes()
    start = data.draw(st.integers(0, len(before)))
    stop = data.draw(st.integers(start, min(len(before), start + 3000)))
    added = data.draw(
        st.binary(max_size=200) | st.sampled_from([before[:500], b"\0" * 100, before[start : start + 99]])
    )
    after = before[:start] + added + before[stop:]
    if after == before:
        return
    archives.write(root, name, after)
    try:
        found = verify(root, sandbox)
    finally:
        archives.write(root, name, before)
    assert found
    assert {"failed", "incomplete"} & {each.verdict for each in found}
    # A manifest can be made to name two other files: these are missing then, and its own two are unknown.
    assert len({each.file for each in found}) <= (5 if name == "manifest.json" else 2)


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_committed_nonsense_is_judged_too(data: st.DataObject, sealed: Path, sandbox: Sandbox) -> None:
    """Records of any bytes, committed as they are: --deep judges them, and only them, and never crashes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(sealed, Path(folder) / "archive"))
        for name in ("catalogue.db", "catalogue.sha256"):
            (root / name).unlink()
        number = data.draw(st.integers(0, archives.RECORDS - 1))
        record = gzip.decompress(archives.members(root)[number])
        start = data.draw(st.integers(0, len(record)))
        stop = data.draw(st.integers(start, min(len(record), start + 300)))
        added = data.draw(
            st.binary(max_size=40) | st.sampled_from([b"\r\n\r\n", b"\r\n", b"0", b"{", b"\xff" * 9])
        )
        altered = record[:start] + added + record[stop:]
        if altered == record:
            return
        member = gzip.compress(altered, mtime=0)
        archives.put_members(root, archives.at(number, lambda _: member)(archives.members(root)))
        offset, lines = 0, []
        for place, entry in enumerate(archives.entries(root)):
            length = len(member) if place == number else entry.length
            found = digest(member) if place == number else entry.digest
            moved = msgspec.structs.replace(entry, offset=offset, length=length, digest=found)
            lines.append(recordlist.encode(moved))
            offset += length
        archives.put_lines(root, lines)
        archives.recommit(root, tree=True)
        assert verify(root, sandbox) == []
        deep = list(Verification(root, thorough=True, sandbox=sandbox).findings())
        assert {(each.file, each.record) for each in deep} <= {(archives.warc(root), number)}


@pytest.mark.parametrize("value", [0, 1, (1 << 53) - 1])
@pytest.mark.parametrize("field", ["offset", "length"])
def test_committed_lines_that_reach_beyond_the_file(
    field: str, value: int, root: Path, sandbox: Sandbox
) -> None:
    entries = archives.entries(root)
    entries = [msgspec.structs.replace(entry, **{field: value}) for entry in entries]
    archives.put_lines(root, map(recordlist.encode, entries))
    archives.recommit(root, tree=True)
    (root / "catalogue.db").unlink()
    found = list(Verification(root, thorough=True, sandbox=sandbox).findings())
    assert {each.file for each in found} == {archives.listed(root)}


def test_shares() -> None:
    counts = shares({"big": 1_000_000, "small": 10, "smaller": 1})
    assert sum(counts.values()) == FLIPS
    assert min(counts.values()) >= LEAST
