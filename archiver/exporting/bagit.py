"""The archive, or records of it, as a bag (BagIt 1.0, RFC 8493), as libraries take files over.

bagit.txt, bag-info.txt, manifest-sha256.txt, tagmanifest-sha256.txt
data/manifest.json, data/warcs/…     all of the archive: `archiver verify BAG/data` checks it as ever
data/NAME.warc.gz                    or the chosen records as one WARC file
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from archiver import __version__
from archiver.errors import RecordError
from archiver.exporting.naming import slug
from archiver.exporting.output import Folder, new_folder
from archiver.exporting.result import Exported, Report
from archiver.exporting.selection import Selection
from archiver.exporting.warc import write_warc
from archiver.manifest import manifest as commitment

_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_PAYLOAD, _TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_BESIDE = ("trust", "parity")  # folders of an archive that are no part of the commitment, but serve it
_ENCODED = re.compile("[%\r\n]")  # RFC 8493 section 2.1.3
_ADVICE = "Nothing was written. 'archiver verify' says what is damaged, 'archiver repair' mends it."


def write_bag(selection: Selection, db: sqlite3.Connection, into: Path, *, report: Report) -> Exported:
    """Write a new folder. UsageError when `into` is there; StorageError.

    RecordError and ManifestError when what goes out is not what the manifest commits.
    """
    made = Exported()
    with new_folder(into) as folder:
        bag = _Bag(folder)
        if selection.records is None:
            _archive(bag, selection, report, made)
        else:
            made.rows["records"] = bag.add_records(selection, db)
        bag.finish(selection)
    return made.filled(folder.files, folder.bytes)


class _Bag:
    """A bag that is being filled; `bytes` and `files` are the payload's."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.bytes = self.files = 0
        folder.add_line(_PAYLOAD, b"")

    def add(self, name: str, data: bytes | Iterable[bytes]) -> str:
        """Write a file of the payload; the SHA-256 of its bytes."""
        before = self.folder.bytes
        digits = self.folder.write(name, data)
        self._note(name, digits, before)
        return digits

    def copy(self, name: str, source: Path) -> str:
        """The same of a file, or of the one that a link leads to."""
        before = self.folder.bytes
        digits = self.folder.copy(name, source)
        self._note(name, digits, before)
        return digits

    def add_records(self, selection: Selection, db: sqlite3.Connection) -> int:
        """A WARC file with the chosen records; how many they are."""
        name, before = f"data/{slug(selection.subject) or 'records'}.warc.gz", self.folder.bytes
        written = write_warc(selection, db, self.folder.place(name), None)
        self._note(name, self.folder.digits(name), before)
        return written.records

    def _note(self, name: str, digits: str, before: int) -> None:
        self.bytes += self.folder.bytes - before
        self.files += 1
        written = _ENCODED.sub(lambda found: f"%{ord(found[0]):02X}", name)
        self.folder.add_line(_PAYLOAD, f"{digits}  {written}\n".encode("utf-8", "surrogateescape"))

    def finish(self, selection: Selection) -> None:
        tree = selection.manifest.tree
        info = {
            "Bag-Software-Agent": f"newsarchiver {__version__}",
            "Bagging-Date": f"{datetime.now(UTC):%Y-%m-%d}",
            "Payload-Oxum": f"{self.bytes}.{self.files}",
            "External-Identifier": selection.manifest.origin,
            "External-Description": f"archive of {tree.size} records with tree head {tree.root}",
            "Source": selection.subject,
        }
        lines = (f"{name}: {' '.join(value.split())}\n" for name, value in info.items())
        tags = {
            "bagit.txt": self.folder.write("bagit.txt", _DECLARATION),
            "bag-info.txt": self.folder.write("bag-info.txt", "".join(lines).encode("utf-8", "replace")),
            _PAYLOAD: self.folder.digits(_PAYLOAD),
        }
        self.folder.write(_TAGS, "".join(f"{digits}  {name}\n" for name, digits in tags.items()).encode())


def _archive(bag: _Bag, selection: Selection, report: Report, made: Exported) -> None:
    """What the manifest commits, hashed as it is copied, and what lies beside it for those who check."""
    root, manifest = selection.root, selection.manifest
    bag.add(f"data/{commitment.NAME}", commitment.encode(manifest))
    for warc in manifest.warcs:
        for file in (warc, warc.list):
            if f"sha256:{bag.copy(f'data/{file.path}', root / file.path)}" != file.digest:
                raise RecordError(f"{file.path}: its bytes are not those that the manifest commits", _ADVICE)
    for path in _others(root):
        name = path.relative_to(root).as_posix()
        bag.copy(f"data/{name}", path)
    made.rows["records"] = manifest.tree.size
    for path in sorted((root / "warcs").glob("*.open")):
        problem = {"type": "left-out", "url": path.name, "reason": "it is not sealed yet"}
        made.count(problem)
        report(problem)


def _others(root: Path) -> Iterator[Path]:
    for name in _BESIDE:
        folder = root / name
        if folder.is_dir() and not folder.is_symlink():
            yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
