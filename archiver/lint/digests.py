"""Digests of WARC headers, and the block or payload held against them (WARC/1.1 sections 5.8, 5.9).

The value is Base16 or Base32 (RFC 4648). The grammar has no `=` and no `/`: padding and Base64 are
read, as the community recommends (warc-specifications issue 48), and said.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from archiver.errors import RecordError
from archiver.lint.head import Head, Said, shown
from archiver.warc.http import dechunk, decoded, parse_message

_BYTES = {
    "md5": 16,
    "sha1": 20,
    "sha224": 28,
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
    "blake2b": 64,
    "blake2s": 32,
}
_DECODED_BYTES = 1 << 26  # of a content coding undone only to say what a wrong digest is of
BLOCK, PAYLOAD = b"warc-block-digest", b"warc-payload-digest"
_NAMES = {BLOCK: "WARC-Block-Digest", PAYLOAD: "WARC-Payload-Digest"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """`algorithm`: a name of hashlib, "" for one not known. `odd`: written as few programs read it."""

    algorithm: str
    expected: bytes
    odd: bool

    def of(self, data: Any) -> bool:
        """Whether it is the digest of these bytes."""
        return hashlib.new(self.algorithm, data, usedforsecurity=False).digest() == self.expected


def read_digest(value: bytes) -> Labelled | None:
    """`sha1:…` → what it says; None for what is no digest of its algorithm's length."""
    label, colon, written = value.partition(b":")
    if not colon or not label or not written or b" " in value:
        return None
    algorithm = label.lower().replace(b"-", b"").decode("latin-1")
    length = _BYTES.get(algorithm)
    if length is None:
        return Labelled("", b"", False)
    try:
        return _read(algorithm, length, written)
    except (ValueError, binascii.Error):
        return None


def _read(algorithm: str, length: int, written: bytes) -> Labelled | None:
    if len(written) == 2 * length and b"=" not in written:
        return Labelled(algorithm, bytes.fromhex(written.decode("ascii")), False)
    bare = written.rstrip(b"=")
    if len(bare) == (8 * length + 4) // 5:
        found = base64.b32decode(bare.upper() + b"=" * (-len(bare) % 8))
        return Labelled(algorithm, found, len(bare) % 8 != 0 or bare != bare.upper())
    if len(bare) == (8 * length + 5) // 6:
        standard = bare.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(bare) % 4)
        return Labelled(algorithm, base64.b64decode(standard, validate=True), True)
    return None


class Digests:
    """Judges the digests of records; counts those that hold, by field."""

    def __init__(self) -> None:
        self.held = {BLOCK: 0, PAYLOAD: 0}

    def judge(self, head: Head, block: memoryview, kind: bytes, said: Said) -> None:
        """Both digests of a record whose whole block is here."""
        wanted = self._wanted(BLOCK, head, said)
        whole = wanted is not None and wanted.of(block)
        if wanted is not None:
            self._told(BLOCK, wanted, whole, said)
        if kind in (b"revisit", b"continuation") or b"warc-segment-number" in head.fields:
            self._wanted(PAYLOAD, head, said)  # of a payload that is not here: only its form
            return
        wanted_payload = self._wanted(PAYLOAD, head, said)
        if wanted_payload is None:
            return
        http = is_http(head, kind)
        if not http and whole and wanted_payload == wanted:
            self._told(PAYLOAD, wanted_payload, True, said)
            return
        payload = entity(block) if http else block
        if wanted_payload.of(payload):
            self._told(PAYLOAD, wanted_payload, True, said)
            return
        for words, reading in readings(block, http):
            if wanted_payload.of(reading()):
                self.held[PAYLOAD] += 1
                said.append(("payload-reading", f"WARC-Payload-Digest is that of {words}"))
                return
        said.append(("payload-digest", f"{shown(head.fields[PAYLOAD])} is not the payload's"))

    def _wanted(self, field: bytes, head: Head, said: Said) -> Labelled | None:
        value = head.fields.get(field)
        if value is None:
            return None
        found = read_digest(value)
        if found is None:
            key = "block-digest-form" if field == BLOCK else "payload-digest-form"
            said.append((key, f"{_NAMES[field]} {shown(value)}"))
        elif not found.algorithm:
            said.append(("digest-algorithm", f"{_NAMES[field]} {shown(value)}"))
        else:
            return found
        return None

    def _told(self, field: bytes, wanted: Labelled, holds: bool, said: Said) -> None:
        if not holds:
            said.append(("block-digest", f"WARC-Block-Digest {wanted.algorithm} is not the block's"))
            return
        self.held[field] += 1
        if wanted.odd:
            said.append(
                ("digest-encoding", f"{_NAMES[field]} is {wanted.algorithm}, not in Base16 or Base32")
            )


def is_http(head: Head, kind: bytes) -> bool:
    """Whether the block is said to be an HTTP message."""
    media = head.fields.get(b"content-type", b"").lower()
    return kind in (b"response", b"request") and media.startswith((b"application/http", b"message/http"))


def entity(block: memoryview) -> Any:
    """The entity-body of an HTTP message: transfer coding removed, content coding kept (RFC 9112)."""
    head, body = split(block)
    if b"chunked" in head and parse_message(bytes(block[: len(head)])).chunked:
        return dechunk(bytes(body))
    return body


def split(block: memoryview) -> tuple[bytes, memoryview]:
    """Head of an HTTP message in small letters, with its empty line, and the body."""
    head = bytes(block[: 1 << 14])
    end = head.find(b"\r\n\r\n")
    if end >= 0 and b"\n\n" not in head[:end]:
        return head[: end + 4].lower(), block[end + 4 :]
    whole = bytes(block)
    offset = parse_message(whole).body_offset
    return whole[:offset].lower(), block[offset:]


def readings(block: memoryview, http: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What else programs took for the payload; called only where the text's reading does not match."""
    if not http:
        return
    _, body = split(block)
    yield "the body with its transfer coding", lambda: body
    yield "the body with its content coding removed", lambda: _plain(block)
    yield "the whole block", lambda: block
    yield "nothing", lambda: b""


def _plain(block: memoryview) -> bytes:
    coding = parse_message(bytes(block)).get("content-encoding")
    try:
        return decoded(bytes(entity(block)), coding, _DECODED_BYTES)
    except RecordError:
        return b""
