"""Parity by par2 (Parity Volume Set Specification 2.0), called as a program: for when there is no copy.

parity/NAME.par2 holds recovery blocks of warcs/NAME, parity/manifest.json-DIGITS.par2 those of the manifest
with that SHA-256. They are not committed and may be deleted. Like a copy they are not believed: what they
restore has to have the committed digest.
"""

import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.digests import digest
from archiver.errors import StorageError, UsageError
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import CommittedList, CommittedWarc, Manifest
from archiver.repair import place
from archiver.repair.copies import LocalBytes, Say
from archiver.repair.results import Protected
from archiver.storage import BLOCK, is_imported, is_plain, open_plain, own_folder, storage_error, sync_folder
from archiver.verify.files import committed, measure

FOLDER = "parity"
_BLOCK_BYTES = 2048  # of the file, if that gives between these numbers of blocks
_LEAST_BLOCKS, _MOST_BLOCKS = 20, 2000
_PACKET = b"PAR2\0PKT"
_HEADER_BYTES = 64
_FILE_BYTES = 4096  # of a packet that names a file
_FILE, _UNICODE = b"PAR 2.0\0FileDesc", b"PAR 2.0\0UniFileN"  # types of packets; ours are named in ASCII
_MEMORY = "-m256"  # MB
_SECONDS, _BYTES_A_SECOND = 60, 1 << 20  # a run may take a minute, and a second for each so many bytes


def find(given: Path | None) -> str | None:
    """The program, as given or on PATH. UsageError when what was given is none."""
    if given is None:
        return shutil.which("par2")
    if not (given.is_file() and os.access(given, os.X_OK)):
        raise UsageError(f"{given}: not a program", "Name the par2 program, or leave --par2 out.")
    return str(given.absolute())


