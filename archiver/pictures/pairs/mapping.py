"""The map between two pictures, if there is one: by keypoints, or as one whole on the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.pictures.decode import Pixels
from archiver.pictures.fingerprint import INLIERS, Fingerprint
from archiver.pictures.pairs.align import Affine, Match, match, plausible
from archiver.pictures.pairs.grid import (
    Bytes,
    Flow,
    Grid,
    corners,
    correlated,
    gridded,
    in_shares,
    inverse,
    refined,
    shrunk,
    working,
)
from archiver.pictures.pairs.keypoints import (
    JUDGED,
    LONGEST,
    Keypoints,
    find_detailed,
    find_keypoints,
    unpacked,
)

_SCENE = 0.5  # share of blocks that correlate, from which a map is taken
_ALIKE = 0.7  # correlation of two small pictures that may be one whole
_SMALL = 32  # pixels a side of those
_ENLARGED = 1.4  # times a side of one picture that the other would have on it: the one shows a part
_FORMS = 8  # a square's rotations and mirror images

cv2.setRNGSeed(1)


class View:
    """A decoded picture, and what is made of it when it is asked for."""

    def __init__(self, picture: Pixels, fingerprint: Fingerprint) -> None:
        self.fingerprint = fingerprint
        self.size: tuple[int, int] = picture.image.size
        self.upright = picture.upright  # width and height of the whole picture
        self.pixels: Bytes = working(picture.image)

    @cached_property
    def reduced(self) -> Bytes:
        """RGB, at most 512 pixels a side."""
        return shrunk(self.pixels, LONGEST)

    @cached_property
    def grey(self) -> Bytes:
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def small_grey(self) -> Bytes:
        return np.asarray(cv2.cvtColor(self.reduced, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def keypoints(self) -> Keypoints:
        return unpacked(self.fingerprint, JUDGED)

    @cached_property
    def turned(self) -> Keypoints:
        """Keypoints that are also described as they look in the mirrored picture: an index keeps none."""
        return self.keypoints if len(self.keypoints.mirrored) else find_keypoints(self.small_grey)

    @cached_property
    def detailed(self) -> Keypoints:
        return find_detailed(self.small_grey)

    @cached_property
    def small(self) -> NDArray[np.float32]:
        """Grey, 32 x 32, with mean 0 and length 1."""
        tiny = cv2.resize(self.small_grey, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
        tiny -= tiny.mean()
        return np.asarray(tiny / max(float(np.linalg.norm(tiny)), 1e-3), np.float32)


@dataclass(frozen=True)
class Mapped:
    """The second picture on the first, in shares, with what speaks for it."""

    affine: Affine
    inliers: int
    flow: Flow | None  # None: too few textures
    grid: Grid
    blocks: float
    textured: int  # blocks


def mapped(first: View, second: View) -> tuple[Mapped | None, int]:
    """The map under which most blocks correlate, and the most keypoints that agreed on any map.

    None when no map takes half of the textured blocks to their like.
    """
    best, most = None, 0
    for found in _guesses(first, second):
        most = max(most, found.inliers)
        if found.affine is None:
            continue
        tried = _tried(first, second, found.affine, found.inliers)
        if tried and tried.blocks >= _SCENE and (best is None or tried.blocks > best.blocks):
            best = tried
        if best and best.blocks >= _ENOUGH:
            break
    return best, most


_ENOUGH = 0.7  # share of blocks after which no other map is tried


def _tried(first: View, second: View, guess: Affine, inliers: int) -> Mapped | None:
    affine, flow = _refined(first, second, guess)
    if not plausible_shares(affine, first, second):
        return None
    grid = gridded(first.pixels, second.pixels, affine)
    if grid is None:
        return None
    blocks, textured = correlated(grid)
    return Mapped(affine, inliers, flow, grid, blocks, textured)


def _refined(first: View, second: View, guess: Affine) -> tuple[Affine, Flow | None]:
    """By the small pictures, where they show enough of what both show."""
    near = [float(np.ptp(corners(affine), axis=0).max()) for affine in (guess, inverse(guess))]
    if max(near) > _ENLARGED:
        return refined(first.grey, second.grey, guess)
    return refined(first.small_grey, second.small_grey, guess)


def plausible_shares(affine: Affine, first: View, second: View) -> bool:
    """Whether a map in shares keeps the shape of what it maps, in frames of equal size."""
    sides = [np.array(view.size) / max(view.size) for view in (first, second)]
    inner = sides[0][:, None] * affine[:, :2] / sides[1]
    return plausible(np.column_stack([inner, affine[:, 2]]))


def _guesses(first: View, second: View) -> Iterator[Match]:
    one, two = first.keypoints, second.keypoints
    plain = match(one, two, mirrored=False)
    yield _shared(plain if plain.inliers >= INLIERS else match(one, second.turned), one, two)
    yield from _wholes(first, second)
    one, two = first.detailed, second.detailed
    yield _shared(match(one, two), one, two)


def _shared(found: Match, one: Keypoints, two: Keypoints) -> Match:
    if found.affine is None or found.inliers < INLIERS - 4:
        return Match(found.inliers)
    return Match(found.inliers, in_shares(found.affine, one.frame, two.frame), found.mirrored)


def _wholes(first: View, second: View) -> Iterator[Match]:
    """One whole picture on the other, in the turned form that looks most like it, if one does."""
    forms = [_form(number) for number in range(_FORMS)]
    alike = [float((first.small * _turned(second.small, number)).sum()) for number in range(_FORMS)]
    nearest = int(np.argmax(alike))
    if alike[nearest] >= _ALIKE:
        yield Match(0, forms[nearest])


def _turned(small: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    turned = np.rot90(small, number % 4)
    return turned[:, ::-1] if number >= 4 else turned


def _form(number: int) -> Affine:
    """The map of a picture on its turned form, in shares: quarters counter-clockwise, then mirrored."""
    quarter = np.array([[0.0, 1, 0], [-1, 0, 1], [0, 0, 1]])
    whole = np.linalg.matrix_power(quarter, number % 4)
    mirror = np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    found: Affine = ((mirror if number >= 4 else np.eye(3)) @ whole)[:2]
    return found
