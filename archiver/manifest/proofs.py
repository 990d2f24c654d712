"""Proofs in the tree (RFC 9162): that a leaf is in it, and that it began as an older tree.

    inclusion      section 2.1.3: the siblings on the way from a leaf to the root
    consistency    section 2.1.4: the nodes from which the roots of both sizes follow

Making one takes one pass over the leaves' inputs and memory logarithmic in their number.
"""

from collections.abc import Iterable, Sequence

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


class _Path:
    """A growing tree that remembers the siblings of one marked node on its way up."""

    def __init__(self) -> None:
        self.size = 0
        self.proof: list[bytes] = []
        self._stack: list[tuple[int, bytes, bool]] = []  # leaves below, root, whether the mark is below

    def append(self, data: bytes) -> None:
        node = (1, leaf_hash(data), False)
        while self._stack and self._stack[-1][0] == node[0]:
            node = self._joined(self._stack.pop(), node)
        self._stack.append(node)
        self.size += 1

    def mark_last(self) -> None:
        """Mark the last full subtree; its root begins the proof, unless it is the whole tree."""
        weight, root, _ = self._stack[-1]
        self._stack[-1] = weight, root, True
        if weight != self.size:
            self.proof.append(root)

    def end(self) -> list[bytes]:
        node = self._stack.pop()
        while self._stack:
            node = self._joined(self._stack.pop(), node)
        return self.proof

    def _joined(
        self, left: tuple[int, bytes, bool], right: tuple[int, bytes, bool]
    ) -> tuple[int, bytes, bool]:
        if left[2] or right[2]:
            self.proof.append(right[1] if left[2] else left[1])
        return left[0] + right[0], node_hash(left[1], right[1]), left[2] or right[2]


def consistency(leaves: Iterable[bytes], old: int, size: int) -> list[bytes]:
    """The consistency proof from the tree of the first `old` leaf inputs to that of the first `size`.

    It is empty from no leaves, and from the same size. ValueError when there are not so many leaves.
    """
    path = _Path()
    for data in leaves:
        if path.size == size:
            break
        path.append(data)
        if path.size == old < size:
            path.mark_last()
    if not 0 <= old <= size or path.size < size:
        raise ValueError(f"no trees of {old} and {size} leaves")
    return path.end() if 0 < old < size else []


def continues(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `size` leaves began as that of `old` (section 2.1.4.2)."""
    if not 0 < old < size:
        return not proof and (old == 0 or (old == size and old_root == root))
    path = [old_root, *proof] if old & (old - 1) == 0 else [*proof]
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not path:
        return False
    before = after = path[0]
    for node in path[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            before, after = node_hash(node, before), node_hash(node, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, node)
        place, last = place >> 1, last >> 1
    return not last and before == old_root and after == root
