"""A check of a part: which files come first, what is always checked, what is remembered, how it ends."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import msgspec
import pytest
from click.testing import CliRunner

from archiver import checks
from archiver.archive import Archive
from archiver.capture.records import note_record
from archiver.checks import CheckRun, Checks, Mark
from archiver.cli import main
from archiver.index import catalogue
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc
from archiver.model import Finding, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.verify import Limits, Verification
from archiver.verify.schedule import Schedule

FILES = 5


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.make(tmp_path_factory.mktemp("checks") / "archive", FILES)


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


def warcs(root: Path) -> list[str]:
    return [warc.path for warc in archives.manifest(root).warcs]


def marked(root: Path) -> list[str]:
    """The files, the oldest check first."""
    return [mark.file for mark in checks.load(root).marks]


def verify(root: Path, *options: str) -> tuple[int, dict[str, Any]]:
    code, rows = archives.command(root, *options)
    assert rows[-1]["exit_code"] == code
    return code, rows[-1]


def damage(root: Path, number: int) -> bytes:
    """Flip a bit, so that no length changes; returns what was there."""
    path = root / archives.warc(root, number)
    before = path.read_bytes()
    archives.write(root, archives.warc(root, number), archives.flip(1500)(before))
    return before


# --- which files, in which order -----------------------------------------------------------------


def committed(number: int, size: int) -> CommittedWarc:
    digest = f"sha256:{number:064x}"
    part = CommittedList(path=f"warcs/{number}.records.jsonl", bytes=9, digest=digest)
    return CommittedWarc(path=f"warcs/{number}.warc.gz", bytes=size, digest=digest, records=1, list=part)


def mark(warc: CommittedWarc, verdict: Any = "ok", checked: str = "2026-11-22T19:05:12Z") -> Mark:
    return Mark(file=warc.path, digest=warc.digest, checked=checked, verdict=verdict)


def turns(schedule: Schedule) -> list[str]:
    found = []
    for warc in schedule.turns():
        schedule.done(warc)
        found.append(warc.path)
    return found


def test_first_damaged_then_never_checked_then_the_longest_ago() -> None:
    files = [committed(number, 100) for number in range(6)]
    marks = [mark(files[4]), mark(files[0]), mark(files[5], "incomplete"), mark(files[2])]
    found = turns(Schedule(files, marks, Limits(seconds=1000)))
    assert found == [files[number].path for number in (5, 1, 3, 4, 0, 2)]


def test_a_clock_that_jumped_keeps_no_file_from_its_turn() -> None:
    """What counts is which check came first, not what its time says."""
    files = [committed(number, 100) for number in range(3)]
    marks = [
        mark(files[1], checked="2099-01-01T00:00:00Z"),
        mark(files[2], checked="1970-01-01T00:00:00Z"),
        mark(files[0]),
    ]
    assert turns(Schedule(files, marks, Limits(seconds=9))) == [files[number].path for number in (1, 2, 0)]


def test_other_bytes_under_the_name_were_never_checked() -> None:
    files = [committed(number, 100) for number in range(2)]
    other = Mark(file=files[1].path, digest=files[0].digest, checked="2026-11-22T19:05:12Z", verdict="ok")
    schedule = Schedule(files, [other, mark(files[0])], Limits(seconds=9))
    assert turns(schedule)[0] == files[1].path


def test_sample_has_its_share_of_the_bytes_and_is_drawn_at_random() -> None:
    source = random.Random(1)
    files = [committed(number, source.randrange(1, 2000)) for number in range(200)]
    total, drawn = sum(warc.bytes for warc in files), Counter[str]()
    for seed in range(300):
        schedule = Schedule(files, [], Limits(share=0.05), dice=random.Random(seed))
        drawn.update(turns(schedule))
        assert 0.05 * total <= schedule.coverage.bytes <= 0.05 * total + 2000
        assert not schedule.limited
    assert len(drawn) == 200  # none is never drawn
    assert max(drawn.values()) < 5 * 300 * 0.05


@pytest.mark.parametrize("share", [1e-9, 0.2, 1.0])
def test_sample_reads_at_least_one_file_and_what_was_damaged(share: float) -> None:
    files = [committed(number, 100) for number in range(10)]
    schedule = Schedule(files, [mark(files[3], "failed")], Limits(share=share), dice=random.Random(1))
    found = turns(schedule)
    assert found[0] == files[3].path
    assert len(found) >= max(2, share * 10) - (0.1 if share == 1 else 1)
    assert turns(Schedule([], [], Limits(share=share))) == []


def test_time_ends_the_check_but_not_before_one_file_that_was_whole() -> None:
    """Damaged files alone could else use the time of every check."""
    now = iter(range(100))
    files = [committed(number, 100) for number in range(6)]
    marks = [mark(files[0], "failed"), mark(files[1], "failed")]
    schedule = Schedule(files, marks, Limits(seconds=0.5), clock=lambda: float(next(now)))
    assert turns(schedule) == [files[number].path for number in (0, 1, 2)]
    assert schedule.limited
    assert (schedule.coverage.files, schedule.coverage.never) == (3, 3)


# --- what a check of a part does -----------------------------------------------------------------


def test_the_same_command_again_and_again_checks_all(root: Path) -> None:
    for number in range(1, FILES + 1):
        code, summary = verify(root, "--budget", "0s")
        assert (code, summary["verdict"], summary["limited"]) == (7, "ok", True)
        assert (summary["coverage"]["files"], summary["coverage"]["never"]) == (1, FILES - number)
    assert marked(root) == warcs(root)
    assert verify(root, "--budget", "0s")[0] == 7
    assert marked(root) == [*warcs(root)[1:], warcs(root)[0]]
    assert verify(root, "--budget", "2h")[1]["coverage"]["files"] == FILES
    assert verify(root, "--budget", "2h")[0] == 0  # all was read in time


def test_what_is_wrong_wins_over_the_limit_and_is_read_first_next_time(root: Path) -> None:
    before = damage(root, 3)
    assert verify(root)[0] == 4
    code, summary = verify(root, "--budget", "0s")
    assert (code, summary["findings"], summary["limited"]) == (4, 1, True)
    assert set(marked(root)[-2:]) == {warcs(root)[0], warcs(root)[3]}  # and one that was whole
    assert verify(root, "--sample", "1%")[0] == 4
    archives.write(root, archives.warc(root, 3), before)
    assert verify(root, "--budget", "0s")[0] == 7
    assert {each.verdict for each in checks.load(root).marks} == {"ok"}


def test_damage_in_what_is_not_read_is_not_found_and_nothing_else_is_said(root: Path) -> None:
    damage(root, FILES - 1)
    done = CliRunner().invoke(main, ["verify", str(root), "--budget", "0s"])
    assert done.exit_code == 7
    assert "of the WARC bytes were checked" in done.output
    assert f"Never checked, as far as is remembered: {FILES - 1} files." in done.output
    assert "What was read is unaltered" in done.output
    assert done.output.splitlines()[-1].startswith("TIME USED: no problems found in ")
    done = CliRunner().invoke(main, ["verify", str(root), "--budget", "9h"])
    assert done.exit_code == 4


def other_line(root: Path, number: int) -> None:
    archives.change(
        root,
        archives.listed(root, number),
        lambda data: data.replace(b'"type":"request"', b'"type":"reqwest"', 1),
    )


CHEAP: dict[str, Callable[[Path], object]] = {
    "a WARC file is missing": lambda root: (root / archives.warc(root, 3)).unlink(),
    "it is longer": lambda root: archives.change(root, archives.warc(root, 3), lambda data: data + b"x"),
    "it is shorter": lambda root: archives.change(root, archives.warc(root, 3), lambda data: data[:-1]),
    "it is a folder": lambda root: (
        (root / archives.warc(root, 3)).unlink(),
        (root / archives.warc(root, 3)).mkdir(),
    ),
    "a record list is missing": lambda root: (root / archives.listed(root, 3)).unlink(),
    "a line differs": lambda root: other_line(root, 3),
    "a file was added": lambda root: (root / "warcs" / "more.warc.gz").write_bytes(b""),
    "the manifest differs": lambda root: archives.change(root, "manifest.json", archives.flip(300)),
    "the catalogue differs": lambda root: archives.change(root, "catalogue.db", archives.flip(5000)),
}


@pytest.mark.parametrize("what", CHEAP)
def test_what_is_cheap_to_check_is_checked_of_all(what: str, root: Path, sandbox: Sandbox) -> None:
    CHEAP[what](root)
    limits = Limits(share=1e-9, seconds=0.0)
    partly = list(Verification(root, limits=limits, sandbox=sandbox).findings())
    assert partly == archives.check(root, sandbox)
    assert partly


def test_lists_edited_with_the_manifest_are_still_found_by_a_part(root: Path, sandbox: Sandbox) -> None:
    """The tree is made from the record lists, so it is checked whole."""
    before = archives.entries(root, 3)
    other = msgspec.structs.replace(before[2], digest=before[1].digest)
    archives.put_lines(root, map(recordlist.encode, [*before[:2], other, *before[3:]]), 3)
    archives.recommit(root, tree=False)
    found = Verification(root, limits=Limits(share=1e-9), sandbox=sandbox)
    assert {"tree-head"} <= {each.code for each in found.findings()}


def test_deep_check_of_a_part_reads_the_same_files_and_leaves_the_rows(root: Path) -> None:
    (root / "catalogue.sha256").unlink()
    code, rows = archives.command(root, "--deep", "--budget", "0s")
    assert [row.get("code") for row in rows[:-1]] == ["catalogue-undigested"]
    assert code == 3
    assert rows[-1]["coverage"]["files"] == 1


# --- what is remembered --------------------------------------------------------------------------


def test_two_checks_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each with marks of its own, written again and again."""

    def run(own: int) -> None:
        for number in range(25):
            with Checks(tmp_path) as mine:
                mine.mark(f"warcs/{own}-{number}.warc.gz", "sha256:" + "0" * 64, "ok")
            assert not mine.failure

    threads = [threading.Thread(target=run, args=[own]) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(marked(tmp_path))) == len(marked(tmp_path)) == 100


