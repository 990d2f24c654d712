"""The `archiver` command, and the children of its sandboxes, as forks of processes that have all loaded.

What runs is the command in a process of its own (fork_server.py), with the arguments, folder, environment and
descriptors that it is given, and a child with its limits (sandbox_server.py). They only do not start Python
and load modules, which takes longer than most of what tests ask of them.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from unittest.mock import patch

from archiver import sandbox

CHILDREN = "ARCHIVER_TESTS_CHILDREN"  # in the environment: the socket of sandbox_server.py


class Forked:
    """A run of the command. A context manager, which waits for its end."""

    def __init__(self, channel: socket.socket, arguments: list[str]) -> None:
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        self.stdout, self.stderr = (os.fdopen(end, encoding="utf-8") for end in (out, err))
        self._channel = channel
        with Path(os.devnull).open("rb") as nothing:
            self._pid = _begin(channel, arguments, [nothing.fileno(), out_end, err_end])
        os.close(out_end)
        os.close(err_end)
        self.returncode: int | None = None

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it has ended
            os.kill(self._pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.returncode = int(self._channel.recv(99))
        self.stdout.close()
        self.stderr.close()


class Forks:
    """The server that runs are forked from, one after the other. A context manager."""

    def __init__(self) -> None:
        self._channel, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with end:
            command = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(end.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[end.fileno()])

    def start(self, *arguments: str) -> Forked:
        return Forked(self._channel, list(arguments))

    def run(self, *arguments: str, stdin: bytes = b"", seconds: float = 120) -> tuple[int, bytes, bytes]:
        """Run the command to its end: exit code, what it wrote to stdout, and to stderr."""
        with (
            self._lock,
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin)
            given.seek(0)
            pid = _begin(self._channel, list(arguments), [file.fileno() for file in (given, out, err)])
            self._channel.settimeout(seconds)
            try:
                code = int(self._channel.recv(99))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._channel.settimeout(None)
                self._channel.recv(99)
                raise
            self._channel.settimeout(None)
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._process.wait(20)


def _begin(channel: socket.socket, arguments: list[str], descriptors: list[int]) -> int:
    """Have a run begun in this folder, with this environment; its process id."""
    message = json.dumps([arguments, str(Path.cwd()), dict(os.environ)]).encode()
    socket.send_fds(channel, [message], descriptors)
    return int(channel.recv(99))


class Child:
    """A child of a sandbox: what `Sandbox` uses of a Popen."""

    def __init__(self, *_: object, **__: object) -> None:
        (stdin, given), (taken, stdout) = os.pipe(), os.pipe()
        with (
            Path(os.devnull).open("wb") as nothing,
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel,
        ):
            channel.connect(os.environ[CHILDREN])
            socket.send_fds(channel, [b" "], [stdin, stdout, nothing.fileno()])
            self.pid = int(channel.recv(99))
        self._process = os.pidfd_open(self.pid)
        os.close(stdin)
        os.close(stdout)
        self.stdin, self.stdout = os.fdopen(given, "wb", 0), os.fdopen(taken, "rb", 0)

    def poll(self) -> bool | None:
        """None while it runs."""
        return bool(select.select([self._process], [], [], 0)[0]) or None

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def communicate(self) -> None:
        self.stdin.close()
        select.select([self._process], [], [])
        self.stdout.close()
        os.close(self._process)


def fork_children() -> Any:
    """From now on sandboxes of this process take forks, where there is a server; a patch."""
    own = SimpleNamespace(Popen=Child, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)
    return patch.object(sandbox, "subprocess", own)


@contextmanager
def children(folder: Path) -> Iterator[None]:
    """Sandboxes of this process and of forked commands take forks of a server that this starts."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        yield
        return
    path = str(folder / "children")
    environment = os.environ | sandbox._SURROUNDINGS
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(64)
        command = [sys.executable, "-P", str(Path(__file__).with_name("sandbox_server.py"))]
        number = listening.fileno()
        server = subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, pass_fds=[number], env=environment
        )
    with server, patch.dict(os.environ, {CHILDREN: path}), fork_children():
        yield
