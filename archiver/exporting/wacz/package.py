"""WACZ 1.1.1: the chosen records with an index, pages, their proof and a signature, in one ZIP.

    archive/records.warc.gz     stored members as they are, in the tree's order; of all, a file for each file
    archive/plain.warc          records of imported files that are not compressed
    archive/views.warc.gz       pages that the exporter made of mirror documents
    indexes/ pages/ proof/      cdxj.py, pages.py, proof.py
    datapackage.json            each file with its digest
    datapackage-digest.json     the digest of that, and who signed it

Everything is stored, but for pages.jsonl and the index's index, which are deflated.
"""

import hashlib
import json
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from archiver.digests import digest
from archiver.errors import ManifestError
from archiver.exporting.cdxj import SortedLines, index_line
from archiver.exporting.output import new_file
from archiver.exporting.parts import numbered, parts
from archiver.exporting.selection import ADVICE, Place, Selection, stored
from archiver.exporting.wacz.pages import Page, pages
from archiver.exporting.wacz.proof import BUNDLE, FOLDER, PLAIN_BUNDLE, bundle_files, newest_files
from archiver.exporting.wacz.signatures import Signer
from archiver.exporting.warc import source_record
from archiver.manifest import manifest as commitment
from archiver.model import Entry
from archiver.storage import blocks, is_imported
from archiver.upkeep import SOFTWARE
from archiver.warc.head import GZIP, read_head
from archiver.warc.read import read_stored
from archiver.warc.write import WarcFile

VERSION = "1.1.1"
ENDING = ".wacz"
RECORDS, PLAIN, VIEWS = "records.warc.gz", "plain.warc", "views.warc.gz"
_LINES = 20_000  # of an index in one piece; a larger one is read by blocks
_BLOCK = 1024  # lines of a block, as other programs have it
_HEADER = {"format": "json-pages-1.0", "id": "pages", "title": "Articles", "hasText": True}
_MADE = "Pages made by the archiver from mirror documents, so that replay can show them. No server sent them."


@dataclass(frozen=True)
class Made:
    """Files that were written. `signed_by`: a public key in base64, or a domain."""

    files: tuple[str, ...]
    records: int
    pages: int
    bytes: int
    signed_by: str | None


def write_wacz(
    selection: Selection, db: sqlite3.Connection, into: Path, size: int | None, signer: Signer | None
) -> Made:
    """Write the selection to `into`, or with a size in parts NAME-001.wacz and so on, each for itself.

    Raises RecordError and ManifestError when something is damaged, StorageError, UsageError, and what signing
    raises. Then nothing stays.
    """
    files, written = [], list[_Wacz]()
    with ExitStack() as all_or_none:
        for number, part in enumerate(parts(selection, db, size), 1):
            path = into if size is None else numbered(into, number, ENDING)
            beside = all_or_none.enter_context(new_file(path))
            wacz = _Wacz(part, db, whole=selection.units is None and number == 1)
            wacz.write(beside, signer)
            files.append(str(path))
            written.append(wacz)
    return Made(
        files=tuple(files),
        records=sum(each.records for each in written),
        pages=sum(each.pages for each in written),
        bytes=sum(each.bytes for each in written),
        signed_by=signer.name if signer else None,
    )


class _Package:
    """The ZIP while it grows, and what datapackage.json says of its files."""

    def __init__(self, file: zipfile.ZipFile, created: datetime) -> None:
        self._zip, self._date = file, created.timetuple()[:6]
        # A file of unknown length has a Zip64 field in its local header only. ReplayWeb.page looks there just
        # for files that have a field in the central one: Info-ZIP's time of the last change does no harm.
        self._extra = struct.pack("<HHBI", 0x5455, 5, 1, int(created.timestamp()))
        self.resources: list[dict[str, Any]] = []

    def add(self, path: str, data: bytes | Iterable[bytes], *, deflated: bool = False) -> str:
        """Write a file; its digest. Raises OSError, and what reading `data` raises."""
        info = zipfile.ZipInfo(path, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        info.extra = self._extra
        hashed, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=not isinstance(data, bytes)) as out:
            for piece in (data,) if isinstance(data, bytes) else data:
                hashed.update(piece)
                size += len(piece)
                out.write(piece)
        found = f"sha256:{hashed.hexdigest()}"
        self.resources.append({"name": path.lower(), "path": path, "hash": found, "bytes": size})
        return found


