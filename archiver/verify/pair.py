"""Steps (3) and (4): a WARC file and its record list, each judged by the manifest, then by the other."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archiver.errors import RecordError
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import CommittedList, CommittedWarc
from archiver.model import Entry, Finding, Verdict
from archiver.sandbox import Sandbox
from archiver.storage import blocks, is_imported, open_stored
from archiver.verify import imports
from archiver.verify.files import COPY, Commitments, Facts, committed, unreadable
from archiver.verify.findings import of_file
from archiver.verify.lists import Lines, compare, derive, read_list
from archiver.verify.locate import locate


@dataclass(frozen=True)
class Stored:
    """What lies where a WARC file should be, read once.

    `holds` says of each line whether the bytes at its offset have its digest; `fits` that all do, and
    that the lines cover the file from its first byte to its last, without gap or overlap.
    """

    facts: Facts
    holds: tuple[bool, ...]
    fits: bool


def read_warc(root: Path, name: str, lines: Lines, sizes: set[int]) -> Stored:
    """Read a WARC file or an imported file in one pass. Raises OSError."""
    whole, holds, fits = hashlib.sha256(), [], None not in lines
    with open_stored(root, name) as file:
        size = os.fstat(file.fileno()).st_size
        for entry in lines:
            at = file.tell()
            if entry is None or entry.offset < at or entry.length == 0:
                holds.append(False)
                continue
            for block in blocks(file, entry.offset - at):
                fits = False
                whole.update(block)
            member = hashlib.sha256()
            for block in blocks(file, entry.length):
                whole.update(block)
                member.update(block)
            holds.append(entry.digest == "sha256:" + member.hexdigest())
        fits = fits and all(holds) and file.tell() == size
        if size not in sizes:
            return Stored(Facts(size, None), tuple(holds), fits)
        for block in blocks(file, size - file.tell()):
            whole.update(block)
    return Stored(Facts(size, "sha256:" + whole.hexdigest()), tuple(holds), fits)


class Pair:
    """The check of one WARC file with its record list. What it learnt is right when `findings()` ended.

    `entries` are the records in file order, None where a line is no entry. `known`: they are what was
    committed, by the list or by the WARC file. `holds`: whose stored bytes have their digest.
    """

    def __init__(self, root: Path, warc: CommittedWarc, commitments: Commitments, sandbox: Sandbox) -> None:
        self.warc = warc
        self.entries: Lines = []
        self.known = False
        self.holds: tuple[bool, ...] = ()
        self._root, self._commitments, self._sandbox = root, commitments, sandbox

    def seems_right(self) -> bool:
        """Whether the record list is the committed one, and the WARC file has the bytes that it covers.

        The WARC file is not read: only its length is looked at.
        """
        try:
            listed, entries = read_list(self._root, self.warc, self._commitments.sizes)
            with open_stored(self._root, self.warc.path) as file:
                size = os.fstat(file.fileno()).st_size
        except OSError:
            return False
        whole = listed == committed(self.warc.list) and len(entries) == self.warc.records
        if not whole or size != self.warc.bytes or _covered(entries) != size:
            return False
        self.entries, self.known = entries, True
        return True

    def findings(self) -> Iterator[Finding]:
        """What is wrong with either file."""
        listed, stored = None, None
        sizes = self._commitments.sizes
        try:
            listed, self.entries = read_list(self._root, self.warc, sizes)
        except OSError as error:
            yield unreadable(self.warc.list.path, error, self.warc.list.digest)
        try:
            stored = read_warc(self._root, self.warc.path, self.entries, sizes)
            self.holds = stored.holds
        except OSError as error:
            yield unreadable(self.warc.path, error, self.warc.digest, root=self._root)
        intact = stored is not None and stored.facts == committed(self.warc)
        fits = stored is not None and stored.fits
        if listed == committed(self.warc.list) and None not in self.entries and (fits or not intact):
            self.known = True
            yield from self._count()
        else:
            yield from self._list(listed, intact=intact)
        if stored is not None and not intact:
            yield from self._warc(stored, list_intact=listed == committed(self.warc.list))

    def _count(self) -> Iterator[Finding]:
        if len(self.entries) != self.warc.records:
            message = f"{self.warc.path}: its committed record list has another number of records"
            yield _manifest(message, str(self.warc.records), str(len(self.entries)))

    def _list(self, listed: Facts | None, *, intact: bool) -> Iterator[Finding]:
        """The record list is not as committed, or does not fit the WARC file."""
        lines, records = self.entries, derive(self._root, self.warc, self._sandbox) if intact else None
        if records is not None:
            self.entries, self.known, self.holds = records, True, (True,) * len(records)
        if listed is None:
            return
        other = self._commitments.owner(listed)
        if listed.bytes == 0 and self.warc.list.bytes:
            yield _whole(self.warc.list, "empty-file", "the file is empty", listed, "incomplete")
        elif other not in (None, self.warc.list.path):
            yield _whole(self.warc.list, "swapped-file", f"it holds the bytes of {other}", listed)
        elif located := list(self._lines(lines, records)):
            yield from located
        elif records is not None and lines == records:
            message = f"{self.warc.list.path}: every line is right, but the manifest says otherwise"
            yield _manifest(message, str(committed(self.warc.list)), str(listed))
        else:
            message = "it is not the committed list of this WARC file; which line was changed cannot be told"
            yield _whole(self.warc.list, "record-list-digest", message, listed)

    def _lines(self, lines: Lines, records: list[Entry] | None) -> Iterator[Finding]:
        if records is not None:
            yield from compare(self.warc, lines, records)
        else:
            yield from _broken(self.warc.list.path, lines)

    def _warc(self, stored: Stored, *, list_intact: bool) -> Iterator[Finding]:
        """The WARC file is not as committed."""
        other = self._commitments.owner(stored.facts)
        if stored.facts.bytes == 0:
            yield _whole(self.warc, "empty-file", "the file is empty", stored.facts, "incomplete")
        elif other is not None:
            yield _whole(self.warc, "swapped-file", f"it holds the bytes of {other}", stored.facts)
        elif stored.fits and list_intact:
            message = f"{self.warc.path}: every record is intact, but the manifest says otherwise"
            yield _manifest(message, str(committed(self.warc)), str(stored.facts))
        else:
            known = not stored.fits and any(self.entries)
            located = list(_located(self._root, self.warc.path, self.entries, stored)) if known else []
            message = "the file is not the committed one; which record was changed cannot be told"
            yield from located or [_whole(self.warc, "warc-digest", message, stored.facts)]


def _covered(lines: Lines) -> int | None:
    """How many bytes the entries tile from the first on; None with a gap, an overlap or a broken line."""
    end = 0
    for entry in lines:
        if entry is None or entry.offset != end or entry.length == 0:
            return None
        end += entry.length
    return end


def check_uncommitted(root: Path, name: str) -> Iterator[Finding]:
    """Without a manifest: a WARC file, judged by its record list alone."""
    digest = "sha256:" + "0" * 64
    listed = commitment.list_of(name)
    part = CommittedList(path=listed, bytes=0, digest=digest)
    warc = CommittedWarc(path=name, bytes=0, digest=digest, records=1 << 53, list=part)
    try:
        _, lines = read_list(root, warc, set())
    except OSError as error:
        yield unreadable(listed, error)
        return
    yield from _broken(listed, lines)
    try:
        stored = read_warc(root, name, lines, set())
        if any(lines) and not stored.fits:
            yield from _located(root, name, lines, stored)
    except OSError as error:
        yield unreadable(name, error)


def _broken(listed: str, lines: Lines) -> Iterator[Finding]:
    """Lines that are no entries, where nothing says what they were."""
    for number, line in enumerate(lines):
        if line is None:
            yield Finding(
                verdict="failed",
                code="changed-line",
                file=listed,
                record=number,
                message=f"line {number + 1} is not an entry",
                advice=COPY,
            )


def _located(root: Path, name: str, lines: Lines, stored: Stored) -> Iterator[Finding]:
    """The records of a WARC file that are not as their lines say; none when it cannot be walked."""
    try:
        with open_stored(root, name) as file:
            if is_imported(name):
                yield from imports.locate(file, name, lines, stored.holds, stored.facts.bytes)
            else:
                yield from locate(file, name, lines)
    except (OSError, RecordError):
        return


def _manifest(message: str, expected: str, found: str) -> Finding:
    """The stored bytes agree with each other and with the tree: the manifest was edited."""
    return of_file(commitment.NAME, "manifest-entry", message, expected=expected, found=found, advice=COPY)


def _whole(
    part: CommittedWarc | CommittedList, code: str, message: str, found: Facts, verdict: Verdict = "failed"
) -> Finding:
    expected = str(committed(part))
    return of_file(
        part.path, code, message, verdict=verdict, expected=expected, found=str(found), advice=COPY
    )
