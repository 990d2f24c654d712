"""Pictures that look alike and are not the same: templates, plain pictures, and neighbouring frames.

Of each template the frame is the same and one thing differs, as in a newsroom: another quote on the card,
other regions coloured on the map, other values in the chart, another caption on the placeholder, another
photograph behind the same lower third.
"""

import io
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from changes import Picture, encoded, font, said
from PIL import Image, ImageDraw

SIZE = (800, 450)
MOVED = 0.0005  # share of a frame's pixels, at 512 px, that differ by more than 20 levels in a moved one
FLAT = ("white", "black", "#808080", "#123456", "#f2c14e", "#c8102e", "#e7ecef", "#0b2545")


def templates(each: int, photographs: Sequence[Picture]) -> dict[str, list[bytes]]:
    """So many of each template."""
    return {
        "quote cards": [encoded(card(number), quality=85) for number in range(each)],
        "maps": [encoded(image, "PNG") for image in maps(each)],
        "charts": [encoded(chart(number), "PNG") for number in range(each)],
        "placeholders": [encoded(placeholder(number), quality=85) for number in range(each)],
        "lower thirds": [
            encoded(third(number, photographs[number % len(photographs)]), quality=80)
            for number in range(min(each, len(photographs)))
        ],
        "plain and logos": [encoded(image, "PNG") for image in plain(each)],
    }


def card(number: int) -> Picture:
    rng = random.Random(f"card {number}")
    page = Image.new("RGB", SIZE, "#0b2545")
    draw = ImageDraw.Draw(page)
    draw.text((40, 20), "\N{LEFT DOUBLE QUOTATION MARK}", fill="#f2c14e", font=font(120))
    for line in range(4):
        draw.text((60, 140 + 48 * line), said(rng, 5), fill="white", font=font(34))
    draw.text((60, 380), f"{said(rng, 2).title()}, {said(rng, 1)}", fill="#f2c14e", font=font(24))
    draw.rectangle((690, 400, 780, 430), fill="#c8102e")
    draw.text((700, 403), "NEWS", fill="white", font=font(22))
    return page


def maps(each: int) -> Iterator[Picture]:
    """A country of 120 regions; on each map another one to three are coloured."""
    rng = random.Random("map")
    seeds = np.array([(rng.uniform(0, SIZE[0]), rng.uniform(0, SIZE[1])) for _ in range(120)])
    ys, xs = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    regions = ((xs[..., None] - seeds[:, 0]) ** 2 + (ys[..., None] - seeds[:, 1]) ** 2).argmin(2)
    edges = np.zeros(regions.shape, bool)
    edges[1:] |= regions[1:] != regions[:-1]
    edges[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    chosen = random.Random("regions")
    for _ in range(each):
        page = np.full((*regions.shape, 3), (231, 236, 239), np.uint8)
        for region in chosen.sample(range(120), chosen.randint(1, 3)):
            page[regions == region] = (200, 16, 46)
        page[edges] = 90
        image = Image.fromarray(page)
        ImageDraw.Draw(image).text((20, 410), "Incidents by district", fill="black", font=font(24))
        yield image


def chart(number: int) -> Picture:
    rng = random.Random(f"chart {number}")
    page = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(page)
    draw.text((60, 15), "Turnout by year, in percent", fill="black", font=font(26))
    for line in range(6):
        draw.line((60, 80 + 60 * line, 770, 80 + 60 * line), fill="#cccccc")
        draw.text((15, 70 + 60 * line), str(100 - 20 * line), fill="black", font=font(18))
    for bar in range(10):
        draw.rectangle((80 + 68 * bar, 380 - rng.randint(30, 290), 120 + 68 * bar, 380), fill="#274c77")
        draw.text((78 + 68 * bar, 390), str(2010 + bar), fill="black", font=font(18))
    return page


def placeholder(number: int) -> Picture:
    rng = random.Random(f"placeholder {number}")
    page = Image.new("RGB", SIZE, "#d9d9d9")
    draw = ImageDraw.Draw(page)
    draw.rectangle((340, 120, 460, 210), outline="#8c8c8c", width=6)
    draw.polygon(((350, 200), (390, 150), (420, 185), (435, 170), (450, 200)), fill="#8c8c8c")
    draw.text((400, 250), "No image", fill="#8c8c8c", font=font(36), anchor="mm")
    draw.text((400, 310), said(rng, 4), fill="#8c8c8c", font=font(24), anchor="mm")
    return page


def third(number: int, photograph: Picture) -> Picture:
    """A photograph of its own under the same strip with the same words: nothing else is the same."""
    page = photograph.resize(SIZE)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 340, 800, 430), fill="#0b2545")
    draw.rectangle((0, 340, 16, 430), fill="#f2c14e")
    draw.text((40, 350), "BREAKING NEWS", fill="white", font=font(40))
    draw.text((40, 400), f"Live {number % 24:02}:{number * 7 % 60:02}", fill="#d0d0d0", font=font(22))
    return page


def plain(each: int) -> Iterator[Picture]:
    """One colour, a gradient, or a simple logo of its own on white."""
    for number in range(each):
        rng = random.Random(f"plain {number}")
        page = Image.new("RGB", SIZE, FLAT[number % len(FLAT)] if number % 3 == 0 else "white")
        draw = ImageDraw.Draw(page)
        if number % 3 == 1:
            low, high = rng.randint(0, 100), rng.randint(120, 255)
            for row in range(SIZE[1]):
                draw.line((0, row, SIZE[0], row), fill=(low + (high - low) * row // SIZE[1],) * 3)
        if number % 3 == 2:
            colour = rng.choice(FLAT[3:])
            draw.ellipse((300, 125, 500, 325), fill=colour)
            draw.text(
                (400, 225), said(rng, 1)[:3].upper(), fill="white", font=font(70 + number % 30), anchor="mm"
            )
        yield page


def neighbours(folder: Path) -> Iterator[tuple[str, bytes, bytes, bool]]:
    """Pairs of frames of one series: its name, both as served, and whether anything moved between them.

    The second of each went through a proxy: at most 900 px, JPEG of quality 75.
    """
    for series in sorted(folder.iterdir()):
        for first, second in itertools.combinations(sorted(series.iterdir()), 2):
            one, two = first.read_bytes(), second.read_bytes()
            image = Image.open(io.BytesIO(two))
            image.thumbnail((900, 900))
            name = f"{series.name} {first.stem} {second.stem}"
            yield name, one, encoded(image, quality=75), moved(one, two)


def moved(first: bytes, second: bytes) -> bool:
    frames = []
    for data in (first, second):
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        small = cv2.resize(frame, (512, 384), interpolation=cv2.INTER_AREA)
        frames.append(cv2.GaussianBlur(small, (0, 0), 1.5))
    return bool((cv2.absdiff(*frames) > 20).mean() >= MOVED)
