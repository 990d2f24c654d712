"""Tasks shared among forks of this process, each of which does every so many-th, in order.

A fork has all that is loaded, so it starts in milliseconds. What it has to say comes through a pipe while it
works, so nobody holds much; where it is ended, the parent is told, and does the task itself.
"""

import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, cast

MOST_PROCESSES = 8
_BATCH = 256  # items that go through the pipe together


class Lost(Exception):
    """The fork ended before its task did."""


def processes() -> int:
    """How many may work at once; 1 where forking is not safe, which is all but Linux."""
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else 1


class Forks:
    """`count` forks that do `work` with each of the tasks. To be started while there is one thread.

    Raises OSError when the system has no room for them.
    """

    def __init__(self, tasks: Sequence[Any], work: Callable[[Any], Iterator[Any]], count: int) -> None:
        self._pipes: list[BinaryIO] = []
        self._children: list[int] = []
        self._read: list[int] = []  # of each fork the task that comes next
        gc.freeze()  # what is loaded stays shared: nobody walks it
        try:
            for which in range(min(count, len(tasks))):
                self._fork(work, tasks[which::count])
                self._read.append(which)
        except OSError:
            self.close()
            raise

    def _fork(self, work: Callable[[Any], Iterator[Any]], tasks: Sequence[Any]) -> None:
        reading, writing = os.pipe()
        self._pipes.append(open(reading, "rb"))  # noqa: PTH123, SIM115 - `close` does
        try:
            child = os.fork()
            if not child:
                for pipe in self._pipes:  # so that one whose parent is gone cannot write, and ends
                    pipe.close()
                _work(work, tasks, writing)
            self._children.append(child)
        finally:
            os.close(writing)

    def of(self, number: int) -> Iterator[Any]:
        """What a task gives; tasks are asked for in their order, and may be left out. Raises Lost."""
        which = number % len(self._pipes)
        while self._read[which] < number:
            self._batch(which)
        while self._read[which] == number:
            yield from self._batch(which)

    def _batch(self, which: int) -> list[Any]:
        try:
            batch, last = pickle.load(self._pipes[which])  # noqa: S301 - from a fork of our own
        except (EOFError, pickle.UnpicklingError) as error:
            raise Lost from error
        if last:
            self._read[which] += len(self._pipes)
        return cast("list[Any]", batch)

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
