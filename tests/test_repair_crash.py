"""A repair that is killed, or whose disk is full, at every single operation: the next one goes on."""

import os
import shutil
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path

import archives
import pytest
from archives import at, flip, listed, put_members, warc, write
from crash_worker import Disk
from crashing import memory
from mending import assert_restored, committed, repair
from wide import turns

from archiver.archive import Archive
from archiver.errors import StorageError
from archiver.index import catalogue
from archiver.manifest import manifest as commitment
from archiver.sandbox import Sandbox
from archiver.session import Session

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    with memory() as folder:
        yield folder


@pytest.fixture(scope="module")
def three(disk: Path, sandbox: Sandbox) -> tuple[Path, Path, Path]:
    """A small archive without pictures; it, damaged in every way; and a copy, damaged elsewhere."""
    original, damaged, copy = (disk / name for name in ("original", "damaged", "copy"))
    archive = Archive(original)
    with archive.lock("archive"):
        archive.create()
        with catalogue.writing(original) as db:
            for number in range(3):
                session = Session(archive, sandbox, db, {})
                session.append([each for each in archives.records(number) if b"JFIF" not in each.block])
                session.seal()
    for each in (damaged, copy):
        shutil.copytree(original, each)
    put_members(damaged, at(2, flip(20))(archives.members(damaged)))
    (damaged / warc(damaged, 2)).unlink()
    (damaged / listed(damaged, 0)).unlink()
    write(damaged, commitment.NAME, b"{}")
    write(damaged, "warcs/more", b"more")
    put_members(copy, at(3, flip(20))(archives.members(copy)))
    return original, damaged, copy


def faulty(root: Path, copy: Path, at_: int, fault: str) -> int:
    """Repair in a fork that meets the fault at an operation on a file of the archive; its exit code.

    0: done · 1: StorageError · -9: killed.
    """
    if (pid := os.fork()) == 0:
        code = 2
        try:
            disk = Disk(str(root), at_, fault)
            disk.hook()
            disk._names("link")
            with Sandbox() as own:
                repair(root, copy, sandbox=own)
            code = 0 if disk.count >= at_ else 3
        except StorageError:
            code = 1
        except BaseException:  # noqa: BLE001 - shown, for a fork has nobody to raise it to
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(("start", "fault"), [(1, "torn"), (2, "ENOSPC")])
def test_fault_at_every_operation(
    three: tuple[Path, Path, Path], disk: Path, start: int, fault: str, sandbox: Sandbox
) -> None:
    original, damaged, copy = three
    old, new = committed(damaged), committed(original)
    codes = set()
    for number in turns(start, 2):
        root = Path(shutil.copytree(damaged, disk / "root"))
        code = faulty(root, copy, number, fault)
        codes.add(code)
        assert code != 2, number
        for name, data in committed(root).items():
            assert data in (old.get(name), new.get(name)), (number, name)
        for name, data in old.items():
            kept = [path.read_bytes() for path in (root / "damaged").glob(f"{name}.*")]
            assert data in (new.get(name), committed(root).get(name), *kept), (number, name)
        repair(root, copy, sandbox=sandbox)
        assert_restored(root, original, sandbox)
        shutil.rmtree(root)
        if code == 3:
            break
    else:
        raise AssertionError("the repair never ended")
    assert number > 50
    assert codes <= {-signal.SIGKILL, 0, 3} if fault != "ENOSPC" else codes <= {0, 1, 3}
