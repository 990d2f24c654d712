"""How one picture lies on another, by their keypoints alone: also from stored fingerprints."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.pictures.pairs.keypoints import Descriptors, Keypoints, unpacked

if TYPE_CHECKING:
    from archiver.pictures.fingerprint import Fingerprint

Affine = NDArray[np.float64]  # 2 x 3, by rows

_RATIO = 0.85  # of the nearest descriptor's distance to the second nearest's, at most
_ROUGH, _FINE = 6.0, 3.5  # pixels of the frame that a keypoint may lie away
_SURE = 25  # inliers after which no other way is tried
_SMALLEST, _LARGEST = 0.1, 10.0  # scale
_AT_ONCE = 64  # descriptors: what is in between fits into the processor's cache
_BITS = 256  # of a descriptor
_UNEVEN = 1.6  # the larger scale by the smaller


@dataclass(frozen=True)
class Match:
    """How many keypoints one affine map takes from the second picture's frame to the first's."""

    inliers: int
    affine: Affine | None = None
    mirrored: bool = False  # the map takes a mirror image of the second one's frame and turns it back


NOTHING = Match(0)


def inliers(first: "Fingerprint", second: "Fingerprint") -> int:
    """How many keypoints of two fingerprints agree on one map: 10 or more are worth a comparison.

    Raises RecordError when their arrays do not fit.
    """
    return match(unpacked(first), unpacked(second)).inliers


def match(first: Keypoints, second: Keypoints, *, mirrored: bool = True) -> Match:
    """The affine map that most keypoints agree on, plain or, if it may be, mirrored."""
    plain = _match(first, second.points, second.descriptors, second.frame)
    if not mirrored or plain.inliers >= _SURE or not len(second.mirrored):
        return plain
    width = second.frame[0]
    flip = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    points = (second.points @ flip[:2, :2].T + flip[:2, 2]).astype(np.float32)
    turned = _match(first, points, second.mirrored, second.frame)
    if turned.affine is None or turned.inliers <= plain.inliers:
        return plain
    return Match(turned.inliers, turned.affine @ flip, mirrored=True)


def _match(
    first: Keypoints, points: NDArray[np.float32], descriptors: Descriptors, frame: tuple[float, float]
) -> Match:
    if min(len(first.points), len(points)) < 4:
        return NOTHING
    nearest, good = _alike(first.descriptors, descriptors)
    if good.sum() < 4:
        return NOTHING
    pairs = _Pairs(points[good], first.points[nearest[good]], nearest[good])
    stretch = np.array([[first.frame[0] / frame[0], 0, 0], [0, first.frame[1] / frame[1], 0]])
    found = [pairs.fitted(stretch, _ROUGH)]  # the whole picture in both, perhaps squeezed
    if found[0].inliers < max(_SURE, good.sum() // 2):
        rough, _ = cv2.estimateAffinePartial2D(
            pairs.second, pairs.first, method=cv2.RANSAC, ransacReprojThreshold=_ROUGH, maxIters=3000,
            confidence=0.999, refineIters=0,
        )  # fmt: skip
        if rough is not None:
            found.append(pairs.fitted(np.asarray(rough, np.float64), _ROUGH))
    return max(found, key=lambda each: each.inliers)


def _alike(first: Descriptors, second: Descriptors) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each of the second the nearest of the first, and whether it is much nearer than the next one."""
    if second.dtype != np.uint8:
        found, numbers = cv2.batchDistance(second, first, cv2.CV_32F, normType=cv2.NORM_L2, K=2)
        return numbers[:, 0].astype(np.intp), np.asarray(found[:, 0] < _RATIO * found[:, 1])
    one = np.ascontiguousarray(np.ascontiguousarray(first).view("<u8").T)
    two = np.ascontiguousarray(second).view("<u8")
    nearest, good = np.empty(len(two), np.intp), np.empty(len(two), bool)
    for begin in range(0, len(two), _AT_ONCE):
        part = two[begin : begin + _AT_ONCE]
        bits = np.zeros((len(part), one.shape[1]), np.uint16)
        for word in range(len(one)):
            bits += np.bitwise_count(part[:, word, None] ^ one[word])
        least = bits.argmin(axis=1)
        rows = np.arange(len(part))
        distances = bits[rows, least]
        bits[rows, least] = _BITS + 1
        nearest[begin : begin + _AT_ONCE] = least
        good[begin : begin + _AT_ONCE] = distances < _RATIO * bits.min(axis=1)
    return nearest, good


@dataclass(frozen=True)
class _Pairs:
    """Points of the second picture beside those of the first that look alike."""

    second: NDArray[np.float32]
    first: NDArray[np.float32]
    numbers: NDArray[np.intp]  # of the first picture's points: one may be the nearest of several

    def fitted(self, affine: Affine, reach: float) -> Match:
        """The map that the pairs near a given one agree on, by least squares."""
        for limit in (reach, reach, _FINE, _FINE):
            near = self._near(affine, limit)
            if near.sum() < 4:
                return NOTHING
            design = np.column_stack([self.second[near], np.ones(near.sum())])
            solved, _, rank, _ = np.linalg.lstsq(design, self.first[near].astype(np.float64), rcond=None)
            if rank < 3:
                return NOTHING
            affine = np.ascontiguousarray(solved.T)
        if not plausible(affine):
            return NOTHING
        return Match(len(np.unique(self.numbers[self._near(affine, _FINE)])), affine)

    def _near(self, affine: Affine, limit: float) -> NDArray[np.bool_]:
        off = self.second @ affine[:, :2].T + affine[:, 2] - self.first
        return np.asarray((off**2).sum(axis=1) < limit * limit)


def plausible(affine: Affine) -> bool:
    """Whether a map keeps sides within a tenth and ten times, and no one much more than the other."""
    if not np.isfinite(affine).all():
        return False
    large, small = np.linalg.svd(affine[:, :2], compute_uv=False)
    return bool(small >= _SMALLEST and large <= _LARGEST and large / small <= _UNEVEN)
