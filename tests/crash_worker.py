"""The child of crashing.py: archives a small site on a disk that fails when it is told to.

Takes the site's port and a mirror document, reads lines `FOLDER AT FAULT` from stdin and answers each with
a line of JSON. For each line a fork of it does what `archiver archive DOCUMENT --into FOLDER` does, and
meets FAULT at the AT-th operation on a file below it:

    kill           SIGKILL before the operation
    torn           SIGKILL after half of a write, or after any other operation
    ENOSPC, EIO    the operation fails, as do all that follow
    ENOSPC-once, EIO-once
    interrupt      KeyboardInterrupt, as by the second Ctrl-C
    signal         SIGINT, the first Ctrl-C
    log            nothing; the answer holds the log of all operations
"""

import builtins
import copy
import errno
import functools
import gc
import io
import itertools
import json
import os
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from archiver import keep
from archiver.capture.engine import Engine
from archiver.capture.manners import Manners
from archiver.capture.wire import fetch
from archiver.capture.wire.fetch import Network
from archiver.config import Seal, Settings
from archiver.errors import ArchiverError, SandboxError, StorageError
from archiver.model import Entry, FetchNote, Note, Record
from archiver.sandbox import Sandbox
from archiver.session import Session

SEAL_BYTES = (4500, 2400)  # of a first run, and of a later one, which knows the robots.txt already
SQL = ("BEGIN", "COMMIT")


