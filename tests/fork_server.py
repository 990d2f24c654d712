"""The `archiver` command with its modules loaded: each run of it that forked.py asks for is a fork of this.

So a kill costs no start of Python, and none is wasted on the loading of modules. Takes the number of a
socket. A message there is a list of arguments, the folder and the environment to run in, with the
descriptors for stdin, stdout and stderr; the answers are the fork's process id and, when it has ended, its
exit code (negative: the signal).
"""

import gc
import json
import os
import socket
import sys

import forked

import archiver.keep  # and all below: what the forks need is loaded once
import archiver.pictures.index
import archiver.pictures.pairs.align
import archiver.show
import archiver.tell.live  # noqa: F401
from archiver.cli import main


def serve(channel: socket.socket) -> list[str]:
    """Returns in each fork, with its arguments."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 3)
        if not message:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            arguments, folder, environment = json.loads(message)
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
                os.close(descriptor)
            return list(arguments)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(pid).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


if __name__ == "__main__":
    gc.freeze()  # what a fork's collector would touch is copied
    with socket.socket(fileno=int(sys.argv[1])) as end:
        given = serve(end)
    if forked.CHILDREN in os.environ:
        forked.fork_children().start()
    main(given, prog_name="archiver")
