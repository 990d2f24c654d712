"""What the pixels of two pictures say, with the map of what differs: made when somebody looks.

One at a time: it is the most that a page can ask of this machine.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from archiver.browse.cache import Cache
from archiver.errors import SandboxError
from archiver.pictures.pairs.compare import Drawn, draw_changes
from archiver.relating import label
from archiver.sandbox import Sandbox

_WAITING = 3  # requests that wait while one is drawn; more are told to come later
_FAILED = 1000  # pairs whose comparing failed, which are not tried again


class Drawings:
    """For several threads."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._sandbox, self._lock = Sandbox(), threading.Lock()
        self._places = threading.BoundedSemaphore(1 + _WAITING)
        self._failed: OrderedDict[str, str] = OrderedDict()

    def get(self, first: str, second: str, read: Callable[[str], bytes]) -> Drawn | None:
        """Of two pictures, named by SHA-256 digits, whose bytes `read` gives; None while too many wait.

        Raises SandboxError, and whatever `read` raises.
        """
        key = f"pair/{first}/{second}/{label()}"
        found = self._kept(key)
        if found is not None or not self._places.acquire(blocking=False):
            return found
        try:
            with self._lock:
                return self._kept(key) or self._drawn(key, read(first), read(second))
        finally:
            self._places.release()

    def close(self) -> None:
        """End the child process; it starts again when needed."""
        with self._lock:
            self._sandbox.close()

    def _kept(self, key: str) -> Drawn | None:
        if key in self._failed:
            raise SandboxError(self._failed[key])
        data = self._cache.get(key)
        try:
            return None if data is None else msgspec.msgpack.decode(data, type=Drawn)
        except msgspec.DecodeError:
            return None

    def _drawn(self, key: str, first: bytes, second: bytes) -> Drawn:
        try:
            drawn = self._sandbox.read(Drawn, draw_changes, first + second, first_bytes=len(first))
        except SandboxError as error:
            self._failed[key] = str(error)
            while len(self._failed) > _FAILED:
                self._failed.popitem(last=False)
            raise
        finally:
            self._sandbox.close()  # it holds OpenCV: too much for a child that may wait for hours
        self._cache.put(key, msgspec.msgpack.encode(drawn))
        return drawn
