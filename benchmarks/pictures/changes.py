"""Kinds of change that a photograph goes through on its way to a page, each with its ground truth.

Every kind takes a picture and a generator of its own seed, and gives the bytes that would be served, with
what a judge should say: relation, the box that is shown, the turn. What is not itself about the encoding is
saved as a proxy does: at most 900 px, JPEG of quality 80. Boxes are in shares of a picture's sides.
"""

import io
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Picture = Image.Image
BoxOf = tuple[float, float, float, float]  # left, top, width, height
WORDS = (
    "minister",
    "spoke",
    "to",
    "reporters",
    "after",
    "the",
    "meeting",
    "said",
    "that",
    "talks",
    "go",
    "on",
)


class Made(NamedTuple):
    """A changed picture and what is true of it, compared with the original as the first."""

    data: bytes
    relation: str
    box: BoxOf | None = None  # what one shows of the other
    whole: str = ""  # which shows more
    turn: str = ""


Make = Callable[[Picture, random.Random], Made | None]


class Kind(NamedTuple):
    name: str
    group: str
    make: Make


def encoded(image: Picture, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def proxied(image: Picture, side: int = 900, quality: int = 80) -> bytes:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return encoded(small, quality=quality)


def font(size: float) -> Any:
    return ImageFont.load_default(max(8, size))


# --- the same picture, encoded otherwise ------------------------------------------------------------


def resized(width: int) -> Make:
    def make(image: Picture, _rng: random.Random) -> Made | None:
        if image.width <= width:
            return None
        small = image.resize(
            (width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS
        )
        return Made(encoded(small, quality=85), "re-encoded")

    return make


def saved(kind: str, **options: Any) -> Make:
    return lambda image, _rng: Made(encoded(image, kind, **options), "re-encoded")


def twice(image: Picture, _rng: random.Random) -> Made:
    first = Image.open(io.BytesIO(proxied(image, 1100, 70)))
    small = first.copy()
    small.thumbnail((640, 640), Image.Resampling.BICUBIC)
    return Made(encoded(small, "WEBP", quality=60), "re-encoded")


def toned(change: Callable[[Picture], Picture]) -> Make:
    return lambda image, _rng: Made(proxied(change(image)), "re-encoded")


def gamma(power: float) -> Callable[[Picture], Picture]:
    table = [round(255 * (level / 255) ** power) for level in range(256)] * 3
    return lambda image: image.point(table)


# --- parts of it ---------------------------------------------------------------------------------


def cut(image: Picture, box: BoxOf) -> tuple[Picture, BoxOf]:
    """The part, and the box that whole pixels made of it."""
    left, top = round(box[0] * image.width), round(box[1] * image.height)
    width, height = round(box[2] * image.width), round(box[3] * image.height)
    width, height = min(width, image.width - left), min(height, image.height - top)
    exact = (left / image.width, top / image.height, width / image.width, height / image.height)
    return image.crop((left, top, left + width, top + height)), exact


def cropped(image: Picture, box: BoxOf) -> Made:
    part, exact = cut(image, box)
    return Made(proxied(part), "cropped", exact, "first")


def pangea(percent: int) -> Make:
    """A box as that system writes it: cx, cy and cw in percent, 16 to 9."""

    def make(image: Picture, rng: random.Random) -> Made | None:
        height = percent / 100 * image.width * 9 / 16 / image.height
        if height > 1:
            return None
        left = rng.randint(0, 100 - percent) / 100
        top = int(rng.uniform(0, 1 - height) * 100) / 100
        return cropped(image, (left, top, percent / 100, height))

    return make


def aspect(ratio: float) -> Make:
    def make(image: Picture, _rng: random.Random) -> Made | None:
        own = image.width / image.height
        width, height = min(1, ratio / own), min(1, own / ratio)
        if width * height > 0.97:  # next to nothing is cut
            return None
        return cropped(image, ((1 - width) / 2, (1 - height) / 2, width, height))

    return make


def keeping(least: float, most: float) -> Make:
    """A crop of any shape near the picture's own that keeps a share of the area."""

    def make(image: Picture, rng: random.Random) -> Made:
        area, stretch = rng.uniform(least, most), rng.uniform(0.85, 1.18)
        width, height = min(1.0, (area**0.5) * stretch), min(1.0, (area**0.5) / stretch)
        return cropped(image, (rng.uniform(0, 1 - width), rng.uniform(0, 1 - height), width, height))

    return make


# --- something laid over or around it -------------------------------------------------------------


def said(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def framed(image: Picture, edges: tuple[int, int, int, int], colour: str) -> Picture:
    """The picture on a larger canvas. `edges`: left, top, right, bottom."""
    left, top, right, bottom = edges
    page = Image.new("RGB", (image.width + left + right, image.height + top + bottom), colour)
    page.paste(image, (left, top))
    return page


def apart_from(image: Picture, colour: str) -> tuple[str, str]:
    """The colour of a bar and of its text: the other way round where the picture's own edges are like it."""
    small = image.convert("L").resize((16, 16), Image.Resampling.BOX)
    edges = [*small.crop((0, 0, 16, 1)).tobytes(), *small.crop((0, 15, 16, 16)).tobytes()]
    like = sum(edges) / len(edges) < 60 if colour == "black" else sum(edges) / len(edges) > 195
    return ("white", "black") if (colour == "white") != like else ("black", "white")


def caption_bar(image: Picture, rng: random.Random) -> Made:
    tall = round(0.12 * image.height)
    ground, ink = apart_from(image, "white")
    page = framed(image, (0, 0, 0, tall), ground)
    ImageDraw.Draw(page).text(
        (tall // 4, image.height + tall // 4), said(rng, 7), fill=ink, font=font(tall * 0.35)
    )
    return Made(proxied(page), "overlaid")


def letterbox(image: Picture, _rng: random.Random) -> Made:
    bar = round(0.11 * image.height)
    page = framed(image, (0, bar, 0, bar), apart_from(image, "black")[0])
    return Made(proxied(page), "overlaid")


def border(image: Picture, _rng: random.Random) -> Made:
    wide = round(0.04 * max(image.size))
    page = framed(image, (wide, wide, wide, wide), apart_from(image, "white")[0])
    return Made(proxied(page), "overlaid")


def with_logo(image: Picture, rng: random.Random) -> Picture:
    page = image.copy()
    wide, tall = round(0.14 * image.width), round(0.07 * image.width)
    edge = round(0.03 * image.width)
    left, top = rng.choice((edge, image.width - edge - wide)), rng.choice((edge, image.height - edge - tall))
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + wide, top + tall), fill="#c8102e")
    draw.text((left + tall * 0.3, top + tall * 0.15), "NEWS", fill="white", font=font(tall * 0.6))
    return page


def logo(image: Picture, rng: random.Random) -> Made:
    return Made(proxied(with_logo(image, rng)), "overlaid")


def watermark(image: Picture, _rng: random.Random) -> Made:
    layer = Image.new("RGBA", image.size)
    size = 0.12 * image.width
    ImageDraw.Draw(layer).text(
        (image.width * 0.5, image.height * 0.5),
        "AGENCY",
        fill=(255, 255, 255, 110),
        font=font(size),
        anchor="mm",
    )
    return Made(proxied(Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")), "overlaid")


def with_lower_third(image: Picture, rng: random.Random) -> Picture:
    page = image.copy()
    top, tall = round(image.height * 0.8), round(image.height * 0.14)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, top, image.width, top + tall), fill="#0b2545")
    draw.rectangle((0, top, round(0.02 * image.width), top + tall), fill="#f2c14e")
    draw.text(
        (0.05 * image.width, top + tall * 0.15), said(rng, 3).upper(), fill="white", font=font(tall * 0.4)
    )
    draw.text((0.05 * image.width, top + tall * 0.6), said(rng, 6), fill="#d0d0d0", font=font(tall * 0.25))
    return page


def lower_third(image: Picture, rng: random.Random) -> Made:
    return Made(proxied(with_lower_third(image, rng)), "overlaid")


# --- turned -----------------------------------------------------------------------------------------


def turned(how: Image.Transpose, turn: str) -> Make:
    return lambda image, _rng: Made(proxied(image.transpose(how)), "turned", None, "", turn)


def slightly(image: Picture, rng: random.Random) -> Made:
    """By 2 to 5 degrees, on white."""
    degrees = rng.choice((-1, 1)) * rng.uniform(2, 5)
    whole = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    return Made(proxied(whole), "turned", None, "", "rotated")


def straightened(image: Picture, rng: random.Random) -> Made:
    """By 2 to 5 degrees, cut to what has no corners."""
    degrees = rng.choice((-1, 1)) * rng.uniform(2, 5)
    part = image.rotate(degrees, Image.Resampling.BICUBIC).crop(
        (
            round(image.width * 0.08),
            round(image.height * 0.08),
            round(image.width * 0.92),
            round(image.height * 0.92),
        )
    )
    return Made(proxied(part), "turned", None, "", "rotated")


# --- part of something larger --------------------------------------------------------------------


def collage(image: Picture, rng: random.Random) -> Made:
    """One of 2x2; the other three are colours and text."""
    cell = image.copy()
    cell.thumbnail((600, 600), Image.Resampling.LANCZOS)
    page = Image.new("RGB", (cell.width * 2, cell.height * 2), "white")
    places = [(x, y) for x in (0, 1) for y in (0, 1)]
    rng.shuffle(places)
    for place, colour in zip(places[1:], ("#274c77", "#a3cef1", "#e7ecef"), strict=True):
        other = Image.effect_noise(cell.size, 40).convert("RGB")
        other = Image.blend(other, Image.new("RGB", cell.size, colour), 0.7)
        ImageDraw.Draw(other).text((20, 40), said(rng, 4), fill="black", font=font(cell.width / 16))
        page.paste(other, (place[0] * cell.width, place[1] * cell.height))
    page.paste(cell, (places[0][0] * cell.width, places[0][1] * cell.height))
    return Made(proxied(page, 1200), "cropped", (places[0][0] / 2, places[0][1] / 2, 0.5, 0.5), "second")


def screenshot(image: Picture, rng: random.Random) -> Made:
    """The picture in an article's column, with a head, a headline, and text above and below."""
    page = Image.new("RGB", (1280, 1000), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 1280, 60), fill="#111111")
    draw.text((30, 14), "DAILY HERALD", fill="white", font=font(28))
    draw.text((160, 90), said(rng, 6), fill="black", font=font(40))
    cell = image.copy()
    cell.thumbnail((800, 560), Image.Resampling.LANCZOS)
    page.paste(cell, (160, 160))
    for line in range(8):
        top = 180 + cell.height + line * 26
        draw.text((160, top), said(rng, 14), fill="#333333", font=font(18))
    box = (160 / page.width, 160 / page.height, cell.width / page.width, cell.height / page.height)
    return Made(proxied(page, 1280, 85), "cropped", box, "second")


# --- several at once --------------------------------------------------------------------------------


def crop_small(image: Picture, rng: random.Random) -> Made:
    width = rng.uniform(0.7, 0.9)
    part, box = cut(image, (rng.uniform(0, 1 - width), rng.uniform(0, 1 - width), width, width))
    return Made(proxied(part, 480, 50), "cropped", box, "first")


def crop_logo(image: Picture, rng: random.Random) -> Made:
    width = rng.uniform(0.75, 0.92)
    part, box = cut(image, (rng.uniform(0, 1 - width), rng.uniform(0, 1 - width), width, width))
    return Made(proxied(with_logo(part, rng)), "overlaid", box, "first")


def mirror_crop(image: Picture, rng: random.Random) -> Made:
    width = rng.uniform(0.75, 0.92)
    part, box = cut(image, (rng.uniform(0, 1 - width), rng.uniform(0, 1 - width), width, width))
    return Made(proxied(ImageOps.mirror(part)), "turned", box, "first", "mirrored")


def grey_lower_third(image: Picture, rng: random.Random) -> Made:
    return Made(proxied(with_lower_third(ImageOps.grayscale(image).convert("RGB"), rng), 640), "overlaid")


_SIDE = Image.Transpose
KINDS = (
    *(Kind(f"width {side}", "encoding", resized(side)) for side in (900, 480, 320, 160)),
    *(Kind(f"JPEG {quality}", "encoding", saved("JPEG", quality=quality)) for quality in (90, 75, 50, 30)),
    Kind("progressive", "encoding", saved("JPEG", quality=80, progressive=True)),
    Kind("WebP 75", "encoding", saved("WEBP", quality=75)),
    Kind("AVIF 50", "encoding", saved("AVIF", quality=50, speed=9)),
    Kind("twice encoded", "encoding", twice),
    Kind("grey", "tone", toned(lambda image: ImageOps.grayscale(image).convert("RGB"))),
    Kind("brightness +20 %", "tone", toned(lambda image: ImageEnhance.Brightness(image).enhance(1.2))),
    Kind("brightness -20 %", "tone", toned(lambda image: ImageEnhance.Brightness(image).enhance(0.8))),
    Kind("contrast +20 %", "tone", toned(lambda image: ImageEnhance.Contrast(image).enhance(1.2))),
    Kind("saturation -50 %", "tone", toned(lambda image: ImageEnhance.Color(image).enhance(0.5))),
    Kind("gamma 0.8", "tone", toned(gamma(0.8))),
    Kind("gamma 1.25", "tone", toned(gamma(1.25))),
    Kind("sharpened", "tone", toned(lambda image: image.filter(ImageFilter.UnsharpMask(2, 80, 2)))),
    *(Kind(f"Pangea {percent} %", "crop", pangea(percent)) for percent in (97, 93, 80, 70, 60)),
    Kind("1:1", "crop", aspect(1)),
    Kind("4:3", "crop", aspect(4 / 3)),
    Kind("3:4", "crop", aspect(3 / 4)),
    Kind("16:9", "crop", aspect(16 / 9)),
    Kind("50-80 % kept", "crop", keeping(0.5, 0.8)),
    Kind("35-50 % kept", "crop 35-50", keeping(0.35, 0.5)),
    Kind("20-35 % kept", "crop 20-35", keeping(0.2, 0.35)),
    Kind("caption bar", "laid over", caption_bar),
    Kind("letterbox", "laid over", letterbox),
    Kind("border", "laid over", border),
    Kind("logo", "laid over", logo),
    Kind("watermark", "laid over", watermark),
    Kind("lower third", "laid over", lower_third),
    Kind("mirrored", "turned", turned(_SIDE.FLIP_LEFT_RIGHT, "mirrored")),
    Kind("by 90", "turned", turned(_SIDE.ROTATE_90, "rotated")),
    Kind("by 180", "turned", turned(_SIDE.ROTATE_180, "rotated")),
    Kind("by 270", "turned", turned(_SIDE.ROTATE_270, "rotated")),
    Kind("2-5 degrees", "turned", slightly),
    Kind("2-5 degrees, cut", "turned", straightened),
    Kind("collage", "page", collage),
    Kind("screenshot", "page", screenshot),
    Kind("crop, 480, JPEG 50", "several", crop_small),
    Kind("crop, logo", "several", crop_logo),
    Kind("mirror, crop", "several", mirror_crop),
    Kind("grey, lower third", "several", grey_lower_third),
)


def changed(kind: Kind, image: Picture, name: str, seed: int) -> Made | None:
    """A kind's change of a picture; None where the kind has no sense for it. The same for the same seed."""
    return kind.make(image, random.Random(f"{seed} {kind.name} {name}"))
