"""Two pictures, decoded → the relation of one to the other: from the surest evidence to the weakest."""

from PIL import Image

from archiver.errors import RecordError
from archiver.model import Comparison, PictureKind
from archiver.pictures.decode import Pixels, decode
from archiver.pictures.hashes import QUALITY
from archiver.pictures.kinds import kind_of, tiny
from archiver.pictures.pairs.changemap import change_map
from archiver.pictures.pairs.compare import SAME_PIXELS, Drawn
from archiver.pictures.pairs.grid import working
from archiver.pictures.pairs.mapping import View, mapped
from archiver.pictures.pairs.verdict import judged
from archiver.pictures.pairs.words import unmapped

_SAME = Comparison(relation="same-bytes", reason="The bytes are the same.")


def compared(first: bytes, second: bytes) -> Comparison:
    """What two pictures have to do with each other."""
    if first == second:
        return _SAME
    images = _decoded(first, second)
    return images if isinstance(images, Comparison) else _judged(*images)


def drawn(first: bytes, second: bytes) -> Drawn:
    """The same, and the change map where a map takes one picture to the other."""
    images = _decoded(first, second)
    if isinstance(images, Comparison):
        return Drawn(comparison=images)
    found = _SAME if first == second else _judged(*images)
    crop = found.box if found.whole == "first" else None
    png = b""
    if found.boxes or crop:
        changed, overlaid = ((), found.boxes) if found.relation == "overlaid" else (found.boxes, ())
        png = change_map(working(images[0].image), changed=changed, overlaid=overlaid, crop=crop)
    return Drawn(comparison=found, sizes=tuple(each.upright for each in images), png=png)


def _decoded(first: bytes, second: bytes) -> tuple[Pixels, Pixels] | Comparison:
    """Both pictures, or what can be said without one of them."""
    images = []
    for name, data in (("first", first), ("second", second)):
        try:
            images.append(decode(data))
        except RecordError as error:
            if first == second:
                return _SAME
            return Comparison(relation="undecodable", reason=f"The {name} picture is no use: {error}.")
    return images[0], images[1]


def _judged(one: Pixels, two: Pixels) -> Comparison:
    whole = one.scale == two.scale == 1  # else pixels that differ may have the same average
    if whole and one.image.size == two.image.size and one.image.tobytes() == two.image.tobytes():
        return SAME_PIXELS
    first, second = View(one.image), View(two.image)
    distance = _distance(first, second)
    kinds = [_kind(first), _kind(second)]
    for name, kind in zip(("first", "second"), kinds, strict=True):
        if kind in ("plain", "tiny"):
            reason = f"The {name} is {kind}: it holds too little to look like another."
            return Comparison(relation="different", reason=reason)
    found, inliers = mapped(first, second)
    if found is None:
        return unmapped(inliers, distance)
    return judged(first, second, found, distance, graphics=kinds == ["graphic", "graphic"])


def _kind(view: View) -> PictureKind:
    """As `describe_pixels` tells it, from the smaller picture that is at hand."""
    return "tiny" if tiny(view.size) else kind_of(Image.fromarray(view.reduced), view.pdq[1])


def _distance(first: View, second: View) -> int | None:
    """Bits between their PDQ hashes, the nearest of 8 turned forms; None where one of them finds nothing."""
    if min(first.pdq[1], second.pdq[1]) < QUALITY:
        return None
    return int((first.pdq[0][0] != second.pdq[0]).sum(axis=1).min())
