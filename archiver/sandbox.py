"""Run a function on hostile bytes in a child process with limits of time and memory.

The child gets a function's name and bytes, and answers with JSON: nothing it sends back can run
code in the parent. It is kept between calls and replaced after a crash, a time-out or many calls.
"""

import importlib
import os
import resource
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Self, TypeVar

import msgspec

from archiver.errors import ArchiverError, SandboxError

CPU_SECONDS = 4  # the kernel counts whole seconds: it ends a call after 4 to 5
WALL_SECONDS = 10
MEMORY_BYTES = 2 << 30  # address space
# What a function on pictures may have written to, of which libraries reserve 80 MiB and do not use it; with
# their code, which is not counted, the process stays within 300 MB.
PICTURE_BYTES = 296 << 20
KEPT_BYTES = 136 << 20  # a child that holds more after a call is replaced: each call finds the same room
ANSWER_BYTES = 64 << 20
CALLS_PER_CHILD = 2_000

ERROR_CHARACTERS = 500

Read = TypeVar("Read")

_HEAD = struct.Struct(">QQ")  # lengths of the call (JSON) and of the bytes; of the answer, and what is held
_PICTURES = "archiver.pictures."
_SURROUNDINGS = {
    "OPENBLAS_NUM_THREADS": "1",  # each thread reserves a stack and buffers
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "1048576",  # what is freed goes back to the system
}


class _Answer(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What the child says: a value, or why there is none."""

    value: Any = None
    error: str | None = None


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
        name = f"{function.__module__}:{function.__qualname__}"
        call = msgspec.json.encode([name, options])
        deadline = time.monotonic() + WALL_SECONDS
        try:
            child = self._ready()
            _write(child, _HEAD.pack(len(call), len(data)) + call, deadline)
            _write(child, data, deadline)
            size, held = _HEAD.unpack(_read(child, _HEAD.size, deadline))
            if size > ANSWER_BYTES:
                raise SandboxError(f"the answer is too large ({size} bytes)")
            answer = msgspec.json.decode(_read(child, size, deadline), type=_Answer)
        except (OSError, EOFError, ValueError, RecursionError, SandboxError) as error:
            self.close()
            raise SandboxError(f"{name} was stopped: {error or type(error).__name__}") from error
        except BaseException:  # interrupted: the answer to this call must not become the next one's
            self.close()
            raise
        if held > KEPT_BYTES:
            self.close()
        if answer.error is not None:
            raise SandboxError(answer.error)
        return answer.value

    def read(
        self, kind: type[Read], function: Callable[..., Any], data: bytes, **options: str | int | None
    ) -> Read:
        """What `call` returns, as a `kind`. SandboxError when it is none: a child may be taken over."""
        value = self.call(function, data, **options)
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self.close()
            raise SandboxError(f"{function.__name__}: no {kind.__name__} came back: {error}") from error

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
                bufsize=0,
                env=os.environ | _SURROUNDINGS,
                start_new_session=True,  # a Ctrl-C is the parent's to answer
            )
            os.set_blocking(_pipe(self._child.stdin), False)
        return self._child


def _write(child: subprocess.Popen[bytes], data: bytes, deadline: float) -> None:
    """Send all of the data; a child that does not take it by the deadline is stuck."""
    pipe, rest = _pipe(child.stdin), memoryview(data)
    while rest:
        _, ready, _ = select.select([], [pipe], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"it took no bytes in {WALL_SECONDS} s")
        rest = rest[os.write(pipe, rest) :]


def _read(child: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
    pipe, data = _pipe(child.stdout), bytearray()
    while len(data) < size:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"no answer in {WALL_SECONDS} s")
        part = os.read(pipe, min(size - len(data), 1 << 20))
        if not part:
            raise EOFError("it ended (out of memory or CPU time, or a crash)")
        data += part
    return bytes(data)


def _pipe(stream: Any) -> int:
    if stream is None:
        raise SandboxError("the child has no pipe")
    return int(stream.fileno())


# --- the child ----------------------------------------------------------------------------------


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1)


def _limit_memory(name: str) -> None:
    _limit(resource.RLIMIT_DATA, PICTURE_BYTES if name.startswith(_PICTURES) else MEMORY_BYTES)


def _held() -> int:
    """Bytes that this process has reserved to write to; 0 where the system does not say (not Linux)."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - at every call
            return int(file.read().split()[5]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _limit(what: int, most: int) -> None:
    """Lower a soft limit; the hard one stays, and may be lower already."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _answer(name: str, options: dict[str, Any], data: bytes) -> bytes:
    module, _, function = name.partition(":")
    try:
        value = getattr(importlib.import_module(module), function)(data, **options)
        return msgspec.json.encode(_Answer(value=value))
    except ArchiverError as error:
        return _refusal(str(error))
    except Exception as error:  # noqa: BLE001 - a parser's boundary: re-raised as SandboxError in the parent
        return _refusal(f"{type(error).__name__}: {error}")


def _refusal(message: str) -> bytes:
    text = message[:ERROR_CHARACTERS].encode("utf-8", "backslashreplace").decode()
    return msgspec.json.encode(_Answer(error=text))


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while head := requests.read(_HEAD.size):
        call_size, data_size = _HEAD.unpack(head)
        name, options = msgspec.json.decode(requests.read(call_size))
        _limit_cpu()
        _limit_memory(name)
        answer = _answer(
            name, options, requests.read(data_size)
        )  # the bytes are let go before it is measured
        answers.write(_HEAD.pack(len(answer), _held()))
        answers.write(answer)
        answers.flush()


def main() -> None:
    """The child's whole life: no core dumps, no new files, bounded memory."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        _limit(what, most)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a parser prints is no answer
        _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
