"""Two pictures → a Comparison, and the change map. Meant to run in the sandbox: both are hostile.

Light to import: the parent, which only names these functions, does not pay for OpenCV.
"""

from typing import Any

import msgspec

from archiver.model import Comparison, Noun

SAME_PIXELS = Comparison(relation="same-pixels", reason="Every decoded pixel is the same.")


class Drawn(Noun, frozen=True):
    """A Comparison with what a person wants to see of it."""

    comparison: Comparison
    sizes: tuple[tuple[int, int], ...] = ()  # upright width and height of both; none of undecodable ones
    png: bytes = b""  # the change map; empty where there is nothing to show


def compare_pictures(data: bytes, *, first_bytes: int, second_bytes: int | None = None) -> dict[str, Any]:
    """The Comparison of two pictures, one behind the other, as JSON values.

    They are so long; what is behind the second are their Fingerprints or nulls, in MessagePack, so that
    they are not made again. Whatever the bytes of the pictures are, a Comparison comes out.
    """
    from archiver.pictures.pairs.judge import Known, compared  # noqa: PLC0415 - only the child pays for it

    first, rest = data[:first_bytes], data[first_bytes:]
    if second_bytes is None:
        found = compared(first, rest)
    else:
        found = compared(first, rest[:second_bytes], msgspec.msgpack.decode(rest[second_bytes:], type=Known))
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built


def draw_changes(data: bytes, *, first_bytes: int) -> dict[str, Any]:
    """The same, as a Drawn: its PNG in base64."""
    from archiver.pictures.pairs.judge import drawn  # noqa: PLC0415 - only the child pays for it

    built: dict[str, Any] = msgspec.to_builtins(drawn(data[:first_bytes], data[first_bytes:]))
    return built
