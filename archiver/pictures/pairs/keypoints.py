"""Points of a picture that are found again in its copies, with what each looks like: ORB.

ORB is oriented FAST and rotated BRIEF (Rublee, Rabaud, Konolige, Bradski, ICCV 2011).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.errors import RecordError
from archiver.pictures.pairs.inset import inset

if TYPE_CHECKING:
    from archiver.pictures.fingerprint import Fingerprint

LONGEST = 512  # pixels of the longer side on which keypoints are found, smaller pictures too
_SHORTEST = 128  # of the shorter one: ORB sees nothing within 31 pixels of an edge
JUDGED = 480
ASKING = 960  # of a picture that is looked for among others
WITHIN = 480  # of the picture on a page that is looked for
_DETAILED = 1500
_FOUND = 3000  # before they are spread
_CONTRASTS = (7, 3)  # grey levels; the lower where the higher finds few: fog, dusk
_ENOUGH = 240
_CELLS = 8  # of the grid over which they are spread: a headline does not take them all
POSES = 32  # orientations that are told apart
_OCTAVE = 1.2  # scale of an octave to the next
_FULL = 65535

cv2.setNumThreads(1)


Descriptors = NDArray[np.uint8] | NDArray[np.float32]  # compared by Hamming's distance, or Euclid's


@dataclass(frozen=True)
class Keypoints:
    """Of n points: where they are, in pixels of a frame, and what they look like."""

    frame: tuple[float, float]  # width and height
    points: NDArray[np.float32]  # n x 2: x and y
    descriptors: Descriptors  # n x 32
    mirrored: Descriptors  # n x 32, of the same points in the mirrored picture; or none
    # n: 32 x the octave (a scale of 1.2) + the orientation in 1/32 of a turn; none of those by SIFT
    poses: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))


def frame_of(width: int, height: int) -> tuple[int, int]:
    """The size at which keypoints of a picture of this size are found."""
    scale = max(
        LONGEST / max(width, height), min(_SHORTEST / min(width, height), 4 * LONGEST / max(width, height))
    )
    return max(1, round(width * scale)), max(1, round(height * scale))


def find_detailed(picture: NDArray[np.uint8]) -> Keypoints:
    """At most 1500 keypoints of a grey picture by SIFT: at five times the cost.

    They find a small part in the whole where ORB does not (Lowe, IJCV 2004). Descriptors are n x 128 float32.
    """
    frame = frame_of(picture.shape[1], picture.shape[0])
    sift = cv2.SIFT.create(nfeatures=_DETAILED, contrastThreshold=0.015)
    found, descriptors = sift.detectAndCompute(_scaled(picture, frame), None)
    points = np.array([each.pt for each in found], np.float32).reshape(-1, 2)
    seen = np.asarray(descriptors, np.float32) if len(points) else np.zeros((0, 128), np.float32)
    return Keypoints(frame, points, seen, np.zeros((0, 128), np.float32))


def find_keypoints(picture: NDArray[np.uint8], *, mirror: bool = True, most: int = JUDGED) -> Keypoints:
    """At most so many keypoints of a picture, RGB (height x width x 3) or grey.

    They are spread over it and over scales, best first: so it shares some with its parts, and with pages.
    """
    frame = frame_of(picture.shape[1], picture.shape[0])
    grey = _scaled(picture, frame)
    for contrast in _CONTRASTS:
        orb = cv2.ORB.create(nfeatures=_FOUND, fastThreshold=contrast)
        detected = orb.detect(grey, None)
        if len(detected) >= _ENOUGH:
            break
    found, descriptors = orb.compute(grey, _spread(detected, frame, most))
    if descriptors is None or not len(found):
        nothing = np.zeros((0, 32), np.uint8)
        return Keypoints(frame, np.zeros((0, 2), np.float32), nothing, nothing)
    order = np.argsort([each.class_id for each in found])  # ORB sorts them by octave
    spread = [found[place] for place in order]
    points = np.asarray(cv2.KeyPoint.convert(spread), np.float32)
    mirrored = _mirrored(orb, grey, spread) if mirror else np.zeros((0, 32), np.uint8)
    turns = np.array([each.angle for each in spread]) * (POSES / 360)
    octaves = np.array([each.octave for each in spread])
    poses = (octaves * POSES + turns.astype(int) % POSES).astype(np.uint8)
    return Keypoints(frame, points, np.asarray(descriptors, np.uint8)[order], mirrored, poses)


def find_all(picture: NDArray[np.uint8]) -> tuple[Keypoints, int]:
    """The keypoints by which an RGB picture is looked for; and how many at their end are of a part.

    That part is the picture on a page: at its own scale it shares more with what it was made of.
    """
    whole = find_keypoints(picture, most=ASKING)
    place = inset(picture)
    if place is None:
        return whole, 0
    part = find_keypoints(picture[place], most=WITHIN)
    shown = np.array((place[1].stop - place[1].start, place[0].stop - place[0].start))
    scale = np.array(whole.frame) / picture.shape[1::-1]
    begin = np.array((place[1].start, place[0].start)) * scale
    points = (part.points * (shown * scale / part.frame) + begin).astype(np.float32)
    both = Keypoints(
        whole.frame,
        np.concatenate((whole.points, points)),
        np.concatenate((whole.descriptors, part.descriptors), dtype=np.uint8),
        np.concatenate((whole.mirrored, part.mirrored), dtype=np.uint8),
        np.concatenate((whole.poses, part.poses)),
    )
    return both, len(part.points)


def _scaled(picture: NDArray[np.uint8], frame: tuple[int, int]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    if frame == grey.shape[1::-1]:
        return np.asarray(grey, np.uint8)
    shrinks = frame[0] < grey.shape[1]
    scaled = cv2.resize(grey, frame, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(scaled, np.uint8)


def _spread(found: Any, frame: tuple[int, int], most: int) -> list[Any]:
    """The best of each cell before the second best of any; of each octave as many as its share of the pixels.

    Each one's `class_id` is its place.
    """
    if not found:
        return []
    at = np.asarray(cv2.KeyPoint.convert(found), np.float64)
    response = np.array([each.response for each in found])
    octave = np.array([each.octave for each in found])
    column, row = (np.minimum(at / frame * _CELLS, _CELLS - 1)).astype(int).T
    in_cell = _ranked(at, -response, (octave * _CELLS + row) * _CELLS + column)
    place = (_ranked(at, -response, in_cell, octave) + 0.5) * _OCTAVE**octave
    chosen = [found[number] for number in np.lexsort((octave, place))[:most]]
    for number, each in enumerate(chosen):
        each.class_id = number
    return chosen


def _ranked(at: NDArray[np.float64], *keys: NDArray[Any]) -> NDArray[np.int64]:
    """The place of each among those with the same last key, by the keys before it."""
    order = np.lexsort((at[:, 0], at[:, 1], *keys))
    last = keys[-1][order]
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(last, last)
    return rank


def _mirrored(orb: Any, grey: NDArray[np.uint8], found: Any) -> NDArray[np.uint8]:
    """Descriptors of the same points in the mirrored picture, found by their numbers."""
    width = grey.shape[1]
    turned = [
        cv2.KeyPoint(
            width - 1 - each.pt[0], each.pt[1], each.size, (180 - each.angle) % 360, each.response,
            each.octave, number,
        )
        for number, each in enumerate(found)
    ]  # fmt: skip
    kept, values = orb.compute(cv2.flip(grey, 1), turned)
    descriptors = np.zeros((len(found), 32), np.uint8)
    if values is not None:
        descriptors[[each.class_id for each in kept]] = values
    return descriptors


def packed(found: Keypoints) -> dict[str, bytes]:
    """Keypoints as a Fingerprint holds them."""
    shares = np.clip(found.points / np.array(found.frame, np.float32), 0, 1) * _FULL
    return {
        "points": np.round(shares).astype("<u2").tobytes(),
        "poses": found.poses.tobytes(),
        "descriptors": found.descriptors.tobytes(),
        "mirrored": found.mirrored.tobytes(),
    }


def unpacked(held: "Fingerprint", most: int | None = None) -> Keypoints:
    """The keypoints that a Fingerprint holds, or the best of them.

    Raises RecordError when its arrays do not fit.
    """
    count, rest = divmod(len(held.points), 4)
    if rest or len(held.descriptors) != 32 * count or len(held.mirrored) not in (0, 32 * count):
        raise RecordError("a fingerprint's keypoints do not fit its descriptors")
    frame = frame_of(*held.size) if min(held.size) > 0 else (LONGEST, LONGEST)
    points = np.frombuffer(held.points, "<u2").reshape(-1, 2) * (np.array(frame, np.float32) / _FULL)
    descriptors, mirrored = (
        np.frombuffer(part, np.uint8).reshape(-1, 32) for part in (held.descriptors, held.mirrored)
    )
    return Keypoints(frame, points[:most].astype(np.float32), descriptors[:most], mirrored[:most])
