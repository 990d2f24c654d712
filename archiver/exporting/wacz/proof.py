"""The proof of exported records: an evidence bundle's files, or the manifest of all (docs/export.md).

Names are those of docs/evidence.md, in one folder: `timestamps/1.tsr` is `1.tsr`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archiver.exporting.selection import Place, Selection
from archiver.manifest import checkpoint as checkpoints
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import Manifest
from archiver.model import Entry
from archiver.prove import verify
from archiver.prove.bundle import FORMAT, checkpoint_over, inclusion_proofs, member_rows, proof_files
from archiver.storage import is_imported

FOLDER = "proof/"
BUNDLE, PLAIN_BUNDLE = "bundle.json", "plain.json"


def bundle_files(selection: Selection, files: Mapping[str, Sequence[Place]]) -> dict[str, bytes]:
    """Name → bytes of what proves records. `files`: for each bundle the records of a WARC file, in order.

    With that WARC file as `capture.warc.gz` they are an evidence bundle. Raises ManifestError, StorageError.
    """
    manifest = selection.manifest
    every = [place for places in files.values() for place in places]
    last = max(every, key=lambda place: place.leaf)
    made = manifest.checkpoints[checkpoint_over(manifest, last.file)]
    _, size, _ = checkpoints.parse(made.note)
    wanted = {place.leaf for place in every}
    proofs = inclusion_proofs(made, _leaves(selection.root, manifest), wanted)
    out = _flat(proof_files(selection.root, manifest, made))
    for name, places in files.items():
        bundle = {
            "format": FORMAT,
            "subject": selection.subject if name == BUNDLE else places[0].entry.uri or places[0].entry.id,
            "origin": manifest.origin,
            "size": size,
            "members": list(member_rows(map(_member, places), proofs)),
        }
        out[name] = verify.dumped(bundle, 2)
    return out


def newest_files(selection: Selection) -> dict[str, bytes]:
    """Beside the manifest of a whole archive: the newest checkpoint with keys and tokens, for other tools."""
    made = selection.manifest.checkpoints[-1]
    return _flat(proof_files(selection.root, selection.manifest, made))


def _flat(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name.rpartition("/")[2]: data for name, data in files.items()}


def _leaves(root: Path, manifest: Manifest) -> Iterator[bytes]:
    """Inputs of all leaves, list after list, as far as they are asked for."""
    for warc in manifest.warcs:
        yield from map(commitment.leaf_input, recordlist.read(root / warc.list.path))


def _member(place: Place) -> tuple[str, Entry, int]:
    kind = place.entry.type
    return f"imported {kind}" if is_imported(place.file) else kind, place.entry, place.leaf
