"""What adding to the index of pictures and asking it costs with very many pictures, and what it finds.

A quarter of the photographs of a folder (at most 100) is planted: they are asked for, by copies, crops and
pages that show them. Of the others `--real` regions are cut out, turned, mirrored, made brighter or darker,
encoded and fingerprinted. The rest that `--count` asks for is made of those fingerprints: in each, three of
ten keypoints come from another picture, and 8 % of the bits of all descriptors are turned over; its hashes
are random. So descriptors are as common as in photographs, and buckets as full; purely random bits would be
easy.
Times are of the processor, save those of flushing.
"""

import argparse
import io
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from archiver.digests import digest
from archiver.pictures.fingerprint import Fingerprint, make_fingerprint
from archiver.pictures.index import KEPT, Index

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


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def resident() -> dict[str, int]:
    """Memory in MB: what the process has for itself, and what is of mapped files and can be dropped."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(lines[f"Rss{name}"].split()[0]) // 1024 for name in ("Anon", "File")}


def photographs(folder: Path, most: int) -> list[bytes]:
    """At most so many, small, encoded: as pixels they would be most of the memory."""
    found = []
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    random.Random(6).shuffle(paths)
    for path in paths[:most]:
        with Image.open(path) as image:
            small_enough = ImageOps.contain(image.convert("RGB"), (LONGEST, LONGEST))
            found.append(encoded(small_enough, quality=95))
    return found


def multiplied(real: list[Fingerprint], source: np.random.Generator) -> Fingerprint:
    """One more, of two real ones and noise."""
    first, second = (real[number] for number in source.integers(len(real), size=2))
    descriptors, others = (
        np.frombuffer(one.descriptors, np.uint8).reshape(-1, 32)[:KEPT].copy() for one in (first, second)
    )
    both = min(len(descriptors), len(others))
    swapped = np.flatnonzero(source.random(both) < SWAPPED)
    descriptors[swapped] = others[swapped]
    poses, other_poses = (np.frombuffer(one.poses, np.uint8)[:KEPT].copy() for one in (first, second))
    poses[swapped] = other_poses[swapped]
    noise = source.random((len(descriptors), 256), dtype=np.float32) < TURNED_OVER
    descriptors ^= np.packbits(noise, axis=1)
    hashes = source.bytes(256) if first.pdq else b""
    return Fingerprint(
        facts=first.facts,
        pixels=first.pixels,
        pdq=hashes,
        points=first.points[: 4 * KEPT],
        poses=poses.tobytes(),
        descriptors=descriptors.tobytes(),
    )


def told(what: str, seconds: list[float]) -> None:
    """Median, 95th percentile and the longest, in ms."""
    ms = np.array(seconds) * 1000
    print(f"{what:34} {np.median(ms):7.2f} {np.percentile(ms, 95):7.2f} {ms.max():8.1f} ms")


class Run:
    """One index, filled and asked."""

    def __init__(self, folder: Path, images: list[bytes], count: int, real: int) -> None:
        self.source, self.noise = random.Random(6), np.random.default_rng(6)
        self.planted = images[: min(PLANTED, len(images) // 4)]
        self.others = images[len(self.planted) :]
        self.count, self.folder = count, folder
        self.fingerprinting: list[float] = []
        self.real = [
            self.fingerprint(other(opened(self.others[number % len(self.others)]), self.source))
            for number in range(min(real, count - len(self.planted)))
        ]

    def fingerprint(self, image: Image.Image) -> Fingerprint:
        data = encoded(image)
        start = time.process_time()
        found = msgspec.convert(make_fingerprint(data), Fingerprint)
        self.fingerprinting.append(time.process_time() - start)
        # the benchmark judges what an index does with hashes, so all of them are good enough
        return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, quality=100))

    def fill(self, every: int) -> None:
        """Add all, the planted ones evenly among them; flush after so many."""
        adding, flushing = [], []
        apart = self.count // len(self.planted)
        with Index(self.folder) as index:
            for number in range(self.count):
                place, rest = divmod(number, apart)
                if not rest and place < len(self.planted):
                    new = self.fingerprint(opened(self.planted[place]))
                elif number < len(self.real):
                    new = self.real[number]
                else:
                    new = multiplied(self.real, self.noise)
                start = time.process_time()
                index.add(digest(str(number).encode()), new)
                adding.append(time.process_time() - start)
                if number % every == every - 1:
                    start = time.perf_counter()
                    index.flush()
                    flushing.append(time.perf_counter() - start)
        told("fingerprint (CPU)", self.fingerprinting)
        told("add", adding)
        told(f"flush, after every {every}", flushing)
        print(f"{'add and flush, a picture':34} {(sum(adding) + sum(flushing)) / self.count * 1000:7.2f} ms")
        size = sum(path.stat().st_size for path in self.folder.iterdir())
        print(f"{'on disk, a picture':34} {size / self.count / 1000:7.2f} kB")

    def ask(self) -> None:
        start = time.process_time()
        with Index(self.folder, writable=False) as index:
            told("open", [time.process_time() - start])
            asking, screening, many, screened = [], [], [], []
            apart = self.count // len(self.planted)
            for kind, make in KINDS.items():
                found = kept = 0
                for place, image in enumerate(self.planted):
                    asked = self.fingerprint(make(opened(image), self.source))
                    wanted = digest(str(place * apart).encode())
                    start = time.process_time()
                    candidates = index.candidates(asked)
                    middle = time.process_time()
                    worth = index.screen(asked, candidates)
                    screening.append(time.process_time() - middle)
                    asking.append(middle - start)
                    many.append(len(candidates))
                    screened.append(len(worth))
                    found += any(one.key == wanted for one in candidates)
                    kept += any(one.key == wanted for one in worth)
                planted = len(self.planted)
                print(f"recall, {kind:26} {found / planted:7.3f}, {kept / planted:.3f} after screening")
        told("candidates", asking)
        told("screening them", screening)
        told("both", [one + two for one, two in zip(asking, screening, strict=True)])
        print(f"candidates: {np.mean(many):.1f} a query, {np.mean(screened):.1f} after screening")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="a folder of photographs")
    parser.add_argument("--count", type=int, default=100_000, help="pictures in the index")
    parser.add_argument("--real", type=int, default=3000, help="of these from photographs")
    parser.add_argument("--most", type=int, default=500, help="photographs taken from the folder")
    parser.add_argument("--every", type=int, default=20, help="pictures between two flushes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "index", photographs(given.photos, given.most), given.count, given.real)
        print(f"{given.count} pictures, {len(run.planted)} photographs planted; ms: median, p95, longest")
        before = resident()
        run.fill(given.every)
        filled = resident()
        run.ask()
        after, most = resident(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"memory in MB before: {before}, filled: {filled}, asked: {after}, most at any time: {most}")


if __name__ == "__main__":
    main()
