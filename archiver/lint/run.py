"""`archiver lint`: files, folders and standard input, one after the other."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO, cast

from archiver.errors import RecordError, UsageError
from archiver.lint.pieces import HEAD
from archiver.lint.walk import Finding, Tally, judge_walk
from archiver.storage import unblocked
from archiver.warc.foreign import recognise_file

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
        if not self.named:
            raise UsageError("there is no WARC, ARC or WACZ file in it", "Name the files themselves.")

    def findings(self) -> Iterator[Finding | Tally]:
        """Of each file its findings, then its tally."""
        for name in self.named:
            tally = self.now = Tally(name, "")
            try:
                with _opened(name) as file:
                    yield from self._judge(file, name, tally)
            except OSError as error:
                tally.unjudged.append(f"cannot be read: {error.strerror or error}")
            self.tallies.append(tally)
            yield tally

    def _judge(self, file: BinaryIO, name: str, tally: Tally) -> Iterator[Finding]:
        head = file.read(HEAD)
        if recognise_file(head) == "wacz":
            from archiver.lint.wacz.judge import judge_wacz  # noqa: PLC0415 - with all that signatures need

            yield from judge_wacz(file, name, tally, self._roots)
        else:
            yield from judge_walk(file, name, tally)

    @property
    def exit_code(self) -> int:
        """4: errors, or with `strict` warnings. 3: something could not be judged. 0: neither."""
        if any(each.errors or (self._strict and each.warnings) for each in self.tallies):
            return RecordError.exit_code
        return 3 if any(each.unjudged for each in self.tallies) else 0


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
    spooled = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    copyfileobj(sys.stdin.buffer, spooled, 1 << 20)
    spooled.seek(0)
    return spooled
