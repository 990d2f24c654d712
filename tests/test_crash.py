"""Law 3: once a record is acknowledged, no kill and no power cut loses it, and the same command goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crashing import URLS, Worker, check, crashed, every_point, goes_on, memory, working
from wide import WIDE, turns

pytestmark = pytest.mark.slow

KILLS = ["torn", *(["kill"] if WIDE else [])]  # torn: as kill, but in the middle of what is being written
LOST = [(1, False, "lost"), (2, True, "zeros"), *([(1, True, "lost"), (2, False, "half")] if WIDE else [])]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with working() as running:
        yield running


@pytest.mark.parametrize("fault", KILLS)
def test_killed_at_every_operation_of_a_new_archive(worker: Worker, fault: str) -> None:
    with memory() as folder:
        assert every_point(worker, folder, fault, turns(1, 2)) > 120


@pytest.mark.parametrize("fault", KILLS)
def test_killed_at_every_operation_after_a_crash(worker: Worker, fault: str) -> None:
    with memory() as folder, memory() as other:
        assert every_point(worker, folder, fault, turns(2, 2), crashed(worker, other)) > 80


# --- a power cut ---------------------------------------------------------------------------------


class Platter:
    """What a disk holds when the power fails: names and bytes, each as now and as last made durable."""

    def __init__(self) -> None:
        self.names: dict[str, int | None] = {}  # path → file; None for a folder
        self.durable: dict[str, int | None] = {}
        self.bytes: list[bytearray] = []
        self.synced: list[bytes] = []
        self.acknowledged: set[str] = set()
        self.done: list[str] = []

    def do(self, what: str, *told: Any) -> None:
        match what, *told:
            case "mkdir", path, _:
                self.names[path] = None
            case "open", path, mode if "x" in mode:
                self.names[path] = len(self.bytes)
                self.bytes.append(bytearray())
                self.synced.append(b"")
            case "write", path, at, data:
                self.bytes[self._file(path)][at : at + len(data) // 2] = bytes.fromhex(data)
            case "truncate", path, size:
                del self.bytes[self._file(path)][size:]
            case "fsync", path if path in self.names and self.names[path] is not None:
                self.synced[self._file(path)] = bytes(self.bytes[self._file(path)])
            case "fsync", path:
                self.durable = {
                    name: file for name, file in self.durable.items() if str(Path(name).parent) != path
                }
                self.durable |= {
                    name: file for name, file in self.names.items() if str(Path(name).parent) == path
                }
            case "rename" | "replace", path, new:
                self.names[new] = self.names.pop(path)
            case "unlink", path:
                self.names.pop(path, None)
            case "acknowledged", ids:
                self.acknowledged |= set(ids)
            case "done", url:
                self.done.append(url)

    def _file(self, path: str) -> int:
        file = self.names[path]
        assert file is not None
        return file

    def restore(self, into: Path, was: str, *, names: bool, tail: str) -> None:
        """Write the state into a folder. `names`: all names made it; `tail`: lost, half or zeros."""
        entries = self.names if names else self.durable
        for name, file in sorted(entries.items()):
            path = into / Path(name).relative_to(was)
            if file is None:
                path.mkdir(exist_ok=True)
            elif path.parent.is_dir():
                now, synced = self.bytes[file], self.synced[file]
                rest = bytes(now[len(synced) :])
                kept = {"lost": b"", "half": rest[: len(rest) // 2], "zeros": bytes(len(rest))}[tail]
                path.write_bytes(synced + kept)


@pytest.mark.parametrize(("start", "names", "tail"), LOST)
def test_power_cut_at_every_operation(worker: Worker, start: int, names: bool, tail: str) -> None:
    """Only what was fsynced is sure: a file's bytes, a folder's names. SQLite's files are left out."""
    with memory() as folder:
        log = worker.archive(folder / "archive", 0, "log")["log"]
        platter = Platter()
        platter.names[str(folder)] = platter.durable[str(folder)] = None
        points, cuts = set(turns(start, 2)), 0
        for number, operation in enumerate(log, 1):
            platter.do(*operation)
            if number not in points:
                continue
            state = folder / "state"
            state.mkdir()
            platter.restore(state, str(folder), names=names, tail=tail)
            if (state / "archive").exists() or platter.acknowledged:
                check(state / "archive", platter.acknowledged)
                cuts += 1
                if cuts % 4 == 0:
                    goes_on(worker, state / "archive", set(platter.done))
                    check(state / "archive", platter.acknowledged)
            shutil.rmtree(state)
    assert len(platter.done) == URLS
    assert len(log) > 80
