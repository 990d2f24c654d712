"""`archiver compare`: two archives by their manifests and record lists alone."""

import io
import os
import shutil
from pathlib import Path

import archives
import pytest
from commands import archiver, within

from archiver.demo.scenes import harbour


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.make(tmp_path_factory.mktemp("compared") / "first", 2)


def copy(root: Path, into: Path) -> Path:
    """The commitment alone: as one keeps it elsewhere."""
    (into / "warcs").mkdir(parents=True)
    for path in [root / "manifest.json", *(root / "warcs").glob("*.records.jsonl")]:
        shutil.copy(path, into / path.relative_to(root))
    return into


def photograph(quality: int) -> bytes:
    out = io.BytesIO()
    harbour().save(out, "JPEG", quality=quality)
    return out.getvalue()


def compare(one: Path, other: Path) -> tuple[int, list[dict[str, object]], dict[str, object]]:
    code, rows, _ = within("compare", "--json", str(one), str(other))
    return code, rows[:-1], rows[-1]


def test_a_copy_of_the_commitment_is_the_same(first: Path, tmp_path: Path) -> None:
    code, rows, summary = compare(first, copy(first, tmp_path / "copy"))
    assert code == 0
    assert [row["type"] for row in rows] == ["archive", "archive"]
    assert summary["history"] == "same"
    assert summary["records"] == {"both": 2 * archives.RECORDS, "first": 0, "second": 0}


def test_what_was_added_since_a_copy(tmp_path: Path) -> None:
    longer = archives.make(tmp_path / "longer", 1)
    older = copy(longer, tmp_path / "older")
    archives.grow(longer, [archives.records(1)])
    code, rows, summary = compare(longer, older)
    assert (code, summary["history"], summary["common"]) == (0, "first-goes-on", archives.RECORDS)
    lacking = [row for row in rows if row["type"] == "lacking"]
    assert len(lacking) == archives.RECORDS == summary["records"]["first"]  # type: ignore[index]
    assert {row["side"] for row in lacking} == {"first"}
    assert compare(older, longer)[2]["history"] == "second-goes-on"


def test_two_copies_that_went_apart(tmp_path: Path) -> None:
    one = archives.make(tmp_path / "one", 1)
    other = tmp_path / "other"
    shutil.copytree(one, other)
    archives.grow(one, [archives.records(1)])
    archives.grow(other, [archives.records(1)])
    _, _, summary = compare(one, other)
    assert (summary["history"], summary["common"]) == ("went-apart", archives.RECORDS)
    assert summary["records"] == {
        "both": archives.RECORDS,
        "first": archives.RECORDS,
        "second": archives.RECORDS,
    }


def test_two_archives_with_the_same_payloads(first: Path, tmp_path: Path) -> None:
    other = archives.make(tmp_path / "other", 2)
    code, rows, summary = compare(first, other)
    assert (code, summary["history"], summary["common"]) == (0, "unrelated", 0)
    assert summary["records"]["both"] == 0  # type: ignore[index]
    assert summary["payloads"]["both"] > 0  # type: ignore[index]
    answers = [row for row in rows if row["type"] == "lacking" and row.get("uri") and row["payload"]]
    assert answers


def test_a_record_with_other_bytes_is_damage(first: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(first, other)
    members = archives.members(other)
    members[archives.HTML] = archives.repacked(
        members[archives.HTML], lambda data: data.replace("首航".encode(), "停航".encode())
    )
    archives.put_members(other, members)
    archives.relist(other)
    archives.recommit(other, tree=True)
    code, rows, summary = compare(first, other)
    assert (code, summary["contradictions"]) == (4, 1)
    contradiction = next(row for row in rows if row["type"] == "contradiction")
    assert contradiction["id"] == archives.entries(first)[archives.HTML].id
    code, _, text = archiver("compare", str(first), str(other))
    assert code == 4
    assert "of the same id with other bytes" in text


def test_a_list_that_is_not_committed_is_refused(first: Path, tmp_path: Path) -> None:
    other = copy(first, tmp_path / "other")
    path = other / archives.listed(other)
    path.chmod(0o644)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    code, _, text = archiver("compare", str(first), str(other))
    assert code == 4
    assert "the record lists are not those that the tree head commits" in text


def test_pictures_that_look_alike_are_named(tmp_path: Path) -> None:
    roots = [archives.make(tmp_path / name, 0) for name in ("first", "second")]
    for root, quality in zip(roots, (95, 40), strict=True):
        url, head = "http://pictures.news.example/ferry.jpg", "200 OK\nContent-Type: image/jpeg"
        archives.grow(root, [[archives.response(url, head, photograph(quality), archives.START)]])
    _, rows, summary = compare(*roots)
    assert summary["look_alikes"] == 1
    found = next(row for row in rows if row["type"] == "look-alike")
    assert found["first"] != found["second"]
    assert 0 <= found["distance"] <= 60  # type: ignore[operator]


@pytest.mark.parametrize("missing", ["folder", "manifest"])
def test_what_is_no_archive_is_said(first: Path, tmp_path: Path, missing: str) -> None:
    if missing == "manifest":
        os.mkdir(tmp_path / "folder")  # noqa: PTH102
    code, _, text = archiver("compare", str(first), str(tmp_path / "folder"))
    assert code == 5
    assert "no archive here" in text
    assert archiver("compare", str(first), str(first))[0] == 2
