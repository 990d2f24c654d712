"""A small picture made from a hostile one. Meant to run in the sandbox.

What comes out was written by our own encoder: no byte, profile or comment of the original is in it.
"""

import base64
import io
import warnings
from typing import Any

from archiver.errors import RecordError
from archiver.pictures.decode import FORMATS, MAX_PIXELS, sniff

TALLEST = 3  # heights for one width: a longer strip is made narrower


def make_thumbnail(data: bytes, *, width: int) -> str:
    """Base64 of a WebP at most `width` pixels wide and three times as tall, never enlarged.

    The first frame only, turned as its EXIF orientation says. Raises RecordError for bytes that are
    no decodable picture of the formats we know, or that announce more pixels than we decode.
    """
    return _encoded(_small(data, width)[0], "WEBP")


def make_print(data: bytes, *, width: int) -> dict[str, Any]:
    """The same as a JPEG on white, which every reader and printer knows, with what the whole picture is.

    Keys: `format`, `width` and `height` in pixels as stored, `jpeg` in base64. Raises RecordError.
    """
    small, (stored_width, stored_height) = _small(data, width)
    if small.mode == "RGBA":
        from PIL import Image  # noqa: PLC0415 - only the child pays for it

        page = Image.new("RGB", small.size, "white")
        page.paste(small, mask=small)
        small = page
    return {
        "format": sniff(data) or "",
        "width": stored_width,
        "height": stored_height,
        "jpeg": _encoded(small, "JPEG"),
    }


def _small(data: bytes, width: int) -> tuple[Any, tuple[int, int]]:
    """The picture made small, RGB or RGBA, and the size of the whole one."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - only the child pays for it

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            size = image.size
            if image.width * image.height > MAX_PIXELS:
                raise RecordError(f"{image.width}x{image.height} pixels are more than {MAX_PIXELS}")
            image.draft("RGB", (width, width))
            small = ImageOps.exif_transpose(image)
            small = small.convert("RGBA" if small.has_transparency_data else "RGB")
            small.thumbnail((width, width * TALLEST), reducing_gap=2.0)
            small.info.clear()
            return small, size
    except RecordError:
        raise
    except Exception as error:  # a decoder's boundary: one type comes out
        raise RecordError(f"not decodable: {error}") from error


def _encoded(small: Any, kind: str) -> str:
    out = io.BytesIO()
    small.save(out, kind, quality=82)
    return base64.b64encode(out.getvalue()).decode("ascii")
