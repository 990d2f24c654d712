"""Inflate (RFC 1951) by zlib-ng where it is installed, else by zlib: the same bytes and verdicts."""

import zlib
from collections.abc import Callable
from typing import Any

_library: Any = zlib
try:
    from zlib_ng import zlib_ng
except ImportError:
    pass
else:
    _library = zlib_ng

decompressobj: Callable[[int], "zlib._Decompress"] = _library.decompressobj
error: type[Exception] = _library.error
