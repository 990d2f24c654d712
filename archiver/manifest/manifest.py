"""manifest.json: which WARC files an archive has, and the tree head over all their members.

Nothing in it is free text: each value follows from the stored bytes, or is somebody's signature.
Specified for other implementations in docs/manifest.md.
"""

import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from archiver.errors import ManifestError, NotAnArchive, TimestampError
from archiver.manifest import checkpoint
from archiver.manifest.signednote import LINES, Signature, VerifierKey
from archiver.manifest.tree import EMPTY_ROOT, Tree
from archiver.model import Entry
from archiver.storage import IMPORTED, LISTED, is_imported, replace_file, unblocked

NAME = "manifest.json"
FORMAT = "archiver-manifest/1"
MANIFEST_BYTES = 256 << 20
KEYS = 100
_FORMAT = re.compile(r"archiver-manifest/([1-9][0-9]*)")

Digest = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
_OURS = r"warcs/[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
WarcPath = Annotated[str, msgspec.Meta(pattern=rf"^({_OURS}\.warc\.gz|{IMPORTED})\Z")]
KeyText = Annotated[str, msgspec.Meta(pattern=r"^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{1,200}={0,2}$")]
SignatureLine = Annotated[str, msgspec.Meta(pattern=r"^\u2014 [^\s+]{1,200} [A-Za-z0-9+/]{8,10000}={0,2}$")]
ListPath = Annotated[str, msgspec.Meta(pattern=rf"^({_OURS}|{IMPORTED})\.records\.jsonl\Z")]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All fields are always written, in this order."""


class CommittedList(_Part, frozen=True):
    path: ListPath
    bytes: Count
    digest: Digest


class CommittedWarc(_Part, frozen=True):
    """A sealed WARC file, or an imported file, and its record list."""

    path: WarcPath
    bytes: Count
    digest: Digest
    records: Count
    list: CommittedList


def list_of(path: str) -> str:
    """Where the record list of a WARC file or an imported file lies."""
    return (path if is_imported(path) else path.removesuffix(".warc.gz")) + LISTED


class TreeHead(_Part, frozen=True):
    size: Count
    root: Digest


class Timestamp(_Part, frozen=True):
    """Somebody's word that a checkpoint existed at a time.

    `over` is how many signature lines, from the first on, the stamped text has (see `stamped`); `token` is
    base64: for rfc3161 the DER of the authority's whole answer, for opentimestamps the proof file.
    """

    kind: Literal["rfc3161", "opentimestamps"]
    authority: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    over: Annotated[int, msgspec.Meta(ge=0, le=100)]
    token: Annotated[str, msgspec.Meta(max_length=1 << 20)]


class Checkpoint(_Part, frozen=True):
    """A tree head that was given out.

    `note` is the checkpoint's text, `signatures` the signature lines of its signed note, without their LF.
    Lines and timestamps are added at the end only.
    """

    note: str
    signatures: Annotated[tuple[SignatureLine, ...], msgspec.Meta(max_length=LINES)] = ()
    timestamps: tuple[Timestamp, ...] = ()

    def stamped(self, over: int) -> bytes:
        """The text that a timestamp covers: the note alone, or with so many of its signature lines.

        TimestampError when there are not so many.
        """
        if over > len(self.signatures):
            raise TimestampError(f"it covers {over} signature lines, and there are {len(self.signatures)}")
        lines = "".join(f"{line}\n" for line in self.signatures[:over])
        return (self.note + (f"\n{lines}" if over else "")).encode()


class Manifest(_Part, frozen=True):
    format: str
    origin: Annotated[str, msgspec.Meta(pattern="^archiver/[0-9a-f]{32}$")]
    keys: Annotated[tuple[KeyText, ...], msgspec.Meta(max_length=KEYS)]  # that signed, by its own word
    warcs: tuple[CommittedWarc, ...]
    tree: TreeHead
    checkpoints: tuple[Checkpoint, ...]  # the i-th ends with the i-th WARC file


def empty() -> Manifest:
    """The manifest of a new archive, with a name of its own."""
    return Manifest(
        format=FORMAT,
        origin=f"archiver/{uuid.uuid4().hex}",
        keys=(),
        warcs=(),
        tree=TreeHead(size=0, root="sha256:" + EMPTY_ROOT.hex()),
        checkpoints=(),
    )


def encode(manifest: Manifest) -> bytes:
    """The canonical bytes: JSON, two spaces of indent, fields in the order above, one LF at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(data: bytes) -> Manifest:
    """Parse canonical bytes. Raises ManifestError, or NotAnArchive for a newer layout."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _refuse_newer(data)
        raise ManifestError(f"{NAME}: {error}") from error
    if manifest.format != FORMAT:
        raise ManifestError(f"{NAME}: format is {manifest.format!r}, but its form is that of {FORMAT!r}")
    if encode(manifest) != data:
        raise ManifestError(f"{NAME}: not in canonical form")
    return manifest


def _refuse_newer(data: bytes) -> None:
    """A later layout always has another form than this one, and says so in `format`."""
    try:
        raw = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    layout = _FORMAT.fullmatch(str(raw.get("format"))) if isinstance(raw, dict) else None
    if layout and int(layout[1][:9]) > 1:
        raise NotAnArchive(
            f"{NAME}: layout {layout[1]} is newer than this archiver knows", "Install a newer archiver."
        )


def load(root: Path) -> Manifest:
    """The manifest of the archive in `root`. Raises NotAnArchive, ManifestError."""
    return decode(stored(root))


def stored(root: Path) -> bytes:
    """What the manifest's file holds. Raises NotAnArchive, ManifestError."""
    path = root / NAME
    try:
        with open(path, "rb", opener=unblocked) as file:
            data = file.read(MANIFEST_BYTES + 1) or b""
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotAnArchive(
            f"{root}: no archive here ({NAME} is missing)",
            "Name the archive's folder, or set ARCHIVER_DIR; 'archiver archive SOURCE --into DIR' makes one.",
        ) from error
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror or error}") from error
    if len(data) > MANIFEST_BYTES:
        raise ManifestError(f"{path}: larger than {MANIFEST_BYTES} bytes")
    return data


