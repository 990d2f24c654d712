"""Two pictures, decoded → the relation of one to the other: from the surest evidence to the weakest."""

import hashlib
from collections import OrderedDict

from archiver.errors import RecordError
from archiver.model import Comparison
from archiver.pictures.decode import decode
from archiver.pictures.fingerprint import Fingerprint, fingerprint_of, pdq_distance, same_pixels
from archiver.pictures.pairs.changemap import change_map
from archiver.pictures.pairs.compare import SAME_PIXELS, Drawn
from archiver.pictures.pairs.mapping import View, mapped
from archiver.pictures.pairs.verdict import judged
from archiver.pictures.pairs.words import unmapped

Known = tuple[Fingerprint | None, Fingerprint | None]

_SAME = Comparison(relation="same-bytes", reason="The bytes are the same.")
_KEPT = 3  # pictures, at most 8 MB each: one is compared with several others in turn
_views: OrderedDict[bytes, View] = OrderedDict()  # by SHA-256 of their bytes, the newest last


def compared(first: bytes, second: bytes, known: Known = (None, None)) -> Comparison:
    """What two pictures have to do with each other; `known` are their fingerprints, if at hand."""
    if first == second:
        return _SAME
    views = _viewed(first, second, known)
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


def _viewed(first: bytes, second: bytes, known: Known = (None, None)) -> tuple[View, View] | Comparison:
    """Both pictures, or what can be said without one of them."""
    views = []
    for name, data, held in (("first", first, known[0]), ("second", second, known[1])):
        try:
            views.append(_view(data, held))
        except RecordError as error:
            if first == second:
                return _SAME
            return Comparison(relation="undecodable", reason=f"The {name} picture is no use: {error}.")
    return views[0], views[1]


def _view(data: bytes, held: Fingerprint | None) -> View:
    """A picture, decoded now or a little while ago. Raises RecordError."""
    key = hashlib.sha256(data).digest()
    view = _views.pop(key, None)
    if view is None:
        pixels = decode(data)
        view = View(pixels, held or fingerprint_of(pixels, hashed=False))
    _views[key] = view
    if len(_views) > _KEPT:
        _views.popitem(last=False)
    return view


def _judged(first: View, second: View) -> Comparison:
    one, two = first.fingerprint, second.fingerprint
    if same_pixels(one, two):
        return SAME_PIXELS
    kinds = (one.facts.kind, two.facts.kind)
    for name, kind in zip(("first", "second"), kinds, strict=True):
        if kind in ("plain", "tiny"):
            reason = f"The {name} is {kind}: it holds too little to look like another."
            return Comparison(relation="different", reason=reason)
    distance = pdq_distance(one, two)
    found, inliers = mapped(first, second)
    if found is None:
        return unmapped(inliers, distance)
    return judged(first, second, found, distance, graphics=kinds == ("graphic", "graphic"))
