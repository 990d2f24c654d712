"""zlib-ng takes what zlib takes, refuses what it refuses, and says the same."""

import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wide import WIDE

SPARSE = 1 if WIDE else 7  # of the bits of a member every so manieth is flipped


def verdict(make: Callable[[int], Any], failed: type[Exception], data: bytes) -> object:
    """What was inflated, and how much was left; or what is wrong."""
    decoder, out = make(31), []
    try:
        while data and not decoder.eof:
            out.append(decoder.decompress(data, 1 << 10))
            data = decoder.unconsumed_tail
    except failed as error:
        return b"".join(out), str(error)
    return b"".join(out), decoder.eof, decoder.unused_data


def members() -> Iterator[bytes]:
    source = random.Random(2026)
    texts = [b"", b"WARC/1.1\r\n" * 30, source.randbytes(400), bytes(source.choices(b"abcdefg", k=900))]
    for text in texts:
        for level in (0, 1, 9):
            whole = gzip.compress(text, level, mtime=0)
            yield from (whole, whole + b"\x1f\x8b\x08rest", whole + bytes(9))
            yield from (whole[:at] for at in range(0, len(whole), SPARSE))
            for bit in range(source.randrange(SPARSE), 8 * len(whole), SPARSE):
                flipped = bytearray(whole)
                flipped[bit // 8] ^= 1 << bit % 8
                yield bytes(flipped)


def test_both_libraries_judge_damaged_members_alike() -> None:
    library = pytest.importorskip("zlib_ng.zlib_ng")
    count = 0
    for data in members():
        ours = verdict(library.decompressobj, library.error, data)
        assert ours == verdict(zlib.decompressobj, zlib.error, data), data[:80].hex()
        count += 1
    assert count > 2000
