"""What decoding makes of every way of storing a picture, and what hostile pictures come to."""

import os
import re
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_pictures import hostile, tiff
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_pictures import encoded, painting

from archiver.errors import RecordError, SandboxError
from archiver.pictures.decode import FORMATS, MAX_PIXELS, MOST, Pixels, decode
from archiver.pictures.describe import describe_picture
from archiver.pictures.formats import not_decoded, sniff
from archiver.pictures.thumbnail import make_thumbnail
from archiver.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("real_children")

RAMP = np.tile(np.arange(256, dtype=np.uint8), (16, 1))  # 256 x 16, black to white


def shades(pixels: Pixels) -> list[int]:
    """The upper row of a grey picture."""
    row = np.asarray(pixels.image)[0]
    assert (row == row[:, :1]).all()
    return [int(value) for value in row[:, 0]]


def oriented(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


# --- every way of storing one --------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_png(mode: str) -> None:
    found = decode(encoded(painting(mode=mode)))
    assert (found.format, found.stored, found.scale, found.frames) == ("PNG", (160, 120), 1, 1)
    assert found.image.mode == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str) -> None:
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    assert shades(decode(encoded(deep, kind))) == [*range(256)]


def test_twelve_bits_in_sixteen() -> None:
    data = np.zeros((1, 6), np.uint8)
    data[0] = (0x00, 0x0F, 0xFF, 0x80, 0x01, 0x00)  # 000 FFF 800 100
    assert shades(decode(tiff(4, 1, data.tobytes(), (258, 3, 1, 12)))) == [0, 255, 128, 16]


@pytest.mark.parametrize(("kind", "tag"), [("<f4", 3), ("<i4", 2), ("<u4", 1)])
def test_thirty_two_bits_are_stretched(kind: str, tag: int) -> None:
    values = (np.arange(4) * 1000 + 500).astype(kind)
    found = decode(tiff(4, 1, values.tobytes(), (258, 3, 1, 32), (339, 3, 1, tag)))
    assert shades(found) == [0, 85, 170, 255]


def test_floats_that_are_no_numbers_are_black() -> None:
    values = np.array([np.nan, np.inf, 0, 1], "<f4")
    assert shades(decode(tiff(4, 1, values.tobytes(), (258, 3, 1, 32), (339, 3, 1, 3)))) == [0, 0, 0, 255]


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr"])
def test_other_colours(mode: str) -> None:
    from PIL import ImageCms

    colours = Image.new("RGB", (40, 40), (200, 60, 30))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        stored = encoded(ImageCms.profileToProfile(colours, *profiles, outputMode="LAB"), "TIFF")  # type: ignore[arg-type]
    else:
        stored = encoded(colours.convert(mode), "JPEG" if mode == "CMYK" else "TIFF", quality=95)
    found = np.asarray(decode(stored).image, dtype=int)
    assert abs(found - (200, 60, 30)).max() <= 6


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("AVIF", {})]
)
def test_transparent_parts_are_on_white(kind: str, options: dict[str, Any]) -> None:
    front = Image.new("RGBA", (32, 32), (0, 0, 0, 255))
    front.paste((250, 0, 0, 0), (0, 0, 16, 32))
    found = decode(encoded(front, kind, **options))
    assert abs(np.asarray(found.image.getpixel((4, 16))) - 255).max() <= 2
    assert max(found.image.getpixel((28, 16))) <= 2
    assert decode(encoded(front, kind, **options), keep_alpha=True).image.mode == "RGBA"


