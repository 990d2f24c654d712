"""What two sequences have in common, in order: so that one missing item does not make all others differ."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

_MANY = 64

Pair = tuple[int, int]
_Link = tuple[int, int, "_Link | None"]


def common(left: Sequence[str | None], right: Sequence[str | None]) -> list[Pair]:
    """The pairs (i, j) of a longest common subsequence, rising; None equals nothing.

    Hunt and Szymanski, "A fast algorithm for computing longest common subsequences" (1977): the longest
    rising chain among the pairs of equal items. An item that stands very often on both sides is paired by
    its rank alone: that may find a shorter chain, but stays quick on hostile sequences.
    """
    start = _same(left, right)
    stop = _same(left[start:][::-1], right[start:][::-1])
    pairs = [(n, n) for n in range(start)]
    pairs += _chain(left, right, start, stop)
    return pairs + [(len(left) - n, len(right) - n) for n in range(stop, 0, -1)]


def gaps(pairs: Sequence[Pair], left: int, right: int) -> Iterator[tuple[range, range]]:
    """The stretches between the pairs, of sequences with these lengths, where either side has items."""
    i = j = 0
    for next_i, next_j in (*pairs, (left, right)):
        if i < next_i or j < next_j:
            yield range(i, next_i), range(j, next_j)
        i, j = next_i + 1, next_j + 1


def _same(left: Sequence[str | None], right: Sequence[str | None]) -> int:
    pairs = zip(left, right, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a is None or a != b), min(len(left), len(right)))


def _chain(left: Sequence[str | None], right: Sequence[str | None], start: int, stop: int) -> list[Pair]:
    places: dict[str | None, list[int]] = defaultdict(list)
    for j in range(start, len(right) - stop):
        places[right[j]].append(j)
    often = Counter(left[start : len(left) - stop])
    rank: Counter[str | None] = Counter()
    ends: list[int] = []  # of the chains of each length, the smallest j
    chains: list[_Link] = []
    for i in range(start, len(left) - stop):
        item = left[i]
        candidates = places.get(item, []) if item is not None else []
        if len(candidates) * often[item] > _MANY:
            candidates = candidates[rank[item] : rank[item] + 1]
            rank[item] += 1
        for j in reversed(candidates):
            at = bisect_left(ends, j)
            link = (i, j, chains[at - 1] if at else None)
            if at == len(ends):
                ends.append(j)
                chains.append(link)
            else:
                ends[at], chains[at] = j, link
    found: list[Pair] = []
    chain = chains[-1] if chains else None
    while chain:
        found.append(chain[:2])
        chain = chain[2]
    return found[::-1]
