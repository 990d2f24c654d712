"""Who signed a checkpoint, and which keys an archive's own records name.

`warcinfo` of each WARC file has `signing-key: VKEY`, the key that signs the checkpoint at its end, and at
a rotation `next-signing-key: VKEY`: its successor, if both signed (docs/keys.md).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from archiver.errors import ManifestError
from archiver.manifest import recordlist
from archiver.manifest.manifest import Checkpoint, Manifest
from archiver.manifest.signednote import COSIGNATURE, ED25519, Signature, VerifierKey
from archiver.manifest.tree import Tree
from archiver.model import Entry
from archiver.storage import is_imported
from archiver.warc.warcinfo import first_block, values

SIGNING, FOLLOWING = "signing-key", "next-signing-key"


@dataclass(frozen=True)
class Named:
    """The keys that a WARC file names: their public halves, 32 bytes."""

    signing: bytes | None = None
    following: bytes | None = None

    def __iter__(self) -> Iterator[bytes]:
        return (key for key in (self.signing, self.following) if key)


class Signer(Protocol):
    """Signs checkpoints while they are sealed. It never raises: what cannot be signed is sealed without."""

    def fields(self, origin: str) -> Mapping[str, str]:
        """What `warcinfo` says of the keys."""
        ...

    def watch(self, origin: str) -> Sequence[int]:
        """The sizes at which it wants to know the tree's root."""
        ...

    def sign(
        self, origin: str, note: str, named: Named, tree: Tree
    ) -> Sequence[tuple[Signature, VerifierKey]]:
        """Signatures of a checkpoint by the keys that its WARC file names."""
        ...

    def remember(self, origin: str, note: str) -> None:
        """What was signed is durable now."""
        ...


def named_by(root: Path, file: str, entry: Entry | None) -> Named:
    """What the warcinfo record of a WARC file names. `entry`: the first of its record list.

    Nothing when there is no such record, or its stored bytes are not those of the entry.
    """
    block = first_block(root, file, entry)
    return Named(_key(block, SIGNING), _key(block, FOLLOWING)) if block else Named()


def _key(block: bytes, name: str) -> bytes | None:
    """The key that a field names; none when it stands there twice or is no Ed25519 key."""
    found = values(block, name)
    try:
        key = VerifierKey.parse(found[0]) if len(found) == 1 else None
    except ManifestError:
        return None
    return key.public if key and key.kind == ED25519 else None


class InForce:
    """Follows the keys from file to file. An imported file names none: the one in force signs for it."""

    def __init__(self) -> None:
        self._key: bytes | None = None

    def of(self, file: str, named: Named) -> Named:
        """The keys that sign the checkpoint after this file; `named`: by the file."""
        if is_imported(file):
            return Named(self._key)
        if named.signing:
            self._key = named.following or named.signing
        return named


def current_key(root: Path, manifest: Manifest) -> bytes | None:
    """The key by which the archive goes on, as its newest WARC file that names one has it."""
    for warc in reversed(manifest.warcs):
        if is_imported(warc.path):
            continue
        listed = root / warc.list.path
        if not listed.exists():  # after a crash just before it got its name
            listed = listed.with_name(f"{listed.name}.open")
        named = named_by(root, warc.path, next(recordlist.read(listed), None))
        if named.signing:
            return named.following or named.signing
    return None


Judgement = Literal["good", "wrong", "unknown"]


@dataclass(frozen=True)
class Judged:
    """What a signature line is worth. `public`: whose it is, or says to be, unless that is unknown."""

    judgement: Judgement
    name: str = ""
    public: bytes | None = None
    time: int | None = None  # of a cosignature


class Keyring:
    """The keys by which signature lines are judged."""

    def __init__(self, anywhere: Iterable[bytes], listed: Iterable[VerifierKey] = ()) -> None:
        """`anywhere`: public keys that count under any name; `listed`: under their own name only."""
        self._anywhere = tuple(dict.fromkeys(anywhere))
        self._listed: dict[tuple[str, bytes], list[bytes]] = {}
        for key in listed:
            if key.kind in (ED25519, COSIGNATURE):
                self._listed.setdefault((key.name, key.key_id), []).append(key.public)

    def judge(self, note: str, line: str) -> Judged:
        """ManifestError for a line that is none."""
        signature = Signature.parse(line)
        keys = [public for public in self._anywhere if signature.names(public)]
        keys += self._listed.get((signature.name, signature.key_id), [])
        if not keys:
            return Judged("unknown", signature.name)
        holds = next((public for public in keys if signature.holds(public, note)), None)
        return Judged("good" if holds else "wrong", signature.name, holds or keys[0], signature.time)

    def signed(self, point: Checkpoint) -> list[Judged]:
        """What the lines of a checkpoint are worth, in their order."""
        return [self.judge(point.note, line) for line in point.signatures]
