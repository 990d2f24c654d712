"""The child process of this package's functions: one for all threads, until the program ends."""

import atexit
import threading

from archiver.errors import SandboxError
from archiver.model import Comparison
from archiver.pictures.fingerprint import Fingerprint, make_fingerprint
from archiver.pictures.pairs.compare import Drawn, compare_pictures, draw_changes
from archiver.sandbox import Sandbox

_sandbox, _lock = Sandbox(), threading.Lock()
atexit.register(_sandbox.close)


def fingerprint(data: bytes) -> Fingerprint:
    """Raises SandboxError."""
    with _lock:
        return _sandbox.read(Fingerprint, make_fingerprint, data)


def compare(first: bytes, second: bytes) -> Comparison:
    """A comparison that was stopped, for its time or its memory, says `undecodable` and why."""
    try:
        with _lock:
            return _sandbox.read(Comparison, compare_pictures, first + second, first_bytes=len(first))
    except SandboxError as error:
        return Comparison(relation="undecodable", reason=f"Comparing them failed: {error}")


def draw(first: bytes, second: bytes) -> Drawn:
    """The Comparison with the change map. Raises SandboxError."""
    with _lock:
        return _sandbox.read(Drawn, draw_changes, first + second, first_bytes=len(first))
