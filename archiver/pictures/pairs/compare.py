"""Two pictures → a Comparison, and the change map. Meant to run in the sandbox: both are hostile.

Light to import: the parent, which only names these functions, does not pay for OpenCV.
"""

import base64
from typing import Any

import msgspec


def compare_pictures(data: bytes, *, first_bytes: int) -> dict[str, Any]:
    """The Comparison of two pictures, one behind the other, as JSON values.

    The first is `first_bytes` long. Whatever the bytes are, a Comparison comes out.
    """
    from archiver.pictures.pairs.judge import compared  # noqa: PLC0415 - only the child pays for it

    built: dict[str, Any] = msgspec.to_builtins(compared(data[:first_bytes], data[first_bytes:]))
    return built


def draw_changes(data: bytes, *, first_bytes: int) -> dict[str, Any]:
    """`comparison` as above, with `sizes` (upright width and height of both) and `png`, the map in base64."""
    from archiver.pictures.pairs.judge import drawn  # noqa: PLC0415 - only the child pays for it

    found = drawn(data[:first_bytes], data[first_bytes:])
    return {
        "comparison": msgspec.to_builtins(found.comparison),
        "sizes": found.sizes,
        "png": base64.b64encode(found.png).decode("ascii"),
    }
