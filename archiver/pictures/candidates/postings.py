"""Which pictures share descriptors with one: locality-sensitive hashing by sampled bits.

A descriptor of 256 bits falls into one bucket in each of 4 tables: the 24 of its bits that the table looks at
(Indyk and Motwani, "Approximate Nearest Neighbors", 1998, section 4.2: bit sampling). Descriptors of one spot
in two renditions differ in a few bits, so they often share a bucket, which votes for the picture. Those votes
count that agree on how the picture is turned and scaled (weak geometric consistency: Jegou, Douze and Schmid,
"Hamming Embedding and Weak Geometric Consistency", ECCV 2008, section 4).

The tables are kept together, by a number of 26 bits: the table's in the 2 highest. A posting is a bucket, a
picture's row and a keypoint's pose; those of many rows lie sorted in segments that never change. Two of one
size become one.
"""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archiver.errors import RecordError
from archiver.pictures.candidates.log import DAMAGED, opened
from archiver.storage import replace_file

TABLES, BITS = 4, 24
MOST_SEGMENT_ROWS = 16_384  # of one segment: the merge of two halves takes some 100 MB and a second
TAIL_ROWS = 128  # a segment begins with so many
COMMON = 1_000  # a bucket that more pictures share tells nothing

_LOW_BITS = 8
_SLOTS = 1 << (BITS + 2 - _LOW_BITS)
_MERGED_SLOTS = _SLOTS >> 6  # merged at a time
_ROW_BITS, _POSE_BITS = 16, 8
_LAST_BITS = _ROW_BITS + _POSE_BITS  # of a posting, behind its bucket
_MAGIC = b"archiver postings 2\n\0\0\0\0"

OCTAVES, TURNS = 8, 32  # of poses
_POSES = OCTAVES * TURNS - 1
_GRID = (2 * OCTAVES + 1) * TURNS  # how two poses lie to each other: octaves apart, and by what turned
_CELLS = (2 * OCTAVES - 1) * TURNS  # of them with neighbours
TURNED = 4_000  # rows with the most votes, of which is looked at how they are turned
PLACED = 300  # of these, those whose votes agree most in that: by turn and scale
CHANCE = 2  # postings of two pictures that agree on a turn and a scale by chance

Rows = NDArray[np.int64]
Buckets = NDArray[np.uint64]
Posted = NDArray[np.uint64]  # bucket << 24 | row << 8 | pose, ascending
Poses = NDArray[np.int64]
Counts = NDArray[np.int32]
Hits = tuple[Rows, Rows, NDArray[np.float64]]

_OUT_OF_ORDER = "the index of pictures is damaged: postings out of order"


