"""SHA-256 as the archiver writes it everywhere: `sha256:` and 64 lower-case hex digits."""

import hashlib
from pathlib import Path


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> tuple[int, str]:
    """Length and digest of a file, read in blocks. Raises OSError."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), "sha256:" + found
