"""What two sequences have in common, in order: equal ends, then unique elements, then the shortest edit.

Equal ends are taken off first. What is left, if long, is cut at the elements that stand once on each side,
as many of them as keep their order (Bram Cohen's patience diff). Short pieces are aligned by the greedy
algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986),
section 4.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SHORT = 600  # elements of both sides together that are aligned by the shortest edit at once
_EDITS = 600  # what the shortest edit may have, at most; beyond, a piece stays unaligned

Run = tuple[int, int, int]  # place in one, place in the other, length


@dataclass
class Work:
    """How many steps may still be done; a step is one element looked at."""

    left: int

    def spend(self, steps: int) -> bool:
        """Whether there was enough left."""
        self.left -= steps
        return self.left >= 0


def align(one: Sequence[str], other: Sequence[str], work: Work) -> list[Run]:
    """Runs of equal elements in ascending order on both sides. What `work` cannot pay stays unaligned."""
    runs: list[Run] = []
    ranges = [(0, len(one), 0, len(other))]
    while ranges:
        start, end, begin, stop = ranges.pop()
        head, tail = equal_ends(one[start:end], other[begin:stop])
        runs += [(start, begin, head), (end - tail, stop - tail, tail)]
        start, end, begin, stop = start + head, end - tail, begin + head, stop - tail
        size = end - start + stop - begin
        if start == end or begin == stop or not work.spend(size):
            continue
        left, right = one[start:end], other[begin:stop]
        anchors = [] if size <= _SHORT else _unique(left, right)
        if anchors:  # each is the equal beginning of the range that follows it
            cuts = [(0, 0), *anchors, (len(left), len(right))]
            ranges += [(start + i, start + x, begin + j, begin + y) for (i, j), (x, y) in pairwise(cuts)]
        else:
            runs += [(start + i, begin + j, 1) for i, j in _shortest(left, right, work)]
    return sorted(run for run in runs if run[2])


def equal_ends(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """How many elements are equal at the beginning, and of the rest at the end."""
    shorter = min(len(one), len(other))
    head = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    rest = shorter - head
    return head, next((i for i in range(rest) if one[-1 - i] != other[-1 - i]), rest)


def _unique(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the elements that stand once on each side: the longest chain that ascends on both."""
    places = _once(other)
    pairs = [(i, places[key]) for key, i in _once(one).items() if key in places]
    ends: list[int] = []  # least last place of a chain of each length
    chain: list[
        tuple[int, int]
    ] = []  # for each pair: index of the pair before it in its chain, chain's length
    last: list[int] = []  # for each length: index of the pair that ends it
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        chain.append((last[length - 1] if length else -1, length))
        ends[length : length + 1] = [j]
        last[length : length + 1] = [index]
    found: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        found.append(pairs[index])
        index = chain[index][0]
    return found[::-1]


def _once(elements: Sequence[str]) -> dict[str, int]:
    """Place of each element that stands here once, in ascending order."""
    places: dict[str, int] = {}
    for i, key in enumerate(elements):
        places[key] = -1 if key in places else i
    return {key: i for key, i in places.items() if i >= 0}


def _shortest(one: Sequence[str], other: Sequence[str], work: Work) -> list[tuple[int, int]]:
    """Pairs of equal elements that the shortest edit keeps; none where that edit would be too long."""
    furthest = {1: 0}  # on each diagonal: how far in `one` that many edits lead
    trace: list[dict[int, int]] = []
    for edits in range(min(_EDITS, len(one) + len(other)) + 1):
        trace.append(furthest)
        furthest = furthest.copy()
        for diagonal in range(-edits, edits + 1, 2):
            start = i = _step(furthest, diagonal, edits)
            j = i - diagonal
            while i < len(one) and j < len(other) and one[i] == other[j]:
                i, j = i + 1, j + 1
            furthest[diagonal] = i
            if not work.spend(1 + i - start):
                return []
            if i >= len(one) and j >= len(other):
                return _walk_back(trace, i, j)
    return []


def _step(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """Where one more edit leads on a diagonal: down (one element more of the other), or right."""
    if diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _walk_back(trace: list[dict[int, int]], i: int, j: int) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for edits in range(len(trace) - 1, -1, -1):
        diagonal, furthest = i - j, trace[edits]
        start = _step(furthest, diagonal, edits)
        kept += [(i - back, i - back - diagonal) for back in range(1, i - start + 1)]
        down = diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])
        i = start if down else start - 1
        j = start - diagonal - 1 if down else start - diagonal
    return kept[::-1]
