"""Tasks shared among forks of this process, each of which does every so many-th, in order.

A fork has all that is loaded, so it starts in milliseconds. What it has to say comes through a pipe while it
works, so nobody holds much; where it is ended, the parent is told, and does the task itself.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from archiver.errors import ArchiverError

if TYPE_CHECKING:  # a tenth of the start of a command
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

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
        from multiprocessing import get_context  # noqa: PLC0415

        self._pipes: list[Connection[Any, Any]] = []
        self._children: list[ForkProcess] = []
        gc.freeze()  # what is loaded stays shared: nobody walks it
        context = get_context("fork")
        for which in range(min(count, len(tasks))):
            reading, writing = context.Pipe(duplex=False)
            child = context.Process(target=_work, args=(work, tasks[which::count], writing), daemon=True)
            child.start()
            writing.close()
            self._children.append(child)
            self._pipes.append(reading)

    def of(self, number: int) -> Iterator[Any]:
        """What a task gives; tasks are asked for in their order, and read to their end. Raises Lost."""
        pipe = self._pipes[number % len(self._pipes)]
        while True:
            try:
                batch, last = pipe.recv()
            except (EOFError, OSError, UnpicklingError) as error:
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
            child.kill()
            child.join()
            child.close()
        self._pipes, self._children = [], []
        gc.unfreeze()


def _work(work: Callable[[Any], Iterator[Any]], tasks: Sequence[Any], pipe: "Connection[Any, Any]") -> None:
    """Be a fork. What cannot be done is left to the parent, which then says why."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(ArchiverError, OSError), pipe:
        for task in tasks:
            batch: list[Any] = []
            for item in work(task):
                batch.append(item)
                if len(batch) == _BATCH:
                    pipe.send((batch, False))
                    batch = []
            pipe.send((batch, True))
