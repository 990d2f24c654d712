"""Step (4): a WARC file is the committed one, member by member."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from archiver.errors import ManifestError
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedWarc, Manifest
from archiver.model import Entry, Finding, Verdict
from archiver.verify.locate import locate

BLOCK = 1 << 20


def check_warc(
    root: Path, manifest: Manifest, warc: CommittedWarc, entries: Sequence[Entry]
) -> Iterator[Finding]:
    """Findings about one WARC file, judged by its committed digest and its entries."""
    try:
        size, found, hold = _read(root / warc.path, entries)
    except OSError as error:
        message = f"the WARC file cannot be read: {error.strerror or error}"
        yield _whole(warc, "missing-warc", message, verdict="incomplete")
        return
    fit = hold and _tiled(entries, size)
    if (size, found) == (warc.bytes, warc.digest):
        if not fit:
            yield _whole(
                warc, "record-list-layout", "the file is intact, but its record list does not fit it"
            )
    elif fit:
        yield _whole(warc, "manifest-warc", "every record is intact, but the manifest says otherwise", found)
    elif other := next((w.path for w in manifest.warcs if (w.bytes, w.digest) == (size, found)), None):
        yield _whole(warc, "swapped-file", f"it holds the bytes of {other}", found)
    else:
        located = list(locate(root, warc.path, entries))
        yield from located
        if not located:
            yield _whole(warc, "warc-digest", "the file is not the committed one", f"{size} bytes, {found}")


def check_uncommitted(root: Path) -> Iterator[Finding]:
    """Without a manifest: each WARC file judged by its record list alone."""
    for path in sorted((root / "warcs").glob("*.warc.gz")):
        name = f"warcs/{path.name}"
        listed = path.with_name(path.name.removesuffix(".warc.gz") + ".records.jsonl")
        try:
            entries = recordlist.read(listed)
            size, _, hold = _read(path, entries)
        except (ManifestError, OSError) as error:
            yield Finding(verdict="unverifiable", code="no-list", file=name, message=str(error))
            continue
        if not hold or not _tiled(entries, size):
            yield from locate(root, name, entries)


def _read(path: Path, entries: Sequence[Entry]) -> tuple[int, str, bool]:
    """One pass over the file: its size and digest, and whether every member's digest holds."""
    whole = hashlib.sha256()
    hold = True
    with path.open("rb") as file:
        for entry in entries:
            if entry.offset != file.tell():
                break
            member = hashlib.sha256()
            left = entry.length
            while left > 0 and (data := file.read(min(left, BLOCK))):
                whole.update(data)
                member.update(data)
                left -= len(data)
            hold = hold and not left and entry.digest == "sha256:" + member.hexdigest()
        while data := file.read(BLOCK):
            whole.update(data)
        return file.tell(), "sha256:" + whole.hexdigest(), hold


def _tiled(entries: Sequence[Entry], size: int) -> bool:
    """Whether the entries cover the file from its first byte to its last, without gap or overlap."""
    end = 0
    for entry in entries:
        if entry.offset != end or entry.length <= 0:
            return False
        end += entry.length
    return end == size


def _whole(
    warc: CommittedWarc, code: str, message: str, found: str | None = None, verdict: Verdict = "failed"
) -> Finding:
    return Finding(
        verdict=verdict,
        code=code,
        file=warc.path,
        message=message,
        expected=f"{warc.bytes} bytes, {warc.digest}",
        found=found,
        advice="Get the file from another copy of the archive.",
    )
