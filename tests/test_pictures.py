"""What is said of a picture that decodes."""

import io
import random
from typing import Any

import imagehash
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw

from archiver.model import PictureFacts
from archiver.pictures.decode import FORMATS, sniff
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
