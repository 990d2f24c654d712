"""What adding to the index of pictures and asking it costs with very many pictures, and what it finds.

A tenth of the photographs of a folder (at most 100) is planted: they are asked for, by copies, crops and pages that
show them. Regions of the others are the rest: `--real` of them are cut out, turned, mirrored, made brighter or darker,
encoded and fingerprinted. So many more as `--count` asks for are made of those fingerprints: in each, three of ten
keypoints are taken from another picture, and 8 % of all bits of the descriptors are turned over; their hashes are noise.
So descriptors are as frequent as in photographs, and buckets as full; purely random bits would be easy.
What is found in several of the others is not counted against it: the folder may hold near-duplicates.
"""

import argparse
import io
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from archiver.digests import digest
from archiver.pictures.fingerprint import Fingerprint
from archiver.pictures.index import Index

LONGEST = 900  # pixels
PLANTED = 100  # at most
SWAPPED, TURNED_OVER = 0.3, 0.08
Make = Callable[[Image.Image, random.Random], Image.Image]


def cut(share: float) -> Make:
    """A region with this share of the area."""

    def make(image: Image.Image, source: random.Random) -> Image.Image:
        width, height = (max(1, round(side * share**0.5)) for side in image.size)
        left, top = source.randint(0, image.width - width), source.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height))

    return make


def small(image: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.contain(image, (320, 320))


def page(image: Image.Image, _: random.Random) -> Image.Image:
    """A white page, of which it is a quarter."""
    whole = Image.new("RGB", (image.width * 2, image.height * 2), "white")
    whole.paste(image, (image.width // 2, image.height // 3))
    return whole


def other(image: Image.Image, source: random.Random) -> Image.Image:
    part = cut(source.uniform(0.15, 0.7))(image, source)
    part = ImageOps.mirror(part) if source.random() < 0.5 else part
    part = part.rotate(source.uniform(-25, 25), Image.Resampling.BILINEAR)
    inside = (part.width // 7, part.height // 7, part.width * 6 // 7, part.height * 6 // 7)
    return ImageEnhance.Brightness(part.crop(inside)).enhance(source.uniform(0.6, 1.4))


KINDS: dict[str, Make] = {
    "320 px": small,
    "mirrored": lambda image, _: ImageOps.mirror(image),
    "5 degrees": lambda image, _: image.rotate(5, Image.Resampling.BILINEAR),
    "crop 80 %": cut(0.8),
    "crop 60 %": cut(0.6),
    "crop 50 %": cut(0.5),
    "crop 35 %": cut(0.35),
    "crop 25 %": cut(0.25),
    "in a page": page,
    "mirrored crop 50 %": lambda image, source: ImageOps.mirror(cut(0.5)(image, source)),
}


def encoded(image: Image.Image, quality: int = 75) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def photographs(folder: Path, most: int) -> list[Image.Image]:
    found = []
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    random.Random(6).shuffle(paths)
    for path in paths[:most]:
        with Image.open(path) as image:
            found.append(ImageOps.contain(image.convert("RGB"), (LONGEST, LONGEST)))
    return found


def multiplied(real: list[Fingerprint], source: np.random.Generator) -> Fingerprint:
    """One more, of two real ones and noise."""
    first, second = (real[number] for number in source.integers(len(real), size=2))
    descriptors = np.frombuffer(first.descriptors, np.uint8).reshape(-1, 32).copy()
    others = np.frombuffer(second.descriptors, np.uint8).reshape(-1, 32)[: len(descriptors)]
    swapped = source.random(len(others)) < SWAPPED
    descriptors[: len(others)][swapped] = others[swapped]
    noise = source.random((len(descriptors), 256), dtype=np.float32) < TURNED_OVER
    descriptors ^= np.packbits(noise, axis=1)
    hashes = source.bytes(256) if first.pdq else b""
    return Fingerprint(
        facts=first.facts,
        pixels=first.pixels,
        pdq=hashes,
        points=first.points,
        descriptors=descriptors.tobytes(),
    )


def told(what: str, seconds: list[float]) -> None:
    """Median, 95th percentile and the longest, in ms."""
    ms = np.array(seconds) * 1000
    print(f"{what:34} {np.median(ms):7.2f} {np.percentile(ms, 95):7.2f} {ms.max():8.1f} ms")
