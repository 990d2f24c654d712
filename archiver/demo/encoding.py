"""Painted scenes as the files that a picture desk has: EXIF, a colour profile, renditions, crops.

With the same versions of Pillow and its codecs the same call gives the same bytes.
"""

import io
from datetime import datetime

from PIL import ExifTags, Image, ImageCms

_UPRIGHT, _TURN_RIGHT = 1, 6  # EXIF orientation: as stored; to be shown turned 90 degrees clockwise
_PROFILE_DATE = slice(24, 36)  # ICC.1:2022 section 7.2.8: when the profile was made


def jpeg(image: Image.Image, *, taken: datetime | None = None, turned: bool = False) -> bytes:
    """JPEG of quality 86 with an sRGB profile; with `taken`, also a camera's EXIF.

    `turned` stores the pixels lying on their side and says so in the orientation field.
    """
    exif = _camera_exif(taken, _TURN_RIGHT if turned else _UPRIGHT) if taken else Image.Exif()
    stored = image.transpose(Image.Transpose.ROTATE_90) if turned else image
    return _encoded(stored, "JPEG", quality=92, exif=exif, icc_profile=_srgb_profile())


def png(image: Image.Image) -> bytes:
    """PNG of at most 256 colours."""
    return _encoded(image.quantize(256), "PNG", optimize=True)


def webp(image: Image.Image) -> bytes:
    """Lossy WebP of quality 82."""
    return _encoded(image, "WEBP", quality=82)


def rendition(image: Image.Image, width: int) -> Image.Image:
    """The whole picture, `width` pixels wide: what `_w900` means in a Pangea name."""
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def crop(image: Image.Image, x: float, y: float, across: float) -> Image.Image:
    """A part of the picture, 16:9: what `_cx5_cy8_cw93_r1` means in a Pangea name, all in percent."""
    wide = image.width * across / 100
    left, top = image.width * x / 100, image.height * y / 100
    return image.crop((round(left), round(top), round(left + wide), round(top + wide * 9 / 16)))


def _camera_exif(taken: datetime, orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Demo"
    exif[ExifTags.Base.Model] = "Paintbox 1"
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.DateTime] = taken.strftime("%Y:%m:%d %H:%M:%S")
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = taken.strftime("%Y:%m:%d %H:%M:%S")
    details[ExifTags.Base.OffsetTimeOriginal] = "+00:00"
    return exif


def _srgb_profile() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_DATE] = bytes(12)  # else each run would make another file
    return bytes(profile)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
