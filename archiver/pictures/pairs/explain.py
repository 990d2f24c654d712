"""What of the difference between two aligned pictures comes from the whole picture, and what is left of it.

First one model of tone and colour and one filter for all of the picture, fitted robustly, so that a change
in a part of it does not bend them; then small shifts, by the linear model of optical flow (Lucas and Kanade,
1981).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIZE = 512  # pixels of the longest side that are looked at
LEAST = 320  # a smaller picture is enlarged to this
CELL = 4  # pixels a side of what differences are summed over
_ROUNDS_SIMPLE, _ROUNDS = 2, 4
_MUCH_BETTER = 1.1  # times as much is explained by a guess that is taken
_EVERY = 7  # cells: one is fitted to; odd, so that they do not stand in columns
_REACH = 1.5  # pixels a place may lie from where the map puts it
# Y, Cb and Cr of ITU-R BT.601, as in JPEG
_LUMINANCE = np.array([[0.299, 0.587, 0.114]], np.float32)
_CHROMINANCE = np.array([[-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)


@dataclass(frozen=True)
class Explained:
    """Two pictures on one small grid. All arrays are of its size, or of its size in cells."""

    first: Bytes  # RGB
    second: Bytes
    predicted: Floats  # luminance of the second, had nothing changed
    luminance: Floats  # of the second
    left: Floats  # luminance that nothing explains
    colour: Floats  # cells x 2: colour difference (Cb, Cr) that nothing explains
    own_colour: Floats  # cells x 2: variance of the second's Cb and Cr around each cell
    valid: Floats  # cells: share that both show
    unshown: Floats  # cells: variance of the finer picture within the pixels of the grid
    off: Floats  # cells: pixels that a place lies off the map; -1 where there is no texture to tell


def explain(first: Bytes, second: Bytes, valid: Floats, unshown: Floats) -> Explained:
    """Take away from the difference of two pictures, as `reduced` gives them, what is no local change."""
    weight = cells(valid)
    toned = _toned(first, second, weight)
    wanted = _luma(second.astype(np.float32))
    predicted = _filtered(_luma(toned), wanted, valid)
    left, off = _shifted(predicted, wanted, valid)
    colour, own = _colour(toned, second)
    return Explained(first, second, predicted, wanted, left, colour, own, weight, unshown, off)


def cells(values: NDArray[np.floating]) -> Floats:
    """The mean of each cell."""
    height, width = values.shape[:2]
    small = cv2.resize(values, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def reduced(
    first: Bytes, second: Bytes, valid: NDArray[np.bool_], scale: float
) -> tuple[Bytes, Bytes, Floats]:
    """Two pictures and where both show something, on the grid of the lower resolution."""
    cv2.setNumThreads(1)
    height, width = valid.shape
    longest = max(height, width)
    share = min(SIZE, max(LEAST, longest * min(1.0, scale))) / longest
    size = (max(4, round(width * share / CELL)) * CELL, max(4, round(height * share / CELL)) * CELL)
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    # at the edge of what both show, resampling has mixed in what is outside
    sure = cv2.erode(valid.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1)
    one, two = (np.asarray(cv2.resize(side, size, interpolation=how), np.uint8) for side in (first, second))
    shown = np.asarray(cv2.resize(sure.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    return one, two, shown


def follows(target: Bytes, source: Bytes) -> bool:
    """Whether the target can be made from the source: grey from colour, clipped from what is not."""
    to, of = (_saturation(side) for side in (target, source))
    if min(to, of) < 0.4 * max(to, of):
        return to < of
    return _clipped(target) >= _clipped(source)


def _saturation(picture: Bytes) -> float:
    part = picture[::4, ::4].astype(np.int16)
    return float((part.max(axis=2) - part.min(axis=2)).mean())


def _clipped(picture: Bytes) -> float:
    part = picture[::4, ::4]
    return float(((part < 5) | (part > 250)).mean())


def _luma(picture: Floats) -> Floats:
    return np.asarray(cv2.transform(picture, _LUMINANCE), np.float32)


def _fit(features: Floats, values: Floats, simple: int, guess: Floats | None = None) -> NDArray[np.float64]:
    """Coefficients by least squares, reweighted so that outliers do not count (Geman-McClure).

    It begins with all values, with those that nearly are 0, and with those that a guess (its residuals)
    nearly explains: a large overlay bends the first of these, another tone the second. What explains most is
    taken. Without a guess the first rounds take the first `simple` features alone: a place whose colours are
    nowhere else would explain itself by the others, were it not an outlier by then.
    """
    known, wanted = features.astype(np.float64), values.astype(np.float64)
    every = [known.shape[1]] * _ROUNDS
    careful = [simple] * _ROUNDS_SIMPLE + every
    found = [_reweighted(known, wanted, start, careful) for start in (np.ones(len(wanted)), _trust(wanted))]
    if guess is not None:
        found.append(_reweighted(known, wanted, _trust(guess.astype(np.float64)), every))
    left = [wanted - known @ each for each in found]
    least = min(_spread(off) for off in left)
    explained = [float(np.sqrt(_trust(off, least)).sum()) for off in left]
    if len(found) > 2 and explained[2] < _MUCH_BETTER * max(explained[:2]):
        explained[2] = 0.0
    return found[int(np.argmax(explained))]


def _reweighted(
    known: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64], counts: list[int]
) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.zeros(known.shape[1])
    for count in counts:
        some = known[:, :count]
        weighted = some * weights[:, None]
        ridge = np.eye(count) * (1e-5 * len(wanted))
        found[:count] = np.linalg.solve(weighted.T @ some + ridge, weighted.T @ wanted)
        weights = _trust(wanted - some @ found[:count])
    return found


def _spread(off: NDArray[np.float64]) -> float:
    return max(1.0, 1.48 * float(np.median(np.abs(off))))


def _trust(off: NDArray[np.float64], spread: float = 0.0) -> NDArray[np.float64]:
    """Geman and McClure's weights of some residuals, by their own spread unless one is given."""
    found: NDArray[np.float64] = 1 / (1 + (off / (2 * (spread or _spread(off)))) ** 2) ** 2
    return found


