"""Signed notes, by which somebody vouches for a checkpoint. C2SP `signed-note` and `tlog-cosignature`.

    <note>                                      text whose every line ends in LF: here a checkpoint
                                                an empty line
    — <name> <base64(key id ‖ signature)>       a line for each signature

    key id       SHA-256(name ‖ LF ‖ type ‖ public key)[:4]
    type 0x01    Ed25519 (RFC 8032) over the note: 64 bytes
    type 0x04    Ed25519 over "cosignature/v1", LF, "time T", LF, and the note: T as 8 bytes, then 64
    key          "name+key id in hex+base64(type ‖ public key)", the form in which keys are handed on

https://c2sp.org/signed-note, https://c2sp.org/tlog-cosignature. Base64 is RFC 4648 section 4, canonical.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archiver.errors import ManifestError

ED25519, COSIGNATURE = 0x01, 0x04
LINES = 100  # signature lines of a note; the specification asks for 16 at least
_NAME = (  # also nothing that changes how a line looks
    r"[^\s+\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]{1,200}"
)
_KEY = re.compile(rf"({_NAME})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]{{1,4000}}={{0,2}})")
_LINE = re.compile(rf"\u2014 ({_NAME}) ([A-Za-z0-9+/]{{8,10000}}={{0,2}})")
_TIMES = 1 << 63


def unbase64(text: str, what: str) -> bytes:
    """Canonical base64 of RFC 4648 section 4. ManifestError, which says what it should be."""
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError as error:  # also of what is not ASCII
        raise ManifestError(f"{what} is not base64: {error}") from error
    if base64.b64encode(value).decode() != text:
        raise ManifestError(f"{what} is not in canonical base64")
    return value


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A public key under a name. `public` is 32 bytes of types 0x01 and 0x04; others only pass through."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """ManifestError unless it is one, with the key id that its name and bytes give."""
        found = _KEY.fullmatch(text)
        if not found:
            raise ManifestError(f"not a verifier key: {text[:80]!r}")
        name, key_id, encoded = found.groups()
        data = unbase64(encoded, "a verifier key")
        key = cls(name, data[0], data[1:])
        if key.kind in (ED25519, COSIGNATURE) and (len(key.public) != 32 or key.key_id.hex() != key_id):
            raise ManifestError(f"a verifier key whose key id is not that of its bytes: {text[:80]!r}")
        return key

    @property
    def key_id(self) -> bytes:
        return _key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def fingerprint(public: bytes) -> str:
    """`sha256:` and the SHA-256 of a key's SubjectPublicKeyInfo (RFC 8410) in DER, as openssl gives it."""
    return "sha256:" + hashlib.sha256(bytes.fromhex("302a300506032b6570032100") + public).hexdigest()


@dataclass(frozen=True)
class Signature:
    """One signature line. Its name says nothing of who signed: only a key under which it verifies does."""

    name: str
    key_id: bytes
    value: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """From a line without its LF; ManifestError when it is none."""
        found = _LINE.fullmatch(line)
        if not found:
            raise ManifestError(f"not a signature line: {line[:80]!r}")
        data = unbase64(found[2], "a signature")
        return cls(found[1], data[:4], data[4:])

    @property
    def kind(self) -> int:
        """The type of signature that its length allows; 0 for none that is known here."""
        return {64: ED25519, 72: COSIGNATURE}.get(len(self.value), 0)

    @property
    def time(self) -> int | None:
        """Seconds since 1970 of a cosignature, by the witness's own clock."""
        return int.from_bytes(self.value[:8]) if self.kind == COSIGNATURE else None

    def names(self, public: bytes) -> bool:
        """Whether the key id is that of this public key under the line's name."""
        return self.key_id == _key_id(self.name, self.kind, public)

    def holds(self, public: bytes, note: str) -> bool:
        """Whether it is this key's signature of the note."""
        time = self.time
        if not self.kind or (time is not None and time >= _TIMES):
            return False
        message = note.encode() if time is None else _cosigned(time, note)
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(self.value[-64:], message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.value).decode()}"


def _cosigned(time: int, note: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{note}".encode()


def sign(key: Ed25519PrivateKey, name: str, note: str) -> Signature:
    """The key's signature of a note, under a name."""
    public = key.public_key().public_bytes_raw()
    return Signature(name, _key_id(name, ED25519, public), key.sign(note.encode()))


def cosign(key: Ed25519PrivateKey, name: str, note: str, time: int) -> Signature:
    """A witness's cosignature of a checkpoint at a time, in seconds since 1970."""
    public = key.public_key().public_bytes_raw()
    value = time.to_bytes(8) + key.sign(_cosigned(time, note))
    return Signature(name, _key_id(name, COSIGNATURE, public), value)


def join(note: str, lines: Iterable[str]) -> str:
    """The signed note."""
    return note + "".join(["\n", *(f"{line}\n" for line in lines)])


def split(text: str) -> tuple[str, tuple[str, ...]]:
    """Note and signature lines of a signed note, unjudged; a note alone has no lines.

    ManifestError when it is no such text, or has more than LINES lines.
    """
    note, gap, rest = text.rpartition("\n\n")
    if not gap:
        note, rest = text.removesuffix("\n"), ""
    lines = tuple(rest.removesuffix("\n").split("\n")) if rest else ()
    if not text.endswith("\n") or len(lines) > LINES or (gap and not lines):
        raise ManifestError("not a signed note: cut, or with no signature lines, or too many")
    for line in lines:
        Signature.parse(line)
    return note + "\n", lines
