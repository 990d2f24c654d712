"""The proof of exported records: an evidence bundle's files, or the manifest of all (docs/export.md).

Names are those of docs/evidence.md, in one folder: `timestamps/1.tsr` is `1.tsr`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from archiver.errors import ManifestError
from archiver.exporting.selection import ADVICE, Place, Selection
from archiver.manifest import checkpoint as checkpoints
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.manifest import Checkpoint, Manifest
from archiver.manifest.proofs import Inclusion
from archiver.prove import verify
from archiver.prove.bundle import FORMAT, checkpoint_over, proof_files
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
    proofs = _proofs(selection.root, manifest, made, {place.leaf for place in every})
    out = _flat(proof_files(selection.root, manifest, made))
    for name, places in files.items():
        bundle = {
            "format": FORMAT,
            "subject": selection.subject if name == BUNDLE else places[0].entry.uri or places[0].entry.id,
            "origin": manifest.origin,
            "size": size,
            "members": list(_members(places, proofs)),
        }
        out[name] = verify.dumped(bundle, 2)
    return out


def newest_files(selection: Selection) -> dict[str, bytes]:
    """Beside the manifest of a whole archive: the newest checkpoint with keys and tokens, for other tools."""
    made = selection.manifest.checkpoints[-1]
    return _flat(proof_files(selection.root, selection.manifest, made))


def _flat(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name.rpartition("/")[2]: data for name, data in files.items()}


def _proofs(root: Path, manifest: Manifest, made: Checkpoint, wanted: set[int]) -> dict[int, list[bytes]]:
    """Inclusion proofs in the checkpoint's tree. ManifestError when the record lists are not those of it."""
    _, size, head = checkpoints.parse(made.note)
    tree = Inclusion()
    for warc in manifest.warcs:
        for entry in recordlist.read(root / warc.list.path) if tree.size < size else ():
            tree.append(commitment.leaf_input(entry), wanted=tree.size in wanted)
    if tree.size != size or tree.finish() != head or tree.proofs.keys() != wanted:
        raise ManifestError(f"the checkpoint of {size} records is not that of the record lists", ADVICE)
    return tree.proofs


def _members(places: Sequence[Place], proofs: dict[int, list[bytes]]) -> Iterator[dict[str, Any]]:
    at = 0
    for place in places:
        entry = place.entry
        yield {
            "role": f"imported {entry.type}" if is_imported(place.file) else entry.type,
            "offset": at,
            "length": entry.length,
            "digest": entry.digest,
            "leaf": place.leaf,
            "proof": [each.hex() for each in proofs[place.leaf]],
        }
        at += entry.length