def _toned(source: Bytes, target: Bytes, weight: Floats) -> Floats:
    """The source in the target's tones: each channel by a curve of itself and a share of the others."""
    small, wanted = cells(source.astype(np.float32)), cells(target.astype(np.float32))
    # what is clipped in the target tells nothing of the curve
    free = cells(((target > 4) & (target < 251)).astype(np.float32)) > 0.99
    small, wanted = small.reshape(-1, 3)[::_EVERY] / np.float32(255), wanted.reshape(-1, 3)[::_EVERY]
    trusted = (free & (weight > 0.9)[:, :, None]).reshape(-1, 3)[::_EVERY]
    grey = small @ _LUMINANCE[0]
    out = np.empty(source.shape, np.float32)
    for channel in range(3):
        own, some = small[:, channel], trusted[:, channel]
        others = [other for other in range(3) if other != channel]
        if some.sum() < 50:
            out[:, :, channel] = source[:, :, channel]
            continue
        curve = _curve(own)
        features = np.column_stack([curve, *(small[:, other] for other in others)])
        off, guess = ((wanted[:, channel] - 255 * tones)[some] for tones in (own, grey))
        found = _fit(features[some], off, curve.shape[1], guess)
        found[1] += 255
        mixed: Any = cv2.LUT(source[:, :, channel], _straight(found[:-2], own[some]))
        for other, share in zip(others, found[-2:], strict=True):
            mixed += source[:, :, other] * np.float32(share / 255)
        out[:, :, channel] = mixed
    return np.clip(out, 0, 255, out=out)


def _curve(tones: Floats) -> Floats:
    """What a curve of tone is put together from: a cubic, and a root: a gamma is steep at black."""
    return np.stack([np.ones_like(tones), tones, tones**2, tones**3, np.sqrt(tones)], axis=-1)


