"""What the person vouches for: none of it comes from the archive."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trust:
    """`roots`: PEM files of timestamp authorities. With one, those that lie in the archive do not count.

    `headers`: files with the header of a Bitcoin block each, 80 bytes or their hexadecimal digits.
    """

    roots: tuple[Path, ...] = ()
    headers: tuple[Path, ...] = ()
