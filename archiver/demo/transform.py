"""What a weserv proxy does to a picture's bytes, with Pillow in place of libvips.

Never the original: always decoded and encoded again, metadata gone, colours sRGB in three
channels, EXIF orientation applied, first frame only (docs/demo.md has the table).
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from archiver.errors import ArchiverError

MAX_PIXELS = 71_000_000
_DEFAULT_QUALITY = 80
_SAVED_AS = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "TIFF": "tiff",
    "GIF": "gif",
    "AVIF": "avif",
}
_READ = (*_SAVED_AS, "BMP", "ICO", "JPEG2000")  # the last three come out as PNG
_PILLOW = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tiff": "TIFF", "gif": "GIF", "avif": "AVIF"}
_ALIASES = {"width": "w", "height": "h", "quality": "q", "shape": "mask"}
_LEGACY_FITS = {
    "fit": ("inside", True),
    "fitup": ("inside", False),
    "square": ("cover", False),
    "squaredown": ("cover", True),
    "absolute": ("fill", False),
    "letterbox": ("contain", False),
}


class Refusal(ArchiverError):
    """The proxy answers with an error: `code` is the HTTP status and the JSON's `code`.

    `looping`: the origin's redirects never end.
    """

    exit_code = 3

    def __init__(self, code: int, message: str, *, looping: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.looping = looping


@dataclass(frozen=True)
class Rendered:
    """A picture made anew, or the JSON that describes it; `extension` without a dot."""

    body: bytes
    content_type: str
    extension: str


@dataclass(frozen=True)
class Wish:
    """The understood part of a request's parameters; what is not valid counts as absent."""

    width: str = ""
    height: str = ""
    ratio: float = 1.0  # device pixels
    fit: str = "inside"
    enlarge: bool = True
    quality: int = _DEFAULT_QUALITY
    output: str = ""

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> "Wish":
        given = {_ALIASES.get(key, key): value for key, value in reversed([*parameters.items()])}
        fit, keep = _LEGACY_FITS.get(given.get("t", ""), ("inside", False))
        if given.get("fit") in ("inside", "outside", "cover", "fill", "contain"):
            fit = given["fit"]
        quality = _number(given.get("q", ""))
        ratio = _number(given.get("dpr", ""))
        return cls(
            width=given.get("w", ""),
            height=given.get("h", ""),
            ratio=ratio if ratio and ratio <= 8 else 1.0,
            fit=fit,
            enlarge=not (keep or given.get("we", "0") not in ("0", "false")),
            quality=int(quality) if quality and 1 <= quality <= 100 else _DEFAULT_QUALITY,
            output=given.get("output", "") if given.get("output") in (*_PILLOW, "json") else "",
        )


def transform(data: bytes, parameters: Mapping[str, str]) -> Rendered:
    """The answer to a request for this picture. Refusal (404) for what is no readable picture."""
    wish = Wish.read(parameters)
    source = _decoded(data)
    image = _resized(_normal(source), wish)
    if wish.output == "json":
        return Rendered(_description(source, image), "application/json", "json")
    extension = wish.output or _SAVED_AS.get(source.format or "", "png")
    return Rendered(_encoded(image, extension, wish.quality), _media_type(extension), extension)


def _decoded(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_READ)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refusal(404, _too_large("Input")) from error
    except Exception as error:
        raise Refusal(404, "Invalid or unsupported image format. Is it a valid image?") from error
    if image.width * image.height > MAX_PIXELS:
        raise Refusal(404, _too_large("Input"))
    try:
        image.load()
    except Exception as error:  # noqa: BLE001 - a decoder's boundary: one type comes out
        return _incomplete(data, error)
    return image


def _incomplete(data: bytes, error: Exception) -> Image.Image:
    """A JPEG that ends early becomes a whole picture, grey where nothing came, without a word."""
    try:
        image = Image.open(io.BytesIO(data + b"\xff\xd9"), formats=("JPEG",))
        image.load()
    except Exception:  # noqa: BLE001 - as above
        raise Refusal(404, "Image not readable. Is it a valid image?") from error
    return image


