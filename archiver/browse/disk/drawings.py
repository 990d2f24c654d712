"""What the pixels of two pictures say, with the map of what differs: made when somebody looks.

One at a time: it is the most that a page can ask of this machine.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from archiver.browse.disk.cache import Cache
from archiver.errors import SandboxError
from archiver.pictures.pairs.compare import Drawn, draw_changes
from archiver.relating import label
from archiver.sandbox import Sandbox

WAITING = 12  # requests at once; more are told to come later
_FAILED = 1000  # pairs whose comparing failed, which are not tried again


class Drawings:
    """Made in a thread and a child process of their own, so that no other page waits for them."""

    def __init__(self, cache: Cache) -> None:
        self._cache, self._lock = cache, threading.Lock()
        self._worker: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._failed: OrderedDict[str, str] = OrderedDict()

    async def get(self, first: str, second: str, read: Callable[[str], bytes]) -> Drawn | None:
        """Of two pictures, named by SHA-256 digits, whose bytes `read` gives; None while too many wait.

        Raises SandboxError, and whatever `read` raises, also of a pair that is in the cache: what is shown
        of a picture rests on bytes that were hashed just now.
        """
        if self._waiting >= WAITING:
            return None
        self._waiting += 1
        try:
            with self._lock:
                self._worker = self._worker or ThreadPoolExecutor(1, "drawings")
                future = self._worker.submit(self._get, first, second, read)
            return await asyncio.wrap_future(future)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the thread; it starts again when needed."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker:
            worker.shutdown(cancel_futures=True)

    def _get(self, first: str, second: str, read: Callable[[str], bytes]) -> Drawn:
        key = f"pair/{first}/{second}/{label()}"
        data = read(first), read(second)
        if key in self._failed:
            raise SandboxError(self._failed[key])
        kept = self._cache.get(key)
        try:
            if kept is not None:
                return msgspec.msgpack.decode(kept, type=Drawn)
        except msgspec.DecodeError:  # of another version
            pass
        return self._made(key, *data)

    def _made(self, key: str, first: bytes, second: bytes) -> Drawn:
        try:
            with Sandbox() as sandbox:  # for one call: with OpenCV a child holds too much to wait for hours
                drawn = sandbox.read(Drawn, draw_changes, first + second, first_bytes=len(first))
        except SandboxError as error:
            self._failed[key] = str(error)
            while len(self._failed) > _FAILED:
                self._failed.popitem(last=False)
            raise
        self._cache.put(key, msgspec.msgpack.encode(drawn))
        return drawn
