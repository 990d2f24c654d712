"""Step (5), of others: the manifests of merged archives still hold over what came from them."""

from collections.abc import Iterator
from pathlib import Path

from archiver.errors import ArchiverError, ManifestError, RecordError
from archiver.manifest import checkpoint, recordlist
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import CommittedWarc, Manifest, leaf_input, tree_head
from archiver.manifest.tree import Tree
from archiver.model import MERGED_URI, Entry, Finding, Location, Verdict
from archiver.storage import is_imported
from archiver.verify.findings import of_record
from archiver.verify.pair import Pair
from archiver.warc.read import parse_member, read_committed


class MergedCheck:
    """Takes the pairs of files in the manifest's order, then recomputes the trees of merged archives."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self._root = root
        self._files = {(warc.bytes, warc.digest): warc for warc in manifest.warcs}
        self._records: list[tuple[str, int, Entry]] = []

    def add(self, pair: Pair) -> None:
        if is_imported(pair.warc.path):  # what others say of their own mergers is not ours to judge
            return
        for number, entry in enumerate(pair.entries):
            if entry is not None and (entry.uri or "").startswith(MERGED_URI):
                self._records.append((pair.warc.path, number, entry))

    def findings(self) -> Iterator[Finding]:
        """Of each merged archive what its tree does not give; nothing of one whose record is damaged."""
        for file, number, entry in self._records:
            try:
                place = Location(file=file, offset=entry.offset, length=entry.length)
                stored = read_committed(self._root, place, entry.digest)
                merged = commitment.decode(parse_member(stored).block)
            except RecordError:  # that is a finding already
                continue
            except ArchiverError as error:
                yield _finding(file, number, entry, "merged-manifest", f"it cannot be read: {error}")
                continue
            yield from self._check(merged, file, number, entry)

    def _check(self, merged: Manifest, file: str, number: int, entry: Entry) -> Iterator[Finding]:
        tree, notes = Tree(), []
        for warc in merged.warcs:
            here = self._files.get((warc.bytes, warc.digest))
            if here is None or not self._grow(tree, here):
                message = f"of {merged.origin}, {warc.path} is not here as its manifest names it"
                yield _finding(file, number, entry, "merged-file", message, verdict="unverifiable")
                return
            notes.append(checkpoint.note(merged.origin, tree.size, tree.root()))
        if tree_head(tree) != merged.tree or [point.note for point in merged.checkpoints] != notes:
            message = f"the records of {merged.origin} are not those that its manifest commits"
            yield _finding(file, number, entry, "merged-tree", message)

    def _grow(self, tree: Tree, warc: CommittedWarc) -> bool:
        try:
            tree.extend(leaf_input(entry) for entry in recordlist.read(self._root / warc.list.path))
        except ManifestError:  # that list is a finding already
            return False
        return True


def _finding(
    file: str, number: int, entry: Entry, code: str, message: str, *, verdict: Verdict = "failed"
) -> Finding:
    advice = "Merge that archive again from a copy that verifies."
    return of_record(file, number, entry, code, message, advice=advice, verdict=verdict)
