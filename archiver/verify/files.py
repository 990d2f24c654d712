"""Measure committed files, and say what stands in their place."""

import os
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archiver.archive import OPENED
from archiver.digests import blocks_digest
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.model import Finding
from archiver.storage import LISTED, OPEN, NotPlain, blocks, is_imported, is_plain, stored_at

COPY = "Get the file from another copy of the archive."


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
    return Facts(size, blocks_digest(blocks(file, size)))


def unreadable(
    file: str, error: OSError, expected: str | None = None, *, root: Path | None = None
) -> Finding:
    """The finding for a file that could not be opened or read. With `root` it says where a link leads."""
    link = _link(root, file) if root else ""
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    plain = not isinstance(error, NotPlain | IsADirectoryError)
    return Finding(
        verdict="incomplete" if plain else "failed",
        code="missing-file" if missing else "unreadable-file" if plain else "not-a-file",
        file=file,
        message=("the file is missing" if missing else f"the file cannot be read: {error.strerror or error}")
        + (f"; its link leads to {link}" if link else ""),
        expected=expected,
        advice="Put it back there, or get it from another copy of the archive." if link else COPY,
    )


def _link(root: Path, file: str) -> str:
    """Where the link of an imported file leads; empty where there is none."""
    try:
        return shown(str(stored_at(root, file).readlink())) if is_imported(file) else ""
    except OSError:
        return ""


def stored_names(root: Path) -> list[str]:
    """What lies in warcs/ and imports/, sorted; nothing of what cannot be read."""
    found: list[str] = []
    for folder in ("warcs", "imports"):
        with suppress(OSError):
            found += sorted(f"{folder}/{path.name}" for path in (root / folder).iterdir())
    return found


def is_committed(name: str) -> bool:
    """Whether a name is that of an imported file, neither of its record list nor of what is being written."""
    return is_imported(name) and not name.endswith(OPEN)


def is_open(root: Path, name: str) -> bool:
    """Whether it is what a capture or an import is writing."""
    final = name.removesuffix(OPEN)
    ours = OPENED.fullmatch(name.removeprefix("warcs/")) or is_committed(final.removesuffix(LISTED))
    linked = is_imported(name) and (root / name).is_symlink()
    return final != name and bool(ours) and (is_plain(root / name) or linked)


def shown(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 become escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
