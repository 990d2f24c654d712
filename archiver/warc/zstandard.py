"""Zstandard (RFC 8878), from Python's own library or its backport."""

from typing import Any

from archiver.errors import RecordError

FRAME = b"\x28\xb5\x2f\xfd"  # what a frame begins with


def zstd() -> Any:
    """The module. RecordError where there is none."""
    try:
        from compression import zstd as module  # noqa: PLC0415 - from Python 3.14 on, where it was built
    except ImportError:
        try:
            from backports import zstd as module  # noqa: PLC0415
        except ImportError as error:
            raise RecordError("this Python cannot read Zstandard", "Install backports.zstd.") from error
    return module
