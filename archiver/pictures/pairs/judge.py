"""Two pictures, decoded → the relation of one to the other: from the surest evidence to the weakest."""

from archiver.errors import RecordError
from archiver.model import Comparison
from archiver.pictures.decode import decode
from archiver.pictures.pairs.changemap import change_map
from archiver.pictures.pairs.mapping import View, mapped
from archiver.pictures.pairs.verdict import judged
from archiver.pictures.pairs.words import unmapped

_QUALITY = 80  # of a PDQ hash: below, different pictures share hashes


def compared(first: bytes, second: bytes) -> Comparison:
    """What two pictures have to do with each other."""
    if first == second:
        return Comparison(relation="same-bytes", reason="The bytes are the same.")
    images = []
    for name, data in (("first", first), ("second", second)):
        try:
            images.append(decode(data).image)
        except RecordError as error:
            return Comparison(relation="undecodable", reason=f"The {name} is {error}.")
    one, two = images
    if one.size == two.size and one.tobytes() == two.tobytes():
        return Comparison(relation="same-pixels", reason="Every decoded pixel is the same.")
    return _viewed(View(one), View(two))


def _viewed(first: View, second: View) -> Comparison:
    found, inliers = mapped(first, second)
    distance = _distance(first, second)
    if found is None:
        return unmapped(inliers, distance)
    return judged(first, second, found, distance, graphics=False)


def drawn(first: bytes, second: bytes) -> tuple[Comparison, bytes]:
    """The Comparison, and the change map as PNG; empty where no map takes one picture to the other."""
    found = compared(first, second)
    crop = found.box if found.whole == "first" else None
    if not (found.boxes or crop):
        return found, b""
    changed, overlaid = ((), found.boxes) if found.relation == "overlaid" else (found.boxes, ())
    pixels = View(decode(first).image).pixels
    return found, change_map(pixels, changed=changed, overlaid=overlaid, crop=crop)


def _distance(first: View, second: View) -> int | None:
    """Bits between their PDQ hashes, the nearest of 8 turned forms; None where one of them finds nothing."""
    if min(first.pdq[1], second.pdq[1]) < _QUALITY:
        return None
    return int((first.pdq[0][0] != second.pdq[0]).sum(axis=1).min())
