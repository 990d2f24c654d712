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
    """Holds kept heads against the recomputed tree.

    `held`: those that the tree began as; `newer`: those of a key folder that know more records than are here.
    """

    def __init__(self, manifest: Manifest, trust: Trust) -> None:
        self._origin = manifest.origin
        self._kept = [head for head in trust.kept if head.demanded or head.origin == manifest.origin]
        self.sizes = {head.size for head in self._kept}
        self.held: list[KeptHead] = []
        self.newer: list[KeptHead] = []

    def findings(self, tree: TreeCheck) -> Iterator[Finding]:
        for head in self._kept:
            if head.origin != self._origin:
                yield _finding(head, "is of another archive", head.origin, self._origin)
            elif tree.root_at(head.size) == head.root:
                self.held.append(head)
            elif not tree.sure_to(head.size):
                yield _finding(
                    head,
                    "cannot be compared: the records up to there are not known",
                    str(head.size),
                    None,
                    unknown=True,
                )
            elif head.size <= tree.size:
                message = f"has other records: the first {head.size} were rewritten since it was kept"
                root = tree.root_at(head.size) or b""
                yield _finding(head, message, head.root.hex(), root.hex())
            elif head.demanded:
                message = "has more records: the archive was shortened since it was kept"
                yield _finding(head, message, f"{head.size} records", f"{tree.size} records")
            else:
                self.newer.append(head)


def _finding(
    head: KeptHead, message: str, expected: str, found: str | None, *, unknown: bool = False
) -> Finding:
    return of_file(
        commitment.NAME,
        "history-unknown" if unknown else "history",
        f"the checkpoint kept in {head.where} {message}",
        verdict="unverifiable" if unknown else "failed",
        expected=expected,
        found=found,
        advice="Mend what the other findings name, then verify again."
        if unknown
        else "Get the archive from the copy of which that checkpoint was kept.",
    )
