"""What test_crash.py and test_faults.py share: runs on a failing disk, and what must hold after each."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from resume_site import Site, mirror_document

from archiver import journal, upkeep
from archiver.archive import Archive
from archiver.errors import ManifestError
from archiver.index import catalogue
from archiver.manifest import recordlist
from archiver.sandbox import Sandbox
from archiver.verify import Verification
from archiver.warc.read import members, parse_member

WORKER = Path(__file__).with_name("crash_worker.py")
TABLES = (
    "warcs",
    "records",
    "runs",
    "pictures",
    "picture_hashes",
    "articles",
    "unreadable_sources",
    "blocks",
    "times",
    "fetches",
    "hops",
    "article_pictures",
    "forms",
)
URLS = 3  # a page, its picture from the proxy, and from the publisher


@dataclass(frozen=True)
class Crashed:
    """An archive that a crash left, what was acknowledged in it, and of which URLs its last run is done."""

    root: Path
    acknowledged: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()


class Worker:
    """The running crash_worker.py and the site that it archives. `root` leads to its own disk's files."""

    def __init__(self, process: subprocess.Popen[str], site: Site) -> None:
        self._process, self.site = process, site
        self.root = Path(f"/proc/{process.pid}/root")

    def archive(self, folder: Path, at: int = 0, fault: str = "none") -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{folder} {at} {fault}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def working(*prefix: str) -> Iterator[Worker]:
    """A worker, started by the program in `prefix`."""
    with Site(quick=True) as site, tempfile.TemporaryDirectory() as given:
        document = Path(given) / "0.txt"
        document.write_text(mirror_document(0), encoding="utf-8")
        command = [*prefix, sys.executable, str(WORKER), str(site.port), str(document)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield Worker(process, site)


@contextmanager
def memory() -> Iterator[Path]:
    """A folder on a disk in memory, where there is one: hundreds of fsyncs are quick there.

    What the checks copy lies there, too.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.access("/dev/shm", os.W_OK):
            patch.setattr(tempfile, "tempdir", "/dev/shm")
        with tempfile.TemporaryDirectory() as name:
            yield Path(name).resolve()


def crashed(worker: Worker, folder: Path) -> Crashed:
    """Files sealed by a run that ended and by one that was killed later, in the middle of a write."""
    whole = folder / "whole"
    first = worker.archive(whole)
    sealed = len(list(whole.glob("warcs/*.warc.gz")))
    for at in range(60, 300):
        root = Path(shutil.copytree(whole, folder / str(at)))
        answer = worker.archive(root, at, "torn")
        more = len(list(root.glob("warcs/*.warc.gz"))) > sealed
        if more and 0 < len(answer["done"]) < URLS and torn_bytes(root):
            acknowledged = frozenset(first["acknowledged"] + answer["acknowledged"])
            return Crashed(root, acknowledged, frozenset(answer["done"]))
        shutil.rmtree(root)
    raise AssertionError("no kill left what these tests need")


def torn_bytes(root: Path) -> int:
    """How many bytes of an open WARC file no line names; 0 where that is not so simple."""
    listed = next((root / "warcs").glob("*.jsonl.open"), None)
    if listed is None:
        return 0
    warc = Path(str(listed).replace(".records.jsonl", ".warc.gz"))
    try:
        return warc.stat().st_size - sum(entry.length for entry in recordlist.read(listed))
    except (ManifestError, FileNotFoundError):
        return 0


def rows(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {
            name: connection.execute(f"SELECT rowid, * FROM {name} ORDER BY rowid").fetchall()  # noqa: S608
            for name in TABLES
        }


def recover(root: Path) -> None:
    """What the next command does before its own work."""
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox:
        archive.create()
        archive.heal()
        archive.check_extendable()
        with upkeep.catalogue_of(archive, sandbox):
            pass


def check(root: Path, acknowledged: set[str] | frozenset[str], before: Path | None = None) -> None:
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
    upkeep.rebuild(root)
    assert rows(root / catalogue.NAME) == incremental


def stored(root: Path) -> Iterator[str]:
    """The ids that the WARC files themselves hold."""
    for path in sorted((root / "warcs").glob("*.warc.gz")):
        with path.open("rb") as file:
            for member in members(file):
                record_id = parse_member(member.stored).get("warc-record-id")
                assert record_id
                yield record_id.strip("<>")


def unfinished(root: Path) -> set[str]:
    """The runs that the journal names."""
    return {each.run for each in journal.load(root)}


def went_on(root: Path, begun: set[str]) -> bool:
    """Whether the newest run was begun before; if not, what was begun before had ended, by its records."""
    with closing(sqlite3.connect(root / catalogue.NAME)) as connection:
        runs = dict(connection.execute("SELECT run, interrupted FROM runs ORDER BY id").fetchall())
    newest = [*runs][-1]
    assert newest in begun or {runs.get(run, 0) for run in begun} <= {0}
    return newest in begun


def goes_on(worker: Worker, root: Path, done: set[str]) -> list[str]:
    """The same command again, which ends the run and asks for nothing that it was told of; its records."""
    begun, before = unfinished(root), len(worker.site.asked)
    answer = worker.archive(root)
    assert answer["ended"] == "done", answer["ended"]
    asked = worker.site.log(before)
    assert not (root / journal.NAME).exists()
    with closing(sqlite3.connect(root / catalogue.NAME)) as connection:
        captured = connection.execute(
            "SELECT count(DISTINCT url) FROM fetches WHERE outcome = 'whole' AND purpose <> 'robots'"
            " AND run_id = (SELECT max(id) FROM runs)"
        ).fetchone()
    assert captured == (URLS,)
    if went_on(root, begun):
        assert not done & set(asked), (done, asked)
    else:
        assert len(done) in (0, URLS), done
    acknowledged: list[str] = answer["acknowledged"]
    return acknowledged


def every_point(
    worker: Worker, folder: Path, fault: str, points: Iterator[int], base: Crashed | None = None
) -> int:
    """Meet the fault at one operation, then at a later one, until a run ends without meeting it."""
    start = base or Crashed(folder / "none")
    for number, at in enumerate(points):
        root = folder / "archive"
        if base:
            shutil.copytree(base.root, root)
        answer = worker.archive(root, at, fault)
        assert answer["ended"].startswith(expected(fault)), answer["ended"]
        acknowledged = start.acknowledged | set(answer["acknowledged"])
        before = base.root if base else None
        if number % 2 == 0:  # half of them are healed by the run that goes on, half without the network
            acknowledged |= set(goes_on(worker, root, start.done | set(answer["done"])))
        check(root, acknowledged, before)
        shutil.rmtree(root)
        if answer["ended"] == "done" and answer["operations"] < at:
            return at
    raise AssertionError("the run never ended")


def expected(fault: str) -> tuple[str, ...]:
    """How a run may end that met a fault; `done` where it came too late to matter."""
    if fault in ("kill", "torn"):
        return "done", "signal 9"
    if fault in ("interrupt", "signal"):
        return "done", "KeyboardInterrupt", "interrupted"
    return "done", "StorageError: cannot "
