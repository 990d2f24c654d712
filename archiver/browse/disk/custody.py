"""Who vouches for a WARC file: the checkpoint that commits it, who signed and stamped that, the last check.

Told from manifest.json and checks.json as they are, which are read again when they change. Nothing is judged.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from archiver import checks
from archiver.browse.words import plain
from archiver.errors import ArchiverError, TimestampError
from archiver.manifest import checkpoint as checkpoints
from archiver.manifest import manifest as commitment
from archiver.manifest import timestamp
from archiver.manifest.manifest import Checkpoint, Manifest
from archiver.warc.write import warc_date

_State = tuple[int, int]  # of a file: when it was changed (ns), bytes


@dataclass(frozen=True)
class Custody:
    """Of one WARC file. `checkpoint` counts from 1; `stamps` are authorities with the times they name.

    A time is "" where the token does not tell it here (docs/proof.md).
    """

    digest: str
    checkpoint: int
    records: int
    signers: tuple[str, ...]
    stamps: tuple[tuple[str, str], ...]
    checked: str
    verdict: str


def custody(root: Path, file: str) -> Custody | None:
    """None where the manifest does not commit the file yet, or cannot be read."""
    manifest = _manifest(root, _state(root / commitment.NAME))
    number = (
        next((n for n, each in enumerate(manifest.warcs) if each.path == file), None) if manifest else None
    )
    if manifest is None or number is None or len(manifest.checkpoints) <= number:
        return None
    warc, made = manifest.warcs[number], manifest.checkpoints
    # As evidence takes it: the first that is stamped, else signed, else the first at all.
    at = min(
        range(number, len(made)), key=lambda each: (not made[each].timestamps, not made[each].signatures)
    )
    mark = _marks(root, _state(root / checks.NAME)).get((warc.path, warc.digest))
    return Custody(
        digest=warc.digest,
        checkpoint=at + 1,
        records=_size(made[at]),
        signers=tuple(plain(line.split(" ")[1]) for line in made[at].signatures),
        stamps=_stamps(made[at]),
        checked=mark.checked if mark else "",
        verdict=mark.verdict if mark else "",
    )


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError:
        return 0, -1
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _manifest(root: Path, state: _State) -> Manifest | None:  # noqa: ARG001 - another state is another manifest
    try:
        return commitment.load(root)
    except ArchiverError:
        return None


@lru_cache(maxsize=4)
def _marks(root: Path, state: _State) -> dict[tuple[str, str], checks.Mark]:  # noqa: ARG001
    return {(mark.file, mark.digest): mark for mark in checks.load(root).marks}


def _size(made: Checkpoint) -> int:
    try:
        return checkpoints.parse(made.note)[1]
    except ArchiverError:
        return 0


@lru_cache(maxsize=64)
def _stamps(made: Checkpoint) -> tuple[tuple[str, str], ...]:
    return tuple((plain(each.authority), _time(made, each)) for each in made.timestamps)


def _time(made: Checkpoint, stamp: commitment.Timestamp) -> str:
    if stamp.kind != "rfc3161":
        return ""
    try:
        answer = timestamp.decode(stamp.token)
        return warc_date(timestamp.judge(answer, made.stamped(stamp.over), ()).time)
    except TimestampError:
        return ""
