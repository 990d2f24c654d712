"""`archiver repair` from copies on disk: bit for bit what was committed, and nothing else is touched."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import archives
import pytest
import test_keys
from archives import at, change, entries, flip, listed, put_lines, put_members, swap, warc, write
from click.testing import CliRunner
from mending import assert_restored, committed, repair

from archiver import checks
from archiver.archive import Archive
from archiver.cli import main
from archiver.errors import ManifestError, NotAnArchive
from archiver.index import catalogue
from archiver.keys import KeyFolder
from archiver.manifest import manifest as commitment
from archiver.repair.results import MissingRecord, Moved, Replaced, Unmended
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.storage import OPEN
from archiver.verify import Verification


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "copy", symlinks=True))


def command(*arguments: str | Path) -> tuple[int, list[dict[str, object]], str]:
    done = CliRunner().invoke(main, ["repair", *map(str, arguments), "--json"])
    assert "Traceback" not in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def damage(
    root: Path, dice: random.Random, share: float, spared: set[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Change a share of the members, and of the lines, in place or so that all behind them move."""
    hit: set[tuple[int, int]] = set()
    for number in range(len(archives.manifest(root).warcs)):
        members = archives.members(root, number)
        for place in range(len(members)):
            if dice.random() < share and (number, place) not in spared:
                hit.add((number, place))
                where = dice.randrange(len(members[place]))
                members[place] = dice.choice(
                    [
                        flip(where),
                        lambda data, where=where: data[:where] + b"more" + data[where:],
                        lambda data, where=where: data[:where],
                        lambda _: b"",
                    ]
                )(members[place])
        if any(each[0] == number for each in hit):
            put_members(root, members, number)
    return hit


