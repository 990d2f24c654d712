"""Pictures cut from the WARC: the bytes themselves, and thumbnails made in the sandbox.

Every answer is re-hashed as it is served: what does not match its digest never leaves as a picture.
"""

import base64
import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from archiver.browse.disk.cache import Cache
from archiver.browse.disk.intact import CHECKED_BYTES
from archiver.browse.words import plain
from archiver.errors import RecordError, SandboxError
from archiver.model import Location
from archiver.pictures.decode import sniff
from archiver.pictures.thumbnail import make_thumbnail
from archiver.sandbox import Sandbox
from archiver.warc.read import StoredRecord, is_inside
from archiver.warc.stored import read_record

PICTURE_BYTES = 100 << 20
CACHE_BYTES = 64 << 20
MEDIA_TYPES = {  # what a picture's bytes may be served as; all else, SVG and HTML above all, is not served
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
SUFFIXES = {
    media_type: {"JPEG": "jpg", "TIFF": "tif"}.get(kind, kind.lower())
    for kind, media_type in MEDIA_TYPES.items()
}
_COPIES = 4  # locations tried for one digest


def locations(connection: sqlite3.Connection, digest: str) -> list[Location]:
    """Where payloads with this digest lie, whole ones first."""
    rows = connection.execute(
        "SELECT warcs.path, records.offset, records.length FROM records"
        " JOIN warcs ON warcs.id = records.warc_id"
        " WHERE payload_digest = ? AND type IN ('response', 'resource')"
        " ORDER BY truncated IS NOT NULL, records.id LIMIT ?",
        (digest, _COPIES),
    )
    return [Location(file=path, offset=offset, length=length) for path, offset, length in rows]


def read_intact(root: Path, places: Sequence[Location], digest: str) -> StoredRecord:
    """The record whose payload has this digest, from the first place that still holds it.

    RecordError names every place that does not, and why.
    """
    damage: list[str] = []
    for place in places:
        where = f"{place.file} at offset {place.offset}"
        if not is_inside(root, place.file):
            damage.append(f"{where}: outside the archive")
            continue
        try:
            record = read_record(root, place)
        except RecordError as error:
            damage.append(f"{where}: {error}")
            continue
        found = "sha256:" + hashlib.sha256(record.payload).hexdigest()
        if found == digest:
            return record
        damage.append(f"{where}: SHA-256 is {found}")
    raise RecordError("; ".join(damage) or "no record holds these bytes", "Run 'archiver verify'.")


def picture(record: StoredRecord) -> tuple[bytes, str | None]:
    """The bytes of a picture and what they may be served as; None for what is no picture to show.

    RecordError when the content coding cannot be removed.
    """
    data = record.content_decoded(PICTURE_BYTES)
    return data, MEDIA_TYPES.get(sniff(data) or "")


def damaged_places(root: Path, places: Sequence[Location], digest: str) -> list[str]:
    """What is wrong at each place that no longer holds the bytes with this digest, found by hashing them."""
    damage = []
    for place in places:
        try:
            read_intact(root, [place], digest)
        except RecordError as error:
            damage.append(plain(error))
    return damage


def damaged_pictures(root: Path, pictures: Mapping[str, Sequence[Location]]) -> frozenset[str]:
    """Digits of the pictures that are nowhere as archived, found by hashing up to CHECKED_BYTES."""
    damaged: set[str] = set()
    left = CHECKED_BYTES
    for digits, places in pictures.items():
        left -= sum(place.length for place in places[:1])
        if left < 0:
            break
        try:
            read_intact(root, places, f"sha256:{digits}")
        except RecordError:
            damaged.add(digits)
    return frozenset(damaged)


@cache
def _maker() -> str:
    """What makes thumbnails: a new one makes them anew."""
    return f"thumbnail1/pillow-{version('pillow')}"


class Thumbnails:
    """Thumbnails made in the sandbox on demand; kept in memory up to CACHE_BYTES, and in a cache on disk.

    For several threads.
    """

    def __init__(self, cache: Cache) -> None:
        self._lock, self._cache = threading.Lock(), cache
        self._sandbox = Sandbox()
        self._kept: OrderedDict[tuple[str, int], bytes | str] = OrderedDict()  # a str: why there is none
        self._bytes = 0

    def get(self, record: StoredRecord, digits: str, width: int) -> bytes:
        """A WebP of the record's picture at most `width` pixels wide.

        Raises SandboxError when it cannot be decoded, and RecordError for an unknown content coding.
        """
        with self._lock:
            if (digits, width) in self._kept:
                self._kept.move_to_end((digits, width))
            else:
                self._keep((digits, width), self._found(record, digits, width))
            made = self._kept[digits, width]
        if isinstance(made, str):
            raise SandboxError(made)
        return made

    def close(self) -> None:
        """End the child process; it starts again when needed."""
        with self._lock:
            self._sandbox.close()

    def _found(self, record: StoredRecord, digits: str, width: int) -> bytes | str:
        key = f"{_maker()}/{width}/{digits}"
        kept = self._cache.get(key)
        if kept is not None and sniff(kept) == "WEBP":
            return kept
        made = self._make(record, width)
        if isinstance(made, bytes):
            self._cache.put(key, made)
        return made

    def _make(self, record: StoredRecord, width: int) -> bytes | str:
        data = record.content_decoded(PICTURE_BYTES)
        try:
            return base64.b64decode(self._sandbox.call(make_thumbnail, data, width=width))
        except SandboxError as error:
            return str(error)

    def _keep(self, key: tuple[str, int], made: bytes | str) -> None:
        self._kept[key] = made
        self._bytes += len(made)
        while self._bytes > CACHE_BYTES and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1])
