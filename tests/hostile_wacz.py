"""Makes hostile WACZ files: ZIPs that lie, names that lead outside, bombs, and JSON of any depth."""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from foreign_files import gz
from hostile_archives import URL, Named, cuts, mutations, records, zeros

OUTSIDE = "hostile-member"  # no file of this name may ever be made


@dataclass(frozen=True)
class Entry:
    """A ZIP entry (APPNOTE 6.3.10, sections 4.3.7 and 4.3.12), whose two heads may lie."""

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0x800
    attributes: int = 0
    extra: bytes = b""
    crc: int | None = None
    size: int | None = None
    stored: int | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    offset: int | None = None

    @property
    def body(self) -> bytes:
        if self.method != 8:
            return self.data
        pack = zlib.compressobj(9, zlib.DEFLATED, -15)
        return pack.compress(self.data) + pack.flush()


def zipped(entries: Sequence[Entry], *, count: int | None = None, at: int | None = None,
size: int | None = None,
           comment: bytes = b"", prefix: bytes = b"") -> bytes:  # fmt: skip
    """The ZIP file of them, its end record (section 4.3.16) as told."""
    out, listed = bytearray(prefix), bytearray()
    for entry in entries:
        body, start = entry.body, len(out)
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        sizes = [
            len(body) if entry.stored is None else entry.stored,
            len(entry.data) if entry.size is None else entry.size,
        ]
        here = sizes if entry.local_size is None else [entry.local_size] * 2
        name = entry.name if entry.local_name is None else entry.local_name
        out += (
            struct.pack(
                "<4s5H3I2H", b"PK\3\4", 45, entry.flags, entry.method, 0, 33, crc, *here, len(name), 0
            )
            + name
            + body
        )
        listed += struct.pack("<4s6H3I5H2I", b"PK\1\2", 0x32D, 45, entry.flags, entry.method, 0, 33, crc,
        *sizes, len(entry.name),
                              len(entry.extra), 0, 0, 0, entry.attributes,
                              start if entry.offset is None else entry.offset)  # fmt: skip
        listed += entry.name + entry.extra
    many = min(len(entries), 0xFFFF) if count is None else count
    end = struct.pack(
        "<4s4H2IH",
        b"PK\5\6",
        0,
        0,
        many,
        many,
        len(listed) if size is None else size,
        len(out) if at is None else at,
        len(comment),
    )
    return bytes(out + listed + end + comment)


def wacz(warc: bytes | None = None, extra: Sequence[Entry] = (), **changed: bytes) -> list[Entry]:
    """The entries of a WACZ 1.1.1; `changed` replaces `datapackage`, `digest`, `pages` or `index`."""
    parts = list(map(gz, records()))
    data = b"".join(parts) if warc is None else warc
    start = len(parts[0]) + len(parts[1])
    place = {
        "url": URL,
        "mime": "text/html",
        "status": "200",
        "filename": "data.warc.gz",
        "offset": str(start),
        "length": str(len(parts[2])),
    }
    index = changed.get("index", b"example,news)/a 20240203040506 " + json.dumps(place).encode() + b"\n")
    pages = changed.get("pages", b'{"format": "json-pages-1.0", "id": "pages", "title": "All"}\n'
                        + json.dumps({"id": "1", "url": URL, "ts": "2024-02-03T04:05:06Z",
                        "title": "A ferry"}).encode() + b"\n")  # fmt: skip
    files = {"archive/data.warc.gz": data, "indexes/index.cdx": index, "pages/pages.jsonl": pages}
    listed = [
        {
            "name": name.rpartition("/")[2],
            "path": name,
            "hash": f"sha256:{hashlib.sha256(held).hexdigest()}",
            "bytes": len(held),
        }
        for name, held in files.items()
    ]
    package = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "created": "2024-02-03T04:05:07Z",
        "resources": listed,
    }
    written = changed.get("datapackage", json.dumps(package).encode())
    signed = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(written).hexdigest()}"}
    files |= {
        "datapackage.json": written,
        "datapackage-digest.json": changed.get("digest", json.dumps(signed).encode()),
    }
    return [Entry(name.encode(), held) for name, held in files.items()] + list(extra)