def _normal(image: Image.Image) -> Image.Image:
    """Upright, in sRGB, with three channels, or four where there is transparency."""
    profile = image.info.get("icc_profile")
    transparent = image.has_transparency_data
    upright = ImageOps.exif_transpose(image)
    if profile and upright.mode in ("RGB", "CMYK", "L"):
        upright = _to_srgb(upright, profile)
    return upright.convert("RGBA" if transparent else "RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        converted = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):  # a profile that does not fit is passed over
        return image
    return converted or image


def _resized(image: Image.Image, wish: Wish) -> Image.Image:
    width = _length(wish.width, image.width, wish.ratio)
    height = _length(wish.height, image.height, wish.ratio)
    if not (width or height):
        return image
    if wish.fit == "fill":
        size = (width or image.width, height or image.height)
        if not wish.enlarge:
            size = (min(size[0], image.width), min(size[1], image.height))
        return _scaled(image, size)
    scales = [asked / have for asked, have in ((width, image.width), (height, image.height)) if asked]
    scale = max(scales) if wish.fit in ("cover", "outside") else min(scales)
    if not wish.enlarge:
        scale = min(scale, 1.0)
    scaled = _scaled(image, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    if not (width and height):
        return scaled
    if wish.fit == "cover":
        return _centred(scaled, min(width, scaled.width), min(height, scaled.height))
    return _centred(scaled, width, height) if wish.fit == "contain" else scaled


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if size[0] * size[1] > MAX_PIXELS:
        raise Refusal(404, _too_large("Output"))
    return image.resize(size, Image.Resampling.LANCZOS)


def _centred(image: Image.Image, width: int, height: int) -> Image.Image:
    """Cut to, or set on black of, `width` x `height`."""
    if width * height > MAX_PIXELS:
        raise Refusal(404, _too_large("Output"))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _encoded(image: Image.Image, extension: str, quality: int) -> bytes:
    if extension == "jpg":
        image = image.convert("RGB")
    image.info.clear()  # nothing of the source's own words may slip through
    options: dict[str, object] = {}
    if extension in ("jpg", "webp", "avif"):
        options["quality"] = quality
    if extension == "tiff":
        image = image.convert("RGB")
        options = {"compression": "jpeg", "quality": quality}
    target = io.BytesIO()
    try:
        image.save(target, _PILLOW[extension], **options)
    except (OSError, ValueError) as error:  # larger than the format can be
        raise Refusal(400, f"Unable to save the image: {error}") from error
    return target.getvalue()


def _description(source: Image.Image, result: Image.Image) -> bytes:
    """`output=json`: width and height of the result, format and profile of the source."""
    channels = len(result.getbands())
    said = {
        "format": (source.format or "").lower(),
        "width": result.width,
        "height": result.height,
        "space": "srgb",
        "channels": channels,
        "depth": "uchar",
        "density": 72,
        "chromaSubsampling": "4:2:0" if source.format == "JPEG" else "",
        "isProgressive": bool(source.info.get("progressive")),
        "hasProfile": "icc_profile" in source.info,
        "hasAlpha": channels == 4,
        "orientation": source.getexif().get(0x0112, 1),
    }
    return json.dumps(said, separators=(",", ":")).encode()


def _length(text: str, whole: int, ratio: float) -> int:
    """`300` and `50%` in pixels; 0 for what is neither."""
    percent = text.endswith("%")
    number = _number(text.removesuffix("%"))
    if not number or number > 1e6:
        return 0
    return max(1, round((number * whole / 100 if percent else number) * ratio))


def _number(text: str) -> float | None:
    """A positive decimal number of at most ten characters."""
    if len(text) > 10 or not text.replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    return float(text) or None


def _too_large(which: str) -> str:
    return f"{which} image exceeds pixel limit. Width x height should be less than {MAX_PIXELS}"


def _media_type(extension: str) -> str:
    return f"image/{extension.replace('jpg', 'jpeg')}"
