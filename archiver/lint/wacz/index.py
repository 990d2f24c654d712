"""The index and the pages of a WACZ against its records (CDXJ 0.1.0; WACZ 1.1.1: indexes, pages.jsonl)."""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from archiver.lint.digests import read_digest
from archiver.lint.wacz.package import read_json
from archiver.lint.wacz.signature import parse_time

LINE_BYTES = 1 << 25
_EFFORT = 200  # bytes inflated for each byte of an index
_STAMP = re.compile(rb"[0-9]{14}(?:[0-9]{3})?")
_MUST = ("url", "digest", "mime", "filename", "offset", "length", "status")
_OF_HTTP = ("digest", "mime", "status")  # what a record that is no response of HTTP may not have

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """What an index can say of a record. `digest`: WARC-Payload-Digest as written.

    `stored`: the digest of the stored bytes; `plain`: they are not compressed.
    """

    length: int
    kind: str
    url: str
    stamp: str
    status: str
    digest: str
    stored: str
    plain: bool = False


@dataclass
class Indexed:
    """Records by file and offset; which of them the index has; which URLs it has, and when."""

    places: dict[tuple[str, int], Place] = field(default_factory=dict)
    found: set[tuple[str, int]] = field(default_factory=set)
    times: dict[str, set[str]] = field(default_factory=dict)
    digests: Callable[[str, int, str], bool] = lambda *_: False  # whether the record's payload has a digest


def lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without LF; one that has no end within LINE_BYTES ends there."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > LINE_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def gunzipped(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Members of gzip, one after the other. ValueError for what is none, and for a bomb."""
    left = size * _EFFORT + (1 << 20)
    inflate, begun = zlib.decompressobj(31), False
    for chunk in chunks:
        data = chunk
        while data:
            begun = True
            try:
                out = inflate.decompress(data, 1 << 20)
            except zlib.error as error:
                raise ValueError(f"no gzip: {error}") from error
            left -= len(out) + 1
            if left < 0:
                raise ValueError(f"more than {_EFFORT} times its size when inflated")
            yield out
            data = inflate.unconsumed_tail
            if inflate.eof:
                data = inflate.unused_data
                inflate, begun = zlib.decompressobj(31), False
    if begun:
        raise ValueError("the last gzip member is cut")


def judge_index(name: str, read: Iterator[bytes], indexed: Indexed, say: Say) -> None:
    """Every line of a CDXJ file, inflated."""
    before = b""
    for number, line in enumerate(lines(read), 1):
        if not line.strip() or line.startswith(b"!meta "):
            continue
        where = f"{name} line {number}"
        if line < before:
            say("index-order", where)
        before = line
        _line(where, line, indexed, say)


def _line(where: str, line: bytes, indexed: Indexed, say: Say) -> None:
    _, _, rest = line.partition(b" ")
    stamp, _, block = rest.partition(b" ")
    entry = read_json(block)
    if not isinstance(entry, dict) or not _STAMP.fullmatch(stamp):
        say("index-line", f"{where}: {line[:120].decode('utf-8', 'backslashreplace')!r}")
        return
    offset, length = _number(entry.get("offset")), _number(entry.get("length"))
    url, filename = entry.get("url"), entry.get("filename")
    if offset is None or length is None or not isinstance(url, str) or not isinstance(filename, str):
        say("index-line", f"{where}: no url, filename, offset and length")
        return
    key = (filename.rpartition("/")[2], offset)
    place = indexed.places.get(key)
    indexed.times.setdefault(url, set()).add(stamp[:14].decode())
    lacks = [name for name in _MUST if name not in entry]
    if [name for name in lacks if name not in _OF_HTTP or (place is not None and place.kind == "response")]:
        say("index-line", f"{where}: no {', '.join(lacks)}")
    if place is None:
        say("index-record", f"{where}: no record at offset {offset} of {filename!r:.200}")
        return
    indexed.found.add(key)
    differs = _compare(entry, length, stamp[:14].decode(), place)
    if differs:
        say("index-record", f"{where}: {'; '.join(differs)}")
    stored, digest = entry.get("recordDigest"), entry.get("digest")
    if isinstance(stored, str) and stored.lower() != place.stored:
        say("index-digest", f"{where}: recordDigest {stored!r:.100}")
    if isinstance(digest, str) and not _same(digest, place.digest) and not indexed.digests(*key, digest):
        say("index-digest", f"{where}: digest {digest!r:.100}")


