"""What is said of a picture that decodes."""

import io
import random
from typing import Any

import msgspec
import pytest
from PIL import Image, ImageDraw

from archiver.model import PictureFacts
from archiver.pictures.decode import FORMATS, sniff
from archiver.pictures.describe import describe_picture
from archiver.pictures.hashes import hamming


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
    for value, own in zip(found.hashes.values(), facts(encoded(painting())).hashes.values(), strict=True):
        assert hamming(value, own) in range(31)  # lossy or not, it looks alike


def test_orientation_turns_the_hash_and_not_the_size() -> None:
    upright = painting()
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held upright: to be turned by 90 degrees
    turned = facts(encoded(upright.transpose(Image.Transpose.ROTATE_90), exif=exif))
    assert (turned.width, turned.height) == (120, 160)
    assert turned.hashes == facts(encoded(upright)).hashes


def test_first_frame_only() -> None:
    data = encoded(painting(1), "GIF", save_all=True, append_images=[painting(n) for n in range(2, 6)])
    assert facts(data).hashes == facts(encoded(painting(1), "GIF")).hashes
