"""What the scenes are painted with: light, noise, glow and grain, in floating point.

A canvas is a numpy array of height x width x 3 float32, 0 to 255. Shapes are drawn at twice the
size and reduced, so that their edges are smooth. The same numbers give the same pixels each time.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Canvas = NDArray[np.float32]
Colour = tuple[int, int, int]
Point = tuple[float, float]
_SMOOTH = 2  # shapes are drawn this many times larger


def gradient(width: int, height: int, stops: Sequence[tuple[float, Colour]]) -> Canvas:
    """A canvas whose colour changes from top (0.0) to bottom (1.0) through the given stops."""
    down = np.linspace(0.0, 1.0, height)
    at = [stop for stop, _ in stops]
    column = np.stack(
        [np.interp(down, at, [colour[band] for _, colour in stops]) for band in range(3)], axis=1
    )
    return np.repeat(column[:, None, :], width, axis=1).astype(np.float32)


def noise(width: int, height: int, cells: tuple[int, int], seed: int, octaves: int = 4) -> Canvas:
    """Smooth value noise, height x width x 1, 0 to 1; `cells` are the coarsest grid's columns and rows."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        grid = rng.random((cells[1] << octave, cells[0] << octave), np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer, np.float32) / 2 ** (octave + 1)
    low, high = float(total.min()), float(total.max())
    return ((total - low) / (high - low))[:, :, None]


def blend(canvas: Canvas, colour: Colour, share: Canvas) -> Canvas:
    """Mix `colour` into the canvas; `share` is 0 to 1 for each pixel."""
    return canvas + (np.asarray(colour, np.float32) - canvas) * share


def shapes(
    canvas: Canvas, draw: Callable[["Pen"], None], *, blur: float = 0.0, strength: float = 1.0
) -> Canvas:
    """Draw with a Pen on a clear sheet and lay it over the canvas, blurred by `blur` pixels if wished."""
    height, width = canvas.shape[:2]
    sheet = Image.new("RGBA", (width * _SMOOTH, height * _SMOOTH), (0, 0, 0, 0))
    draw(Pen(ImageDraw.Draw(sheet)))
    sheet = sheet.resize((width, height), Image.Resampling.BOX)
    if blur:
        sheet = sheet.filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(sheet, np.float32)
    alpha = pixels[:, :, 3:] / 255
    colours = pixels[:, :, :3] / np.maximum(alpha, 1 / 255) if blur else pixels[:, :, :3]
    share = alpha * np.float32(strength)
    mixed: Canvas = (canvas + (np.minimum(colours, 255) - canvas) * share).astype(np.float32)
    return mixed


def glow(canvas: Canvas, centre: Point, radius: float, colour: Colour, strength: float = 1.0) -> Canvas:
    """Add light that fades with the distance from `centre`, as a lamp or a low sun gives."""
    height, width = canvas.shape[:2]
    y, x = np.ogrid[0:height, 0:width]
    squared = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2).astype(np.float32)
    light = np.exp(-squared / (2 * radius**2))[:, :, None] * np.float32(strength)
    lit: Canvas = canvas + (255 - canvas) * (np.asarray(colour, np.float32) / 255) * light
    return lit


def finish(canvas: Canvas, seed: int, grain: float = 3.0) -> Image.Image:
    """What a camera adds: darker corners and sensor noise. The canvas becomes a picture."""
    height, width = canvas.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = (1 - 0.16 * (x * x + y * y) ** 1.5 / 2.83).astype(np.float32)[:, :, None]
    sensor = np.random.default_rng(seed).normal(0, grain, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(canvas * corners + sensor, 0, 255).astype(np.uint8))


class Pen:
    """ImageDraw in the canvas's own coordinates."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def area(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon([(x * _SMOOTH, y * _SMOOTH) for x, y in points], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.area([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def disc(self, centre: Point, radius: float, colour: Colour, squash: float = 1.0) -> None:
        x, y = centre[0] * _SMOOTH, centre[1] * _SMOOTH
        wide, high = radius * _SMOOTH, radius * _SMOOTH * squash
        self._draw.ellipse((x - wide, y - high, x + wide, y + high), fill=colour)

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.0) -> None:
        scaled = [(x * _SMOOTH, y * _SMOOTH) for x, y in points]
        self._draw.line(scaled, fill=colour, width=max(1, round(width * _SMOOTH)), joint="curve")
