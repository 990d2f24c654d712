"""Random damage: every change of any file is found and located, and nothing in what is healthy."""

import gzip
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import archives
import damage
import msgspec
import pytest
import shapes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wide import PARTS

from archiver.checks import Checks
from archiver.digests import digest
from archiver.manifest import recordlist
from archiver.model import Finding
from archiver.sandbox import Sandbox
from archiver.verify import Limits, Verification

DAMAGES, HEALTHY = 2_500, 25  # of each part; benchmarks/damage.py makes 10,000, and looks at 1,000
SEED = 20261122


def verify(root: Path, sandbox: Sandbox) -> list[Finding]:
    return list(Verification(root, sandbox=sandbox).findings())


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_every_damage_is_found_and_located(part: int, root: Path, sandbox: Sandbox) -> None:
    kinds: Counter[str] = Counter()
    suffixes, located = set(), 0
    for trial in damage.trials(root, sandbox, random.Random(SEED + part), DAMAGES):
        kinds[trial.kind] += 1
        suffixes.add(Path(trial.name).suffix)
        located += bool(trial.lost)
        assert {"failed", "incomplete"} & {each.verdict for each in trial.found}, trial
        if trial.name.startswith("warcs/"):
            assert {each.file for each in trial.found} == {trial.name}, trial
            assert trial.lost <= trial.reported <= trial.near, trial
    assert kinds.total() == DAMAGES
    assert min(kinds.values()) > 400
    assert suffixes == {".gz", ".jsonl", ".json", ".db", ".sha256"}
    assert located > 900
    assert verify(root, sandbox) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_found_in_a_healthy_archive(part: int, tmp_path: Path, sandbox: Sandbox) -> None:
    """Of random shape; by the whole check, the deep one, and one of a part."""
    dice, records, revisits = random.Random(SEED + part), 0, 0
    for number in range(HEALTHY):
        root = shapes.make(tmp_path / str(number), dice, sandbox)
        check = Verification(root, thorough=True, sandbox=sandbox)
        assert list(check.findings()) == []
        assert list(Verification(root, sandbox=sandbox).findings()) == []
        limits = Limits(share=dice.uniform(0.01, 1), seconds=dice.choice((None, 0.0)))
        with Checks(root) as checks:
            partly = Verification(root, sandbox=sandbox, limits=limits, checks=checks)
            assert list(partly.findings()) == []
        assert partly.exit_code == (7 if partly.limited else 0)
        records += check.records
        listed = b"".join(path.read_bytes() for path in root.glob("warcs/*.jsonl"))
        revisits += listed.count(b'"type":"revisit"')
    assert records > 500
    assert revisits > 50


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
        assert [each.code for each in verify(root, sandbox)] == ["beacon"]  # of the file after it
        deep = list(Verification(root, thorough=True, sandbox=sandbox).findings())
        judged = [each for each in deep if each.code != "beacon"]
        assert {(each.file, each.record) for each in judged} <= {(archives.warc(root), number)}


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
