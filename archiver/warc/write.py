"""Append records to a WARC file: one gzip member a record, durable on demand.

Format: WARC/1.1 (ISO 28500:2017). Block digests on every record; dates with microseconds.
"""

import hashlib
import io
import os
import re
import uuid
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from archiver.digests import digest
from archiver.errors import RecordError
from archiver.model import Location, Record
from archiver.storage import storage_error
from archiver.warc.read import HEAD_BYTES, RECORD_BYTES

TEXT_LEVEL = 6  # a quarter of level 9's time for 1.5 % more bytes
_NAME = re.compile(r"[A-Za-z0-9-]+")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|^\s|\s\Z")  # white space at the ends gets lost


def record_id() -> str:
    """A new WARC-Record-ID, without the angle brackets."""
    return f"urn:uuid:{uuid.uuid4()}"


def warc_date(moment: datetime) -> str:
    """A WARC-Date (WARC/1.1 section 5.4) with microseconds, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Verbatim(WARCWriter):
    """warcio's serialiser without its own digests (SHA-1, and wrong for chunked bodies)."""

    def __init__(self, out: "_Member") -> None:
        super().__init__(out, gzip=False, warc_version="WARC/1.1")  # type: ignore[no-untyped-call]

    def put(self, record: ArcWarcRecord) -> None:
        super().write_record(record)  # type: ignore[no-untyped-call]

    def ensure_digest(self, *_: object, **__: object) -> None:
        return


class _Member:
    """One gzip member on its way into a file: compresses, counts, digests."""

    def __init__(self, out: BinaryIO, level: int) -> None:
        self._out = out
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, 31)
        self._sha256 = hashlib.sha256()
        self.length = 0

    def write(self, data: bytes) -> None:
        self._put(self._deflate.compress(data))

    def flush(self) -> None:
        self._put(self._deflate.flush())

    @property
    def digest(self) -> str:
        return "sha256:" + self._sha256.hexdigest()

    def _put(self, data: bytes) -> None:
        self._sha256.update(data)
        self.length += len(data)
        self._out.write(data)


class WarcFile:
    """A new WARC file, open for appending. Raises StorageError when the disk does not take it."""

    def __init__(self, path: Path, name: str) -> None:
        """`path` is created; `name` is the file's final name relative to the archive's folder."""
        self._name = name
        self._warcinfo: str | None = None
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise storage_error(path, error) from error

    def append(self, record: Record) -> tuple[Location, str]:
        """Write one record; return where it lies and the SHA-256 of the stored member.

        Not durable before `sync`. Raises RecordError, with nothing written, for a record that would
        not be read as it was meant; StorageError, after which nothing may be appended any more.
        """
        built = self._build(record)
        offset = self._file.tell()
        member = _Member(self._file, 0 if record.store else TEXT_LEVEL)
        try:
            _Verbatim(member).put(built)
        except OSError as error:
            raise storage_error(self._name, error) from error
        if record.type == "warcinfo":
            self._warcinfo = record.id
        return Location(file=self._name, offset=offset, length=member.length), member.digest

    def flush(self) -> None:
        """Let others read all that was appended, which does not make it durable."""
        try:
            self._file.flush()
        except OSError as error:
            raise storage_error(self._name, error) from error

    def sync(self) -> None:
        """Make all that was appended durable. After a failure nothing may be appended any more."""
        self.flush()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise storage_error(self._name, error) from error

    def close(self) -> None:
        with suppress(OSError):  # what `sync` could not write is promised to nobody
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build(self, record: Record) -> ArcWarcRecord:
        fields = [
            ("WARC-Type", record.type),
            ("WARC-Record-ID", f"<{record.id}>"),
            ("WARC-Date", record.date),
        ]
        if record.uri is not None:
            fields.append(("WARC-Target-URI", record.uri))
        if self._warcinfo is not None:
            fields.append(("WARC-Warcinfo-ID", f"<{self._warcinfo}>"))
        fields += record.headers
        fields.append(("WARC-Block-Digest", digest(record.block)))
        if record.payload_digest is not None:
            fields.append(("WARC-Payload-Digest", record.payload_digest))
        fields.append(("Content-Type", record.content_type))
        _check(fields, len(record.block))
        head = StatusAndHeaders("", fields, protocol="WARC/1.1")
        # The type given here only tells warcio to write the block as it is, also of a revisit.
        return ArcWarcRecord(
            "warc", "resource", head, io.BytesIO(record.block), None, None, len(record.block)
        )


def _check(fields: Sequence[tuple[str, str]], size: int) -> None:
    """Refuse what would be read as another header, or not at all."""
    for name, value in fields:
        if not _NAME.fullmatch(name) or _UNFIT.search(value):
            raise RecordError(f"{name!r}: a character that no WARC header may hold in {value[:200]!r}")
    head = sum(len(name) + len(value.encode()) + 4 for name, value in fields)
    if head > HEAD_BYTES - 64 or size > RECORD_BYTES - HEAD_BYTES:
        raise RecordError(f"a record of {head} bytes of header and {size} of block is too large to be read")
