"""What kind of file some bytes begin."""

import re
from typing import Literal

from archiver.warc.foreign.arc import begins_arc
from archiver.warc.foreign.heads import BEGINS, begins_warc
from archiver.warc.foreign.inflate import TRIAL, trial
from archiver.warc.foreign.plain import GZIP
from archiver.warc.foreign.source import Source

FileKind = Literal["warc", "warc+gzip", "warc+zstd", "arc", "arc+gzip", "wacz", "unknown"]
HEAD = 1 << 16  # bytes that tell, even with some garbage before the first record
MEMBERS = re.compile(rb"\x1f\x8b\x08|" + BEGINS.pattern)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ZSTD = (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")


def recognise_file(head: bytes) -> FileKind:
    """The kind of file that begins so; 64 KiB are enough. `unknown` is none of which records are known here.

    A ZIP file counts as WACZ and Zstandard as WARC before anything in them was read.
    """
    kind: FileKind = "unknown"
    if head.startswith(ZIP):
        kind = "wacz"
    elif head.startswith(_ZSTD):
        kind = "warc+zstd"
    elif begins_arc(head):
        kind = "arc"
    elif head.startswith(GZIP) and begins_arc(trial(Source.of(head[:HEAD]), 0, TRIAL)):
        kind = "arc+gzip"
    elif begins_warc(head):
        kind = "warc"
    else:
        kind = _first(Source.of(head[:HEAD]))
    return kind


def _first(source: Source) -> FileKind:
    """By the first record, with something before it or not."""
    for found, what in source.matches(MEMBERS, 0, source.size):
        if what != GZIP:
            return "warc"
        if holds_warc(trial(source, found)):
            return "warc+gzip"
    return "unknown"


def holds_warc(data: bytes) -> bool:
    """Whether a compressed stretch that begins so begins with a record, empty lines before it or not."""
    return begins_warc(data.lstrip(b"\r\n"))
