"""Copies on disk: folders, files, evidence bundles. Nothing of them is believed but a digest."""

import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from archiver.errors import FetchError
from archiver.storage import BLOCK, OPEN, is_imported, is_plain, open_plain
from archiver.verify.files import shown
from archiver.warc.read import RECORD_BYTES

UNREADABLE = (OSError, FetchError)  # what reading a copy may raise
MOST_FILES = 100_000  # looked at in one folder
BUNDLED = "capture.warc.gz"  # in an evidence bundle (docs/evidence.md)
_DIRECTORY_BYTES = 16 << 20  # of a ZIP; it is held in memory
_SWELL = 10  # bytes for each byte of a ZIP: its members are compressed already
_TAIL = (1 << 16) + 200  # of a ZIP: comment, end record, and those of ZIP64

Say = Callable[[str], None]


class Bytes(Protocol):
    """Bytes that may be anything."""

    name: str

    def read(self, offset: int, length: int) -> bytes:
        """These bytes, or fewer where there are no more. Raises one of UNREADABLE."""


class Copy(Protocol):
    """Where bytes may be had."""

    name: str

    def named(self, path: str, most: int) -> AbstractContextManager[Bytes | None]:
        """What it has under a committed path. `most`: so many bytes of it are of any use."""

    def files(self) -> Generator["LocalBytes", None, None]:
        """Every file that may hold something, open until the next is asked for."""


class LocalBytes:
    """An open plain file."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name, self.file = name, file
        self.size = os.fstat(file.fileno()).st_size

    def read(self, offset: int, length: int) -> bytes:
        found = bytearray()
        while len(found) < length and (
            data := os.pread(self.file.fileno(), min(length - len(found), BLOCK), offset + len(found))
        ):
            found += data
        return bytes(found)

    def readable(self) -> bool:
        """Whether the system gives every byte: a map of a file that it does not give ends the process.

        A file of which more than half is a hole is none that anybody copied.
        """
        if self.size > RECORD_BYTES and os.fstat(self.file.fileno()).st_blocks * 512 < self.size // 2:
            return False
        try:
            return all(self.read(at, BLOCK) for at in range(0, self.size, BLOCK))
        except OSError:
            return False


class Folder:
    """A folder with anything in it, or a single file."""

    def __init__(self, root: Path, say: Say) -> None:
        self.name, self._root, self._say = str(root), root, say

    @contextmanager
    def named(self, path: str, most: int) -> Iterator[Bytes | None]:  # noqa: ARG002 - read in pieces
        base = path.rpartition("/")[2]
        linked = is_imported(path)
        places = [self._root / path, self._root / (path + OPEN), self._root / base]
        if self._root.name == base:
            places.append(self._root)
        place = next((place for place in places if is_plain(place, linked=linked)), None)
        try:
            file = open_plain(place, linked=linked) if place else None
        except OSError as error:
            self._say(f"{place}: {error.strerror or error}")
            file = None
        if file is None:
            yield None
            return
        with file:
            yield LocalBytes(str(place), file)

    def files(self) -> Generator[LocalBytes, None, None]:
        for path in self.paths():
            try:
                file = open_plain(path)
            except OSError as error:
                self._say(f"{shown(str(path))}: {error.strerror or error}")
                continue
            with file:
                opened = LocalBytes(shown(str(path)), file)
                yield opened
                yield from _bundled(opened, self._say)

    def paths(self) -> Iterator[Path]:
        """Plain files below the folder, in order; no link is followed."""
        if is_plain(self._root):
            yield self._root
            return
        seen = 0
        for folder, below, names in os.walk(self._root, onerror=lambda error: self._say(str(error))):
            below.sort()
            for name in sorted(names):
                seen += 1
                if seen > MOST_FILES:
                    self._say(f"{self.name}: only the first {MOST_FILES:,} files are looked at")
                    return
                if is_plain(path := Path(folder) / name):
                    yield path


class Own(Folder):
    """The archive itself: what it moved aside, and what is not in its place."""

    def __init__(self, root: Path, say: Say) -> None:
        super().__init__(root, say)
        self.name = "this archive"
        self.whole: set[Path] = set()  # files that are as committed: nobody needs to look into them

    def paths(self) -> Iterator[Path]:
        for folder in ("warcs", "imports", "damaged", "torn"):
            if (path := self._root / folder).is_dir() and not path.is_symlink():
                yield from (each for each in Folder(path, self._say).paths() if each not in self.whole)


def _bundled(file: LocalBytes, say: Say) -> Iterator[LocalBytes]:
    """The WARC files of an evidence bundle (APPNOTE.TXT, ".ZIP File Format Specification", section 4)."""
    try:
        if file.read(0, 4) != b"PK\x03\x04":
            return
        if _directory_bytes(file) > _DIRECTORY_BYTES:
            say(f"{file.name}: the ZIP's directory is larger than {_DIRECTORY_BYTES} bytes; not read")
            return
        with zipfile.ZipFile(file.file) as bundle, tempfile.TemporaryFile() as out:
            for info in bundle.infolist():
                if info.filename != BUNDLED or info.flag_bits & 1:
                    continue
                with bundle.open(info) as packed:
                    most = file.size * _SWELL
                    while out.tell() < most and (data := packed.read(BLOCK)):
                        out.write(data)
                break
            out.flush()
            yield LocalBytes(f"{file.name}: {BUNDLED}", out)
    except (
        OSError,
        ValueError,
        EOFError,
        zlib.error,
        struct.error,
        RuntimeError,
        OverflowError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
    ) as error:
        say(f"{file.name}: not a ZIP that can be read: {error}")


def _directory_bytes(file: LocalBytes) -> int:
    """The greatest size of a central directory that any end record, old or ZIP64, gives."""
    tail = file.read(max(0, file.size - _TAIL), _TAIL)
    most = 0
    for magic, form, skip in ((b"PK\x05\x06", "<L", 12), (b"PK\x06\x06", "<Q", 40)):
        at = tail.find(magic)
        while at >= 0:
            if len(field := tail[at + skip : at + skip + struct.calcsize(form)]) == struct.calcsize(form):
                most = max(most, struct.unpack(form, field)[0])
            at = tail.find(magic, at + 1)
    return most
