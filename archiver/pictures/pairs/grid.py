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
Sides = tuple[tuple[int, int], tuple[int, int]]  # width and height of both, in pixels

WORKING = 1024  # pixels of the longer side: nothing finer is looked at
LONGEST = 512  # of the grid
_LEAST = 32
_BEYOND = 0.004  # share of a side: less is no more than the same edge
_BLED = 9.0  # pixels: a block of JPEG and one more
_MOST_BLED = 0.03  # share of a side
_FLOW = 400  # pixels of the longer side of the grid on which the map is made finer
_CORNERS = 250
_FEWEST = 6
_ROUNDS = 6
_BLOCKS = 16
_TEXTURED = 6.0  # grey levels of standard deviation
_CORRELATED = 0.7


@dataclass(frozen=True)
class Grid:
    """What both pictures show of one region, at the lower of their resolutions or less."""

    region: Box  # of the first picture
    first: Bytes  # height x width x 3, or height x width
    second: Bytes  # the same, mapped on the first
    valid: NDArray[np.bool_]  # height x width: where the second shows something
    scale: float  # pixels of the coarser picture for each pixel of the grid


def square(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """A 2 x 3 map as 3 x 3."""
    return np.asarray(np.vstack([matrix, [0.0, 0.0, 1.0]]), np.float64)


def inverse(matrix: Affine) -> Affine:
    """The map from the first to the second. Raises numpy's LinAlgError for one that is flat."""
    return np.asarray(np.linalg.inv(square(matrix))[:2], np.float64)


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
    """Both on one grid over the part of the first that the second may show; None: hardly any.

    The pictures are RGB or grey, and so is the grid.
    """
    height, width = first.shape[:2]
    sides = np.array([width, height])
    places = np.clip(corners(affine), 0, 1) * sides
    low, high = (
        np.floor(places.min(axis=0) + 0.01).astype(int),
        np.ceil(places.max(axis=0) - 0.01).astype(int),
    )
    to_second = inverse(affine)
    area = second.shape[0] * second.shape[1] / (width * height)
    steps = float(np.abs(np.linalg.det(to_second[:, :2]) * area)) ** 0.5
    if min(high - low) * min(1.0, steps) < _LEAST / 4:
        return None
    share = min(1.0, steps, longest / max(high - low))
    size = _fours((high[0] - low[0]) * share), _fours((high[1] - low[1]) * share)
    part = first[low[1] : high[1], low[0] : high[0]]
    one = cv2.resize(part, size, interpolation=cv2.INTER_AREA) if size != part.shape[1::-1] else part
    (left, top), (wide, tall) = low / sides, (high - low) / sides
    region = Box(left=float(left), top=float(top), width=float(wide), height=float(tall))
    grid_to_second = square(to_second) @ placed(region, size)
    two = _warped(second, grid_to_second, size)
    valid = _shown(affine, grid_to_second, region, size, (first.shape[1::-1], second.shape[1::-1]))
    return Grid(region, np.asarray(one, np.uint8), two, valid, min(1.0, steps) / share)


def unshown(first: Bytes, second: Bytes, affine: Affine, grid: Grid) -> Floats:
    """The variance within each pixel of the grid, of the picture in which there is more of it.

    What a grid does not show of the finer picture is what a poor resampler, or a curve of tone, makes
    something else of. Height x width; in squares of grey levels.
    """
    height, width = grid.valid.shape
    size, region = (width, height), grid.region
    tall, wide = first.shape[:2]
    rows = slice(round(region.top * tall), round((region.top + region.height) * tall))
    part = first[rows, round(region.left * wide) : round((region.left + region.width) * wide)]
    to_second = square(inverse(affine)) @ placed(region, size)
    tall, wide = second.shape[:2]
    steps = np.linalg.svd(to_second[:2, :2], compute_uv=False) * (wide * tall) ** 0.5
    smaller = (max(8, round(wide / max(1.0, steps[0]))), max(8, round(tall / max(1.0, steps[0]))))
    pixels = np.linalg.inv(shares(*smaller)) @ to_second
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    other = cv2.warpAffine(
        _variance(second, smaller), pixels[:2], size, flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.maximum(_variance(part, size), other), np.float32)


def _variance(picture: Bytes, size: tuple[int, int]) -> Floats:
    """Of grey within each pixel of a smaller picture; none where that is no smaller."""
    if size[0] >= picture.shape[1] or size[1] >= picture.shape[0]:
        return np.zeros(size[::-1], np.float32)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean, power = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (grey, grey * grey))
    return np.asarray(np.maximum(power - mean * mean, 0), np.float32)


