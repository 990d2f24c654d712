"""What is changed between two aligned pictures, what was laid over one, and what is no change at all."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from archiver.demo import scenes
from archiver.model import Box
from archiver.pictures.pairs.changemap import LONGEST, change_map
from archiver.pictures.pairs.changes import Changes, find_changes

Forge = Callable[[Image.Image, float], Image.Image]
Lay = Callable[[ImageDraw.ImageDraw], tuple[float, float, float, float]]
SIZE = (600, 400)
GRID = (512, 341)


def photograph(name: str) -> Image.Image:
    return getattr(scenes, name)().resize(SIZE, Image.Resampling.LANCZOS)


def saved(picture: Image.Image, kind: str = "JPEG", quality: int = 80, width: int = 0) -> Image.Image:
    if width:
        picture = picture.resize((width, width * picture.height // picture.width))
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return Image.open(out).convert("RGB")


def pixels(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.resize(GRID, Image.Resampling.BICUBIC))


def changes(first: Image.Image, second: Image.Image, valid: NDArray[np.bool_] | None = None) -> Changes:
    shown = np.ones(GRID[::-1], bool) if valid is None else valid
    return find_changes(pixels(first), pixels(second), shown, scale=min(1.0, second.width / GRID[0]))


def overlap(box: Box, left: float, top: float, width: float, height: float) -> float:
    across = min(box.left + box.width, left + width) - max(box.left, left)
    down = min(box.top + box.height, top + height) - max(box.top, top)
    both = max(0.0, across) * max(0.0, down)
    return both / (box.width * box.height + width * height - both)


PROXIED = {
    "JPEG 50": lambda p: saved(p, quality=50),
    "JPEG 30, 320 wide": lambda p: saved(p, quality=30, width=320),
    "WebP, 450 wide": lambda p: saved(p, "WEBP", 75, 450),
    "grey": lambda p: saved(p.convert("L").convert("RGB")),
    "brighter": lambda p: saved(ImageEnhance.Brightness(p).enhance(1.2)),
    "sharpened": lambda p: saved(p.filter(ImageFilter.UnsharpMask(2, 120, 2)), quality=85),
}


@pytest.mark.parametrize("kind", PROXIED)
@pytest.mark.parametrize("name", ["harbour", "street"])
def test_what_a_proxy_does_is_no_change(name: str, kind: str) -> None:
    picture = photograph(name)
    found = changes(picture, PROXIED[kind](picture))
    assert (found.changed, found.overlaid, found.share) == ((), (), 0.0)


def block(picture: Image.Image, side: float) -> Image.Image:
    other = photograph("reading_room")
    out = picture.copy()
    out.paste(other.crop((200, 100, 200 + round(600 * side), 100 + round(400 * side))), (240, 140))
    return out


def painted(picture: Image.Image, side: float) -> Image.Image:
    width, height = round(600 * side), round(400 * side)
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[140 : 140 + height, 240 : 240 + width] = 255
    return Image.fromarray(cv2.inpaint(np.asarray(picture), mask, 3, cv2.INPAINT_TELEA))


@pytest.mark.parametrize(("side", "proxied"), [(0.1, "WebP, 450 wide"), (0.3, "JPEG 30, 320 wide")])
@pytest.mark.parametrize("forge", [block, painted])
def test_a_forgery_is_boxed_after_a_proxy(forge: Forge, side: float, proxied: str) -> None:
    picture = photograph("street")
    forged = saved(forge(picture, side))
    for one, two in ((picture, PROXIED[proxied](forged)), (forged, PROXIED[proxied](picture))):
        found = changes(one, two)
        assert found.overlaid == ()
        assert max(overlap(box, 0.4, 0.35, side, side) for box in found.changed) > 0.3


def captioned(picture: Image.Image, words: str) -> Image.Image:
    page = Image.new("RGB", (600, 460), "white")
    page.paste(picture)
    ImageDraw.Draw(page).text((20, 412), words, font=ImageFont.load_default(28), fill="black")
    return page


def test_another_word_in_a_caption_is_a_change() -> None:
    picture = photograph("harbour")
    one = captioned(picture, "The minister confirmed the plan")
    two = captioned(picture, "The minister rejected the plan")
    found = changes(one, saved(two, "WEBP", 75, 450))
    assert found.overlaid == ()
    assert found.changed
    assert all(box.top > 0.85 for box in found.changed)


@pytest.mark.parametrize("words", ["12 dead in flood", "72 dead in flood", " 2 dead in flood"])
def test_another_digit_in_a_caption_bar_is_a_change(words: str) -> None:
    one, two = photograph("street"), photograph("street")
    for picture, text in ((one, "12 dead in flood, officials say"), (two, f"{words}, officials say")):
        pen = ImageDraw.Draw(picture)
        pen.rectangle((0, 356, 600, 400), fill=(20, 20, 20))
        pen.text((12, 360), text, font=ImageFont.load_default(24), fill="white")
    found = changes(saved(one, quality=90), saved(two))
    assert found.overlaid == ()
    assert bool(found.changed) == (not words.startswith("12"))


def test_another_colour_is_a_change() -> None:
    picture = photograph("street")
    one, two = (
        Image.composite(Image.new("RGB", SIZE, colour), picture, spot()) for colour in ("#a03030", "#306a30")
    )
    found = changes(one, saved(two))
    assert overlap(found.changed[0], 0.25, 0.25, 0.2, 0.25) > 0.4


def spot() -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle((150, 100, 269, 199), fill=255)
    return mask


def logo(pen: ImageDraw.ImageDraw, strength: int = 255) -> tuple[float, float, float, float]:
    pen.ellipse((510, 15, 585, 90), fill=(200, 20, 30, strength))
    pen.text((547, 52), "BBN", font=ImageFont.load_default(30), fill=(255, 255, 255, strength), anchor="mm")
    return 510 / 600, 15 / 400, 75 / 600, 75 / 400


def caption_bar(pen: ImageDraw.ImageDraw) -> tuple[float, float, float, float]:
    pen.rectangle((0, 350, 600, 400), fill=(250, 250, 250))
    pen.text((14, 355), "Council opened the bridge", font=ImageFont.load_default(30), fill="black")
    return 0, 350 / 400, 1, 50 / 400


def watermark(pen: ImageDraw.ImageDraw) -> tuple[float, float, float, float]:
    font = ImageFont.load_default(64)
    pen.text((60, 180), "AGENCY PHOTO", font=font, fill=(255, 255, 255, 110))
    left, top, right, bottom = pen.textbbox((60, 180), "AGENCY PHOTO", font=font)
    return left / 600, top / 400, (right - left) / 600, (bottom - top) / 400


def border(pen: ImageDraw.ImageDraw) -> tuple[float, float, float, float]:
    pen.rectangle((0, 0, 599, 399), outline="white", width=16)
    return 0, 0, 1, 16 / 400


@pytest.mark.parametrize("lay", [logo, caption_bar, watermark, border])
def test_what_is_laid_over_is_no_change(lay: Lay) -> None:
    picture = photograph("street")
    sheet = Image.new("RGBA", SIZE)
    where = lay(ImageDraw.Draw(sheet))
    two = saved(Image.alpha_composite(picture.convert("RGBA"), sheet).convert("RGB"), "WEBP", 75, 450)
    found = changes(picture, two)
    assert found.changed == ()
    assert max(overlap(box, *where) for box in found.overlaid) > 0.5


def test_a_moved_person_is_a_change() -> None:
    scene, person = photograph("podium"), photograph("harbour").crop((360, 180, 420, 300))
    one, two = scene.copy(), scene.copy()
    one.paste(person, (120, 200))
    two.paste(person, (132, 203))
    found = changes(saved(one), saved(two))
    assert found.changed
    assert found.share > 0.01


def test_what_only_one_shows_is_not_compared() -> None:
    picture = photograph("street")
    cut = pixels(picture).copy()
    cut[:, :200] = 0
    valid = np.ones(GRID[::-1], bool)
    valid[:, :200] = False
    found = find_changes(pixels(picture), cut, valid, scale=1.0)
    assert (found.changed, found.overlaid) == ((), ())


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (40, 40)])
def test_small_flat_and_empty_pictures_are_compared(shape: tuple[int, int]) -> None:
    one, two = np.zeros((*shape, 3), np.uint8), np.full((*shape, 3), 255, np.uint8)
    for shown in (True, False):
        found = find_changes(one, two, np.full(shape, shown), scale=0.5)
        assert 0 <= found.share <= 1


def test_the_same_input_gives_the_same_output() -> None:
    picture = photograph("street")
    forged = saved(block(picture, 0.2))
    assert changes(picture, forged) == changes(picture, forged)


def test_the_map_shows_what_was_found() -> None:
    first = np.asarray(scenes.street().resize((2400, 1600)))
    box = Box(left=0.25, top=0.25, width=0.25, height=0.25)
    data = change_map(first, changed=(box,), overlaid=(Box(0.8, 0.1, 0.1, 0.1),), crop=Box(0, 0, 1, 1.2))
    with Image.open(io.BytesIO(data)) as drawn:
        assert (drawn.format, drawn.mode, max(drawn.size)) == ("PNG", "RGB", LONGEST)
        assert drawn.getpixel((1, 1)) == (20, 150, 60)
        assert drawn.getpixel((401, 400)) == (220, 20, 30)
        assert drawn.getpixel((1281, 150)) == (30, 90, 230)
        red, green, blue = drawn.getpixel((600, 400))
        assert red > green + 30
        assert abs(green - blue) < 30
        grey = drawn.getpixel((100, 900))
        assert max(grey) == min(grey)
