"""What two pictures have to do with each other: every relation, its box, and what is never merged."""

import io
import random
from functools import cache
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from archiver import pictures
from archiver.demo.scenes import harbour
from archiver.errors import RecordError
from archiver.model import MERGED, Box, Comparison
from archiver.pictures import Fingerprint
from archiver.pictures.fingerprint import make_fingerprint
from archiver.pictures.pairs.align import inliers
from archiver.pictures.pairs.compare import compare_pictures

pytestmark = pytest.mark.usefixtures("real_children")


@cache
def scene() -> Image.Image:
    return harbour().resize((900, 600), Image.Resampling.LANCZOS)


def saved(image: Image.Image, kind: str = "JPEG", quality: int = 85) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=quality)
    return out.getvalue()


def judged(first: bytes, second: bytes) -> Comparison:
    return msgspec.convert(compare_pictures(first + second, first_bytes=len(first)), Comparison)


def fingerprint(image: Image.Image) -> Fingerprint:
    return msgspec.convert(make_fingerprint(saved(image)), Fingerprint)


def near(box: Box | None, expected: tuple[float, float, float, float], within: float = 0.004) -> bool:
    if box is None:
        return False
    found = (box.left, box.top, box.left + box.width, box.top + box.height)
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= within


def logo(image: Image.Image) -> Image.Image:
    marked = image.copy()
    draw = ImageDraw.Draw(marked)
    draw.rectangle((750, 20, 880, 85), fill=(200, 16, 46))
    draw.text((762, 30), "NEWS", fill="white", font_size=40)
    return marked


def lower_third(image: Image.Image) -> Image.Image:
    page = image.copy()
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 480, 900, 570), fill=(11, 37, 69))
    draw.text((40, 492), "TALKS GO ON", fill="white", font_size=34)
    draw.text((40, 536), "the minister spoke after the meeting", fill=(208, 208, 208), font_size=22)
    return page


def watermark(image: Image.Image) -> Image.Image:
    sheet = Image.new("RGBA", image.size)
    pen = ImageDraw.Draw(sheet)
    pen.text((450, 200), "AGENCY     PHOTO", fill=(255, 255, 255, 110), font_size=90, anchor="mm")
    return Image.alpha_composite(image.convert("RGBA"), sheet).convert("RGB")


def patched(image: Image.Image) -> Image.Image:
    """A part of the sky and hills over the water: 4 % of the area."""
    forged = image.copy()
    forged.paste(image.crop((100, 260, 280, 380)).rotate(180), (500, 420))
    return forged


# --- the relations -------------------------------------------------------------------------------

RELATIONS: dict[str, tuple[str, Any]] = {
    "smaller": ("re-encoded", lambda image: saved(image.resize((320, 213)))),
    "poor": ("re-encoded", lambda image: saved(image, quality=30)),
    "webp": ("re-encoded", lambda image: saved(image.resize((600, 400)), "WEBP", 70)),
    "grey": ("re-encoded", lambda image: saved(image.convert("L"))),
    "brighter": ("re-encoded", lambda image: saved(ImageEnhance.Brightness(image).enhance(1.15))),
    "squeezed": ("re-encoded", lambda image: saved(image.resize((600, 480)))),
    "logo": ("overlaid", lambda image: saved(logo(image))),
    "grey, lower third": ("overlaid", lambda image: saved(lower_third(image.convert("L").convert("RGB")))),
    "watermark": ("overlaid", lambda image: saved(watermark(image))),
    "letterbox": ("overlaid", lambda image: saved(ImageOps.expand(image, (0, 80), "black"))),
    "mirrored": ("turned", lambda image: saved(ImageOps.mirror(image))),
    "on its side": ("turned", lambda image: saved(image.transpose(Image.Transpose.ROTATE_90))),
    "forged": ("locally-changed", lambda image: saved(patched(image).resize((600, 400)), "WEBP", 75)),
}


@pytest.mark.parametrize("name", RELATIONS)
def test_relation(name: str) -> None:
    relation, make = RELATIONS[name]
    found = judged(saved(scene(), quality=92), make(scene()))
    assert found.relation == relation, found
    assert found.evidence.blocks is not None
    assert found.evidence.blocks > 0.9
    assert len(found.evidence.affine) == 6
    assert "keypoints agree" in found.reason


