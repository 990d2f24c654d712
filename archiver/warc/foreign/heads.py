"""The header of a WARC record of any version and manner (WARC/1.1 section 4), read as far as it can be."""

import re
from collections.abc import Sequence

from archiver.warc.foreign.nouns import Fields, Problem, ordinary_fields
from archiver.warc.foreign.source import Source
from archiver.warc.http import HEAD_BYTES

BEGINS = re.compile(
    rb"(?i:WARC)/[0-9]\.[0-9]{1,2}[ \t]{0,64}\r{0,4}\n[A-Za-z][A-Za-z0-9_-]{0,63}[ \t]{0,64}:"
)
LONGEST = 256  # bytes of a match
KNOWN = ("0.17", "0.18", "1.0", "1.1")
_END = re.compile(rb"\n\r{0,4}\n")
_VERSION = re.compile(rb"WARC/([0-9]{1,3}\.[0-9]{1,3})[ \t]*\Z", re.IGNORECASE)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
ORDINARY = re.compile(  # nothing is wrong with such a header, and nothing is folded
    rb"WARC/(?:1\.[01]|0\.1[78])\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+\r\n"
)
NEAR, _LONGEST_END = 4096, 6
_STEP = 1 << 16  # how much further a header has to reach than those before it for another look


def begins_warc(data: bytes) -> bool:
    """Whether a record may begin so. Version lines are told without case, as those of RFC 5234 are."""
    return data[:5].upper() == b"WARC/"


def head_at(source: Source, at: int) -> bytes | None:
    """The header with the empty line that ends it; None when it has no end within HEAD_BYTES."""
    found = _END.search(data := source.read(at, NEAR))
    if found:
        return data[: found.end()]
    if len(data) < NEAR:
        return None
    first, last = source.barren
    start = max(at, last - _LONGEST_END) if first <= at < last else at
    if at + HEAD_BYTES - start < _STEP:
        return None
    found = _END.search(source.read(start, at + HEAD_BYTES - start))
    if found:
        return source.read(at, start + found.end() - at)
    source.barren = (first if start > at else at, at + HEAD_BYTES)
    return None


class _Problems:
    """The first of each kind: a header of a million bad lines is one finding."""

    def __init__(self) -> None:
        self.found: dict[str, Problem] = {}

    def add(self, code: str, message: str, offset: int) -> None:
        self.found.setdefault(code, Problem(code, message, offset))


def parse_head(head: bytes) -> tuple[str, Fields, Sequence[Problem]] | None:
    """Version, fields in order, and what is wrong; None when it does not begin with a version line."""
    if ORDINARY.fullmatch(head):
        return head.partition(b"\r\n")[0].decode(), ordinary_fields(head), ()
    problems = _Problems()
    lines = head.split(b"\n")[:-2]  # the last two are the empty line, and nothing after it
    found = _VERSION.match(lines[0].rstrip(b"\r")) if lines else None
    if found is None:
        return None
    version = found[1].decode()
    if version not in KNOWN:
        problems.add("version", f"{found[0].decode()!r} is no version that is known", 0)
    fields: list[tuple[str, list[str]]] = []
    at = 0
    for number, ended in enumerate(lines):
        line = ended.rstrip(b"\r")
        if len(ended) - len(line) != 1:
            problems.add("line-end", "a header line does not end with CRLF", at)
        if number:
            _line(line, at, fields, problems)
        at += len(ended) + 1
    if head[at:] != b"\r\n":
        problems.add("line-end", "the line that ends the header is not CRLF", at)
    return (
        f"WARC/{version}",
        tuple((name, " ".join(parts)) for name, parts in fields),
        tuple(problems.found.values()),
    )


def _line(line: bytes, at: int, fields: list[tuple[str, list[str]]], problems: _Problems) -> None:
    if _CONTROL.search(line):
        problems.add("control", "a control character in the header", at)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        problems.add("encoding", "the header is not UTF-8", at)
        text = line.decode("utf-8", "backslashreplace")
    if text[:1] in (" ", "\t") and fields:
        problems.add("folded", "a header field is folded over several lines", at)
        fields[-1][1].append(text.strip(" \t"))
        return
    name, colon, value = text.partition(":")
    if not colon:
        problems.add("no-colon", f"a header line without a colon: {text[:80]!r}", at)
        return
    if not _NAME.match(line.partition(b":")[0]):
        problems.add("field-name", f"{name[:80]!r} is no name of a field", at)
    fields.append((name.strip().lower(), [value.strip(" \t")]))
