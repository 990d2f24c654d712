"""What kind of file some bytes begin."""

import re
from typing import Literal

from archiver.warc.foreign.arc import is_arc
from archiver.warc.foreign.heads import BEGINS
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
    if head.startswith(ZIP):
        return "wacz"
    if head.startswith(_ZSTD):
        return "warc+zstd"
    if is_arc(head.lstrip(b"\r\n")):
        return "arc"
    if head.startswith(b"WARC/"):
        return "warc"
    source = Source.of(head[:HEAD])
    if head.startswith(GZIP) and is_arc(trial(source, 0, TRIAL).lstrip(b"\r\n")):
        return "arc+gzip"
    for found in MEMBERS.finditer(head, 0, HEAD):
        if found[0] != GZIP:
            return "warc"
        if begins_warc(trial(source, found.start())):
            return "warc+gzip"
    return "unknown"


def begins_warc(data: bytes) -> bool:
    return data.lstrip(b"\r\n").startswith(b"WARC/")
