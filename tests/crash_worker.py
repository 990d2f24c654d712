"""The child of test_crash.py: archives four groups of records on a disk that fails when it is told to.

Reads lines `FOLDER AT FAULT` from stdin and answers each with a line of JSON. For each line a fork of it
archives into FOLDER as `archiver archive` does, and meets FAULT at the AT-th operation on a file below it:

    kill           SIGKILL before the operation
    torn           SIGKILL after half of a write, or after any other operation
    ENOSPC, EIO    the operation fails, as do all that follow
    ENOSPC-once, EIO-once
    interrupt      KeyboardInterrupt
    log            nothing; the answer holds the log of all operations
"""

import builtins
import errno
import io
import itertools
import json
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from archiver import keep
from archiver.archive import Archive, Session
from archiver.capture.records import note_record, source_record
from archiver.errors import StorageError
from archiver.model import Article, ArticleNote, FetchNote, Form, Hop, Record, Reference
from archiver.sandbox import Sandbox
from archiver.warc.write import record_id

PROXIED = "https://images.weserv.nl/?url=news.example/ferry.png"
ORIGIN = "http://news.example/ferry.png"
SQL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "PRAGMA")


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


def groups() -> Iterator[list[Record]]:
    """What capturing one article appends: four groups, nine records."""
    text = "<!--1699468744000-->\n# 渡轮启航\n".encode() + os.urandom(20_000).hex().encode()
    source = source_record(text, "text/markdown")
    yield [source]
    forms = (Form(form="proxied", url=PROXIED, proxy="weserv"), Form(form="origin", url=ORIGIN))
    reference = Reference(number=0, written=PROXIED, url=PROXIED, place="img-src", alt="渡轮", forms=forms)
    article = Article(kind="document", title="渡轮启航", url="http://news.example/", references=(reference,))
    note = note_record(ArticleNote(given="ferry.txt", article=article), source.id)
    yield [note]
    for form in forms:
        yield fetched(form, note.id)


def fetched(form: Form, article: str) -> list[Record]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml\r\n\r\n<svg>"
    date = "2026-11-22T19:05:12.000001Z"
    response = Record(
        type="response",
        id=record_id(),
        date=date,
        uri=form.url,
        content_type="application/http; msgtype=response",
        block=head + os.urandom(30_000),
        store=True,
    )
    request = Record(
        type="request",
        id=record_id(),
        date=date,
        uri=form.url,
        content_type="application/http; msgtype=request",
        headers=(("WARC-Concurrent-To", f"<{response.id}>"),),
        block=b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n",
    )
    hop = Hop(url=form.url, request=request.id, response=response.id, status=200)
    note = FetchNote(
        url=form.url,
        purpose="picture",
        outcome="whole",
        started=date,
        article=article,
        form=form.form,
        hops=(hop,),
    )
    return [response, request, note_record(note, response.id)]


def archive(root: Path, acknowledge: Callable[[list[str]], None]) -> None:
    """What `archiver archive` does, but for the network."""
    folder = Archive(root)
    with folder.lock("archive"), Sandbox() as sandbox:
        folder.create()
        folder.heal()
        folder.check_extendable()
        with keep._catalogue(folder, sandbox) as db:
            session = Session(folder, sandbox, db, {"software": "test"})
            try:
                for group in groups():
                    acknowledge([entry.id for entry in session.append(group)])
                session.seal()
            finally:
                session.close()


def child(root: str, at: int, fault: str, out: int) -> int:
    """Runs in the fork: archives, tells what it acknowledges as it goes, and last how it ended."""
    disk = Disk(root, at, fault)

    def tell(**what: Any) -> None:
        os.write(out, json.dumps(what).encode() + b"\n")

    def acknowledge(ids: list[str]) -> None:
        disk.log.append(["acknowledged", ids])
        tell(acknowledged=ids)

    disk.hook()
    ended = "done"
    try:
        archive(Path(root), acknowledge)
    except (StorageError, KeyboardInterrupt) as error:
        ended = f"{type(error).__name__}: {error} {getattr(error, 'advice', '')}"
    except BaseException:  # noqa: BLE001 - whatever it is, the test wants to see it
        ended = traceback.format_exc()
    log = [[x.hex() if isinstance(x, bytes) else x for x in entry] for entry in disk.log]
    tell(ended=ended, operations=disk.count, log=log if fault == "log" else [])
    return 0


def main() -> None:
    for line in sys.stdin:
        root, at, fault = line.split()
        reader, writer = os.pipe()
        sys.stdout.flush()
        if (pid := os.fork()) == 0:
            os._exit(child(root, int(at), fault, writer))
        os.close(writer)
        with os.fdopen(reader) as told:
            said: list[dict[str, Any]] = [json.loads(row) for row in told]
        _, status = os.waitpid(pid, 0)
        answer = {"acknowledged": list(itertools.chain(*(row.get("acknowledged", []) for row in said)))}
        answer |= said[-1] if said and "ended" in said[-1] else {"ended": f"signal {os.WTERMSIG(status)}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