def posed(descriptors: bytes, poses: bytes) -> Buckets:
    """The distinct buckets of n x 32 bytes, each with a pose (bucket << 8 | pose), ascending.

    32 bytes of zero are no descriptor. Table t looks at the bits t, t + 4, t + 8 … t + 92, the first the
    highest; bit 0 is the highest of byte 0.
    """
    each = np.frombuffer(descriptors, np.uint8).reshape(-1, 32)
    there = each.any(axis=1)
    bits = np.unpackbits(each[there, : TABLES * BITS // 8], axis=1)
    weights = np.uint64(1) << np.arange(BITS, dtype=np.uint64)[::-1]
    found = bits.reshape(-1, BITS, TABLES).swapaxes(1, 2).astype(np.uint64) @ weights
    found |= np.arange(TABLES, dtype=np.uint64) << np.uint64(BITS)
    return np.unique(found << np.uint64(_POSE_BITS) | np.frombuffer(poses, np.uint8)[there, None])


class Part(Protocol):
    """Postings of the rows from `first` to before `end`."""

    first: int
    end: int

    def find(self, wanted: Buckets) -> tuple[Rows, Rows]:
        """Where the postings of each bucket begin and end."""

    def rows(self, places: Rows) -> tuple[Rows, Poses]:
        """The rows and poses at these places."""

    def posted(self, slot: int) -> Posted:
        """The postings in some slots from this on, ascending; rows are counted from `first`."""


class Tail:
    """The newest rows, in one sorted array."""

    def __init__(self, first: int) -> None:
        self.first = self.end = first
        self._posted: Posted = np.empty(0, np.uint64)

    def add(self, found: Buckets) -> None:
        bucket, pose = found >> np.uint64(_POSE_BITS), found & np.uint64(_POSES)
        row = np.uint64((self.end - self.first) << _POSE_BITS)
        posted = bucket << np.uint64(_LAST_BITS) | row | pose
        self._posted = np.sort(np.concatenate((self._posted, posted)), kind="stable")
        self.end += 1

    def find(self, wanted: Buckets) -> tuple[Rows, Rows]:
        low = wanted << np.uint64(_LAST_BITS)
        return self._posted.searchsorted(low), self._posted.searchsorted(low + np.uint64(1 << _LAST_BITS))

    def rows(self, places: Rows) -> tuple[Rows, Poses]:
        found = (self._posted[places] & np.uint64((1 << _LAST_BITS) - 1)).astype(np.int64)
        return (found >> _POSE_BITS) + self.first, found & _POSES

    def posted(self, slot: int) -> Posted:
        ends = np.array((slot, slot + _MERGED_SLOTS), np.uint64) << np.uint64(_LOW_BITS + _LAST_BITS)
        begin, end = self._posted.searchsorted(ends)
        return self._posted[begin:end]


class Segment:
    """Sorted postings in four arrays, little-endian, in a file in this order behind its head of 48 bytes.

    `slots` (2^18 + 1 x uint32): where those of a bucket's 18 higher bits begin. `inside` (uint16): the row,
    less the segment's first. `low` (uint8): the bucket's 8 lower bits. `poses` (uint8). The head: 24 bytes
    that name the format, the first row, the row behind the last, and the number of postings (each uint64).
    """

    number: int | None = None  # of its file

    def __init__(self, first: int, end: int, arrays: Sequence[Any]) -> None:
        """`arrays`: slots, inside, low and poses."""
        self.first, self.end, self._arrays = first, end, arrays
        self._slots, self._inside, self._low, self._poses = arrays

    @classmethod
    def of(cls, *parts: Part) -> "Segment":
        """Parts that follow each other as one, made piece by piece."""
        first, inside, low, poses, counts = parts[0].first, [], [], [], []
        for begin in range(0, _SLOTS, _MERGED_SLOTS):
            shifted = [part.posted(begin) + np.uint64((part.first - first) << _POSE_BITS) for part in parts]
            posted = np.sort(np.concatenate(shifted), kind="stable")
            slots = (posted >> np.uint64(_LAST_BITS + _LOW_BITS)).astype(np.int64) - begin
            counts.append(np.bincount(slots, minlength=_MERGED_SLOTS))
            inside.append((posted >> np.uint64(_POSE_BITS)).astype("<u2"))
            low.append((posted >> np.uint64(_LAST_BITS)).astype(np.uint8))
            poses.append(posted.astype(np.uint8))
        slots = np.concatenate(([0], np.cumsum(np.concatenate(counts)))).astype("<u4")
        arrays = [slots, *(np.concatenate(each) for each in (inside, low, poses))]
        return cls(first, parts[-1].end, arrays)

    def save(self, path: Path) -> None:
        """Raises StorageError."""
        head = np.array((self.first, self.end, len(self._low)), "<u8").tobytes()
        replace_file(path, b"".join((_MAGIC, head, *(array.tobytes() for array in self._arrays))))

    @classmethod
    def open(cls, path: Path, number: int) -> "Segment":
        """Mapped into memory, read as it is needed. Raises FileNotFoundError and RecordError."""
        with opened(path, writable=False) as file:
            if file.seek(0, os.SEEK_END) < len(_MAGIC) + 24:
                raise RecordError(f"{path}: not a segment of postings", DAMAGED)
            data = np.memmap(file, np.uint8, "r").view(np.ndarray)  # a memmap is slow to index
        head = data[: len(_MAGIC) + 24].tobytes()
        first, end, count = (int(number) for number in np.frombuffer(head[-24:], "<u8"))
        sizes = (len(head), 4 * (_SLOTS + 1), 2 * count, count, count)
        if not head.startswith(_MAGIC) or len(data) != sum(sizes):
            raise RecordError(f"{path}: not a segment of postings", DAMAGED)
        ends = np.cumsum(sizes)
        slots, inside = data[ends[0] : ends[1]].view("<u4"), data[ends[1] : ends[2]].view("<u2")
        segment = cls(first, end, (slots, inside, data[ends[2] : ends[3]], data[ends[3] :]))
        segment.number = number
        return segment

    def find(self, wanted: Buckets) -> tuple[Rows, Rows]:
        slot, low = (
            (wanted >> np.uint64(_LOW_BITS)).astype(np.int64),
            (wanted & np.uint64(255)).astype(np.int64),
        )
        begin, end = self._slots[slot].astype(np.int64), self._slots[slot + 1].astype(np.int64)
        if np.any(begin > end) or np.any(end > len(self._low)):
            raise RecordError(_OUT_OF_ORDER, DAMAGED)
        begin = self._lower(begin, end, low)
        many = np.zeros_like(begin)
        there = np.flatnonzero(begin < end)
        there = there[self._low[begin[there]] == low[there]]  # most buckets are empty
        many[there] = self._lower(begin[there] + 1, end[there], low[there] + 1) - begin[there]
        return begin, begin + many

    def _lower(self, begin: Rows, end: Rows, wanted: Rows) -> Rows:
        """Where in each range the first posting of at least `wanted` lies: many binary searches at once."""
        if not len(self._low):
            return begin
        while (open_ := begin < end).any():
            middle = (begin + end) >> 1
            less = (self._low[np.minimum(middle, len(self._low) - 1)] < wanted) & open_
            begin = np.where(less, middle + 1, begin)
            end = np.where(less, end, np.minimum(middle, end))
        return begin

    def rows(self, places: Rows) -> tuple[Rows, Poses]:
        inside: Rows = self._inside[places].astype(np.int64) + self.first
        if np.any(inside >= self.end):
            raise RecordError("the index of pictures is damaged: a posting of no picture", DAMAGED)
        return inside, self._poses[places].astype(np.int64)

    def posted(self, slot: int) -> Posted:
        slots = self._slots[slot : slot + _MERGED_SLOTS + 1].astype(np.int64)
        if np.any(slots[:-1] > slots[1:]) or slots[-1] > len(self._low):
            raise RecordError(_OUT_OF_ORDER, DAMAGED)
        numbers = np.repeat(np.arange(slot, slot + _MERGED_SLOTS, dtype=np.uint64), np.diff(slots))
        found = numbers << np.uint64(_LOW_BITS) | self._low[slots[0] : slots[-1]]
        found = found << np.uint64(_ROW_BITS) | self._inside[slots[0] : slots[-1]]
        posted: Posted = found << np.uint64(_POSE_BITS) | self._poses[slots[0] : slots[-1]]
        return posted


class Postings:
    """Those of all rows: segments, each of some rows after those of the one before, and the tail."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = list(segments)
        self.tail = Tail(segments[-1].end if segments else 0)

    def add(self, descriptors: bytes, poses: bytes) -> bool:
        """Those of the next row. Whether the segments are others than before."""
        self.tail.add(posed(descriptors, poses))
        if self.tail.end - self.tail.first < TAIL_ROWS:
            return False
        parts: list[Part] = [self.tail]
        while self.segments and self._joins(self.segments[-1], parts[0]):
            parts.insert(0, self.segments.pop())
        self.segments.append(Segment.of(*parts))
        self.tail = Tail(self.tail.end)
        return True

    def _joins(self, last: Segment, newer: Part) -> bool:
        rows = self.tail.end - last.first
        return rows <= MOST_SEGMENT_ROWS and last.end - last.first <= self.tail.end - newer.first

    def votes(self, *asked: tuple[bytes, bytes]) -> list[Rows]:
        """For each of these descriptors and poses each row's votes: 100 / sqrt(n) for each bucket it shares.

        n is the number of the bucket's postings; one of more than `COMMON` counts nothing. Those count that
        agree, within 1/32 of a turn and an octave, on a turn and a scale: on the one where they are most,
        less two at their mean, for so many agree by chance. Of the `TURNED` rows with the highest sums only
        the `PLACED` have votes of which most agree on a turn; of equals the oldest.
        """
        each = [posed(*one) for one in asked]
        together = np.concatenate(each)
        wanted = together >> np.uint64(_POSE_BITS)
        parts: list[Part] = [*self.segments, self.tail]
        found = [part.find(wanted) for part in parts]
        shared = sum((end - begin for begin, end in found), np.zeros(len(wanted), np.int64))
        telling = (shared > 0) & (shared <= COMMON)
        weights = np.rint(100 / np.sqrt(shared[telling]))  # whole, so that their sum is exact in any order
        own = (together[telling] & np.uint64(_POSES)).astype(np.int64)
        limits = np.cumsum([0, *(len(one) for one in each)])
        at = np.concatenate(([0], np.cumsum(telling)))[limits]  # where those of each begin
        hits = [
            _hits(part, (begin[telling], end[telling]), own, weights, at)
            for part, (begin, end) in zip(parts, found, strict=True)
        ]
        return [_consistent(some, self.tail.end) for some in zip(*hits, strict=True)]


def _hits(
    part: Part, ranges: tuple[Rows, Rows], own: Poses, weights: NDArray[np.float64], at: Rows
) -> list[Hits]:
    """Of each posting in these ranges the row, how its pose is turned and scaled, and the weight.

    One array of each for the ranges from each of `at` to the next.
    """
    begin, many = ranges[0], ranges[1] - ranges[0]
    behind = np.concatenate(([0], np.cumsum(many)))
    of = np.repeat(np.arange(len(many)), many)
    rows, poses = part.rows((begin - behind[:-1])[of] + np.arange(len(of)))
    own = own[of]
    octaves = poses // TURNS - own // TURNS + OCTAVES  # 1 to 15: one is left on either side
    apart, weight = octaves * TURNS + (poses - own) % TURNS, weights[of]
    return [(rows[first:last], apart[first:last], weight[first:last]) for first, last in pairwise(behind[at])]


def _consistent(hits: Sequence[Hits], count: int) -> Rows:
    rows, apart, weights = (np.concatenate(each) for each in zip(*hits, strict=True))
    some: Hits = (rows, apart, weights)
    result = np.zeros(count, np.int64)
    if not len(some[0]):
        return result
    turned, some = _of(_most(_sums(some[0], count, some[2]), TURNED), some, count)
    agreeing = _sums(some[0] * TURNS + some[1] % TURNS, len(turned) * TURNS, some[2])
    likely, some = _of(_most(_around(agreeing.reshape(-1, TURNS)).max(axis=1), PLACED), some, len(turned))
    cells, size = some[0] * _GRID + some[1], len(likely) * _GRID
    votes, many = _neighbourhoods(_sums(cells, size, some[2])), _neighbourhoods(_sums(cells, size))
    at = np.flatnonzero(many > CHANCE)
    counted = votes[at].astype(np.int64) * (many[at] - CHANCE) // many[at]
    np.maximum.at(result, turned[likely[at // _CELLS]], counted)
    return result


def _sums(places: Rows, count: int, weights: NDArray[np.float64] | None = None) -> Counts:
    return np.bincount(places, weights, count).astype(np.int32)


def _of(chosen: Rows, hits: Hits, count: int) -> tuple[Rows, Hits]:
    """Some rows in order, and the hits of these alone, their rows by the places in that."""
    chosen = np.sort(chosen)
    place = np.full(count, -1)
    place[chosen] = np.arange(len(chosen))
    rows = place[hits[0]]
    there = rows >= 0
    return chosen, (rows[there], hits[1][there], hits[2][there])


def _most(votes: Counts, many: int) -> Rows:
    """The rows of so many highest votes, of equals the oldest; without those of none."""
    least = np.partition(votes, -many)[-many] if many < len(votes) else 0
    above, equal = np.flatnonzero(votes > least), np.flatnonzero((votes == least) & (votes > 0))
    return np.concatenate((above, equal[: many - len(above)]))


def _neighbourhoods(histograms: Counts) -> Counts:
    """For each cell but those of the outer octaves, what it and the 8 around it hold, in one row."""
    each = histograms.reshape(-1, 2 * OCTAVES + 1, TURNS)
    return _around(each[:, :-2] + each[:, 1:-1] + each[:, 2:]).ravel()


def _around(turns: Counts) -> Counts:
    """What each turn and the two beside it hold."""
    around = turns.copy()
    around[..., 1:] += turns[..., :-1]
    around[..., :-1] += turns[..., 1:]
    around[..., 0] += turns[..., -1]
    around[..., -1] += turns[..., 0]
    return around


def mirrored_poses(poses: bytes) -> bytes:
    """Those of the same keypoints in the mirrored picture."""
    each = np.frombuffer(poses, np.uint8)
    return (each // TURNS * TURNS + (TURNS // 2 - 1 - each) % TURNS).astype(np.uint8).tobytes()
