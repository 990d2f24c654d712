"""The hashes of a picture, frozen: algorithm, preparation and bit order never change under one label.

For finding, never for proving: close hashes mean "looks alike", nothing more. A label names the algorithm,
the number of our own preparation, and every library whose version can change a value; only values of equal
labels compare. numpy is none of them: what it does here is elementwise IEEE 754, and exact.

Preparation 1 is the picture as `decode` gives it: upright, 8-bit RGB, transparent parts on white.
"""

import functools
import re
from importlib.metadata import version
from typing import Any

PREPARATION = 1
QUALITY = 80  # of both PDQ hashes, at least: below, different pictures share hashes
NEAR = 60  # bits of 256 between PDQ hashes of pictures that look alike
_DIGITS = re.compile("[0-9a-fA-F]{1,1024}")
PDQ_SIDE = 768  # the longer side that a larger picture keeps at least when PDQ's is reduced


@functools.cache
def phash_label() -> str:
    """`phash64/1/…`: ImageHash's pHash."""
    return _label("phash64", "imagehash", "scipy", "pillow")


@functools.cache
def pdq_label() -> str:
    """`pdq256/1/…`: PDQ."""
    return _label("pdq256", "pdqhash", "pillow")


def algorithm(label: str) -> str:
    """The first part of a label: values of one algorithm have one length."""
    return label.partition("/")[0]


def quality_of(label: str, quality: int | None) -> int | None:
    """A picture's quality is that of its PDQ hash; another hash has none."""
    return quality if algorithm(label) == "pdq256" else None


def hamming(one: object, other: object) -> int | None:
    """In how many bits two hashes in hex differ; None when they are not two hashes of one length."""
    if not isinstance(one, str) or not isinstance(other, str) or len(one) != len(other):
        return None
    if not (_DIGITS.fullmatch(one) and _DIGITS.fullmatch(other)):
        return None
    return (int(one, 16) ^ int(other, 16)).bit_count()


def current_labels(_: bytes = b"") -> list[str]:
    """The labels that the libraries of this installation make. Meant to run in the sandbox."""
    return [phash_label(), pdq_label()]


def phash(image: Any) -> str:
    """64 bits as 16 digits: which of the lowest 8 x 8 of a DCT of 32 x 32 greys are above their median.

    As `imagehash.phash(image)` computes it (C. Zauner, "Implementation and benchmarking of perceptual image
    hash functions", 2010, section 3.2.1), by rows; the first bit, the mean, is the highest.
    """
    import imagehash  # noqa: PLC0415 - only the child pays for it

    return _hex(imagehash.phash(image).hash)


def pdq(image: Any) -> tuple[str, int]:
    """256 bits as 64 digits, and their quality, 0 to 100.

    As `pdqhash.compute` computes them (and `compute_dihedral` of the first form) of the picture, or, where
    its longer side is 1,536 pixels or more, of its averages over n x n pixels, n = longer side // 768: at
    that size it is fine enough, and costs a tenth.
    "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019); the digits
    in the order of its reference implementation, word 15 first.
    """
    forms, quality = pdq_forms(image)
    return forms[:32].hex(), quality


def pdq_forms(image: Any) -> tuple[bytes, int]:
    """8 x 32 bytes: `pdq` of the picture turned in 8 ways, in the order of `pdqhash.compute_dihedral`.

    With their quality. One form takes as long as all.
    """
    from pdqhash.bindings import compute_dihedral  # noqa: PLC0415

    forms, quality = compute_dihedral(_reduced(image))
    return b"".join(bytes.fromhex(_hex(bits)) for bits in forms), int(quality)


def _reduced(image: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    factor = max(image.size) // PDQ_SIDE
    return np.asarray(image.reduce(factor) if factor > 1 else image)


def _hex(bits: Any) -> str:
    import numpy as np  # noqa: PLC0415

    return np.packbits(np.asarray(bits, np.uint8).ravel()).tobytes().hex()


def _label(name: str, *libraries: str) -> str:
    parts = [f"{library}-{version(library)}" for library in libraries]
    return "/".join([name, str(PREPARATION), *parts, *_decoders()])


def _decoders() -> list[str]:
    """Those whose formats leave some freedom in the pixels: a Pillow may be built on any version of them."""
    from PIL import features  # noqa: PLC0415

    jpeg = features.version_feature("libjpeg_turbo") or features.version_codec("jpg")
    found = {"jpeg": jpeg, "webp": features.version_module("webp"), "avif": features.version_module("avif")}
    return [f"{name}-{number or 0}" for name, number in found.items()]