def test_pixels_left_out_are_no_change() -> None:
    """A fence finer than the smaller picture's pixels comes back as another pattern; forgeries still show."""
    image = np.asarray(scene()).astype(np.float32)
    rows, columns = np.mgrid[0:600, 0:900]
    fence = 45 * np.sin(columns * 2.61) * np.sin(rows * 0.31)
    noise = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 60, (600, 900)), (0, 0), 0.7)
    image += np.where((columns > 500) & (columns < 700) & (rows > 330) & (rows < 500), fence, 0.4 * noise)[
        ..., None
    ]
    fenced = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    for width in (450, 600):
        size = (width, width * 2 // 3)
        found = judged(saved(fenced, quality=92), saved(fenced.resize(size, Image.Resampling.NEAREST)))
        assert found.relation == "re-encoded", (width, found)
    forged = fenced.copy()
    forged.paste(fenced.crop((100, 100, 280, 220)).rotate(180), (60, 400))
    size = (600, 400)
    found = judged(saved(fenced, quality=92), saved(forged.resize(size, Image.Resampling.NEAREST)))
    assert found.relation == "locally-changed", found


def test_crop_shows_its_box() -> None:
    part = scene().crop((45, 48, 855, 504)).resize((600, 338))
    found = judged(saved(scene()), saved(part, "WEBP", 75))
    assert (found.relation, found.whole) == ("cropped", "first")
    assert near(found.box, (45 / 900, 48 / 600, 855 / 900, 504 / 600)), found.box
    back = judged(saved(part, "WEBP", 75), saved(scene()))
    assert (back.relation, back.whole) == ("cropped", "second")
    assert near(back.box, (45 / 900, 48 / 600, 855 / 900, 504 / 600)), back.box


def test_quarter_of_a_picture_is_found() -> None:
    found = judged(saved(scene()), saved(scene().crop((90, 240, 540, 540))))
    assert found.relation == "cropped"
    assert near(found.box, (0.1, 0.4, 0.6, 0.9)), found.box


def test_part_of_a_page_is_shown_in_it() -> None:
    page = Image.new("RGB", (1200, 1000), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 1200, 70), fill=(30, 60, 120))
    for line in range(9):
        draw.text(
            (80, 650 + 34 * line),
            "Talks will go on, said the minister on Tuesday",
            fill="black",
            font_size=26,
        )
    page.paste(scene().resize((750, 500)), (80, 110))
    found = judged(saved(scene()), saved(page))
    assert (found.relation, found.whole) == ("cropped", "second")
    assert near(found.box, (80 / 1200, 110 / 1000, 830 / 1200, 610 / 1000)), found.box


def test_turn_is_named() -> None:
    plain = saved(scene())
    by_side = judged(plain, saved(scene().transpose(Image.Transpose.ROTATE_90)))
    assert (by_side.turn, round(by_side.degrees)) == ("rotated", 90)
    slightly = judged(plain, saved(scene().rotate(3, Image.Resampling.BICUBIC, fillcolor="white")))
    assert (slightly.relation, slightly.turn) == ("turned", "rotated")
    assert slightly.degrees == pytest.approx(3, abs=0.1)
    assert judged(plain, saved(ImageOps.mirror(scene()))).turn == "mirrored"
    upside = saved(ImageOps.flip(scene()))
    assert judged(plain, upside).turn == "mirrored and rotated"


def test_forged_place_is_boxed() -> None:
    found = judged(saved(scene()), saved(patched(scene()), quality=75))
    middles = [(box.left + box.width / 2, box.top + box.height / 2) for box in found.boxes]
    assert any(500 / 900 < x < 680 / 900 and 420 / 600 < y < 540 / 600 for x, y in middles), found


def test_bars_lie_outside_of_the_picture_that_has_none() -> None:
    framed = saved(ImageOps.expand(scene(), (0, 80), "black"))
    found = judged(framed, saved(scene()))
    assert (found.relation, found.whole) == ("overlaid", "second")
    assert [
        near(box, (0, top, 1, top + 80 / 760)) for box, top in zip(found.boxes, (0, 680 / 760), strict=True)
    ]
    beyond = judged(saved(scene()), framed)
    assert (beyond.relation, beyond.whole) == ("overlaid", "first")
    assert {round(box.top + box.height, 2) for box in beyond.boxes} == {0.0, 1.13}


# --- what is never merged --------------------------------------------------------------------------


def frame(shift: int) -> bytes:
    """A frame of a scene in which a person walks: painted, with a background that stays."""
    image = scene().copy()
    draw = ImageDraw.Draw(image)
    draw.ellipse((300 + shift, 150, 380 + shift, 230), fill=(214, 170, 140))
    draw.rectangle((270 + shift, 230, 410 + shift, 600), fill=(40, 44, 70))
    return saved(image)