def hostile_wacz(mutated: int, mebibytes: int = 1_100) -> Named:
    """(name, bytes) of each; the same in every run. Bombs say that they are so large."""
    stored = zipped(wacz())
    deflated = zipped([replace(entry, method=8) for entry in wacz()])
    for name, data in (("stored.wacz", stored), ("deflated.wacz", deflated)):
        yield from cuts(name, data)
        yield from mutations(name, data, mutated)
    for made in (names(), lies(), documents(), bombs(mebibytes)):
        yield from ((f"{name}.wacz", data) for name, data in made)


def names() -> Iterator[tuple[str, bytes]]:
    """Members that would be written elsewhere, or over each other."""
    data = b"".join(map(gz, records()))
    paths = ("../{}", "archive/../../{}.warc.gz", "/{}.warc.gz", "/tmp/{}", "archive//{}.warc.gz", "C:\\{}",
             "archive\\..\\..\\{}.warc", "./archive/{}.warc.gz",
             "archive/{}\0.warc.gz", "archive/\r\n{}.warc.gz", "archive/{}" + "x" * 60_000,
             "archive/" + "a/" * 9_999 + "{}.warc.gz", "archive/..", "archive/",
             "", ".", "..", "~/{}", "archive/\u202e{}.warc.gz", "archive/CON", "archive/-rf {}.warc.gz",
             "archive/%2e%2e%2f{}.warc")  # fmt: skip
    for number, path in enumerate(paths):
        name = path.format(OUTSIDE).encode()
        yield f"name {number}", zipped(wacz(extra=[Entry(name, data)]))
        yield f"only name {number}", zipped([Entry(name, data)])
        yield (
            f"link {number}",
            zipped(wacz(extra=[Entry(name, b"../../" + OUTSIDE.encode(), attributes=0o120777 << 16)])),
        )
    for target in (b"/etc/passwd", b"../../" + OUTSIDE.encode(), b"data.warc.gz"):
        link = Entry(b"archive/link.warc.gz", target, attributes=0o120777 << 16)
        yield (
            f"link to {target[:9].hex()}",
            zipped(wacz(extra=[link, Entry(b"archive/link.warc.gz/x.warc.gz", data)])),
        )
    yield "latin name", zipped(wacz(extra=[Entry(b"archive/\xff\xfe.warc.gz", data, flags=0)]))
    yield "no UTF-8", zipped(wacz(extra=[Entry(b"archive/\xff\xfe.warc.gz", data)]))
    for name in (b"archive/data.warc.gz", b"datapackage.json", b"indexes/index.cdx", b"ARCHIVE/DATA.WARC.GZ"):
        yield f"twice {name.decode()[:9]}", zipped(wacz(extra=[Entry(name, data)]))
        yield f"hundredfold {name.decode()[:9]}", zipped(wacz(extra=[Entry(name, data)] * 100))
    for kind in (0o010000, 0o020000, 0o040000, 0o060000, 0o140000):
        yield (
            f"kind {kind:o}",
            zipped(wacz(extra=[Entry(b"archive/x.warc.gz", data, attributes=(kind | 0o777) << 16)])),
        )


