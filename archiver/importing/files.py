"""What the person named → files to take in, one at a time, each opened and recognised by its first bytes."""

import glob
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from archiver.errors import ArchiverError, SandboxError, SourceError, UsageError
from archiver.index.reader import imported
from archiver.inputs import plain_name, walk_folder
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.model import Entry, Recognised
from archiver.sandbox import Sandbox
from archiver.sources import recognise
from archiver.storage import open_plain, open_stored, storage_error
from archiver.warc.foreign import FileKind, recognise_file

HEAD_BYTES = 1 << 16
_BLOCK = 1 << 20
_ADVICE = "docs/import.md lists what can be imported."


@dataclass(frozen=True)
class Found:
    """A file of a known kind. `path` is None for standard input, which is spooled in `spool`."""

    given: str  # without the folders above it
    kind: FileKind
    path: Path | None = None
    spool: BinaryIO | None = field(default=None, repr=False)
    lines: Callable[[], Iterator[Entry]] | None = None  # as another archive has committed it

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, open. Raises SourceError."""
        if self.spool is not None:
            yield self.spool
            return
        with _open(self.path or Path()) as file:
            yield file


@dataclass
class Files:
    """Opens what was named. `say` gets a line for what is not taken; the rest keeps count."""

    givens: Sequence[str]
    root: Path
    sandbox: Sandbox
    say: Callable[[str], None]
    refused: list[str] = field(default_factory=list)
    passed_over: int = 0  # files in folders that are none
    manifests: list[bytes] = field(default_factory=list)  # of archives of which all files were given out

    def __iter__(self) -> Iterator[Found]:
        for given in self.givens:
            try:
                yield from self._named(given)
            except UsageError:
                raise
            except ArchiverError as error:
                self.refuse(given, error)

    def refuse(self, given: str, error: ArchiverError) -> None:
        """Say why what was named is not taken."""
        self.refused.append(plain_name(given))
        where = "" if given in str(error) else f"{plain_name(given)}: "
        self.say(f"{where}{error}. {error.advice}".strip().replace("\n", "\\n"))

    def _named(self, given: str) -> Iterator[Found]:
        if given == "-":
            yield self._stdin()
        elif os.path.isdir(given):  # noqa: PTH112 - False, too, for a name that is too long
            path = Path(given)
            yield from self._archive(path) if _is_archive(path) else self._folder(given)
        elif not os.path.lexists(given) and glob.has_magic(given):
            names = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - as given, also from the root
            if not names:
                raise SourceError(f"{given}: no file has such a name", _ADVICE)
            for name in names:
                yield from self._named(name)
        else:
            yield self._file(given, plain_name(Path(given).name))

    def _file(self, path: str, name: str) -> Found:
        with _open(Path(path)) as file:
            head = _read(file, HEAD_BYTES, path)
        kind = recognise_file(head)
        if kind == "unknown":
            raise SourceError(f"{path}: no WARC, ARC or WACZ file, but {self._looks_like(head)}", _ADVICE)
        return Found(name, kind, Path(path))

    def _folder(self, given: str) -> Iterator[Found]:
        def unread(_: OSError, path: str, why: str) -> None:
            self.refuse(path, SourceError(why))

        def linked(path: str) -> None:
            if os.path.isdir(path):  # noqa: PTH112
                self.passed_over += 1
                self.say(f"passed over {plain_name(path)}: a link to a folder. Name it to have its files.")
            else:  # perhaps a disk that is not there today
                self.refuse(
                    path, SourceError(f"{path}: it leads nowhere, or to no file", "Name it when it does.")
                )

        for path in walk_folder(given, unread, linked):
            name = plain_name(os.path.relpath(path, given))
            try:
                yield self._file(path, plain_name(Path(path).name))
            except SourceError as error:
                if isinstance(error.__cause__, OSError):
                    self.refuse(path, error)
                else:
                    self.passed_over += 1
                    self.say(f"passed over {name}: no WARC, ARC or WACZ file".replace("\n", "\\n"))

    def _archive(self, other: Path) -> Iterator[Found]:
        """What another archive has committed, in its tree's order; last its manifest is there to be kept."""
        if other.resolve() == self.root.resolve():
            raise UsageError(f"{other}: is the archive into which it would be imported", "Name another.")
        manifest = commitment.load(other)
        for warc in manifest.warcs:
            name = plain_name(Path(warc.path).name)
            try:
                with open_stored(other, warc.path) as file:
                    kind = recognise_file(file.read(HEAD_BYTES))
                path = (other / warc.path).resolve()
            except OSError as error:
                self.refuse(str(other / warc.path), SourceError(f"{warc.path}: {error.strerror or error}"))
                continue
            listed = recordlist.read(other / warc.list.path)
            yield Found(name, kind, path, lines=partial(_committed, other, warc.path, listed, self.sandbox))
        self.manifests.append(commitment.encode(manifest))

    def _stdin(self) -> Found:
        """Spooled beside the archive's files, in a file without a name."""
        folder = next(folder for folder in (self.root, *self.root.absolute().parents) if folder.is_dir())
        try:
            spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the command
            while block := _read(sys.stdin.buffer, _BLOCK, "-"):
                spool.write(block)
            spool.flush()
        except OSError as error:
            raise storage_error(folder, error) from error
        spool.seek(0)
        head = spool.read(HEAD_BYTES)
        kind = recognise_file(head)
        if kind == "unknown":
            spool.close()
            raise SourceError(f"-: no WARC, ARC or WACZ file, but {self._looks_like(head)}", _ADVICE)
        return Found("stdin", kind, spool=spool)

    def _looks_like(self, head: bytes) -> str:
        try:
            found = self.sandbox.read(Recognised, recognise, head)
        except SandboxError:
            return "something else"
        names = {
            "page": "a web page",
            "document": "a mirror document",
            "list": "a list of URLs",
            "opml": "OPML",
        }
        return found.why or names.get(found.kind, f"a {found.kind}")


def _committed(root: Path, path: str, lines: Iterator[Entry], sandbox: Sandbox) -> Iterator[Entry]:
    """The lines of a file of another archive, each described anew: what it says there is its own word."""
    return (entry for entry, _ in imported(root, path, lines, sandbox))


def _is_archive(folder: Path) -> bool:
    """Whether it is an archive of ours: a manifest.json alone many programs write."""
    return (folder / commitment.NAME).exists() and (folder / "warcs").is_dir()


def _open(path: Path) -> BinaryIO:
    try:
        return open_plain(path, linked=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL
        why = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: {why}", "Name a file that can be read.") from error


def _read(file: BinaryIO, size: int, name: str) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}", "Name a file that can be read.") from error
