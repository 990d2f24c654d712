"""Files of the index: opened so that no link or pipe leads elsewhere, and bytes that are appended to."""

import io
import os
import stat
from pathlib import Path

from archiver.errors import RecordError
from archiver.storage import storage_error

DAMAGED = "Run 'archiver rebuild'."


class Log:
    """In a file or in memory; who writes says where. Every failure of the disk is a StorageError."""

    def __init__(self, path: Path | None, *, writable: bool) -> None:
        """Raises FileNotFoundError, where it is not to be made, and RecordError for what is no file."""
        self._path = path
        self._file: io.RawIOBase | io.BytesIO = (
            io.BytesIO() if path is None else opened(path, writable=writable)
        )

    def read(self, begin: int, end: int) -> bytes:
        """Raises RecordError when it ends before."""
        try:
            if begin <= end <= self._file.seek(0, os.SEEK_END):
                self._file.seek(begin)
                data = self._file.read(end - begin)
                if data is not None and len(data) == end - begin:
                    return data
        except OSError as error:
            raise storage_error(self._path or "", error) from error
        raise RecordError(f"{self._path}: not the bytes that it should have", DAMAGED)

    def write(self, begin: int, data: bytes) -> None:
        left = memoryview(data)
        try:
            self._file.seek(begin)
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            raise storage_error(self._path or "", error) from error

    def truncate(self, size: int) -> None:
        try:
            self._file.truncate(size)
        except OSError as error:
            raise storage_error(self._path or "", error) from error

    def sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise storage_error(self._path or "", error) from error

    def close(self) -> None:
        self._file.close()


def opened(path: Path, *, writable: bool) -> io.FileIO:
    """Raises FileNotFoundError, and RecordError for what is no file."""
    flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}", DAMAGED) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RecordError(f"{path}: not a file", DAMAGED)
    return io.FileIO(handle, "r+" if writable else "r")
