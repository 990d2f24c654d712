"""The child processes of this package's functions: the same for all threads, until the program ends.

One makes fingerprints and one compares: with the libraries for both a child holds too much to be kept.
"""

import atexit
import threading

from archiver.errors import SandboxError
from archiver.model import Comparison
from archiver.pictures.fingerprint import Fingerprint, make_fingerprint
from archiver.pictures.pairs.compare import Drawn, compare_pictures, draw_changes
from archiver.sandbox import Sandbox

_sandbox, _judge, _lock = Sandbox(), Sandbox(), threading.Lock()
atexit.register(_sandbox.close)
atexit.register(_judge.close)


def fingerprint(data: bytes) -> Fingerprint:
    """Raises SandboxError."""
    with _lock:
        return _sandbox.read(Fingerprint, make_fingerprint, data)


def compare(first: bytes, second: bytes) -> Comparison:
    """A comparison that was stopped, for its time or its memory, says `undecodable` and why."""
    try:
        with _lock:
            return _judge.read(Comparison, compare_pictures, first + second, first_bytes=len(first))
    except SandboxError as error:
        return Comparison(relation="undecodable", reason=f"Comparing them failed: {error}")


def draw(first: bytes, second: bytes) -> Drawn:
    """The Comparison with the change map. Raises SandboxError."""
    with _lock:
        return _judge.read(Drawn, draw_changes, first + second, first_bytes=len(first))