def test_the_newest_checks_are_remembered_with_what_they_found(root: Path) -> None:
    verify(root, "--deep")
    damage(root, 1)
    verify(root)
    verify(root, "--sample", "1%", "--budget", "0s")
    deep, found, part = checks.load(root).runs
    assert (deep.deep, deep.files, deep.findings, deep.verdict, deep.whole) == (True, FILES, 0, "ok", True)
    assert (found.deep, found.verdict, found.findings > 0) == (False, "failed", True)
    assert (part.share, part.seconds, part.of_files) == (0.01, 0.0, FILES)
    assert part.files < FILES
    assert part.bytes < deep.bytes
    assert {mark.deep for mark in checks.load(root).marks} == {False}


def test_of_many_checks_the_newest_are_kept(tmp_path: Path) -> None:
    run = CheckRun(
        started=checks.now(),
        ended=checks.now(),
        deep=False,
        share=None,
        seconds=None,
        files=1,
        of_files=1,
        bytes=9,
        findings=0,
        verdict="ok",
        whole=True,
    )
    with Checks(tmp_path) as mine:
        for number in range(checks.RUNS + 5):
            mine.ran(msgspec.structs.replace(run, findings=number))
    kept = [each.findings for each in checks.load(tmp_path).runs]
    assert kept == list(range(5, checks.RUNS + 5))


