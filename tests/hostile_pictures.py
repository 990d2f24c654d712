"""Makes hostile pictures: bombs, huge announcements, cuts, mutations, loops, and files that are two things.

`python tests/hostile_pictures.py FOLDER` writes them as files.
"""

import binascii
import io
import random
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

Named = Iterator[tuple[str, bytes]]

MUTATIONS = 12  # of each small picture
SIZES = ((0, 0), (0, 9), (9, 0), (1, 65_500), (65_500, 65_500), (40_000, 30_000), (2**31 - 1, 2**31 - 1))


def hostile(mutated: int = MUTATIONS) -> Named:
    """(name, bytes) of each; the same in every run."""
    for name, data in small().items():
        yield from cuts(name, data)
        yield from mutations(name, data, mutated)
    for make in (sizes, jpegs, pngs, gifs, webps, tiffs, bitmaps, metadata, double):
        yield from make()


# --- what they are made of -----------------------------------------------------------------------


@cache
def scene(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (width, height), (90, 140, 200))
    draw, dice = ImageDraw.Draw(image), random.Random(width * height)
    for _ in range(30):
        x, y = dice.randrange(width), dice.randrange(height)
        colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        draw.ellipse((x, y, x + width // 3, y + height // 3), fill=colour)
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@cache
def small() -> dict[str, bytes]:
    """One of each format and way of storing it, to cut and to mutate."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    frames = [scene(48, 32).rotate(15 * turn) for turn in range(1, 4)]
    rgba = scene(48, 32).convert("RGBA")
    rgba.putalpha(scene(48, 32, "L"))
    return {
        "jpeg": encoded(scene(), "JPEG", exif=exif),
        "jpeg-progressive": encoded(scene(), "JPEG", progressive=True),
        "jpeg-cmyk": encoded(scene(48, 32, "CMYK"), "JPEG"),
        "mpo": encoded(scene(48, 32), "MPO", save_all=True, append_images=frames[:1]),
        "png": encoded(scene(48, 32), "PNG", exif=exif),
        "png-palette": encoded(scene(48, 32, "P"), "PNG", transparency=3),
        "apng": encoded(scene(48, 32), "PNG", save_all=True, append_images=frames),
        "gif": encoded(scene(48, 32, "P"), "GIF"),
        "gif-animated": encoded(scene(48, 32), "GIF", save_all=True, append_images=frames),
        "webp": encoded(scene(), "WEBP", exif=exif),
        "webp-lossless": encoded(rgba, "WEBP", lossless=True),
        "webp-animated": encoded(scene(48, 32), "WEBP", save_all=True, append_images=frames),
        "avif": encoded(scene(48, 32), "AVIF", speed=10),
        "avif-alpha": encoded(rgba, "AVIF", speed=10),
        "tiff": encoded(scene(48, 32), "TIFF"),
        "tiff-lzw": encoded(scene(48, 32), "TIFF", compression="tiff_lzw"),
        "tiff-deflate": encoded(scene(48, 32), "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": encoded(scene(48, 32), "TIFF", compression="jpeg"),
        "tiff-fax": encoded(scene(48, 32, "1"), "TIFF", compression="group4"),
        "bmp": encoded(scene(24, 16), "BMP"),
    }


_MARKERS = {
    "jpeg": rb"\xff[\xc0-\xdf\xe0\xe1\xfe]",
    "mpo": rb"\xff[\xc0-\xdf\xe0-\xe2\xfe]",
    "png": rb"IHDR|PLTE|tRNS|eXIf|IDAT|IEND|acTL|fcTL|fdAT",
    "apng": rb"IHDR|acTL|fcTL|IDAT|fdAT|IEND",
    "gif": rb"GIF89a|!\xf9|!\xff|,\x00\x00",
    "webp": rb"VP8[ LX]|ANIM|ANMF|ALPH|EXIF",
    "avif": rb"ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|ispe|pixi|av1C|colr|ipma|iref|mdat",
    "tiff": rb"[\x00-\x52]\x01[\x03\x04]\x00",
    "bmp": rb"BM|\x28\x00\x00\x00",
}


def cuts(name: str, data: bytes) -> Named:
    """Ended before, in and behind each marker, box, chunk or tag, at most a dozen of them."""
    found = [match.start() for match in re.finditer(_MARKERS[name.partition("-")[0]], data)]
    for at in sorted({*found[:9], *found[-3:]}):
        yield f"{name} cut at {at}", data[:at]
        yield f"{name} cut behind {at}", data[: at + 6]


def mutations(name: str, data: bytes, count: int) -> Named:
    """Bytes and runs of bytes changed; in the first half of the count near the beginning: in the headers."""
    for number in range(count):
        dice, changed = random.Random(f"{name} {number}"), bytearray(data)
        reach = min(len(data), 120) if number < count // 2 else len(data)
        for _ in range(dice.choice((1, 2, 4, 16))):
            at = dice.randrange(min(4, reach - 1), reach)
            what = dice.choice(
                (b"\xff", b"\x00", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", dice.randbytes(1))
            )
            changed[at : at + len(what)] = what
        if not number % 5:
            at = dice.randrange(len(changed))
            del changed[at : at + dice.randrange(1, 40)]
        yield f"{name} mutated {number}", bytes(changed)


# --- each format's own -----------------------------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", binascii.crc32(name + data))


def png(
    width: int, height: int, rows: bytes, *extra: bytes, depth: int = 1, kind: int = 0, laced: int = 0
) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, laced))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache
def zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def sized(name: str, width: int, height: int) -> bytes | None:
    """A small picture whose head announces another size; None where it cannot say it."""
    data = bytearray(small()[name])
    if name.startswith("jpeg"):
        frame = re.search(rb"\xff[\xc0\xc2]", data)
        at, form, most = frame.start() + 5 if frame else 0, ">HH", 65_535
        first, second = height, width
    elif name == "webp":
        at, form, most, first, second = data.index(b"\x9d\x01\x2a") + 3, "<HH", 16_383, width, height
    else:
        at, form, most = {
            "png": (16, ">II", 2**31), "gif": (6, "<HH", 65_535), "bmp": (18, "<II", 2**31),
            "avif": (data.find(b"ispe") + 8, ">II", 2**31),
        }[name]  # fmt: skip
        first, second = width, height
    if max(width, height) > most:
        return None
    struct.pack_into(form, data, at, first, second)
    return bytes(data)


def sizes() -> Named:
    for name in ("jpeg", "jpeg-progressive", "png", "gif", "webp", "avif", "bmp"):
        for width, height in SIZES:
            if data := sized(name, width, height):
                yield f"{name} of {width}x{height}", data
    for width, height in SIZES:
        yield f"tiff of {width}x{height}", tiff(width, height, zeros(1000), compression=8)


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 255, marker, len(data) + 2) + data


def scans(width: int, height: int, count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each goes over all of its blocks."""
    data = encoded(Image.new("L", (width, height), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def jpegs() -> Named:
    whole = small()["jpeg"]
    yield "jpeg of 20,000 scans", scans(64, 64, 20_000)
    yield "jpeg of 20,000 scans and 4 Mpixel", scans(2000, 2000, 20_000)
    yield "jpeg of 60 scans and 4 Mpixel", scans(2000, 2000, 60)
    yield "jpeg of 100,000 comments", whole[:2] + segment(0xFE, b"") * 100_000 + whole[2:]
    yield "jpeg of long comments", whole[:2] + segment(0xFE, bytes(65_000)) * 100 + whole[2:]
    yield "jpeg without an end", whole[:-2] + b"\xff\xd0" * 100_000
    yield "jpeg behind a million 255", whole[:2] + b"\xff" * 1_000_000 + whole[2:]
    yield (
        "jpeg in 1,000 colour profiles",
        whole[:2] + segment(0xE2, b"ICC_PROFILE\x00\x01\xff" + bytes(100)) * 1000 + whole[2:],
    )
    for sampling in (0, 1, 2):
        for mode in ("CMYK", "RGB", "L"):
            data = encoded(scene(48, 32, mode), "JPEG", subsampling=sampling)
            yield f"jpeg {mode}, sampling {sampling}, no adobe", data.replace(b"Adobe", b"adobE")
            other = re.sub(rb"Adobe.{7}", lambda found: found[0][:-1] + b"\x02", data, flags=re.DOTALL)
            yield f"jpeg {mode}, sampling {sampling}, YCCK", other
    for number in (0, 1, 5, 255, 65_535):
        mpf = b"MPF\x00II*\x00\x08\x00\x00\x00\x02\x00" + b"".join(
            struct.pack("<HHII", *entry) for entry in ((45_057, 4, 1, number), (45_058, 7, 16 * number, 38))
        )
        yield f"mpo of {number} pictures", whole[:2] + segment(0xE2, mpf + bytes(200)) + whole[2:]


def pngs() -> Named:
    flat = zeros(4000 * 501)
    yield "png of 16 Mpixel in 2 kB", png(4000, 4000, flat)
    yield "png of 16 Mpixel, interlaced", png(4000, 4000, zeros(4000 * 520), laced=1)
    yield "png of 16 Mpixel, cut in its stream", png(4000, 4000, flat[: len(flat) // 2])
    yield "png that inflates to more than it is", png(9, 9, zeros(50_000_000))
    yield "png of 21 Mpixel of alpha", png(4600, 4600, zeros(1000), depth=8, kind=6)
    yield "png one pixel high", png(2_000_000, 1, zeros(250_001))
    yield "png one pixel wide", png(1, 1_000_000, zeros(2_000_000))
    bomb, ok = zeros(50_000_000), zeros(9 * 3)
    for name, head in (
        (b"zTXt", b"a\x00\x00"), (b"iTXt", b"a\x00\x01\x00\x00\x00"), (b"iCCP", b"a\x00\x00"),
    ):  # fmt: skip
        yield f"png with a bomb in {name.decode()}", png(9, 9, ok, chunk(name, head + bomb))
        many = [chunk(name, head + zeros(900_000))] * 200
        yield f"png with 200 bombs in {name.decode()}", png(9, 9, ok, *many)
    yield "png of 100,000 texts", png(9, 9, ok, *[chunk(b"tEXt", b"a\x00b")] * 100_000)
    yield "png of 50,000 empty chunks", png(9, 9, ok, *[chunk(b"IDAT", b"")] * 50_000)
    yield "apng that says 2 ** 31 frames", png(9, 9, ok, chunk(b"acTL", struct.pack(">II", 2**31, 0)))
    control = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 9, 9, 0, 0, 1, 1, 0, 0))
    yield (
        "apng of 100,000 frames",
        png(9, 9, ok, chunk(b"acTL", struct.pack(">II", 100_000, 0)), *[control] * 100_000),
    )
    for depth in (0, 1, 2, 3, 16, 255):
        for kind in (0, 2, 3, 5, 6):
            yield f"png of depth {depth}, kind {kind}", png(9, 9, zeros(900), depth=depth, kind=kind)


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + b"".join(blocks) + b";"


def gif_frame(width: int, height: int, codes: bytes, left: int = 0, top: int = 0) -> bytes:
    parts = b"".join(
        bytes([len(part)]) + part for part in (codes[at : at + 255] for at in range(0, len(codes), 255))
    )
    return b"," + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x02" + parts + b"\x00"


def gifs() -> Named:
    tiny = gif_frame(1, 1, b"\x44\x01")
    yield "gif of 100,000 frames", gif(1, 1, tiny * 100_000)
    yield "gif of 100,000 comments", gif(1, 1, b"!\xfe\x01a\x00" * 100_000 + tiny)
    yield "gif in sub-blocks of one byte", gif(1, 1, b"!\xfe" + b"\x01a" * 200_000 + b"\x00" + tiny)
    flat = encoded(Image.new("P", (3600, 3600)), "GIF")
    yield "gif of 13 Mpixel in few bytes", flat
    yield "gif with a frame larger than it", gif(1, 1, gif_frame(4000, 4000, b"\x44\x01"))
    yield "gif with a frame far outside", gif(10, 10, gif_frame(5, 5, b"\x44\x01", 65_000, 65_000))
    yield "gif without an end code", gif(900, 900, gif_frame(900, 900, b"\x44" * 100_000))
    yield "gif without a frame", gif(9, 9)
    for size in (0, 1, 12, 13, 255):
        yield f"gif with codes of {size} bits", gif(9, 9, tiny.replace(b"\x02\x02", bytes([size, 2])))


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def part(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def canvas(width: int, height: int, flags: int = 2) -> bytes:
    low = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return part(b"VP8X", struct.pack("<I", flags) + low)


def webps() -> Named:
    inner = encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    frame = part(b"ANMF", bytes(12) + b"\x01\x00\x00\x00" + inner)
    loop = part(b"ANIM", bytes(6))
    yield "webp of 100,000 frames", riff(canvas(1, 1), loop, frame * 100_000)
    yield "webp of 16384x16384 with one pixel", riff(canvas(16_384, 16_384), loop, frame)
    yield "webp of 8 Mpixel with one pixel", riff(canvas(2900, 2900), loop, frame)
    yield (
        "webp of 8 Mpixel in few bytes",
        encoded(Image.new("RGB", (2900, 2900)), "WEBP", lossless=True, method=0),
    )
    yield "webp of 50,000 unknown chunks", riff(canvas(1, 1, 0), part(b"JUNK", b"a") * 50_000, inner)
    yield "webp with a long profile", riff(canvas(1, 1, 32), part(b"ICCP", bytes(5_000_000)), inner)
    yield "webp of no chunk", riff()
    yield "webp that says 4 GB", riff(inner)[:4] + b"\xff\xff\xff\xff" + riff(inner)[8:]
    whole = small()["avif"]
    yield (
        "avif of a box without end",
        whole[:4] + whole[4:].replace(b"\x00\x00\x00\x14ispe", bytes(4) + b"ispe"),
    )
    yield "avif within avif", whole[:32] + struct.pack(">I4s", 2**31, b"meta") * 5_000 + whole[32:]
    yield "avif of many items", whole.replace(b"iloc", b"iloc\xff\xff\xff\xff", 1)


def tiff(
    width: int, height: int, data: bytes, *more: tuple[int, int, int, int], compression: int = 1
) -> bytes:
    """Classic TIFF, little-endian: one IFD behind the data; `more` are (tag, type, count, value) that win."""
    tags = {
        256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, compression), 262: (3, 1, 1),
        273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, len(data)),
    } | {tag: (kind, count, value) for tag, kind, count, value in more}  # fmt: skip
    body = data + bytes(len(data) & 1)
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    return (
        b"II*\x00"
        + struct.pack("<I", 8 + len(body))
        + body
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


def tiffs() -> Named:
    for compression in (
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        32_773,
        32_946,
        34_712,
        34_887,
        34_925,
        50_000,
        50_001,
        65_000,
    ):
        yield (
            f"tiff, compression {compression}, 9 Mpixel",
            tiff(3000, 3000, zeros(9_000_000), compression=compression),
        )
    whole = tiff(9, 9, bytes(81))
    at = struct.unpack_from("<I", whole, 4)[0]
    for name, to in (("itself", at), ("its head", 0x49), ("nowhere", 2**32 - 1), ("one byte on", at + 1)):
        yield f"tiff whose next IFD is {name}", whole[:-4] + struct.pack("<I", to)
        yield f"tiff whose EXIF is {name}", tiff(9, 9, bytes(81), (34_665, 4, 1, to))
    chain = b"".join(struct.pack("<HHHIII", 1, 256, 4, 1, 1, 8 + 18 * (n + 1)) for n in range(20_000))
    yield "tiff of 20,000 IFDs", b"II*\x00\x08\x00\x00\x00" + chain + bytes(9)
    yield (
        "tiff with 65,535 tags",
        whole[:at] + b"\xff\xff" + struct.pack("<HHII", 270, 2, 4, 1) * 65_535 + bytes(4),
    )
    for count in (0, 2, 65_535, 2**28, 2**32 - 1):
        for tag in (258, 273, 279, 320, 324):
            yield f"tiff with {count} values of tag {tag}", tiff(9, 9, bytes(81), (tag, 4, count, 8))
    yield (
        "tiff in tiles of 2 ** 31",
        tiff(9, 9, bytes(81), (322, 4, 1, 2**31), (323, 4, 1, 2**31), (324, 4, 1, 8)),
    )
    yield (
        "tiff in tiles of one pixel",
        tiff(3000, 3000, bytes(81), (322, 4, 1, 1), (323, 4, 1, 1), (324, 4, 1, 8)),
    )
    yield "tiff in strips of one row", tiff(9, 60_000, bytes(81), (278, 4, 1, 1), compression=5)
    yield "tiff of 255 samples", tiff(900, 900, bytes(81), (277, 3, 1, 255))
    floats = struct.pack("<4f", float("inf"), float("nan"), 3e38, -3e38)
    yield "tiff of no number", tiff(2, 2, floats, (258, 3, 1, 32), (339, 3, 1, 3))
    yield (
        "tiff of 4 Mpixel, 32 bits",
        tiff(2000, 2000, zeros(16_000_000), (258, 3, 1, 32), (339, 3, 1, 3), compression=8),
    )


def bmp(width: int, height: int, bits: int, compression: int, data: bytes) -> bytes:
    head = struct.pack("<IiiHHIIIIII", 40, width, height, 1, bits, compression, len(data), 0, 0, 256, 0)
    table = bytes(1024) if bits <= 8 else b""
    return (
        b"BM" + struct.pack("<IHHI", 54 + len(table) + len(data), 0, 0, 54 + len(table)) + head + table + data
    )


def bitmaps() -> Named:
    for bits, compression in ((8, 1), (4, 2)):
        yield f"bmp RLE{bits} of 9 Mpixel", bmp(3000, 3000, bits, compression, b"\xff\x01" * 40_000)
        yield f"bmp RLE{bits} that jumps", bmp(3000, 3000, bits, compression, b"\x00\x02\xff\xff" * 40_000)
        yield f"bmp RLE{bits} without lines", bmp(3000, 3000, bits, compression, b"\x00\x00" * 40_000)
        yield f"bmp RLE{bits} that goes on", bmp(90, 90, bits, compression, b"\x00\xff" + b"\x00" * 255)
    for bits in (0, 1, 2, 7, 16, 24, 32, 64):
        yield f"bmp of {bits} bits", bmp(9, 9, bits, 0, bytes(400))
    yield "bmp upside down, 2 ** 31 high", bmp(1, -(2**31), 8, 0, bytes(400))
    for compression in (3, 4, 5, 6, 11, 255):
        yield f"bmp, compression {compression}", bmp(9, 9, 32, compression, bytes(400))


# --- what is beside the pixels ---------------------------------------------------------------------


def metadata() -> Named:
    whole = small()["jpeg-progressive"]
    at = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8)
    exifs = {
        "that loops": b"II*\x00\x08\x00\x00\x00" + at + struct.pack("<I", 8),
        "beyond its end": b"II*\x00\xff\xff\xff\xff",
        "of 65,535 tags": b"MM\x00*\x00\x00\x00\x08\xff\xff"
        + struct.pack(">HHII", 0x112, 3, 1, 0x60000) * 5_000,
        "of orientation 9": b"MM\x00*\x00\x00\x00\x08\x00\x01"
        + struct.pack(">HHIHH", 0x112, 3, 1, 9, 0)
        + bytes(4),
        "of orientations": b"MM\x00*\x00\x00\x00\x08\x00\x01"
        + struct.pack(">HHII", 0x112, 3, 2**32 - 1, 8)
        + bytes(4),
        "of another order": b"IM*\x00\x08\x00\x00\x00",
        "of nothing": b"",
        "of no fraction": b"II*\x00\x08\x00\x00\x00\x03\x00"
        + b"".join(struct.pack("<HHII", tag, 5, 1, 0) for tag in (0x11A, 0x11B, 0x128)),
        "cut": b"II*\x00\x08\x00\x00\x00\x05\x00\x12\x01",
    }
    for name, tags in exifs.items():
        block = b"Exif\x00\x00" + tags
        yield f"jpeg with EXIF {name}", whole[:2] + segment(0xE1, block) + whole[2:]
        yield f"png with EXIF {name}", png(9, 9, zeros(27), chunk(b"eXIf", tags))
        yield (
            f"webp with EXIF {name}",
            riff(
                canvas(1, 1, 8),
                encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:],
                part(b"EXIF", tags),
            ),
        )
    for name, data in (("short", b"x"), ("of zeros", bytes(200)), ("of 255", b"\xff" * 900)):
        yield f"jpeg with a profile {name}", encoded(scene(48, 32), "JPEG", icc_profile=data)
        yield f"png with a profile {name}", encoded(scene(48, 32), "PNG", icc_profile=data)
        yield f"webp with a profile {name}", encoded(scene(48, 32), "WEBP", icc_profile=data)
        yield f"tiff with a profile {name}", encoded(scene(48, 32), "TIFF", icc_profile=data)
    deep = b"<a>" * 20_000
    yield (
        "jpeg with deep XMP",
        whole[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + deep) + whole[2:],
    )
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><x>&b;&b;</x>'
    yield (
        "jpeg with entities",
        whole[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + laughs) + whole[2:],
    )
    yield (
        "png with entities",
        png(9, 9, zeros(27), chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + laughs)),
    )


def double() -> Named:
    """Two things at once, and things under another's first bytes."""
    pieces = small()
    for name in ("jpeg", "png", "gif", "webp", "avif", "tiff", "bmp"):
        yield f"{name} before a page", pieces[name] + b"<script>alert(1)</script>"
        yield f"{name} before a ZIP", pieces[name] + b"PK\x05\x06" + bytes(18)
        yield f"{name} behind a page", b"<html>" + pieces[name]
        for other in ("jpeg", "png", "gif", "webp", "avif", "tiff", "bmp"):
            if other != name:
                yield f"{name} under the head of {other}", pieces[other][:16] + pieces[name][16:]
    yield "gif that is a script", b"GIF89a/*" + pieces["gif"][8:] + b"*/=1;alert(1)"
    yield "empty", b""
    yield "jpeg of its head alone", b"\xff\xd8\xff"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for number, (name, data) in enumerate(hostile()):
        (folder / f"{number:04} {name.replace('/', '-')}").write_bytes(data)


if __name__ == "__main__":
    main()
