"""The proof in a WACZ that `archiver export wacz` wrote: an evidence bundle's files, or the manifest of all.

docs/evidence.md and docs/manifest.md specify both. Signatures are held against the keys beside them: they say
that the checkpoint was not changed, and not whose it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from archiver.digests import digest
from archiver.errors import ArchiverError, ManifestError, RecordError, TimestampError
from archiver.lint.head import Said
from archiver.lint.wacz.signature import Roots
from archiver.lint.wacz.zips import Zip
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.manifest.timestamp import judge
from archiver.model import Entry
from archiver.prove import verify

FOLDER, CAPTURE = "proof/", "archive/records.warc.gz"
_BUNDLE, _MANIFEST = FOLDER + "bundle.json", FOLDER + commitment.NAME
_BYTES = 256 << 20


def judge_proof(parts: Zip, resources: Mapping[str, str], roots: Roots, said: Said) -> bool:
    """Whether there is a proof. `resources`: the hashes of datapackage.json, which were compared."""
    judges = {_BUNDLE: lambda: _bundle(parts, roots), _MANIFEST: lambda: _manifest(parts, resources)}
    there = [name for name in judges if name in parts.infos]
    for name in there:
        try:
            judges[name]()
        except (verify.Wrong, ArchiverError) as error:
            said.append(("proof-bad", f"{name}: {error}"))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
            said.append(("proof-bad", f"{name}: not of its form: {error!r:.200}"))
    return bool(there)


def _whole(parts: Zip, name: str) -> bytes:
    if name not in parts.infos:
        raise RecordError(f"there is no {name}")
    return parts.whole(name, _BYTES)


def _bundle(parts: Zip, roots: Roots) -> None:
    """Each record of the capture lies in the tree whose head the checkpoint has."""
    bundle = verify.parsed(_whole(parts, _BUNDLE), "bundle.json", 2)
    note, lines = _checkpoint(parts)
    origin, size, head = note.removesuffix("\n").split("\n")
    verify.check([origin, size] == [bundle["origin"], str(bundle["size"])], "checkpoint.txt: of another tree")
    top = verify.unbase64(head)
    capture = parts.place(CAPTURE) if CAPTURE in parts.infos and parts.stored(CAPTURE) else None
    verify.check(capture is not None, f"there is no {CAPTURE}")
    for number, member in enumerate(bundle["members"]):
        _member(number, member, capture, bundle["size"], top)
    verify.check(capture and not capture.read(1), f"{CAPTURE} has more bytes than its records")
    _stamps(parts, note, lines, roots)


def _member(number: int, member: dict[str, Any], capture: Any, size: int, top: bytes) -> None:
    length = member["length"]
    verify.check(type(length) is int and 0 < length <= verify.RECORD, f"record {number}: its length")
    found = digest(capture.read(length))
    verify.check(found == member["digest"], f"record {number} of {CAPTURE} was changed")
    path = [bytes.fromhex(each) for each in member["proof"]]
    led = verify.led_to(verify.leaf(found), member["leaf"], size, path)
    verify.check(led == top, f"record {number} of {CAPTURE} is not in the tree")


def _checkpoint(parts: Zip) -> tuple[str, list[str]]:
    """The checkpoint's text and its signature lines, which hold."""
    note, _, tail = _whole(parts, f"{FOLDER}checkpoint.txt").decode().partition("\n\n")
    lines = tail.splitlines()
    keys = _whole(parts, f"{FOLDER}keys.txt").decode().splitlines()
    verify.check_signed(f"{note}\n", lines, keys, [], lambda _: None)
    return f"{note}\n", lines


def _stamps(parts: Zip, note: str, lines: list[str], roots: Roots) -> None:
    """RFC 3161 tokens are over the checkpoint; of OpenTimestamps nothing is judged here."""
    texts = [
        note,
        *(f"{note}\n" + "".join(f"{line}\n" for line in lines[: at + 1]) for at in range(len(lines))),
    ]
    for name in parts.infos:
        if name.startswith(FOLDER) and name.endswith(".tsr"):
            text = _whole(parts, f"{name.removesuffix('.tsr')}.txt")
            verify.check(text.decode() in texts, f"{name}: its text is not the checkpoint")
            try:
                judge(_whole(parts, name), text, roots)
            except TimestampError as error:
                raise verify.Wrong(f"{name}: {error}") from error


def _manifest(parts: Zip, resources: Mapping[str, str]) -> None:
    """The record lists give the manifest's tree, and the WARC files here are those that it commits."""
    manifest = commitment.decode(_whole(parts, _MANIFEST))
    for warc in manifest.warcs:
        name = f"archive/{warc.path.rpartition('/')[2]}"
        if name in parts.infos and resources.get(name) != warc.digest:
            raise ManifestError(f"{name} is not the file that the manifest commits")
    commitment.tree_of(manifest, _entries(parts, manifest))


def _entries(parts: Zip, manifest: commitment.Manifest) -> Iterator[Entry]:
    for warc in manifest.warcs:
        data = _whole(parts, FOLDER + warc.list.path.rpartition("/")[2])
        if digest(data) != warc.list.digest:
            raise ManifestError(f"{warc.list.path} is not the list that the manifest commits")
        yield from map(recordlist.decode, data.splitlines(keepends=True))
