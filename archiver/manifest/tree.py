"""The Merkle tree of RFC 9162 (section 2.1.1) over the archive's stored members.

Leaf input: the 32 bytes of a member's SHA-256. So the tree is computed from record lists alone, and
each leaf from its member alone. Hash: SHA-256.
"""

import hashlib
from collections.abc import Iterable

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree that keeps only the roots of its full subtrees: memory is logarithmic.

    `roots` has the roots that it had on the way, of the sizes in `watch` and where it was told to keep one.
    """

    def __init__(self, watch: Iterable[int] = ()) -> None:
        self.size = 0
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self._watch = frozenset(watch)
        self._stack: list[tuple[int, bytes]] = []  # (leaves below, root), sizes falling

    def append(self, data: bytes) -> None:
        """Add one leaf by its input bytes."""
        weight, node = 1, leaf_hash(data)
        while self._stack and self._stack[-1][0] == weight:
            node = node_hash(self._stack.pop()[1], node)
            weight *= 2
        self._stack.append((weight, node))
        self.size += 1
        if self.size in self._watch:
            self.roots[self.size] = self.root()

    def extend(self, inputs: Iterable[bytes]) -> None:
        for data in inputs:
            self.append(data)

    def keep_root(self) -> None:
        """Have the root of now in `roots`."""
        self.roots[self.size] = self.root()

    def root(self) -> bytes:
        """MTH of all leaves so far."""
        if not self._stack:
            return EMPTY_ROOT
        node = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            node = node_hash(left, node)
        return node
