"""Bytes → pixels, with limits. Meant to run in the sandbox: the bytes are hostile.

The limits are such that what is accepted here stays within the memory of the sandbox, whatever it decoded
before: whether a picture can be decoded is put on record, so it must not depend on chance.
"""

import io
import struct
import warnings
from dataclasses import dataclass
from typing import Any

from archiver.errors import RecordError
from archiver.pictures.formats import not_decoded, sniff

__all__ = ["FORMATS", "MAX_PIXELS", "MOST", "Pixels", "decode", "sniff"]

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")  # no other decoder is ever reached
MAX_PIXELS = 80_000_000  # of any picture
MOST = 1 << 22  # pixels of the image that decode() gives, unless told otherwise
MAX_SCANNED = 2_000_000_000  # pixels of all scans of a JPEG together, some seconds' work
_BUDGET = 160 << 20  # bytes that a picture and its decoding may take
_SCALES = (1, 2, 4, 8)
# Bytes that decoding takes for each pixel, measured with benchmarks/hostile_pictures.py, by the format; by
# Pillow's mode, where that costs more; with transparency, which is laid on white. JPEG: see _jpeg_bytes.
_COST = {"PNG": 5, "GIF": 5, "WEBP": 19, "AVIF": 16, "TIFF": 12, "BMP": 5}
_DEEP = {"I;16": 12, "I;16L": 12, "I;16B": 12, "I;16N": 12, "I": 28, "F": 28}
_ALPHA = 9
_TURNS = {  # what undoes each EXIF orientation
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_MOST_BLOCKS = 200_000  # of a GIF that are walked through to count its frames


@dataclass(frozen=True)
class Pixels:
    """A decoded picture: its first frame, upright as its EXIF orientation says, 8 bits a channel."""

    format: str
    stored: tuple[int, int]  # width and height in pixels as stored, before any orientation
    image: Any  # PIL.Image.Image, RGB: transparent parts on white; RGBA where `decode` was told to keep them
    scale: int = 1  # the image's sides are 1/scale of the stored ones: 1, 2, 4 or 8
    frames: int = 1  # of an animation

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the whole picture in pixels, after any orientation."""
        width, height = self.stored
        turned = (width > height) != (self.image.width > self.image.height)
        return (height, width) if turned else (width, height)


def decode(data: bytes, *, most: int = MOST, keep_alpha: bool = False) -> Pixels:
    """Decode a picture to at most `most` pixels; a larger one comes out at 1/2, 1/4 or 1/8 of its sides.

    A JPEG is decoded so (scaled IDCT), others are averaged over squares. The same bytes with the same
    `most` give the same pixels. Up to MOST they are those of the whole picture; with a greater `most` a
    progressive JPEG may come out smaller than that, where its coefficients leave no room.

    Raises RecordError when it cannot be decoded, is of a format that is not decoded, or is larger than
    we decode.
    """
    name = sniff(data)
    if name is None:
        raise RecordError(not_decoded(data) or _UNKNOWN)
    try:
        return _decoded(name, data, most, keep_alpha=keep_alpha)
    except RecordError:
        raise
    except MemoryError as error:
        raise RecordError("not decodable: it takes more memory than a picture may") from error
    except Exception as error:  # a decoder's boundary: one type comes out
        from PIL import UnidentifiedImageError  # noqa: PLC0415 - only the child pays for it

        unknown = isinstance(error, UnidentifiedImageError)  # its own message names an address in memory
        said = str(error) or type(error).__name__
        raise RecordError(_UNKNOWN if unknown else f"not decodable: {said}") from error


_UNKNOWN = "not decodable: not what its first bytes say"


def _decoded(name: str, data: bytes, most: int, *, keep_alpha: bool) -> Pixels:
    from PIL import AvifImagePlugin, Image  # noqa: PLC0415

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each has a stack and buffers of its own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it decodes all the same
        image: Any
        with Image.open(io.BytesIO(data), formats=(name,)) as image:
            stored, frames = _stored(name, image), _frames(name, image, data)
            scale = _scale(name, image, data, most)
            if name == "JPEG":
                image.draft(None, tuple(max(1, side // scale) for side in stored))
                scale, _ = image.decoderconfig  # less for a picture that is thinner than that
            image.load()
            # Pillow has turned a TIFF by itself
            turn = 1 if name == "TIFF" else _orientation(image.info.get("exif"))
            bits = image.tag_v2.get(258, (16,))[0] if name == "TIFF" else 16
            plain = _colours(_eight_bit(image, bits), keep_alpha=keep_alpha)
    if scale > 1 and name != "JPEG":
        plain = plain.reduce(scale)
    if turn in _TURNS:
        plain = plain.transpose(Image.Transpose[_TURNS[turn]])
    plain.info.clear()
    return Pixels(name, stored, plain, scale, frames)


# --- limits --------------------------------------------------------------------------------------


def _scale(name: str, image: Any, data: bytes, most: int) -> int:
    """The least scale within `most`, and within the memory that there is. RecordError when there is none."""
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise RecordError(f"{image.width}x{image.height} pixels are more than {MAX_PIXELS}")
    fits = [scale for scale in _SCALES if pixels <= most * scale * scale] or _SCALES[-1:]
    if name == "JPEG":
        scans = data.count(b"\xff\xda", image.fp.tell()) + 1  # behind the first; never within a scan's bytes
        if pixels * scans > MAX_SCANNED:
            raise RecordError(f"{scans} scans of {image.width}x{image.height} pixels are more than we decode")
        taken = [len(data) + _jpeg_bytes(image, scans, scale) for scale in fits]
    else:
        alpha = _ALPHA if image.has_transparency_data else 0
        taken = [len(data) + pixels * max(_COST[name], _DEEP.get(image.mode, 0), alpha)]
    for scale, size in zip(fits, taken, strict=False):
        if size <= _BUDGET:
            return scale
    needed = f"{taken[-1] >> 20} MiB to decode, more than {_BUDGET >> 20}"
    raise RecordError(f"{image.width}x{image.height} pixels as {name} take {needed}")


def _jpeg_bytes(image: Any, scans: int, scale: int) -> int:
    """The image, once more to turn it, and of a JPEG in several scans every coefficient (16 bits)."""
    pixels: int = image.width * image.height
    size = pixels // (scale * scale) * 8
    if scans > 1 or image.info.get("progressive"):
        areas = [int(across * down) for _, across, down, *_ in image.layer]  # as sampled, of each component
        widest = max((across for _, across, *_ in image.layer), default=1)
        highest = max((down for _, _, down, *_ in image.layer), default=1)
        size += 2 * pixels * sum(areas) // max(1, widest * highest)
    return size


# --- what is in the file -------------------------------------------------------------------------


def _stored(name: str, image: Any) -> tuple[int, int]:
    """Width and height; those that Pillow gives of a TIFF are turned already (tags 256 and 257 are not)."""
    width, height = (image.tag_v2[256], image.tag_v2[257]) if name == "TIFF" else image.size
    return int(width), int(height)


def _frames(name: str, image: Any, data: bytes) -> int:
    if name == "GIF":
        return _gif_frames(data)
    frames: int = image.n_frames if name in ("PNG", "WEBP", "AVIF") else 1
    return frames


def _gif_frames(data: bytes) -> int:
    """Image Descriptors of a GIF89a (specification, sections 18 to 26), as far as it is walked through."""
    at, frames, inside = 13 + _table(data[10:11]), 0, False
    for _ in range(_MOST_BLOCKS):
        head = data[at : at + 1]
        if inside:  # a chain of sub-blocks, each with its length first; one of length 0 ends it
            inside = head > b"\x00"
            at += 1 + sum(head)
        elif head == b",":
            frames, inside = frames + 1, True
            at += 11 + _table(data[at + 9 : at + 10])
        elif head == b"!":
            inside, at = True, at + 2
        else:
            break
    return max(1, frames)


def _table(flags: bytes) -> int:
    """Bytes of the colour table that a GIF's flags announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _orientation(exif: object) -> int:
    """Tag 0x0112 of the first IFD (TIFF 6.0, section 2; Exif 2.32, 4.6.4): 1 to 8; 1 when it does not say."""
    tiff = exif.removeprefix(b"Exif\x00\x00") if isinstance(exif, bytes) else b""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * entry)
            if tag == 0x0112:
                return int(value) if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


# --- one kind of pixels --------------------------------------------------------------------------


def _eight_bit(image: Any, bits: int) -> Any:
    """8 bits a channel. 16 bits lose their lower half; 32 bits, whose white nobody knows, are stretched."""
    if image.mode not in _DEEP:
        return image
    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> (min(16, max(8, bits)) - 8)).astype(np.uint8))
    values = values.astype(np.float64)
    known = np.isfinite(values)
    low = float(np.min(values, where=known, initial=np.inf))
    high = float(np.max(values, where=known, initial=-np.inf))
    if not low < high:
        return Image.new("L", image.size)
    values[~known] = low
    values -= low
    values *= 255 / (high - low)
    return Image.fromarray(values.astype(np.uint8))


def _colours(image: Any, *, keep_alpha: bool) -> Any:
    """RGB, or RGBA where there is transparency and it is wanted. No colour profile is applied."""
    from PIL import Image, ImageCms  # noqa: PLC0415

    if image.mode == "LAB":
        from_lab = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
        return ImageCms.profileToProfile(image, *from_lab, outputMode="RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    front = image if image.mode == "RGBA" else image.convert("RGBA")
    if keep_alpha:
        return front
    page = Image.new("RGB", front.size, "white")
    page.paste(front, mask=front)
    return page
