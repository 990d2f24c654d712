"""What a picture's file says of itself: EXIF, IPTC, XMP, colour profile, comments, Content Credentials.

The bytes are hostile: `read_metadata` runs in the sandbox. What it found is compared by `ledger`, and the
times in it are read by `times`.
"""

from typing import Any


def read_metadata(data: bytes) -> list[dict[str, Any]]:
    """Tags of a picture as JSON values, as `read.read_tags` finds them. Meant to run in the sandbox."""
    from archiver.pictures.metadata.read import read_tags  # noqa: PLC0415 - only the child pays for it

    return read_tags(data)
