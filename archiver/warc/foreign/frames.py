"""Files of Zstandard as IIPC's "Zstandard Compression for WARC Files 1.0" has them.

Each frame is decoded for itself; a dictionary for all of them may stand first, in a skippable frame.
"""

import struct
from collections.abc import Iterator
from typing import Any

from archiver.errors import RecordError
from archiver.warc.foreign.inflate import DecodeError
from archiver.warc.foreign.source import Source
from archiver.warc.zstandard import FRAME, zstd

_DICTIONARY = b"\x5d\x2a\x4d\x18"
_DICTIONARY_BYTES = 32 << 20
_OUT = 1 << 20


class Frame:
    """A decoder of one frame. RecordError where this Python has none."""

    def __init__(self, dictionary: Any | None) -> None:
        self._error = zstd().ZstdError
        self._decoder = zstd().ZstdDecompressor(zstd_dict=dictionary)

    @property
    def eof(self) -> bool:
        return bool(self._decoder.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._decoder.unused_data)

    def next(self, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                yield self._decoder.decompress(data, _OUT)
                data = b""
                if self._decoder.eof or self._decoder.needs_input:
                    return
        except self._error as error:
            raise DecodeError(str(error)) from error


def dictionary(source: Source) -> Any | None:
    """The dictionary with which a file begins; None when it has none. RecordError when it is none."""
    if not source.starts(0, _DICTIONARY):
        return None
    (size,) = struct.unpack("<L", source.read(4, 4).ljust(4, b"\0"))
    if size > _DICTIONARY_BYTES:
        raise RecordError(f"a dictionary of {size} bytes")
    data = source.read(8, size)
    try:
        if data.startswith(FRAME):
            decoder = zstd().ZstdDecompressor()
            data = decoder.decompress(data, _DICTIONARY_BYTES)
            if not decoder.eof:
                raise RecordError("its dictionary is cut, or too long")
        return zstd().ZstdDict(data)
    except (zstd().ZstdError, ValueError) as error:
        raise RecordError(f"its dictionary cannot be read: {error}") from error
