"""OpenTimestamps proofs: read, checked and written, without network.

A proof leads from a digest through operations to attestations: a calendar's promise ("pending"), which proves
nothing about time, or a Bitcoin block, whose header has what the operations end in as its Merkle root. The
format is that of python-opentimestamps (opentimestamps/core: timestamp.py, op.py, notary.py), version 1.
Numbers are little-endian base 128.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from archiver.errors import TimestampError

PROOF_BYTES = 64 << 10
HEADER_BYTES = 80
_MAGIC = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01"  # and the version
_SHA256, _RIPEMD160, _SHA1, _APPEND, _PREPEND = 0x08, 0x03, 0x02, 0xF0, 0xF1
_HASHES = {_SHA1: "sha1", _RIPEMD160: "ripemd160", _SHA256: "sha256"}
_PENDING, _BITCOIN = bytes.fromhex("83dfe30d2ef90c8e"), bytes.fromhex("0588960d73d71901")
_FORK, _ATTESTATION = b"\xff", b"\x00"
_MOST_MESSAGE, _MOST_PAYLOAD, _MOST_URI = 4096, 8192, 1000
_MOST_STEPS, _MOST_PATHS = 256, 100

Step = tuple[int, bytes]  # the operation's tag, and its argument


@dataclass(frozen=True)
class Path:
    """One way through a proof, from the digest to an attestation."""

    steps: tuple[Step, ...]
    message: bytes  # what the steps make of the digest
    kind: bytes  # of the attestation: 8 bytes
    payload: bytes

    @property
    def calendar(self) -> str | None:
        """The URL of the calendar that promised, of a pending attestation."""
        if self.kind != _PENDING:
            return None
        uri, rest = _sized(self.payload, 0, _MOST_URI)
        if rest != len(self.payload):
            raise TimestampError("a calendar's attestation holds more than its URL")
        return uri.decode("ascii", "replace")

    @property
    def block(self) -> int | None:
        """The height of the Bitcoin block, of its attestation."""
        if self.kind != _BITCOIN:
            return None
        height, rest = _number(self.payload, 0)
        if rest != len(self.payload):
            raise TimestampError("a block's attestation holds more than its height")
        return height


def parse(proof: bytes, digest: bytes) -> list[Path]:
    """The paths of a proof file over a SHA-256 digest. Raises TimestampError."""
    start = _MAGIC + bytes([_SHA256])
    if not proof.startswith(start):
        raise TimestampError("not a proof file of OpenTimestamps over a SHA-256")
    if proof[len(start) : len(start) + 32] != digest:
        raise TimestampError("the proof is over something else than this checkpoint")
    return parse_paths(proof[len(start) + 32 :], digest)


def parse_paths(data: bytes, message: bytes) -> list[Path]:
    """What a calendar answers: the paths from a message on. Raises TimestampError."""
    if len(data) > PROOF_BYTES:
        raise TimestampError(f"a proof of more than {PROOF_BYTES} bytes")
    found: list[Path] = []
    forks: list[tuple[tuple[Step, ...], bytes]] = []  # where to go on after an attestation
    steps, at = tuple[Step, ...](), 0
    while True:
        tag = data[at : at + 1]
        if tag == _FORK:
            if len(forks) >= _MOST_PATHS:
                raise TimestampError("a proof with too many paths")
            forks.append((steps, message))
            at += 1
        elif tag == _ATTESTATION:
            payload, after = _sized(data, at + 9, _MOST_PAYLOAD)
            found.append(Path(steps, message, data[at + 1 : at + 9], payload))
            at = after
            if not forks:
                break
            steps, message = forks.pop()
        else:
            step, at = _step(data, at)
            steps, message = (*steps, step), _applied(step, message)
            if len(steps) > _MOST_STEPS:
                raise TimestampError("a proof with too many operations in a row")
        if len(found) > _MOST_PATHS:
            raise TimestampError("a proof with too many paths")
    if at != len(data):
        raise TimestampError("bytes after the end of a proof")
    for each in found:  # their payloads can be read
        _ = each.calendar, each.block
    return found


def blocks(paths: Iterable[Path]) -> list[int]:
    """The heights of the Bitcoin blocks that a proof leads to; none while it is pending."""
    return [each.block for each in paths if each.block is not None]


def encode(digest: bytes, paths: Iterable[tuple[tuple[Step, ...], bytes, bytes]]) -> bytes:
    """The proof file over a SHA-256 digest with these paths: steps, kind and payload of each."""
    return _MAGIC + bytes([_SHA256]) + digest + b"".join(_tree(list(paths)))


def submitted(digest: bytes, nonce: bytes) -> tuple[tuple[Step, ...], bytes]:
    """The first steps of a proof, and what the calendar gets: it learns nothing about the digest."""
    steps: tuple[Step, ...] = ((_APPEND, nonce), (_SHA256, b""))
    return steps, hashlib.sha256(digest + nonce).digest()


def header_time(header: bytes, root: bytes) -> datetime | None:
    """The time in a Bitcoin block header of 80 bytes, when `root`, as it stands there, is its Merkle root."""
    if len(header) != HEADER_BYTES or header[36:68] != root:
        return None
    return datetime.fromtimestamp(int.from_bytes(header[68:72], "little"), UTC)


def _tree(paths: list[tuple[tuple[Step, ...], bytes, bytes]]) -> Iterator[bytes]:
    """Attestations first, then each operation with all that follows it; all but the last after a fork."""
    parts = [
        _ATTESTATION + kind + _count(len(payload)) + payload for steps, kind, payload in paths if not steps
    ]
    below: dict[Step, list[tuple[tuple[Step, ...], bytes, bytes]]] = {}
    for steps, kind, payload in paths:
        if steps:
            below.setdefault(steps[0], []).append((steps[1:], kind, payload))
    for (tag, argument), rest in below.items():
        written = bytes([tag]) + (b"" if tag in _HASHES else _count(len(argument)) + argument)
        parts.append(written + b"".join(_tree(rest)))
    for place, part in enumerate(parts, 1):
        yield part if place == len(parts) else _FORK + part


def _step(data: bytes, at: int) -> tuple[Step, int]:
    tag = data[at] if at < len(data) else -1
    if tag in _HASHES:
        return (tag, b""), at + 1
    if tag in (_APPEND, _PREPEND):
        argument, after = _sized(data, at + 1, _MOST_MESSAGE)
        return (tag, argument), after
    raise TimestampError("a proof ends early" if tag < 0 else f"a proof has the unknown operation {tag:#04x}")


def _applied(step: Step, message: bytes) -> bytes:
    tag, argument = step
    if tag in _HASHES:
        try:
            return hashlib.new(_HASHES[tag], message, usedforsecurity=False).digest()
        except ValueError as error:
            raise TimestampError(f"{_HASHES[tag]} cannot be computed here: {error}") from error
    made = message + argument if tag == _APPEND else argument + message
    if len(made) > _MOST_MESSAGE:
        raise TimestampError("a proof makes a message that is too long")
    return made


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + 9]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise TimestampError("a number in a proof is cut, or too large")


def _sized(data: bytes, at: int, most: int) -> tuple[bytes, int]:
    """Bytes after their number, and where they end."""
    size, start = _number(data, at)
    if size > most or start + size > len(data):
        raise TimestampError("a part of a proof is cut, or too long")
    return data[start : start + size], start + size


def _count(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
