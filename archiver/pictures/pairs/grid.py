"""Two pictures on one grid, and the map between them made finer by optical flow.

Maps are 2 x 3 and take the second picture to the first, both in shares of width and height: the middle of
the pixel at x of n is at (x + 1/2) / n.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.model import Box
from archiver.pictures.pairs.align import Affine

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

WORKING = 1024  # pixels of the longer side: nothing finer is looked at
LONGEST = 640  # of the grid
_LEAST = 48
_FLOW = 400  # pixels of the longer side of the grid on which the map is made finer
_CORNERS = 250
_ROUNDS = 6
_BLOCKS = 16
_TEXTURED = 6.0  # grey levels of standard deviation
_CORRELATED = 0.7


@dataclass(frozen=True)
class Grid:
    """What both pictures show of one region, at the lower of their resolutions or less."""

    region: Box  # of the first picture
    first: Bytes  # height x width x 3
    second: Bytes  # the same, mapped on the first
    valid: NDArray[np.bool_]  # height x width: where the second shows something
    scale: float  # pixels of the coarser picture for each pixel of the grid


def square(matrix: Affine) -> NDArray[np.float64]:
    """A 2 x 3 map as 3 x 3."""
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def inverse(matrix: Affine) -> Affine:
    """The map from the first to the second. Raises numpy's LinAlgError for one that is flat."""
    found: Affine = np.linalg.inv(square(matrix))[:2]
    return found


def shares(width: float, height: float) -> NDArray[np.float64]:
    """From the numbers of pixels to shares, 3 x 3."""
    return np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])


def in_shares(affine: Affine, first: tuple[float, float], second: tuple[float, float]) -> Affine:
    """A map between frames of pixels as one of shares."""
    found: Affine = (shares(*first) @ square(affine) @ np.linalg.inv(shares(*second)))[:2]
    return found


