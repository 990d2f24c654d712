"""What kind of picture it is, told from its pixels: what may look alike, and how strictly that is judged."""

from typing import Any

from archiver.model import PictureKind

SHORTEST = 32  # pixels: a picture with a shorter side is an icon, a divider, a tracking pixel
LONGEST = 64  # … or with no longer side than this
_FLAT_RANGE = 8  # grey levels: less between its darkest and brightest pixel, and it is one colour
_BENT = 8  # grey levels by which three neighbours leave a straight line: more is a structure
_BENT_SHARE = 0.0005
_PLAIN_QUALITY = 60  # of PDQ: 1,300 photographs and renditions have that and more, linear gradients 46
_WIDE, _NARROW, _CELL = 256, 128, 8  # pixels


def tiny(size: tuple[int, int]) -> bool:
    """Whether a picture of this width and height is too small to look like anything."""
    return min(size) < SHORTEST or max(size) < LONGEST


def kind_of(image: Any, quality: int) -> PictureKind:
    """Kind of an upright RGB Pillow picture; `quality` is that of its PDQ hash.

    Integer arithmetic on a copy of at most 256 pixels. plain: one colour, a gradient, nothing else at all.
    graphic: cells without any change, and few of the slight changes between neighbours that light makes.
    In doubt it is no plain one, for that would never be found again; and rather a graphic, which is
    judged the more strictly.
    """
    if tiny(image.size):
        return "tiny"
    small = _small(image, _WIDE)
    greys = _greys(small)
    flat = int(greys.max()) - int(greys.min()) < _FLAT_RANGE
    if flat or (quality < _PLAIN_QUALITY and _bent(greys) <= _BENT_SHARE):
        return "plain"
    # measured on photographs, cards, charts and maps, re-encoded and at 320 pixels (docs/pictures.md)
    few = _mild(_greys(_small(small, _NARROW))) < 0.07 + 0.8 * _flat_cells(small)
    return "graphic" if few else "photograph"


def _small(image: Any, longest: int) -> Any:
    """At most so many pixels long, by averaging; each side at least one cell."""
    from PIL import Image  # noqa: PLC0415 - only the child pays for it

    if max(image.size) <= longest:
        return image
    share = longest / max(image.size)
    width, height = (max(_CELL, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def _greys(image: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    return np.asarray(image.convert("L"), np.int16)


def _bent(greys: Any) -> float:
    """Share of pixels that are no straight line with those beside, or above and below, them."""
    import numpy as np  # noqa: PLC0415

    across = np.abs(greys[:, :-2] - 2 * greys[:, 1:-1] + greys[:, 2:]) > _BENT
    down = np.abs(greys[:-2] - 2 * greys[1:-1] + greys[2:]) > _BENT
    return float((across.sum() + down.sum()) / greys.size)


def _mild(greys: Any) -> float:
    """Share of pixels that differ from the next ones by 3 to 12 grey levels, as light and texture do."""
    import numpy as np  # noqa: PLC0415

    right, below = np.abs(np.diff(greys, axis=1))[:-1], np.abs(np.diff(greys, axis=0))[:, :-1]
    steps = np.maximum(right, below)
    return float(((steps > 2) & (steps <= 12)).mean())


def _flat_cells(image: Any) -> float:
    """Share of the cells of 8 x 8 pixels in which no channel changes by more than 4."""
    import numpy as np  # noqa: PLC0415

    pixels = np.asarray(image)
    rows, columns = pixels.shape[0] // _CELL, pixels.shape[1] // _CELL
    bands = pixels[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns * _CELL, 3)
    highest = bands.max(1).reshape(rows, columns, _CELL, 3).max(2)
    lowest = bands.min(1).reshape(rows, columns, _CELL, 3).min(2)
    return float(((highest - lowest).max(-1) <= 4).mean())
