"""The `archiver` command with its modules loaded: each run of it that killing.py asks for is a fork of this.

So a kill costs no start of Python, and none is wasted on the loading of modules. Takes the number of a
socket. A message there is a list of arguments, with the descriptors for stdout and stderr; the answers are
the fork's process id and, when it has ended, its exit code (negative: the signal).
"""

import gc
import json
import os
import socket
import sys
import traceback
from typing import NoReturn

import archiver.keep  # and all below: what the forks need is loaded once
import archiver.tell.live  # noqa: F401
from archiver.cli import main


def run(arguments: list[str], out: int, err: int) -> NoReturn:
    """What the command does as a process of its own."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    code: str | int | None = 1
    try:
        main(arguments, prog_name="archiver")
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as Python does it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def serve(channel: socket.socket) -> None:
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 2)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            channel.close()
            run(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(pid).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


if __name__ == "__main__":
    gc.freeze()  # what a fork's collector would touch is copied
    with socket.socket(fileno=int(sys.argv[1])) as end:
        serve(end)
