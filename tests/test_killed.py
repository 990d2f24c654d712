"""The `archiver` command itself, killed and started twice."""

import subprocess
import sys
from pathlib import Path

import pytest
from killing import COMMAND, killed_many_times, start
from wide import KILLS, WIDE

from archiver.archive import LOCK_NAME, Archive

# Its addresses are this machine's, so the guard refuses them: no traffic at all.
DOCUMENT = """<!--1699468744000-->
[渡轮启航](http://127.0.0.1:9/ferry.html)
------

<div><p>渡轮今天启航。</p><img src="http://127.0.0.1:9/ferry.png" alt="渡轮"></div>
"""


HOLDER = """
import sys
from pathlib import Path
from archiver.archive import Archive

with Archive(Path(sys.argv[1])).lock("archive"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, *([3, 4] if WIDE else [])])
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    killed_many_times(tmp_path, seed, KILLS, ["--retries", "1"])


def test_second_run_says_who_holds_the_lock(tmp_path: Path) -> None:
    root, given = tmp_path / "archive", tmp_path / "0.txt"
    given.write_text(DOCUMENT, encoding="utf-8")
    with start("archive", str(given), "--into", str(root)) as first:
        first.communicate()
    assert first.returncode == 3
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        for command in (["archive", str(given), "--into", str(root)], ["rebuild", str(root)]):
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
