"""`archiver merge`: what other archives hold, taken into one; their own proofs go on to hold."""

import shutil
from pathlib import Path

import archives
import pytest
from commands import archiver, within

from archiver.capture.records import manifest_record
from archiver.manifest import manifest as commitment


def merged(into: Path, *others: Path) -> tuple[int, dict[str, object]]:
    code, rows, _ = within("merge", "--json", "--into", str(into), *map(str, others))
    return code, rows[-1]


def findings(root: Path) -> set[str]:
    _, rows, _ = within("verify", "--deep", "--json", str(root))
    return {str(row["code"]) for row in rows if row["type"] == "finding"}


def test_two_archives_become_one_that_has_the_records_of_both(tmp_path: Path) -> None:
    one, other = (archives.make(tmp_path / name, 2) for name in ("one", "other"))
    code, summary = merged(one, other)
    assert (code, summary["files"], summary["held"]) == (0, 2, 0)
    assert findings(one) == set()
    _, rows, _ = within("compare", "--json", str(one), str(other))
    assert rows[-1]["records"]["second"] == 0
    assert rows[-1]["records"]["both"] == 2 * archives.RECORDS
    members = [
        (one / f"imports/{Path(warc.path).name}").read_bytes() for warc in archives.manifest(other).warcs
    ]
    assert members == [(other / warc.path).read_bytes() for warc in archives.manifest(other).warcs]


def test_merged_again_nothing_is_added(tmp_path: Path) -> None:
    one, other = (archives.make(tmp_path / name, 1) for name in ("one", "other"))
    merged(one, other)
    before = (one / commitment.NAME).read_bytes()
    code, summary = merged(one, other)
    assert (code, summary["files"], summary["held"]) == (0, 0, 1)
    assert (one / commitment.NAME).read_bytes() == before


def test_a_copy_that_went_apart_gives_what_is_new_in_it(tmp_path: Path) -> None:
    one, other = archives.make(tmp_path / "one", 1), tmp_path / "other"
    shutil.copytree(one, other)
    archives.grow(one, [archives.records(1)])
    archives.grow(other, [archives.records(2)])
    code, summary = merged(one, other)
    assert (code, summary["files"], summary["held"]) == (0, 1, 1)
    assert findings(one) == set()


def test_a_merged_archive_is_merged_with_what_was_merged_into_it(tmp_path: Path) -> None:
    one, two, three = (archives.make(tmp_path / name, 1) for name in ("one", "two", "three"))
    merged(two, three)
    code, summary = merged(one, two)
    assert (code, summary["files"]) == (0, 3)  # two's own, three's, and the notes of the first merge
    assert findings(one) == set()


def test_of_a_damaged_archive_nothing_is_taken(tmp_path: Path) -> None:
    one, other = (archives.make(tmp_path / name, 2) for name in ("one", "other"))
    before = archives.files(one)
    archives.change(other, archives.warc(other), archives.flip(700))
    code, _, text = archiver("merge", "--into", str(one), str(other))
    assert code == 4
    assert archives.warc(other) in text
    assert "Nothing was merged" in text
    assert archives.files(one) == before


def another_root(data: bytes) -> bytes:
    at = data.index(b'"root": "sha256:') + 16
    return data[:at] + (b"0" if data[at : at + 1] != b"0" else b"1") + data[at + 1 :]


def test_a_merged_manifest_that_does_not_hold_is_found(tmp_path: Path) -> None:
    """As of a forger who can seal over this archive, and not sign what the other had signed."""
    one, other = (archives.make(tmp_path / name, 1) for name in ("one", "other"))
    merged(one, other)
    data = (other / commitment.NAME).read_bytes()
    forged = [another_root(data), data[:-20], data.replace(b'"bytes": ', b'"bytes": 1', 1)]
    archives.grow(one, [[manifest_record(each) for each in forged]])
    _, rows, _ = within("verify", "--json", str(one))
    found = [(row["code"], row["record"]) for row in rows if str(row.get("code", "")).startswith("merged")]
    assert found == [("merged-tree", 1), ("merged-manifest", 2), ("merged-file", 3)]


@pytest.mark.parametrize("link", [False, True])
def test_what_is_not_an_archive_is_said(tmp_path: Path, link: bool) -> None:
    one = archives.make(tmp_path / "one", 1)
    options = ["--link"] if link else []
    assert archiver("merge", *options, "--into", str(one), str(tmp_path / "nothing"))[0] == 5
    code, _, text = archiver("merge", *options, "--into", str(one), str(one))
    assert code == 2
    assert "into which it would be imported" in text
