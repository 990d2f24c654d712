"""What children of sandboxes are forked from: a process that has loaded what they call (forked.py asks).

A fork is what `python -m archiver.sandbox` is: in a session of its own, with the same limits, speaking over
the same pipes. It only does not start Python and load libraries, which takes a child of a page with pictures
a second. Takes the number of a listening socket. Whoever connects sends the descriptors for stdin, stdout and
stderr and gets the child's process id. The end of its own stdin is the end.
"""

import contextlib
import gc
import io
import os
import select
import socket
import sys

from PIL import Image

from archiver import sandbox, sources
from archiver.pictures.describe import describe_picture
from archiver.pictures.fingerprint import make_fingerprint
from archiver.pictures.metadata import read_metadata
from archiver.pictures.pairs.compare import compare_pictures

PAGE = b"<html><title>t</title><article><h1>t</h1>" + b"<p>Some words, many enough.</p>" * 9


def load() -> None:
    """Have all loaded, of which much is loaded by what is called."""
    sources.recognise(PAGE)
    sources.read_page(PAGE, url="http://news.example/")
    sources.read_listing(b"http://news.example/\n")
    file = io.BytesIO()
    Image.radial_gradient("L").save(file, "JPEG")
    picture = file.getvalue()
    for function in (describe_picture, read_metadata, make_fingerprint):
        function(picture)
    compare_pictures(picture * 2, first_bytes=len(picture))


def serve(listening: socket.socket) -> bool:
    """Returns in each child, and when it is over; whether in a child."""
    while 0 not in select.select([listening, 0], [], [])[0]:
        channel, _ = listening.accept()
        with channel, contextlib.suppress(ConnectionError):  # who asked was killed meanwhile
            _, descriptors, _, _ = socket.recv_fds(channel, 1, 3)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not descriptors:
                continue
            if (pid := os.fork()) == 0:
                os.setsid()
                for number, descriptor in enumerate(descriptors):
                    os.dup2(descriptor, number)
                    os.close(descriptor)
                return True
            for descriptor in descriptors:
                os.close(descriptor)
            channel.send(str(pid).encode())
    return False


if __name__ == "__main__":
    load()
    gc.freeze()  # what a fork's collector would touch is copied
    with socket.socket(fileno=int(sys.argv[1])) as end:
        child = serve(end)
    if child:
        sandbox.main()
        os._exit(0)
