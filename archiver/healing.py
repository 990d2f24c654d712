"""What a crash left open is cut after its last good line and sealed; the rest is kept in torn/."""

import os
import shutil
from pathlib import Path
from typing import Protocol

from archiver.digests import digest
from archiver.errors import ManifestError, RecordError, StorageError
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedWarc
from archiver.storage import own_folder, storage_error, sync_folder


class Sealing(Protocol):
    """What healing needs of an archive."""

    @property
    def root(self) -> Path: ...

    def seal(self, name: str) -> CommittedWarc: ...

    def finish(self, committed: CommittedWarc) -> None: ...


class Healing:
    """Seals one WARC file that a crash left open, without the network."""

    def __init__(
        self, archive: Sealing, name: str, opened: tuple[Path, Path], *, named: CommittedWarc | None
    ) -> None:
        """`opened`: where the WARC file and its record list lie; `named`: what the manifest says of them."""
        self._archive, self._name, self._committed = archive, name, named
        self._warc, self._list = opened

    def run(self) -> str:
        for path in (self._warc, self._list):
            if path.exists() and not path.is_file():  # a pipe would be waited for for ever
                raise StorageError(f"{path}: a folder or a special file lies there", "Move it away.")
        if self._committed is not None:  # the crash came between manifest and rename
            self._archive.finish(self._committed)
            if not self._warc.exists() and not self._list.exists():
                return f"{self._name}: was sealed already; gave its files their names"
        try:
            good, lines_end = (0, 0) if self._committed else self._last_good()
            torn = self._keep(self._warc, good) + self._keep(self._list, lines_end)
            if good == 0:
                self._warc.unlink(missing_ok=True)
                self._list.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(self._warc, error) from error
        kept = f"; {torn} torn bytes are kept in torn/" if torn else ""
        if self._committed:
            return f"{self._name}: is sealed; what lay beside it is moved away{kept}"
        if good == 0:
            return f"{self._name}: held no whole record{kept}"
        self._archive.seal(self._name)
        return f"{self._name}: sealed after an interruption{kept}"

    def _last_good(self) -> tuple[int, int]:
        """Ends of the last record that line and bytes agree on: in the WARC file, in the list."""
        end = lines_end = 0
        if not self._list.exists() or not self._warc.exists():
            return 0, 0
        with self._warc.open("rb") as warc, self._list.open("rb") as listed:
            size = os.fstat(warc.fileno()).st_size
            for line in recordlist.lines(listed):
                try:
                    entry = recordlist.decode(line)
                except (ManifestError, RecordError):
                    break
                if entry.offset != end or not 0 < entry.length <= size - end:
                    break
                if digest(warc.read(entry.length)) != entry.digest:
                    break
                end, lines_end = end + entry.length, lines_end + len(line)
        return end, lines_end

    def _keep(self, path: Path, end: int) -> int:
        """Move what lies beyond `end` into torn/, durably; return how many bytes that were."""
        if not path.exists():
            return 0
        if path.is_symlink():
            raise StorageError(f"{path}: will not write through a link", "Remove it, or move it away.")
        with path.open("r+b") as file:
            rest = os.fstat(file.fileno()).st_size - end
            if rest:
                torn = own_folder(self._archive.root / "torn")
                kept = torn / f"{path.stem}.{end}"
                kept.unlink(missing_ok=True)  # of a healing that was cut short itself
                with kept.open("xb") as copy:
                    file.seek(end)
                    shutil.copyfileobj(file, copy, 1 << 20)
                    copy.flush()
                    os.fsync(copy.fileno())
                sync_folder(torn)
                file.truncate(end)
                os.fsync(file.fileno())
        return rest
