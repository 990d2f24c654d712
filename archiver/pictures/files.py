"""Two pictures that a person has → what they have to do with each other, and a change map beside it."""

import itertools
import os
from pathlib import Path
from typing import BinaryIO

from archiver.errors import UsageError
from archiver.model import Comparison, Noun
from archiver.pictures import child
from archiver.storage import replace_file

PICTURE_BYTES = 64 << 20  # of what is decoded
_NAME = "changes{}.png"


class Compared(Noun, frozen=True):
    """What is said of two pictures, and where the map of what differs was written."""

    comparison: Comparison
    sizes: tuple[tuple[int, int], ...] = ()  # upright width and height of both; none of undecodable ones
    map: str = ""
    exit_code: int = 0


def read_picture(file: BinaryIO, name: str) -> bytes:
    """All of a file, at most the bytes of the largest picture. Raises UsageError."""
    try:
        data = file.read(PICTURE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from error
    if len(data) > PICTURE_BYTES:
        raise UsageError(f"{name}: larger than {PICTURE_BYTES} bytes")
    return data


def compare_files(first: bytes, second: bytes, into: Path | None, *, draw: bool = True) -> Compared:
    """Compare two pictures; write the change map into a new file, if there is something to show.

    None: into the first of changes.png, changes-2.png … that is not there. Raises UsageError when `into`
    is there, SandboxError when the comparison was stopped, and StorageError.
    """
    if into is not None and os.path.lexists(into):
        raise UsageError(f"{into} is there", "Name another file: none is written over.")
    found = child.draw(first, second)
    written = ""
    if draw and found.png:
        written = str(into or _free())
        replace_file(Path(written), found.png)
    code = 3 if found.comparison.relation == "undecodable" else 0
    return Compared(comparison=found.comparison, sizes=found.sizes, map=written, exit_code=code)


def _free() -> Path:
    names = (_NAME.format(f"-{number}" if number > 1 else "") for number in itertools.count(1))
    return next(Path(name) for name in names if not os.path.lexists(name))
