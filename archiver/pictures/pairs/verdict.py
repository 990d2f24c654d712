"""What was measured of two mapped pictures → the relation that it proves. In doubt the weaker one."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archiver.model import Box, Comparison, Evidence, Relation
from archiver.pictures.fingerprint import INLIERS
from archiver.pictures.hashes import NEAR
from archiver.pictures.pairs.align import Affine
from archiver.pictures.pairs.changes import Changes, find_changes
from archiver.pictures.pairs.extents import extent, through
from archiver.pictures.pairs.grid import Flow, correlated, inverse, unshown
from archiver.pictures.pairs.mapping import Mapped, View
from archiver.pictures.pairs.words import Pair, Turn, reason

_SAME = 0.85  # share of blocks that correlate in one photograph; outside of what was changed
_STRICT = 0.97  # in two graphics: they share their frame with others
_DRIFT = 0.35  # pixels of 512 that places lie off the map, measured in two ways: more is another frame
_FAR = 4.0  # pixels of 512: no map at all, however it was measured
_LARGEST = 0.4  # share of the area that differs: more is no local change
_FEW = 12  # textured blocks: fewer tell too little
_MANY = 64  # textured blocks that need no keypoints beside them
_TURNED = 0.4  # degrees
_CUT = 0.004  # share of a side
_MARGIN = 0.03  # share of a side around a box that it may disturb
_DIGITS = 5


def judged(first: View, second: View, found: Mapped, distance: int | None, *, graphics: bool) -> Comparison:
    """The Comparison of two pictures that a map takes to each other."""
    pair = measured(first, second, found)
    relation = _relation(pair, found, distance, graphics=graphics)
    evidence = Evidence(
        distance=distance,
        inliers=found.inliers,
        blocks=round(pair.blocks, _DIGITS),
        affine=tuple(round(float(value), _DIGITS) for value in found.affine.ravel()),
    )
    if relation == "different":
        return Comparison(relation=relation, evidence=evidence, reason=reason(pair, relation, evidence))
    whole: Literal["", "first", "second"] = pair.cut or pair.barred
    box = {"": None, "first": pair.first.box, "second": pair.second.box}[whole]
    boxes = [*pair.changes.changed, *pair.changes.overlaid]
    if relation == "overlaid":
        boxes = [*pair.first.bars, *(through(bar, found.affine) for bar in pair.second.bars), *boxes]
    return Comparison(
        relation=relation,
        whole=whole,
        box=_rounded(box) if box else None,
        boxes=tuple(_rounded(each) for each in boxes),
        turn=pair.turn,
        degrees=round(pair.degrees, 2),
        evidence=evidence,
        reason=reason(pair, relation, evidence),
    )


def measured(first: View, second: View, found: Mapped) -> Pair:
    """What follows from a map: extents, turn, and what differs in what both show."""
    least = _CUT + 0.5 / min(*first.pixels.shape[:2], *second.pixels.shape[:2])
    grid = found.grid
    unseen = unshown(first.pixels, second.pixels, found.affine, grid)
    differing = find_changes(grid.first, grid.second, grid.valid, scale=grid.scale, unshown=unseen)
    changes = _whole_boxes(differing, grid.region)
    turn, degrees = _turn(found.affine, first.size, second.size)
    blocks = found.blocks
    if changes.changed or changes.overlaid:
        blocks, _ = correlated(
            grid, _mask((*changes.changed, *changes.overlaid), grid.region, grid.valid.shape)
        )
    return Pair(
        extent(first.pixels, found.affine, least),
        extent(second.pixels, inverse(found.affine), least),
        least, turn, degrees, changes, blocks, _drift(found.flow, (*changes.changed, *changes.overlaid)),
    )  # fmt: skip


def _relation(pair: Pair, found: Mapped, distance: int | None, *, graphics: bool) -> Relation:
    near = distance is not None and distance <= NEAR
    proven = found.textured >= _MANY and found.blocks >= _SAME  # blocks by themselves never agree by chance
    firm = found.inliers >= INLIERS or near or proven
    if not firm or found.textured < _FEW:
        return "edited-or-neighbouring" if near else "different"
    least = _STRICT if graphics else _SAME
    # of two graphics, what is laid over is what tells one from the other: another name, another number
    changed = bool(pair.changes.changed or (graphics and pair.changes.overlaid))
    drifts = min(pair.drift, pair.changes.drift) > _DRIFT or pair.drift > _FAR
    if pair.blocks < least or pair.changes.share > _LARGEST or drifts:
        return "edited-or-neighbouring"
    said: tuple[tuple[object, Relation], ...] = (
        (changed, "locally-changed"),
        (pair.overlapping, "overlapping"),
        (pair.changes.overlaid or pair.barred, "overlaid"),
        (pair.turn, "turned"),
        (pair.cut, "cropped"),
    )
    return next((relation for true, relation in said if true), "re-encoded")


def _turn(affine: Affine, first: tuple[int, int], second: tuple[int, int]) -> tuple[Turn, float]:
    """How the second is turned against the first, counter-clockwise after a mirror image of the first."""
    pixels = np.array(first)[:, None] * affine[:, :2] / np.array(second)
    mirrored = np.linalg.det(pixels) < 0
    if mirrored:
        pixels = np.diag([-1.0, 1.0]) @ pixels
    # pixels takes the second to the first, rows grow downwards: its own sense is the first's to the second
    degrees = float(np.degrees(np.arctan2(pixels[1, 0] - pixels[0, 1], pixels[0, 0] + pixels[1, 1])))
    rotated = abs(degrees) > _TURNED
    if not rotated:
        return ("mirrored" if mirrored else ""), 0.0
    return ("mirrored and rotated" if mirrored else "rotated"), degrees


def _drift(flow: Flow | None, boxes: tuple[Box, ...]) -> float:
    """How far textures lie from where the map takes them, outside of some boxes: the 90th percentile."""
    if flow is None:
        return 0.0
    outside = np.ones(len(flow.off), bool)
    for box in boxes:
        left, top = (flow.places - (box.left, box.top)).T
        outside &= (
            (left < -_MARGIN) | (left > box.width + _MARGIN) | (top < -_MARGIN) | (top > box.height + _MARGIN)
        )
    return float(np.percentile(flow.off[outside], 90)) if outside.sum() >= _FEW else 0.0


def _whole_boxes(changes: Changes, region: Box) -> Changes:
    """Boxes of a region as boxes of the whole picture."""
    changed, overlaid = (
        tuple(
            Box(
                left=region.left + box.left * region.width,
                top=region.top + box.top * region.height,
                width=box.width * region.width,
                height=box.height * region.height,
            )
            for box in boxes
        )
        for boxes in (changes.changed, changes.overlaid)
    )
    return Changes(changed, overlaid, changes.share, changes.noise, changes.drift)


def _mask(boxes: tuple[Box, ...], region: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    height, width = shape
    for box in boxes:
        left, top = (box.left - region.left) / region.width, (box.top - region.top) / region.height
        right, bottom = left + box.width / region.width, top + box.height / region.height
        rows = slice(max(0, int(top * height) - 2), int(bottom * height) + 3)
        mask[rows, max(0, int(left * width) - 2) : int(right * width) + 3] = True
    return mask


def _rounded(box: Box) -> Box:
    return Box(
        left=round(box.left, _DIGITS), top=round(box.top, _DIGITS),
        width=round(box.width, _DIGITS), height=round(box.height, _DIGITS),
    )  # fmt: skip
