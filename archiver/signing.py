"""What a person signs by hand: a checkpoint once more, a rotation of keys, and lines that others made."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver import upkeep
from archiver.archive import Archive
from archiver.errors import ManifestError, UsageError
from archiver.keys import KeyFolder, OwnKey
from archiver.manifest import checkpoint, proofs, signednote
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest, leaf_input
from archiver.manifest.signednote import COSIGNATURE, LINES, Signature, VerifierKey
from archiver.manifest.signers import Keyring
from archiver.manifest.tree import Tree
from archiver.sandbox import Sandbox

Say = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """A signature line on checkpoint number `at`, from 0, of so many records."""

    at: int
    records: int
    key: str  # its name in the key folder, else the name of a trusted key; empty when nobody knows it
    line: str
    judgement: str = "good"


def sign(root: Path, folder: KeyFolder, name: str | None, *, witness: bool) -> list[Line]:
    """Sign the newest checkpoint; the owner's key also signs older ones that name it and lack it.

    Only after the record lists gave the tree head, and the tree went on from the checkpoint that a key of
    this folder signed last. Raises UsageError, ManifestError, StorageError, Locked.
    """
    archive = Archive(root)
    archive.manifest()
    with archive.lock("sign"):
        manifest = archive.manifest()
        if not manifest.checkpoints:
            raise UsageError(f"{root}: nothing is sealed yet, so there is no checkpoint to sign")
        tree = _checked(archive, manifest, folder)
        current = archive.current_key()
        key = _key(folder, name, None if witness else current)
        newest = manifest.checkpoints[-1].note
        if witness:
            line = signednote.cosign(key.private, key.name, newest, int(time.time()))
            made = [(len(manifest.checkpoints) - 1, line, key.verifier(key.name, COSIGNATURE))]
        else:
            made = _signatures(archive, manifest, key, folder)
        lines = _added(archive, manifest, made, [key.name] * len(made))
        folder.remember(manifest.origin, checkpoint.note(manifest.origin, tree.size, tree.root()))
    return lines


def _checked(archive: Archive, manifest: Manifest, folder: KeyFolder) -> Tree:
    """The tree, when nothing speaks against signing it."""
    before = folder.signed(manifest.origin)
    size = before[0] if before else 0
    tree = commitment.tree_of(manifest, archive.committed_entries(manifest), [size])
    if manifest.checkpoints[-1].note != checkpoint.note(manifest.origin, tree.size, tree.root()):
        raise ManifestError(f"{archive.root}: the newest checkpoint is not that of the records")
    if refusal := folder.refusal(manifest.origin, tree):
        raise ManifestError(f"{archive.root}: not signed: {refusal}")
    if before:
        leaves = (leaf_input(entry) for entry in archive.committed_entries(manifest))
        proof = proofs.consistency(leaves, size, tree.size)
        if not proofs.continues(size, before[1], tree.size, tree.root(), proof):
            raise ManifestError(f"{archive.root}: changed while it was checked", "Run the command again.")
    return tree


def _key(folder: KeyFolder, name: str | None, current: bytes | None) -> OwnKey:
    """The key to sign with: the one that is named, else that of the archive, else the default one."""
    holder = current and folder.holder(current)
    if current and not (name or holder):
        raise UsageError(
            f"the archive's key, {signednote.fingerprint(current)}, is not in {folder.path}",
            "--as NAME signs with another one. If the archive is yours, find out who named that key.",
        )
    return folder.open(name or holder or folder.default or "default")


def _signatures(
    archive: Archive, manifest: Manifest, key: OwnKey, folder: KeyFolder
) -> list[tuple[int, Signature, VerifierKey]]:
    """What the key has not signed yet: the newest checkpoint, and those of files that name it.

    UsageError where such a file hands the archive on to a key that is not in the folder.
    """
    owner = archive.current_key() in (None, key.public)
    ring, own = Keyring([key.public]), folder.own().values()
    made, newest = [], len(manifest.checkpoints) - 1
    for at, (point, named) in enumerate(zip(manifest.checkpoints, archive.named(manifest), strict=False)):
        due = at == newest or key.public in named
        good = [each for each in ring.signed(point) if each.judgement == "good" and each.time is None]
        if not due or good:
            continue
        if key.public == named.signing and named.following and named.following not in own:
            raise UsageError(
                f"{manifest.warcs[at].path} hands the archive on to a key that is not in {folder.path},"
                f" {signednote.fingerprint(named.following)}",
                "If you did not write it, get the archive from another copy, and find out who did.",
            )
        name = manifest.origin if owner or key.public in named else key.name
        made.append((at, signednote.sign(key.private, name, point.note), key.verifier(name)))
    return made


def _added(
    archive: Archive,
    manifest: Manifest,
    made: Sequence[tuple[int, Signature, VerifierKey]],
    names: Sequence[str],
) -> list[Line]:
    """Put lines under their checkpoints, all at once."""
    lines = []
    for (at, line, key), name in zip(made, names, strict=True):
        if len(manifest.checkpoints[at].signatures) >= LINES:
            raise UsageError(f"checkpoint {at + 1} has {LINES} signature lines already")
        manifest = commitment.signed(manifest, at, [(line, key)])
        lines.append(Line(at, checkpoint.parse(manifest.checkpoints[at].note)[1], name, str(line)))
    if made:
        commitment.save(archive.root, manifest)
    return lines


def add(root: Path, file: Path, folder: KeyFolder, given: Sequence[VerifierKey] = ()) -> list[Line]:
    """Add signature lines that others made: those that hold under a key of the person, trusted or `given`.

    `file` holds a signed note, or the lines alone. UsageError when none of them can be added.
    """
    archive = Archive(root)
    archive.manifest()
    try:
        text = file.read_bytes()[: 1 << 20].decode()
        note, lines = signednote.split(text if "\n\n" in text else f"\n\n{text}")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from error
    except (ManifestError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}", "Give a signed note, or its signature lines alone.") from error
    known = _known(folder, given)
    ring = Keyring(known)
    with archive.lock("sign"):
        manifest = archive.manifest()
        _checked(archive, manifest, folder)
        made, names = [], []
        for at, point in reversed(list(enumerate(manifest.checkpoints))):
            for line in lines if note.strip() in ("", point.note.strip()) else ():
                judged = ring.judge(point.note, line)
                if judged.judgement == "good" and judged.public and line not in point.signatures:
                    signature = Signature.parse(line)
                    made.append((at, signature, VerifierKey(judged.name, signature.kind, judged.public)))
                    names.append(known[judged.public])
        if not made:
            raise UsageError(
                f"{file}: no line is a new signature of a checkpoint here by a key that you vouch for",
                "'archiver key trust VKEY' vouches for a key, and so does --key VKEY.",
            )
        return _added(archive, manifest, made, names)


def _known(folder: KeyFolder, given: Sequence[VerifierKey] = ()) -> dict[bytes, str]:
    """The keys that the person vouches for, and what they call them."""
    known = {key.public: key.name for key in (*given, *folder.trusted())}
    return known | {public: name for name, public in folder.own().items()}


def rotate(root: Path, folder: KeyFolder, name: str, passphrase: str | None, say: Say) -> OwnKey:
    """Go on with another key, made when there is none of that name; it signs new archives from now on, too.

    A WARC file with a warcinfo record alone names it, and both keys sign its checkpoint. UsageError when
    the key that signs now cannot be used.
    """
    archive = Archive(root)
    archive.manifest()
    with archive.lock("key rotate"), Sandbox() as sandbox:
        signing = upkeep.signer(archive, say, folder)
        if signing is None:
            raise UsageError(f"{root}: the key that signs it now cannot be used, so it cannot name another")
        if archive.current_key() not in (None, signing.key.public):
            raise UsageError(f"{root}: the key that signs it now is not in {folder.path}")
        if signing.key.name == name:
            folder.set_default(name)  # a crash may have come before that
            raise UsageError(f"{name} is the key that signs this archive already, and signs new ones")
        archive.signer = signing
        archive.heal()
        manifest = archive.manifest()
        if manifest.checkpoints:
            _checked(archive, manifest, folder)  # else it would be sealed without a signature, and stay
        signing.following = folder.open(name) if folder.has(name) else folder.make(name, passphrase)
        upkeep.seal_empty(archive, sandbox)
        if signing.signed == 0:
            raise UsageError(f"{root}: the rotation was not signed, see above")
        folder.set_default(name)
        return signing.following


def signers(root: Path, folder: KeyFolder) -> tuple[Manifest, list[Line]]:
    """The manifest and who signed its checkpoints, each line judged by the keys that are known."""
    manifest = Archive(root).manifest()
    known = _known(folder)
    ring = Keyring(known, map(VerifierKey.parse, manifest.keys))
    lines = []
    for at, point in enumerate(manifest.checkpoints):
        records = checkpoint.parse(point.note)[1]
        for line in point.signatures:
            judged = ring.judge(point.note, line)
            name = known.get(judged.public or b"", "")
            lines.append(Line(at, records, name, line, judged.judgement))
    return manifest, lines
