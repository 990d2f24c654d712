"""Whether what differs was laid over a picture (a bar, a border, a logo, a watermark) or changed in it.

In doubt it is changed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archiver.model import Box
from archiver.pictures.pairs.explain import Explained


@dataclass(frozen=True)
class Region:
    box: Box
    rows: slice  # cells
    columns: slice


def edges(hot: NDArray[np.uint8], seen: Explained) -> tuple[list[Region], NDArray[np.uint8]]:
    return [], hot


def is_overlay(region: Region, seen: Explained) -> bool:
    return False
