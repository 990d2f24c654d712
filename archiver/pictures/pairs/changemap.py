"""What a comparison found, drawn for a person: the first picture greyed, with boxes over it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from archiver.model import Box

LONGEST = 1600  # pixels a side
_RED, _BLUE, _GREEN = (220, 20, 30), (30, 90, 230), (20, 150, 60)


def change_map(
    first: NDArray[np.uint8],
    *,
    changed: tuple[Box, ...] = (),
    overlaid: tuple[Box, ...] = (),
    crop: Box | None = None,
) -> bytes:
    """A PNG of the first picture (height x width x 3 RGB) in greys, at most LONGEST pixels a side.

    What is changed is tinted and framed in red, what is laid over framed in blue, what the second picture
    shows of the first framed in green. Boxes are in shares of the picture's sides.
    """
    share = min(1.0, LONGEST / max(first.shape[:2]))
    size = (max(1, round(first.shape[1] * share)), max(1, round(first.shape[0] * share)))
    small = cv2.resize(first, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_NEAREST)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) * 0.6 + 90  # paler, so that frames show
    page = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    for box in changed:
        place = page[_rows(box, size[1]), _columns(box, size[0])]
        place[:] = (place * 0.6 + np.array(_RED) * 0.4).astype(np.uint8)
    wide = max(2, round(max(size) / 320))
    for boxes, colour in (((crop,) if crop else (), _GREEN), (overlaid, _BLUE), (changed, _RED)):
        for box in boxes:
            _frame(page, _rows(box, size[1]), _columns(box, size[0]), wide, colour)
    # PNG is written as BGR from what OpenCV holds
    done, data = cv2.imencode(".png", cv2.cvtColor(page, cv2.COLOR_RGB2BGR))
    return data.tobytes() if done else b""


def _rows(box: Box, height: int) -> slice:
    return _span(box.top, box.height, height)


def _columns(box: Box, width: int) -> slice:
    return _span(box.left, box.width, width)


def _span(start: float, length: float, whole: int) -> slice:
    low = min(max(round(start * whole), 0), whole - 1)
    return slice(low, min(max(round((start + length) * whole), low + 1), whole))


def _frame(
    page: NDArray[np.uint8], rows: slice, columns: slice, wide: int, colour: tuple[int, int, int]
) -> None:
    """Draw inside of a box, so that a box of the whole picture shows too."""
    place = page[rows, columns]
    for strip in (place[:wide], place[-wide:], place[:, :wide], place[:, -wide:]):
        strip[:] = colour
