"""Bytes → pixels, with limits. Meant to run in the sandbox: the bytes are hostile."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

from archiver.errors import RecordError

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


@dataclass(frozen=True)
class Pixels:
    """A decoded picture: its first frame, upright as its EXIF orientation says."""

    format: str
    stored: tuple[int, int]  # width and height in pixels as stored, before any orientation
    image: Any  # PIL.Image.Image, RGB, transparent parts on white


def sniff(data: bytes) -> str | None:
    """The format that the first bytes announce; None for what is no picture to us."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def decode(data: bytes) -> Pixels:
    """Decode a whole picture. RecordError when it cannot be, or is larger than we decode."""
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
            name = sniff(data) or image.format or ""  # not "MPO" for a JPEG with others behind it
            return Pixels(name, image.size, _opaque(ImageOps.exif_transpose(image)))
    except RecordError:
        raise
    except UnidentifiedImageError as error:  # its own message names an address in memory
        raise RecordError("not decodable: not what its first bytes say") from error
    except Exception as error:  # a decoder's boundary: one type comes out
        raise RecordError(f"not decodable: {error}") from error


def _opaque(image: Any) -> Any:
    from PIL import Image  # noqa: PLC0415

    if not image.has_transparency_data:
        return image.convert("RGB")
    front = image.convert("RGBA")
    page = Image.new("RGB", front.size, "white")
    page.paste(front, mask=front)
    return page
