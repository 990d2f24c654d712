"""Two pictures, decoded → the relation of one to the other: from the surest evidence to the weakest."""

import hashlib
from collections import OrderedDict

from archiver.errors import RecordError
from archiver.model import Comparison
from archiver.pictures.decode import decode
from archiver.pictures.hashes import QUALITY
from archiver.pictures.pairs.changemap import change_map
from archiver.pictures.pairs.compare import SAME_PIXELS, Drawn
from archiver.pictures.pairs.mapping import View, mapped
from archiver.pictures.pairs.verdict import judged
from archiver.pictures.pairs.words import unmapped

_SAME = Comparison(relation="same-bytes", reason="The bytes are the same.")
_KEPT = 3  # pictures, at most 8 MB each: one is compared with several others in turn
_views: OrderedDict[bytes, View] = OrderedDict()  # by SHA-256 of their bytes, the newest last


def compared(first: bytes, second: bytes) -> Comparison:
    """What two pictures have to do with each other."""
    if first == second:
        return _SAME
    views = _viewed(first, second)
    return views if isinstance(views, Comparison) else _judged(*views)


def drawn(first: bytes, second: bytes) -> Drawn:
    """The same, and the change map where a map takes one picture to the other."""
    views = _viewed(first, second)
    if isinstance(views, Comparison):
        return Drawn(comparison=views)
    found = _SAME if first == second else _judged(*views)
    crop = found.box if found.whole == "first" else None
    png = b""
    if found.boxes or crop:
        changed, overlaid = ((), found.boxes) if found.relation == "overlaid" else (found.boxes, ())
        png = change_map(views[0].pixels, changed=changed, overlaid=overlaid, crop=crop)
    return Drawn(comparison=found, sizes=tuple(each.upright for each in views), png=png)


def _viewed(first: bytes, second: bytes) -> tuple[View, View] | Comparison:
    """Both pictures, or what can be said without one of them."""
    views = []
    for name, data in (("first", first), ("second", second)):
        try:
            views.append(_view(data))
        except RecordError as error:
            if first == second:
                return _SAME
            return Comparison(relation="undecodable", reason=f"The {name} picture is no use: {error}.")
    return views[0], views[1]


def _view(data: bytes) -> View:
    """A picture, decoded now or a little while ago. Raises RecordError."""
    key = hashlib.sha256(data).digest()
    view = _views.pop(key, None) or View(decode(data))
    _views[key] = view
    if len(_views) > _KEPT:
        _views.popitem(last=False)
    return view


def _judged(first: View, second: View) -> Comparison:
    if first.digest is not None and first.digest == second.digest:
        return SAME_PIXELS
    distance = _distance(first, second)
    for name, view in (("first", first), ("second", second)):
        if view.kind in ("plain", "tiny"):
            reason = f"The {name} is {view.kind}: it holds too little to look like another."
            return Comparison(relation="different", reason=reason)
    found, inliers = mapped(first, second)
    if found is None:
        return unmapped(inliers, distance)
    return judged(first, second, found, distance, graphics=first.kind == second.kind == "graphic")


def _distance(first: View, second: View) -> int | None:
    """Bits between their PDQ hashes, the nearest of 8 turned forms; None where one of them finds nothing."""
    if min(first.pdq[1], second.pdq[1]) < QUALITY:
        return None
    return int((first.pdq[0][0] != second.pdq[0]).sum(axis=1).min())
