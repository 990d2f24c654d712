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

    `say` gets one line for everything that is not taken; `refused` and `passed_over` keep count.
    """

    givens: Sequence[str]
    sandbox: Sandbox
    say: Callable[[str], None]
    refused: list[str]  # named by the person, or found in a folder, and not to be read
    passed_over: int = 0  # files in folders that are no mirror documents

    def __iter__(self) -> Iterator[Source]:
        for given in self.givens:
            try:
                yield from self._open(given)
            except ArchiverError as error:
                self.refused.append(given)
                self.say(_line(f"{error}. {error.advice}".strip()))

    def _open(self, given: str) -> Iterator[Source]:
        if given.lower().startswith(("http://", "https://")):
            yield Source(given, url=canonical(given))
        elif given != "-" and os.path.isdir(given):  # noqa: PTH112 - False, too, for a name that is too long
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
            yield Source(given if given == "-" else plain_name(Path(given).name), data=data, kind=found.kind)

    def _folder(self, given: str) -> Iterator[Source]:
        """The mirror documents below a folder, in the order of their paths, without hidden files."""
        taken = 0
        for path in walk_folder(given, self._unread):
            name = plain_name(os.path.relpath(path, given))
            try:
                data = _read(path)
            except SourceError as error:
                self._unread(error.__cause__, path, str(error))
                continue
            try:
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

    def _unread(self, error: BaseException | None, path: str, why: str) -> None:
        """What the disk does not give may be a document: only what is too large surely is none."""
        if isinstance(error, OSError):
            self.refused.append(plain_name(path))
        self._pass_over(why)

    def _pass_over(self, why: str) -> None:
        self.passed_over += 1
        self.say(_line(f"passed over {why}"))


def walk_folder(
    folder: str,
    unread: Callable[[OSError, str, str], None],
    linked: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Files below a folder: its own, then those of each folder in it. At any depth, and through no link.

    `linked` gets each link that leads to no file.
    """
    waiting = [folder]
    while waiting:
        found = waiting.pop()
        try:
            with os.scandir(found) as listed:
                entries = sorted((each for each in listed if not each.name.startswith(".")), key=_name)
        except OSError as error:
            unread(error, found, f"{found}: {error.strerror or error}")
            continue
        yield from (each.path for each in entries if _is(each.is_file))
        for each in entries:
            if each.is_symlink() and not _is(each.is_file):
                linked(each.path)
        waiting += [each.path for each in reversed(entries) if _is(each.is_dir, follow_symlinks=False)]


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is(kind: Callable[..., bool], **how: bool) -> bool:
    try:
        return kind(**how)
    except OSError:  # a loop of links
        return False


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


def plain_name(name: str) -> str:
    """A file's name as text, whatever bytes it has."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _line(text: str) -> str:
    """A file's name may hold line feeds: what is said of it stays one line."""
    return text.replace("\n", "\\n")