class Par2:
    """The program, and what is done with it. Raises StorageError where the disk does not take its files."""

    def __init__(self, program: str, say: Say) -> None:
        self._program, self._say = program, say

    def protect(
        self, root: Path, manifest: Manifest, percent: float, report: Callable[[Protected], None]
    ) -> list[str]:
        """Make what parity is missing; the files that are damaged, and so get none."""
        folder = own_folder(root / FOLDER)
        damaged = []
        for warc in manifest.warcs:
            for part in (warc, warc.list):
                made = folder / f"{Path(part.path).name}.par2"
                if is_plain(made):
                    continue
                if is_imported(part.path) and (root / part.path).is_symlink():
                    self._say(f"{part.path}: no parity, for it is a link; make it where the file lies")
                    continue
                try:
                    with open_plain(root / part.path) as file:
                        right = measure(file, {part.bytes}) == committed(part)
                except OSError:
                    right = False
                if right:
                    report(self._make(root, part.path, part.bytes, made, percent))
                else:
                    damaged.append(part.path)
        data = commitment.encode(manifest)
        made = folder / f"{commitment.NAME}-{_digits(data)}.par2"
        if not is_plain(made):
            report(self._make(root, commitment.NAME, len(data), made, percent))
        for old in folder.glob(f"{commitment.NAME}-*.par2"):
            if old != made:
                old.unlink(missing_ok=True)
        return damaged

    def _make(self, root: Path, name: str, size: int, made: Path, percent: float) -> Protected:
        source = root / name
        count = max(_LEAST_BLOCKS, min(_MOST_BLOCKS, size // _BLOCK_BYTES))
        recovery = max(1, round(count * percent / 100))
        with _working(made.parent / ".new") as folder:
            counts = (f"-b{count}", f"-c{recovery}", "-n1")
            base = ("-B", str(source.parent.absolute()))
            words = self._run(
                "create", *counts, *base, "new.par2", str(source.absolute()), cwd=folder, size=size
            )
            volumes = list(folder.glob("new.vol*.par2"))
            if len(volumes) != 1:
                raise StorageError(f"{self._program} made no parity for {name}: {words}", "Is this par2?")
            try:
                with volumes[0].open("rb") as file:
                    os.fsync(file.fileno())
                taken = volumes[0].stat().st_size
                volumes[0].replace(made)
            except OSError as error:
                raise storage_error(made, error) from error
        sync_folder(made.parent)
        return Protected(file=name, parity=f"{FOLDER}/{made.name}", bytes=taken)

    @contextmanager
    def restored(self, root: Path, part: CommittedWarc | CommittedList) -> Iterator[LocalBytes | None]:
        """What parity gives for a damaged file; None when it gives nothing. It may be wrong."""
        name = Path(part.path).name
        sidecar = root / FOLDER / f"{name}.par2"
        damaged = [root / part.path, root / place.FOLDER / f"{name}{place.PARTIAL}"]
        with self._restored(root, name, sidecar, damaged, part.bytes) as path:
            if path is None:
                yield None
                return
            with open_plain(path) as file:
                yield LocalBytes("parity", file)

    def manifests(self, root: Path) -> Iterator[bytes]:
        """The manifests that parity gives: each has the digits of its sidecar's name."""
        for sidecar in sorted((root / FOLDER).glob(f"{commitment.NAME}-*.par2")):
            damaged = [root / commitment.NAME]
            most = commitment.MANIFEST_BYTES
            with self._restored(root, commitment.NAME, sidecar, damaged, most) as path:
                if path is not None and path.stat().st_size <= most:
                    data = path.read_bytes()
                    if sidecar.name == f"{commitment.NAME}-{_digits(data)}.par2":
                        yield data

    @contextmanager
    def _restored(
        self, root: Path, name: str, sidecar: Path, damaged: list[Path], most: int
    ) -> Iterator[Path | None]:
        if not is_plain(sidecar):
            yield None
            return
        with _working(place.folder(root) / ".parity") as folder:
            _copy(sidecar, folder / "sidecar.par2", 4 * most + BLOCK)
            if not _is_of(folder / "sidecar.par2", name, most):
                self._say(f"{FOLDER}/{sidecar.name}: it is not the parity of {name}; not used")
                yield None
                return
            extra = []
            for number, path in enumerate(damaged):
                if is_plain(path):
                    into = folder / (name if number == 0 else f"{number}.partial")
                    _copy(path, into, 2 * most + BLOCK)
                    extra += [str(into)] if number else []
            try:
                words = self._run("repair", "sidecar.par2", *extra, cwd=folder, size=most)
            except StorageError as error:
                words = str(error)
            if is_plain(folder / name):
                yield folder / name
            else:
                self._say(f"{FOLDER}/{sidecar.name} does not restore {name}: {words}")
                yield None

    def _run(self, command: str, *arguments: str, cwd: Path, size: int) -> str:
        """Run the program; the last line of what it says."""
        try:
            done = subprocess.run(
                [self._program, command, "-q", "-q", _MEMORY, *arguments],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_SECONDS + size / _BYTES_A_SECOND,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StorageError(f"{self._program}: {error}", "Is this par2?") from error
        return (done.stdout.decode("utf-8", "replace").strip() or f"exit code {done.returncode}")[-300:]


def _digits(data: bytes) -> str:
    return digest(data).removeprefix("sha256:")[:16]


def _is_of(sidecar: Path, name: str, most: int) -> bool:
    """Whether every packet that names a file names this one, not longer than `most`.

    par2 then writes no other.
    """
    if sidecar.stat().st_size == 0:
        return False
    found = set()
    with sidecar.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_PACKET)
        while at >= 0:
            head, kind = data[at : at + _HEADER_BYTES], data[at + 48 : at + _HEADER_BYTES]
            if kind == _UNICODE:
                return False
            if kind == _FILE:
                body = data[at + _HEADER_BYTES : at + min(_FILE_BYTES, *struct.unpack("<Q", head[8:16]))]
                size = struct.unpack("<Q", body[48:56].rjust(8, b"\xff"))[0]
                found.add(body[56:].rstrip(b"\0") if size <= most else b"")
            at = data.find(_PACKET, at + 1)
    return found == {name.encode()}


@contextmanager
def _working(folder: Path) -> Iterator[Path]:
    """A folder for the program alone, empty; what a kill left in it goes first."""
    try:
        if os.path.lexists(folder):
            shutil.rmtree(folder)
        folder.mkdir()
        yield folder
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path, most: int) -> None:
    """At most so many bytes, as far as the system gives them."""
    with open_plain(source) as file, target.open("xb") as copy:
        given = LocalBytes("", file)
        for at in range(0, min(given.size, most), BLOCK):
            try:
                data = given.read(at, BLOCK)
            except OSError:  # a sector that is lost: what follows keeps its place
                data = bytes(BLOCK)
            copy.write(data)
