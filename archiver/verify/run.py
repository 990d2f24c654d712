"""The integrity check, in numbered steps. It yields every finding and never stops at the first.

    (1) manifest.json is there, whole, and in canonical form
    (2) the folder holds the files that it names, under their own names, and no others
    (3) each record list is the committed one, line by line
    (4) each WARC file is the committed one: every member's SHA-256 at its offset, no gap, no overlap
    (5) the tree: the recomputed root is the tree head, and each checkpoint is a prefix of it
    (6) the catalogue file is as it was closed
    --deep:
    (7) every record parses, its WARC digests hold, and it says what its line says
    (8) the catalogue has the rows that a rebuild gives

Steps (1) to (6) read bytes, digests and JSON only.
"""

from collections.abc import Iterator
from pathlib import Path

from archiver.digests import file_digest
from archiver.errors import ManifestError
from archiver.index.catalogue import DIGEST_NAME
from archiver.index.catalogue import NAME as CATALOGUE
from archiver.manifest import checkpoint
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import CommittedWarc, Manifest, leaf_input, tree_head
from archiver.manifest.tree import Tree
from archiver.model import Entry, Finding, Verdict
from archiver.verify import deep
from archiver.verify.lists import check_list
from archiver.verify.warcs import check_uncommitted, check_warc

ORDER: tuple[Verdict, ...] = ("ok", "unverifiable", "incomplete", "failed")
COPY = "Get the file from another copy of the archive."


class Verification:
    """One check of an archive. `findings()` runs it; the counts are right when it has ended."""

    def __init__(self, root: Path, *, thorough: bool = False) -> None:
        self.root = root
        self.thorough = thorough
        self.verdict: Verdict = "ok"
        self.findings_count = 0
        self.files = 0
        self.records = 0
        self.bytes = 0
        self.manifest: Manifest | None = None

    def findings(self) -> Iterator[Finding]:
        """Every finding, as it is met. Raises NotAnArchive when there is nothing to judge."""
        for finding in self._steps():
            self.findings_count += 1
            self.verdict = max(self.verdict, finding.verdict, key=ORDER.index)
            yield finding

    def _steps(self) -> Iterator[Finding]:
        # (1) the manifest
        try:
            self.manifest = manifest = commitment.load(self.root)
        except ManifestError as error:
            yield Finding(
                verdict="failed", code="manifest", file=commitment.NAME, message=str(error), advice=COPY
            )
            yield from check_uncommitted(self.root)
            return
        # (2) the folder
        yield from self._folder(manifest)
        # (3) and (4), file by file
        tree, heads = Tree(), []
        for warc in manifest.warcs:
            entries: list[Entry] = []
            yield from check_list(self.root, warc, entries)
            yield from check_warc(self.root, manifest, warc, entries)
            tree.extend(leaf_input(entry) for entry in entries)
            heads.append((tree.size, tree.root()))
            self._count(warc, entries)
            if self.thorough:  # (7) what the records say
                yield from deep.check_records(self.root, warc, entries)
        # (5) the tree
        yield from _check_tree(manifest, tree, heads)
        # (6) the catalogue file
        yield from self._catalogue_file()
        if self.thorough:  # (8) what the catalogue says
            yield from deep.check_catalogue(self.root, manifest)

    def _folder(self, manifest: Manifest) -> Iterator[Finding]:
        """Missing files are met where they are read; here, what is there and should not be."""
        named = {path for warc in manifest.warcs for path in (warc.path, warc.list.path)}
        for path in sorted((self.root / "warcs").iterdir()) if (self.root / "warcs").is_dir() else []:
            name = f"warcs/{path.name}"
            if path.name.endswith(".open"):
                yield Finding(
                    verdict="unverifiable",
                    code="unsealed",
                    file=name,
                    message="a capture that is running, or was interrupted: nothing commits it yet",
                    advice="If none is running, the next 'archiver archive' or 'archiver rebuild' seals it.",
                )
            elif name not in named:
                yield Finding(
                    verdict="failed",
                    code="unlisted-file",
                    file=name,
                    message="the manifest does not name this file: it was added, or the manifest was cut",
                    advice="Move it out of warcs/, or get the manifest from another copy.",
                )
            elif path.is_symlink() or not path.is_file():
                yield Finding(
                    verdict="failed",
                    code="not-a-file",
                    file=name,
                    message="a link or a special file stands where a committed file should be",
                    advice=COPY,
                )

    def _count(self, warc: CommittedWarc, entries: list[Entry]) -> None:
        self.files += 2
        self.records += len(entries)
        self.bytes += warc.bytes + warc.list.bytes

    def _catalogue_file(self) -> Iterator[Finding]:
        sidecar = self.root / DIGEST_NAME
        if not (self.root / CATALOGUE).exists() or not sidecar.exists():
            return  # derived: absent, or open for writing, is no damage
        try:
            expected = sidecar.read_bytes()
            found = f"{file_digest(self.root / CATALOGUE)[1].removeprefix('sha256:')}  {CATALOGUE}\n".encode()
        except OSError as error:
            expected, found = b"", str(error).encode()
        if expected != found:
            yield Finding(
                verdict="failed",
                code="catalogue-digest",
                file=CATALOGUE,
                message="something else than the archiver changed the catalogue; no record is concerned",
                expected=expected.decode("ascii", "backslashreplace").strip(),
                found=found.decode("ascii", "backslashreplace").strip(),
                advice="Run 'archiver rebuild': the catalogue is made anew from the WARC files.",
            )


def _check_tree(manifest: Manifest, tree: Tree, heads: list[tuple[int, bytes]]) -> Iterator[Finding]:
    found = tree_head(tree)
    if found != manifest.tree:
        yield Finding(
            verdict="failed",
            code="tree-head",
            file=commitment.NAME,
            message="the records are not, in this order, those that the tree head commits",
            expected=f"{manifest.tree.size} records, root {manifest.tree.root}",
            found=f"{found.size} records, root {found.root}",
            advice="The other findings say where; if there are none, the manifest itself was edited.",
        )
    if len(manifest.checkpoints) != len(heads):
        yield Finding(
            verdict="failed",
            code="checkpoints",
            file=commitment.NAME,
            message="there is not one checkpoint for each WARC file",
            expected=str(len(heads)),
            found=str(len(manifest.checkpoints)),
            advice=COPY,
        )
    for number, (point, head) in enumerate(zip(manifest.checkpoints, heads, strict=False)):
        expected = checkpoint.note(manifest.origin, *head)
        if point.note != expected:
            yield Finding(
                verdict="failed",
                code="checkpoint",
                file=commitment.NAME,
                message=f"checkpoint {number} is not a prefix of the tree over the stored records",
                expected=point.note,
                found=expected,
                advice="Records up to there changed after the checkpoint, or the manifest was edited.",
            )