def test_the_form_before_runs_is_read(root: Path) -> None:
    verify(root)
    path = root / "checks.json"
    old = json.loads(path.read_text())
    del old["runs"]
    for each in old["marks"]:
        del each["deep"]
    path.write_text(json.dumps(old | {"format": "archiver-checks/1"}))
    assert marked(root) == warcs(root)
    verify(root)
    assert len(checks.load(root).runs) == 1


def test_an_archive_that_takes_no_file_is_checked_all_the_same(root: Path) -> None:
    (root / ".checks.json.new").mkdir()
    code, summary = verify(root)
    assert (code, summary["verdict"]) == (0, "ok")
    assert "checks.json" in summary["not_remembered"]
    done = CliRunner().invoke(main, ["verify", str(root)])
    assert "What was read now is not remembered: cannot write" in done.output
    assert done.exit_code == 0


JUNK = {
    "empty": b"",
    "no JSON": b"\xff\x00{",
    "deep": b"[" * 100_000,
    "another format": b'{"format":"archiver-checks/3","marks":[]}',
    "a run without an end": b'{"format":"archiver-checks/2","runs":[{"started":"2026-11-22T19:05:12Z"}]}',
    "wrong types": b'{"format":"archiver-checks/1","marks":{"a":1}}',
    "surrogates": b'{"format":"archiver-checks/1","marks":[{"file":"\\ud800"}]}',
    "no time": json.dumps(
        {
            "format": "archiver-checks/1",
            "marks": [
                {
                    "file": "warcs/a.warc.gz",
                    "digest": "sha256:" + "0" * 64,
                    "checked": "2026-99-99T99:99:99Z",
                    "verdict": "ok",
                }
            ],
        }
    ).encode(),
}


@pytest.mark.parametrize("junk", JUNK)
def test_what_cannot_be_read_counts_as_never_checked(junk: str, root: Path) -> None:
    (root / "checks.json").write_bytes(JUNK[junk])
    assert CliRunner().invoke(main, ["status", str(root)]).exit_code == 0
    assert verify(root, "--budget", "0s")[0] == 7
    assert marked(root)[-1] == warcs(root)[0]


