"""Inflating (RFC 1951) by zlib-ng: the bytes and the verdicts of zlib, in two thirds of its time."""

import zlib
from collections.abc import Callable

from zlib_ng import zlib_ng

decompressobj: Callable[[int], "zlib._Decompress"] = zlib_ng.decompressobj
error: type[Exception] = zlib_ng.error
