"""Step (5): the tree over the records, its head, and the checkpoints on the way."""

from collections.abc import Iterator
from functools import partial

from archiver.manifest import checkpoint
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest, leaf_input, tree_head
from archiver.manifest.tree import Tree
from archiver.model import Finding
from archiver.verify.files import COPY
from archiver.verify.findings import of_file
from archiver.verify.pair import Pair

_finding = partial(of_file, commitment.NAME, advice=COPY)


class TreeCheck:
    """Takes the pairs of files in the manifest's order, then compares."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._tree = Tree()
        self._notes: list[str] = []
        self._unknown: int | None = None  # the first file whose records are not known for certain

    def add(self, pair: Pair) -> None:
        if not pair.known and self._unknown is None:
            self._unknown = len(self._notes)
        self._tree.extend(leaf_input(entry) for entry in pair.entries if entry)
        self._notes.append(checkpoint.note(self._manifest.origin, self._tree.size, self._tree.root()))

    def findings(self) -> Iterator[Finding]:
        """What of the manifest's tree does not follow from the records."""
        head, found = self._manifest.tree, tree_head(self._tree)
        sure = len(self._notes) if self._unknown is None or found == head else self._unknown
        if sure < len(self._notes):
            yield _finding(
                "tree-unknown",
                f"it cannot be recomputed: the records of {self._manifest.warcs[sure].path} are not known",
                verdict="unverifiable",
                advice="Mend what the other findings name, then verify again.",
            )
        elif found != head:
            yield _finding(
                "tree-head",
                "the records are not, in this order, those that the tree head commits",
                expected=f"{head.size} records, root {head.root}",
                found=f"{found.size} records, root {found.root}",
                advice="The other findings say where; if there are none, the manifest was edited.",
            )
        yield from self._checkpoints(sure)

    def _checkpoints(self, sure: int) -> Iterator[Finding]:
        points = self._manifest.checkpoints
        if len(points) != len(self._notes):
            yield _finding(
                "checkpoints",
                "there is not one checkpoint for each WARC file",
                expected=str(len(self._notes)),
                found=str(len(points)),
            )
        pairs = zip(points[:sure], self._notes, strict=False)
        wrong = [number for number, (point, note) in enumerate(pairs) if point.note != note]
        if wrong:
            first = wrong[0]
            yield _finding(
                "checkpoint",
                f"{len(wrong)} of {len(points)} checkpoints do not follow from the records; the first is"
                f" number {first + 1}, at the end of {self._manifest.warcs[first].path}",
                expected=points[first].note,
                found=self._notes[first],
                advice="Records up to there changed after the checkpoint, or the manifest was edited.",
            )
        if any(point.signatures for point in points):
            yield _finding(
                "unknown-signature",
                "a checkpoint has signatures, which this version cannot check",
                verdict="unverifiable",
                advice="Install a newer archiver. This version writes none.",
            )