class _Wacz:
    """One file, for one selection. `whole`: it is, or begins, the export of all of an archive."""

    def __init__(self, selection: Selection, db: sqlite3.Connection, *, whole: bool) -> None:
        self._selection, self._db, self._whole = selection, db, whole
        self.records = self.pages = self.bytes = 0
        self._proved: dict[str, list[Place]] = {}
        self._first: Page | None = None

    def write(self, path: Path, signer: Signer | None) -> None:
        created = datetime.now(UTC)
        with (
            path.open("xb") as file,
            zipfile.ZipFile(file, "w") as opened,
            SortedLines() as self._lines,
            tempfile.TemporaryFile() as self._plain,
            tempfile.TemporaryDirectory() as folder,
        ):
            package = _Package(opened, created)
            self._put_records(package)
            self._put_pages(package, Path(folder))
            self._put_index(package)
            self._put_proof(package)
            self._put_description(package, created, signer)
        self.bytes = path.stat().st_size

    def _put_records(self, package: _Package) -> None:
        for name, members in groupby(self._members(), lambda each: each[0]):
            package.add(f"archive/{name}", self._copied(name, members))
        if self._plain.tell():
            self._plain.seek(0)
            package.add(f"archive/{PLAIN}", blocks(self._plain))

    def _members(self) -> Iterator[tuple[str, Place, bytes]]:
        """The name of the WARC file in the WACZ, and what goes into it; plain records are put aside."""
        all_of_it, names = self._selection.records is None, dict[str, str]()
        for place in self._selection.places():
            data = stored(self._selection.root, place)
            self.records += 1
            if data.startswith(GZIP):
                own = not is_imported(place.file)
                name = Path(place.file).name if own else f"imported-{len(names) + 1:03}.warc.gz"
                yield names.setdefault(place.file, name) if all_of_it else RECORDS, place, data
            else:
                self._index(place.entry, data, PLAIN, self._plain.tell())
                self._plain.write(data)
                self._prove(PLAIN_BUNDLE, place)

    def _copied(self, name: str, members: Iterable[tuple[str, Place, bytes]]) -> Iterator[bytes]:
        at = 0
        for _, place, data in members:
            self._index(place.entry, data, name, at)
            self._prove(BUNDLE, place)
            at += len(data)
            yield data

    def _prove(self, bundle: str, place: Place) -> None:
        if self._selection.records is not None:
            self._proved.setdefault(bundle, []).append(place)

    def _index(self, entry: Entry, data: bytes, file: str, offset: int) -> None:
        head = read_head(data)
        line = index_line(entry, head, file, offset, record_digest=True) if head else None
        if line is not None:
            self._lines.add(line)

    def _put_pages(self, package: _Package, folder: Path) -> None:
        with tempfile.TemporaryFile() as rows, ExitStack() as views:
            file: WarcFile | None = None
            rows.write(json.dumps(_HEADER).encode() + b"\n")
            for page in pages(self._selection, self._db):
                self.pages += 1
                self._first = self._first or page
                rows.write(page.row)
                if page.view is not None:
                    if file is None:
                        file = views.enter_context(WarcFile(folder / VIEWS, VIEWS))
                        file.append(source_record(self._selection, VIEWS, _MADE))
                    self._put_view(page, file, folder)
            rows.seek(0)
            package.add("pages/pages.jsonl", blocks(rows), deflated=True)
        if file is not None:
            with (folder / VIEWS).open("rb") as made:
                package.add(f"archive/{VIEWS}", blocks(made))

    def _put_view(self, page: Page, file: WarcFile, folder: Path) -> None:
        if page.view is None:
            return
        where, found = file.append(page.view)
        file.flush()
        data = read_stored(folder, where)
        entry = Entry(
            offset=where.offset,
            length=where.length,
            digest=found,
            type=page.view.type,
            id=page.view.id,
            date=page.view.date,
        )
        self._index(entry, data, VIEWS, where.offset)

    def _put_index(self, package: _Package) -> None:
        if self._lines.count <= _LINES:
            package.add("indexes/index.cdxj", iter(self._lines))
            return
        index = [b'!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n']
        package.add("indexes/index.cdx.gz", _blocks(self._lines, index))
        package.add("indexes/index.idx", iter(index), deflated=True)

    def _put_proof(self, package: _Package) -> None:
        files: dict[str, bytes] = {}
        if self._proved:
            files = bundle_files(self._selection, self._proved)
        elif self._whole:
            files = newest_files(self._selection)
        for name, data in files.items():
            package.add(FOLDER + name, data)
        if self._whole:
            package.add(FOLDER + commitment.NAME, commitment.encode(self._selection.manifest))
            for warc in self._selection.manifest.warcs:
                path = self._selection.root / warc.list.path
                with path.open("rb") as file:
                    found = package.add(FOLDER + path.name, blocks(file))
                if found != warc.list.digest:
                    raise ManifestError(f"{warc.list.path}: is not what the manifest commits", ADVICE)

    def _put_description(self, package: _Package, created: datetime, signer: Signer | None) -> None:
        when = f"{created:%Y-%m-%dT%H:%M:%SZ}"
        facts: dict[str, Any] = {
            "profile": "data-package",
            "title": (self._first.title if self._first and self.pages == 1 else self._selection.subject)[
                :500
            ],
            "description": f"Exported from {self._selection.manifest.origin}",
            "created": when,
            "wacz_version": VERSION,
            "software": SOFTWARE["software"],
        }
        if self._first:
            facts |= {"mainPageUrl": self._first.url, "mainPageDate": self._first.ts}
        described = json.dumps({**facts, "resources": package.resources}, indent=2).encode()
        hashed = digest(described)
        said: dict[str, Any] = {"path": "datapackage.json", "hash": hashed}
        if signer is not None:
            said["signedData"] = signer.sign(hashed, when)
        package.add("datapackage.json", described)
        package.add("datapackage-digest.json", json.dumps(said, indent=2).encode())


def _blocks(lines: Iterable[bytes], index: list[bytes]) -> Iterator[bytes]:
    """The gzip members of a large index; `index` gets a line for each, by which it is found."""
    at, block = 0, list[bytes]()

    def packed() -> bytes:
        nonlocal at
        packer = zlib.compressobj(wbits=31)
        data = packer.compress(b"".join(block)) + packer.flush()
        key = block[0].partition(b"{")[0].strip()
        said = json.dumps({"offset": at, "length": len(data), "digest": digest(data)})
        index.append(key + b" " + said.encode() + b"\n")
        at += len(data)
        block.clear()
        return data

    for line in lines:
        block.append(line)
        if len(block) == _BLOCK:
            yield packed()
    if block:
        yield packed()
