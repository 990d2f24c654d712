"""docs/tampering.md shows what was measured, and what the threat model says is found is found."""

from collections.abc import Iterator
from pathlib import Path

import attacker
import matrix
import pytest
from attacker import GIVEN, Level, Target
from attacks import OnRecords, everything
from matrix import Row

from archiver.sandbox import Sandbox
from archiver.verify import Trust
from archiver.verify.trust import KeptHead

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow
_, KEY, ROOTS, AGAINST, _ = range(len(GIVEN))
OLDER, LONGER = ("WARC files", "the newest deleted"), ("WARC files", "one added at the end")
NOT_FOUND = ("–", "said")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Target:
    return attacker.make(tmp_path_factory.mktemp("target"), sandbox)


@pytest.fixture(scope="module")
def rows(target: Target, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    return matrix.measure(target, tmp_path_factory.mktemp("attacked"))


def unfound(rows: list[Row], column: int, not_found: tuple[str, ...] = NOT_FOUND) -> set[tuple[str, str]]:
    return {(area, name) for cells, area, name in rows if cells[column] in not_found}


def test_the_tables_are_what_is_measured(rows: dict[str, list[Row]]) -> None:
    page = (ROOT / "docs" / "tampering.md").read_text()
    for table in matrix.tables(rows):
        assert table in page, f"docs/tampering.md: run benchmarks/tamper_matrix.py and put in:\n{table}"


def test_untouched(target: Target) -> None:
    assert target.row(target.root) == ("–",) * len(GIVEN)


def test_any_change_of_records_alone_is_found_with_nothing_else(
    rows: dict[str, list[Row]], target: Target
) -> None:
    changed = {(each.area, each.name) for each in everything(target) if isinstance(each, OnRecords)}
    assert len(changed) > 80
    assert not unfound(rows["alone"], 0) & changed


@pytest.mark.parametrize("level", ["unsigned", "own key"])
def test_without_the_key_only_an_older_state_passes(level: Level, rows: dict[str, list[Row]]) -> None:
    assert unfound(rows[level], KEY) == {OLDER}


@pytest.mark.parametrize("level", attacker.LEVELS)
def test_a_kept_checkpoint_shows_all_but_what_was_added_after_it(
    level: Level, rows: dict[str, list[Row]]
) -> None:
    assert unfound(rows[level], AGAINST) == {LONGER}


@pytest.mark.parametrize("level", attacker.LEVELS)
def test_times_from_outside_are_found_false_or_said_to_be_less(
    level: Level, rows: dict[str, list[Row]]
) -> None:
    assert unfound(rows[level], ROOTS, ("–",)) == {OLDER}


def altered(target: Target, root: Path, number: int) -> Iterator[str]:
    """What a checkpoint that was kept after the first file says of a change to a file."""
    files = target.files()
    files[number] = (files[number][0], files[number][1][:-1])
    target.fit(root, files, "fresh stamps")
    first = attacker.heads(target.root)[0]
    target.trusts["older"] = Trust(kept=(KeptHead("elsewhere", *first),))
    yield from target.ask(root, "older").codes


def test_a_kept_checkpoint_says_nothing_of_what_came_after_it(target: Target, tmp_path: Path) -> None:
    for number, codes in ((0, ["history"]), (1, [])):
        root = target.copy(tmp_path / str(number))
        assert list(altered(target, root, number)) == codes
