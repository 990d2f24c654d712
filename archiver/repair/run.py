"""The repair, in steps. What hashes right is never touched; what is damaged is kept in damaged/.

    (1) manifest.json, only where it cannot be right
    (2) record lists: as a whole from a copy, else made again from lines and records
    (3) WARC files: record by record, from copies and from what the archive has elsewhere
    (4) what neither copies nor the archive give: from parity, when there is any
    (5) what nothing commits goes from warcs/ to damaged/; what a crash left open is sealed
    (6) the catalogue is made anew

Nobody needs to believe it: `archiver verify` judges the result. docs/repair.md has the whole procedure.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

from archiver.archive import Archive
from archiver.errors import ManifestError, RecordError
from archiver.index import catalogue
from archiver.keys import KeyFolder
from archiver.manifest import recordlist
from archiver.manifest.lines import committed_lines
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.model import Entry
from archiver.repair import place
from archiver.repair.assembly import Assembly, tiles, whole_file
from archiver.repair.copies import UNREADABLE, Bytes, Copy, LocalBytes, Own, Say
from archiver.repair.lists import described, merge
from archiver.repair.manifests import Manifests
from archiver.repair.parity import Par2
from archiver.repair.results import How, MissingRecord, Moved, Replaced, Result, Unmended
from archiver.sandbox import Sandbox
from archiver.storage import OPEN, is_imported, is_plain, open_plain, replace_file
from archiver.upkeep import heal
from archiver.verify.catalogue import check_file
from archiver.verify.files import committed, is_open, measure, shown, stored_names
from archiver.verify.pair import read_warc
from archiver.warc.scan import walk

Part = CommittedWarc | CommittedList
Wanted = dict[str, list[tuple[Assembly, int]]]  # digest → the records that have it
_BEGINNINGS = (b"\x1f\x8b", b"PK")  # gzip; a ZIP, damaged as it may be
_NO_COPY = "neither this archive nor a copy has the committed bytes"


class Repair:
    """One repair of an archive. `run()` does it; only under the lock."""

    def __init__(
        self,
        root: Path,
        copies: Sequence[Copy],
        par2: Par2 | None,
        *,
        report: Callable[[Result], None],
        say: Say,
        keys: KeyFolder | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        """`report` gets each result as it happens, `say` what is wrong with a copy.

        `keys` sign what a crash left open: left out, those of the person.
        `sandbox`: one that is open already, for many repairs in a row.
        """
        self._keys, self._sandbox = keys, sandbox
        self.root, self._report, self._say, self._par2 = root, report, say, par2
        self._own = Own(root, say)
        self._others = tuple(copies)
        self._whole: dict[str, bool] = {}  # committed file → it is as committed
        self._changed = False
        self.healed: list[str] = []

    def run(self) -> None:
        """Mend what can be mended. Raises NotAnArchive, ManifestError, StorageError."""
        archive = Archive(self.root)
        with nullcontext(self._sandbox) if self._sandbox else Sandbox() as sandbox:
            manifest = self._manifest(archive)
            self._lists(manifest, sandbox)
            self._warcs(manifest)
            self._lists(manifest, sandbox)  # of WARC files that could only be had as a whole
            for warc in manifest.warcs:
                if not self._whole[warc.list.path]:
                    self._tell(Unmended(file=warc.list.path, reason=_NO_COPY))
            self._extra(manifest)
            if all(self._whole.values()):
                self.healed = heal(archive, self._say, self._keys)
                self._catalogue(archive, sandbox)

    def _tell(self, result: Result) -> None:
        self._changed = True
        self._report(result)

    # --- (1) the manifest, and what is damaged -----------------------------------------------------

    def _manifest(self, archive: Archive) -> Manifest:
        manifests = Manifests(self.root, self._own, self._others, self._par2, self._say)
        manifest, replaced = manifests.mend()
        self._check(archive, manifest)
        if replaced is None and any(self._gainsays(warc) for warc in manifest.warcs):
            manifest, replaced = manifests.mend(doubted=True)
            self._check(archive, manifest)
        if replaced is not None:
            self._tell(replaced)
        place.tidy(self.root, (name for name, whole in self._whole.items() if whole))
        return manifest

    def _check(self, archive: Archive, manifest: Manifest) -> None:
        """Look which files are as committed."""
        for warc in manifest.warcs:
            if any(_is_opened(self.root, part.path) for part in (warc, warc.list)):
                archive.finish(warc)  # a crash came between manifest and renames
            for part in (warc, warc.list):
                try:
                    with open_plain(self.root / part.path, linked=is_imported(part.path)) as file:
                        self._whole[part.path] = measure(file, {part.bytes}) == committed(part)
                except OSError:
                    self._whole[part.path] = False
                if self._whole[part.path]:
                    self._own.whole.add(self.root / part.path)

    def _gainsays(self, warc: CommittedWarc) -> bool:
        """The WARC file is, record by record, what its committed list says, but not by its own digest."""
        if self._whole[warc.path] or (entries := self._entries(warc)) is None:
            return False
        try:
            return read_warc(self.root, warc.path, entries, set()).fits
        except OSError:
            return False

    def _entries(self, warc: CommittedWarc) -> list[Entry] | None:
        """The records of a WARC file, where its record list is the committed one."""
        if not self._whole[warc.list.path]:
            return None
        try:
            return list(recordlist.read(self.root / warc.list.path))
        except ManifestError:
            return None

    # --- (2) record lists --------------------------------------------------------------------------

    def _lists(self, manifest: Manifest, sandbox: Sandbox) -> None:
        for warc in manifest.warcs:
            if not self._whole[warc.list.path]:
                _ = (
                    self._from_whole(warc.list)
                    or self._from_lines(warc, sandbox)
                    or self._from_parity(warc.list)
                )

    def _from_whole(self, part: Part) -> bool:
        """From a copy's file of the same name; else from any file of this length."""
        for copy in self._others:
            with copy.named(part.path, part.bytes) as found:
                if found is not None and self._take(part, found, copy.name):
                    return True
        for copy in (self._own, *self._others):
            with closing(copy.files()) as files:
                for file in files:
                    if file.size == part.bytes and self._take(part, file, file.name):
                        return True
        return False

    def _take(self, part: Part, source: Bytes, name: str, how: How = "whole-file") -> bool:
        made = whole_file(self.root, part, source)
        if made is None:
            return False
        self._put(part, made, how, (name,))
        return True

    def _put(self, part: Part, made: Path, how: How, sources: tuple[str, ...], records: int = 0) -> None:
        kept = place.install(self.root, made, part.path)
        self._whole[part.path] = True
        self._own.whole.add(self.root / part.path)
        self._tell(Replaced(file=part.path, how=how, sources=sources, records=records, kept=kept))

    def _from_lines(self, warc: CommittedWarc, sandbox: Sandbox) -> bool:
        """Made again from damaged lists and from the records themselves."""
        lists: list[bytes] = []
        records: list[Entry] = []
        for copy in (self._own, *self._others):
            with copy.named(warc.list.path, warc.list.bytes) as found:
                try:
                    lists.append(found.read(0, 2 * warc.list.bytes) if found is not None else b"")
                except UNREADABLE:
                    continue
            with copy.named(warc.path, 0) as stored:
                if isinstance(stored, LocalBytes):
                    records += described(stored, sandbox, imported=is_imported(warc.path))
        data = merge(warc, lists, records)
        if data is None:
            return False
        made = place.folder(self.root) / f"{Path(warc.list.path).name}{place.NEW}"
        replace_file(made, data)
        self._put(warc.list, made, "lines", ())
        return True

    # --- (3) and (4) WARC files --------------------------------------------------------------------

    def _warcs(self, manifest: Manifest) -> None:
        waiting: list[Assembly] = []
        for warc in manifest.warcs:
            if self._whole[warc.path]:
                continue
            entries = self._entries(warc)
            if entries is None or not tiles(entries, warc.bytes):
                if not self._from_whole(warc) and not self._from_parity(warc):
                    reason = f"{_NO_COPY}, and without its record list no single record can be looked for"
                    self._tell(Unmended(file=warc.path, reason=reason))
                continue
            assembly = Assembly(self.root, warc, entries)
            for copy in self._others:
                if assembly.missing:
                    with copy.named(warc.path, warc.bytes) as found:
                        if found is not None:
                            assembly.take(found, copy.name)
            if assembly.missing and is_imported(warc.path) and self._from_whole(warc):
                assembly.forget()  # nobody finds its records one by one where it has another name
            elif assembly.missing:
                waiting.append(assembly)
            else:
                self._finish(assembly)
        self._look_everywhere(waiting)
        for assembly in waiting:
            self._finish(assembly)

    def _look_everywhere(self, waiting: Sequence[Assembly]) -> None:
        """Records that are not in their place, here or in a copy: by their digest, wherever they lie."""
        wanted: Wanted = defaultdict(list)
        for assembly in waiting:
            for number in assembly.missing:
                wanted[assembly.entries[number].digest].append((assembly, number))
        for copy in (self._own, *self._others):
            with closing(copy.files()) as files:
                for file in files:
                    if not wanted:
                        return
                    _look(file, wanted, copy.name)

    def _finish(self, assembly: Assembly) -> None:
        warc, missing = assembly.warc, assembly.missing
        made = None if missing else assembly.finish()
        if made is not None:
            self._put(warc, made, "records", tuple(assembly.sources), assembly.found)
            return
        if self._from_parity(warc):
            assembly.forget()
            return
        for number in missing:
            entry = assembly.entries[number]
            self._tell(
                MissingRecord(
                    file=warc.path,
                    record=number,
                    offset=entry.offset,
                    length=entry.length,
                    digest=entry.digest,
                    id=entry.id,
                    uri=entry.uri,
                )
            )
        reason = (
            f"nobody has {len(missing)} of its {warc.records} records"
            if missing
            else "each record is right, but the file is not the one that the manifest names"
        )
        partial, found = assembly.leave(), assembly.found
        self._tell(Unmended(file=warc.path, reason=reason, partial=partial, found=found))

    def _from_parity(self, part: Part) -> bool:
        if self._par2 is None:
            return False
        with self._par2.restored(self.root, part) as found:
            return found is not None and self._take(part, found, "parity", "parity")

    # --- (5) and (6) the rest ----------------------------------------------------------------------

    def _extra(self, manifest: Manifest) -> None:
        """What nothing commits goes to damaged/."""
        named = {part.path for warc in manifest.warcs for part in (warc, warc.list)}
        for name in stored_names(self.root):
            if name not in named and not is_open(self.root, name):
                kept = place.move(self.root, self.root / name)
                self._tell(Moved(file=shown(name), kept=shown(kept)))

    def _catalogue(self, archive: Archive, sandbox: Sandbox) -> None:
        for name in (catalogue.NAME, catalogue.DIGEST_NAME, f"{catalogue.NAME}-journal"):
            path = self.root / name
            if os.path.lexists(path) and (not is_plain(path) or name.endswith("-journal")):
                self._tell(Moved(file=name, kept=place.move(self.root, path)))
        if not self._changed and not self.healed and not any(check_file(self.root, thorough=False)):
            return
        try:
            manifest = archive.manifest()
            lines = committed_lines(self.root, manifest)
            catalogue.rebuild(self.root, [warc.path for warc in manifest.warcs], sandbox, lines)
        except RecordError as error:
            self._say(f"the catalogue could not be made anew: {error}")


def _is_opened(root: Path, file: str) -> bool:
    """Whether it has still the name that it had while it was written."""
    path = root / (file + OPEN)
    return is_plain(path) or (is_imported(file) and path.is_symlink())


def _look(file: LocalBytes, wanted: Wanted, name: str) -> None:
    """Take what is wanted from one file."""
    try:
        if file.read(0, 2) not in _BEGINNINGS and ".warc" not in file.name:
            return
        spans = walk(file.file) if file.readable() else []
    except (OSError, RecordError):
        return
    for span in spans:
        for assembly, number in wanted.get(span.digest or "", ()):
            if assembly.put(number, file, span.offset, name):
                wanted[span.digest or ""] = [
                    each for each in wanted[span.digest or ""] if each != (assembly, number)
                ]
        if span.digest in wanted and not wanted[span.digest]:
            del wanted[span.digest]
