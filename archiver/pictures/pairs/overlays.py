"""Whether what differs was laid over a picture (a bar, a border, a logo, a watermark) or changed in it.

What is laid over lies where an editor lays it: along a whole side, in a corner, across the lower part. And it
is drawn, not photographed: few colours and sharp strokes, or the picture still shows through it. Where both
pictures are drawn in that place, as in a caption whose words differ, it is changed. In doubt it is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.model import Box
from archiver.pictures.pairs.explain import CELL, Bytes, Explained, Floats

_COVERED = 0.5  # of a row or column of cells, to be part of a bar
_COVERED_BESIDE = 0.3  # the same, when two other sides have one
_DEEPEST = 0.45  # of the height or width: a bar
_THIN = 0.06  # of the height or width
_EVEN = 6.0  # grey levels, standard deviation: one colour
_ALIKE, _MOSTLY = 24, 0.8  # levels from a border's colour, in each channel; and the share of a side in it
_BLED = 3  # cells beside a bar that an encoder changed
_MARGIN = 0.09  # of the sides: how far from a corner a logo may begin
_FEW = 0.6  # of the pixels have the commonest four colours: drawn
_LARGE = 0.03  # of the picture: what shows through a smaller patch may be like it by chance
_LONG = 2.5  # times as long as high: a line of text
_DENSE = 0.15  # of the pixels lie at such edges: text
_STROKE = 40.0  # grey levels: an edge that is drawn
_FLAT = 3.0  # grey levels: less is one colour
_ONE_WAY = 0.98  # of the energy of the difference makes the picture brighter, or darker
_THROUGH = 0.5  # correlation of what is laid over with what is below
_THROUGH_TEXT = 0.25  # the same, of a line of text


@dataclass(frozen=True)
class Region:
    """A box in shares of the picture, and in cells."""

    box: Box
    rows: slice
    columns: slice


def region(rows: slice, columns: slice, shape: tuple[int, ...]) -> Region:
    """The region of some rows and columns of a grid of cells."""
    height, width = shape
    left, top = columns.start / width, rows.start / height
    return Region(Box(left, top, columns.stop / width - left, rows.stop / height - top), rows, columns)


def edges(hot: NDArray[np.uint8], seen: Explained) -> tuple[list[Region], NDArray[np.uint8]]:
    """Bars along whole sides (a border is four), and the changed cells without them."""
    found: dict[int, Region] = {}
    for covered in (_COVERED, _COVERED_BESIDE):
        if covered == _COVERED or len(found) > 1:
            for turns in {0, 1, 2, 3} - set(found):  # each side as the top of the picture turned
                bar = next((bar for bar in _bars(hot, turns, covered) if _laid(bar, seen)), None)
                if bar:
                    found[turns] = bar
    found |= _other_sides(found, hot.shape, seen)
    rest = hot.copy()
    for bar in found.values():
        rest[_wider(bar.rows), _wider(bar.columns)] = 0
    return list(found.values()), rest


def _laid(bar: Region, seen: Explained) -> bool:
    return _plain(bar, seen) or _drawn_over(bar, seen)


def _bars(hot: NDArray[np.uint8], turns: int, least: float) -> Iterator[Region]:
    """The lines of cells along a side that are changed nearly all along, and fewer of them: an edge bleeds.

    None where there are none, or too many.
    """
    covered = np.rot90(hot, turns).mean(axis=1) > least
    most = int(np.argmin(covered)) if not covered.all() else len(covered)
    if most > _DEEPEST * len(covered):
        return
    for depth in range(most, max(0, most - _BLED - 1), -1):
        yield _side(depth, turns, hot.shape)


def _side(depth: int, turns: int, shape: tuple[int, ...]) -> Region:
    """So many lines of cells along the side that is the top of the picture turned so often."""
    height, width = shape
    rows, columns = (
        (slice(0, depth), slice(0, width)),
        (slice(0, height), slice(width - depth, width)),
        (slice(height - depth, height), slice(0, width)),
        (slice(0, height), slice(0, depth)),
    )[turns]
    return region(rows, columns, shape)


def _other_sides(bars: dict[int, Region], shape: tuple[int, ...], seen: Explained) -> dict[int, Region]:
    """The sides of a thin border, two of which were found, where the picture itself has its colour."""
    if len(bars) < 2:
        return {}
    depth = min(
        min(bar.rows.stop - bar.rows.start, bar.columns.stop - bar.columns.start) for bar in bars.values()
    )
    sides = {turns: _side(depth, turns, shape) for turns in {0, 1, 2, 3} - set(bars)}
    found = {}
    for picture in (seen.first, seen.second):
        colours = [np.median(picture[_pixels(bar)], axis=(0, 1)) for bar in bars.values()]
        if np.ptp(colours, axis=0).max() > _ALIKE:
            continue
        for turns, side in sides.items():
            off = np.abs(picture[_pixels(side)] - colours[0]).max(axis=2)
            thin = min(side.box.width, side.box.height) < _THIN
            if thin and (off <= _ALIKE).mean() > _MOSTLY:
                found[turns] = side
    return found


def is_overlay(place: Region, seen: Explained) -> bool:
    """Whether a changed region is a logo, a watermark or a lower third."""
    box = place.box
    right, bottom = 1 - box.left - box.width, 1 - box.top - box.height
    corner = min(box.left, right) < _MARGIN and min(box.top, bottom) < _MARGIN
    logo = corner and box.width * box.height < 0.12
    strip = (
        box.top > 0.5
        and box.width > 0.3
        and box.width * seen.first.shape[1] > _LONG * (box.height * seen.first.shape[0])
    )
    large = _elongated(place, seen) or box.width * box.height > _LARGE
    if (logo or strip) and _drawn_over(place, seen):
        return not _both_drawn(place, seen)
    return (corner or large) and _shows_through(place, seen)


def watermarks(places: list[Region], seen: Explained) -> tuple[list[Region], list[Region]]:
    """Places that stand by themselves; and lines of text, found in parts, through which the picture shows."""
    rest, lines = list(places), []
    for place in places:
        parts = [each for each in rest if _beside(place, each)]
        if place not in parts or len(parts) < 2:
            continue
        rows, columns = _joined([each.rows for each in parts]), _joined([each.columns for each in parts])
        whole = region(rows, columns, seen.valid.shape)
        if _elongated(whole, seen) and (
            _shows_through(whole, seen) or all(_shows_through(each, seen) for each in parts)
        ):
            lines.append(whole)
            rest = [each for each in rest if each not in parts]
    return rest, lines


def _beside(one: Region, two: Region) -> bool:
    """Whether two places share most of the rows of the lower of them."""
    shared = min(one.rows.stop, two.rows.stop) - max(one.rows.start, two.rows.start)
    return bool(shared > 0.5 * min(one.rows.stop - one.rows.start, two.rows.stop - two.rows.start))


def _joined(spans: list[slice]) -> slice:
    return slice(min(span.start for span in spans), max(span.stop for span in spans))


def _elongated(place: Region, seen: Explained) -> bool:
    across, down = place.box.width * seen.first.shape[1], place.box.height * seen.first.shape[0]
    return bool(max(across, down) > _LONG * min(across, down))


def _wider(cells: slice) -> slice:
    return slice(max(0, cells.start - 3), cells.stop + 3)


def _pixels(place: Region) -> tuple[slice, slice]:
    return (
        slice(place.rows.start * CELL, place.rows.stop * CELL),
        slice(place.columns.start * CELL, place.columns.stop * CELL),
    )


def _plain(place: Region, seen: Explained) -> bool:
    """Whether one of the two is of few colours, in a thin strip, or of one: a border, a letterbox."""
    rows, columns = _pixels(place)
    sides = seen.first[rows, columns], seen.second[rows, columns]
    differ = cv2.absdiff(*sides).max(axis=2) > 24
    if not differ.any():
        return False
    if min(place.box.width, place.box.height) < _THIN:
        return any(_commonest(side[differ]) > 0.9 for side in sides)
    return any(side[differ].std(axis=0).max() < _EVEN for side in sides)


def _drawn_over(place: Region, seen: Explained) -> bool:
    """Whether one of the two is drawn where they differ, and the other is not, or less."""
    rows, columns = _pixels(place)
    sides = seen.first[rows, columns], seen.second[rows, columns]
    differ = cv2.absdiff(*sides).max(axis=2) > 24
    if differ.sum() < 40:
        return False
    few = [_commonest(side[differ]) for side in sides]
    strokes = [_strokes(_gray(side), _STROKE) for side in sides]
    flat = [1 - _strokes(_gray(side), _FLAT) for side in sides]
    return any(
        few[over] > _FEW
        and strokes[over] > 0.08
        and (
            strokes[under] < 0.5 * strokes[over]
            or few[under] < few[over] - 0.15
            or flat[under] < flat[over] - 0.15
        )
        for over, under in ((0, 1), (1, 0))
    )


def _both_drawn(place: Region, seen: Explained) -> bool:
    """Whether both are text or a logo in and around that place: one word of a caption was replaced."""
    rows, columns = (slice(max(0, at.start - 3 * CELL), at.stop + 3 * CELL) for at in _pixels(place))
    sides = seen.first[rows, columns], seen.second[rows, columns]
    return all(
        _commonest(side.reshape(-1, 3)) > _FEW and _strokes(_gray(side), _STROKE) > _DENSE for side in sides
    )


def _commonest(colours: Bytes) -> float:
    """The share of colours within the four commonest of 512."""
    best = 0.0
    for shift in (0, 16):  # a colour near the limit of two bins is well inside of one in the other grid
        bins = (np.minimum(colours.astype(np.int32) + shift, 255) // 32) @ np.array([64, 8, 1])
        counts = np.sort(np.bincount(bins, minlength=512))
        best = max(best, float(counts[-4:].sum() / len(bins)))
    return best


def _gray(part: Bytes) -> Floats:
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.float32)


def _strokes(part: Floats, steep: float) -> float:
    """The share of pixels at edges that are steep: grey levels from one pixel to the next but one."""
    across, down = cv2.Sobel(part, -1, 1, 0, ksize=1), cv2.Sobel(part, -1, 0, 1, ksize=1)
    return float((np.maximum(np.abs(across), np.abs(down)) > steep).mean())


def _shows_through(place: Region, seen: Explained) -> bool:
    """Whether the one picture is still there in the other, under something of one tone with sharp edges."""
    rows, columns = _pixels(place)
    under, over = seen.predicted[rows, columns], seen.luminance[rows, columns]
    added = over - under
    strong = np.abs(added) > 12
    if strong.sum() < 40 or _strokes(added, _STROKE / 2) < 0.12:
        return False
    smooth = cv2.blur(added, (3, 3))
    more, less = (float((np.maximum(side, 0) ** 2).sum()) for side in (smooth, -smooth))
    one_way = max(more, less) > _ONE_WAY * (more + less)
    one, two = (side[strong] - side[strong].mean() for side in (under, over))
    through = _THROUGH_TEXT if _elongated(place, seen) else _THROUGH
    spread = float(one.std() * two.std())
    return bool(one_way and spread > 16 and float((one * two).mean()) > through * spread)