@pytest.mark.parametrize("transparent", [3, bytes([255, 0])])
def test_palette_with_transparency(transparent: int | bytes) -> None:
    image = Image.new("P", (8, 8), 3 if transparent == 3 else 1)
    image.putpalette([0, 0, 0] * 8)
    assert decode(encoded(image, transparency=transparent)).image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation(turn: int) -> None:
    upright = painting()
    undo = {6: 8, 8: 6}.get(turn, turn)
    from PIL import ImageOps

    stored = upright.copy()
    stored.getexif()[0x0112] = undo
    stored = ImageOps.exif_transpose(stored)
    for kind in ("PNG", "TIFF"):
        found = decode(encoded(stored, kind, exif=oriented(turn)))
        assert found.stored == stored.size
        assert found.image.tobytes() == upright.tobytes(), kind


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_frames_are_counted_and_the_first_one_decoded(kind: str) -> None:
    more = [painting(seed) for seed in range(2, 6)]
    found = decode(encoded(painting(), kind, save_all=True, append_images=more, lossless=True, quality=95))
    assert found.frames == 5
    assert abs(np.asarray(found.image, int) - np.asarray(painting(), int)).mean() < 3


def test_jpeg_with_pictures_behind_it_is_a_jpeg() -> None:
    data = encoded(painting(1), "MPO", save_all=True, append_images=[painting(2)])
    assert sniff(data) == "JPEG"
    assert decode(data).format == "JPEG"


# --- larger than it is decoded -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("most", "scale"), [(161 * 121, 1), (161 * 120, 2), (5_000, 2), (4_000, 4), (9, 8)])
def test_scale(kind: str, most: int, scale: int) -> None:
    found = decode(encoded(painting(size=(161, 121)), kind), most=most)
    assert (found.scale, found.stored) == (scale, (161, 121))
    assert found.image.size == (-(-161 // scale), -(-121 // scale))


def test_large_jpeg_looks_as_it_does_when_it_is_averaged() -> None:
    large = painting(size=(1600, 1200)).resize((3200, 2400))
    found = decode(encoded(large, "JPEG", quality=95, progressive=True))
    assert (found.scale, found.image.size) == (2, (1600, 1200))
    assert found.image.width * found.image.height <= MOST
    assert abs(np.asarray(found.image, int) - np.asarray(large.reduce(2), int)).mean() < 2


def test_picture_thinner_than_its_scale() -> None:
    found = decode(encoded(Image.new("RGB", (3, 4000)), "JPEG"), most=100)
    assert (found.scale, found.image.size) == (2, (2, 2000))


# --- formats -------------------------------------------------------------------------------------

BOX = struct.pack(">I", 24)
REFUSED = {
    "HEIF": BOX + b"ftypheic" + bytes(4) + b"mif1heic",
    "camera raw": BOX + b"ftypcrx " + bytes(4) + b"crx isom",
    "JPEG XL": b"\xff\x0a\xfa\x7f",
    "JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    "JPEG XR": b"II\xbc\x01\x08\x00\x00\x00",
    "JPEG-LS": b"\xff\xd8\xff\xf7\x00\x0b",
    "SVG": b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a - b -->\n<!DOCTYPE svg PUBLIC 'x'>\n<svg xmlns='z'/>",
    "ICO": b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00",
    "CUR": b"\x00\x00\x02\x00\x01\x00\x10\x10\x00\x00\x01\x00",
    "PSD": b"8BPS\x00\x01" + bytes(60),
    "PDF": b"%PDF-1.7\n",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "DDS": b"DDS \x7c\x00\x00\x00",
    "QOI": b"qoif\x00\x00\x00\x09",
    "PNM": b"P6 9 9 255\n" + bytes(300),
    "WMF": b"\xd7\xcd\xc6\x9a\x00\x00",
    "EMF": b"\x01\x00\x00\x00" + bytes(36) + b" EMF",
    "TGA": bytes(40) + b"TRUEVISION-XFILE.\x00",
    "BigTIFF": b"II+\x00\x08\x00\x00\x00",
    "MNG": b"\x8aMNG\r\n\x1a\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_format_that_is_refused_by_name(name: str) -> None:
    said = f"its format is {name}, which is not decoded"
    assert sniff(REFUSED[name]) is None
    assert not_decoded(REFUSED[name]) == said
    with pytest.raises(RecordError, match=f"^{said}$"):
        describe_picture(REFUSED[name])


def test_container_of_heif_with_avif_in_it_is_avif() -> None:
    data = encoded(painting(), "AVIF")
    assert sniff(data.replace(b"ftypavif", b"ftypmif1", 1)) == "AVIF"
    assert decode(data.replace(b"ftypavif", b"ftypmif1", 1)).stored == (160, 120)


@pytest.mark.parametrize(
    "data",
    [
        BOX + b"ftypisom" + bytes(12),
        BOX + b"ftypmp42avif" + bytes(8),
        b"II",
        b"\xff\xd8",
        b"",
        b"<html><svg></svg>",
        b"BMW has said",
        b"<svgs>",
        b"P6 or not",
        b"\x00\x01\x00\x00",
        b"<?xml?><rss/>",
    ],
)
def test_what_is_no_picture(data: bytes) -> None:
    assert sniff(data) is None
    assert not_decoded(data) is None
    with pytest.raises(RecordError, match="not what its first bytes say"):
        decode(data)


def test_nothing_takes_long_to_recognise() -> None:
    for data in (b"<!--" * 2_000_000, b" " * 8_000_000, b"<?" * 4_000_000, b"<!DOCTYPE svg [" * 500_000):
        assert not_decoded(data) is None


# --- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_cut_picture(kind: str) -> None:
    data = encoded(painting(size=(400, 300)), kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(RecordError):
            describe_picture(data[: int(len(data) * share)])


def png_of(width: int, height: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"")) + part(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(80_000_001, 1), (8_945, 8_945), (100_000, 100_000), (2**31 - 1, 2**31 - 1)]
)
def test_more_pixels_than_we_decode(width: int, height: int) -> None:
    assert width * height > MAX_PIXELS
    with pytest.raises(RecordError, match="pixels"):
        describe_picture(png_of(width, height))


SMALL = {kind: encoded(painting(size=(24, 18)), kind) for kind in FORMATS}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_damaged_picture_is_described_or_refused(kind: str, data: st.DataObject) -> None:
    whole = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(8, len(whole)))])
    with suppress(RecordError):
        found = decode(cut)
        assert found.format in FORMATS
        assert 0 < found.stored[0] * found.stored[1] <= MAX_PIXELS


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=200))
def test_any_bytes_after_the_magic_are_refused_or_described(kind: str, rest: bytes) -> None:
    data = SMALL[kind][:12] + rest
    assert sniff(data) in (kind, None)
    with suppress(RecordError):
        decode(data)