def _number(value: Any) -> int | None:
    """Pywb writes numbers as strings."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if type(value) is int and value >= 0 else None


def _compare(entry: dict[str, Any], length: int, stamp: str, place: Place) -> list[str]:
    """What a line and its record say differently. Some leave the two CRLF out of a plain record's length."""
    url = entry["url"].partition("__wb_method=")[0].rstrip("?&")  # as POST requests are indexed
    lengths = (place.length, place.length - 4 if place.plain else place.length)
    status = str(entry.get("status", place.status))
    pairs = (
        ("length", length, length if length in lengths else place.length),
        ("time", stamp, place.stamp),
        ("url", url, place.url.rstrip("?&")),
        ("status", status, place.status or status),
    )
    return [
        f"{name} {said!r:.200} where the record has {has!r:.200}" for name, said, has in pairs if said != has
    ]


def labelled(written: str) -> bytes:
    """A digest of an index: without its label it is SHA-256 where it has its length, else SHA-1."""
    label = "" if ":" in written else "sha256:" if len(written) == 64 else "sha1:"
    return (label + written).encode()


def _same(said: str, has: str) -> bool:
    if said == has:
        return True
    one, other = read_digest(labelled(said)), read_digest(has.encode())
    return (
        one is not None
        and other is not None
        and bool(one.algorithm)
        and ((one.algorithm, one.expected) == (other.algorithm, other.expected))
    )


def judge_blocks(name: str, idx: bytes, block: Callable[[str, int, int], bytes | None], say: Say) -> None:
    """A secondary index: a key and a JSON object for each block of a compressed one."""
    for number, line in enumerate(idx.split(b"\n"), 1):
        start = line.find(b"{")
        if line.startswith(b"!meta ") or start < 0:
            continue
        entry = read_json(line[start:])
        where = f"{name} line {number}"
        entry = entry if isinstance(entry, dict) else {}
        offset, length = _number(entry.get("offset")), _number(entry.get("length"))
        if offset is None or length is None:
            say("index-line", f"{where}: no offset and length")
            continue
        data = block(str(entry.get("filename", "")), offset, length)
        if data is None or len(data) != length:
            say("index-record", f"{where}: no block at offset {offset}")
            continue
        digest = entry.get("digest")
        if isinstance(digest, str) and digest != "sha256:" + hashlib.sha256(data).hexdigest():
            say("index-digest", f"{where}: digest {digest!r:.100}")


def judge_pages(name: str, read: Iterator[bytes], indexed: Indexed | None, say: Say) -> None:
    """pages.jsonl, or another list of its form. `indexed`: None where no index could be read."""
    for number, line in enumerate(lines(read), 1):
        if not line.strip():
            continue
        where, page = f"{name} line {number}", read_json(line)
        if number == 1:
            if not isinstance(page, dict) or "format" not in page:
                say("pages-form", f"{where}: no header with a format")
            continue
        url, stamp = (page.get("url"), page.get("ts")) if isinstance(page, dict) else (None, None)
        time = parse_time(stamp)
        if not isinstance(url, str) or time is None:
            say("pages-form", f"{where}: no url and ts")
        elif indexed is not None and f"{time:%Y%m%d%H%M%S}" not in indexed.times.get(url, ()):
            say("pages-not-indexed", f"{where}: {url!r:.300} at {stamp!r:.60}")
