"""The files of a ZIP, read without trust: no name leads anywhere, nothing is unpacked without a limit."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from archiver.errors import RecordError
from archiver.lint.head import Said
from archiver.lint.part import Part

DIRECTORY_BYTES = 16 << 20  # of the central directory: some 300,000 files
_EFFORT = 200  # bytes inflated for each byte of a file
_FREE = 16 << 20  # and these
_BLOCK = 1 << 20
_END, _LOCATOR, _END_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_LOCAL = struct.Struct("<4s22xHH")
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,  # a compression that is not known
    RuntimeError,  # encrypted
    ValueError,
    EOFError,
    OSError,
    OverflowError,
    struct.error,
    zlib.error,
)


class Zip:
    """Files by their names; the first of several with one name. RecordError when it cannot be read."""

    def __init__(self, file: BinaryIO, said: Said) -> None:
        self._file = file
        try:
            if _directory_bytes(file) > DIRECTORY_BYTES:
                raise RecordError(f"its directory has more than {DIRECTORY_BYTES} bytes")
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise RecordError(f"no ZIP that can be read: {error}") from error
        self.infos: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            name = info.orig_filename
            if not _is_plain(info):
                said.append(("zip-name", f"{name!r:.300} leads out, or is a link"))
            elif name in self.infos:
                said.append(("zip-name", f"{name!r:.300} is there twice"))
            elif not info.is_dir():
                self.infos[name] = info

    def stored(self, name: str) -> bool:
        return self.infos[name].compress_type == zipfile.ZIP_STORED

    def is_bomb(self, name: str) -> bool:
        info = self.infos[name]
        return info.file_size > info.compress_size * _EFFORT + _FREE

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of a file. RecordError for one that is broken, or a bomb."""
        if self.is_bomb(name):
            raise RecordError(f"{name!r:.300} is more than {_EFFORT} times as large as it is stored")
        try:
            with self._zip.open(self.infos[name]) as member:
                while block := member.read(_BLOCK):
                    yield block
        except _BROKEN as error:
            raise RecordError(f"{name!r:.300}: {error}") from error

    def whole(self, name: str, limit: int) -> bytes:
        """All of a small file. RecordError as for `read`, and for more than `limit` bytes."""
        if self.infos[name].file_size > limit:
            raise RecordError(f"{name!r:.300} has more than {limit} bytes")
        return b"".join(self.read(name))

    def place(self, name: str) -> Part:
        """Where a stored file lies. RecordError when no file begins there."""
        info = self.infos[name]
        try:
            self._file.seek(info.header_offset)
            magic, names, extra = _LOCAL.unpack(self._file.read(_LOCAL.size))
        except _BROKEN as error:
            raise RecordError(f"{name!r:.300}: {error}") from error
        if magic != b"PK\x03\x04":
            raise RecordError(f"{name!r:.300}: no file begins at {info.header_offset}")
        return Part(self._file, info.header_offset + _LOCAL.size + names + extra, info.compress_size)


def _is_plain(info: zipfile.ZipInfo) -> bool:
    name = info.orig_filename
    parts = name.removesuffix("/").split("/")
    linked = stat.S_ISLNK(info.external_attr >> 16)
    unfit = "\\" in name or "\0" in name or ":" in parts[0]
    return not linked and not unfit and all(part not in ("", ".", "..") for part in parts)


def _directory_bytes(file: BinaryIO) -> int:
    """Size of the central directory (APPNOTE 6.3.10 sections 4.3.14 to 4.3.16)."""
    size = file.seek(0, io.SEEK_END)
    begin = max(0, size - (1 << 16) - 22)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or at + 16 > len(tail):
        raise RecordError("no ZIP that can be read: it has no end, so it is cut")
    found = int.from_bytes(tail[at + 12 : at + 16], "little")
    if tail[at - 20 : at - 16] == _LOCATOR:
        file.seek(int.from_bytes(tail[at - 12 : at - 4], "little"))
        record = file.read(56)
        if record[:4] == _END_64:
            found = max(found if found != 0xFFFFFFFF else 0, int.from_bytes(record[40:48], "little"))
    return found