class Disk:
    """Counts operations on what lies below a folder, and meets the AT-th with a fault."""

    def __init__(self, root: str, at: int, fault: str) -> None:
        self.root, self.at, self.fault = root, at, fault
        self.count = 0
        self.log: list[list[Any]] = []

    def mine(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and (os.fspath(path) + "/").startswith(self.root + "/")

    def step(self, path: Any, do: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """One operation: `do` does it, `half` half of it."""
        self.count += 1
        lasting = self.fault in ("ENOSPC", "EIO") and self.count > self.at > 0
        if self.count != self.at and not lasting:
            return do()
        if self.fault == "torn":
            (half or do)()
        if self.fault in ("kill", "torn"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "interrupt":
            raise KeyboardInterrupt
        if self.fault == "signal":
            os.kill(os.getpid(), signal.SIGINT)
            return do()
        if half and not lasting:
            half()
        number = getattr(errno, self.fault.removesuffix("-once"))
        raise OSError(number, os.strerror(number), str(path))

    def hook(self) -> None:
        self._names("mkdir", "unlink", "rename", "replace", "chmod")
        self._fsync()
        self._open()
        self._lock_file()
        if self.fault in ("kill", "torn"):
            self._sqlite()

    def _names(self, *names: str) -> None:
        for name in names:
            setattr(os, name, self._hooked(name, getattr(os, name)))

    def _hooked(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def hooked(path: Any, *rest: Any, **more: Any) -> Any:
            if not self.mine(path):
                return do(path, *rest, **more)
            result = self.step(path, lambda: do(path, *rest, **more))
            self.log.append([name, str(path), *map(str, rest)])
            return result

        return hooked

    def _fsync(self) -> None:
        fsync = os.fsync

        def hooked(file: Any) -> None:
            path = str(Path(f"/proc/self/fd/{file if isinstance(file, int) else file.fileno()}").readlink())
            self.step(path, lambda: fsync(file), lambda: None)
            self.log.append(["fsync", path])

        os.fsync = hooked

    def _open(self) -> None:
        plain, disk = io.open, self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                whole, at = bytes(data), self.tell()
                write = super().write
                half = whole[: len(whole) // 2]
                done = int(disk.step(self.name, lambda: write(whole), lambda: write(half)))
                disk.log.append(["write", str(self.name), at, whole[:done]])
                return done  # fewer than given, when the disk gets full

            def truncate(self, size: int | None = None) -> int:
                cut = super().truncate
                disk.log.append(["truncate", str(self.name), size])
                return int(disk.step(self.name, lambda: cut(size)))

        def hooked(path: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
            if not self.mine(path) or not set(mode) & set("wxa+"):
                return plain(path, mode, buffering, *rest, **more)
            raw = self.step(path, lambda: Raw(os.fspath(path), mode.replace("b", "")))
            self.log.append(["open", str(path), mode])
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        io.open = builtins.open = hooked  # type: ignore[assignment]

    def _lock_file(self) -> None:
        plain = os.open

        def hooked(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            if not self.mine(path) or not flags & os.O_CREAT:
                return plain(path, flags, *rest, **more)
            return int(self.step(path, lambda: plain(path, flags, *rest, **more)))

        os.open = hooked

    def _sqlite(self) -> None:
        connect = sqlite3.connect

        def seen(sql: str) -> None:
            if sql.lstrip().upper().startswith(SQL):
                self.step(sql, lambda: None)

        def hooked(*arguments: Any, **more: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **more)
            connection.set_trace_callback(seen)
            return connection

        sqlite3.connect = hooked


def in_process() -> None:
    """Let what is read be read here, and what is the same once: many hundred runs start no child for it.

    Nor does each of them load the certificates of all authorities, or ask trafilatura, which is optional.
    """
    sys.modules["trafilatura"] = None  # type: ignore[assignment]

    @functools.cache
    def read(function: Callable[..., Any], data: bytes, options: tuple[tuple[str, Any], ...]) -> Any:
        return msgspec.to_builtins(function(data, **dict(options)))

    def call(self: Sandbox, function: Callable[..., Any], data: bytes, **options: str | int | None) -> Any:
        try:
            return copy.deepcopy(read(function, data, tuple(options.items())))
        except ArchiverError as error:
            raise SandboxError(str(error)) from error

    Sandbox.call = call  # type: ignore[method-assign]
    fetch.make_context = functools.cache(fetch.make_context)
    # Each answer is stored by itself: so every run has the same operations.
    Engine.take = functools.partialmethod(Engine.take, most=1)  # type: ignore[assignment]


def archive(root: Path, report: Callable[[Note], None] = lambda _: None) -> bool:
    """What `archiver archive` does: a few files of few records, one request after the other."""
    port, document = sys.argv[1:]
    seal = SEAL_BYTES[(root / "manifest.json").exists()]
    kept = keep.keep(
        root,
        [document],
        Network(connect_to=(f"::127.0.0.1:{port}",)),
        Settings(seal=Seal(bytes=seal)),
        manners=Manners(parallel=1),
        report=report,
        say=lambda _: None,
    )
    return kept.interrupted


def child(root: str, at: int, fault: str, out: int) -> None:
    """Runs in the fork: archives, tells what it acknowledges as it goes, and last how it ended."""
    disk = Disk(root, at, fault)

    def tell(**what: Any) -> None:
        disk.log += [[key, value] for key, value in what.items() if key in ("acknowledged", "done")]
        os.write(out, json.dumps(what).encode() + b"\n")

    def report(note: Note) -> None:
        if isinstance(note, FetchNote) and note.purpose != "robots" and note.retry is None:
            tell(done=note.url)

    append = Session.append

    def acknowledging(self: Session, records: Sequence[Record]) -> list[Entry]:
        entries = append(self, records)
        tell(acknowledged=[entry.id for entry in entries])
        return entries

    Session.append = acknowledging  # type: ignore[method-assign]
    disk.hook()
    try:
        interrupted = archive(Path(root), report)
        ended = "interrupted" if interrupted else "done"
    except (StorageError, KeyboardInterrupt) as error:
        ended = f"{type(error).__name__}: {error} {getattr(error, 'advice', '')}"
    except BaseException:  # noqa: BLE001 - whatever it is, the test wants to see it
        ended = traceback.format_exc()
    log = [[x.hex() if isinstance(x, bytes) else x for x in entry] for entry in disk.log]
    tell(ended=ended, operations=disk.count, log=log if fault == "log" else [])


def main() -> None:
    in_process()
    with tempfile.TemporaryDirectory() as folder:  # what each fork would load is loaded once
        archive(Path(folder) / "archive")
    gc.freeze()  # so that a fork's collector touches none of it: what is touched is copied
    for line in sys.stdin:
        root, at, fault = line.split()
        reader, writer = os.pipe()
        sys.stdout.flush()
        if (pid := os.fork()) == 0:
            child(root, int(at), fault, writer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            said: list[dict[str, Any]] = [json.loads(row) for row in told]
        _, status = os.waitpid(pid, 0)
        acknowledged = itertools.chain(*(row.get("acknowledged", []) for row in said))
        answer = {"acknowledged": list(acknowledged), "done": [row["done"] for row in said if "done" in row]}
        answer |= said[-1] if said and "ended" in said[-1] else {"ended": f"signal {os.WTERMSIG(status)}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