def test_neighbouring_frames_are_not_merged() -> None:
    for shift in (6, 60):
        assert judged(frame(0), frame(shift)).relation not in MERGED, shift


def test_two_crops_of_one_photograph_only_overlap() -> None:
    left, right = (scene().crop((at, at // 2, 820 + at, 560 + at // 2)) for at in (0, 80))
    found = judged(saved(left), saved(right, "WEBP", 75))
    assert (found.relation, found.boxes) == ("overlapping", ())
    assert "each shows something that the other does not" in found.reason
    assert judged(saved(left), saved(scene())).relation == "cropped"


def test_turned_in_its_frame_is_no_pan() -> None:
    """What a turned picture shows in its corners is a filling, unless it is more of the scene."""
    whole, middle = scene(), (90, 60, 810, 540)
    filled = whole.crop(middle).rotate(3, Image.Resampling.BICUBIC, fillcolor="white")
    assert judged(saved(whole.crop(middle)), saved(filled)).relation == "turned"
    rolled = whole.rotate(3, Image.Resampling.BICUBIC).crop(middle)
    assert judged(saved(whole.crop(middle)), saved(rolled)).relation == "overlapping"


def card(text: str, colour: str = "#274c77") -> bytes:
    image = Image.new("RGB", (800, 500), colour)
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, 760, 460), outline="white", width=6)
    draw.text((80, 120), text, fill="white", font_size=52)
    draw.text((80, 400), "DAILY HERALD", fill="white", font_size=30)
    return saved(image)


def test_templates_are_not_merged() -> None:
    cards = [
        card("We will not\naccept this"),
        card("Prices rose\nby a third"),
        card("Talks go on\nin Geneva"),
    ]
    assert judged(cards[0], cards[1]).relation not in MERGED
    resized = Image.open(io.BytesIO(cards[0])).resize((600, 375))
    assert judged(cards[0], saved(resized)).relation == "re-encoded"


def test_plain_pictures_match_nothing_but_themselves() -> None:
    plain, icon = saved(Image.new("RGB", (400, 300), "grey")), saved(scene().resize((24, 16)))
    assert judged(plain, saved(Image.new("RGB", (400, 300), "grey"), "PNG")).relation == "same-pixels"
    assert judged(plain, saved(Image.new("RGB", (500, 300), "grey"))).relation == "different"
    assert judged(saved(scene()), icon).relation == "different"


def test_different_pictures() -> None:
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (60, 90, 3), np.uint8)).resize((900, 600))
    found = judged(saved(scene()), saved(noise))
    assert (found.relation, found.evidence.blocks) == ("different", None)


def test_bytes_that_are_no_picture() -> None:
    broken = saved(scene())[:4000]
    assert judged(broken, broken).relation == "same-bytes"
    for first, second, name in ((broken, saved(scene()), "first"), (saved(scene()), b"", "second")):
        found = judged(first, second)
        assert (found.relation, name in found.reason) == ("undecodable", True)


# --- fingerprints ------------------------------------------------------------------------------


def test_fingerprints_agree_without_any_pixels() -> None:
    whole = fingerprint(scene())
    assert len(whole.points) // 4 == len(whole.descriptors) // 32 == len(whole.mirrored) // 32
    assert len(whole.pdq) == 256
    assert inliers(whole, fingerprint(scene().crop((90, 60, 810, 540)))) >= 20
    assert inliers(whole, fingerprint(ImageOps.mirror(scene()))) >= 20
    noise = random.Random(1).randbytes(180 * 120 * 3)
    other = Image.frombytes("RGB", (180, 120), noise).resize((900, 600))
    assert inliers(whole, fingerprint(other)) < 10
    assert fingerprint(scene()) == whole


def test_fingerprint_that_does_not_fit() -> None:
    whole = fingerprint(scene())
    short = msgspec.structs.replace(whole, descriptors=whole.descriptors[:-1])
    with pytest.raises(RecordError, match="do not fit"):
        inliers(whole, short)


# --- from Python -----------------------------------------------------------------------------------


def test_package_compares_in_a_child() -> None:
    first, second = saved(scene()), saved(patched(scene()))
    assert pictures.compare(first, second) == judged(first, second)
    assert Image.open(io.BytesIO(pictures.change_map(first, second))).size == (900, 600)
    assert pictures.change_map(first, first) == b""
    assert pictures.fingerprint(first) == fingerprint(scene())
    assert pictures.compare(first, b"GIF89a").relation == "undecodable"
    assert len(pictures.Index()) == 0
