"""Inclusion proofs of the RFC 9162 tree, for many leaves in one pass (sections 2.1.1 and 2.1.3.1)."""

from archiver.manifest.tree import EMPTY_ROOT, leaf_hash, node_hash


class Inclusion:
    """A growing tree that keeps the inclusion proofs of the leaves that were asked for, and no other leaf.

    Memory: the roots of full subtrees, and a logarithmic number of hashes for each wanted leaf.
    """

    def __init__(self) -> None:
        self.size = 0
        self.proofs: dict[int, list[bytes]] = {}
        self._stack: list[tuple[int, bytes, list[int]]] = []  # leaves below, root, wanted leaves below

    def append(self, data: bytes, *, wanted: bool) -> None:
        """Add one leaf by its input bytes; `wanted`: `proofs` will have it, by its index."""
        weight, node, below = 1, leaf_hash(data), [self.size] if wanted else []
        self.proofs.update({index: [] for index in below})
        while self._stack and self._stack[-1][0] == weight:
            _, left, others = self._stack.pop()
            node, below = self._joined(left, others, node, below)
            weight *= 2
        self._stack.append((weight, node, below))
        self.size += 1

    def finish(self) -> bytes:
        """Join what is left, which completes `proofs`, leaf's sibling first; the root of all leaves."""
        while len(self._stack) > 1:
            weight, right, below = self._stack.pop()
            more, left, others = self._stack.pop()
            self._stack.append((weight + more, *self._joined(left, others, right, below)))
        return self._stack[0][1] if self._stack else EMPTY_ROOT

    def _joined(
        self, left: bytes, left_wanted: list[int], right: bytes, right_wanted: list[int]
    ) -> tuple[bytes, list[int]]:
        for index in left_wanted:
            self.proofs[index].append(right)
        for index in right_wanted:
            self.proofs[index].append(left)
        return node_hash(left, right), left_wanted + right_wanted
