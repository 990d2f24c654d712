"""What a record holds, hashed as it is read; its payload is made readable in the sandbox."""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from archiver.browse.data.stored import Stored
from archiver.browse.disk import media
from archiver.browse.disk.intact import read_member
from archiver.browse.disk.readable import READ_BYTES, SAFE, Readable, readable
from archiver.browse.words import plain
from archiver.errors import RecordError, SandboxError
from archiver.sandbox import Sandbox
from archiver.warc.http import essence
from archiver.warc.read import StoredRecord
from archiver.warc.stored import parse

MEMBER_BYTES = 128 << 20  # stored; a larger one is left to programs that read files
_FIELDS = 200
_VALUE = 2_000  # characters


@dataclass(frozen=True)
class Content:
    """`warc`, `http`: fields in their order. `digits`: SHA-256 of the payload. `why`: it cannot be read."""

    warc: list[tuple[str, str]]
    start: str
    http: list[tuple[str, str]]
    bytes: int
    digits: str
    is_picture: bool
    payload: Readable
    why: str


class Contents:
    """One at a time, so that no number of visitors takes more memory than one. For several threads."""

    def __init__(self) -> None:
        self._lock, self._sandbox = threading.Lock(), Sandbox()

    def member(self, root: Path, record: Stored) -> bytes:
        """The stored member, hashed. Raises RecordError when it is not as archived, or too large."""
        if record.length > MEMBER_BYTES:
            where = f"{record.warc} at offset {record.offset}"
            raise RecordError(
                f"{where}: {record.length} bytes are too many to be sent", "Copy the WARC file."
            )
        return read_member(root, record.place, record.digest)

    def payload(self, root: Path, record: Stored) -> bytes:
        """As it came, content coding and all. Raises RecordError."""
        with self._lock:
            return parse(record.warc, self.member(root, record)).payload

    def get(self, root: Path, record: Stored, *, source: bool) -> Content:
        """Raises RecordError when the stored member is not as archived."""
        with self._lock:
            return self._content(parse(record.warc, self.member(root, record)), source)

    def close(self) -> None:
        """End the child process; it starts again when needed."""
        with self._lock:
            self._sandbox.close()

    def _content(self, record: StoredRecord, source: bool) -> Content:
        message = record.http
        shown, why, is_picture = Readable("bytes"), "", False
        try:
            data, picture = media.picture(record)
            is_picture = picture is not None
            shown = self._readable(record, data, source) if not is_picture else shown
        except (RecordError, SandboxError) as error:
            why = plain(error)
        return Content(
            warc=_fields(record.fields),
            start=plain(message.start.decode("latin-1"))[:_VALUE] if message else "",
            http=_fields(message.fields) if message else [],
            bytes=len(record.payload),
            digits=hashlib.sha256(record.payload).hexdigest(),
            is_picture=is_picture,
            payload=shown,
            why=why,
        )

    def _readable(self, record: StoredRecord, data: bytes, source: bool) -> Readable:
        field = (record.http or record).get("content-type") or ""
        options: dict[str, str | int | None] = {
            "media_type": essence(field) or "",
            "content_type": field,
            "source": int(source),
        }
        made = self._sandbox.read(Readable, readable, data[:READ_BYTES], **options)
        if made.kind == "html" and not SAFE.fullmatch(made.text):
            raise SandboxError("what came back is more than text with structure")
        return made


def _fields(fields: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(plain(name)[:_VALUE], plain(value)[:_VALUE]) for name, value in fields[:_FIELDS]]
