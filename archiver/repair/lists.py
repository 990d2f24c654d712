"""A record list made again from what is left: of its own lines, of copies' lines, and of the records.

A line says where its record lies, so lines of several damaged lists can be put in order. What a record says
of itself (the one reader) tells a changed line from a right one. The committed digest judges the result.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archiver.digests import digest
from archiver.errors import ManifestError, RecordError
from archiver.index.reader import describe, describe_stretch
from archiver.manifest import recordlist
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Entry
from archiver.repair.copies import LocalBytes
from archiver.sandbox import Sandbox
from archiver.verify.lists import differing
from archiver.warc.foreign import stretches
from archiver.warc.read import Member
from archiver.warc.scan import walk

TRIALS = 4096  # ways to choose among lines that contradict each other
_TRIAL_BYTES = 1 << 30  # of all trials together


def described(file: LocalBytes, sandbox: Sandbox, *, imported: bool = False) -> Iterator[Entry]:
    """What the whole records of a file say of themselves, damaged as it may be; `imported`: one of others."""
    if not file.readable():
        return
    try:
        if imported:
            yield from (describe_stretch(stretch, sandbox) for stretch in stretches(file.file))
            return
        spans = walk(file.file)
    except RecordError:
        return
    for span in spans:
        if span.record:
            try:
                yield describe(Member(span.offset, file.read(span.offset, span.length)), sandbox)
            except (OSError, RecordError):
                continue


def merge(warc: CommittedWarc, lists: Iterable[bytes], records: Iterable[Entry]) -> bytes | None:
    """The committed record list of a WARC file; None when these lines and records do not give it."""
    derived: dict[str, Entry] = {}
    lines: dict[int, list[bytes]] = {}
    for data in lists:
        for line in data.splitlines(keepends=True):
            _add(lines, line)
    stored = {at: list(there) for at, there in lines.items()}
    for record in records:
        derived.setdefault(record.digest, record)
        _add(lines, recordlist.encode(record))
    # Another version of the reader may say other things of all records: then only lines are tried.
    return _search(warc, lines, derived) or _search(warc, stored, {})


def _search(
    warc: CommittedWarc, lines: Mapping[int, list[bytes]], derived: Mapping[str, Entry]
) -> bytes | None:
    chain = _chain(warc, lines, derived)
    if chain is None:
        return None
    trials = min(TRIALS, max(1, _TRIAL_BYTES // max(1, warc.list.bytes)))
    for chosen in itertools.islice(_choices(chain), trials):
        data = b"".join(chosen)
        if len(data) == warc.list.bytes and digest(data) == warc.list.digest:
            return data
    return None


def _add(lines: dict[int, list[bytes]], line: bytes) -> None:
    try:
        there = lines.setdefault(recordlist.decode(line).offset, [])
    except ManifestError:
        return
    if line not in there:
        there.append(line)


def _chain(
    warc: CommittedWarc, lines: Mapping[int, list[bytes]], derived: Mapping[str, Entry]
) -> list[list[bytes]] | None:
    """For each record of the file the lines that are likeliest its own; None when a record has none."""
    chain, at = [], 0
    while at < warc.bytes:
        ends = {line: at + recordlist.decode(line).length for line in lines.get(at, ())}
        leading = [line for line, end in ends.items() if end > at and (end in lines or end == warc.bytes)]
        doubts = {line: _doubt(line, derived) for line in leading}
        likely = [line for line in leading if doubts[line] == min(doubts.values())]
        if not likely:
            return None
        chain.append([line for line in likely if ends[line] == ends[likely[0]]])
        at = ends[likely[0]]
    return chain


def _doubt(line: bytes, derived: Mapping[str, Entry]) -> int:
    """0: the record says the same · 1: the record is not here · 2: it says something else."""
    entry = recordlist.decode(line)
    record = derived.get(entry.digest)
    if record is None:
        return 1
    return 2 if set(differing(entry, record)) - {"offset"} else 0


def _choices(chain: Sequence[Sequence[bytes]]) -> Iterator[list[bytes]]:
    """One line for each record: first the likeliest of all, then with others in their place."""
    open_ = [number for number, lines in enumerate(chain) if len(lines) > 1]
    first = [lines[0] for lines in chain]
    for choice in itertools.product(*(chain[number] for number in open_)):
        for number, line in zip(open_, choice, strict=True):
            first[number] = line
        yield first