def test_five_percent_lost_here_and_others_in_the_copy(tmp_path: Path, sandbox: Sandbox) -> None:
    original = archives.make(tmp_path / "original", files=8)
    for seed in range(12):
        dice = random.Random(seed)
        root = Path(shutil.copytree(original, tmp_path / f"root{seed}"))
        copy = Path(shutil.copytree(original, tmp_path / f"copy{seed}"))
        hit = damage(root, dice, 0.05, set())
        damage(copy, dice, 0.05, hit)
        before = committed(root)
        results, said = repair(root, copy, sandbox=sandbox)
        assert not said
        assert {number for number, _ in hit} == {
            number for number in range(8) if any(each.file == warc(root, number) for each in results)
        }
        assert_restored(root, original, sandbox)
        for each in results:  # what was damaged is kept
            assert isinstance(each, Replaced)
            assert each.kept
            assert (root / each.kept).read_bytes() == before[Path(each.file).name]
        shutil.rmtree(root)
        shutil.rmtree(copy)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "WARC missing": lambda root: (root / warc(root)).unlink(),
    "list missing": lambda root: (root / listed(root)).unlink(),
    "both missing": lambda root: [(root / name).unlink() for name in (warc(root), listed(root))],
    "WARC empty": lambda root: write(root, warc(root), b""),
    "WARC cut": lambda root: change(root, warc(root), lambda data: data[: len(data) // 2]),
    "WARC longer": lambda root: change(root, warc(root), lambda data: data + b"more"),
    "bytes inserted": lambda root: put_members(
        root, at(5, lambda data: b"x" * 17 + data)(archives.members(root))
    ),
    "record doubled": lambda root: put_members(root, at(5, lambda data: data + data)(archives.members(root))),
    "records swapped": lambda root: put_members(root, swap(2, 9)(archives.members(root))),
    "WARC files swapped": lambda root: swap_files(root, warc(root, 0), warc(root, 2)),
    "lists swapped": lambda root: swap_files(root, listed(root, 0), listed(root, 2)),
    "line changed": lambda root: put_lines(
        root, at(4, lambda line: line.replace(b"2026", b"2025"))(archives.lines(root))
    ),
    "lines swapped": lambda root: put_lines(root, swap(2, 9)(archives.lines(root))),
    "file added": lambda root: write(root, "warcs/more.warc.gz", b"more"),
    "link added": lambda root: (root / "warcs/more").symlink_to("/dev/zero"),
    "folder added": lambda root: (root / "warcs/more").mkdir(),
    "catalogue changed": lambda root: change(root, catalogue.NAME, flip(5000)),
    "catalogue is a folder": lambda root: (
        write(root, catalogue.NAME, b""),
        (root / catalogue.NAME).unlink(),
        (root / catalogue.NAME).mkdir(),
    ),
    "everything missing": lambda root: (shutil.rmtree(root / "warcs"), (root / commitment.NAME).unlink()),
    **{
        f"WARC is {name}": lambda root, put=put: stand_in(root, warc(root), put)
        for name, (put, _) in archives.STAND_INS.items()
    },
    **{
        f"list is {name}": lambda root, put=put: stand_in(root, listed(root), put)
        for name, (put, _) in archives.STAND_INS.items()
    },
    **{
        f"manifest is {name}": lambda root, put=put: stand_in(root, commitment.NAME, put)
        for name, (put, _) in archives.STAND_INS.items()
    },
}


def swap_files(root: Path, one: str, other: str) -> None:
    first, second = ((root / name).read_bytes() for name in (one, other))
    write(root, one, second)
    write(root, other, first)


def stand_in(root: Path, name: str, put: Callable[[Path], object]) -> None:
    (root / name).unlink()
    put(root / name)


@pytest.mark.parametrize("damaged", DAMAGE.values(), ids=DAMAGE)
def test_repaired(
    damaged: Callable[[Path], object], root: Path, copy: Path, sealed: Path, sandbox: Sandbox
) -> None:
    damaged(root)
    before = committed(copy)
    repair(root, copy, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)
    assert committed(copy) == before


ALONE = {
    "list missing",
    "WARC longer",
    "bytes inserted",
    "record doubled",
    "records swapped",
    "WARC files swapped",
    "lists swapped",
    "line changed",
    "lines swapped",
    "file added",
    "link added",
    "folder added",
    "catalogue changed",
    "catalogue is a folder",
} | {name for name in DAMAGE if name.startswith("list is")}


@pytest.mark.parametrize("name", sorted(ALONE))
def test_healed_without_any_copy(name: str, root: Path, sealed: Path, sandbox: Sandbox) -> None:
    DAMAGE[name](root)
    repair(root, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)


@pytest.mark.parametrize("name", sorted(DAMAGE.keys() - ALONE))
def test_without_a_copy_nothing_is_made_worse(name: str, root: Path, sandbox: Sandbox) -> None:
    DAMAGE[name](root)
    before = {path: path.lstat() for path in root.rglob("*") if path.parent.name != "damaged"}
    if not os.path.lexists(root / "warcs") or name.startswith("manifest"):
        with pytest.raises((ManifestError, NotAnArchive)):
            repair(root, sandbox=sandbox)
    else:
        results, _ = repair(root, sandbox=sandbox)
        assert any(isinstance(each, Unmended) for each in results)
        assert any(Verification(root, sandbox=sandbox).findings())
    after = {path: path.lstat() for path in before if os.path.lexists(path)}
    assert {
        path.name: (stat.st_ino, stat.st_size)
        for path, stat in after.items()
        if path.name != ".archiver.lock"
    } == {
        path.name: (stat.st_ino, stat.st_size)
        for path, stat in before.items()
        if path.name != ".archiver.lock"
    }


def test_nothing_is_touched_where_nothing_is_wrong(root: Path, copy: Path) -> None:
    put_members(copy, swap(2, 3)(archives.members(copy)))

    def facts() -> dict[str, tuple[int, int, int]]:
        return {
            str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_mode)
            for path in root.rglob("*")
            if path.is_file() and not path.name.endswith((".lock", checks.NAME))  # they remember, no more
        }

    before = facts()
    code, rows, text = command(root, "--from", copy)
    assert code == 0
    assert rows == [
        {
            "type": "summary",
            "replaced": [],
            "moved": [],
            "unmended": [],
            "missing_records": 0,
            "healed": [],
            "verdict": "ok",
            "findings": 0,
            "exit_code": 0,
        }
    ]
    assert text.endswith("Nothing was damaged. No problems are left.\n")
    assert facts() == before