def _fours(length: float) -> int:
    """A grid's side: a multiple of the cells in which changes are looked for."""
    return int(max(_LEAST, 4 * round(length / 4)))


def placed(region: Box, size: tuple[int, int]) -> NDArray[np.float64]:
    """From the numbers of a grid's pixels to shares of the picture of which it shows a region, 3 x 3."""
    place = np.array([[region.width, 0, region.left], [0, region.height, region.top], [0, 0, 1]])
    found: NDArray[np.float64] = place @ shares(*size)
    return found


def _shown(
    affine: Affine, to_second: NDArray[np.float64], region: Box, size: tuple[int, int], sides: Sides
) -> NDArray[np.bool_]:
    """Where on the grid both show something that their edges do not blur.

    Where one goes on beyond the other's edge, encoders have bled what lies there into what both show.
    """
    edges = [_edge(affine, sides[1]), _edge(inverse(affine), sides[0])]
    columns, rows = np.arange(size[0]), np.arange(size[1])[:, None]
    across, down = (row[0] * columns + row[1] * rows + row[2] for row in to_second[:2])
    second = _within(across, edges[0][0]) & _within(down, edges[0][1])
    left = region.left + (columns + 0.5) / size[0] * region.width
    top = region.top + (rows + 0.5) / size[1] * region.height
    found: NDArray[np.bool_] = second & _within(left, edges[1][0]) & _within(top, edges[1][1])
    return found


def _edge(affine: Affine, side: tuple[int, int]) -> tuple[float, float]:
    """How far from the edges of the inner picture is too near, as shares of its sides (width and height)."""
    places = corners(affine)
    beyond = float(max(places.min(axis=0).max(), (1 - places.max(axis=0)).max()))
    straight, across = np.abs(affine[:, :2].diagonal()).max(), np.abs(affine[:, 1::-1].diagonal()).max()
    bled = _BLED if max(beyond, min(straight, across)) > _BEYOND else 0.5
    return min(_MOST_BLED, bled / side[0]), min(_MOST_BLED, bled / side[1])


def _within(values: NDArray[np.float64], edge: float) -> NDArray[np.bool_]:
    return np.asarray((values >= edge) & (values <= 1 - edge))


def _warped(source: Bytes, to_source: NDArray[np.float64], size: tuple[int, int]) -> Bytes:
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


@dataclass(frozen=True)
class Flow:
    """Where textures of the first lie in it, and how far the map takes those of the second from there."""

    places: NDArray[np.float64]  # n x 2, in shares
    off: NDArray[np.float64]  # n, in pixels of 512


def refined(first: Bytes, second: Bytes, affine: Affine) -> tuple[Affine, Flow | None]:
    """The map made finer where textures lie. Both pictures are grey."""
    flow = None
    for _ in range(2):
        grid = gridded(first, second, affine, _FLOW)
        found = _flow(grid) if grid else None
        if grid is None or found is None:
            break
        bend, places, off = found
        size = grid.valid.shape[1::-1]
        place = placed(grid.region, size)
        affine = (place @ square(bend) @ np.linalg.inv(place) @ square(affine))[:2]
        flow = Flow(places @ place[:2, :2].T + place[:2, 2], off * (LONGEST / max(size)))
    return affine, flow


def _flow(grid: Grid) -> tuple[Affine, NDArray[np.float64], NDArray[np.float64]] | None:
    """The map from the second as it lies on the grid to the first, by pyramidal Lucas-Kanade.

    With the places that it rests on, and how far off each of them lies then, in pixels of the grid.
    """
    one, two = _levelled(grid.first), _levelled(grid.second)
    inside = cv2.erode(grid.valid.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=1)
    points = cv2.goodFeaturesToTrack(one, _CORNERS, 0.01, 7, mask=inside)
    if points is None or len(points) < _FEWEST:
        return None
    guess = np.empty_like(points)
    moved, state, _ = cv2.calcOpticalFlowPyrLK(one, two, points, guess, winSize=(15, 15), maxLevel=2)
    good = state.ravel() == 1
    if good.sum() < _FEWEST:
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
    return bend, to, off


def _levelled(grey_bytes: Bytes) -> Bytes:
    """The same mean and contrast everywhere: tone is no motion."""
    grey = grey_bytes.astype(np.float32)
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
    textured = (power_one * power_two > _TEXTURED**4) & (part > 0.5)
    count = int(textured.sum())
    return (float((correlation[textured] > _CORRELATED).mean()) if count else 0.0), count


def _mean(values: Floats) -> Floats:
    return np.asarray(cv2.resize(values, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA), np.float32)