def test_no_link_and_no_pipe_is_followed(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (root / "checks.json").symlink_to(elsewhere)
    assert verify(root)[0] == 0
    assert elsewhere.read_text() == "mine"
    assert not (root / "checks.json").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    (root / "checks.json").unlink()
    (root / "checks.json").symlink_to(tmp_path / "pipe")
    assert verify(root)[0] == 0


def test_status_tells_what_is_remembered(root: Path) -> None:
    def status() -> tuple[dict[str, Any], str]:
        done = CliRunner().invoke(main, ["status", str(root), "--json"])
        assert done.exit_code == 0
        return json.loads(done.stdout.splitlines()[-1])["checks"], done.stderr

    found, text = status()
    nothing = {"oldest": None, "never": FILES, "recent": 0.0, "damaged": [], "damage": None}
    assert found == nothing
    assert "never, as far as is remembered: archiver verify " in text
    damage(root, 1)
    verify(root)
    found, text = status()
    assert (found["never"], found["recent"], found["damaged"]) == (0, 1.0, [warcs(root)[1]])
    assert (found["damage"]["file"], found["damage"]["code"]) == (warcs(root)[1], "changed-record")
    assert "100 % of the bytes within 30 days; the oldest check is of 20" in text
    assert f"{warcs(root)[1]}, when last checked: archiver verify" in text
    path = root / "checks.json"
    past = [
        path.read_text().replace(each.checked, "2020-01-01T00:00:00Z") for each in checks.load(root).marks
    ]
    path.write_text(past[0])
    assert status()[0]["recent"] < 1
    path.write_text(path.read_text().replace("2020-01-01", "2199-01-01"))  # that clock was wrong
    assert status()[0]["recent"] < 1


# --- interrupted ---------------------------------------------------------------------------------


def test_what_was_read_before_an_interruption_is_remembered(root: Path, sandbox: Sandbox) -> None:
    asked = iter([False, False, True])
    with Checks(root) as remembered:
        check = Verification(root, checks=remembered, sandbox=sandbox, stop=lambda: next(asked, True))
        assert list(check.findings()) == []
    assert (check.interrupted, check.exit_code) == (True, 130)
    assert check.coverage.files == 3
    assert marked(root) == warcs(root)[:3]
    verify(root, "--budget", "0s")
    assert marked(root)[-1] == warcs(root)[3]


def test_file_in_which_a_deep_check_was_stopped_is_not_remembered(root: Path, sandbox: Sandbox) -> None:
    asked = iter([False] * 20)
    with Checks(root) as remembered:
        check = Verification(
            root, thorough=True, checks=remembered, sandbox=sandbox, stop=lambda: next(asked, True)
        )
        found: list[Finding] = list(check.findings())
    assert (found, check.exit_code) == ([], 130)
    assert marked(root) == warcs(root)[:1]


@pytest.mark.parametrize(("signals", "read"), [((signal.SIGINT,), 2), ((signal.SIGTERM, signal.SIGINT), 1)])
def test_first_signal_ends_after_the_file_the_second_at_once(
    signals: tuple[signal.Signals, ...], read: int, tmp_path: Path
) -> None:
    """While it waits for somebody to read its many findings."""
    root = tmp_path / "archive"
    root.mkdir()
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox:
        archive.create()
        with catalogue.writing(root) as db:
            for count in (1, 400, 1):
                session = Session(archive, sandbox, db, {"software": "tests/test_checks.py"})
                for number in range(count):
                    note = UnreadableNote(given=f"{number}", reason="no article")
                    session.append([note_record(note, None)])
                session.seal()
    archives.put_members(root, archives.members(root, 1)[::-1], 1)
    with subprocess.Popen(
        [sys.executable, "-m", "archiver", "verify", str(root), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        for number in signals:
            time.sleep(0.3)
            process.send_signal(number)
        time.sleep(0.3)
        rows = [json.loads(line) for line in (first, *process.stdout)]
    assert process.returncode == 130
    if len(signals) == 1:
        assert (rows[-1]["interrupted"], rows[-1]["coverage"]["files"]) == (True, read)
    assert marked(root) == warcs(root)[:read]


@pytest.mark.parametrize(
    "option", ["--sample=0%", "--sample=101%", "--sample=5", "--sample=nan%", "--budget=30", "--budget=-1m"]
)
def test_wrong_limits_are_refused(option: str, made: Path) -> None:
    done = CliRunner().invoke(main, ["verify", str(made), option])
    assert done.exit_code == 2
    assert "%" in done.output or "30m" in done.output
