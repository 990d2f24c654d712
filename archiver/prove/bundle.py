"""The evidence bundle: stored members with their proofs, as one ZIP (docs/evidence.md)."""

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from archiver.digests import digest
from archiver.errors import ManifestError, RecordError, StorageError, TimestampError, UsageError
from archiver.manifest import checkpoint as checkpoints
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist, signednote, timestamp
from archiver.manifest.manifest import Checkpoint, Manifest
from archiver.manifest.proofs import Inclusion
from archiver.model import Entry, Location
from archiver.prove import verify
from archiver.prove.exhibits import Exhibit
from archiver.prove.report import Case, write_report
from archiver.prove.subject import Chosen, choose, imported_places
from archiver.sandbox import Sandbox
from archiver.storage import give_name, is_imported, storage_error, sync_folder, write_new
from archiver.warc.read import read_committed

FORMAT = "archiver-evidence/1"
CAPTURE_BYTES = 700 << 20  # a verifier takes 1 GiB; the report's pictures need room, too
TRUST_BYTES = 1 << 20  # of one file in it
_ADVICE = "Nothing was written. 'archiver verify' says what is damaged."
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


@dataclass(frozen=True)
class Made:
    """A bundle that was written."""

    subject: str
    records: int
    bytes: int
    unsealed: int  # chosen records that are not in it, since nothing commits them yet
    size: int  # of the tree of its checkpoint
    signatures: int
    timestamps: int
    said: tuple[str, ...]  # by its own verifier


@dataclass(frozen=True)
class _Place:
    """A chosen record: its file, its line, its leaf in the tree."""

    file: str
    entry: Entry
    leaf: int


def prove(root: Path, db: sqlite3.Connection, named: str, into: Path) -> Made:
    """Write the evidence for a URL, an article's number or a payload's digest; `db` is the catalogue.

    What it needs of the archive is checked first, and the finished bundle by its own verifier, before it gets
    its name. UsageError when the archive has nothing of it, or `into` is there; RecordError and ManifestError
    when something is damaged; StorageError.
    """
    if os.path.lexists(into):
        raise UsageError(f"{into}: is there already", "Evidence is never written over: name another file.")
    manifest = commitment.load(root)
    chosen = choose(db, root, named)
    places, leaves, unsealed = _located(root, manifest, chosen.records, imported_places(db, chosen.records))
    if not places:
        raise UsageError(f"nothing of {named} is sealed yet", "Wait until the run has ended.")
    number = checkpoint_over(manifest, places[-1].file)
    made = manifest.checkpoints[number]
    inputs = (bytes(leaves[at : at + 32]) for at in range(0, len(leaves), 32))
    proofs = inclusion_proofs(made, inputs, {place.leaf for place in places})
    stored = [_member(root, place) for place in places]
    if sum(map(len, stored)) > CAPTURE_BYTES:
        raise UsageError(
            f"{named} has {sum(map(len, stored))} bytes of records; a bundle holds {CAPTURE_BYTES}",
            "Ask for a picture's URL or digest instead.",
        )
    exhibits = [_exhibit(place, member, chosen) for place, member in zip(places, stored, strict=True)]
    files = proof_files(root, manifest, made)
    _, size, head = checkpoints.parse(made.note)
    files["bundle.json"] = verify.dumped(
        {
            "format": FORMAT,
            "subject": chosen.subject,
            "origin": manifest.origin,
            "size": size,
            "members": list(member_rows(((each.role, each.entry, each.leaf) for each in exhibits), proofs)),
        },
        2,
    )
    files["capture.warc.gz"] = b"".join(stored)
    with Sandbox() as sandbox:
        case = Case(chosen.subject, manifest.origin, size, head, made, manifest.keys, exhibits)
        files["report.html"] = write_report(case, sandbox)
    files["verify.py"] = Path(verify.__file__).read_bytes()
    lines = (f"{digest(files[name]).removeprefix('sha256:')}  {name}\n" for name in sorted(files))
    files["SHA256SUMS"] = "".join(lines).encode()
    data = verify.zipped(files)
    said = _written(into, data)
    return Made(
        subject=chosen.subject,
        records=len(places),
        bytes=len(data),
        unsealed=unsealed,
        size=size,
        signatures=len(made.signatures),
        timestamps=len(made.timestamps),
        said=tuple(said),
    )


def _exhibit(place: _Place, member: bytes, chosen: Chosen) -> Exhibit:
    original, imported = place.entry.id in chosen.originals, is_imported(place.file)
    return Exhibit(place.entry, member, place.leaf, original=original, imported=imported)


