"""A small picture made from a hostile one. Meant to run in the sandbox.

What comes out was written by our own encoder: no byte, profile or comment of the original is in it.
"""

import base64
import io
from typing import Any

from archiver.pictures.decode import Pixels, decode

TALLEST = 3  # heights for one width: a longer strip is made narrower


def make_thumbnail(data: bytes, *, width: int) -> str:
    """Base64 of a WebP at most `width` pixels wide and three times as tall, never enlarged.

    The first frame only, turned as its EXIF orientation says. Raises RecordError for bytes that are
    no decodable picture of the formats we know, or that announce more pixels than we decode.
    """
    return _encoded(_small(data, width, keep_alpha=True).image, "WEBP")


def make_print(data: bytes, *, width: int) -> dict[str, Any]:
    """The same as a JPEG on white, which every reader and printer knows, with what the whole picture is.

    Keys: `format`, `width` and `height` in pixels as stored, `jpeg` in base64. Raises RecordError.
    """
    small = _small(data, width, keep_alpha=False)
    stored_width, stored_height = small.stored
    return {
        "format": small.format,
        "width": stored_width,
        "height": stored_height,
        "jpeg": _encoded(small.image, "JPEG"),
    }


def _small(data: bytes, width: int, *, keep_alpha: bool) -> Pixels:
    room = (width, width * TALLEST)
    pixels = decode(data, most=4 * room[0] * room[1], keep_alpha=keep_alpha)
    pixels.image.thumbnail(room, reducing_gap=2.0)
    return pixels


def _encoded(small: Any, kind: str) -> str:
    out = io.BytesIO()
    small.save(out, kind, quality=82)
    return base64.b64encode(out.getvalue()).decode("ascii")
