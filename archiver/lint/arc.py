"""Records of ARC files (Burner and Kahle, "Arc File Format", 15 September 1996), versions 1 and 2."""

import re
from datetime import datetime

from archiver.lint.forms import canonical_ip
from archiver.lint.head import Said, shown
from archiver.warc.foreign import ForeignRecord

_VERSION_LINE = re.compile(rb"([12]) ([0-9]+) [^\n]+\r?\n")
_FIELDS = {
    b"1": b"URL IP-address Archive-date Content-type Archive-length",
    b"2": b"URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename"
    b" Archive-length",
}
_LEGACY = (14, 12)  # digits of a date; 12 in the oldest files


def judge_arc(record: ForeignRecord, block: memoryview | None, *, first: bool) -> Said:
    """What is wrong with a record of ARC; `first`: it is to be the version block."""
    said: Said = []
    words = record.arc.removesuffix("\r").split(" ")
    version_block = words[0].startswith("filedesc:")
    if len(words) not in (5, 10):
        said.append(("arc-header", f"{len(words)} words, not 5 or 10: {record.arc[:200]!r}"))
    else:
        _line(words, version_block, said)
    if first:
        _version_block(bytes(block[:4096]) if block is not None else b"", version_block, said)
    return said


def _line(words: list[str], version_block: bool, said: Said) -> None:
    if canonical_ip(words[1].encode()) is None and words[1] not in ("-", "0"):
        said.append(("arc-ip", f"{words[1][:80]!r} is no address"))
    date = words[2]
    try:
        if len(date) not in _LEGACY or not date.isascii():
            raise ValueError(date)
        datetime.strptime(date.ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - only whether it is one
    except ValueError:
        said.append(("arc-date", f"{date[:80]!r} is not 14 digits of a time"))
    if version_block and words[3] != "text/plain":
        said.append(("arc-version", f"the version block is {words[3][:80]!r}, not text/plain"))


def _version_block(block: bytes, named: bool, said: Said) -> None:
    if not named:
        said.append(("arc-version", "the file does not begin with filedesc://"))
        return
    found = _VERSION_LINE.match(block)
    if found is None:
        said.append(("arc-version", f"no version line: {shown(block[:80])}"))
    elif not block[found.end() :].startswith(_FIELDS[found[1]]):
        said.append(
            (
                "arc-version",
                f"not the fields of version {found[1].decode()}: {shown(block[found.end() :][:200])}",
            )
        )
