"""What is found of local forgeries after a proxy, and what is found where nothing was changed.

    .venv/bin/python benchmarks/forgeries.py DIR [--photos 60] [--seed 1] [--whole]

DIR has photographs (as benchmarks/pictures/corpus.py fetches them). Each is brought to 900 pixels. A forgery
is made in it (of 1, 4 and 9 % of the area), saved, and sent through a proxy that encodes and resizes it. It
is found when a box of what is changed has an IoU above 0.3 with what was forged. A forgery that a person
could not see either (less than 10 grey levels, root mean square: sky cloned on sky) is left out; their number
is printed.
Without --whole the map between the two is known, but for 0.3 pixels; with it, the archiver finds it.
"""

import argparse
import io
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from archiver.model import Box, Comparison
from archiver.pictures.pairs.changes import find_changes
from archiver.pictures.pairs.compare import compare_pictures
from archiver.pictures.pairs.grid import gridded, unshown

Picture = Image.Image
Place = tuple[int, int, int, int]  # left, top, width, height in pixels
Made = tuple[Picture, Picture, list[Place]]  # the picture, what was made of it, and where
How = Image.Resampling
SIDE = 900
GRID = 512
JITTER = 0.3  # pixels of the grid that the known map is off by
VISIBLE = 10.0  # grey levels, root mean square
AREAS = (0.01, 0.04, 0.09)
WORDS = (
    "minister",
    "mayor",
    "denied",
    "yesterday",
    "council",
    "harbour",
    "police",
    "seven",
    "million",
    "people",
)


def saved(picture: Picture, kind: str, quality: int) -> Picture:
    out = io.BytesIO()
    picture.save(out, kind, quality=quality, **({"speed": 8} if kind == "AVIF" else {}))
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def wide(picture: Picture, width: int, how: How = How.LANCZOS) -> Picture:
    return picture.resize((width, max(1, round(picture.height * width / picture.width))), how)


def gamma(picture: Picture, power: float) -> Picture:
    return picture.point([round(255 * (tone / 255) ** power) for tone in range(256)] * 3)


PROXIES: dict[str, Callable[[Picture], Picture]] = {
    "JPEG 80": lambda p: saved(p, "JPEG", 80),
    "JPEG 80, 600 WebP 75": lambda p: saved(wide(saved(p, "JPEG", 80), 600), "WEBP", 75),
    "JPEG 60, 480 JPEG 60": lambda p: saved(wide(saved(p, "JPEG", 60), 480), "JPEG", 60),
    "JPEG 80, 320 JPEG 75": lambda p: saved(wide(saved(p, "JPEG", 80), 320), "JPEG", 75),
    "JPEG 75, 1200 AVIF 50": lambda p: saved(wide(saved(p, "JPEG", 75), 1200), "AVIF", 50),
}
CLEAN: dict[str, Callable[[Picture], Picture]] = {
    "JPEG 90": lambda p: saved(p, "JPEG", 90),
    "JPEG 75": lambda p: saved(p, "JPEG", 75),
    "JPEG 50": lambda p: saved(p, "JPEG", 50),
    "JPEG 30": lambda p: saved(p, "JPEG", 30),
    "WebP 75": lambda p: saved(p, "WEBP", 75),
    "AVIF 50": lambda p: saved(p, "AVIF", 50),
    "1600 WebP 75": lambda p: saved(wide(p, 1600), "WEBP", 75),
    "600 WebP 75": lambda p: saved(wide(p, 600), "WEBP", 75),
    "480 bilinear JPEG 60": lambda p: saved(wide(p, 480, How.BILINEAR), "JPEG", 60),
    "450 nearest JPEG 80": lambda p: saved(wide(p, 450, How.NEAREST), "JPEG", 80),
    "320 bicubic JPEG 75": lambda p: saved(wide(p, 320, How.BICUBIC), "JPEG", 75),
    "200 JPEG 75": lambda p: saved(wide(p, 200), "JPEG", 75),
    "JPEG 80, 600 WebP 75": PROXIES["JPEG 80, 600 WebP 75"],
    "grey": lambda p: saved(p.convert("L").convert("RGB"), "JPEG", 80),
    "brightness +20 %": lambda p: saved(ImageEnhance.Brightness(p).enhance(1.2), "JPEG", 80),
    "brightness -20 %": lambda p: saved(ImageEnhance.Brightness(p).enhance(0.8), "JPEG", 80),
    "contrast +20 %": lambda p: saved(ImageEnhance.Contrast(p).enhance(1.2), "JPEG", 80),
    "gamma 0.8": lambda p: saved(gamma(p, 0.8), "JPEG", 80),
    "saturation +30 %": lambda p: saved(ImageEnhance.Color(p).enhance(1.3), "JPEG", 80),
    "sharpened": lambda p: saved(p.filter(ImageFilter.UnsharpMask(2, 120, 2)), "JPEG", 80),
    "autocontrast 1 %, 480": lambda p: saved(wide(ImageOps.autocontrast(p, cutoff=1), 480), "WEBP", 70),
}


