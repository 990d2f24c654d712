"""Which hashes are near one: all of them looked at, so none is missed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

HASH_BYTES, FORMS = 32, 8
_WORDS = HASH_BYTES // 8
_AT_ONCE = 4096  # hashes compared at a time: what is in between fits into the processor's cache

Distances = NDArray[np.int64]


class Hashes:
    """256-bit hashes and their quality (0 to 100), in the order of their rows."""

    def __init__(self, hashes: bytes, quality: NDArray[np.uint8]) -> None:
        """`hashes`: 32 bytes for each row."""
        self._words = np.frombuffer(hashes, "<u8").reshape(-1, _WORDS).T.copy()
        self._quality = quality.copy()
        self._count = len(quality)

    def add(self, value: bytes, quality: int) -> None:
        if self._count == len(self._quality):
            room = max(1024, 2 * self._count)
            self._words, self._quality = _longer(self._words, room), _longer(self._quality, room)
        self._words[:, self._count] = np.frombuffer(value, "<u8")
        self._quality[self._count] = quality
        self._count += 1

    def truncate(self, count: int) -> None:
        self._count = count

    def distances(self, forms: bytes, least_quality: int) -> Distances:
        """For each row, the bits between its hash and the nearest of n x 32 bytes; -1 below that quality."""
        wanted = np.frombuffer(forms, "<u8").reshape(-1, _WORDS, 1)
        distances = np.empty(self._count, np.int64)
        for begin in range(0, self._count, _AT_ONCE):
            end = min(begin + _AT_ONCE, self._count)
            bits = np.bitwise_count(self._words[:, begin:end] ^ wanted)
            distances[begin:end] = bits.sum(axis=1, dtype=np.uint16).min(axis=0)
        distances[self._quality[: self._count] < least_quality] = -1
        return distances


def _longer(array: NDArray[Any], room: int) -> NDArray[Any]:
    longer = np.zeros((*array.shape[:-1], room), array.dtype)
    longer[..., : array.shape[-1]] = array
    return longer
