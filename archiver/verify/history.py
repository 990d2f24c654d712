"""Step (7): the tree began as every tree head that was kept elsewhere says. RFC 9162 section 2.1.4.

Nothing needs a proof where all leaves are at hand: the root at the kept size is recomputed.
"""

from collections.abc import Iterator

from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest
from archiver.model import Finding
from archiver.verify.findings import of_file
from archiver.verify.tree import TreeCheck
from archiver.verify.trust import KeptHead, Trust


class HistoryCheck:
    """Holds kept heads against the recomputed tree. `held`: those that the tree began as."""

    def __init__(self, manifest: Manifest, trust: Trust) -> None:
        self._origin = manifest.origin
        self._kept = [head for head in trust.kept if head.demanded or head.origin == manifest.origin]
        self.sizes = {head.size for head in self._kept}
        self.held: list[KeptHead] = []

    def findings(self, tree: TreeCheck) -> Iterator[Finding]:
        for head in self._kept:
            if head.origin != self._origin:
                yield _finding(head, "is of another archive", head.origin, self._origin)
            elif tree.root_at(head.size) == head.root:
                self.held.append(head)
            elif not tree.sure_to(head.size):
                yield _unknown(head)
            elif head.size <= tree.size:
                message = f"has other records: the first {head.size} were rewritten since it was kept"
                root = tree.root_at(head.size) or b""
                yield _finding(head, message, head.root.hex(), root.hex())
            elif head.demanded:
                message = "has more records: the archive was shortened since it was kept"
                yield _finding(head, message, f"{head.size} records", f"{tree.size} records")
            else:
                yield _older(head, tree.size)


def _finding(head: KeptHead, message: str, expected: str, found: str) -> Finding:
    return of_file(
        commitment.NAME,
        "history",
        f"the checkpoint kept in {head.where} {message}",
        expected=expected,
        found=found,
        advice="Get the archive from the copy of which that checkpoint was kept.",
    )


def _unknown(head: KeptHead) -> Finding:
    return of_file(
        commitment.NAME,
        "history-unknown",
        f"the checkpoint kept in {head.where} cannot be compared: the records up to there are not known",
        verdict="unverifiable",
        expected=str(head.size),
        advice="Mend what the other findings name, then verify again.",
    )


def _older(head: KeptHead, size: int) -> Finding:
    """The key folder of a person knows more than an old backup of theirs, too: that alone is no damage."""
    return of_file(
        commitment.NAME,
        "history-older",
        "a key of yours signed more records: this is an older copy, or the newest captures were cut off",
        verdict="unverifiable",
        expected=f"{head.size} records",
        found=f"{size} records",
        advice="An older copy is as good as it was. Else get the newest files from another copy.",
    )
