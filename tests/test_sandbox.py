"""The sandbox: whatever the child does, the answer is a value or a SandboxError, and the next call works."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver import sandbox as room
from archiver.errors import RecordError, SandboxError
from archiver.model import PictureFacts
from archiver.pictures.describe import describe_picture
from archiver.sandbox import _HEAD, Sandbox

pytestmark = pytest.mark.usefixtures("real_children")

# --- what children are asked to do ---------------------------------------------------------------


def length(data: bytes, **options: Any) -> list[Any]:
    return [len(data), options]


def pid(data: bytes) -> int:
    return os.getpid()


def sleep(data: bytes) -> None:
    time.sleep(60)


def spin(data: bytes) -> None:
    for _ in itertools.count():
        pass


def hoard(data: bytes) -> int:
    return len(bytearray(room.MEMORY_BYTES))


def take(data: bytes, count: int) -> int:
    return len(bytearray(count))


def keep(data: bytes, count: int) -> int:
    KEPT.append(bytearray(count))
    return len(KEPT[0])


KEPT: list[bytearray] = []


def abort(data: bytes) -> None:
    os.abort()


def leave(data: bytes) -> None:
    os._exit(0)


def stop(data: bytes) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def write_file(data: bytes) -> None:
    Path(data.decode()).write_bytes(b"x")


def talk(data: bytes) -> str:
    sys.stdout.write("noise" * 100)
    sys.stdout.flush()
    os.write(1, b"noise" * 100)
    return "answer"


def refuse(data: bytes) -> None:
    raise RecordError("not today")


def fail(data: bytes) -> None:
    raise ValueError("\ud800" + "x" * 10_000)


def recurse(data: bytes) -> Any:
    return recurse(data)


def huge(data: bytes) -> str:
    return "x" * (room.ANSWER_BYTES + 1)


def deep(data: bytes) -> Any:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    return value


def surrogate(data: bytes) -> str:
    return "\ud800"


def unfit(data: bytes) -> Any:
    return object()


def answer_raw(data: bytes) -> None:
    """A child that has been taken over: writes its own answer, with its length first."""
    os.write(max(int(path.name) for path in Path("/proc/self/fd").iterdir() if is_pipe(path)), data)
    time.sleep(60)


def is_pipe(path: Path) -> bool:
    try:
        return int(path.name) > 2 and str(path.readlink()).startswith("pipe:")
    except OSError:
        return False


# --- what comes of it ----------------------------------------------------------------------------


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv(
        "PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep
    )  # the child finds this module there
    with Sandbox() as running:
        yield running


def works(sandbox: Sandbox) -> bool:
    return bool(sandbox.call(length, b"abc", width=3, name="渡轮") == [3, {"width": 3, "name": "渡轮"}])


def test_value_comes_back_from_one_child(sandbox: Sandbox) -> None:
    assert works(sandbox)
    child = sandbox.call(pid, b"")
    assert child != os.getpid()
    assert sandbox.call(pid, b"") == child
    assert sandbox.call(length, b"") == [0, {}]
    assert sandbox.call(length, bytes(50 << 20)) == [50 << 20, {}]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (abort, "it ended"),
        (leave, "it ended"),
        (huge, "too large|it ended"),
        (hoard, "MemoryError"),
        (refuse, "^not today$"),
        (fail, r"^ValueError: \\ud800xxx"),
        (recurse, "RecursionError"),
        (deep, "RecursionError"),
        (surrogate, "Unicode"),
        (unfit, "TypeError"),
    ],
)
def test_child_that_gives_no_value(sandbox: Sandbox, function: Callable[..., Any], message: str) -> None:
    assert works(sandbox)
    with pytest.raises(SandboxError, match=message) as caught:
        sandbox.call(function, b"data")
    assert len(str(caught.value)) < 700
    str(caught.value).encode()  # fit for a record list
    assert works(sandbox)


@pytest.mark.parametrize("function", [sleep, stop, spin])
def test_child_that_never_answers(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]
) -> None:
    monkeypatch.setattr(room, "WALL_SECONDS", 1)
    start = time.monotonic()
    with pytest.raises(SandboxError, match="no answer in 1 s"):
        sandbox.call(function, b"")
    assert time.monotonic() - start < 5
    monkeypatch.setattr(room, "WALL_SECONDS", 10)
    assert works(sandbox)


def test_child_that_takes_no_bytes(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    child = sandbox.call(pid, b"")
    os.kill(child, signal.SIGSTOP)
    monkeypatch.setattr(room, "WALL_SECONDS", 1)
    with pytest.raises(SandboxError, match="took no bytes in 1 s"):
        sandbox.call(length, bytes(1 << 20))
    monkeypatch.setattr(room, "WALL_SECONDS", 10)
    assert works(sandbox)


@pytest.mark.slow
def test_cpu_time_is_limited_for_each_call(sandbox: Sandbox) -> None:
    for _ in range(2):
        start = time.monotonic()
        with pytest.raises(SandboxError, match=r"it ended|no answer"):
            sandbox.call(spin, b"")
        assert time.monotonic() - start < room.WALL_SECONDS + 2
    assert works(sandbox)


def test_function_on_pictures_has_less_memory(sandbox: Sandbox) -> None:
    assert sandbox.call(take, b"", count=room.PICTURE_BYTES) == room.PICTURE_BYTES
    script = (
        "from archiver import sandbox\nsandbox._limit_memory('archiver.pictures.decode:decode')\n"
        "print(len(bytearray(sandbox.PICTURE_BYTES // 2)))\nbytearray(sandbox.PICTURE_BYTES)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == f"{room.PICTURE_BYTES // 2}\n"
    assert done.stderr.endswith("MemoryError\n")


def test_child_that_holds_on_to_memory_is_replaced(sandbox: Sandbox) -> None:
    child = sandbox.call(pid, b"")
    assert sandbox.call(take, b"", count=room.KEPT_BYTES) == room.KEPT_BYTES
    assert sandbox.call(pid, b"") == child
    assert sandbox.call(keep, b"", count=room.KEPT_BYTES) == room.KEPT_BYTES
    assert sandbox.call(pid, b"") != child


def test_child_writes_no_file(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(SandboxError):
        sandbox.call(write_file, str(tmp_path / "x").encode())
    assert not (tmp_path / "x").exists() or (tmp_path / "x").read_bytes() == b""
    assert works(sandbox)


def test_what_a_parser_prints_is_no_answer(sandbox: Sandbox) -> None:
    assert sandbox.call(talk, b"") == "answer"
    assert works(sandbox)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"error"',
        b'{"error": 1}',
        b'{"error": {}}',
        b'{"valu": 1}',
        b'{"value": NaN}',
        b'{"value": "\\ud800"}',
        b'{"value": "\xff"}',
        b'{"value": 1} {"value": 2}',
        b"[" * 1_000_000,
        b'{"value":' * 300_000,
    ],
)
def test_forged_answers(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    monkeypatch.setattr(room, "WALL_SECONDS", 3)
    with pytest.raises(SandboxError):
        sandbox.call(answer_raw, _HEAD.pack(len(answer), 0) + answer)
    monkeypatch.setattr(room, "WALL_SECONDS", 10)
    assert works(sandbox)


@pytest.mark.parametrize("head", [_HEAD.pack(2**64 - 1, 0), _HEAD.pack(room.ANSWER_BYTES + 1, 0)])
def test_forged_length(sandbox: Sandbox, head: bytes) -> None:
    with pytest.raises(SandboxError, match="too large"):
        sandbox.call(answer_raw, head)
    assert works(sandbox)


def test_interrupted_call_leaves_no_answer_for_the_next(sandbox: Sandbox) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            sandbox.call(sleep, b"")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert works(sandbox)


def test_child_is_replaced_after_many_calls(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CALLS_PER_CHILD", 3)
    assert len({sandbox.call(pid, b"") for _ in range(9)}) == 3


def test_child_that_was_killed_between_calls_is_replaced(sandbox: Sandbox) -> None:
    os.kill(sandbox.call(pid, b""), signal.SIGKILL)
    for _ in range(50):
        try:
            assert works(sandbox)
            break
        except SandboxError:
            continue
    assert works(sandbox)


def test_no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    seen = set()
    with Sandbox() as sandbox:
        for function in (pid, abort, pid, leave, pid):
            try:
                seen.add(sandbox.call(function, b""))
            except SandboxError:
                continue
    assert len(seen) == 3
    assert not [child for child in seen if Path(f"/proc/{child}").exists()]
    sandbox.close()  # twice is no harm


def test_child_lives_within_lower_limits_that_it_was_given() -> None:
    """A person's own `ulimit` is lower than ours: it stays, and the child still works."""
    script = (
        "from archiver.sandbox import Sandbox\nfrom archiver.pictures.decode import sniff\n"
        "with Sandbox() as s: print(s.call(sniff, b'GIF89a'))"
    )
    command = f'ulimit -t 30; ulimit -c 0; ulimit -v 1500000; exec "{sys.executable}" -c "{script}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "GIF\n", done.stderr


def test_bytes_of_no_picture_say_so(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="not decodable"):
        sandbox.call(describe_picture, b"GIF89a")


def test_an_answer_of_another_shape_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="no PictureFacts came back"):
        sandbox.read(PictureFacts, length, b"abc")
    assert sandbox.read(list, length, b"abc") == [3, {}]
