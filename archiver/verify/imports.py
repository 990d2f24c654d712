"""Where an imported file is not as committed: which of its stretches are, in place or shifted.

No parser is at work, whatever the file's format: each line of the record list is looked for at its offset,
and as much further on or back as the file became longer or shorter.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from archiver.digests import blocks_digest
from archiver.model import GAP, Entry, Finding, Verdict
from archiver.storage import blocks
from archiver.verify.files import COPY
from archiver.verify.findings import of_file, of_record


def locate(
    file: BinaryIO, name: str, lines: Sequence[Entry | None], holds: Sequence[bool], size: int
) -> Iterator[Finding]:
    """A finding for each stretch that is nowhere; none when hardly anything of the file is there.

    `holds`: which lines have their bytes at their offset. `size`: of the file as it is. Raises OSError.
    """
    entries = [line for line in lines if line is not None]
    end = max((entry.offset + entry.length for entry in entries), default=0)
    shift = size - end
    lost = [
        (number, line)
        for number, (line, held) in enumerate(zip(lines, holds, strict=False))
        if line is not None and not held and not (shift and _stands(file, line, line.offset + shift))
    ]
    if len(lost) == len(entries) > 1:
        return
    for number, line in lost:
        yield _lost(name, number, line, size, shift)
    if shift > 0 and not lost:
        message = f"{shift} bytes stand between or after its records that nothing commits"
        yield of_file(name, "added-bytes", message, advice=COPY)


def _stands(file: BinaryIO, line: Entry, offset: int) -> bool:
    if offset < 0:
        return False
    file.seek(offset)
    return line.digest == blocks_digest(blocks(file, line.length))


def _lost(name: str, number: int, line: Entry, size: int, shift: int) -> Finding:
    what = "this stretch, which is no record," if line.type == GAP else "the record"
    if line.offset >= size or line.length == -shift:
        return _of_line(
            name, "missing-record", f"{what} is not in the file", number, line, verdict="incomplete"
        )
    if line.offset + line.length > size:
        message = f"{what} is cut: the file ends {line.offset + line.length - size} bytes before its end"
        return _of_line(name, "cut-record", message, number, line, verdict="incomplete")
    return _of_line(name, "changed-record", f"{what} was changed", number, line)


def _of_line(
    name: str, code: str, message: str, number: int, line: Entry, *, verdict: Verdict = "failed"
) -> Finding:
    expected = f"{line.length} bytes, {line.digest}"
    return of_record(name, number, line, code, message, advice=COPY, verdict=verdict, expected=expected)
