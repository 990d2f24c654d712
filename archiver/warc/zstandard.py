"""Zstandard (RFC 8878), from Python's own library or its backport."""

from importlib import import_module
from typing import Any

from archiver.errors import RecordError

FRAME = b"\x28\xb5\x2f\xfd"  # what a frame begins with


def zstd() -> Any:
    """The module. RecordError where there is none."""
    for name in ("compression.zstd", "backports.zstd"):  # of Python 3.14 and later, and before
        try:
            return import_module(name)
        except ImportError:
            continue
    raise RecordError("this Python cannot read Zstandard", "Install backports.zstd.")
