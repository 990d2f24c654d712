"""Hostile WARC, ARC and WACZ files end in a result or an error of our own, in bounded time and memory."""

from pathlib import Path

import pytest
from foreign_files import gz
from hostile_archives import make_all, record
from judging import Judged, judged
from wide import WIDE

from archiver.warc.foreign import stretches

EACH, TAKEN = (1, 1) if WIDE else (41, 109)  # every so manieth is judged, or taken in
TOGETHER = 30  # taken in with one command


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("hostile") / "made"
    return make_all(folder, 350, 1_500) if WIDE else make_all(folder, 2, 40)


def told(result: Judged) -> str:
    return f"{result.bad}: {result.file}: {result.text[-600:]}"


@pytest.mark.slow
def test_hostile_files_are_walked_and_linted(files: list[Path]) -> None:
    some = files[7::EACH]
    for work in ("walk", "lint"):
        bad = [told(result) for result in judged(work, some) if result.bad]
        assert not bad, "\n".join(bad)


@pytest.mark.slow
def test_hostile_files_are_taken_in(files: list[Path], tmp_path: Path) -> None:
    some = files[3::TAKEN]
    folders = []
    for start in range(0, len(some), TOGETHER):
        folders.append(tmp_path / str(start))
        folders[-1].mkdir()
        for file in some[start : start + TOGETHER]:
            (folders[-1] / file.name).hardlink_to(file)
    results = list(judged("import", folders, 600))
    bad = [told(result) for result in results if result.code < 0 or result.code == 1]
    assert len(results) == len(folders)
    assert not bad, "\n".join(bad)


def test_a_record_after_empty_lines_has_its_own_block(tmp_path: Path) -> None:
    file = tmp_path / "lead.warc.gz"
    file.write_bytes(gz(record("resource", (), b"one")) + gz(b"\r\n\r\n" + record("resource", (), b"two")))
    with file.open("rb") as opened:
        assert [found.record and found.record.block for found in stretches(opened)] == [b"one", b"two"]
