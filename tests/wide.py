"""How much of the long ones is run: a part, always the same, or with WIDE=1 all of it."""

import os

WIDE = bool(os.environ.get("WIDE"))
PARTS = range(4 if WIDE else 1)


def part(count: int) -> int:
    """A quarter of so many examples, or all."""
    return count // 4 * len(PARTS)
