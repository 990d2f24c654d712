"""WACZ files (1.1.1): the ZIP, what it says of itself, its signature, index and pages against the records."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from archiver.digests import digest as digest_of
from archiver.errors import RecordError
from archiver.lint.digests import Block, is_http, read_digest, readings
from archiver.lint.head import Said, parse_head
from archiver.lint.record import Judged
from archiver.lint.references import MOST_RECORDS
from archiver.lint.wacz.index import (
    Indexed,
    Place,
    gunzipped,
    judge_blocks,
    judge_index,
    judge_pages,
    labelled,
)
from archiver.lint.wacz.package import DIGEST, PACKAGE, judge_digest, judge_package
from archiver.lint.wacz.proof import judge_proof
from archiver.lint.wacz.signature import Roots, Signed, judge_signature
from archiver.lint.wacz.zips import Zip
from archiver.lint.walk import Finding, Tally, judge_walk
from archiver.warc.foreign import Stretch, parse_stored

JSON_BYTES = 64 << 20
PAGES = "pages/pages.jsonl"
_COMPRESSED = (".gz", ".zst", ".png", ".jpg", ".jpeg", ".webp")
_WARCS = (".warc", ".warc.gz")
_PLAIN_INDEXES = (".cdx", ".cdxj")
_PACKED_INDEXES = (".cdx.gz", ".cdxj.gz")
_BELONGS = {
    "archive": _WARCS,
    "indexes": (*_PLAIN_INDEXES, *_PACKED_INDEXES, ".idx"),
    "pages": (".jsonl",),
}
_INDEXED = ("response", "resource", "revisit")
_STORED_BYTES = 64 << 20  # of a record that is read again because its index line has another digest


@dataclass
class WaczState:
    """What a WACZ says of itself. `hashes`: those of all its files hold, and that of datapackage.json.

    `proved`: it has the proof of an archive of ours, and that holds.
    """

    hashes: bool = False
    proved: bool = False
    signature: Signed = field(default_factory=Signed)
    said: Said = field(default_factory=list)


def wacz_state(file: BinaryIO, roots: Roots = ()) -> WaczState:
    """Hashes and signature of a WACZ, without its records. RecordError when it is no ZIP that can be read."""
    state = WaczState()
    judge_packaging(Zip(file, state.said), roots, state)
    return state


def judge_packaging(parts: Zip, roots: Roots, state: WaczState) -> None:
    """datapackage.json, its digest and its signature."""
    said = state.said
    if PACKAGE not in parts.infos:
        said.append(("package-missing", "no datapackage.json"))
        return
    data = _whole(parts, PACKAGE, said)
    if data is None:
        return
    before = len(said)
    sizes = {name: info.file_size for name, info in parts.infos.items()}
    package = judge_package(data, sizes, _reader(parts, said), said)
    if DIGEST not in parts.infos:
        said.append(("digest-missing", "no datapackage-digest.json"))
    else:
        written = _whole(parts, DIGEST, said)
        digest = judge_digest(written, data, said) if written is not None else {}
        if digest.get("signedData") is not None:
            created = package.get("created")
            state.signature = judge_signature(digest["signedData"], digest_of(data), created, roots, said)
    written = package.get("resources")
    listed = [each for each in written if isinstance(each, dict)] if isinstance(written, list) else []
    resources = {str(each.get("path")): str(each.get("hash")) for each in listed}
    state.proved = judge_proof(parts, resources, roots, said) and all(code != "proof-bad" for code, _ in said)
    hashed = (
        "package-form",
        "package-absent",
        "package-hash",
        "package-bytes",
        "digest-file",
        "digest-hash",
        "zip-",
    )
    state.hashes = not any(code.startswith(hashed) for code, _ in said[before:])


def _whole(parts: Zip, name: str, said: Said) -> bytes | None:
    try:
        return parts.whole(name, JSON_BYTES)
    except RecordError as error:
        said.append(("zip-damaged", str(error)))
        return None


def _reader(parts: Zip, said: Said) -> Callable[[str], Iterator[bytes]]:
    """Reads files to hash them; one that is broken has the hash of what could be read."""

    def read(name: str) -> Iterator[bytes]:
        try:
            yield from parts.read(name)
        except RecordError as error:
            said.append(("zip-bomb" if parts.is_bomb(name) else "zip-damaged", str(error)))

    return read


def judge_wacz(file: BinaryIO, name: str, tally: Tally, roots: Roots) -> Iterator[Finding]:
    """Everything of a WACZ, the WARC files in it as well."""
    tally.kind = "wacz"
    state = WaczState()
    try:
        parts = Zip(file, state.said)
    except RecordError as error:
        yield tally.finding("zip-damaged", str(error))
        return
    tally.bytes = file.seek(0, 2)
    if not name.lower().endswith(".wacz") and name != "-":
        state.said.append(("zip-suffix", f"{name.rpartition('/')[2]!r:.300}"))
    _layout(parts, state.said)
    judge_packaging(parts, roots, state)
    for code, words in state.said:
        yield tally.finding(code, words)
    yield from _Contents(parts, tally).findings()


def _layout(parts: Zip, said: Said) -> None:
    if PAGES not in parts.infos:
        said.append(("pages-missing", "no pages/pages.jsonl"))
    for folder, code in (("archive", "wacz-no-warc"), ("indexes", "index-missing")):
        if not _files(parts, folder, _BELONGS[folder]):
            said.append((code, f"no file {' or '.join(_BELONGS[folder])} in {folder}/"))
    for name in parts.infos:
        folder, below, _ = name.partition("/")
        if below and folder in _BELONGS and not name.endswith(_BELONGS[folder]):
            said.append(("wacz-foreign-file", f"{name!r:.300}"))
        if parts.stored(name):
            continue
        if folder == "archive":
            said.append(("zip-deflated", f"{name!r:.300}"))
        if name.endswith(_COMPRESSED):
            said.append(("zip-compressed", f"{name!r:.300}"))


def _files(parts: Zip, folder: str, suffixes: tuple[str, ...]) -> list[str]:
    return [name for name in parts.infos if name.startswith(f"{folder}/") and name.endswith(suffixes)]


class _Contents:
    """The records, then the index of them, then the pages that the index is to have."""

    def __init__(self, parts: Zip, tally: Tally) -> None:
        self._parts, self._tally = parts, tally
        self._indexed = Indexed(digests=self._has_digest)
        self._files: dict[str, str] = {}
        self._full = False

    def findings(self) -> Iterator[Finding]:
        for name in _files(self._parts, "archive", _WARCS):
            yield from self._warc(name)
        said: Said = []
        indexed = self._index(said)
        for name in _files(self._parts, "pages", (".jsonl",)):
            with self._reading(said, name):
                judge_pages(name, self._parts.read(name), indexed, self._saying(said))
        if indexed is not None and not self._full:
            self._lost(said)
        for code, words in said:
            yield self._tally.finding(code, words)

    @staticmethod
    def _saying(said: Said) -> Callable[[str, str], None]:
        return lambda code, words: said.append((code, words))

    @contextmanager
    def _reading(self, said: Said, name: str) -> Iterator[None]:
        try:
            yield
        except RecordError as error:
            said.append(("zip-damaged", str(error)))
        except ValueError as error:
            said.append(("index-line", f"{name}: {error}"))

    def _warc(self, name: str) -> Iterator[Finding]:
        tally = Tally(f"{self._tally.file}/{name}", "")
        base = name.rpartition("/")[2]
        self._files[base] = name
        try:
            with tempfile.TemporaryFile() as spooled:
                yield from judge_walk(self._opened(name, spooled), name, tally, self._seeing(base))
        except RecordError as error:
            yield tally.finding("zip-damaged", str(error))
        outer = self._tally
        outer.records += tally.records
        outer.errors += tally.errors
        outer.warnings += tally.warnings
        outer.block_digests += tally.block_digests
        outer.payload_digests += tally.payload_digests
        outer.unjudged += tally.unjudged

    def _opened(self, name: str, spooled: BinaryIO) -> BinaryIO:
        if self._parts.stored(name):
            return cast("BinaryIO", self._parts.place(name))
        spooled.writelines(self._parts.read(name))
        return spooled

    def _seeing(self, base: str) -> Callable[[Stretch, Judged, memoryview | None], None]:
        def seen(stretch: Stretch, judged: Judged, block: memoryview | None) -> None:
            if len(self._indexed.places) >= MOST_RECORDS:
                self._full = True
                return
            begin = bytes(block[:16]) if block is not None else b""
            status = begin[9:12].decode("latin-1") if begin.startswith(b"HTTP/") else ""
            date = judged.get(b"warc-date")[:19].decode("latin-1")
            self._indexed.places[base, stretch.offset] = Place(
                length=stretch.length,
                kind=judged.kind.decode("latin-1"),
                url=judged.get(b"warc-target-uri").decode("utf-8", "backslashreplace"),
                stamp="".join(c for c in date if c.isdigit()),
                status=status if status.isdigit() else "",
                digest=judged.get(b"warc-payload-digest").decode("latin-1"),
                stored=stretch.digest,
                plain=stretch.record is not None and stretch.record.form == "plain",
            )

        return seen

    def _index(self, said: Said) -> Indexed | None:
        """Reads every index; None when there is none that could be read."""
        read, say = False, self._saying(said)
        lone = not _files(self._parts, "indexes", (".idx",))
        for name in _files(self._parts, "indexes", (*_PLAIN_INDEXES, *_PACKED_INDEXES)):
            packed = name.endswith(_PACKED_INDEXES)
            if packed and lone:
                said.append(("index-lone", name))
            size = self._parts.infos[name].file_size
            with self._reading(said, name):
                chunks = self._parts.read(name)
                judge_index(name, gunzipped(chunks, size) if packed else chunks, self._indexed, say)
                read = True
        for name in _files(self._parts, "indexes", (".idx",)):
            judge_blocks(name, _whole(self._parts, name, said) or b"", self._block, say)
        return self._indexed if read else None

    def _block(self, named: str, offset: int, length: int) -> bytes | None:
        """A block of a compressed index; without a name, of the only one."""
        packed = _files(self._parts, "indexes", _PACKED_INDEXES)
        name = next((each for each in packed if each.endswith(f"/{named}")), packed[0] if packed else "")
        if not name or not self._parts.stored(name) or length > JSON_BYTES:
            return None
        part = self._parts.place(name)
        part.seek(offset)
        return part.read(length)

    def _lost(self, said: Said) -> None:
        for key, place in self._indexed.places.items():
            if (
                key not in self._indexed.found
                and place.kind in _INDEXED
                and place.url.startswith(("http:", "https:"))
            ):
                said.append(("index-lost", f"{key[0]} offset {key[1]}: {place.url!r:.300}"))

    def _has_digest(self, base: str, offset: int, written: str) -> bool:
        """Whether a record's payload, in any reading, has the digest of its index line."""
        place, name = self._indexed.places[base, offset], self._files[base]
        wanted = read_digest(labelled(written))
        if (
            wanted is None
            or not wanted.algorithm
            or place.length > _STORED_BYTES
            or not self._parts.stored(name)
        ):
            return False
        part = self._parts.place(name)
        part.seek(offset)
        try:
            record = parse_stored(part.read(place.length))
            block = Block(record.view())
        except RecordError:
            return False
        http = is_http(parse_head(record.head), place.kind.encode())
        return wanted.of(block.entity() if http else block.data) or any(
            wanted.of(reading()) for _, reading in readings(block, http)
        )
