"""What each of two mapped pictures shows beyond the other: more picture, or an added bar."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archiver.model import Box
from archiver.pictures.pairs.align import Affine
from archiver.pictures.pairs.grid import Bytes, corners, inverse

_NEAR = 20  # levels from a bar's colour, in each channel, that still are this colour
_FLAT = 0.93  # share of a bar in its one colour
_LETTERED = 0.5  # of a bar with text on it
_THICKEST = 0.4  # share of the side that a caption bar takes
_BEYOND = 0.01  # share of a side by which a picture goes on, at least, to show more on its own account
_CONTINUED = 0.75  # share of an edge in the bar's colour, from which the bar may as well be the picture's own


@dataclass(frozen=True)
class Extent:
    """One picture against the other that lies on it."""

    box: Box  # of it, that the other shows
    covered: float  # share of it that the other shows
    beyond: tuple[float, float, float, float]  # how much it shows more: left, top, right, bottom, in shares
    bars: tuple[Box, ...]  # what it shows more, where each of that is an added bar
    own: bool  # whether it shows more by far enough that no map is off by so much, and that is no filling

    def shows_more(self, least: float) -> bool:
        return max(self.beyond) > least


def extent(picture: Bytes, affine: Affine, least: float) -> Extent:
    """Of a picture on which another is mapped; `least` is the share of a side below which is nothing more."""
    places = corners(affine)
    low, high = places.min(axis=0), places.max(axis=0)
    inner_low, inner_high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    box = _box(*inner_low, *inner_high)
    beyond = (float(low[0]), float(low[1]), float(1 - high[0]), float(1 - high[1]))
    bars = _bars(picture, box, [more > least for more in beyond])
    return Extent(box, _covered(affine), beyond, bars, own=not bars and _shows_own(picture, affine))


def _shows_own(picture: Bytes, affine: Affine) -> bool:
    """Whether a picture goes on beyond the other, by more than what fills the corners of a turned one."""
    height, width = picture.shape[:2]
    back = inverse(affine)
    across, down = (
        row[0] * (np.arange(width) + 0.5) / width
        + row[1] * (np.arange(height)[:, None] + 0.5) / height
        + row[2]
        for row in back
    )
    sides = np.linalg.norm(back[:, :2], axis=1)  # a share of the other's side for each share of its own
    off = [np.maximum(-at, at - 1) / side for at, side in zip((across, down), sides, strict=True)]
    outside = np.maximum(*off) > _BEYOND
    if outside.mean() < _BEYOND / 4:
        return False
    pixels = picture[outside]
    return _alike(pixels, np.median(pixels, axis=0)) < _FLAT


def through(box: Box, affine: Affine) -> Box:
    """Where a box of the second picture lies on the first, which it may leave."""
    left, top = box.left, box.top
    unit = np.array(
        [[left + x * box.width, top + y * box.height, 1.0] for x in (0.0, 1.0) for y in (0.0, 1.0)]
    )
    places = unit @ affine.T
    return _box(*places.min(axis=0), *places.max(axis=0))


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return Box(left=float(left), top=float(top), width=float(right - left), height=float(bottom - top))


def _covered(affine: Affine) -> float:
    """The share of the first picture where the second lies."""
    steps = (np.arange(64) + 0.5) / 64
    back = inverse(affine)
    across, down = (row[0] * steps[None, :] + row[1] * steps[:, None] + row[2] for row in back)
    return float(((across >= 0) & (across <= 1) & (down >= 0) & (down <= 1)).mean())


def _bars(picture: Bytes, box: Box, more: list[bool]) -> tuple[Box, ...]:
    """The strips outside the box, each over the whole side, if all of them were added."""
    right, bottom = box.left + box.width, box.top + box.height
    strips = (
        _box(0, 0, box.left, 1),
        _box(0, 0, 1, box.top),
        _box(right, 0, 1, 1),
        _box(0, bottom, 1, 1),
    )
    wanted = [(side, strip) for side, strip in enumerate(strips) if more[side]]
    if not wanted:
        return ()
    shares = [_share_of_bar(picture, strip, box, side) for side, strip in wanted]
    lettered = len(shares) == 1 and shares[0] >= _LETTERED
    thick = max(strip.width if side % 2 == 0 else strip.height for side, strip in wanted) > _THICKEST
    if min(shares) >= _FLAT or (lettered and not thick):
        return tuple(strip for _, strip in wanted)
    return ()


def _share_of_bar(picture: Bytes, strip: Box, box: Box, side: int) -> float:
    """The share of a strip in its commonest colour; 0 where the picture beside it has this colour, too."""
    outside, edge = _pixels(picture, strip, box, side)
    if not outside.size or not edge.size:
        return 0.0
    colour = np.median(outside.reshape(-1, 3), axis=0)
    if _alike(edge, colour) > _CONTINUED:
        return 0.0
    return _alike(outside, colour)


def _alike(pixels: NDArray[np.uint8], colour: NDArray[np.floating]) -> float:
    off = np.abs(pixels.reshape(-1, 3).astype(np.int16) - colour)
    return float((off.max(axis=1) <= _NEAR).mean())


def _pixels(picture: Bytes, strip: Box, box: Box, side: int) -> tuple[Bytes, Bytes]:
    """A strip without the pixels that its edge blurs, and the picture's line of pixels beside it."""
    height, width = picture.shape[:2]
    if side % 2:  # above or below: as if it were at the left
        picture, height, width = picture.transpose(1, 0, 2), width, height
        strip, box = (Box(left=b.top, top=b.left, width=b.height, height=b.width) for b in (strip, box))
    top, bottom = round(box.top * height), round((box.top + box.height) * height)
    thick = strip.width * width
    guard = min(3.0, thick / 3)
    if side < 2:
        at = strip.width * width
        outside, inner = picture[:, : max(1, int(at - guard))], int(at + 3)
    else:
        at = strip.left * width
        outside, inner = picture[:, min(width - 1, int(np.ceil(at + guard))) :], int(at - 4)
    inner = min(max(inner, 0), width - 1)
    return outside, picture[top:bottom, inner : inner + 1]
