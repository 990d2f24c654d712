"""What lies beside the catalogue, manifest.json and checks.json: read again only when they have changed."""

from functools import lru_cache
from pathlib import Path

from archiver import checks
from archiver.checks import Memory
from archiver.errors import ArchiverError
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest

_State = tuple[int, int, int]  # of a file: which it is, when it was changed (ns), bytes


def manifest(root: Path) -> Manifest | None:
    """None where there is none that can be read: `archiver verify` says why."""
    return _manifest(root, _state(root / commitment.NAME))


def memory(root: Path) -> Memory:
    return _memory(root, _state(root / checks.NAME))


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, -1
    return found.st_ino, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _manifest(root: Path, state: _State) -> Manifest | None:  # noqa: ARG001 - another state is another file
    try:
        return commitment.load(root)
    except ArchiverError:
        return None


@lru_cache(maxsize=4)
def _memory(root: Path, state: _State) -> Memory:  # noqa: ARG001 - another state is another file
    return checks.load(root)
