"""How much of the long ones is run: a part, always the same, or with WIDE=1 all of it."""

import os
from collections.abc import Iterator

WIDE = bool(os.environ.get("WIDE"))
PARTS = range(4 if WIDE else 1)
KILLS = 25 if WIDE else 12  # at random moments, in each of some archives


def turns(start: int, of: int) -> Iterator[int]:
    """The numbers 1, 2, 3, … of operations to fail at, or every `of`-th from the `start`-th on.

    Tests of one kind start at different ones, so that together they meet them all.
    """
    return iter(range(1, 1_000) if WIDE else range(start, 1_000, of))


def part(count: int) -> int:
    """A quarter of so many examples, or all."""
    return count // 4 * len(PARTS)
