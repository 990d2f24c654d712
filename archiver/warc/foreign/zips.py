"""The members of a WACZ, addressed in place through the central directory of its ZIP (PKWARE's APPNOTE 6.3).

The directory says where members are and how they are kept; how long a local header is, it says itself.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from archiver.errors import RecordError
from archiver.warc.foreign.kinds import HEAD, recognise_file
from archiver.warc.foreign.source import Source

_EOCD, _EOCD64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT = (1 << 16) + _END.size
_MOST = 500_000  # members
_ENCRYPTED = 1
STORED, DEFLATED = 0, 8
_SUFFIXES = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".wacz")


@dataclass(frozen=True)
class Part:
    """A stretch of the ZIP file: a stored member's bytes, or anything else."""

    start: int
    end: int
    member: str
    stored: bool = False
    hidden: bool = False  # deflated, and by its name made of records
    code: str = "zip"
    reason: str = ""


@dataclass(frozen=True)
class _Entry:
    at: int
    size: int
    method: int
    name: str
    encrypted: bool


def may_hold_records(source: Source, part: Part) -> bool:
    """Whether the member is to be walked: by its name, else by what it begins with."""
    if _is_named_so(part.member):
        return True
    return recognise_file(source.read(part.start, min(HEAD, part.end - part.start))) not in (
        "unknown",
        "wacz",
    )


def _is_named_so(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


def parts(source: Source) -> list[Part]:
    """What the file is made of, in order, without gap or overlap. RecordError when it cannot be told."""
    try:
        start, entries = _entries(source)
    except struct.error as error:
        raise RecordError("its directory is cut") from error
    by_place = {entry.at: entry for entry in reversed(entries) if entry.at < start}
    places = [*sorted(by_place), start]
    found = [Part(0, places[0], "", reason="ZIP: bytes before the first member")] if places[0] else []
    for at, end in pairwise(places):
        found += _member(source, by_place[at], end)
    found.append(Part(start, source.size, "", reason="ZIP: its directory"))
    return [part for part in found if part.end > part.start]


def data_start(source: Source, at: int) -> int | None:
    """Where a member's bytes begin; None where no local header is."""
    head = source.read(at, _LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(LOCAL):
        return None
    *_, name, extra = _LOCAL.unpack(head)
    return at + _LOCAL.size + int(name) + int(extra)


def _member(source: Source, entry: _Entry, end: int) -> Iterator[Part]:
    name, start = entry.name, data_start(source, entry.at)
    if start is None or start + entry.size > end:
        reason = f"ZIP: {name}, whose place in the directory is wrong"
        yield Part(entry.at, end, name, code="zip-damage", reason=reason)
    elif entry.encrypted:
        yield Part(entry.at, end, name, code="zip-damage", reason=f"ZIP: {name}, encrypted")
    elif entry.method == STORED:
        yield Part(entry.at, start, name, reason=f"ZIP: header of {name}")
        yield Part(start, start + entry.size, name, stored=True, reason=f"ZIP: {name}")
        yield Part(start + entry.size, end, name, reason=f"ZIP: what follows {name}")
    elif entry.method == DEFLATED and _is_named_so(name):
        yield Part(entry.at, end, name, hidden=True, code="deflated", reason=f"ZIP: {name}, deflated")
    elif entry.method == DEFLATED:
        yield Part(entry.at, end, name, reason=f"ZIP: {name}")
    else:
        reason = f"ZIP: {name}, compressed by a method that is not read here ({entry.method})"
        yield Part(entry.at, end, name, code="zip-damage", reason=reason)


def _entries(source: Source) -> tuple[int, list[_Entry]]:
    """Where the central directory begins, and what it lists."""
    at, size, start = _directory(source)
    shift = at - size - start  # of a file that has something before the ZIP
    if shift < 0 or size > source.size:
        raise RecordError("its directory is not where it should be")
    at -= size
    entries: list[_Entry] = []
    end = at + size
    while at < end:
        head = source.read(at, _ENTRY.size)
        if not head.startswith(_CENTRAL):
            raise RecordError("its directory is damaged")
        (_, _, _, flags, method, _, _, _, packed, plain, named, extra, comment, _, _, _, place) = (
            _ENTRY.unpack(head)
        )
        names = source.read(at + _ENTRY.size, named + extra)
        packed, place = _wide(names[named:], plain, packed, place)
        name = names[:named].decode("utf-8", "backslashreplace")
        entries.append(_Entry(place + shift, packed, method, name, bool(flags & _ENCRYPTED)))
        if len(entries) > _MOST:
            raise RecordError(f"it has more than {_MOST} members")
        at += _ENTRY.size + named + extra + comment
    return end - size, entries


def _directory(source: Source) -> tuple[int, int, int]:
    """Where the central directory ends, its length, and where it says that it begins."""
    first = max(0, source.size - _COMMENT)
    tail = source.read(first, _COMMENT)
    found = tail.rfind(_EOCD)
    if found < 0:
        raise RecordError("it has no directory")
    *_, size, start, _ = _END.unpack_from(tail, found)
    at = first + found
    locator = source.read(at - 20, 20) if at >= 20 else b""
    if locator.startswith(_LOCATOR64):
        (place,) = struct.unpack("<Q", locator[8:16])
        for where in (
            place,
            at - 20 - _END64.size,
        ):  # as it says, and where it is when something stands before
            wide = source.read(where, _END64.size) if 0 <= where < source.size else b""
            if wide.startswith(_EOCD64):
                *_, size, start = _END64.unpack(wide)
                return where, size, start
    return at, size, start


def _wide(extra: bytes, plain: int, packed: int, place: int) -> tuple[int, int]:
    """Length and place, from the ZIP64 field where they did not fit (section 4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{min(size, len(extra) - at - 4) // 8}Q", extra, at + 4))
            if plain == 0xFFFFFFFF:
                next(values, None)
            packed = next(values, packed) if packed == 0xFFFFFFFF else packed
            place = next(values, place) if place == 0xFFFFFFFF else place
            break
        at += 4 + size
    return packed, place
