"""Tasks shared among forks of this process, each of which does every so many-th, in order.

A fork has all that is loaded, so it starts in milliseconds. What it has to say comes through a pipe while it
works, so nobody holds much; where it is ended, the parent is told, and does the task itself.
"""

import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

MOST_PROCESSES = 8
_BATCH = 256  # items that go through the pipe together


class Lost(Exception):
    """The fork ended before its task did."""


def processes() -> int:
    """How many may work at once; 1 where forking is not safe, which is all but Linux."""
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else 1


class Forks:
    """`count` forks that do `work` with each of the tasks. To be started while there is one thread."""

    def __init__(self, tasks: Sequence[Any], work: Callable[[Any], Iterator[Any]], count: int) -> None:
        self._pipes: list[BinaryIO] = []
        self._children: list[int] = []
        gc.freeze()  # what is loaded stays shared: nobody walks it
        for which in range(min(count, len(tasks))):
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                _work(work, tasks[which::count], writing)
            os.close(writing)
            self._children.append(child)
            self._pipes.append(open(reading, "rb"))  # noqa: PTH123, SIM115 - `close` does

    def of(self, number: int) -> Iterator[Any]:
        """What a task gives; tasks are asked for in their order, and read to their end. Raises Lost."""
        pipe = self._pipes[number % len(self._pipes)]
        while True:
            try:
                batch, last = pickle.load(pipe)  # noqa: S301 - from a fork of our own
            except (EOFError, pickle.UnpicklingError) as error:
                raise Lost from error
            yield from batch
            if last:
                return

    def skip(self, number: int) -> None:
        """Read a task to its end, for nothing."""
        with suppress(Lost):
            for _ in self.of(number):
                pass

    def close(self) -> None:
        """End them, whatever they are doing."""
        for pipe in self._pipes:
            pipe.close()
        for child in self._children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self._pipes, self._children = [], []
        gc.unfreeze()


def _work(work: Callable[[Any], Iterator[Any]], tasks: Sequence[Any], writing: int) -> None:
    """Be a fork: nothing of the parent's is flushed, closed or printed here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C is the parent's to answer
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with open(writing, "wb") as pipe:
            for task in tasks:
                batch: list[Any] = []
                for item in work(task):
                    batch.append(item)
                    if len(batch) == _BATCH:
                        pickle.dump((batch, False), pipe, pickle.HIGHEST_PROTOCOL)
                        batch = []
                pickle.dump((batch, True), pipe, pickle.HIGHEST_PROTOCOL)
                pipe.flush()
    finally:
        os._exit(0)
