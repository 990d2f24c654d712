"""What differs locally between two aligned pictures of one photograph: changed, or laid over.

Re-encoding, resizing, sharpening and a change of tone leave a difference everywhere, and more of it where
there is more texture. `explain` takes away what concerns all of the picture; what is left is held against
what the same pair leaves in places of like texture. A change is an outlier against its own picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.model import Box
from archiver.pictures.pairs.explain import CELL, Explained, Floats, cells, explain, follows, reduced
from archiver.pictures.pairs.overlays import Region, edges, is_overlay, region, watermarks

# windows in cells a side, and the least score in each that is a change
_WINDOWS = ((3, 1.6), (5, 1.0), (9, 0.9))
_OUTLIER = 1.5  # natural logarithm of the energy above what is expected
_UNLIKE = 0.3  # share of the energy of both that the difference has: 0 the same, 1 unrelated
_LEVELS = 8.0  # grey levels, root mean square
_COLOUR_LEVELS = 26.0
_ABOVE = 3.0  # times the noise of the pair
_LOUD = 20.0  # grey levels: no encoder leaves more, so a noisy pair hides no more than this
_DETAILED = 20.0  # variance within the pixels of the grid
_ENCODED = 0.07  # share of it that encoders and good resamplers leave
_ENOUGH = 40  # cells with as much, to tell
_FINER = 0.2  # of the variance in patterns finer than the grid, which no two resamplers show alike
_ENCODER, _ALWAYS = 0.25, 30.0  # an encoder leaves at most that share of a texture's energy, and that
_BINS = 8
_LEAST = 2  # cells that a change has
_SEVERAL = 6  # cells of one place that have that score
_SURELY = 1.5  # of that score: one is enough
_GROW = 0.6  # of the score that is a change: its surroundings belong to it


@dataclass(frozen=True)
class Changes:
    """Boxes are in shares of the first picture's width and height, the largest first."""

    changed: tuple[Box, ...]
    overlaid: tuple[Box, ...]
    share: float  # of the compared area that differs, overlays included
    noise: float  # what the two differ by everywhere: grey levels, the median root mean square
    drift: float  # how far places lie from where the map puts them: pixels at 512 a side, 90th percentile


