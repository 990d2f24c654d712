"""What finding a picture's look-alikes needs of it."""

import hashlib
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from archiver.model import Count, Digest, Noun, PictureFacts
from archiver.pictures.hashes import QUALITY

if TYPE_CHECKING:
    from archiver.pictures.decode import Pixels

INLIERS = 10  # keypoints of two pictures that agree on one map: fewer than these are chance


class Fingerprint(Noun, frozen=True):
    """Facts, and what finds look-alikes. Every array is C-contiguous and little-endian.

    A picture without information (plain, tiny) has neither PDQ forms nor keypoints.
    """

    facts: PictureFacts
    # SHA-256 of b"RGB", width and height (each 32 bits, big-endian) and the upright RGB bytes
    pixels: Digest
    size: tuple[int, int] = (0, 0)  # upright width and height, in pixels
    pdq: bytes = b""  # 8 x 32: the PDQ hashes of its 8 turned forms, in the order of pdqhash.compute_dihedral
    points: bytes = b""  # n x 2 uint16: x and y of each keypoint in 1/65535 of the upright width and height
    poses: bytes = (
        b""  # n uint8: 32 x its octave (0 to 7, each 1.2 times as large) + its orientation in 1/32 turn
    )
    descriptors: bytes = b""  # n x 32: their ORB descriptors, in the order of points
    mirrored: bytes = b""  # n x 32: those of the same points in the mirrored picture; only a query needs them
    # so many of them, the last, are of the picture on a page, and their poses are those in that picture
    within: Count = 0


def make_fingerprint(data: bytes) -> dict[str, Any]:
    """The Fingerprint of a whole picture as JSON values, bytes in base64. Meant to run in the sandbox.

    RecordError when it cannot be decoded.
    """
    from archiver.pictures.decode import decode  # noqa: PLC0415 - only the child pays for it

    built: dict[str, Any] = msgspec.to_builtins(fingerprint_of(decode(data)))
    return built


def fingerprint_of(pixels: "Pixels", *, hashed: bool = True) -> Fingerprint:
    """The Fingerprint of a decoded picture; its facts without hashes where they are not wanted."""
    import numpy as np  # noqa: PLC0415 - only the child pays for it

    from archiver.pictures.describe import described  # noqa: PLC0415
    from archiver.pictures.pairs.keypoints import find_all, packed  # noqa: PLC0415

    (facts, forms), image = described(pixels, hashed=hashed), pixels.image
    found = Fingerprint(facts=facts, pixels=pixels_digest(image), size=image.size)
    if forms:
        keypoints, within = find_all(np.asarray(image))
        found = msgspec.structs.replace(found, pdq=forms, within=within, **packed(keypoints))
    return found


def pdq_distance(one: Fingerprint, other: Fingerprint) -> int | None:
    """Bits of 256 between their PDQ hashes, the nearest of 8 turned forms; None where one finds nothing."""
    if min(one.facts.quality or 0, other.facts.quality or 0) < QUALITY:
        return None
    forms = (other.pdq[at : at + 32] for at in range(0, len(other.pdq), 32))
    return min((int.from_bytes(one.pdq[:32]) ^ int.from_bytes(form)).bit_count() for form in forms)


def same_pixels(one: Fingerprint | None, other: Fingerprint | None) -> bool:
    """Whether every pixel of two pictures is the same: those of a large one are averages."""
    if one is None or other is None or one.pixels != other.pixels:
        return False
    width, height = one.size
    return all(width * height == each.facts.width * each.facts.height for each in (one, other))


def pixels_digest(image: Any) -> Digest:
    """The digest of a Pillow picture's pixels, as Fingerprint.pixels says."""
    head = b"RGB" + struct.pack(">II", *image.size)
    digest = hashlib.sha256(head)
    digest.update(image.tobytes())
    return f"sha256:{digest.hexdigest()}"
