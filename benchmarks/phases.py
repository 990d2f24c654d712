"""Run a command of the archiver, and write where its time went.

Every 5 ms the main thread is interrupted and all threads' stacks are looked at. The time since the last look
goes to the phase of the innermost frame that the table below knows. A signal meets the main thread wherever
it is, after the call into C that it is in: a sampling thread would have to wait for the interpreter's lock,
and so see the main thread mostly where it gives that up. Of the main thread the CPU time is known as well.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

from archiver.sandbox import Sandbox

INTERVAL = 0.005
STARTING = "importing modules"

# The innermost frame with one of these in its file's path says the phase.
PHASES = (
    ("benchmarks/phases.py", "fsync"),
    ("archiver/sandbox.py", "child process"),
    ("/sqlite_utils/", "catalogue"),
    ("archiver/index/reader.py", "describing records"),
    ("archiver/index/", "catalogue"),
    ("archiver/warc/read.py", "describing records"),
    ("/warcio/", "building and compressing records"),
    ("archiver/warc/", "building and compressing records"),
    ("archiver/capture/records.py", "building and compressing records"),
    ("archiver/manifest/", "record lists and sealing"),
    ("archiver/archive.py", "record lists and sealing"),
    ("archiver/journal.py", "record lists and sealing"),
    ("archiver/capture/wire/", "network"),
    ("/urllib3/", "network"),
    ("/requests/", "network"),
    ("/http/client.py", "network"),
    ("/socket.py", "network"),
    ("/selectors.py", "network"),
    ("archiver/tell.py", "telling"),
    ("archiver/console.py", "telling"),
    ("archiver/capture/", "deciding and planning"),
    ("archiver/addresses/", "deciding and planning"),
    ("archiver/keep.py", "deciding and planning"),
    ("<frozen importlib", STARTING),
    ("/queue.py", "waiting for another thread"),
    ("/threading.py", "waiting for another thread"),
    ("concurrent/futures/", "waiting for another thread"),
)


class Sampler:
    """Seconds by phase: of the main thread on the clock and of CPU, and of all other threads together."""

    def __init__(self) -> None:
        self.main: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self.workers: Counter[str] = Counter()
        self.syncs: list[float] = []
        self._known: dict[CodeType, str | None] = {}
        self._clock, self._used = time.perf_counter(), time.thread_time()
        self._sync = os.fsync

    def start(self) -> None:
        os.fsync = self._timed_sync
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.fsync = self._sync

    def _timed_sync(self, file: int) -> None:
        start = time.perf_counter()
        try:
            self._sync(file)
        finally:
            self.syncs.append(time.perf_counter() - start)

    def _look(self, _: int, frame: FrameType | None) -> None:
        clock, used = time.perf_counter(), time.thread_time()
        passed = clock - self._clock
        phase = self._phase(frame)
        self.main[phase] += passed
        self.cpu[phase] += used - self._used
        for thread, inner in sys._current_frames().items():  # noqa: SLF001 - there is no other way
            if thread != threading.main_thread().ident:
                self.workers[self._phase(inner)] += passed
        self._clock, self._used = clock, used

    def _phase(self, frame: FrameType | None) -> str:
        found = None
        while frame is not None:
            code = frame.f_code
            if code not in self._known:
                path = code.co_filename
                self._known[code] = next((phase for part, phase in PHASES if part in path), None)
            if self._known[code] == STARTING:  # whatever an import runs
                return STARTING
            if code is Sandbox.call.__code__:
                return f"child process: {frame.f_locals['function'].__name__}"
            found = found or self._known[code]
            frame = frame.f_back
        return found or "other"

    def result(self) -> dict[str, object]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        main = time.thread_time()
        return {
            "main": self.main,
            "cpu": self.cpu,
            "workers": self.workers,
            "syncs": self.syncs,
            "main_cpu": main,
            "workers_cpu": time.process_time() - main,
            "children_cpu": children.ru_utime + children.ru_stime,
        }


def main(out: str, *arguments: str) -> None:
    """`out` gets the figures as JSON; the rest are the archiver's own arguments."""
    sampler = Sampler()
    sampler.start()
    try:
        from archiver.cli import main as archiver  # noqa: PLC0415 - starting counts

        archiver(list(arguments))
    finally:
        sampler.stop()
        Path(out).write_text(json.dumps(sampler.result()))


if __name__ == "__main__":
    main(*sys.argv[1:])
