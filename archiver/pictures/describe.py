"""Bytes of a picture → PictureFacts. Meant to run in the sandbox."""

from typing import Any

import msgspec

from archiver.model import PictureFacts
from archiver.pictures.decode import Pixels, decode
from archiver.pictures.hashes import pdq_forms, pdq_label, phash, phash_label
from archiver.pictures.kinds import kind_of, tiny


def describe_picture(data: bytes) -> dict[str, Any]:
    """PictureFacts of a whole picture as JSON values; RecordError when it cannot be decoded."""
    facts: dict[str, Any] = msgspec.to_builtins(describe_pixels(decode(data)))
    return facts


def describe_pixels(pixels: Pixels) -> PictureFacts:
    """Facts about a decoded picture. Width and height are those stored, before any EXIF orientation."""
    return described(pixels)[0]


def described(pixels: Pixels, *, hashed: bool = True) -> tuple[PictureFacts, bytes]:
    """The same, and the PDQ hashes of its 8 turned forms; none of a picture without information.

    Where its hashes are not wanted, their libraries are not loaded: they take room.
    """
    image, (width, height) = pixels.image, pixels.stored
    facts = PictureFacts(format=pixels.format, width=width, height=height, kind="tiny")
    if tiny(image.size):
        return facts, b""
    forms, quality = pdq_forms(image)
    kind = kind_of(image, quality)
    if kind == "plain":
        return msgspec.structs.replace(facts, kind=kind), b""
    hashes = {phash_label(): phash(image), pdq_label(): forms[:32].hex()} if hashed else {}
    return msgspec.structs.replace(facts, kind=kind, hashes=hashes, quality=quality), forms