def save(root: Path, manifest: Manifest) -> None:
    """Replace manifest.json atomically and durably. Raises StorageError.

    ManifestError when it could not be read again: such a manifest is never written.
    """
    data = encode(manifest)
    decode(data)
    replace_file(root / NAME, data)


def leaf_input(entry: Entry) -> bytes:
    """What the tree commits of a record: its member's SHA-256, 32 bytes."""
    return bytes.fromhex(entry.digest.removeprefix("sha256:"))


def tree_of(manifest: Manifest, committed: Iterable[Entry], watch: Iterable[int] = ()) -> Tree:
    """The tree over the entries of all committed files, in order, with its roots at the sizes in `watch`.

    Raises ManifestError when they are not what the tree head commits: a damaged archive is never
    sealed over.
    """
    tree = Tree(watch)
    tree.extend(leaf_input(entry) for entry in committed)
    if tree_head(tree) != manifest.tree:
        raise ManifestError(
            f"{NAME}: the record lists are not those that the tree head commits",
            "Nothing is sealed over them. Run 'archiver verify' to see what changed.",
        )
    return tree


def tree_head(tree: Tree) -> TreeHead:
    return TreeHead(size=tree.size, root="sha256:" + tree.root().hex())


def signed(manifest: Manifest, at: int, lines: Iterable[tuple[Signature, VerifierKey]]) -> Manifest:
    """The manifest with further signatures of its checkpoint number `at`, and the keys that made them.

    A line or key that is there already is not added again.
    """
    added = list(lines)
    points = [*manifest.checkpoints]
    texts = [*points[at].signatures, *(str(line) for line, _ in added)]
    points[at] = msgspec.structs.replace(points[at], signatures=tuple(dict.fromkeys(texts)))
    keys = dict.fromkeys([*manifest.keys, *(str(key) for _, key in added)])
    return msgspec.structs.replace(manifest, keys=tuple(keys), checkpoints=tuple(points))


def extend(manifest: Manifest, tree: Tree, warc: CommittedWarc, entries: Iterable[Entry]) -> Manifest:
    """The manifest after sealing one more WARC file with these entries over `tree`."""
    tree.extend(leaf_input(entry) for entry in entries)
    note = checkpoint.note(manifest.origin, tree.size, tree.root())
    return msgspec.structs.replace(
        manifest,
        warcs=(*manifest.warcs, warc),
        tree=tree_head(tree),
        checkpoints=(*manifest.checkpoints, Checkpoint(note=note)),
    )
