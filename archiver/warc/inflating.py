"""Inflate (RFC 1951) by zlib-ng where it is installed, else by zlib: the same bytes and verdicts."""

import zlib
from collections.abc import Callable
from importlib import import_module

try:
    _library = import_module("zlib_ng.zlib_ng")
except ImportError:
    _library = zlib

decompressobj: Callable[[int], "zlib._Decompress"] = _library.decompressobj
error: type[Exception] = _library.error
