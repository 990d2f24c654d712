"""Decode a picture and describe it. Meant to run in the sandbox: the bytes are hostile.

The hash is for finding, never for proving: equal hashes mean "looks alike", nothing more.
"""

import functools
import io
import warnings
from importlib.metadata import version
from typing import Any

import msgspec

from archiver.errors import RecordError
from archiver.model import PictureFacts

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")  # no other decoder is ever reached
MAX_PIXELS = 50_000_000
MAX_SCANNED = 5_000_000_000  # pixels of all scans of a JPEG together, about a second's work
_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
)


def sniff(data: bytes) -> str | None:
    """The format that the first bytes announce; None for what is no picture to us."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def describe_picture(data: bytes) -> dict[str, Any]:
    """PictureFacts of a whole picture as JSON values; RecordError when it cannot be decoded.

    Width and height are pixels as stored, before any EXIF orientation.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - only the child pays for it

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise RecordError(f"{image.width}x{image.height} pixels are more than {MAX_PIXELS}")
            scans = (
                data.count(b"\xff\xda") if image.format == "JPEG" else 1
            )  # never within a scan's own bytes
            if image.width * image.height * scans > MAX_SCANNED:
                raise RecordError(f"{scans} scans of {image.width}x{image.height} pixels")
            image.load()
            facts = PictureFacts(
                format=sniff(data) or image.format or "",  # not "MPO" for a JPEG with others behind it
                width=image.width,
                height=image.height,
                hashes=_hashes(ImageOps.exif_transpose(image)),
            )
    except RecordError:
        raise
    except UnidentifiedImageError as error:  # its own message names an address in memory
        raise RecordError("not decodable: not what its first bytes say") from error
    except Exception as error:  # a decoder's boundary: one type comes out
        raise RecordError(f"not decodable: {error}") from error
    built: dict[str, Any] = msgspec.to_builtins(facts)
    return built


@functools.cache
def phash_label() -> str:
    """Name of the hash with all that its value depends on."""
    libraries = ("imagehash", "numpy", "pillow", "scipy")
    return "/".join(["phash64", *(f"{name}-{version(name)}" for name in libraries)])


def _hashes(image: Any) -> dict[str, str]:
    """ImageHash's pHash (8x8 of a 32x32 DCT): 16 zero-padded hex digits, the first bit highest.

    A flat picture has no information, so it gets no hash and can never look like another.
    """
    import imagehash  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    if _flat(image):
        return {}
    bits = np.packbits(imagehash.phash(image).hash.flatten())
    return {phash_label(): bits.tobytes().hex()}


def _flat(image: Any) -> bool:
    low, high = image.convert("L").getextrema()
    return bool(high - low < 8)
