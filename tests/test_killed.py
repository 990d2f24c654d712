"""The `archiver` command itself, killed, interrupted, and started twice."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from archiver.archive import LOCK_NAME, Archive
from archiver.index import catalogue
from archiver.verify import Verification

COMMAND = str(Path(sys.executable).with_name("archiver"))
DICE = random.Random(20261122)
# Its addresses are this machine's, so the guard refuses them: no traffic at all.
DOCUMENT = """<!--1699468744000-->
[第 {number} 艘渡轮启航](http://127.0.0.1:9/ferry-{number}.html)
------

<div><p>渡轮今天启航。{words}</p><img src="http://127.0.0.1:9/ferry-{number}.png" alt="渡轮"></div>
"""


HOLDER = """
import sys
from pathlib import Path
from archiver.archive import Archive

with Archive(Path(sys.argv[1])).lock("archive"):
    print("held", flush=True)
    sys.stdin.read()
"""


def documents(folder: Path, count: int) -> list[str]:
    folder.mkdir()
    paths = [folder / f"{number}.txt" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(DOCUMENT.format(number=number, words="渡轮 " * 5_000), encoding="utf-8")
    return [str(path) for path in paths]


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def read(process: subprocess.Popen[str], lines: int) -> list[dict[str, Any]]:
    assert process.stdout
    return [json.loads(line) for _, line in zip(range(lines), process.stdout, strict=False)]


def titles(said: list[dict[str, Any]]) -> set[str]:
    return {row["title"] for row in said if row["type"] == "article"}


def saved(root: Path) -> set[str]:
    db = catalogue.connect(root / catalogue.NAME)
    found = {row["title"] for row in db.query("SELECT title FROM articles")}
    db.close()
    return found


def clean(root: Path) -> bool:
    return not list(Verification(root, thorough=True).findings())


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """What the command had reported on stdout is there after the next run, and the archive is sound."""
    given = documents(tmp_path / "given", 6)
    root = tmp_path / "archive"
    reported: set[str] = set()
    killed = 0
    for _ in range(20):
        process = started("archive", *given, "--into", str(root), "--json")
        with process:
            said = read(process, DICE.randrange(0, 12))
            time.sleep(DICE.random() / 50)
            process.kill()
            said += read(process, 1000)
        killed += process.returncode == -signal.SIGKILL
        reported |= titles(said)
        if (root / "manifest.json").exists():
            found = Verification(root, thorough=True)
            assert not [each for each in found.findings() if each.verdict != "unverifiable"]  # no damage
            healed = subprocess.run(
                [COMMAND, "rebuild", str(root)], capture_output=True, text=True, check=False
            )
            assert healed.returncode == 0, healed.stderr
            assert reported <= saved(root)
            assert clean(root)
    assert killed >= 15
    assert len(reported) >= 3


def test_interrupted_run_seals_what_it_saved(tmp_path: Path) -> None:
    for wait in range(1, 6):
        root = tmp_path / str(wait)
        process = started(
            "archive", *documents(tmp_path / f"given-{wait}", 60), "--into", str(root), "--json"
        )
        with process:
            said = read(process, wait * 3)
            time.sleep(DICE.random() / 100)
            process.send_signal(signal.SIGINT)
            said += read(process, 1000)
        assert process.returncode == 130
        assert 0 < len(titles(said)) < 60
        assert not list((root / "warcs").glob("*.open"))
        assert titles(said) <= saved(root)
        assert clean(root)


def test_second_run_says_who_holds_the_lock(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    given = documents(tmp_path / "given", 1)
    assert (
        subprocess.run(
            [COMMAND, "archive", *given, "--into", str(root)], capture_output=True, check=False
        ).returncode
        == 3
    )
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        for command in (["archive", *given, "--into", str(root)], ["rebuild", str(root)]):
            second = subprocess.run([COMMAND, *command], capture_output=True, text=True, check=False)
            assert second.returncode == 6
            assert f"locked by process {holder.pid} ('archiver archive', since 20" in second.stderr
            assert "Traceback" not in second.stderr
        after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
        assert before.pop(root / LOCK_NAME) == b""
        assert str(holder.pid).encode() in after.pop(root / LOCK_NAME)
        assert after == before
        holder.kill()
    with Archive(root).lock("archive"):
        pass
