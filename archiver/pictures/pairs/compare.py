"""Two pictures → a Comparison. Meant to run in the sandbox: both are hostile."""

from typing import Any

import msgspec

from archiver.errors import RecordError
from archiver.model import Comparison
from archiver.pictures.decode import decode
from archiver.pictures.pairs.mapping import View, mapped
from archiver.pictures.pairs.verdict import judged
from archiver.pictures.pairs.words import unmapped

_QUALITY = 80  # of a PDQ hash: below, different pictures share hashes


def compare_pictures(data: bytes, *, first_bytes: int) -> dict[str, Any]:
    """The Comparison of two pictures, one behind the other, as JSON values.

    The first is `first_bytes` long. Whatever the bytes are, a Comparison comes out.
    """
    built: dict[str, Any] = msgspec.to_builtins(compared(data[:first_bytes], data[first_bytes:]))
    return built


def compared(first: bytes, second: bytes) -> Comparison:
    """What two pictures have to do with each other."""
    if first == second:
        return Comparison(relation="same-bytes", reason="The bytes are the same.")
    images = []
    for name, data in (("first", first), ("second", second)):
        try:
            images.append(decode(data).image)
        except RecordError as error:
            return Comparison(relation="undecodable", reason=f"The {name}: {error}.")
    one, two = images
    if one.size == two.size and one.tobytes() == two.tobytes():
        return Comparison(relation="same-pixels", reason="Every decoded pixel is the same.")
    views = View(one), View(two)
    found, inliers = mapped(*views)
    distance = _distance(*views)
    if found is None:
        return unmapped(inliers, distance)
    return judged(*views, found, distance, graphics=False)


def _distance(first: View, second: View) -> int | None:
    """Bits between their PDQ hashes, the nearest of 8 turned forms; None where one of them finds nothing."""
    if min(first.pdq[1], second.pdq[1]) < _QUALITY:
        return None
    return int((first.pdq[0][0] != second.pdq[0]).sum(axis=1).min())
