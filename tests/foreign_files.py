"""WARC, ARC and WACZ files as other programs write them, sound and broken, made here.

`files()` has one of each kind by name, with what a reader should find; the rest are parts to make more from.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CRLF = b"\r\n"
DATE = "2019-03-04T05:06:07Z"
PAGE = b"<html><title>The ferry</title><p>" + b"It sails again. " * 20
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


def header(fields: Iterable[tuple[str, str | bytes]], version: str = "1.0") -> bytes:
    """The header of a record (WARC/1.1 section 4), whatever is put into it."""
    lines = [f"WARC/{version}".encode()]
    for name, value in fields:
        written = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        lines.append(name.encode() + b": " + written)
    return CRLF.join([*lines, b"", b""])


def head(version: str = "1.0", **fields: str) -> bytes:
    """The same; `content_length="5"` is content-length: 5."""
    return header(((name.replace("_", "-"), value) for name, value in fields.items()), version)


def record(
    block: bytes = HTTP + PAGE, number: int = 0, *, end: bytes = CRLF * 2, version: str = "1.0", **fields: str
) -> bytes:
    """A response, unless fields say otherwise; an empty value leaves a field out."""
    whole = {
        "WARC_Type": "response",
        "WARC_Record_ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012x}>",
        "WARC_Date": DATE,
        "WARC_Target_URI": f"http://news.example/{number}",
        "Content_Type": "application/http;msgtype=response",
        "Content_Length": str(len(block)),
    } | fields
    return head(version, **{name: value for name, value in whole.items() if value}) + block + end


def records(count: int = 3, **fields: str) -> list[bytes]:
    """Records that differ in length and content."""
    return [record(HTTP + PAGE * (number + 1), number, **fields) for number in range(count)]


def gz(*parts: bytes, level: int = 6) -> bytes:
    """One gzip member over all parts."""
    return gzip.compress(b"".join(parts), level, mtime=0)


def members(parts: Iterable[bytes]) -> bytes:
    return b"".join(gz(part) for part in parts)


def zstd_frames(parts: Iterable[bytes], *, trained: bool = False, packed: bool = False) -> bytes:
    """A frame for each part, after a dictionary where one is asked for (IIPC's Zstandard for WARC 1.0)."""
    from archiver.warc.zstandard import zstd

    module, parts, first, dictionary = zstd(), list(parts), b"", None
    options = {module.CompressionParameter.checksum_flag: 1}
    if trained:
        dictionary = module.train_dict([*parts * 20], 4096)
        data = module.compress(dictionary.dict_content) if packed else dictionary.dict_content
        first = struct.pack("<LL", 0x184D2A5D, len(data)) + data
    return first + b"".join(module.compress(part, options=options, zstd_dict=dictionary) for part in parts)


def arc_line(block: bytes, url: str = "http://news.example/", **words: str) -> bytes:
    """The line before a record of version 1; of version 2 with `extra`."""
    address, date = words.get("address", "192.0.2.7"), words.get("date", "20010203040506")
    extra = words.get("extra", "")
    length = words.get("length", str(len(block)))
    return f"{url} {address} {date} {words.get('mime', 'text/html')} {extra}{length}\n".encode()


def arc_records(version: int = 1) -> list[bytes]:
    """A version block, an HTTP answer, an answer of DNS, and a page without a head."""
    extra = "200 - - 0 news.arc " if version == 2 else ""
    names = "Archive-date Content-type "
    names += "Result-code Checksum Location Offset Filename Archive-length" if extra else "Archive-length"
    told = f"{version} 0 archive\nURL IP-address {names}\n\n".encode()
    dns = b"20010203040506\nnews.example. 60 IN A 192.0.2.7\n"
    return [
        arc_line(told, "filedesc://news.arc", address="0.0.0.0", mime="text/plain", extra=extra)
        + told
        + b"\n",
        arc_line(HTTP + PAGE, extra=extra) + HTTP + PAGE + b"\n",
        arc_line(dns, "dns:news.example", mime="text/dns", extra=extra) + dns + b"\n",
        arc_line(PAGE, "ftp://news.example/a b c.html", extra=extra) + PAGE + b"\n",
    ]


def wacz(members: Mapping[str, bytes], deflated: Iterable[str] = (), comment: bytes = b"") -> bytes:
    """A ZIP file of these members; those named in `deflated` are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
            made.writestr(info, data, zipfile.ZIP_DEFLATED if name in deflated else zipfile.ZIP_STORED)
        made.comment = comment
    return out.getvalue()


def package(archive: Mapping[str, bytes], **options: Iterable[str]) -> bytes:
    """A WACZ with what belongs into one."""
    pages = b'{"format": "json-pages-1.0", "id": "pages"}\n{"url": "http://news.example/0", "ts": "2019"}\n'
    said = b'{"profile": "data-package", "resources": [], "wacz_version": "1.1.1"}'
    return wacz({**archive, "pages/pages.jsonl": pages, "datapackage.json": said}, **options)


def zip64(name: str, data: bytes) -> bytes:
    """A ZIP file whose sizes and places stand in ZIP64 fields (APPNOTE 4.3.14, 4.3.15, 4.5.3)."""
    crc, wide, encoded = zlib.crc32(data), 0xFFFFFFFF, name.encode()
    sizes = struct.pack("<2HQQ", 1, 16, len(data), len(data))
    local = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 33, crc, wide, wide, len(encoded), len(sizes)
    )
    body = local + encoded + sizes + data
    extra = struct.pack("<2HQQQ", 1, 24, len(data), len(data), 0)
    numbers = (45, 45, 0, 0, 0, 33, crc, wide, wide, len(encoded), len(extra), 0, 0, 0, 0, wide)
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *numbers) + encoded + extra
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(entry), len(body))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) + len(entry), 1)
    return body + entry + end + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, wide, wide, 0)


@dataclass(frozen=True)
class Sample:
    """A file, and what is to be found in it."""

    data: bytes = field(repr=False)
    kind: str
    placed: int = 0  # records with a place of their own
    hidden: int = 0  # records without one
    problems: frozenset[str] = frozenset()
    gaps: tuple[str, ...] = ()  # codes in order; of a ZIP's parts none
    lost: tuple[str, ...] = ()  # codes of what is in hidden stretches and is no record


def files() -> dict[str, Sample]:
    """Every kind of file, by a name with its suffix."""
    return _plain() | _gzip() | _broken() | _wrong() | _arc() | _others()


def _plain() -> dict[str, Sample]:
    three, one = records(), record()
    lines = [each.replace(CRLF, b"\n") for each in three]
    lf = [each.replace(b"Content-Length: ", b"Content-Length:") for each in lines]
    for number, each in enumerate(lf):  # the block has become shorter
        body = each.partition(b"\n\n")[2].removesuffix(b"\n\n")
        lf[number] = record(body, number, end=b"\n\n").replace(CRLF, b"\n")
    folded = one.replace(b"text\r\n", b"\r\n").replace(b"WARC-Date: ", b"WARC-Date:\r\n  ")
    upper = one.replace(b"WARC-Type", b"warc-TYPE").replace(b"Content-Length", b"CONTENT-LENGTH")

    def plain(data: bytes, placed: int, *problems: str, gaps: tuple[str, ...] = ()) -> Sample:
        return Sample(data, "warc", placed, problems=frozenset(problems), gaps=gaps)

    return {
        "plain.warc": plain(b"".join(three), 3),
        "versions.warc": plain(b"".join(record(version=each) for each in ("0.17", "0.18", "1.0", "1.1")), 4),
        "version-ahead.warc": plain(record(version="2.0") + one, 2, "version"),
        "lower-version.warc": plain(one.replace(b"WARC/1.0", b"warc/1.0"), 1),
        "upper-names.warc": plain(upper, 1),
        "lf.warc": plain(b"".join(lf), 3, "line-end", "record-end"),
        "folded.warc": plain(folded, 1, "folded"),
        "blank-lines.warc": plain(b"\r\n\r\n".join(three), 3, "record-end"),
        "no-line-ends.warc": plain(b"".join(records(end=b"")), 3, "record-end"),
        "leading-blank.warc": plain(b"\r\n\r\n" + one, 1, gaps=("blank",)),
        "no-colon.warc": plain(one.replace(b"WARC-Date", b"nothing said\r\nWARC-Date"), 1, "no-colon"),
        "odd-name.warc": plain(one.replace(b"WARC-Date", b"W\xc3\xa9 : x\r\nWARC-Date"), 1, "field-name"),
        "latin-1.warc": plain(one.replace(b"news.example", b"news.ex\xe4mple"), 1, "encoding"),
        "nul.warc": plain(one.replace(b"news.example", b"news\0example"), 1, "control"),
        "empty-block.warc": plain(record(b"") * 2, 2),
        "http2.warc": plain(record(b"HTTP/2 200\r\n\r\nbody"), 1),
    }


def _gzip() -> dict[str, Sample]:
    three, stream = records(), b"".join(records())
    half = len(three[0]) // 2
    cut = [stream[at : at + 100] for at in range(0, len(stream), 100)]

    def packed(
        data: bytes, placed: int = 0, hidden: int = 0, *problems: str, gaps: tuple[str, ...] = ()
    ) -> Sample:
        return Sample(data, "warc+gzip", placed, hidden, frozenset(problems), gaps)

    return {
        "members.warc.gz": packed(members(three), 3),
        "stored.warc.gz": packed(b"".join(gz(each, level=0) for each in three), 3),
        "stream.warc.gz": packed(gz(*three), 0, 3, gaps=("several",)),
        "two-by-two.warc.gz": packed(
            gz(*three[:2]) + gz(three[2]) + gz(*three[:2]), 1, 4, gaps=("several",) * 2
        ),
        "split.warc.gz": packed(gz(three[0][:half]) + gz(three[0][half:]) + gz(three[1]), 2, 0, "split"),
        "blocks.warc.gz": packed(members(cut), 0, 3, gaps=("several",)),
        "mixed.warc.gz": packed(gz(three[0]) + three[1] + gz(three[2]), 3),
        "empty-members.warc.gz": packed(
            gz(three[0]) + gz() + gz(three[1]) + gz(), 2, gaps=("empty-member",) * 2
        ),
        "blank-members.warc.gz": packed(gz(three[0]) + gz(CRLF) + gz(three[1]), 2, gaps=("blank-member",)),
        "lead.warc.gz": packed(gz(CRLF, three[0]) + gz(three[1]), 2, 0, "lead"),
        "rest.warc.gz": packed(gz(three[0], b"more") + gz(three[1]), 2, 0, "record-end", "rest"),
        "inner-lead.warc.gz": Sample(
            gz(three[0]) + gz(b"garbage", three[1]), "warc+gzip", 1, 1, gaps=("several",), lost=("garbage",)
        ),
        "trailing.warc.gz": packed(members(three) + b"\0" * 512, 3, gaps=("zeros",)),
        "leading.warc.gz": packed(b"garbage" + members(three), 3, gaps=("garbage",)),
        "other-member.warc.gz": packed(members(three) + gz(b"no record"), 3, gaps=("garbage-member",)),
        "names.warc.gz": packed(named(three[0]) + gz(three[1]), 2),
    }


def named(data: bytes) -> bytes:
    """A gzip member with a file name, a comment and an extra field (RFC 1952 section 2.3)."""
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)
    extra = struct.pack("<H", 12) + b"sl" + struct.pack("<HLL", 8, 1, 2)
    start = b"\x1f\x8b\x08\x1c" + bytes(4) + b"\0\x03" + extra + b"name\0comment\0"
    return start + raw.compress(data) + raw.flush() + struct.pack("<LL", zlib.crc32(data), len(data))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def _broken() -> dict[str, Sample]:
    three = records()
    first, rest, stream = gz(three[0]), members(three[1:]), gz(*three)

    def torn(data: bytes, placed: int, *gaps: str) -> Sample:
        return Sample(data, "warc+gzip", placed, gaps=gaps)

    return {
        "torn-first.warc.gz": Sample(first[:60] + rest, "warc+gzip", 2, gaps=("damaged-gzip",)),
        "torn-last.warc.gz": torn(first + rest[:-20], 2, "cut-gzip"),
        "no-trailer.warc.gz": torn(first + rest[:-8], 2, "cut-gzip"),
        "checksum.warc.gz": torn(flipped(first, len(first) - 6) + rest, 2, "damaged-gzip"),
        "flipped.warc.gz": torn(flipped(first, 80) + rest, 2, "damaged-gzip"),
        "garbage-between.warc.gz": torn(first + b"\x1f\x8b\x08nothing" + rest, 3, "damaged-gzip"),
        "stored-torn.warc.gz": torn(flipped(gz(three[0], level=0), 200) + rest, 2, "damaged-gzip"),
        "stream-cut.warc.gz": Sample(
            stream[:-12], "warc+gzip", 0, 2, gaps=("torn-stream",), lost=("cut",), problems=frozenset()
        ),
        "stream-checksum.warc.gz": Sample(
            flipped(stream, len(stream) - 6), "warc+gzip", 0, 3, gaps=("torn-stream",), lost=("damaged",)
        ),
    }


def _wrong() -> dict[str, Sample]:
    three, size = records(), len(HTTP + PAGE)
    longer, shorter = record(Content_Length=str(size + 9)), record(Content_Length=str(size - 9))
    ahead = record(Content_Length=str(size + 2000))
    cut = frozenset({"short-block"})
    return {
        "cut.warc": Sample(b"".join(three)[:-200], "warc", 3, problems=cut),
        "cut-head.warc": Sample(three[0] + three[1][:60], "warc", 1, gaps=("header",)),
        "longer.warc": Sample(longer + three[1], "warc", 2, problems=cut),
        "ahead.warc": Sample(ahead + three[1] + three[2], "warc", 3, problems=cut),
        "shorter.warc": Sample(
            shorter + three[1], "warc", 2, problems=frozenset({"record-end"}), gaps=("garbage",)
        ),
        "longer.warc.gz": Sample(members([longer, three[1]]), "warc+gzip", 2, problems=cut),
        "shorter.warc.gz": Sample(
            members([shorter, three[1]]), "warc+gzip", 2, problems=frozenset({"record-end", "rest"})
        ),
        "no-length.warc": Sample(
            record(Content_Length="") + three[1], "warc", 2, problems=frozenset({"no-length"})
        ),
        "absurd-length.warc": Sample(
            record(Content_Length="9" * 40) + three[1], "warc", 2, problems=frozenset({"no-length"})
        ),
        "negative-length.warc": Sample(
            record(Content_Length="-5") + three[1], "warc", 2, problems=frozenset({"no-length"})
        ),
        "two-lengths.warc": Sample(
            record().replace(CRLF * 2, b"\r\nContent-Length: 5" + CRLF * 2, 1),
            "warc",
            1,
            problems=frozenset({"lengths"}),
        ),
        "garbage-between.warc": Sample(
            three[0] + b"garbage " * 9 + three[1],
            "warc",
            2,
            problems=frozenset({"record-end"}),
            gaps=("garbage",),
        ),
        "empty.warc": Sample(b"", "unknown"),
        "text.txt": Sample(b"Nothing of that kind.\n" * 50, "unknown", gaps=("garbage",)),
        "endless-head.warc": Sample(b"WARC/1.0\r\n" + b"A: b\r\n" * 300_000, "warc", gaps=("header",)),
    }


def _arc() -> dict[str, Sample]:
    one, two = arc_records(), arc_records(2)
    gap = ("arc",)
    wrong = one[0] + one[1].replace(b" 20010203040506 text/html 3", b" 20010203040506 text/html 1") + one[2]
    return {
        "one.arc": Sample(b"".join(one), "arc", 0, 4, gaps=gap),
        "two.arc": Sample(b"".join(two), "arc", 0, 4, gaps=gap),
        "one.arc.gz": Sample(members(one), "arc+gzip", 0, 4, gaps=gap),
        "two.arc.gz": Sample(members(two), "arc+gzip", 0, 4, gaps=gap),
        "stream.arc.gz": Sample(gz(*one), "arc+gzip", 0, 4, gaps=gap),
        "torn.arc.gz": Sample(
            gz(one[0]) + gz(one[1])[:-20] + members(one[2:]), "arc+gzip", 0, 3, gaps=gap, lost=("damaged",)
        ),
        "wrong.arc": Sample(
            wrong, "arc", 0, 3, gaps=gap, problems=frozenset({"record-end"}), lost=("garbage",)
        ),
        "cut.arc": Sample(b"".join(one)[:-60], "arc", 0, 4, gaps=gap, problems=frozenset({"short-block"})),
    }


def _others() -> dict[str, Sample]:
    three = records()
    packed, plain = members(three), b"".join(three)
    name = "archive/data.warc.gz"
    zstd = ("zstd",)
    first = zstd_frames(three)
    damaged = flipped(first, len(zstd_frames(three[:1])) + 30)
    inner = package({name: packed})
    return {
        "frames.warc.zst": Sample(first, "warc+zstd", 0, 3, gaps=zstd),
        "trained.warc.zst": Sample(zstd_frames(three, trained=True), "warc+zstd", 0, 3, gaps=zstd),
        "packed.warc.zst": Sample(
            zstd_frames(three, trained=True, packed=True), "warc+zstd", 0, 3, gaps=zstd
        ),
        "one-frame.warc.zst": Sample(zstd_frames([plain]), "warc+zstd", 0, 3, gaps=zstd),
        "two-frames.warc.zst": Sample(zstd_frames([plain[:300], plain[300:]]), "warc+zstd", 0, 3, gaps=zstd),
        "skipped.warc.zst": Sample(
            first + struct.pack("<LL", 0x184D2A50, 3) + b"abc" + first, "warc+zstd", 0, 6, gaps=zstd
        ),
        "damaged.warc.zst": Sample(damaged, "warc+zstd", 0, 2, gaps=zstd, lost=("damaged",)),
        "cut.warc.zst": Sample(first[:-9], "warc+zstd", 0, 2, gaps=zstd, lost=("cut",)),
        "stored.wacz": Sample(package({name: packed, "archive/b.warc": plain}), "wacz", 6),
        "deflated.wacz": Sample(package({name: packed}, deflated=[name]), "wacz", 0, 3, gaps=("deflated",)),
        "stream.wacz": Sample(package({name: gz(plain)}), "wacz", 0, 3, gaps=("several",)),
        "arc.wacz": Sample(
            package({"archive/a.arc.gz": members(arc_records())}), "wacz", 0, 4, gaps=("arc",)
        ),
        "wide.wacz": Sample(zip64(name, packed), "wacz", 3),
        "leading.wacz": Sample(package({name: packed}) + b"", "wacz", 3),
        "nested.wacz": Sample(wacz({"a.wacz": inner, "datapackage.json": b"{}"}), "wacz", 3),
        "cut.wacz": Sample(package({name: packed})[:-40], "wacz", 3, gaps=("garbage", "garbage")),
        "comment.wacz": Sample(wacz({name: packed}, comment=b"PK"), "wacz", 3),
    }
