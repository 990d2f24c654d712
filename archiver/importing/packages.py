"""What a WACZ (1.1.1) says of itself beside its records: title, main page, and which pages it is about."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, BinaryIO

import msgspec

from archiver.addresses import canonical
from archiver.errors import ArchiverError, RecordError
from archiver.lint.wacz.judge import WaczState, wacz_state
from archiver.warc.foreign.source import Source
from archiver.warc.foreign.zips import Part, data_start, parts

PACKAGE_BYTES = 4 << 20
PAGES_BYTES = 256 << 20  # of a list of pages, whose lines may hold whole texts
LINE_BYTES = 4 << 20
MOST_PAGES = 1_000_000
_LISTS = ("pages/pages.jsonl", "pages/extraPages.jsonl")
_BLOCK = 1 << 16


class _Package(msgspec.Struct):
    """datapackage.json, as far as it is used."""

    title: str = ""
    mainPageUrl: str = ""  # noqa: N815 - the format's own name


class _Page(msgspec.Struct):
    """A line of a list of pages."""

    url: str = ""


@dataclass(frozen=True)
class Package:
    """`pages` are the URLs that it names, empty when it names none that can be read."""

    title: str = ""
    main_page: str = ""
    pages: frozenset[str] = frozenset()


def state_of(file: BinaryIO) -> dict[str, Any]:
    """Whether the hashes, the signature and the proof of an open WACZ hold, as ImportNote has it."""
    try:
        state = wacz_state(file)
    except RecordError:
        state = WaczState()
    signature, wrong = state.signature, any(code == "proof-bad" for code, _ in state.said)
    time = signature.time.astimezone(UTC) if signature.time and signature.holds else None
    return {
        "hashes": "hold" if state.hashes else "fail",
        "signature": "none" if signature.kind == "none" else "holds" if signature.holds else "fails",
        "signer": signature.signer.encode(errors="replace").decode(),
        "signed": f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else None,
        "proof": "holds" if state.proved else "fails" if wrong else "none",
    }


def package_of(file: BinaryIO) -> Package:
    """What an open WACZ says; what it does not say, or not readably, is empty."""
    source = Source(file)
    try:
        found = {
            part.member: part
            for part in parts(source)
            if not part.reason.startswith(("ZIP: header", "ZIP: what"))
        }
    except RecordError:
        return Package()
    said = _Package()
    if part := found.get("datapackage.json"):
        try:
            said = msgspec.json.decode(b"".join(_bytes(source, part, PACKAGE_BYTES)), type=_Package)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, RecordError):
            said = _Package()
    pages: set[str] = set()
    for name in _LISTS:
        if (part := found.get(name)) and len(pages) < MOST_PAGES:
            pages.update(_pages(source, part))
    return Package(said.title[:1000], said.mainPageUrl[:2000], frozenset(pages))


def _pages(source: Source, part: Part) -> Iterator[str]:
    """The URLs of a list of pages, as far as it can be read."""
    try:
        for line in _lines(_bytes(source, part, PAGES_BYTES)):
            try:
                url = msgspec.json.decode(line, type=_Page).url
                if url:
                    yield canonical(url)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArchiverError):
                continue
    except RecordError:
        return


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        if len(rest) > LINE_BYTES:
            raise RecordError("a line that is too long")
    yield rest


def _bytes(source: Source, part: Part, most: int) -> Iterator[bytes]:
    """A member's bytes, stored or deflated. RecordError past `most`, and where they are broken."""
    if part.stored:
        if part.end - part.start > most:
            raise RecordError(f"{part.member}: more than {most} bytes")
        yield from source.blocks(part.start, part.end)
        return
    start, inflate, size = data_start(source, part.start), zlib.decompressobj(-15), 0
    if start is None:
        raise RecordError(f"{part.member}: no header")
    try:
        for block in source.blocks(start, part.end):
            for at in range(0, len(block), _BLOCK):
                out = inflate.decompress(block[at : at + _BLOCK])
                size += len(out)
                if size > most:
                    raise RecordError(f"{part.member}: more than {most} bytes")
                yield out
                if inflate.eof:
                    return
    except zlib.error as error:
        raise RecordError(f"{part.member}: {error}") from error
