"""The `archiver` command as a fork of a process that has its modules loaded (fork_server.py).

What runs is the command in a process of its own, with the arguments, folder, environment and descriptors that
it is given; it only does not start Python and load modules, which takes longer than most of what tests ask.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self


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
