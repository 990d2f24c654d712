"""WARC records that lie one after the other, without compression."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from archiver.warc.foreign.heads import BEGINS, LONGEST, NEAR, ORDINARY, begins_warc, head_at, parse_head
from archiver.warc.foreign.nouns import ForeignRecord, Form, Problem
from archiver.warc.foreign.source import Source

GZIP = b"\x1f\x8b\x08"
END = b"\r\n\r\n"
_LENGTH = re.compile(r"[0-9]{1,15}")
_LENGTH_FIELD = b"\r\ncontent-length:"
_LINE_ENDS = re.compile(rb"[\r\n]*")
_MOST_LINE_ENDS = 1024


@dataclass(slots=True)
class Piece:
    """A record, or bytes that are none; `code` and `reason` say what."""

    start: int
    end: int
    record: ForeignRecord | None
    code: str = ""
    reason: str = ""


def pieces(source: Source, form: Form) -> Iterator[Piece]:
    """All of a source, in order, without gap or overlap."""
    at = 0
    while at < source.size:
        piece = record_at(source, at, form)
        if piece is None:
            end = next_begin(source, at + 1, source.size)
            end = source.size if end is None else end
            piece = Piece(at, end, None, *what_is(source, at, end))
        yield piece
        at = piece.end


def what_is(source: Source, at: int, end: int) -> tuple[str, str]:
    """Code and reason of bytes that are no record."""
    data = source.read(at, min(end - at, 1 << 16))
    if begins_warc(source.read(at, 5)):
        return "header", "a WARC header without end, or none that can be read"
    if not data.strip(b"\r\n"):
        return "blank", "empty lines"
    if not data.strip(b"\0"):
        return "zeros", "bytes that are zero"
    return "garbage", f"no record begins here: {data[:16]!r}"


def line_ends(source: Source, at: int) -> int:
    """How many bytes of line ends stand at a place."""
    found = _LINE_ENDS.match(source.read(at, 8)) if at < source.size else None
    if found and found.end() == 8:
        found = _LINE_ENDS.match(source.read(at, _MOST_LINE_ENDS))
    return found.end() if found else 0


def next_begin(source: Source, at: int, end: int) -> int | None:
    return source.search(BEGINS, at, end, LONGEST)


def ordinary(data: bytes, form: Form) -> ForeignRecord | None:
    """The record that bytes in memory are, where nothing about it is odd; else `record_at` looks closer."""
    head = data[: data.find(END, 0, NEAR) + len(END)]
    if not ORDINARY.fullmatch(head):
        return None
    small = head.lower()
    at = small.find(_LENGTH_FIELD) + len(_LENGTH_FIELD)
    written = small[at : small.find(b"\r", at)].strip(b" \t")
    if small.count(_LENGTH_FIELD) != 1 or not written.isdigit() or len(written) > 15:
        return None
    length = int(written)
    if len(data) != len(head) + length + len(END) or not data.endswith(END):
        return None
    return ForeignRecord(
        version=head[: head.find(b"\r")].decode(),
        given=None,
        head=head,
        block_bytes=length,
        form=form,
        problems=(),
        raw=partial(_once, data),
        held=data,
    )


def _once(data: bytes) -> Iterator[bytes]:
    yield data


def record_at(source: Source, at: int, form: Form) -> Piece | None:
    """The record that begins here, with the line ends that follow it; None when none does."""
    if not begins_warc(source.read(at, 5)):
        return None
    head = head_at(source, at)
    parsed = parse_head(head) if head else None
    if head is None or parsed is None or not parsed[1]:
        return None
    version, fields, found = parsed
    start = at + len(head)
    block_end, end, problems = _extent(source, at, start, fields)
    return Piece(
        at,
        end,
        ForeignRecord(
            version=version,
            given=fields,
            head=head,
            block_bytes=block_end - start,
            form=form,
            problems=(*found, *problems),
            raw=partial(source.blocks, at, end),
        ),
    )


def _extent(
    source: Source, at: int, start: int, fields: tuple[tuple[str, str], ...]
) -> tuple[int, int, list[Problem]]:
    """Where the block ends, where the record ends, and what is wrong with it."""
    written = [value for name, value in fields if name == "content-length"]
    if not written or not _LENGTH.fullmatch(written[0]):
        says = f"Content-Length {written[0][:80]!r} is no number of bytes" if written else "no Content-Length"
        found = next_begin(source, start, source.size)
        end = source.size if found is None else found
        return (
            _block_end(source, start, end),
            end,
            [Problem("no-length", f"{says}: the block is all before the next record")],
        )
    claimed = start + int(written[0])
    problems = []
    if len(set(written)) > 1:
        problems.append(Problem("lengths", f"Content-Length is there {len(written)} times; the first counts"))
    if claimed <= source.size:
        blank = line_ends(source, claimed)
        end = claimed + blank
        if end == source.size or begins_warc(source.read(end, 5)) or source.starts(end, GZIP):
            if blank != len(END) or not source.starts(claimed, END):
                message = f"{blank} bytes of line ends follow the block, not two CRLF"
                problems.append(Problem("record-end", message, claimed - at))
            return claimed, end, problems
    found = next_begin(source, start, min(claimed + LONGEST, source.size))
    if claimed > source.size or (found is not None and found < claimed):
        end = source.size if found is None else found
        block_end = _block_end(source, start, end)
        message = f"the block has {block_end - start} bytes, Content-Length says {claimed - start}"
        return block_end, end, [*problems, Problem("short-block", message, block_end - at)]
    message = "what follows the block is neither two CRLF nor a record"
    return claimed, end, [*problems, Problem("record-end", message, claimed - at)]


def _block_end(source: Source, start: int, end: int) -> int:
    """The end of a block that reaches to where its record ends."""
    ended = end - len(END) >= start and source.starts(end - len(END), END)
    return end - len(END) if ended else end