def corners(affine: Affine) -> NDArray[np.float64]:
    """Where the second picture's corners lie on the first: 4 x 2, clockwise from its left top."""
    unit = np.array([[0.0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])
    found: NDArray[np.float64] = unit @ affine.T
    return found


def working(image: Any) -> Bytes:
    """The pixels of a Pillow picture, reduced to what is looked at."""
    factor = max(image.size) // WORKING
    return shrunk(np.asarray(image.reduce(factor) if factor > 1 else image), WORKING)


def shrunk(pixels: Bytes, longest: int) -> Bytes:
    """A picture no larger than so many pixels a side."""
    height, width = pixels.shape[:2]
    share = longest / max(height, width)
    if share >= 1:
        return pixels
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def gridded(first: Bytes, second: Bytes, affine: Affine, longest: int = LONGEST) -> Grid | None:
    """Both on one grid over the part of the first that the second may show; None: hardly any."""
    places = corners(affine)
    low, high = np.clip(places.min(axis=0), 0, 1), np.clip(places.max(axis=0), 0, 1)
    height, width = first.shape[:2]
    span = (high - low) * (width, height)
    to_second = inverse(affine)
    side = np.array([second.shape[1], second.shape[0]])
    steps = np.abs(np.linalg.det(to_second[:, :2]) * np.prod(side) / (width * height)) ** 0.5
    if min(span) * min(1.0, steps) < 8:
        return None
    share = min(1.0, steps, longest / max(span))
    size = tuple(int(max(_LEAST, round(each * share))) for each in span)
    region = Box(left=low[0], top=low[1], width=high[0] - low[0], height=high[1] - low[1])
    place = np.array([[region.width, 0, low[0]], [0, region.height, low[1]], [0, 0, 1]]) @ shares(*size)
    one = _warped(first, place, size)
    two = _warped(second, square(to_second) @ place, size)
    valid = _inside(square(to_second) @ place, size)
    return Grid(region, one, two, valid, min(1.0, steps) / share)


def _inside(to_second: NDArray[np.float64], size: tuple[int, ...]) -> NDArray[np.bool_]:
    columns, rows = np.arange(size[0]), np.arange(size[1])[:, None]
    across, down = (row[0] * columns + row[1] * rows + row[2] for row in to_second[:2])
    edge = 0.5 / np.array(size)
    found: NDArray[np.bool_] = (
        (across >= edge[0]) & (across <= 1 - edge[0]) & (down >= edge[1]) & (down <= 1 - edge[1])
    )
    return found


def _warped(source: Bytes, to_source: NDArray[np.float64], size: tuple[int, ...]) -> Bytes:
    """The source where `to_source` takes each pixel of the grid to shares of it, with no aliasing."""
    height, width = source.shape[:2]
    steps = np.linalg.svd(to_source[:2, :2], compute_uv=False) * (width * height) ** 0.5
    if steps[0] > 1.05:
        smaller = (max(8, round(width / steps[0])), max(8, round(height / steps[0])))
        source = np.asarray(cv2.resize(source, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = source.shape[:2]
    pixels = np.linalg.inv(shares(width, height)) @ to_source
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(source, pixels[:2], size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def refined(first: Bytes, second: Bytes, affine: Affine) -> tuple[Affine, float]:
    """The map made finer where textures lie, and how far off they lie then: the median, in pixels of 400."""
    off = np.inf
    for _ in range(2):
        grid = gridded(first, second, affine, _FLOW)
        if grid is None:
            break
        found = _flow(grid)
        if found is None:
            break
        bend, off = found
        region, (height, width) = grid.region, grid.valid.shape
        place = np.array([[region.width, 0, region.left], [0, region.height, region.top], [0, 0, 1]])
        place = place @ shares(width, height)
        affine = (place @ square(bend) @ np.linalg.inv(place) @ square(affine))[:2]
    return affine, off


def _flow(grid: Grid) -> tuple[Affine, float] | None:
    """The map from the second as it lies on the grid to the first, by pyramidal Lucas-Kanade."""
    one, two = _levelled(grid.first), _levelled(grid.second)
    inside = cv2.erode(grid.valid.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=1)
    points = cv2.goodFeaturesToTrack(one, _CORNERS, 0.01, 7, mask=inside)
    if points is None or len(points) < 6:
        return None
    guess = np.empty_like(points)
    moved, state, _ = cv2.calcOpticalFlowPyrLK(one, two, points, guess, winSize=(15, 15), maxLevel=2)
    good = state.ravel() == 1
    if good.sum() < 6:
        return None
    to, of = points.reshape(-1, 2)[good].astype(np.float64), moved.reshape(-1, 2)[good].astype(np.float64)
    design, weights = np.column_stack([of, np.ones(len(of))]), np.ones(len(of))
    bend, off = np.eye(3)[:2], np.zeros(len(of))
    for _ in range(_ROUNDS):
        weighted = design * weights[:, None]
        solved, _, rank, _ = np.linalg.lstsq(weighted, to * weights[:, None], rcond=None)
        if rank < 3:
            return None
        bend = np.ascontiguousarray(solved.T)
        off = np.linalg.norm(design @ solved - to, axis=1)
        weights = 1 / (1 + (off / (2 * max(0.1, float(np.median(off))))) ** 2)
    return bend, float(np.median(off))


def _levelled(picture: Bytes) -> Bytes:
    """Grey, with the same mean and contrast everywhere: tone is no motion."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.blur(grey, (31, 31))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (31, 31)) - mean * mean, 0)) + 6
    return np.asarray(np.clip((grey - mean) / spread * 45 + 128, 0, 255), np.uint8)


def correlated(grid: Grid, without: NDArray[np.bool_] | None = None) -> tuple[float, int]:
    """The share of textured blocks of a 16 x 16 grid that correlate above 0.7, and how many are textured."""
    shown = grid.valid if without is None else grid.valid & ~without
    weight = shown.astype(np.float32)
    one, two = (
        cv2.cvtColor(side, cv2.COLOR_RGB2GRAY).astype(np.float32) for side in (grid.first, grid.second)
    )
    part = np.maximum(_mean(weight), 1e-6)
    level_one, level_two = _mean(one * weight) / part, _mean(two * weight) / part
    power_one = np.maximum(_mean(one * one * weight) / part - level_one**2, 0)
    power_two = np.maximum(_mean(two * two * weight) / part - level_two**2, 0)
    common = _mean(one * two * weight) / part - level_one * level_two
    correlation = common / (np.sqrt(power_one * power_two) + 1e-3)
    textured = (np.maximum(power_one, power_two) > _TEXTURED**2) & (part > 0.5)
    count = int(textured.sum())
    return (float((correlation[textured] > _CORRELATED).mean()) if count else 0.0), count


def _mean(values: Floats) -> Floats:
    return np.asarray(cv2.resize(values, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA), np.float32)