# --- hostile ones --------------------------------------------------------------------------------


def used(child: int) -> tuple[float, int]:
    """CPU seconds of a process, and the most bytes of memory that it had at once."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child}/status").read_text())
    return ticks / os.sysconf("SC_CLK_TCK"), int(found[1]) * 1024 if found else 0


def test_hostile_pictures() -> None:
    """None takes 5 s or 300 MB, each is described or refused in words, and the next one is done."""
    pictures = list(hostile())
    assert len(pictures) > 300
    refusals, child, before = [], None, 0.0
    with Sandbox() as sandbox:
        for number, (name, data) in enumerate(pictures):
            try:
                if number % 4:
                    assert sandbox.call(describe_picture, data)["format"] in FORMATS
                else:
                    assert sandbox.call(make_thumbnail, data, width=320)
            except SandboxError as error:
                refusals.append(f"{name}: {error}")
            assert sandbox._child, f"{name} ended the child, or it grew: {refusals[-1]}"
            if sandbox._child.pid != child:
                child, before = sandbox._child.pid, 0.0
            seconds, memory = used(child)
            assert seconds - before < 5, name
            assert memory < 300_000_000, name
            before = seconds
    assert not [said for said in refusals if not re.search(r"not decod|pixels|scans", said)]
    assert 300 < len(refusals) < len(pictures) - 200  # the others can be seen
