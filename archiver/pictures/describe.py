"""Bytes of a picture → PictureFacts. Meant to run in the sandbox.

The hashes are for finding, never for proving: equal hashes mean "looks alike", nothing more.
"""

import functools
from importlib.metadata import version
from typing import Any

import msgspec

from archiver.model import PictureFacts
from archiver.pictures.decode import decode


def describe_picture(data: bytes) -> dict[str, Any]:
    """PictureFacts of a whole picture as JSON values; RecordError when it cannot be decoded.

    Width and height are pixels as stored, before any EXIF orientation.
    """
    pixels = decode(data)
    facts = PictureFacts(
        format=pixels.format,
        width=pixels.stored[0],
        height=pixels.stored[1],
        hashes=_hashes(pixels.image),
    )
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
