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


@dataclass(slots=True)
class Labelled:
    """`algorithm`: a name of hashlib, "" for one not known. `odd`: written as few programs read it."""

    algorithm: str
    expected: bytes
    odd: bool

    def of(self, data: Any) -> bool:
        """Whether it is the digest of these bytes."""
        made = getattr(hashlib, self.algorithm)  # quicker than by its name
        return bool(made(data, usedforsecurity=False).digest() == self.expected)


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


class Block:
    """The block of a record; as an HTTP message it is split once, when somebody asks."""

    __slots__ = ("_split", "data")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self._split: tuple[bytes, memoryview] | None = None

    @property
    def message(self) -> tuple[bytes, memoryview]:
        """Head in small letters, with its empty line, and body."""
        if self._split is None:
            self._split = split(self.data)
        return self._split

    def entity(self) -> Any:
        """The entity-body of an HTTP message: transfer coding removed, content coding kept (RFC 9112)."""
        head, body = self.message
        if b"chunked" in head and parse_message(bytes(self.data[: len(head)])).chunked:
            return dechunk(bytes(body))
        return body


def judge_digests(head: Head, block: Block, kind: bytes, said: Said) -> tuple[bool, bool]:
    """Whether the digest of the block and that of the payload hold, of a record whose whole block is here."""
    wanted = _wanted(BLOCK, head, said)
    whole = wanted is not None and wanted.of(block.data)
    if wanted is not None:
        _told(BLOCK, wanted, whole, said)
    wanted_payload = _wanted(PAYLOAD, head, said)
    if kind in (b"revisit", b"continuation") or b"warc-segment-number" in head.fields:
        return whole, False  # of a payload that is not here: only its form
    if wanted_payload is None:
        return whole, False
    http = is_http(head, kind)
    if not http and whole and wanted_payload == wanted:
        holds = True
    else:
        holds = wanted_payload.of(block.entity() if http else block.data)
    if holds:
        _told(PAYLOAD, wanted_payload, True, said)
        return whole, True
    for words, reading in readings(block, http):
        if wanted_payload.of(reading()):
            said.append(("payload-reading", f"WARC-Payload-Digest is that of {words}"))
            return whole, True
    said.append(("payload-digest", f"{shown(head.fields[PAYLOAD])} is not the payload's"))
    return whole, False


def _wanted(field: bytes, head: Head, said: Said) -> Labelled | None:
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


def _told(field: bytes, wanted: Labelled, holds: bool, said: Said) -> None:
    if not holds:
        said.append(("block-digest", f"WARC-Block-Digest {wanted.algorithm} is not the block's"))
    elif wanted.odd:
        said.append(("digest-encoding", f"{_NAMES[field]} is {wanted.algorithm}, not in Base16 or Base32"))


def is_http(head: Head, kind: bytes) -> bool:
    """Whether the block is said to be an HTTP message."""
    if kind not in (b"response", b"request"):
        return False
    return (
        head.fields.get(b"content-type", b"")[:16].lower().startswith((b"application/http", b"message/http"))
    )


def split(block: memoryview) -> tuple[bytes, memoryview]:
    """Head of an HTTP message in small letters, with its empty line, and the body."""
    for size in (1 << 11, 1 << 14):
        head = bytes(block[:size])
        end = head.find(b"\r\n\r\n")
        if end >= 0 and head.find(b"\n\n", 0, end) < 0:
            return head[: end + 4].lower(), block[end + 4 :]
    whole = bytes(block)
    offset = parse_message(whole).body_offset
    return whole[:offset].lower(), block[offset:]


def readings(block: Block, http: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What else programs took for the payload; called only where the text's reading does not match."""
    if not http:
        return
    _, body = block.message
    yield "the body with its transfer coding", lambda: body
    yield "the body with its content coding removed", lambda: _plain(block)
    yield "the whole block", lambda: block.data
    yield "nothing", lambda: b""


def _plain(block: Block) -> bytes:
    coding = parse_message(bytes(block.data)).get("content-encoding")
    try:
        return decoded(bytes(block.entity()), coding, _DECODED_BYTES)
    except RecordError:
        return b""
