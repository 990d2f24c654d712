"""The largest picture on a page: screenshots show a photograph among text and empty paper."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 256  # pixels of the longer side that is looked at
_CELL = 4  # of these pixels a side
_PAPER = 0.2  # of a page, at least, is in one colour
_NEAR = 12  # levels from it, in each channel
_FULL = 0.85  # of a cell is not paper: no text
_LEAST, _MOST = 0.02, 0.75  # of the page that it takes
_FILLED = 0.75  # of the box around it
_FLAT = 0.9  # of it in one colour: a bar


def inset(page: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """The rows and columns of an RGB picture (height x width x 3) that show another; None for no page."""
    height, width = page.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    rows, columns = (max(1, round(side * scale / _CELL)) for side in (height, width))
    size = (columns * _CELL, rows * _CELL)
    small = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
    paper, share = _commonest(small.reshape(-1, 3))
    if share < _PAPER:
        return None
    printed = (np.abs(small.astype(np.int16) - paper).max(axis=2) > _NEAR).astype(np.float32)
    full = cv2.resize(printed, (columns, rows), interpolation=cv2.INTER_AREA) > _FULL
    count, _labels, stats, _ = cv2.connectedComponentsWithStats(full.astype(np.uint8), connectivity=4)
    for number in sorted(range(1, count), key=lambda each: -stats[each, cv2.CC_STAT_AREA]):
        left, top, across, down, area = (int(value) for value in stats[number])
        if area < _LEAST * rows * columns:
            break
        pixels = small[top * _CELL : (top + down) * _CELL, left * _CELL : (left + across) * _CELL]
        fits = area >= _FILLED * across * down and across * down <= _MOST * rows * columns
        if fits and _commonest(pixels.reshape(-1, 3))[1] < _FLAT:
            return (
                slice(top * height // rows, (top + down) * height // rows),
                slice(left * width // columns, (left + across) * width // columns),
            )
    return None


def _commonest(colours: NDArray[np.uint8]) -> tuple[NDArray[np.int16], float]:
    """The commonest of 4,096 colours, and the share of them that lies near it."""
    bins = (colours.astype(np.int32) >> 4) @ np.array([256, 16, 1])
    best = int(np.bincount(bins).argmax())
    colour = np.median(colours[bins == best], axis=0).astype(np.int16)
    return colour, float((np.abs(colours.astype(np.int16) - colour).max(axis=1) <= _NEAR).mean())
