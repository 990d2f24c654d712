"""Random damage to one file: bits flipped, stretches cut, put in or swapped, files cut short or exchanged."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import archives

from archiver.model import Entry, Finding
from archiver.sandbox import Sandbox

LARGEST = 2000  # bytes of a stretch
Stretch = tuple[int, int]  # bytes of the whole file, from the first up to and without the last
Changed = tuple[bytes, tuple[Stretch, ...]]  # the file then, and what of the whole one was changed


def flip(dice: random.Random, whole: bytes) -> Changed:
    place = dice.randrange(len(whole))
    bit = bytes([whole[place] ^ 1 << dice.randrange(8)])
    return whole[:place] + bit + whole[place + 1 :], ((place, place + 1),)


def cut(dice: random.Random, whole: bytes) -> Changed:
    start, stop = _stretch(dice, whole)
    return whole[:start] + whole[stop:], ((start, stop),)


def cut_short(dice: random.Random, whole: bytes) -> Changed:
    start = dice.randrange(len(whole))
    return whole[:start], ((start, len(whole)),)


def insert(dice: random.Random, whole: bytes) -> Changed:
    place = dice.randrange(len(whole) + 1)
    start, stop = _stretch(dice, whole)
    added = dice.choice((dice.randbytes(stop - start), whole[start:stop], bytes(stop - start), b"\n"))
    return whole[:place] + added + whole[place:], ((place, place),)


def swap(dice: random.Random, whole: bytes) -> Changed:
    (a, b), (c, d) = sorted((_stretch(dice, whole), _stretch(dice, whole)))
    return _swapped(whole, a, b, max(b, c), max(b, d))


def _stretch(dice: random.Random, whole: bytes) -> Stretch:
    start = dice.randrange(len(whole))
    length = dice.choice((1, 2, dice.randrange(1, 60), dice.randrange(1, LARGEST)))
    return start, min(len(whole), start + length)


def _swapped(whole: bytes, a: int, b: int, c: int, d: int) -> Changed:
    return whole[:a] + whole[c:d] + whole[b:c] + whole[a:b] + whole[d:], ((a, b), (c, d))


KINDS: dict[str, Callable[[random.Random, bytes], Changed]] = {
    "flip": flip,
    "cut": cut,
    "cut short": cut_short,
    "insert": insert,
    "swap": swap,
}


class _File:
    """A file of the archive and, of a WARC file or a record list, where its records or lines end."""

    def __init__(self, root: Path, name: str) -> None:
        self.name, self.path = name, root / name
        self.whole = self.path.read_bytes()
        self.entries: list[Entry] = []
        self.ends: list[int] = []
        if name.startswith("warcs/"):
            names = [(warc.path, warc.list.path) for warc in archives.manifest(root).warcs]
            number = next(number for number, pair in enumerate(names) if name in pair)
            parts = archives.members if name.endswith(".gz") else archives.lines
            self.entries = archives.entries(root, number)
            self.ends = [*accumulate(map(len, parts(root, number)))]

    def change(self, dice: random.Random, kind: str, others: list["_File"]) -> Changed:
        if kind == "exchange":
            return dice.choice(others).whole, ((0, len(self.whole)),)
        if kind == "swap" and self.ends and dice.random() < 0.5:  # whole records or lines
            (a, b), (c, d) = sorted(dice.sample([*pairwise([0, *self.ends])], 2))
            return _swapped(self.whole, a, b, c, d)
        return KINDS[kind](dice, self.whole)

    def lost(self, data: bytes) -> set[int]:
        """Offsets of the records that are nowhere in the file any more, or whose lines are not."""
        parts = zip(self.entries, pairwise([0, *self.ends]), strict=True)
        return {entry.offset for entry, (start, stop) in parts if self.whole[start:stop] not in data}

    def near(self, changed: tuple[Stretch, ...]) -> set[int]:
        """Offsets of the records from the first to the last that was changed, beside it for lines."""
        first = bisect_right(self.ends, min(start for start, _ in changed))
        last = bisect_left(self.ends, max(stop for _, stop in changed))
        wider = 1 if self.name.endswith(".jsonl") else 0  # without its end a line is one with the next
        return {entry.offset for entry in self.entries[max(0, first - wider) : last + 1 + wider]}


@dataclass(frozen=True)
class Trial:
    """One damage, and what was found. `lost`, `near`, `reported`: offsets of records, if it has any."""

    name: str
    kind: str
    found: list[Finding]
    lost: set[int]
    near: set[int]

    @property
    def reported(self) -> set[int]:
        """Of what was added there is no committed record."""
        committed = (
            each.offset for each in self.found if not each.code.startswith(("added-", "duplicated-"))
        )
        return {offset for offset in committed if offset is not None}


def trials(root: Path, sandbox: Sandbox, dice: random.Random, count: int) -> Iterator[Trial]:
    """Damage the archive so many times, each file and kind in its turn, and put it right each time."""
    files = [_File(root, name) for name in archives.files(root)]
    for file in files:
        file.path.chmod(0o644)
    kinds = [*KINDS, "exchange"]
    done = 0
    while done < count:
        file, kind = files[done % len(files)], kinds[done // len(files) % len(kinds)]
        data, changed = file.change(dice, kind, files)
        if data == file.whole:
            continue
        done += 1
        file.path.write_bytes(data)
        found = archives.check(root, sandbox)
        file.path.write_bytes(file.whole)
        whole_file = kind == "exchange" or not data
        lost = set() if whole_file else file.lost(data)
        yield Trial(file.name, kind, found, lost, file.near(changed) if file.ends else set())
