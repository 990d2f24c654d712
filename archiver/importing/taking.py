"""One file of others → a committed file in imports/, with its record list and, if need be, a transcript."""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal

from archiver.archive import Archive
from archiver.digests import blocks_digest
from archiver.errors import SourceError
from archiver.importing.files import Found
from archiver.index.reader import describe_stretch, described
from archiver.intake import FOLDER, TRANSCRIPT
from archiver.manifest import recordlist
from archiver.model import GAP, Entry
from archiver.sandbox import Sandbox
from archiver.storage import blocks, open_stored, storage_error
from archiver.warc.foreign import FileKind, Stretch, stretches, transcribe
from archiver.warc.read import Member

MOST_NAMED = 1000  # gaps of one file that are named
_STRUCTURE = ("zip", "blank")  # gaps that hold nothing anybody would miss


@dataclass(frozen=True)
class Gap:
    """Bytes of which no record could be made; where in the file, and why."""

    offset: int
    length: int
    reason: str


@dataclass(frozen=True)
class Taken:
    """What came of a file. `held`: the archive had these bytes already, as `path`."""

    given: str
    path: str
    kind: FileKind
    stored: Literal["copied", "linked"]
    bytes: int
    records: int = 0
    gaps: tuple[Gap, ...] = ()  # that are damage, at most MOST_NAMED
    transcript: str = ""
    held: bool = False


class _Lines:
    """The lines of a record list to be, out of memory; counted as they come."""

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self.records = 0
        self.gaps: list[Gap] = []
        self.hidden: list[Stretch] = []

    def add(self, entry: Entry) -> None:
        self._spool.write(recordlist.encode(entry))
        self.records += entry.type != GAP

    def lose(self, gap: Gap) -> None:
        if len(self.gaps) < MOST_NAMED:
            self.gaps.append(gap)

    def entries(self) -> Iterator[Entry]:
        self._spool.seek(0)
        for line in recordlist.lines(self._spool):
            yield recordlist.decode(line)


