"""An entry of a picture's metadata, and all of them together within limits."""

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Literal

from archiver.model import Noun

MOST_TAGS = 500  # of a picture; what is beyond is counted
MOST_OF_ONE = 50  # values of one name, as of a list that an editor wrote for itself
MOST_CHARACTERS = 2_000  # of a value; what is longer ends in …
BLOCK_BYTES = 16 << 20  # of one block: what is longer is not read
_NAME_CHARACTERS = 200
_NAMES = Path(__file__).with_name("names.toml")


class Tag(Noun, frozen=True):
    """What a file says under one name, such as `Exif` `DateTimeOriginal`; a name may come more than once."""

    group: str
    name: str
    value: str


class Tags:
    """Takes what is found, within the limits. Empty values say nothing and are left out."""

    def __init__(self) -> None:
        self.found: list[Tag] = []
        self.left_out = 0
        self._counts = Counter[tuple[str, str]]()
        self._problems: dict[str, None] = {}

    def add(self, group: str, name: str, value: str) -> None:
        value = _clean(value)
        if not value:
            return
        name = _clean(name)[:_NAME_CHARACTERS]
        self._counts[group, name] += 1
        if len(self.found) >= MOST_TAGS or self._counts[group, name] > MOST_OF_ONE:
            self.left_out += 1
            return
        self.found.append(Tag(group=group, name=name, value=value))

    def problem(self, words: str) -> None:
        """Something could not be read; the rest was."""
        if len(self._problems) < 10:
            self._problems[words] = None

    def all(self) -> list[Tag]:
        """What was found, then what could not be read."""
        said = list(self._problems)
        if self.left_out:
            said.append(f"{self.left_out} more entries were left out")
        return [*self.found, *(Tag(group="File", name="Problem", value=words) for words in said)]


BlockKind = Literal["exif", "iptc", "photoshop", "xmp", "icc", "c2pa"]


class Blocks:
    """The blocks of metadata in a file, still as bytes, and its comments; within limits."""

    def __init__(self) -> None:
        self.comments: list[tuple[str, str, str]] = []  # group, name, value
        self.problems: list[str] = []
        self._kept: dict[str, list[bytes]] = {}
        self._bytes = 0

    def keep(self, kind: BlockKind, data: bytes) -> None:
        """A block as it lies in the file; what is too long to be read is told instead."""
        if len(data) > BLOCK_BYTES or self._bytes + len(data) > 2 * BLOCK_BYTES:
            self.problems.append(f"{kind.upper()}: what is longer than {BLOCK_BYTES} bytes was not read")
        else:
            self._bytes += len(data)
            self._kept.setdefault(kind, []).append(data)

    def of(self, kind: BlockKind) -> list[bytes]:
        return self._kept.get(kind, [])

    def comment(self, group: str, name: str, value: str) -> None:
        if len(self.comments) < MOST_TAGS:
            self.comments.append((group, name, value))


@cache
def names(section: str) -> dict[str, str]:
    """A table of names.toml."""
    tables: dict[str, dict[str, str]] = tomllib.loads(_NAMES.read_text("utf-8"))
    return tables[section]


def text_of_bytes(data: bytes) -> str:
    """Bytes whose encoding nobody says: UTF-8 where they can be, else Windows-1252."""
    data = data[: 4 * MOST_CHARACTERS + 4]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > 4 * MOST_CHARACTERS - 4:  # cut within a character
            return data[: error.start].decode("utf-8")
        return data.decode("cp1252", "replace")


def _clean(value: str) -> str:
    """Without the NULs and spaces around it, in Unicode that every writer takes."""
    value = value.strip("\0 \t\r\n").replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return value if len(value) <= MOST_CHARACTERS else f"{value[: MOST_CHARACTERS - 1]}…"