def lies() -> Iterator[tuple[str, bytes]]:
    """ZIPs of which one part contradicts another."""
    good = wacz()
    first, rest = good[0], good[1:]
    length = len(first.data)
    changes: list[dict[str, object]] = [
        {"crc": 1}, {"size": length + 1}, {"size": 0}, {"size": 0xFFFFFFFF}, {"stored": length + 9},
        {"stored": 0}, {"stored": 0xFFFFFFFF},
        {"method": 8, "crc": 1}, {"method": 8, "size": 5}, {"method": 8, "stored": 9}, {"method": 8,
        "size": 0xFFFFFFFE}, {"method": 12}, {"method": 93},
        {"method": 99}, {"method": 0xFFFF}, {"flags": 1}, {"flags": 8}, {"flags": 0x2041},
        {"flags": 0xFFFF}, {"local_name": b"archive/other.warc.gz"},
        {"local_name": b""}, {"local_name": b"x" * 60_000}, {"local_size": 0}, {"local_size": 5},
        {"local_size": 0xFFFFFFFF}, {"offset": 0xFFFFFFFF},
        {"offset": 1}, {"offset": length}, {"offset": 0x7FFFFFFF},
    ]  # fmt: skip
    for index, changed in enumerate(changes):
        yield f"lie {index}", zipped([replace(first, **changed), *rest])  # type: ignore[arg-type]
        last = replace(rest[-2], **changed)  # type: ignore[arg-type]
        yield f"lie of the last {index}", zipped([first, *rest[:-2], last, rest[-1]])
    extras = (
        b"\1\0",
        b"\1\0\xff\xff",
        struct.pack("<2H2Q", 1, 16, 2**63, 2**63),
        struct.pack("<2H3Q", 1, 24, length, length, 2**64 - 1),
        b"\1\0\4\0abc" * 99,
    )
    for index, extra in enumerate(extras):
        large = replace(first, extra=extra, size=0xFFFFFFFF, stored=0xFFFFFFFF)
        yield f"ZIP64 extra {index}", zipped([large, *rest])
        yield f"ZIP64 offset {index}", zipped([replace(large, offset=0xFFFFFFFF), *rest])
    ends: list[dict[str, object]] = [
        {"count": 0}, {"count": 3}, {"count": 0xFFFF}, {"at": 0}, {"at": 0xFFFFFFFF}, {"at": 9},
        {"size": 0}, {"size": 0xFFFFFFFF}, {"size": 7},
        {"prefix": b"#!/bin/sh\n" * 9}, {"prefix": gz(b"")}, {"comment": b"x" * 0xFFFF},
        {"comment": b"PK\5\6" * 9_999}, {"comment": zipped(good[:1])},
    ]  # fmt: skip
    for index, changed in enumerate(ends):
        yield f"end {index}", zipped(good, **changed)  # type: ignore[arg-type]
    for index, (count, size, at) in enumerate(
        ((2**63, 2**63, 2**63), (2**64 - 1,) * 3, (5, 10, 0), (0, 0, 0))
    ):
        plain = zipped(good, count=0xFFFF, at=0xFFFFFFFF, size=0xFFFFFFFF)
        end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, at)
        locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(plain) - 22, 1)
        yield f"ZIP64 end {index}", plain[:-22] + end64 + locator + plain[-22:]
        yield (
            f"ZIP64 place {index}",
            plain[:-22] + end64 + struct.pack("<4sIQI", b"PK\6\7", 0, 2**63 * (index % 2), 1) + plain[-22:],
        )
    yield "no end", zipped(good)[:-22]
    yield "two ends", zipped(good) + zipped(good)[-22:]
    yield "no entries", zipped([])
    yield "PK", b"PK\3\4" + bytes(999)
    yield "PKs", b"PK\3\4" * 200_000


def documents() -> Iterator[tuple[str, bytes]]:
    """JSON of which nothing holds."""
    deep = b"[" * 100_000
    texts = (b"", b"[]", b"1", b"null", b'"x"', b"{", deep, b'{"a":' * 50_000, b"\xff\xfe", b"NaN",
             b"9" * 9_999, b"-1e999999", b'{"resources": {"x": 1}}',
             b'{"resources": [1, null, [], {}]}',
             b'{"resources": [{"path": 7, "hash": [], "bytes": "x", "name": {}}]}', b'"\\ud800"',
             b'{"resources": [{"path": "../../etc/passwd", "hash": "sha256:x", "name": "\\u0000"}]}',
             b'{"resources": [' + b'{"path":"x"},' * 50_000 + b"{}]}",
             b'{"resources": [{"path": "archive/data.warc.gz", "hash": "' + b"x" * 99_999 + b'", '
             b'"bytes": 1e400, "name": "x"}], "wacz_version": [1]}',
             b'{"resources": [{"path": "archive/data.warc.gz", "bytes": ' + b"9" * 5_000 + b"}]}",
             b'{"profile": "data-package", "resources": null, "created": {}}')  # fmt: skip
    for index, text in enumerate(texts):
        for kind in ("datapackage", "digest", "pages", "index"):
            yield f"{kind} {index}", zipped(wacz(**{kind: text}))
        header = b'{"format": "json-pages-1.0"}\n'
        yield f"page {index}", zipped(wacz(pages=header + text + b"\n" + text))
        yield f"line {index}", zipped(wacz(index=b"example,news)/a 20240203040506 " + text + b"\n"))
    numbers = ("-1", "9" * 30, "9" * 5_000, "x", "", "1.5", "1e9", None, True, [], 2**63, -(2**63), 1e308)
    for index, number in enumerate(numbers):
        for key in ("offset", "length", "status", "digest", "filename", "url", "recordDigest"):
            place = {"url": URL, "filename": "data.warc.gz", "offset": "0", "length": "9", key: number}
            yield (
                f"{key} {index}",
                zipped(wacz(index=b"example,news)/a 20240203040506 " + json.dumps(place).encode() + b"\n")),
            )
    yield from _signed()
    many = b"example,news)/a 20240203040506 {}\n" * 100_000
    yield "lines of the index", zipped(wacz(index=many))
    yield "pages of nothing", zipped(wacz(pages=b"{}\n" * 300_000))
    yield "one line of the index", zipped(wacz(index=b"a" * 8_000_000))
    yield "one page", zipped(wacz(pages=b'{"url": "' + b"a" * 8_000_000 + b'"}\n'))


