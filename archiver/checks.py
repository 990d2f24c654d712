"""checks.json: which WARC file was last compared with its commitment when, and how the newest checks ended.

It orders what is checked next and lets `status` tell; nothing is judged by it. It is disposable: without it
every file counts as never checked. The order of its entries, not their times, says which check is the oldest,
so that a clock that jumped keeps no file from its turn.
"""

import fcntl
import math
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

import msgspec

from archiver.errors import StorageError
from archiver.model import Digest, Verdict
from archiver.storage import replace_file, storage_error

NAME = "checks.json"
FORMAT = "archiver-checks/2"
READ = (FORMAT, "archiver-checks/1")  # which had no runs, and did not say which marks are deep
CHECKS_BYTES = 256 << 20
RUNS = 200  # checks that are remembered; of more, the oldest are forgotten
EVERY_SECONDS = 10.0  # how often marks are written while checking goes on
PATIENCE_SECONDS = 10.0  # for another command that is writing its own

Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")]
Name = Annotated[str, msgspec.Meta(max_length=1000)]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A WARC file was checked. `digest` is the committed one: of other bytes nothing is known.

    `deep`: each of its records was parsed, too.
    """

    file: Name
    digest: Digest
    checked: Moment
    verdict: Verdict
    deep: bool = False

    @property
    def age(self) -> float:
        """Seconds since then; negative when a clock was wrong, infinite when it is no time."""
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(self.checked)).total_seconds()
        except ValueError:
            return math.inf


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """The newest damage that a check found, to any file of the archive."""

    file: Name
    found: Moment
    code: Name


class CheckRun(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an archive. `files` and `bytes`: how much was read of its WARC files, of `of_files`.

    `share` and `seconds` are its limits. `whole`: it came to its end, and read all that it should.
    """

    started: Moment
    ended: Moment
    deep: bool
    share: float | None
    seconds: float | None
    files: int
    of_files: int
    bytes: int
    findings: int
    verdict: Verdict
    whole: bool


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered. `marks`: the oldest check first, each file once. `runs`: the oldest first."""

    format: str = FORMAT
    marks: tuple[Mark, ...] = ()
    damage: Damage | None = None
    runs: tuple[CheckRun, ...] = ()


def load(root: Path) -> Memory:
    """What earlier checks left. What cannot be read counts as nothing."""
    path = root / NAME
    try:
        if not path.is_file() or path.stat().st_size > CHECKS_BYTES:
            return Memory()
        found = msgspec.json.decode(path.read_bytes(), type=Memory)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Memory()
    return found if found.format in READ else Memory()


def now() -> str:
    """The time, to the second, as marks have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Checks:
    """What this check found out, written beside what others have: at intervals, and when it is closed.

    `failure` says why nothing could be remembered; it is no reason not to check.
    """

    def __init__(self, root: Path) -> None:
        self.failure = ""
        self._root = root
        self._marks: dict[str, Mark] = {}
        self._damage: Damage | None = None
        self._runs: list[CheckRun] = []
        self._saved = time.monotonic()

    def remembered(self) -> tuple[Mark, ...]:
        """What earlier checks left, the oldest first."""
        return load(self._root).marks

    def mark(self, file: str, digest: str, verdict: Verdict, *, deep: bool = False) -> None:
        """A file was checked, just now."""
        self._marks.pop(file, None)
        self._marks[file] = Mark(file=file, digest=digest, checked=now(), verdict=verdict, deep=deep)
        if time.monotonic() - self._saved >= EVERY_SECONDS:
            self.save()

    def damaged(self, file: str, code: str) -> None:
        """Damage was found, just now."""
        self._damage = Damage(file=file[:1000], found=now(), code=code)

    def ran(self, run: CheckRun) -> None:
        """A check has ended."""
        self._runs.append(run)

    def save(self) -> None:
        """Add what is new to checks.json, which another check may have changed meanwhile."""
        if not self._marks and self._damage is None and not self._runs:
            return
        self._saved = time.monotonic()
        try:
            with _alone(self._root):
                before = load(self._root)
                after = Memory(
                    marks=(*_others(before.marks, self._marks), *self._marks.values()),
                    damage=self._damage or before.damage,
                    runs=(*before.runs, *self._runs)[-RUNS:],
                )
                replace_file(self._root / NAME, msgspec.json.format(msgspec.json.encode(after), indent=1))
        except StorageError as error:
            self.failure = str(error)
            return
        self.failure, self._damage = "", None
        self._marks.clear()
        self._runs.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.save()


def _others(marks: Iterable[Mark], new: dict[str, Mark]) -> Iterator[Mark]:
    """Marks of other files, the newest of each."""
    known = {mark.file: mark for mark in marks if mark.file not in new}
    return iter(known.values())


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Only one check writes at a time. Raises StorageError.

    The lock is on the folder, for the file is replaced, and the archive's own lock is for who adds to it.
    """
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise storage_error(root, error) from error
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise StorageError(f"{root / NAME}: another command is writing it") from error
                time.sleep(0.02)
            except OSError as error:
                raise storage_error(root, error) from error
        yield
    finally:
        os.close(folder)
