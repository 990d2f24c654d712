"""A disk that is full or fails at every single operation, and a Ctrl-C there: the run goes on later."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crashing import Crashed, Worker, check, crashed, every_point, memory, unfinished, went_on, working
from wide import turns

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with working() as running:
        yield running


@pytest.fixture(scope="module")
def base(worker: Worker) -> Iterator[Crashed]:
    with memory() as folder:
        yield crashed(worker, folder)


@pytest.mark.parametrize(("start", "fault"), [(1, "ENOSPC"), (2, "EIO")])
def test_disk_fails_from_every_operation_of_a_new_archive_on(worker: Worker, start: int, fault: str) -> None:
    with memory() as folder:
        assert every_point(worker, folder, fault, turns(start, 2)) > 80


@pytest.mark.parametrize(("start", "fault"), [(1, "ENOSPC-once"), (2, "interrupt"), (3, "signal")])
def test_fault_at_every_operation_after_a_crash(
    worker: Worker, base: Crashed, start: int, fault: str
) -> None:
    with memory() as folder:
        assert every_point(worker, folder, fault, turns(start, 3), base) > 80


def test_full_disk(tmp_path: Path) -> None:
    """Runs end with StorageError at whatever point the disk is full; with room again they go on."""
    mount = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a disk of its own needs root and mount namespaces")
    ended = []
    with working("unshare", "-m", "sh", "-c", mount, str(tmp_path)) as own:
        ids = set(own.archive(tmp_path / "archive")["acknowledged"])
        disk = own.root / tmp_path.relative_to("/")
        for room in range(0, 960, 24):
            (disk / "ballast").write_bytes(bytes(max(0, free(disk) - (room << 10))))
            answer = own.archive(tmp_path / "archive")
            ended.append(answer["ended"])
            ids |= set(answer["acknowledged"])
            (disk / "ballast").unlink()
            begun, before = unfinished(disk / "archive"), len(own.site.asked)
            again = own.archive(tmp_path / "archive")
            assert again["ended"] == "done"
            ids |= set(again["acknowledged"])
            copy = tmp_path / "copy"  # SQLite does not find its way through /proc
            shutil.copytree(disk / "archive", copy)
            if went_on(copy, begun):
                assert not set(answer["done"]) & set(own.site.log(before))
            check(copy, ids)
            shutil.rmtree(copy)
            if len(list((disk / "archive" / "warcs").iterdir())) > 12:
                shutil.rmtree(disk / "archive")
                ids = set()
    wrong = [line for line in ended if line != "done" and not line.startswith("StorageError: cannot write ")]
    assert not wrong, wrong[0]
    assert 5 < ended.count("done") < len(ended) - 5
    assert all("Make room" in line for line in ended if line != "done")


def free(disk: Path) -> int:
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize
