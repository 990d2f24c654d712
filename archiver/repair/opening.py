"""From what a person named as copies to a repair under the archive's lock; and the making of parity."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from archiver.archive import Archive
from archiver.capture.wire.fetch import Client, Network
from archiver.errors import NotAnArchive, UsageError
from archiver.keys import KeyFolder
from archiver.repair.copies import Copy, Folder, Say
from archiver.repair.parity import FOLDER, Par2, find
from archiver.repair.remote import WHOLE_BYTES, Remote
from archiver.repair.results import Protected, Result
from archiver.repair.run import Repair
from archiver.verify.files import stored_names

_HEAD_BYTES = 1 << 20  # beside a file in an answer
_INSTALL = "Install par2 (Debian: apt install par2), or name it with --par2."


def repair(
    root: Path,
    givens: Sequence[str],
    *,
    network: Mapping[str, Any],
    par2: Path | None,
    report: Callable[[Result], None],
    say: Say,
    keys: KeyFolder | None = None,
) -> list[str]:
    """Mend an archive from these copies; what was sealed after a crash, in words.

    `network`: fields of Network, for copies that are URLs. Raises UsageError, NotAnArchive, ManifestError,
    StorageError, Locked.
    """
    program = find(par2)
    if not givens:
        _archive_at(root)
    with _opened(root, givens, network, say) as copies, Archive(root).lock("repair"):
        if program is None and (root / FOLDER).is_dir():
            say(f"{FOLDER}/ cannot be used: par2 is not installed. {_INSTALL}")
        par = Par2(program, say) if program else None
        work = Repair(root, copies, par, report=report, say=say, keys=keys)
        work.run()
        return work.healed


def protect(
    root: Path, percent: float, par2: Path | None, report: Callable[[Protected], None], say: Say
) -> list[str]:
    """Make what parity is missing; the damaged files, which get none.

    Raises UsageError without par2, NotAnArchive, ManifestError, StorageError, Locked.
    """
    archive = Archive(root)
    archive.manifest()
    program = find(par2)
    if program is None:
        raise UsageError("par2 is not installed", _INSTALL)
    with archive.lock("protect"):
        return Par2(program, say).protect(root, archive.manifest(), percent, report)


def _archive_at(root: Path) -> None:
    """Raise NotAnArchive where nothing is to be mended."""
    if not stored_names(root) and not (root / "manifest.json").exists():
        raise NotAnArchive(
            f"{root}: no archive here", "Name the archive's folder; with --from COPY it is made from a copy."
        )


@contextmanager
def _opened(
    root: Path, givens: Sequence[str], network: Mapping[str, Any], say: Say
) -> Iterator[Sequence[Copy]]:
    with ExitStack() as stack:
        client = None
        copies: list[Copy] = []
        for given in givens:
            if given.lower().startswith(("http://", "https://")):
                if "?" in given or "#" in given:
                    raise UsageError(f"{given}: not the URL of a folder", "Leave out what follows ? or #.")
                most = WHOLE_BYTES + _HEAD_BYTES
                client = client or stack.enter_context(Client(Network(max_bytes=most, **network)))
                copies.append(Remote(given, client, say))
            else:
                copies.append(Folder(_path(root, given), say))
        yield copies


def _path(root: Path, given: str) -> Path:
    path = Path(given)
    try:
        if path.exists() and root.exists() and path.samefile(root):
            raise UsageError(f"{given}: this is the archive itself", "Name another copy with --from.")
        if not path.is_dir() and not path.is_file():
            raise UsageError(f"{given}: no such file or folder", "Name a copy, or its http(s) URL.")
    except OSError as error:
        raise UsageError(f"{given}: {error.strerror or error}") from error
    return path
