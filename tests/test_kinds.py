"""Which pictures are photographs, graphics, plain or tiny, in every form in which they come."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from golden_pictures import card, landscape, lattice, ramp
from PIL import Image, ImageDraw, ImageFont

from archiver.demo import scenes
from archiver.model import PictureKind
from archiver.pictures.hashes import pdq
from archiver.pictures.kinds import kind_of, tiny

Maker = Callable[[], Image.Image]


def kind(image: Image.Image) -> PictureKind:
    return kind_of(image, pdq(image)[1])


def picture(pixels: Any) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels))


def lossy(image: Image.Image, kind: str, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, kind, quality=quality)
    return Image.open(out).convert("RGB")


def forms(image: Image.Image) -> list[Image.Image]:
    """As it is, re-encoded, and small."""
    small = image.resize((320, 320 * image.height // image.width), Image.Resampling.LANCZOS)
    return [image, lossy(image, "JPEG", 60), lossy(image, "WEBP", 50), lossy(small, "JPEG", 75)]


def written(lines: list[str], paper: tuple[int, int, int], ink: str, size: int = 40) -> Image.Image:
    image = Image.new("RGB", (900, 560), paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for number, line in enumerate(lines):
        draw.text((70, 60 + number * size * 3 // 2), line, ink, font)
    return image


def quote() -> Image.Image:
    lines = [
        "“We will open the harbour",
        "before winter, and ferries",
        "run twice a day.”",
        "",
        "The minister",
    ]
    image = written(lines, (20, 60, 110), "white", 54)
    ImageDraw.Draw(image).rectangle((0, 500, 900, 560), fill=(200, 30, 40))
    return image


def article() -> Image.Image:
    text = "Prices rose more slowly than in spring, says the office that counts them, and gave no reason. "
    return written([text[7 * n % 40 :][:75] for n in range(17)], (255, 255, 255), "black", 20)


def regions(coloured: int = 3) -> Image.Image:
    """A map: each point belongs to the nearest of 16 towns, one region is coloured."""
    y, x = np.mgrid[0:500, 0:700]
    towns = lattice(11, 16, 2)
    far = [(x - 700 * int(a) // 256) ** 2 + (y - 500 * int(b) // 256) ** 2 for a, b in towns]
    owner = np.argmin(far, 0)
    colours = np.full((16, 3), 232, np.uint8)
    colours[coloured] = (200, 60, 50)
    pixels = colours[owner]
    pixels[:, 1:][owner[:, 1:] != owner[:, :-1]] = 90
    pixels[1:][owner[1:] != owner[:-1]] = 90
    return picture(pixels)


def pie() -> Image.Image:
    image = Image.new("RGB", (640, 480), "white")
    draw, angle = ImageDraw.Draw(image), 0
    for number, share in enumerate((120, 90, 70, 50, 30)):
        draw.pieslice((120, 40, 520, 440), angle, angle + share, fill=(40 * number, 200 - 30 * number, 120))
        angle += share
    return image


def lower_third() -> Image.Image:
    """A studio's backdrop with a strip of text, and nobody in front of it."""
    image = picture(ramp(960, 540)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 400, 960, 500), fill=(160, 20, 20))
    draw.text((40, 420), "LIVE  The ferry arrives", "white", ImageFont.load_default(56))
    return image


def logo() -> Image.Image:
    image = Image.new("RGB", (400, 240), (250, 200, 40))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 40, 200, 200), fill=(20, 20, 120))
    draw.text((215, 80), "NEWS", "black", ImageFont.load_default(64))
    return image


def missing(caption: str = "no image") -> Image.Image:
    return written(["", "", "", f"        {caption}"], (225, 225, 225), "gray", 44)


GRAPHICS: dict[str, Maker] = {
    "quote": quote,
    "article": article,
    "map": regions,
    "pie": pie,
    "bars": lambda: picture(card(4)),
    "lower third": lower_third,
    "logo": logo,
    "no image": missing,
    "route map of the demo": scenes.route_map,
}
PHOTOGRAPHS: dict[str, Maker] = {
    "harbour": scenes.harbour,
    "street": scenes.street,
    "marsh": scenes.marsh,
    "landscape": lambda: picture(landscape(21, 640, 420)),
    "greys": lambda: picture(landscape(22, 640, 420)).convert("L").convert("RGB"),
}


def noisy() -> Image.Image:
    grain = lattice(3, 300, 400)[:, :, None] % 4
    return picture((np.full((300, 400, 3), 120) + grain).astype(np.uint8))


def sunset() -> Image.Image:
    return picture(ramp(450, 600).transpose(1, 0, 2) // np.array([1, 2, 3], np.uint8))


PLAIN: dict[str, Maker] = {
    "one colour": lambda: Image.new("RGB", (640, 360), (12, 80, 160)),
    "grain": noisy,
    "ramp": lambda: picture(ramp()),
    "sunset": sunset,
    "small ramp": lambda: picture(ramp(240, 160)),
}


@pytest.mark.parametrize("name", GRAPHICS)
def test_graphics(name: str) -> None:
    assert [kind(form) for form in forms(GRAPHICS[name]())] == ["graphic"] * 4


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs(name: str) -> None:
    assert [kind(form) for form in forms(PHOTOGRAPHS[name]())] == ["photograph"] * 4


@pytest.mark.parametrize("name", PLAIN)
def test_plain_pictures(name: str) -> None:
    assert [kind(form) for form in forms(PLAIN[name]())] == ["plain"] * 4


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 1), True),
        ((63, 63), True),
        ((31, 900), True),
        ((728, 31), True),
        ((64, 32), False),
        ((32, 64), False),
    ],
)
def test_tiny_pictures(size: tuple[int, int], expected: bool) -> None:
    assert tiny(size) == expected
    assert (kind(picture(landscape(1, *size))) == "tiny") == expected


def test_something_small_before_nothing_is_not_plain() -> None:
    """A bird in the sky: a picture that is called plain would never be found again."""
    sky = picture(ramp(800, 600)).convert("RGB")
    ImageDraw.Draw(sky).ellipse((400, 300, 430, 318), fill=(20, 20, 20))
    assert kind(sky) != "plain"


def test_any_shape_has_a_kind() -> None:
    for width, height in ((32, 4000), (4000, 32), (257, 40), (64, 64), (300, 64)):
        tile = landscape(2, 64, 64)
        pixels = np.tile(tile, (height // 64 + 1, width // 64 + 1, 1))[:height, :width]
        assert kind(picture(pixels)) in ("photograph", "graphic")
