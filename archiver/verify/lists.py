"""Step (3): the record list is the committed one. Where it is not, the line is found.

The WARC file itself, if it is the committed one, then says what its lines should be.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from archiver.digests import digest
from archiver.errors import ManifestError, RecordError
from archiver.index.reader import describe, describe_stretch
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Entry, Finding, Verdict
from archiver.sandbox import Sandbox
from archiver.storage import is_imported, open_plain, open_stored, stored_at
from archiver.verify.align import common, gaps
from archiver.verify.files import COPY, Facts, committed, measure
from archiver.verify.findings import of_record
from archiver.warc.foreign import stretches
from archiver.warc.read import Member, members

_MORE_LINES = 100  # read beyond the committed number, to name lines that were added

Lines = Sequence[Entry | None]  # None: a line that is no entry


def read_list(root: Path, warc: CommittedWarc, sizes: set[int]) -> tuple[Facts, list[Entry | None]]:
    """What lies where the record list should be: its facts and its lines. Raises OSError."""
    with open_plain(stored_at(root, warc.list.path)) as file:
        facts = measure(file, sizes)
        file.seek(0)
        limit = None if facts == committed(warc.list) else warc.records + _MORE_LINES
        return facts, [_entry(line) for line in islice(recordlist.lines(file), limit)]


def _entry(line: bytes) -> Entry | None:
    try:
        return recordlist.decode(line)
    except ManifestError:
        return None


def captures(root: Path, warc: CommittedWarc, most: int) -> list[str]:
    """URLs of the first captures that a record list names; none where it is not the committed one."""
    try:
        facts, lines = read_list(root, warc, {warc.list.bytes})
    except OSError:
        return []
    if facts != committed(warc.list):
        return []
    kinds = ("response", "resource", "revisit")
    uris = (line.uri for line in lines if line and line.uri and line.type in kinds)
    return list(islice(dict.fromkeys(uris), most))


def derive(root: Path, warc: CommittedWarc, sandbox: Sandbox) -> list[Entry] | None:
    """What the WARC file says its lines are; None when it is not made of WARC records."""
    try:
        with open_stored(root, warc.path) as file:
            if is_imported(warc.path):
                return [describe_stretch(stretch, sandbox) for stretch in stretches(file)]
            return [describe(Member(member.offset, member.stored), sandbox) for member in members(file)]
    except (OSError, RecordError):
        return None


def compare(warc: CommittedWarc, lines: Lines, records: Sequence[Entry]) -> Iterator[Finding]:
    """The lines that do not say what their records say."""
    # When the WARC gives the committed list again to the byte, every difference counts; otherwise see
    # `differing`.
    exact = digest(b"".join(recordlist.encode(record) for record in records)) == warc.list.digest
    expected = [record.digest for record in records]
    pairs = common(expected, [line.digest if line else None for line in lines])
    moved = _moved(expected, lines, pairs)
    elsewhere, digests = set(moved.values()), set(expected)
    for i, j in pairs:
        yield from _differs(warc, j, lines[j], records[i], exact=exact)
    for lost, extra in gaps(pairs, len(records), len(lines)):
        there = [j for j in extra if j not in elsewhere]
        gone = [i for i in lost if i not in moved]
        for i in lost:
            if i in moved:
                message = f"it stands in line {moved[i] + 1} instead of line {i + 1}"
                yield _line(warc, "moved-line", message, i, records[i])
        for i, j in zip(gone, there, strict=False):
            yield from _differs(warc, j, lines[j], records[i], exact=True)
        for i in gone[len(there) :]:
            yield _line(warc, "missing-line", "its line is missing", i, records[i], verdict="incomplete")
        for j in there[len(gone) :]:
            line = lines[j]
            message = "names a record once more" if line and line.digest in digests else "names no record"
            yield _line(warc, "added-line", f"line {j + 1} {message}", j, line)


def _moved(expected: Sequence[str], lines: Lines, pairs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Records whose line stands elsewhere: record → line."""
    placed, in_order = {i for i, _ in pairs}, {j for _, j in pairs}
    loose: dict[str, deque[int]] = defaultdict(deque)
    for j, line in enumerate(lines):
        if line is not None and j not in in_order:
            loose[line.digest].append(j)
    return {i: loose[d].popleft() for i, d in enumerate(expected) if i not in placed and loose.get(d)}


def _differs(
    warc: CommittedWarc, number: int, line: Entry | None, record: Entry, *, exact: bool
) -> Iterator[Finding]:
    if line is None:
        yield _line(warc, "changed-line", f"line {number + 1} is not an entry", number, record)
    elif names := differing(line, record, exact=exact):
        yield _line(
            warc,
            "changed-line",
            f"line {number + 1} is not what the record says: {', '.join(names)}",
            number,
            record,
            expected=_some(record, names),
            found=_some(line, names),
        )


def differing(line: Entry, record: Entry, *, exact: bool = False) -> list[str]:
    """Names of the fields in which a line differs from its record.

    Unless `exact`, hashes count only where both have the same label: libraries of another version
    hash otherwise, and can decode what others refuse. Kind and quality count where all labels are the same.
    """
    if not exact:
        line, record = _comparable(line, record), _comparable(record, line)
    return [name for name in Entry.__struct_fields__ if getattr(line, name) != getattr(record, name)]


def _comparable(entry: Entry, other: Entry) -> Entry:
    """The entry without what only the version of the picture libraries decides."""
    replace, ours, theirs = msgspec.structs.replace, entry.picture, other.picture
    entry = replace(entry, unreadable=None)
    if ours is None or theirs is None:
        return replace(entry, picture=None) if other.unreadable else entry
    if ours.hashes and ours.hashes.keys() == theirs.hashes.keys():
        return entry
    hashes = {label: value for label, value in ours.hashes.items() if label in theirs.hashes}
    return replace(entry, picture=replace(ours, hashes=hashes, kind="photograph", quality=None))


def _some(entry: Entry, names: list[str]) -> str:
    return msgspec.json.encode({name: getattr(entry, name) for name in names}).decode()


def _line(
    warc: CommittedWarc,
    code: str,
    message: str,
    number: int,
    of: Entry | None,
    *,
    verdict: Verdict = "failed",
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    return of_record(
        warc.list.path,
        number,
        of,
        code,
        message,
        advice=COPY,
        verdict=verdict,
        expected=expected,
        found=found,
    )
