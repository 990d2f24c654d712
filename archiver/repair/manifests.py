"""Which manifest is the archive's, when its own is missing or damaged.

Nothing in an archive vouches for its manifest. So one is taken from a copy only when it is consistent in
itself, names every WARC file that is here, and the one here cannot be right, or commits the same records.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from archiver.digests import digest
from archiver.errors import ManifestError, NotAnArchive
from archiver.manifest import checkpoint, recordlist
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import CommittedList, Manifest, leaf_input, tree_head
from archiver.manifest.tree import Tree
from archiver.repair import place
from archiver.repair.copies import UNREADABLE, Copy, Say
from archiver.repair.parity import Par2
from archiver.repair.results import Replaced
from archiver.storage import is_plain, replace_file
from archiver.verify.files import is_committed, shown, stored_names

Standing = Literal["consistent", "unknown", "contradictory"]
Lists = Callable[[CommittedList], bytes | None]


def judge(manifest: Manifest, lists: Lists) -> Standing:
    """Whether tree and checkpoints follow from the record lists; unknown when a list cannot be had."""
    names = [warc.path for warc in manifest.warcs]
    if (
        len(set(names)) < len(names)
        or [warc.list.path for warc in manifest.warcs] != [commitment.list_of(name) for name in names]
        or len(manifest.checkpoints) != len(names)
        or sum(warc.records for warc in manifest.warcs) != manifest.tree.size
        or not _ends_in_head(manifest)
    ):
        return "contradictory"
    tree = Tree()
    for warc, point in zip(manifest.warcs, manifest.checkpoints, strict=True):
        data = lists(warc.list)
        if data is None:
            return "unknown"
        try:
            entries = [recordlist.decode(line) for line in data.splitlines(keepends=True)]
        except ManifestError:
            return "contradictory"
        tree.extend(map(leaf_input, entries))
        end = entries[-1].offset + entries[-1].length if entries else 0
        note = checkpoint.note(manifest.origin, tree.size, tree.root())
        if (len(entries), end, note) != (warc.records, warc.bytes, point.note):
            return "contradictory"
    return "consistent" if tree_head(tree) == manifest.tree else "contradictory"


def _ends_in_head(manifest: Manifest) -> bool:
    if not manifest.checkpoints:
        return manifest.tree == tree_head(Tree())
    try:
        origin, size, root = checkpoint.parse(manifest.checkpoints[-1].note)
    except ManifestError:
        return False
    return (origin, size, "sha256:" + root.hex()) == (
        manifest.origin,
        manifest.tree.size,
        manifest.tree.root,
    )


def same_records(one: Manifest, other: Manifest) -> bool:
    """Whether both commit the same records, in the same files."""
    return _committed(one) == _committed(other)


def _committed(manifest: Manifest) -> tuple[object, ...]:
    notes = tuple(point.note for point in manifest.checkpoints)
    return manifest.origin, manifest.tree, notes, tuple(warc.path for warc in manifest.warcs)


class Manifests:
    """Step (1) of a repair."""

    def __init__(self, root: Path, own: Copy, others: Sequence[Copy], par2: Par2 | None, say: Say) -> None:
        self._root, self._own, self._others, self._par2, self._say = root, own, others, par2, say

    def mend(self, *, doubted: bool = False) -> tuple[Manifest, Replaced | None]:
        """The manifest, and what was replaced. `doubted`: its own files speak against the one here.

        Raises NotAnArchive or ManifestError where there is none to go by; StorageError.
        """
        own: Manifest | None = None
        trouble: ManifestError | NotAnArchive | None = None
        try:
            own = self._load()
        except NotAnArchive as error:
            if os.path.lexists(self._root / commitment.NAME):  # of a newer layout: not to be touched
                raise
            trouble = error
        except ManifestError as error:
            trouble = error
        standing = judge(own, self._list) if own else "contradictory"
        if own is not None and standing == "consistent" and not doubted:
            return own, None

        def fits(other: Manifest) -> bool:
            alike = own is None or standing == "contradictory" or same_records(own, other)
            return alike and judge(other, self._list) == "consistent"

        best = self._choose(own, fits)
        if not isinstance(best, str):
            return best[2], self._replace(best[0], best[1])
        if own is not None:
            if standing == "contradictory" or doubted:
                self._say(f"{commitment.NAME} contradicts the records; none is put in its place: {best}")
            return own, None
        advice = f"No other can be put in its place: {best}."
        if isinstance(trouble, NotAnArchive):
            raise NotAnArchive(str(trouble), advice)
        raise ManifestError(str(trouble), advice)

    def _load(self) -> Manifest:
        path = self._root / commitment.NAME
        if os.path.lexists(path) and not is_plain(path):
            raise ManifestError(f"{path}: a link, a folder or a special file stands in its place")
        return commitment.load(self._root)

    def _replace(self, name: str, data: bytes) -> Replaced:
        path = self._root / commitment.NAME
        kept = place.keep(self._root, path) if os.path.lexists(path) else None
        replace_file(path, data)
        return Replaced(file=commitment.NAME, how="manifest", sources=(name,), kept=kept)

    def _list(self, part: CommittedList) -> bytes | None:
        """A committed record list, wherever it can be had."""
        for copy in (self._own, *self._others):
            with copy.named(part.path, part.bytes) as found:
                try:
                    data = found.read(0, part.bytes) if found is not None else b""
                except UNREADABLE:
                    continue
            if digest(data) == part.digest:
                return data
        if self._par2 is not None:
            with self._par2.restored(self._root, part) as restored:
                data = restored.read(0, part.bytes) if restored is not None else b""
            return data if digest(data) == part.digest else None
        return None

    def _candidates(self) -> Iterator[tuple[str, bytes]]:
        for copy in self._others:
            with copy.named(commitment.NAME, commitment.MANIFEST_BYTES) as found:
                try:
                    if found is not None:
                        yield copy.name, found.read(0, commitment.MANIFEST_BYTES)
                except UNREADABLE as error:
                    self._say(f"{copy.name}: {error}")
        if self._par2 is not None:
            for data in self._par2.manifests(self._root):
                yield "parity", data

    def _choose(
        self, own: Manifest | None, fits: Callable[[Manifest], bool]
    ) -> tuple[str, bytes, Manifest] | str:
        """The longest manifest that can be this archive's, and whose it is; else why there is none."""
        here = {name for name in stored_names(self._root) if name.endswith(".warc.gz") or is_committed(name)}
        found: list[tuple[str, bytes, Manifest]] = []
        why = "no copy has another"
        for name, data in self._candidates():
            try:
                manifest = commitment.decode(data)
            except (ManifestError, NotAnArchive) as error:
                why = f"that of {name} is damaged, too: {error}"
                continue
            unnamed = sorted(here - {warc.path for warc in manifest.warcs})
            if manifest == own:
                continue
            if unnamed:
                why = (
                    f"that of {name} does not name {shown(unnamed[0])}; it is older, or of another archive."
                    " Name a newer copy, or move away yourself what it does not name"
                )
            elif not fits(manifest):
                why = f"that of {name} is of other records, or not all its record lists could be had"
            else:
                found.append((name, data, manifest))
        if not found:
            return why
        best = max(found, key=lambda each: (each[2].tree.size, len(each[1])))
        for name, _, manifest in found:
            count = len(manifest.warcs)
            if (manifest.origin, manifest.warcs) != (best[2].origin, best[2].warcs[:count]):
                return f"{name} and {best[0]} contradict each other. Name only the copy that you trust"
        return best
