"""SHA-256 as the archiver writes it everywhere: `sha256:` and 64 lower-case hex digits."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blocks_digest(blocks: Iterable[bytes]) -> str:
    """The digest of blocks one after the other."""
    found = hashlib.sha256()
    for block in blocks:
        found.update(block)
    return "sha256:" + found.hexdigest()


def file_digest(path: Path) -> tuple[int, str]:
    """Length and digest of a file, read in blocks. Raises OSError."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), "sha256:" + found
