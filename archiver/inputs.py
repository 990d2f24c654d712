"""What the person named → sources, one at a time: URLs, files by their content, folders, standard input."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver.addresses import canonical
from archiver.errors import ArchiverError, SourceError
from archiver.model import Recognised
from archiver.sandbox import Sandbox
from archiver.sources import is_mirror_document, recognise

FILE_BYTES = 64 << 20


@dataclass(frozen=True)
class Source:
    """A URL, or the bytes of a file and what they were recognised as."""

    given: str  # what the person typed, without the folders above it
    url: str | None = None
    data: bytes = b""
    kind: str = ""


@dataclass
class Inputs:
    """Opens what was named. Nothing is read before its turn comes, so a folder may hold any number.

    `say` gets a sentence for everything that is not taken; `refused` and `passed_over` keep count.
    """

    givens: Sequence[str]
    sandbox: Sandbox
    say: Callable[[str], None]
    refused: list[str]  # named by the person, and no source
    passed_over: int = 0  # files in folders that are no mirror documents

    def __iter__(self) -> Iterator[Source]:
        for given in self.givens:
            try:
                yield from self._open(given)
            except ArchiverError as error:
                self.refused.append(given)
                self.say(f"{error}. {error.advice}".strip())

    def _open(self, given: str) -> Iterator[Source]:
        if given.lower().startswith(("http://", "https://")):
            yield Source(given, url=canonical(given))
        elif given != "-" and Path(given).is_dir():
            yield from self._folder(given)
        else:
            data = _read(given)
            found = self.sandbox.read(Recognised, recognise, data)
            if found.kind in ("unknown", "page"):
                why = found.why if found.kind == "unknown" else "a web page, and nobody says under which URL"
                raise SourceError(
                    f"{given}: {why}",
                    "docs/sources.md lists what can be named.",
                )
            yield Source(given if given == "-" else _plain(Path(given).name), data=data, kind=found.kind)

    def _folder(self, given: str) -> Iterator[Source]:
        """The mirror documents below a folder, in the order of their paths, without hidden files."""
        taken = 0
        for path in _files(given, self._unread):
            name = _plain(os.path.relpath(path, given))
            try:
                data = _read(path)
                if not self.sandbox.read(bool, is_mirror_document, data):
                    self._pass_over(f"{name}: not a mirror document")
                    continue
            except ArchiverError as error:
                self._pass_over(str(error))
                continue
            taken += 1
            yield Source(name, data=data, kind="document")
        if not taken:
            raise SourceError(
                f"{given}: no mirror document in this folder", "docs/sources.md shows what one is."
            )

    def _unread(self, error: OSError) -> None:
        self._pass_over(f"{error.filename}: {error.strerror or error}")

    def _pass_over(self, why: str) -> None:
        self.passed_over += 1
        self.say(f"passed over {why}")


def _files(folder: str, unread: Callable[[OSError], None]) -> Iterator[str]:
    for root, folders, names in os.walk(folder, onerror=unread):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(root, name)  # noqa: PTH118 - names that are no UTF-8 stay as they are
            if not name.startswith(".") and Path(path).is_file():
                yield path


def _read(given: str) -> bytes:
    try:
        if given == "-":
            data = sys.stdin.buffer.read(FILE_BYTES + 1)
        else:
            with Path(given).open("rb") as file:
                data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise SourceError(
            f"{given}: {error.strerror or error}", "Name a file, a folder or an http(s) URL."
        ) from error
    if len(data) > FILE_BYTES:
        raise SourceError(f"{given}: larger than a source may be ({FILE_BYTES} bytes)")
    return data


def _plain(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