def _located(
    root: Path, manifest: Manifest, wanted: set[str], imports: Mapping[tuple[str, int], str]
) -> tuple[list[_Place], bytearray, int]:
    """Where the wanted records lie, with the warcinfo of each file; all leaves; how many are not sealed.

    `imports`: file and offset of those that were imported, whose ids may be anything. Raises ManifestError
    when the record lists are not those of the tree head.
    """
    places: list[_Place] = []
    leaves, found = bytearray(), set[str]()

    def entries() -> Iterator[Entry]:
        for warc in manifest.warcs:
            here: list[_Place] = []
            first: _Place | None = None
            ours = not is_imported(warc.path)
            for entry in recordlist.read(root / warc.list.path):
                place = _Place(warc.path, entry, len(leaves) // 32)
                leaves.extend(commitment.leaf_input(entry))
                first = first or (place if ours or entry.type == "warcinfo" else None)
                if entry.id in wanted if ours else (warc.path, entry.offset) in imports:
                    here.append(place)
                    found.add(entry.id if ours else imports[warc.path, entry.offset])
                yield entry
            places.extend([first] if here and first and here[0] is not first else [])
            places.extend(here)

    commitment.tree_of(manifest, entries())
    return places, leaves, len(wanted - found)


def checkpoint_over(manifest: Manifest, last: str) -> int:
    """The number of the first checkpoint that commits the file and is stamped, else signed, else any.

    The earliest says most: its records have been unaltered since then.
    """
    first = next(number for number, warc in enumerate(manifest.warcs) if warc.path == last)
    if len(manifest.checkpoints) != len(manifest.warcs):
        raise ManifestError("the manifest has not one checkpoint for each WARC file", _ADVICE)
    later = range(first, len(manifest.checkpoints))
    made = manifest.checkpoints
    return min(later, key=lambda each: (not made[each].timestamps, not made[each].signatures, each))


def inclusion_proofs(made: Checkpoint, leaves: Iterable[bytes], wanted: set[int]) -> dict[int, list[bytes]]:
    """Number of a leaf → its proof in the checkpoint's tree (RFC 9162 section 2.1.3).

    `leaves`: the inputs of all, in order. ManifestError when they are not those of that tree.
    """
    _, size, head = checkpoints.parse(made.note)
    tree = Inclusion()
    for number, leaf in enumerate(islice(leaves, size)):
        tree.append(leaf, wanted=number in wanted)
    if tree.size != size or tree.finish() != head or tree.proofs.keys() != wanted:
        raise ManifestError(f"the checkpoint of {size} records is not that of the record lists", _ADVICE)
    return tree.proofs


def _member(root: Path, place: _Place) -> bytes:
    """The stored bytes, which must have the digest that the tree commits."""
    entry = place.entry
    location = Location(file=place.file, offset=entry.offset, length=entry.length)
    return read_committed(root, location, entry.digest, _ADVICE)


def member_rows(
    members: Iterable[tuple[str, Entry, int]], proofs: Mapping[int, list[bytes]]
) -> Iterator[dict[str, Any]]:
    """The rows of bundle.json, in the order of its format, of (role, line, leaf) in that of the capture."""
    at = 0
    for role, entry, leaf in members:
        yield {
            "role": role,
            "offset": at,
            "length": entry.length,
            "digest": entry.digest,
            "leaf": leaf,
            "proof": [each.hex() for each in proofs[leaf]],
        }
        at += entry.length


def proof_files(root: Path, manifest: Manifest, made: Checkpoint) -> dict[str, bytes]:
    """The signed note, the keys, and the tokens with what they cover."""
    files = {
        "checkpoint.txt": signednote.join(made.note, made.signatures).encode(),
        "keys.txt": "".join(f"{key}\n" for key in manifest.keys).encode(),
    }
    for number, stamp in enumerate(made.timestamps, 1):
        ending = "tsr" if stamp.kind == "rfc3161" else "ots"
        try:
            files[f"timestamps/{number}.{ending}"] = timestamp.decode(stamp.token)
            files[f"timestamps/{number}.txt"] = made.stamped(stamp.over)
        except TimestampError as error:
            raise ManifestError(f"a timestamp of {stamp.authority}: {error}", _ADVICE) from error
    roots = _roots(root / timestamp.TRUST)
    if roots and made.timestamps:
        files["timestamps/roots.pem"] = roots
    return files


def _roots(folder: Path) -> bytes:
    """Every certificate in the files of trust/, each once. What is no file, or is large, is left out."""
    found: set[bytes] = set()
    try:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and path.stat().st_size <= TRUST_BYTES:
                found.update(_CERTIFICATE.findall(path.read_bytes()))
    except OSError as error:
        raise StorageError(f"cannot read {folder}: {error.strerror or error}", _ADVICE) from error
    return b"".join(each + b"\n" for each in sorted(found))


def _written(into: Path, data: bytes) -> list[str]:
    """Write the bundle beside, let its own verifier judge it, give it its name; what the verifier said."""
    beside, said = into.with_name(f".{into.name}.new"), list[str]()
    try:
        beside.unlink(missing_ok=True)
        write_new(beside, data)
        if verify.judge(str(beside), [], b"", said.append):
            raise RecordError(f"the bundle would not hold: {said[-1]}", _ADVICE)
        give_name(beside, into)
    except OSError as error:
        raise storage_error(into, error) from error
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(into.parent)
    return said
