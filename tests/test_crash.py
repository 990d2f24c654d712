"""Law 3: once a record is acknowledged, no kill, full disk or power cut loses it, and the next run heals."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archiver import keep
from archiver.archive import Archive
from archiver.index import catalogue
from archiver.manifest import recordlist
from archiver.sandbox import Sandbox
from archiver.verify import Verification
from archiver.warc.read import members, parse_member

WORKER = Path(__file__).with_name("crash_worker.py")
TABLES = (
    "warcs",
    "records",
    "pictures",
    "articles",
    "unreadable_sources",
    "blocks",
    "times",
    "fetches",
    "hops",
    "article_pictures",
    "forms",
)


class Worker:
    """The running crash_worker.py; `root` leads to its files when it has a disk of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.root = Path(f"/proc/{process.pid}/root")

    def archive(self, folder: Path, at: int, fault: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{folder} {at} {fault}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def working(*prefix: str) -> Iterator[Worker]:
    command = [*prefix, sys.executable, str(WORKER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Worker(process)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with working() as running:
        yield running


@pytest.fixture(scope="module")
def crashed(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """An archive with one sealed file, and one that a kill left open in the middle of a write."""
    folder = tmp_path_factory.mktemp("crashed")
    sealed = folder / "sealed"
    ids = set(worker.archive(sealed, 0, "log")["acknowledged"])
    for at in range(30, 200):
        root = folder / str(at)
        shutil.copytree(sealed, root)
        answer = worker.archive(root, at, "torn")
        left = sorted((root / "warcs").glob("*.open"))
        if len(answer["acknowledged"]) == 5 and torn_bytes(root) and left:
            return root, ids | set(answer["acknowledged"])
    raise AssertionError("no kill left what this test needs")


def torn_bytes(root: Path) -> int:
    """How many bytes of an open WARC file no line names."""
    listed = next((root / "warcs").glob("*.jsonl.open"), None)
    if listed is None:
        return 0
    warc = Path(str(listed).replace(".records.jsonl", ".warc.gz"))
    return warc.stat().st_size - sum(entry.length for entry in recordlist.read(listed))


# --- what must hold after every crash ------------------------------------------------------------


def rows(path: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        found = {
            name: connection.execute(f"SELECT rowid, * FROM {name} ORDER BY rowid").fetchall()  # noqa: S608
            for name in TABLES
        }
    connection.close()
    return found


def recover(root: Path) -> None:
    """What the next command does before its own work."""
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox:
        archive.create()
        archive.heal()
        archive.check_extendable()
        with keep._catalogue(archive, sandbox):
            pass


def check(root: Path, acknowledged: set[str], before: Path | None = None) -> None:
    """Heal; then nothing acknowledged is lost, nothing sealed changed, nothing torn is thrown away."""
    folders = [folder / "warcs" for folder in (root, before) if folder]
    opened = [(path.name, path.read_bytes()) for folder in folders for path in folder.glob("*.open")]
    recover(root)
    assert not [str(finding) for finding in Verification(root, thorough=True).findings()]
    manifest = Archive(root).manifest()
    listed = {entry.id for warc in manifest.warcs for entry in recordlist.read(root / warc.list.path)}
    assert acknowledged <= listed
    assert listed == set(stored(root))
    for name, data in opened:
        final = root / "warcs" / name.removesuffix(".open")
        kept = final.read_bytes() if final.exists() else b""
        rest = root / "torn" / f"{final.name}.{len(kept)}"
        assert (kept + (rest.read_bytes() if rest.exists() else b"")).startswith(data), name
    for path in (before / "warcs").glob("*[lz]") if before else ():
        assert (root / "warcs" / path.name).read_bytes() == path.read_bytes()
    incremental = rows(root / catalogue.NAME)
    keep.rebuild(root)
    assert rows(root / catalogue.NAME) == incremental


def stored(root: Path) -> Iterator[str]:
    """The ids that the WARC files themselves hold."""
    for path in (root / "warcs").glob("*.warc.gz"):
        with path.open("rb") as file:
            for member in members(file):
                yield (parse_member(member.stored).get("warc-record-id") or "").strip("<>")


def every_point(
    worker: Worker, folder: Path, fault: str, base: tuple[Path, set[str]] | None
) -> dict[str, int]:
    """Meet the fault at the first operation, then at the second, until a run ends without meeting it."""
    counts = {"points": 0, "acknowledged": 0}
    for at in range(1, 1000):
        root = folder / "archive"
        if base:
            shutil.copytree(base[0], root)
        answer = worker.archive(root, at, fault)
        acknowledged = set(answer["acknowledged"])
        if fault in ("kill", "torn"):
            assert answer["ended"] in ("done", "signal 9"), answer["ended"]
        else:
            assert answer["ended"] == "done" or answer["ended"].startswith(expected(fault)), answer["ended"]
        check(root, acknowledged | (base[1] if base else set()), base[0] if base else None)
        shutil.rmtree(root)
        counts["points"] += 1
        counts["acknowledged"] += len(acknowledged)
        if answer["ended"] == "done" and answer["operations"] < at:
            return counts
    raise AssertionError("the run never ended")


def expected(fault: str) -> str:
    return "KeyboardInterrupt" if fault == "interrupt" else "StorageError: cannot write "


@pytest.fixture
def folder() -> Iterator[Path]:
    """On a disk in memory, where there is one: hundreds of fsyncs are quick there."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name).resolve()


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["kill", "torn"])
def test_killed_at_every_operation_of_a_new_archive(worker: Worker, folder: Path, fault: str) -> None:
    counts = every_point(worker, folder, fault, None)
    assert counts["points"] > 60


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["kill", "torn", "ENOSPC", "EIO", "ENOSPC-once", "EIO-once", "interrupt"])
def test_fault_at_every_operation_after_a_crash(
    worker: Worker, crashed: tuple[Path, set[str]], folder: Path, fault: str
) -> None:
    counts = every_point(worker, folder, fault, crashed)
    assert counts["points"] > 60


# --- a full disk ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_full_disk(tmp_path: Path) -> None:
    """Runs end with StorageError at whatever point the disk is full; with room again they are healed."""
    mount = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a disk of its own needs root and mount namespaces")
    ended = []
    with working("unshare", "-m", "sh", "-c", mount, str(tmp_path)) as own:
        ids = set(own.archive(tmp_path / "archive", 0, "log")["acknowledged"])
        disk = own.root / tmp_path.relative_to("/")
        for room in range(0, 400, 8):
            (disk / "ballast").write_bytes(bytes(max(0, free(disk) - (room << 10))))
            answer = own.archive(tmp_path / "archive", 0, "log")
            ended.append(answer["ended"])
            ids |= set(answer["acknowledged"])
            (disk / "ballast").unlink()
            copy = tmp_path / f"copy{room}"  # SQLite does not find its way through /proc
            shutil.copytree(disk / "archive", copy)
            check(copy, ids)
            shutil.rmtree(copy)
            if len(list((disk / "archive" / "warcs").iterdir())) > 8:
                shutil.rmtree(disk / "archive")
                ids = set()
    wrong = [line for line in ended if line != "done" and not line.startswith("StorageError: cannot write ")]
    assert not wrong, wrong[0]
    assert 5 < ended.count("done") < len(ended) - 5
    assert all("Make room" in line for line in ended if line != "done")


def free(disk: Path) -> int:
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize


# --- a power cut ---------------------------------------------------------------------------------


class Platter:
    """What a disk holds when the power fails: names and bytes, each as now and as last made durable."""

    def __init__(self) -> None:
        self.names: dict[str, int | None] = {}  # path → file; None for a folder
        self.durable: dict[str, int | None] = {}
        self.bytes: list[bytearray] = []
        self.synced: list[bytes] = []
        self.acknowledged: set[str] = set()

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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "tail"), [(False, "lost"), (True, "lost"), (True, "zeros"), (False, "half")]
)
def test_power_cut_at_every_operation(worker: Worker, folder: Path, names: bool, tail: str) -> None:
    """Only what was fsynced is sure: a file's bytes, a folder's names. SQLite's files are left out."""
    log = worker.archive(folder / "archive", 0, "log")["log"]
    platter = Platter()
    platter.names[str(folder)] = platter.durable[str(folder)] = None
    for operation in log:
        platter.do(*operation)
        state = folder / "state"
        state.mkdir()
        platter.restore(state, str(folder), names=names, tail=tail)
        if (state / "archive").exists() or platter.acknowledged:
            check(state / "archive", platter.acknowledged)
        shutil.rmtree(state)
    assert len(platter.acknowledged) == 8
    assert len(log) > 50