def place(picture: Picture, area: float, source: random.Random) -> Place:
    shape = source.uniform(0.75, 1.33) ** 0.5
    width = min(picture.width - 4, round(picture.width * area**0.5 * shape))
    height = min(picture.height - 4, round(picture.height * area**0.5 / shape))
    return source.randrange(picture.width - width), source.randrange(picture.height - height), width, height


def cut(picture: Picture, width: int, height: int, source: random.Random) -> Picture:
    left, top = source.randrange(picture.width - width), source.randrange(picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def block(picture: Picture, area: float, source: random.Random, other: Picture) -> Made:
    left, top, width, height = place(picture, area, source)
    out = picture.copy()
    out.paste(cut(other.resize(picture.size), width, height, source), (left, top))
    return picture, out, [(left, top, width, height)]


def clone(picture: Picture, area: float, source: random.Random, _: Picture) -> Made:
    left, top, width, height = place(picture, area, source)
    out, soft = picture.copy(), Image.new("L", (width, height))
    ImageDraw.Draw(soft).rectangle((2, 2, width - 3, height - 3), fill=255)
    out.paste(cut(picture, width, height, source), (left, top), soft.filter(ImageFilter.GaussianBlur(1.5)))
    return picture, out, [(left, top, width, height)]


def painted_out(picture: Picture, area: float, source: random.Random, _: Picture) -> Made:
    left, top, width, height = place(picture, area, source)
    pixels = np.asarray(picture)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    middle = (left + width // 2, top + height // 2)
    cv2.ellipse(mask, middle, (width // 2, height // 2), 0, 0, 360, 255, -1)
    size = (picture.width // 2, picture.height // 2)
    small = cv2.inpaint(cv2.resize(pixels, size), cv2.resize(mask, size), 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(small, picture.size, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(mask, (0, 0), 1)[..., None] / 255
    out = Image.fromarray((pixels * (1 - soft) + filled * soft).astype(np.uint8))
    return picture, out, [(left, top, width, height)]


def lettered(size: tuple[int, int], letters: float, dark: bool, source: random.Random) -> Picture:
    paper, ink = ("#121214", "#f5f5f5") if dark else ("#fafafa", "#0f0f0f")
    page = Image.new("RGB", size, paper)
    pen, font, down = ImageDraw.Draw(page), ImageFont.load_default(letters), 1.0
    while down + letters * 0.9 <= size[1]:
        right = 0.0
        while right < size[0]:
            word = source.choice(WORDS)
            pen.text((right, down), word, font=font, fill=ink)
            right += pen.textlength(word + " ", font=font)
        down += letters * 1.25
    return page


def caption(picture: Picture, area: float, source: random.Random, _: Picture) -> Made:
    strip, dark = max(24, round(picture.height * 0.12)), source.random() < 0.5
    letters = round(strip * 0.36)
    before = Image.new("RGB", (picture.width, picture.height + strip))
    before.paste(picture)
    before.paste(lettered((picture.width, strip), letters, dark, source), (0, picture.height))
    total = before.width * before.height * area
    height = strip - 2 if total > strip * before.width * 0.45 else round(letters * 1.25)
    width = min(before.width - 16, round(total / height))
    left, top = source.randrange(8, before.width - width - 7), picture.height + 1
    after = before.copy()
    after.paste(lettered((width, height), letters, dark, source), (left, top))
    return before, after, [(left, top, width, height)]


FORGED = {"block": block, "cloned": clone, "painted out": painted_out, "caption text": caption}


def logo(picture: Picture, source: random.Random, strength: int = 255) -> Made:
    side, margin = round(min(picture.size) * source.uniform(0.12, 0.2)), round(min(picture.size) * 0.03)
    left = source.choice((margin, picture.width - margin - side))
    top = source.choice((margin, picture.height - margin - side))
    colour = source.choice(((200, 20, 30), (20, 60, 180), (250, 250, 250), (10, 10, 10)))
    ink = (255, 255, 255) if sum(colour) < 600 else (200, 0, 0)
    sheet = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(sheet)
    pen.ellipse((left, top, left + side, top + side), fill=(*colour, strength))
    middle = (left + side // 2, top + side // 2)
    pen.text(middle, "BBN", font=ImageFont.load_default(side // 3), fill=(*ink, strength), anchor="mm")
    return picture, laid(picture, sheet), [(left, top, side, side)]


def laid(picture: Picture, sheet: Picture) -> Picture:
    return Image.alpha_composite(picture.convert("RGBA"), sheet).convert("RGB")


def watermark(picture: Picture, source: random.Random) -> Made:
    sheet = Image.new("RGBA", picture.size)
    pen, letters = ImageDraw.Draw(sheet), picture.width // 12
    font, words = ImageFont.load_default(letters), "AGENCY PHOTO"
    room = picture.width - pen.textlength(words, font=font)
    at = (int(room / 2) if source.random() < 0.5 else int(room - picture.width * 0.03), picture.height // 2)
    pen.text(at, words, font=font, fill=(255, 255, 255, 110))
    left, top, right, bottom = (int(edge) for edge in pen.textbbox(at, words, font=font))
    return picture, laid(picture, sheet), [(left, top, right - left, bottom - top)]


def bar(picture: Picture, source: random.Random) -> Made:
    height = round(picture.height * source.uniform(0.08, 0.16))
    top = 0 if source.random() < 0.3 else picture.height - height
    colour = source.choice(((15, 15, 15), (250, 250, 250), (180, 10, 20)))
    out = picture.copy()
    pen, ink = ImageDraw.Draw(out), "white" if sum(colour) < 400 else "black"
    pen.rectangle((0, top, picture.width, top + height), fill=colour)
    font = ImageFont.load_default(round(height * 0.5))
    pen.text((14, top + height * 0.2), "Council opened the new harbour bridge", font=font, fill=ink)
    return picture, out, [(0, top, picture.width, height)]


def lower_third(picture: Picture, source: random.Random) -> Made:
    height, width = round(picture.height * 0.13), round(picture.width * source.uniform(0.55, 0.75))
    left, top = round(picture.width * 0.06), picture.height - round(height * 1.5)
    out = picture.copy()
    pen = ImageDraw.Draw(out)
    pen.rectangle((left, top, left + width, top + height), fill=(20, 40, 120))
    pen.rectangle((left, top, left + height // 5, top + height), fill=(220, 30, 30))
    for words, share, down in (("ANNA MEYER", 0.4, 0.1), ("Mayor of the harbour town", 0.3, 0.55)):
        font = ImageFont.load_default(round(height * share))
        pen.text((left + height // 3, top + height * down), words, font=font, fill="white")
    return picture, out, [(left, top, width, height)]


def border(picture: Picture, source: random.Random) -> Made:
    deep, (width, height) = round(min(picture.size) * 0.03), picture.size
    out = ImageOps.expand(
        picture.crop((deep, deep, width - deep, height - deep)), deep, source.choice(("black", "white"))
    )
    strips = [(0, 0, width, deep), (0, height - deep, width, deep)]
    return picture, out, [*strips, (0, 0, deep, height), (width - deep, 0, deep, height)]


LAID: dict[str, Callable[[Picture, random.Random], Made]] = {
    "logo": logo,
    "logo, half through": lambda picture, source: logo(picture, source, 130),
    "watermark": watermark,
    "caption bar": bar,
    "lower third": lower_third,
    "border": border,
}


def load(path: Path) -> Picture:
    picture = Image.open(path).convert("RGB")
    share = SIDE / max(picture.size)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return saved(picture.resize(size, How.LANCZOS), "JPEG", 92)


def overlap(box: Box, where: Place, size: tuple[int, int]) -> float:
    """Intersection over union."""
    left, top, width, height = where
    right, bottom = (box.left + box.width) * size[0], (box.top + box.height) * size[1]
    across = max(0.0, min(right, left + width) - max(box.left * size[0], left))
    down = max(0.0, min(bottom, top + height) - max(box.top * size[1], top))
    union = box.width * size[0] * box.height * size[1] + width * height - across * down
    return across * down / union


Boxes = tuple[tuple[Box, ...], tuple[Box, ...]]  # changed, laid over


def by_known_map(first: Picture, second: Picture, source: random.Random) -> Boxes:
    off = np.array([[source.uniform(-JITTER, JITTER) for _ in range(2)] for _ in range(2)]) / GRID
    affine = np.array([[1 + off[0, 0], 0, off[1, 0]], [0, 1 + off[0, 1], off[1, 1]]])
    one, two = np.asarray(first), np.asarray(second)
    grid = gridded(one, two, affine)
    if grid is None:
        return (), ()
    within = unshown(one, two, affine, grid)
    found = find_changes(grid.first, grid.second, grid.valid, scale=grid.scale, unshown=within)
    return found.changed, found.overlaid


def by_the_archiver(first: Picture, second: Picture, _: random.Random) -> Boxes:
    files = [io.BytesIO(), io.BytesIO()]
    for picture, file in zip((first, second), files, strict=True):
        picture.save(file, "PNG", compress_level=1)
    data = [file.getvalue() for file in files]
    found = msgspec.convert(compare_pictures(b"".join(data), first_bytes=len(data[0])), Comparison)
    if found.relation == "overlaid":
        return (), found.boxes
    whole = (Box(0, 0, 1, 1),) if found.relation in ("edited-or-neighbouring", "different") else ()
    return (found.boxes or whole) if found.relation != "re-encoded" else (), ()


class Run:
    """Counts over all photographs."""

    def __init__(self, find: Callable[[Picture, Picture, random.Random], Boxes], seed: int) -> None:
        self.find = find
        self.source = random.Random(seed)
        self.alarms: dict[str, list[str]] = defaultdict(list)
        self.forged: dict[str, list[tuple[float, bool]]] = defaultdict(list)  # IoU, called laid over
        self.through: dict[str, list[bool]] = defaultdict(list)
        self.laid: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: list[float] = []
        self.photos = self.unseen = 0

    def boxes(self, first: Picture, second: Picture) -> Boxes:
        started = time.process_time()
        found = self.find(first, second, self.source)
        self.seconds.append(time.process_time() - started)
        return found

    def take(self, name: str, picture: Picture, other: Picture) -> None:
        for kind, change in CLEAN.items():
            if any(self.boxes(picture, change(picture))):
                self.alarms[kind].append(name)
        names = list(PROXIES)
        for kind, forge in FORGED.items():
            for area in AREAS:
                before, after, places = forge(picture, area, self.source, other)
                if seen(before, after, places[0]) < VISIBLE:
                    self.unseen += 1
                    continue
                proxy = names[(self.photos + int(area * 100)) % len(names)]
                changed, over = self.boxes(before, PROXIES[proxy](after))
                best = max((overlap(box, places[0], before.size) for box in changed), default=0.0)
                called = any(overlap(box, places[0], before.size) > 0.3 for box in over)
                self.forged[f"{kind}, {area:.0%}"].append((best, called))
                self.through[proxy].append(best > 0.3)
        for kind, lay in LAID.items():
            before, after, places = lay(picture, self.source)
            changed, over = self.boxes(before, PROXIES[names[self.photos % len(names)]](after))
            said = "laid over" if over else "nothing"
            self.laid[kind]["changed" if changed else said] += 1
        self.photos += 1

    def show(self) -> None:
        print(f"{self.photos} photographs, {statistics.mean(self.seconds) * 1000:.1f} ms of CPU a pair")
        print(
            f"\nforged: found of all; IoU (median); called laid over. Not to be seen, left out: {self.unseen}"
        )
        for kind, cases in self.forged.items():
            ious = [iou for iou, _ in cases]
            hits, over = sum(iou > 0.3 for iou in ious), sum(called for _, called in cases)
            print(f"  {kind:24}{hits:4} of {len(cases):4}  {statistics.median(ious):.2f}  {over}")
        for proxy, hit in self.through.items():
            print(f"  through {proxy:24}{sum(hit):4} of {len(hit)}")
        print("\nnothing changed: alarms")
        for kind in CLEAN:
            names = self.alarms[kind]
            print(f"  {kind:24}{len(names):4} of {self.photos}  {' '.join(names[:3])}")
        print("\nlaid over: what was said")
        for kind, said in self.laid.items():
            print(f"  {kind:24}{', '.join(f'{word} {count}' for word, count in sorted(said.items()))}")


def seen(before: Picture, after: Picture, where: Place) -> float:
    """By how much the two differ there: grey levels, root mean square."""
    left, top, width, height = where
    inside = (slice(top, top + height), slice(left, left + width))
    difference = np.asarray(before, np.float32)[inside] - np.asarray(after, np.float32)[inside]
    return float(np.sqrt((difference**2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("photographs", type=Path, help="a folder")
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help="let the archiver find the map, too")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    kinds = (".jpg", ".jpeg", ".png", ".webp")
    paths = sorted(path for path in given.photographs.iterdir() if path.suffix.lower() in kinds)
    random.Random(given.seed).shuffle(paths)
    paths = paths[: given.photos]
    run = Run(by_the_archiver if given.whole else by_known_map, given.seed)
    for number, path in enumerate(paths):
        run.take(path.name, load(path), load(paths[(number + 1) % len(paths)]))
    run.show()


if __name__ == "__main__":
    main()