def find_changes(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    *,
    scale: float = 1.0,
    unshown: Floats | None = None,
) -> Changes:
    """What is changed in, or laid over, one of two pictures.

    Both are height x width x 3 RGB on one grid, aligned to within a pixel; `valid` (height x width) says
    where both show something. `scale` is the lower of their own resolutions, in pixels for each pixel of the
    grid; `unshown` (height x width) the variance of the finer picture within a pixel of the grid. The same
    input gives the same result.
    """
    one, two, shown = reduced(first, second, valid, scale)
    height, width = shown.shape
    within = np.zeros((height // CELL, width // CELL), np.float32)
    if unshown is not None:
        within = np.asarray(cv2.resize(unshown, within.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    turned = follows(one, two)
    seen = explain(two, one, shown, within) if turned else explain(one, two, shown, within)
    score, noise = _score(seen)
    if score.max() >= 1:  # a change is one from either side; what only one cannot explain is tone
        other = explain(one, two, shown, within) if turned else explain(two, one, shown, within)
        score = np.minimum(score, _score(other)[0])
    hot = _hot(score)
    sure = _sure(hot, seen, noise)
    bars, rest = edges(sure, seen)
    found = _regions(np.where(rest < sure, 0, hot).astype(np.uint8), rest)
    found, lines = watermarks(found, seen)
    laid = [is_overlay(place, seen) for place in found]
    overlaid = [*bars, *lines, *(place for place, over in zip(found, laid, strict=True) if over)]
    changed = [place for place, over in zip(found, laid, strict=True) if not over]
    compared = max(1, int((seen.valid > 0.5).sum()))
    return Changes(
        tuple(place.box for place in changed),
        tuple(place.box for place in overlaid),
        float(hot.sum() / compared),
        noise,
        _drift(seen.off, hot),
    )


def _drift(off: Floats, hot: NDArray[np.uint8]) -> float:
    """The 90th percentile of how far textures lie off the map, away from what differs there."""
    told = off[(off >= 0) & (cv2.dilate(hot, np.ones((7, 7), np.uint8)) == 0)]
    return float(np.percentile(told, 90)) if len(told) else 0.0


def _score(seen: Explained) -> tuple[Floats, float]:
    """For each cell how far it is a change (1: it is), and the noise of the pair."""
    score = np.zeros_like(seen.valid)
    squares = [cells(values * values) for values in (seen.left, seen.predicted, seen.luminance)]
    means = [cells(values) for values in (seen.predicted, seen.luminance)]
    noise = 0.0
    for window, least in _WINDOWS:
        energy, *powers = (_around(values, seen.valid, window) for values in squares)
        levels = [_around(values, seen.valid, window) for values in means]
        one, two = (np.maximum(power - level * level, 0) for power, level in zip(powers, levels, strict=True))
        both = one + two + (levels[0] - levels[1]) ** 2
        within = _around(seen.unshown, seen.valid, window)
        texture = np.minimum(one, two)
        usual = np.minimum(np.exp(_expected(energy, texture, seen.valid)), _ENCODER * texture + _ALWAYS)
        usual += _aliased(energy, within) * within + _FINER * np.maximum(within - 2 * texture, 0)
        found = _outlying(energy, np.log(usual), both, _LEVELS)
        score = np.maximum(score, found / np.float32(least))
        noise = float(np.sqrt(np.median(energy)))
    colour = _around((seen.colour**2).sum(axis=2), seen.valid, 5)
    own = seen.own_colour.sum(axis=2)
    expected = np.minimum(_expected(colour, own, seen.valid), np.log(_ENCODER * own + _ALWAYS))
    score = np.maximum(score, _outlying(colour, expected, own + colour, _COLOUR_LEVELS))
    score[seen.valid < 0.5] = 0
    return score, noise


def _around(values: Floats, valid: Floats, window: int) -> Floats:
    """The mean over the valid part of a window around each cell, 0 or more."""
    size = (window, window)
    share = np.maximum(cv2.blur(valid, size, borderType=cv2.BORDER_REFLECT), 1e-3)
    total = cv2.blur(values * valid, size, borderType=cv2.BORDER_REFLECT)
    return np.maximum(np.asarray(total / share, np.float32), 0)


def _outlying(energy: Floats, expected: Floats, both: Floats, levels: float) -> Floats:
    """A score that is high where energy is above what is expected (its logarithm), unlike, and visible."""
    outlier = (np.log1p(energy) - expected) / _OUTLIER
    unlike = energy / (both + 20) / _UNLIKE
    noise = float(np.sqrt(np.median(energy)))
    visible = np.sqrt(energy) / max(levels, min(_ABOVE * noise, _LOUD))
    return np.asarray(np.minimum(np.minimum(outlier, unlike), visible), np.float32)


def _aliased(energy: Floats, unshown: Floats) -> float:
    """How much more of what the grid does not show came back as something else than an encoder explains.

    A proxy that leaves pixels out does so everywhere; the least of four halves knows nothing of a change
    in one place.
    """
    much = unshown >= max(_DETAILED, float(np.median(unshown)))
    share = energy / np.maximum(unshown, 1)
    rows, columns = much.shape[0] // 2, much.shape[1] // 2
    halves = (np.s_[:rows], np.s_[rows:], np.s_[:, :columns], np.s_[:, columns:])
    found = [
        float(np.quantile(share[half][much[half]], 0.3)) for half in halves if much[half].sum() >= _ENOUGH
    ]
    return max(0.0, min(found, default=0.0) - _ENCODED)


def _expected(energy: Floats, texture: Floats, valid: Floats) -> Floats:
    """The logarithm of the energy that places of like texture have: medians of bins, joined."""
    some = valid > 0.5
    some[1::2] = False  # half of them tell as much
    at, level = np.log1p(texture[some]), np.log1p(energy[some])
    if len(at) < 4 * _BINS:
        return np.full_like(energy, np.inf)
    parts = np.array_split(np.argsort(at, kind="stable"), _BINS)
    where = [float(at[part[(len(part) - 1) // 2]] + at[part[len(part) // 2]]) / 2 for part in parts]
    usual = [float(np.median(level[part])) for part in parts]
    return np.asarray(np.interp(np.log1p(texture), where, usual), np.float32)


def _hot(score: Floats) -> NDArray[np.uint8]:
    """Cells that changed: all above the lower threshold that touch several above the upper, or a sure one.

    A single star or stroke comes back otherwise from a curve of tone; a change is sure, or takes some room.
    """
    count, labels = cv2.connectedComponents((score > _GROW).astype(np.uint8), connectivity=8)
    above = np.bincount(labels[score >= 1], minlength=count) >= _SEVERAL
    above[labels[score >= _SURELY]] = True
    above[0] = False
    return np.asarray(above[labels], np.uint8)


def _sure(hot: NDArray[np.uint8], seen: Explained, noise: float) -> NDArray[np.uint8]:
    """Of the cells whose surroundings changed those that differ themselves: half way up from the noise."""
    own = np.sqrt(cells(seen.left**2) + (seen.colour**2).sum(axis=2))
    sure = np.zeros_like(hot)
    count, labels = cv2.connectedComponents(hot, connectivity=8)
    for number in range(1, count):
        inside = labels == number
        peak = float(np.quantile(own[inside], 0.8))
        least = max(float(np.sqrt(max(2.0, noise) * peak)), 0.3 * peak)
        sure |= (inside & (own > least)).astype(np.uint8)
    return sure


def _regions(hot: NDArray[np.uint8], sure: NDArray[np.uint8]) -> list[Region]:
    """Boxes around what belongs together, the largest first."""
    count, labels = cv2.connectedComponents(cv2.dilate(hot, np.ones((5, 5), np.uint8)), connectivity=8)
    found = []
    for number in range(1, count):
        own = (labels == number) & (sure > 0)
        if own.sum() >= _LEAST:
            found.append(region(_extent(own.sum(axis=1)), _extent(own.sum(axis=0)), hot.shape))
    return sorted(found, key=lambda place: -place.box.width * place.box.height)


def _extent(counts: NDArray[np.intp]) -> slice:
    """From the first to the last line that holds more than stray cells."""
    lines = np.flatnonzero(counts > 0.15 * counts.max())
    return slice(int(lines[0]), int(lines[-1]) + 1)
