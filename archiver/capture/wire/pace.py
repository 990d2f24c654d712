"""What exchanges may take: time, bytes a second, memory. Our own waiting never counts against a server."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archiver.errors import UsageError

LARGE_BYTES = 1 << 20  # an answer beyond it needs room in memory
ROOM_BYTES = 128 << 20  # for all large answers of a client together
BURST_SECONDS = 0.25
_PIECES = 32  # of a second's bytes that one read may take: eight threads at once are one burst


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes for one exchange. `bytes` counts all that the server sends, heads too."""

    connect_seconds: float
    first_byte_seconds: float  # from the request to the answer's first byte
    read_seconds: float  # from one byte to the next
    slow_bytes: int  # fewer than these in
    slow_seconds: float  # these is too slow
    total_seconds: float
    bytes: int


class Watch:
    """The time that an answer may take, from the request on.

    Its clock stands still while we wait for something of our own.
    """

    def __init__(self, limits: Limits, left: float) -> None:
        """`left` is what is left of `limits.total_seconds`."""
        self._limits = limits
        self._paused = 0.0
        self._heard = self._clock()  # when the last byte came, or the request had gone
        self._end = self._heard + left
        self._begun = False
        self._window = 0.0  # when the count of a slow sender's bytes began
        self._counted = 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time that is ours, not the server's."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._paused += time.monotonic() - began

    def next(self) -> tuple[float, str]:
        """Seconds that the next read may take, and what to say when nothing comes; 0 when time is up."""
        limits, now = self._limits, self._clock()
        moment, why = self._end, f"stopped at the limit of {limits.total_seconds:g} s"
        silence = limits.read_seconds if self._begun else limits.first_byte_seconds
        if self._heard + silence < moment:
            moment, why = self._heard + silence, f"nothing came for {silence:g} s"
        if self._begun:
            if now >= self._window + limits.slow_seconds and self._counted >= limits.slow_bytes:
                self._window, self._counted = now, 0
            if self._window + limits.slow_seconds < moment:
                moment = self._window + limits.slow_seconds
                why = f"slower than {limits.slow_bytes} bytes in {limits.slow_seconds:g} s"
        return max(0.0, moment - now), why

    def came(self, count: int) -> None:
        """Note that so many bytes came."""
        self._heard = self._clock()
        if not self._begun:
            self._begun, self._window = True, self._heard
        self._counted += count

    @property
    def left(self) -> float:
        """Seconds that are left for the exchange."""
        return self._end - self._clock()

    def _clock(self) -> float:
        return time.monotonic() - self._paused


class Rate:
    """So many bytes a second for all threads together: a token bucket that holds BURST_SECONDS' worth.

    Bytes are taken before they are read. Who takes more than there are goes into debt and waits until it
    is paid, so that all come in their turn. Raises UsageError for a rate below 1.
    """

    def __init__(self, rate: int) -> None:
        if rate < 1:
            raise UsageError(
                f"--limit-rate {rate}: not a number of bytes per second", "Write for example 500k."
            )
        self._rate = rate
        self._most = max(1.0, rate * BURST_SECONDS)
        self._piece = max(1, rate // _PIECES)
        self._tokens = self._most
        self._counted = time.monotonic()
        self._lock = threading.Lock()

    def take(self, wanted: int) -> int:
        """Wait until some of the wanted bytes may come; how many. At least 1."""
        granted = min(wanted, self._piece)
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._most, self._tokens + (now - self._counted) * self._rate) - granted
            self._counted = now
            debt = -self._tokens / self._rate
        if debt > 0:
            time.sleep(debt)
        return granted

    def give_back(self, unused: int) -> None:
        """Bytes that were taken and did not come."""
        with self._lock:
            self._tokens += unused


class Room:
    """Memory that large answers share, given out whole and in the order in which it was asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free = size
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()  # its lock is re-entrant: `release` may run at any moment

    def reserve(self, size: int, seconds: float) -> "Reservation | None":
        """Wait for `size` bytes, or all there are if that is less; None when they are not free in time."""
        size, mine = min(size, self.size), object()
        with self._changed:
            self._queue.append(mine)
            try:
                if not self._changed.wait_for(
                    lambda: self._queue[0] is mine and self._free >= size, timeout=seconds
                ):
                    return None
                self._free -= size
            finally:
                self._queue.remove(mine)
                self._changed.notify_all()
        return Reservation(self, size)

    def give_back(self, size: int) -> None:
        with self._changed:
            self._free += size
            self._changed.notify_all()


class Reservation:
    """Bytes of a Room. They are free again after `release`, or when nothing refers to this any more."""

    def __init__(self, room: Room, size: int) -> None:
        self._room, self._size = room, size

    def release(self) -> None:
        """Give the room back. Again: nothing happens."""
        size, self._size = self._size, 0
        if size:
            self._room.give_back(size)

    def __del__(self) -> None:
        self.release()
