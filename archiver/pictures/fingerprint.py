"""What finding a picture's look-alikes needs of it."""

from archiver.model import Digest, Noun, PictureFacts


class Fingerprint(Noun, frozen=True):
    """Facts, and what finds look-alikes. Every array is C-contiguous and little-endian.

    A picture without information (plain, tiny) has neither PDQ forms nor keypoints.
    """

    facts: PictureFacts
    # SHA-256 of b"RGB", width and height (each 32 bits, big-endian) and the upright RGB bytes
    pixels: Digest
    pdq: bytes = b""  # 8 x 32: the PDQ hashes of its 8 turned forms, in the order of pdqhash.compute_dihedral
    points: bytes = b""  # n x 2 uint16: x and y of each keypoint in 1/65535 of the upright width and height
    descriptors: bytes = b""  # n x 32: their ORB descriptors, in the order of points