def _signed() -> Iterator[tuple[str, bytes]]:
    """Signatures of nothing."""
    signature: dict[str, object] = {
        "hash": "sha256:" + "0" * 64,
        "created": "2024-02-03T04:05:07Z",
        "software": "x",
        "signature": "AAAA",
        "publicKey": "AAAA",
    }
    for key in signature:
        for index, value in enumerate(
            (
                "",
                "x" * 1_000_000,
                "A" * 128,
                7,
                None,
                [],
                {"x": "y"},
                "\0",
                "MEEwEwYHKoZIzj0CAQ==",
                "é",
                "====",
            )
        ):
            signed = {"path": "datapackage.json", "hash": "sha256:x", "signedData": signature | {key: value}}
            yield f"signed {key} {index}", zipped(wacz(digest=json.dumps(signed).encode()))
    for key in ("domainCert", "timestampCert", "crossSignedCert", "timeSignature", "domain"):
        for index, value in enumerate(
            ("x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "MIIB" * 9_999, 7, ["x"])
        ):
            signed = {
                "path": "datapackage.json",
                "hash": "sha256:x",
                "signedData": signature | {"domain": "x", key: value},
            }
            yield f"signed {key} {index}", zipped(wacz(digest=json.dumps(signed).encode()))


def bombs(mebibytes: int) -> Iterator[tuple[str, bytes]]:
    """Small ZIPs that say much."""
    for name in (
        b"archive/data.warc.gz",
        b"archive/data.warc",
        b"datapackage.json",
        b"indexes/index.cdx",
        b"indexes/index.cdx.gz",
        b"pages/pages.jsonl",
        b"x",
    ):
        packed = zeros(mebibytes, b"WARC/1.1\r\n" if b"archive" in name else b'{"a": "')[10:-8]
        bomb = Entry(name, packed, method=0)
        whole = [entry for entry in wacz() if entry.name != name]
        yield (
            f"bomb {name.decode().replace('/', ' ')}",
            _deflated(zipped([*whole, bomb]), len(packed), mebibytes),
        )
    yield "gzip bomb", zipped(wacz(zeros(mebibytes, records()[0])))
    yield (
        "gzip index bomb",
        zipped(
            wacz(
                extra=[
                    Entry(b"indexes/index.cdx.gz", zeros(mebibytes)),
                    Entry(b"indexes/index.idx", b"!meta 0 {}\n"),
                ]
            )
        ),
    )
    kernel = wacz()[0]
    yield "overlapping", zipped([kernel, *(replace(kernel, name=b"archive/%d.warc.gz" % number, data=b"",
    offset=0, size=len(kernel.data),
                                  stored=len(kernel.data),
                                  crc=zlib.crc32(kernel.data)) for number in range(3_000))])  # fmt: skip
    yield "many entries", zipped(wacz(extra=[Entry(b"archive/%d.warc" % number) for number in range(40_000)]))
    yield "many names", zipped(wacz(extra=[Entry(b"x%d/" % number + b"y" * 200) for number in range(20_000)]))
    nested = zipped(wacz())
    for depth in range(12):
        nested = zipped(wacz(extra=[Entry(b"archive/%d.wacz" % depth, nested)]))
    yield "nested", nested
    yield "nested as WARC", zipped(wacz(nested))


def _deflated(data: bytes, length: int, mebibytes: int) -> bytes:
    """The last entry's stored bytes are said to be deflated and to be so large (sections 4.4.5, 4.4.9)."""
    whole = bytearray(data)
    listed = whole.rfind(b"PK\1\2")
    start = struct.unpack_from("<I", whole, listed + 42)[0]
    struct.pack_into("<H", whole, listed + 10, 8)
    struct.pack_into("<2I", whole, listed + 20, length, mebibytes << 20)
    struct.pack_into("<H", whole, start + 8, 8)
    struct.pack_into("<2I", whole, start + 18, length, mebibytes << 20)
    return bytes(whole)
