"""A record of a bundle as people are told of it: read from its own bytes, never from the catalogue."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

import msgspec

from archiver.digests import digest
from archiver.errors import RecordError, SandboxError
from archiver.index.reader import note_of
from archiver.model import Entry, Note
from archiver.pictures.decode import sniff
from archiver.pictures.thumbnail import make_print
from archiver.sandbox import Sandbox
from archiver.warc.foreign import parse_stored
from archiver.warc.read import StoredRecord, parse_member

PICTURE_BYTES = 100 << 20
PRINT_PIXELS = 480  # the width of a thumbnail: clear enough on paper
_ROLES = {
    "warcinfo": "who wrote the file, with which options",
    "request": "the request as it was sent",
    "response": "the answer as it came",
    "resource": "a source that was given as a file",
    "revisit": "an answer that repeats an earlier one",
}


class Print(msgspec.Struct, frozen=True):
    """A picture made small by our own encoder, and what decoding the whole one told. `jpeg` is base64."""

    format: str
    width: int
    height: int
    jpeg: Annotated[str, msgspec.Meta(pattern=r"^/9j/[A-Za-z0-9+/]*={0,2}\Z")]  # it goes into a page


@dataclass(frozen=True)
class Exhibit:
    """A stored record of the bundle and its place in the tree."""

    entry: Entry
    stored: bytes = field(repr=False)
    leaf: int
    original: bool = False  # it is here because a revisit refers to it
    imported: bool = False  # others wrote it, and may have written anything

    @cached_property
    def record(self) -> StoredRecord:
        if not self.imported:
            return parse_member(self.stored)
        try:
            return parse_stored(self.stored).stored()
        except RecordError:
            return StoredRecord((), self.stored, foreign=True)

    @property
    def role(self) -> str:
        """What it is here for, in words. `verify.py` reads leniently what is called imported."""
        if self.imported:
            return f"imported: a {self.record.type or 'nameless'} record, as others wrote it"
        if self.original:
            return "the original that a later answer repeats"
        if self.uri.startswith("urn:archiver:certificates:"):
            return "the certificates that the server showed"
        return _ROLES.get(self.record.type, "a note of the archiver")

    @cached_property
    def payload(self) -> str | None:
        """Digest of the payload that it holds, or of the one that it repeats; None for what is no answer."""
        if self.record.type in ("response", "resource"):
            return digest(self.record.payload)
        claimed = self.record.get("warc-payload-digest") or self.record.get("archiver-payload-digest")
        return claimed if self.record.type == "revisit" else None

    @property
    def status(self) -> int | None:
        return self.record.http.status if self.record.http else None

    @property
    def date(self) -> str:
        return self.record.get("warc-date") or ""

    @property
    def uri(self) -> str:
        return self.record.get("warc-target-uri") or ""

    @cached_property
    def note(self) -> Note | None:
        own = msgspec.structs.replace(self.entry, type=self.record.type, uri=self.uri)
        return None if self.imported else note_of(own, self.stored)

    def print(self, sandbox: Sandbox) -> Print | str | None:
        """The picture in its payload, made small; why it cannot be; None for what is no picture."""
        try:
            data = self.record.content_decoded(PICTURE_BYTES)
            return None if sniff(data) is None else sandbox.read(Print, make_print, data, width=PRINT_PIXELS)
        except (RecordError, SandboxError) as error:
            return str(error)
