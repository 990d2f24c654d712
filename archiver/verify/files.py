"""Open committed files safely, and measure them. Opening a pipe or a device could last for ever."""

import errno
import hashlib
import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archiver.archive import OPEN
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.model import Finding

BLOCK = 1 << 20
COPY = "Get the file from another copy of the archive."


class NotPlain(OSError):
    """A link, a folder, a pipe or a device stands where a plain file should be."""


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading. Raises NotPlain for anything else, OSError when it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotPlain(error.errno, "a link or a special file stands in its place") from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotPlain(errno.EINVAL, "a folder or a special file stands in its place")
    return os.fdopen(handle, "rb")


def is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def stored_at(root: Path, file: str) -> Path:
    """Where a committed file lies: after a crash it may still have its name while being written."""
    path, opened = root / file, root / (file + OPEN)
    return opened if not os.path.lexists(path) and is_plain(opened) else path


@dataclass(frozen=True)
class Facts:
    """Length and digest of a file; no digest where its length alone says that it is another one."""

    bytes: int
    digest: str | None

    def __str__(self) -> str:
        return f"{self.bytes} bytes" + (f", {self.digest}" if self.digest else "")


def committed(part: CommittedWarc | CommittedList) -> Facts:
    """What the manifest says of a file."""
    return Facts(part.bytes, part.digest)


class Commitments:
    """Which committed file has which bytes: so that a file in another's place is recognised."""

    def __init__(self, manifest: Manifest) -> None:
        parts = [part for warc in manifest.warcs for part in (warc, warc.list)]
        self._names = {committed(part): part.path for part in parts}
        self.sizes = {part.bytes for part in parts}

    def owner(self, facts: Facts) -> str | None:
        """The file that the manifest gives these bytes."""
        return self._names.get(facts)


def measure(file: BinaryIO, sizes: Container[int] | None = None) -> Facts:
    """Facts about an open file; it is read only when it has one of these sizes, if any are given."""
    size = os.fstat(file.fileno()).st_size
    if sizes is not None and size not in sizes:
        return Facts(size, None)
    found = hashlib.sha256()
    for block in blocks(file, size):
        found.update(block)
    return Facts(size, "sha256:" + found.hexdigest())


def blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    """The next `length` bytes, or fewer at the end of the file."""
    while length > 0 and (data := file.read(min(length, BLOCK))):
        yield data
        length -= len(data)


def unreadable(file: str, error: OSError, expected: str | None = None) -> Finding:
    """The finding for a file that could not be opened or read."""
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    plain = not isinstance(error, NotPlain | IsADirectoryError)
    return Finding(
        verdict="incomplete" if plain else "failed",
        code="missing-file" if missing else "unreadable-file" if plain else "not-a-file",
        file=file,
        message="the file is missing" if missing else f"the file cannot be read: {error.strerror or error}",
        expected=expected,
        advice=COPY,
    )


def shown(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 become escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
