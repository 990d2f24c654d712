"""What decoding a picture tells, and what hostile pictures come to."""

import io
import random
import struct
import zlib
from contextlib import suppress
from typing import Any

import imagehash
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from archiver.errors import RecordError
from archiver.model import PictureFacts
from archiver.pictures.decode import FORMATS, MAX_PIXELS, sniff
from archiver.pictures.describe import describe_picture, phash_label


def painting(seed: int = 1, size: tuple[int, int] = (160, 120), mode: str = "RGB") -> Image.Image:
    """Boxes of random colours, large enough to have a hash that re-encoding keeps."""
    dice = random.Random(seed)
    image = Image.new("RGB", size, (200, 220, 240))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        box = (x, y, x + dice.randrange(10, 80), y + dice.randrange(10, 60))
        draw.rectangle(box, fill=(dice.randrange(256), dice.randrange(256), dice.randrange(256)))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def facts(data: bytes) -> PictureFacts:
    return msgspec.convert(describe_picture(data), PictureFacts)


# --- what it says --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format(kind: str) -> None:
    data = encoded(painting(), kind)
    found = facts(data)
    assert sniff(data) == kind
    assert (found.format, found.width, found.height) == (kind, 160, 120)
    [(label, value)] = found.hashes.items()
    assert label == phash_label()
    assert imagehash.hex_to_hash(value) - imagehash.phash(painting()) <= 4  # lossy or not, it looks alike


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode(mode: str) -> None:
    image = painting().convert("L").convert("I").convert("I;16") if mode == "I;16" else painting(mode=mode)
    found = facts(encoded(image))
    assert (found.format, found.width, found.height) == ("PNG", 160, 120)


def test_hash_is_imagehash_in_sixteen_digits() -> None:
    for seed in range(60):
        image = painting(seed)
        [value] = facts(encoded(image)).hashes.values()
        assert value == str(imagehash.phash(image))
        assert len(value) == 16


def test_leading_zero_bits_keep_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture has them: the first coefficient is the mean, the greatest of all. Another hash may."""
    bits = np.zeros((8, 8), dtype=bool)
    bits[7, 7] = True
    monkeypatch.setattr(imagehash, "phash", lambda _: imagehash.ImageHash(bits))
    assert [*facts(encoded(painting())).hashes.values()] == ["0000000000000001"]


def test_label_names_every_library() -> None:
    assert phash_label().startswith("phash64/imagehash-")
    assert [part.partition("-")[0] for part in phash_label().split("/")[1:]] == [
        "imagehash",
        "numpy",
        "pillow",
        "scipy",
    ]


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_flat_picture_has_no_hash(shade: int) -> None:
    image = Image.new("RGB", (50, 50), (shade, shade, shade))
    assert facts(encoded(image)) == PictureFacts(format="PNG", width=50, height=50)
    image.putpixel((3, 3), (shade ^ 7, shade, shade))
    assert not facts(encoded(image)).hashes


def test_orientation_turns_the_hash_and_not_the_size() -> None:
    upright = painting()
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held upright: to be turned by 90 degrees
    turned = facts(encoded(upright.transpose(Image.Transpose.ROTATE_90), exif=exif))
    assert (turned.width, turned.height) == (120, 160)
    assert turned.hashes == facts(encoded(upright)).hashes


def test_first_frame_only() -> None:
    data = encoded(painting(1), "GIF", save_all=True, append_images=[painting(n) for n in range(2, 6)])
    assert facts(data).hashes == facts(encoded(painting(1).convert("P"), "GIF")).hashes


def test_jpeg_with_pictures_behind_it_is_a_jpeg() -> None:
    data = encoded(painting(1), "MPO", save_all=True, append_images=[painting(2)])
    assert sniff(data) == "JPEG"
    assert facts(data).format == "JPEG"


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


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.7\n",
        b"8BPS" + bytes(60),
        b"SIMPLE  =                    T" + b" " * 5000,
        b"\x00\x00\x01\x00\x01\x00\x10\x10",
        b"P6 9 9 255\n" + bytes(300),
        b"BM",
        b"\xff\xd8\xff",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"\x00\x00\x00\x20ftypavif" + bytes(40),
    ],
)
def test_what_is_no_picture_to_us(data: bytes) -> None:
    with pytest.raises(RecordError, match="not decod"):
        describe_picture(data)


SMALL = {kind: encoded(painting(size=(24, 18)), kind) for kind in FORMATS}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_damaged_picture_is_described_or_refused(kind: str, data: st.DataObject) -> None:
    whole = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(8, len(whole)))])
    with suppress(RecordError):
        found = facts(cut)
        assert found.format in FORMATS
        assert 0 < found.width * found.height <= MAX_PIXELS


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=200))
def test_any_bytes_after_the_magic_are_refused_or_described(kind: str, rest: bytes) -> None:
    data = SMALL[kind][:12] + rest
    assert sniff(data) in (kind, None)
    with suppress(RecordError):
        facts(data)
