"""A small picture made from a hostile one. Meant to run in the sandbox.

What comes out was written by our own encoder: no byte, profile or comment of the original is in it.
"""

import base64
import io
import warnings

from archiver.errors import RecordError
from archiver.pictures.decode import FORMATS, MAX_PIXELS

TALLEST = 3  # heights for one width: a longer strip is made narrower


def make_thumbnail(data: bytes, *, width: int) -> str:
    """Base64 of a WebP at most `width` pixels wide and three times as tall, never enlarged.

    The first frame only, turned as its EXIF orientation says. Raises RecordError for bytes that are
    no decodable picture of the formats we know, or that announce more pixels than we decode.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - only the child pays for it

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise RecordError(f"{image.width}x{image.height} pixels are more than {MAX_PIXELS}")
            image.draft("RGB", (width, width))
            small = ImageOps.exif_transpose(image)
            small = small.convert("RGBA" if small.has_transparency_data else "RGB")
            small.thumbnail((width, width * TALLEST), reducing_gap=2.0)
            small.info.clear()
            small.save(out, "WEBP", quality=82)
    except RecordError:
        raise
    except Exception as error:  # a decoder's boundary: one type comes out
        raise RecordError(f"not decodable: {error}") from error
    return base64.b64encode(out.getvalue()).decode("ascii")
