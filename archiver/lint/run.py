"""`archiver lint`: files, folders and standard input, one after the other."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from archiver.errors import RecordError, UsageError
from archiver.lint import ranges
from archiver.lint.forks import Forks, Lost, processes
from archiver.lint.pieces import HEAD
from archiver.lint.walk import Finding, Tally, judge_walk
from archiver.storage import unblocked
from archiver.warc.foreign import recognise_file

LEAST_BYTES = 2 << 20  # less is judged sooner than forks are started
SUFFIXES = tuple(
    f"{name}{packed}{unsealed}"
    for name in (".warc", ".arc", ".wacz")
    for packed in ("", ".gz", ".zst")
    for unsealed in ("", ".open")
)


class Linting:
    """Judges what was named. The counts grow while `findings` is read."""

    def __init__(self, named: Sequence[str], roots: Sequence[Any] = (), *, strict: bool = False) -> None:
        """`named`: paths, or `-`; of a folder the files whose names end as WARC, ARC and WACZ files do.

        `roots`: certificates, for signatures of a WACZ. `strict`: warnings count as errors for the exit code.
        Raises UsageError for nothing to judge.
        """
        self._roots, self._strict = roots, strict
        self.named = list(_files(named))
        self.tallies: list[Tally] = []
        self.now: Tally | None = None
        self._forks: Forks | None = None
        self._shares: dict[int, tuple[int, list[tuple[int, int]]]] = {}  # of named files: first task, ranges
        if not self.named:
            raise UsageError("there is no WARC, ARC or WACZ file in it", "Name the files themselves.")

    def start(self) -> None:
        """Share the work with forks, where there is much of it: to be called before threads are started."""
        count, sizes = processes(), [_size(name) for name in self.named]
        if count < 2 or sum(sizes) < LEAST_BYTES:
            return
        tasks: list[tuple[str, int, int]] = []
        for number, (name, size) in enumerate(zip(self.named, sizes, strict=True)):
            if name == "-":
                continue
            bounds = ranges.bounds(size, count) if size >= LEAST_BYTES and _has_members(name) else []
            self._shares[number] = (len(tasks), bounds)
            tasks += [(name, *bound) for bound in bounds] or [(name, 0, 0)]
        with suppress(OSError):  # then one does all
            self._forks = Forks(tasks, self._share, count)

    def findings(self) -> Iterator[Finding | Tally]:
        """Of each file its findings, then its tally."""
        try:
            for number, name in enumerate(self.named):
                yield from self._of(number, name)
        finally:
            if self._forks:
                self._forks.close()

    def _of(self, number: int, name: str) -> Iterator[Finding | Tally]:
        forks, (first, bounds) = self._forks, self._shares.get(number, (0, []))
        given = 0
        if forks and number in self._shares and not bounds:
            try:
                for found in forks.of(first):
                    if isinstance(found, Tally):
                        self.tallies.append(found)
                    yield found
                    given += 1
                return
            except Lost:  # the rest here
                pass
        others = ranges.Ranges(forks, first, bounds) if forks and bounds else None
        yield from islice(self._file(name, others), given, None)

    def _share(self, task: tuple[str, int, int]) -> Iterator[Any]:
        """What a fork does: a range of a file, or all of it."""
        name, begin, end = task
        return ranges.judge_range(name, begin, end) if end else self._file(name)

    def _file(self, name: str, others: ranges.Ranges | None = None) -> Iterator[Finding | Tally]:
        tally = self.now = Tally(name, "")
        try:
            with _opened(name) as file:
                yield from self._judge(file, name, tally, others)
        except OSError as error:
            tally.unjudged.append(f"cannot be read: {error.strerror or error}")
        self.tallies.append(tally)
        yield tally

    def _judge(
        self, file: BinaryIO, name: str, tally: Tally, others: ranges.Ranges | None
    ) -> Iterator[Finding]:
        head = file.read(HEAD)
        if recognise_file(head) == "wacz":
            from archiver.lint.wacz.judge import judge_wacz  # noqa: PLC0415 - with all that signatures need

            yield from judge_wacz(file, name, tally, self._roots)
        else:
            yield from judge_walk(file, name, tally, others=others)

    @property
    def exit_code(self) -> int:
        """4: errors, or with `strict` warnings. 3: something could not be judged. 0: neither."""
        if any(each.errors or (self._strict and each.warnings) for each in self.tallies):
            return RecordError.exit_code
        return 3 if any(each.unjudged for each in self.tallies) else 0


def _size(name: str) -> int:
    try:
        return Path(name).stat().st_size
    except OSError:
        return 0


def _has_members(name: str) -> bool:
    """Whether a file can be judged in ranges."""
    try:
        with _opened(name) as file:
            return recognise_file(file.read(HEAD)) == "warc+gzip"
    except OSError:
        return False


def _files(named: Sequence[str]) -> Iterator[str]:
    for name in named:
        path = Path(name)
        if name == "-" or not path.is_dir():
            yield name
        else:
            yield from sorted(
                str(each)
                for each in path.rglob("*")
                if each.name.lower().endswith(SUFFIXES) and each.is_file()
            )


def _opened(name: str) -> BinaryIO:
    """A file that can be sought; standard input is spooled."""
    if name != "-":
        return open(name, "rb", opener=unblocked)
    import tempfile  # noqa: PLC0415 - only here
    from shutil import copyfileobj  # noqa: PLC0415

    spooled = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    copyfileobj(sys.stdin.buffer, spooled, 1 << 20)
    spooled.seek(0)
    return spooled