class Taker:
    """Takes files into an archive, under its lock. `doing` is told each file's name as it begins."""

    def __init__(self, archive: Archive, sandbox: Sandbox, *, link: bool) -> None:
        self._archive, self.sandbox, self._link = archive, sandbox, link
        self._held: dict[int, list[tuple[str, str]]] = {}  # by size: digest and path
        self.records = 0  # that were read so far
        for warc in archive.manifest().warcs:
            self._held.setdefault(warc.bytes, []).append((warc.digest, warc.path))

    def take(self, found: Found, stop: Callable[[], bool]) -> Taken | None:
        """Take a file in, unless its bytes are there; None when it is to stop before that is done.

        Raises SourceError for one that cannot be read or holds no record, StorageError, ManifestError.
        """
        with found.opened() as file:
            size = file.seek(0, os.SEEK_END)
            if path := self._held_as(file, size):
                return Taken(found.given, path, found.kind, self._how(path), size, held=True)
            with self._spooled() as spool:
                lines = _Lines(spool)
                for entry in self._described(found, file, lines):
                    if stop():
                        return None
                    lines.add(entry)
                if not lines.records and not lines.hidden:
                    why = lines.gaps[0].reason if lines.gaps else "nothing in it is one"
                    raise SourceError(
                        f"{found.given}: it holds no record: {why}", "docs/import.md says more."
                    )
                return self._commit(found, file, lines, size, stop)

    def _commit(
        self, found: Found, file: BinaryIO, lines: _Lines, size: int, stop: Callable[[], bool]
    ) -> Taken | None:
        name = self._archive.free_name(found.given)
        with self._spooled() as members, self._spooled() as spool:
            hidden = _Lines(spool)
            for entry in self._transcript(file, lines.hidden, members, hidden):
                if stop():
                    return None
                hidden.add(entry)
            if not lines.records and not hidden.records:
                why = hidden.gaps[0].reason if hidden.gaps else "nothing in it is one"
                raise SourceError(f"{found.given}: it holds no record: {why}", "docs/import.md says more.")
            file.seek(0)
            link = self._link and found.path is not None
            source = found.path if link and found.path is not None else file
            committed = self._archive.take(source, name, lines.entries(), link=link)
            self._held.setdefault(size, []).append((committed.digest, committed.path))
            transcript = ""
            if hidden.records:
                members.seek(0)
                beside = self._archive.take(members, name + TRANSCRIPT, hidden.entries())
                self._held.setdefault(beside.bytes, []).append((beside.digest, beside.path))
                transcript = beside.path
        return Taken(
            found.given,
            committed.path,
            found.kind,
            "linked" if link else "copied",
            size,
            lines.records + hidden.records,
            tuple([*lines.gaps, *hidden.gaps][:MOST_NAMED]),
            transcript,
        )

    def transcribe(self, path: str) -> None:
        """Make the transcript that a file in imports/ still needs, after a crash, if it has such records."""
        try:
            with (
                open_stored(self._archive.root, path) as file,
                self._spooled() as members,
                self._spooled() as spool,
            ):
                hidden, found = _Lines(spool), [each for each in stretches(file) if each.hidden]
                for entry in self._transcript(file, found, members, hidden):
                    hidden.add(entry)
                if not hidden.records:
                    return
                members.seek(0)
                name = path.removeprefix(f"{FOLDER}/") + TRANSCRIPT
                made = self._archive.take(members, name, hidden.entries())
                self._held.setdefault(made.bytes, []).append((made.digest, made.path))
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror or error}", "Run 'archiver verify'.") from error

    def _held_as(self, file: BinaryIO, size: int) -> str:
        there = self._held.get(size)
        if not there:
            return ""
        file.seek(0)
        found = blocks_digest(blocks(file))
        return next((path for digest, path in there if digest == found), "")

    def _how(self, path: str) -> Literal["copied", "linked"]:
        return "linked" if (self._archive.root / path).is_symlink() else "copied"

    def _described(self, found: Found, file: BinaryIO, lines: _Lines) -> Iterator[Entry]:
        """The lines of a file's record list, in order: another archive's keep their places."""
        if found.lines is None:
            for stretch in stretches(file):
                self._note(stretch, lines)
                yield describe_stretch(stretch, self.sandbox)
            return
        whole = True
        for entry in found.lines():
            whole = whole and entry.type != GAP
            self.records += entry.type != GAP
            yield entry
        if not whole:
            lines.hidden += [stretch for stretch in stretches(file) if stretch.hidden]

    def _note(self, stretch: Stretch, lines: _Lines) -> None:
        if stretch.hidden:
            lines.hidden.append(stretch)
        elif stretch.record is None and stretch.code not in _STRUCTURE:
            lines.lose(Gap(stretch.offset, stretch.length, stretch.reason))
        self.records += stretch.record is not None

    def _transcript(
        self, file: BinaryIO, hidden: Iterable[Stretch], members: BinaryIO, lines: _Lines
    ) -> Iterator[Entry]:
        """Write each record that has no place of its own as a gzip member; its line."""
        offset = 0
        for stretch in hidden:
            for found in transcribe(file, stretch):
                if found.record is None:
                    lines.lose(Gap(found.offset, 0, found.reason))
                    continue
                self.records += 1
                stored = _member(found.record.raw(), members)
                place = Entry(offset=0, length=0, digest=stretch.digest, type=GAP, id="", date="")
                entry = described(place, Member(offset, stored), self.sandbox)
                if entry is place:
                    lines.lose(Gap(found.offset, 0, "a record that cannot be written by itself"))
                    members.seek(offset)
                    members.truncate()
                else:
                    offset += len(stored)
                    yield entry

    @contextmanager
    def _spooled(self) -> Iterator[BinaryIO]:
        """A file without a name in the archive's folder, where there is room or nowhere."""
        try:
            with tempfile.TemporaryFile(dir=self._archive.root) as spool:
                yield spool
        except OSError as error:
            raise storage_error(self._archive.root, error) from error


def _member(blocks: Iterable[bytes], members: BinaryIO) -> bytes:
    """One gzip member without a name or a time, so that it is the same each time; appended to a file."""
    stored = gzip.compress(b"".join(blocks), 6, mtime=0)
    members.write(stored)
    return stored
