"""Step (3): the record list is the committed one. Where it is not, the line is found.

The WARC file itself then says what its lines should be.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from archiver.digests import file_digest
from archiver.errors import ManifestError, RecordError
from archiver.index.reader import describe
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Entry, Finding
from archiver.sandbox import Sandbox
from archiver.warc.read import Member
from archiver.warc.scan import walk

COPY = "Get the record list from another copy of the archive."


def check_list(root: Path, warc: CommittedWarc, entries: list[Entry]) -> Iterator[Finding]:
    """Findings about a record list; `entries` is filled with what the next steps should judge by.

    These are its lines, or, when the list is damaged and the WARC file is not, what the WARC holds.
    """
    path = root / warc.list.path
    try:
        found = file_digest(path)
    except OSError as error:
        yield Finding(
            verdict="incomplete",
            code="missing-list",
            file=warc.list.path,
            message=f"the record list cannot be read: {error.strerror or error}",
            expected=warc.list.digest,
            advice=COPY,
        )
        entries += _from_warc(root, warc)
        return
    lines, broken = _parse(path)
    if found == (warc.list.bytes, warc.list.digest):
        entries += [line for line in lines if line is not None]
        if broken or len(entries) != warc.records:
            yield _finding(warc, "record-list", f"it is the committed file, but not {warc.records} entries")
        return
    yield _finding(
        warc,
        "record-list-digest",
        "the record list is not the committed one",
        expected=f"{warc.list.bytes} bytes, {warc.list.digest}",
        found=f"{found[0]} bytes, {found[1]}",
    )
    intact = _from_warc(root, warc)
    yield from (
        _differences(warc, lines, intact)
        if intact
        else (
            _finding(warc, "record-list-line", f"line {number + 1}: not an entry", record=number)
            for number in broken
        )
    )
    entries += intact or [line for line in lines if line is not None]


def _parse(path: Path) -> tuple[list[Entry | None], list[int]]:
    """Entries by line, None where a line is none; and the numbers of those lines."""
    lines: list[Entry | None] = []
    with path.open("rb") as file:
        for line in recordlist.lines(file):
            try:
                lines.append(recordlist.decode(line))
            except ManifestError:
                lines.append(None)
    return lines, [number for number, line in enumerate(lines) if line is None]


def _from_warc(root: Path, warc: CommittedWarc) -> list[Entry]:
    """What the WARC file says, if it is the committed one; else nothing."""
    path = root / warc.path
    try:
        if file_digest(path) != (warc.bytes, warc.digest):
            return []
        with Sandbox() as sandbox, path.open("rb") as file:
            entries = []
            for span in walk(path):
                file.seek(span.offset)
                entries.append(describe(Member(span.offset, file.read(span.length)), sandbox))
            return entries
    except (OSError, RecordError):
        return []


def _differences(warc: CommittedWarc, lines: list[Entry | None], intact: list[Entry]) -> Iterator[Finding]:
    """The lines that do not say what their record says."""
    for number in range(max(len(lines), len(intact))):
        line = lines[number] if number < len(lines) else None
        record = intact[number] if number < len(intact) else None
        if record is None:
            yield _finding(
                warc, "record-list-line", f"line {number + 1}: there is no such record", record=number
            )
        elif line is None:
            what = "missing" if number >= len(lines) else "not an entry"
            yield _finding(warc, "record-list-line", f"line {number + 1}: {what}", record=number, of=record)
        elif said := differing(line, record):
            yield _finding(
                warc,
                "record-list-line",
                f"line {number + 1}: not what the record says: {', '.join(said)}",
                record=number,
                of=record,
                expected=_some(record, said),
                found=_some(line, said),
            )


def differing(line: Entry, record: Entry) -> list[str]:
    """Names of the fields in which a line differs from its record.

    Hashes count only where both have the same label: libraries of another version hash otherwise.
    """
    names = [name for name in Entry.__struct_fields__ if getattr(line, name) != getattr(record, name)]
    if "picture" in names and line.picture and record.picture:
        same = {**record.picture.hashes, **line.picture.hashes}
        both = record.picture.hashes.keys() & line.picture.hashes.keys()
        equal = all(record.picture.hashes[label] == line.picture.hashes[label] for label in both)
        bare = [msgspec.structs.replace(picture, hashes=same) for picture in (line.picture, record.picture)]
        if (
            equal
            and bare[0] == bare[1]
            and (not both or line.picture.hashes.keys() == record.picture.hashes.keys())
        ):
            names.remove("picture")
    return names


def _some(entry: Entry, names: list[str]) -> str:
    return msgspec.json.encode({name: getattr(entry, name) for name in names}).decode()


def _finding(
    warc: CommittedWarc,
    code: str,
    message: str,
    *,
    record: int | None = None,
    of: Entry | None = None,
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    return Finding(
        verdict="failed",
        code=code,
        file=warc.list.path,
        message=message,
        record=record,
        offset=of.offset if of else None,
        id=of.id if of else None,
        uri=of.uri if of else None,
        expected=expected,
        found=found,
        advice=COPY,
    )
