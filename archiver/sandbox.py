"""Run a function on hostile bytes in a child process with limits of time and memory.

The child gets a function's name and bytes, and answers with JSON: nothing it sends back can run
code in the parent. It is kept between calls and replaced after a crash, a time-out or many calls.
"""

import importlib
import json
import resource
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Self

from archiver.errors import ArchiverError, SandboxError

CPU_SECONDS = 5
WALL_SECONDS = 10
MEMORY_BYTES = 2 << 30  # address space, most of it numpy's and scipy's libraries
ANSWER_BYTES = 64 << 20
CALLS_PER_CHILD = 2_000

_HEAD = struct.Struct(">II")  # lengths of the call (JSON) and of the bytes


class Sandbox:
    """One child process, started at the first call. A context manager; not for several threads."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._calls = 0

    def call(self, function: Callable[..., Any], data: bytes, **options: str | int | None) -> Any:
        """Return what `function(data, **options)` returns, as JSON values.

        `function` must be a module's own function whose result is JSON-like. Raises SandboxError
        when the child was stopped, and when the function raised: the two never differ for bytes
        that cannot be used.
        """
        child = self._ready()
        name = f"{function.__module__}:{function.__qualname__}"
        call = json.dumps([name, options]).encode()
        deadline = time.monotonic() + WALL_SECONDS
        try:
            _pipe(child.stdin).write(_HEAD.pack(len(call), len(data)) + call)
            _pipe(child.stdin).write(data)
            _pipe(child.stdin).flush()
            size = _HEAD.unpack(self._read(child, _HEAD.size, deadline))[0]
            if size > ANSWER_BYTES:
                raise SandboxError(f"{name}: the answer is too large ({size} bytes)")
            answer = json.loads(self._read(child, size, deadline))
        except (OSError, EOFError, TimeoutError, ValueError, SandboxError) as error:
            self.close()
            raise SandboxError(f"{name} was stopped: {error or type(error).__name__}") from error
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self) -> subprocess.Popen[bytes]:
        self._calls += 1
        if self._calls > CALLS_PER_CHILD or (self._child and self._child.poll() is not None):
            self.close()
            self._calls = 1
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "archiver.sandbox"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is the parent's to answer
            )
        return self._child

    @staticmethod
    def _read(child: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        pipe = _pipe(child.stdout)
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no answer in {WALL_SECONDS} s")
            part = pipe.read1(size - len(data))
            if not part:
                raise EOFError("it ended (out of memory or CPU time, or a crash)")
            data += part
        return data


def _pipe(stream: Any) -> Any:
    if stream is None:
        raise SandboxError("the child has no pipe")
    return stream


# --- the child ----------------------------------------------------------------------------------


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _answer(call: bytes, data: bytes) -> bytes:
    name, options = json.loads(call)
    module, _, function = name.partition(":")
    try:
        value = getattr(importlib.import_module(module), function)(data, **options)
        return json.dumps({"value": value}).encode()
    except ArchiverError as error:
        return json.dumps({"error": str(error)}).encode()
    except Exception as error:  # noqa: BLE001 - a parser's boundary: re-raised as SandboxError in the parent
        return json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}).encode()


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while head := requests.read(_HEAD.size):
        call_size, data_size = _HEAD.unpack(head)
        call, data = requests.read(call_size), requests.read(data_size)
        _limit_cpu()
        answer = _answer(call, data)
        answers.write(_HEAD.pack(len(answer), 0) + answer)
        answers.flush()


def main() -> None:
    """The child's whole life: no core dumps, no new files, bounded memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