def _straight(factors: NDArray[np.float64], seen: Floats) -> Floats:
    """A curve of 256 tones, rising, and straight beyond the tones it was fitted to."""
    low, high = np.quantile(seen, (0.01, 0.99))
    high = max(high, low + 0.01)
    ramp = np.arange(256) / 255
    inside = _curve(np.clip(ramp, low, high).astype(np.float32)) @ factors
    ends = _curve(np.array([low, high], np.float32)) @ factors
    slope = (ends[1] - ends[0]) / (high - low)
    beyond = np.maximum(ramp - high, 0) + np.minimum(ramp - low, 0)
    return np.maximum.accumulate(inside + slope * beyond).astype(np.float32)


def _filtered(source: Floats, target: Floats, shown: Floats) -> Floats:
    """The source as sharp as the target: by shares of two bands of its detail."""
    near, far = cv2.GaussianBlur(source, (0, 0), 0.8), cv2.GaussianBlur(source, (0, 0), 2.0)
    fine, coarse = source - near, near - far
    some = np.zeros(source.shape, bool)
    some[::8, ::8] = shown[::8, ::8] > 0.9
    if some.sum() < 50:
        return source
    found = _fit(np.stack([fine[some], coarse[some]], axis=1), (target - source)[some], 2)
    return np.asarray(source + found[0] * fine + found[1] * coarse, np.float32)


def _shifted(predicted: Floats, target: Floats, shown: Floats) -> tuple[Floats, Floats]:
    """What is left of the difference when each place may lie a little off; and by how far each does."""
    smooth = cv2.GaussianBlur(predicted, (0, 0), 0.8)
    across = cv2.Sobel(smooth, -1, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, -1, 0, 1, scale=1 / 8)
    left = target - predicted

    def around(values: Floats) -> Floats:
        return np.asarray(cv2.blur(cells(values * shown), (7, 7)), np.float32)

    xx, xy, yy = around(across * across), around(across * down), around(down * down)
    xr, yr = around(across * left), around(down * left)
    firm = np.float32(4.0)  # where there is no texture there is no shift
    scale = (xx + firm) * (yy + firm) - xy * xy
    right, low = ((yy + firm) * xr - xy * yr) / scale, ((xx + firm) * yr - xy * xr) / scale
    length = np.sqrt(right * right + low * low)
    held = np.minimum(1, _REACH / np.maximum(length, 1e-6))
    size = (target.shape[1], target.shape[0])
    moved = left - cv2.resize(right * held, size) * across - cv2.resize(low * held, size) * down
    # beside a change the shifts are none: where they make it worse they are not taken
    better = cv2.blur(cells(moved * moved), (3, 3)) < cv2.blur(cells(left * left), (3, 3))
    taken = cv2.resize(better.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    left = np.asarray(np.where(taken, moved, left), np.float32)
    textured = np.minimum(xx, yy) > 4 * firm
    return left, np.asarray(np.where(textured, length, -1), np.float32)


def _colour(toned: Floats, target: Bytes) -> tuple[Floats, Floats]:
    """Blue and red against luminance: what differs in them, and how much they vary there."""
    expected, found = cells(toned), cells(target.astype(np.float32))
    wanted = np.asarray(cv2.transform(expected, _CHROMINANCE), np.float32)
    own = np.asarray(cv2.transform(found, _CHROMINANCE), np.float32)
    off = own - wanted
    detail = wanted - cv2.blur(wanted, (5, 5))
    off -= (
        np.float32(_fit(detail.reshape(-1, 1)[::_EVERY], off.ravel()[::_EVERY], 1)[0]) * detail
    )  # sharpened, or blurred
    mean = cv2.blur(own, (5, 5))
    return off, np.asarray(np.maximum(cv2.blur(own * own, (5, 5)) - mean * mean, 0), np.float32)