def test_two_copies_each_half_good(
    root: Path, copy: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    other = Path(shutil.copytree(sealed, tmp_path / "other"))
    (root / warc(root)).unlink()
    change(copy, warc(copy), lambda data: data[: entries(sealed)[6].offset + 3])
    change(
        other, warc(other), lambda data: bytes(entries(sealed)[6].offset) + data[entries(sealed)[6].offset :]
    )
    results, _ = repair(root, copy, other, sandbox=sandbox)
    assert isinstance(results[0], Replaced)
    assert (results[0].how, results[0].records) == ("records", archives.RECORDS)
    assert results[0].sources == (str(copy), str(other))
    assert_restored(root, sealed, sandbox)


def test_what_was_found_waits_for_the_next_copy(
    root: Path, copy: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    """A repair that does not find everything leaves the damaged file, and beside it what it found."""
    names = [each.uri or each.id for each in entries(sealed)]
    put_members(
        root, [flip(30)(data) if n in (3, 7, 8) else data for n, data in enumerate(archives.members(root))]
    )
    put_members(copy, at(7, flip(30))(archives.members(copy)))
    before = committed(root)
    code, rows, text = command(root, "--from", copy)
    assert code == 4
    assert committed(root) == before
    partial = f"damaged/{Path(warc(root)).name}.partial"
    missing, unmended = [row for row in rows if row["type"] in ("missing-record", "unmended")]
    assert (missing["record"], missing["uri"]) == (7, entries(sealed)[7].uri)
    assert (unmended["partial"], unmended["found"]) == (partial, 2)
    assert names[7] in text
    assert rows[-1]["missing_records"] == 1
    assert [row["code"] for row in rows if row["type"] == "finding"] == ["changed-record"] * 3
    shutil.rmtree(copy)
    third = tmp_path / "third.warc.gz"
    third.write_bytes(archives.members(sealed)[7])
    results, _ = repair(root, third, sandbox=sandbox)
    assert isinstance(results[0], Replaced)
    assert results[0].sources == ("an earlier repair", str(third))
    assert_restored(root, sealed, sandbox)


def test_records_from_anywhere(root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Members in files of other names, in another order, among other bytes; and lists of their own."""
    pile = tmp_path / "pile"
    (pile / "below").mkdir(parents=True)
    for number in range(3):
        members = archives.members(sealed, number)
        (pile / f"below/{number}.bin").write_bytes(b"".join(reversed(members)))
    (pile / "lists").mkdir()
    shutil.copy(sealed / listed(sealed, 1), pile / "lists/anything")
    for name in (warc(root, 0), warc(root, 1), warc(root, 2), listed(root, 1)):
        (root / name).unlink()
    repair(root, pile, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)


def test_single_files(root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    alone = tmp_path / "x.warc.gz"
    shutil.copy(sealed / warc(sealed), alone)
    lines = tmp_path / "x.jsonl"
    shutil.copy(sealed / listed(sealed), lines)
    for name in (warc(root), listed(root)):
        (root / name).unlink()
    repair(root, alone, lines, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)


def test_list_from_two_damaged_lists_and_a_damaged_file(
    root: Path, copy: Path, sealed: Path, sandbox: Sandbox
) -> None:
    """Lines changed on both sides so that they are still canonical, where the records are damaged, too."""
    dice = random.Random(7)

    def changed(line: bytes) -> bytes:
        digits = [n for n in range(len(line)) if line[n : n + 1].isdigit() and line[n - 3 : n] == b"202"]
        return (
            line[: digits[0]]
            + (b"5" if line[digits[0] : digits[0] + 1] == b"6" else b"6")
            + line[digits[0] + 1 :]
        )

    places = dice.sample(range(archives.RECORDS), 8)
    for side, some in ((root, places[:4]), (copy, places[4:])):
        put_lines(side, [changed(line) if n in some else line for n, line in enumerate(archives.lines(side))])
    put_members_of(root, sealed, places[0])
    results, _ = repair(root, copy, sandbox=sandbox)
    assert {each.how for each in results if isinstance(each, Replaced)} == {"lines", "records"}
    assert_restored(root, sealed, sandbox)


def put_members_of(root: Path, sealed: Path, place: int) -> None:
    members = archives.members(sealed)
    change(root, warc(root), lambda _: b"".join(at(place, flip(40))(members)))


# --- the manifest --------------------------------------------------------------------------------


def edited(root: Path, *path: str | int, value: object) -> None:
    raw = inner = archives.raw_manifest(root)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    archives.put_manifest(root, raw)


ZERO = "sha256:" + "0" * 64
EDITED: dict[str, Callable[[Path], None]] = {
    "cut": lambda root: change(root, commitment.NAME, lambda data: data[:-9]),
    "WARC's digest": lambda root: edited(root, "warcs", 1, "digest", value=ZERO),
    "list's digest": lambda root: edited(root, "warcs", 1, "list", "digest", value=ZERO),
    "WARC's length": lambda root: edited(root, "warcs", 1, "bytes", value=7),
    "records": lambda root: edited(root, "warcs", 1, "records", value=7),
    "tree": lambda root: edited(root, "tree", "root", value=ZERO),
    "a checkpoint": lambda root: edited(root, "checkpoints", 0, "note", value="x\n"),
    "an entry dropped": lambda root: edited(root, "warcs", value=archives.raw_manifest(root)["warcs"][:2]),
}


@pytest.mark.parametrize("damaged", EDITED.values(), ids=EDITED)
def test_manifest_is_taken_from_a_consistent_copy(
    damaged: Callable[[Path], None], root: Path, copy: Path, sealed: Path, sandbox: Sandbox
) -> None:
    damaged(root)
    results, _ = repair(root, copy, sandbox=sandbox)
    assert [(each.file, each.how) for each in results if isinstance(each, Replaced)] == [
        (commitment.NAME, "manifest")
    ]
    assert_restored(root, sealed, sandbox)


def test_manifest_of_another_archive_or_an_older_one_is_refused(
    root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    other = archives.make(tmp_path / "other", files=1)
    write(root, commitment.NAME, b"{}")
    before = committed(root)
    with pytest.raises(ManifestError) as raised:
        repair(root, other, sandbox=sandbox)
    assert "older, or of another archive" in raised.value.advice
    assert committed(root) == before
    write(root, commitment.NAME, (sealed / commitment.NAME).read_bytes())
    results, _ = repair(root, other, sandbox=sandbox)  # its files are only bytes: of no use
    assert not results
    assert_restored(root, sealed, sandbox)


def test_manifest_that_is_right_is_not_replaced_by_a_rewritten_one(
    root: Path, copy: Path, sealed: Path, sandbox: Sandbox
) -> None:
    """A copy in which everything was made anew after an edit: nothing of it is taken."""
    put_members(
        copy,
        at(3, lambda data: archives.repacked(data, lambda r: r.replace(b"2026", b"2025")))(
            archives.members(copy)
        ),
    )
    archives.relist(copy)
    archives.recommit(copy, tree=True)
    (root / warc(root)).unlink()
    results, _ = repair(root, copy, sandbox=sandbox)
    assert [each.record for each in results if isinstance(each, MissingRecord)] == [3]
    assert (root / commitment.NAME).read_bytes() == (sealed / commitment.NAME).read_bytes()


def test_copies_that_contradict_each_other(root: Path, copy: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    other = Path(shutil.copytree(copy, tmp_path / "other"))
    put_members(
        other,
        at(3, lambda data: archives.repacked(data, lambda r: r.replace(b"2026", b"2025")))(
            archives.members(other)
        ),
    )
    archives.relist(other)
    archives.recommit(other, tree=True)
    (root / commitment.NAME).unlink()
    with pytest.raises(NotAnArchive) as raised:
        repair(root, copy, other, sandbox=sandbox)
    assert "contradict each other" in raised.value.advice


def test_newer_layout_is_left_alone(root: Path, copy: Path, sandbox: Sandbox) -> None:
    write(root, commitment.NAME, b'{"format": "archiver-manifest/2"}')
    with pytest.raises(NotAnArchive, match="newer"):
        repair(root, copy, sandbox=sandbox)


# --- what a crash left, and what else lies there -------------------------------------------------


def test_open_file_is_sealed_after_the_repair(root: Path, copy: Path, sandbox: Sandbox) -> None:
    """A capture that was cut off, in an archive that is damaged so that nothing could be sealed over it."""
    archive = Archive(root)
    with archive.lock("archive"), catalogue.writing(root) as db:
        session = Session(archive, sandbox, db, {})
        session.append(archives.records(9))
        session.close()
    opened = next((root / "warcs").glob(f"*.warc.gz{OPEN}"))
    with opened.open("ab") as file:
        file.write(b"torn")
    (root / listed(root)).unlink()
    assert command(root, "--from", copy)[0] == 0
    assert len(archives.manifest(root).warcs) == 4
    assert [path.read_bytes() for path in (root / "torn").iterdir()] == [b"torn"]
    assert not archives.check(root, sandbox, deep=True)


def test_files_that_the_manifest_names_get_their_names(root: Path, sealed: Path, sandbox: Sandbox) -> None:
    for name in (warc(root, 2), listed(root, 2)):
        (root / name).rename(root / (name + OPEN))
    repair(root, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)


def test_names_that_are_no_text(root: Path, sealed: Path, sandbox: Sandbox) -> None:
    (root / "warcs" / os.fsdecode(b"\xff" * 250)).write_bytes(b"x")
    results, _ = repair(root, sandbox=sandbox)
    assert [type(each) for each in results] == [Moved]
    assert_restored(root, sealed, sandbox)


def test_folders_beside_are_no_findings(root: Path, sandbox: Sandbox) -> None:
    for name in ("damaged", "parity", "trust"):
        (root / name).mkdir()
        (root / name / "x.warc.gz").write_bytes(b"x")
    assert not archives.check(root, sandbox, deep=True)


# --- the command ---------------------------------------------------------------------------------


def test_command_in_words(root: Path, copy: Path) -> None:
    put_members(root, at(3, flip(30))(archives.members(root)))
    done = CliRunner().invoke(main, ["repair", str(root), "--from", str(copy)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        f"repaired    {warc(root)}: 1 record put in from {copy}; the damaged file is damaged/"
    )
    assert lines[-1] == "1 file repaired. No problems are left."


def test_the_check_at_the_end_knows_the_person_s_keys_and_is_remembered(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVER_KEYS", str(tmp_path / "keys"))
    root = tmp_path / "signed"
    test_keys.write(root, sandbox, KeyFolder.of_person(), [].append)
    assert command(root)[0] == 0
    assert [mark.verdict for mark in checks.load(root).marks] == ["ok"]
    raw = archives.raw_manifest(root)
    raw["keys"], raw["checkpoints"][-1]["signatures"] = [], []
    archives.put_manifest(root, raw)
    code, rows, _ = command(root)
    assert (code, rows[0]["code"]) == (4, "signature-missing")


def test_wrong_usage(root: Path, tmp_path: Path) -> None:
    for wrong, words in (
        (tmp_path / "nowhere", "no such file or folder"),
        (root, "the archive itself"),
        ("http://news.example/?x", "not the URL of a folder"),
    ):
        code, rows, text = command(root, "--from", wrong)
        assert (code, rows) == (2, [])
        assert words in text
    assert command(tmp_path / "none")[0] == 5
    assert not (tmp_path / "none").exists()
    assert command(root, "--max-time", "nan")[0] == 2
    with Archive(root).lock("archive"):
        assert command(root)[0] == 6
