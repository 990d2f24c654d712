"""Distance of perceptual hashes, for SQL and for the pages."""

import re

_HEX = re.compile("[0-9a-fA-F]{1,1024}")


def hamming(one: object, other: object) -> int | None:
    """In how many bits two hashes in hex differ; None when they are not two hashes of one length."""
    if not isinstance(one, str) or not isinstance(other, str) or len(one) != len(other):
        return None
    if not (_HEX.fullmatch(one) and _HEX.fullmatch(other)):
        return None
    return (int(one, 16) ^ int(other, 16)).bit_count()
