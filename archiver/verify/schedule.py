"""Which WARC files are read now, and in which order, when not all of them are.

First those that were damaged when they were last read, then those that were never read, then the one whose
reading is the longest ago. A sample is drawn at random, whatever was read before; those that were damaged
come to it.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archiver.checks import Mark
from archiver.manifest.manifest import CommittedWarc

_DICE = random.SystemRandom()  # nobody who changed a file can know whether it will be read


@dataclass(frozen=True)
class Limits:
    """How much is read: a `share` of the bytes of all WARC files, 0 < share <= 1; for so many `seconds`."""

    share: float | None = None
    seconds: float | None = None

    @property
    def everything(self) -> bool:
        return self.share is None and self.seconds is None


@dataclass
class Coverage:
    """How much of the WARC files was read, and of how much.

    `read` names the files where that is not all. `rest`: when the others were last read, the oldest time and
    the newest; `never` counts those without one.
    """

    files: int = 0
    bytes: int = 0
    all_files: int = 0
    all_bytes: int = 0
    rest: tuple[str, str] | None = None
    never: int = 0
    read: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.files == self.all_files


class Schedule:
    """The order of one check. `coverage` is right when it has ended."""

    def __init__(
        self,
        warcs: Sequence[CommittedWarc],
        marks: Sequence[Mark],
        limits: Limits,
        *,
        dice: random.Random = _DICE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`marks`: the oldest first."""
        self.everything = limits.everything
        self.limited = False  # the time was used before all was read that should be
        self._warcs = warcs
        self._limits, self._dice, self._clock = limits, dice, clock
        self._end = clock() + (limits.seconds or 0)
        known = {(mark.file, mark.digest): place for place, mark in enumerate(marks)}
        self._marks = marks
        there = ((warc.path, known.get((warc.path, warc.digest))) for warc in warcs)
        self._places = {path: place for path, place in there if place is not None}
        self._done: set[str] = set()

    def turns(self) -> Iterator[CommittedWarc]:
        """What is to be read and was not yet, each in its turn, until the time is used.

        One file that is not known as damaged is always read, so that repeated checks come to an end.
        """
        turned = False
        for warc in sorted(self._chosen(), key=self._turn):
            if warc.path in self._done:
                continue
            if self._limits.seconds is not None and turned and self._clock() >= self._end:
                self.limited = True
                return
            turned = turned or not self._was_damaged(warc)
            yield warc

    def done(self, warc: CommittedWarc) -> None:
        """A file was read."""
        self._done.add(warc.path)

    @property
    def coverage(self) -> Coverage:
        read = [warc for warc in self._warcs if warc.path in self._done]
        rest = [warc.path for warc in self._warcs if warc.path not in self._done]
        times = sorted(self._marks[self._places[path]].checked for path in rest if path in self._places)
        return Coverage(
            files=len(read),
            bytes=sum(warc.bytes for warc in read),
            all_files=len(self._warcs),
            all_bytes=sum(warc.bytes for warc in self._warcs),
            rest=(times[0], times[-1]) if times else None,
            never=len(rest) - len(times),
            read=tuple(warc.path for warc in read) if rest else (),
        )

    def _chosen(self) -> Sequence[CommittedWarc]:
        """All, or a sample: at random, until it has its share of the bytes."""
        if self._limits.share is None:
            return self._warcs
        wanted = self._limits.share * sum(warc.bytes for warc in self._warcs)
        drawn = 0
        chosen: list[CommittedWarc] = []
        for warc in self._dice.sample(self._warcs, len(self._warcs)):
            if drawn < wanted or not chosen:
                chosen.append(warc)
                drawn += warc.bytes
            elif self._was_damaged(warc):
                chosen.append(warc)
        return chosen

    def _turn(self, warc: CommittedWarc) -> tuple[bool, int]:
        return not self._was_damaged(warc), self._places.get(warc.path, -1)

    def _was_damaged(self, warc: CommittedWarc) -> bool:
        place = self._places.get(warc.path)
        return place is not None and self._marks[place].verdict != "ok"
