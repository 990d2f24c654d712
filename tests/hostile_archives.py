"""Makes hostile WARC and ARC files: cuts, mutations, lengths, bombs, loops, and notes that lie.

`python tests/hostile_archives.py FOLDER [MUTATIONS [MEBIBYTES]]` writes them, and those of hostile_wacz.py.
"""

import gzip
import json
import random
import sys
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from foreign_files import gz, header

Named = Iterator[tuple[str, bytes]]
Fields = Iterable[tuple[str, str | bytes]]

MUTATIONS = 12  # of each small file
DATE = "2024-02-03T04:05:06Z"
URL = "http://news.example/a"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
PAGE = (
    b"<!doctype html><html><head><title>A ferry</title></head><body><article><h1>A ferry</h1><p>"
    + b"The first electric ferry of the town leaves today, says the harbour office. " * 9
    + b'</p><img src="/p.gif"></article></body></html>'
)
GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
LENGTHS = (
    "", "-1", "0", "1", "+5", " 7 ", "0x10", "1e9", "1.5", "٣", "5, 5", "5;x", "99999999", "4294967296",
    "9223372036854775807", "18446744073709551615", "9" * 30, "9" * 5_000, "9" * 70_000, "NaN", "\0",
)  # fmt: skip


def hostile(mutated: int = MUTATIONS) -> Named:
    """(name, bytes) of each; the same in every run."""
    for name, data in small().items():
        yield from cuts(name, data)
        yield from mutations(name, data, mutated)
    for make in (lengths, values, heads, transfers, references, arcs, notes):
        yield from make()


# --- what they are made of -----------------------------------------------------------------------


def record(
    kind: str, fields: Fields = (), block: bytes = b"", *, length: str | None = None, number: int = 1
) -> bytes:
    """A record of WARC/1.1 section 4, whatever is put into it."""
    basic: dict[str, str | bytes] = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        "WARC-Date": DATE,
        "Content-Length": str(len(block)) if length is None else length,
    }
    return header((basic | dict(fields)).items(), "1.1") + block + b"\r\n\r\n"


def answer(url: str, body: bytes, head: bytes = HTTP, number: int = 1, **fields: str) -> bytes:
    kind = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=response"}
    given = {f"WARC-{name.replace('_', '-')}": value for name, value in fields.items()}
    return record("response", (kind | given).items(), head + body, number=number)


def records() -> list[bytes]:
    """A small crawl: its parts."""
    info = record(
        "warcinfo", [("Content-Type", "application/warc-fields")], b"software: a crawler\r\n", number=9
    )
    asked = [("WARC-Target-URI", URL), ("Content-Type", "application/http; msgtype=request")]
    return [
        info,
        record("request", asked, b"GET /a HTTP/1.1\r\nHost: news.example\r\n\r\n", number=2),
        answer(URL, PAGE, number=1),
        answer("http://news.example/p.gif", GIF, b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\n\r\n", 3),
        record(
            "resource",
            [("WARC-Target-URI", "http://news.example/r.gif"), ("Content-Type", "image/gif")],
            GIF,
            number=4,
        ),
    ]


def arc() -> list[bytes]:
    """A small ARC file, version 1: its parts."""
    about = b"1 0 A crawler\nURL IP-address Archive-date Content-type Archive-length\n"
    body = HTTP + PAGE
    return [
        b"filedesc://a.arc 0.0.0.0 20240203040506 text/plain %d\n%s\n" % (len(about), about),
        b"%s 192.0.2.1 20240203040506 text/html %d\n%s\n" % (URL.encode(), len(body), body),
    ]


def small() -> dict[str, bytes]:
    """A file of each form."""
    parts = records()
    return {
        "plain.warc": b"".join(parts),
        "members.warc.gz": b"".join(map(gz, parts)),
        "stream.warc.gz": gz(b"".join(parts)),
        "pairs.warc.gz": b"".join(gz(b"".join(parts[at : at + 2])) for at in range(0, len(parts), 2)),
        "mixed.warc.gz": gz(parts[0]) + b"".join(parts[1:3]) + gz(parts[3]),
        "raw.warc.zst": b"".join(map(zstd, parts)),
        "plain.arc": b"".join(arc()),
        "members.arc.gz": b"".join(map(gz, arc())),
    }


def zstd(data: bytes) -> bytes:
    """A zstd frame of one raw block (RFC 8878 section 3.1.1)."""
    return (
        b"\x28\xb5\x2f\xfd\xa0"
        + len(data).to_bytes(4, "little")
        + (len(data) << 3 | 1).to_bytes(3, "little")
        + data
    )


# --- cut and changed -----------------------------------------------------------------------------


def cuts(name: str, data: bytes) -> Named:
    """At each boundary of the form, beside it, and at others."""
    marks = (b"\x1f\x8b", b"WARC/", b"\r\n\r\n", b"\x28\xb5\x2f\xfd", b"PK", b"http://")
    ends = {0, 1, 2, len(data) - 1, len(data) - 4, len(data) - 8}
    for mark in marks:
        at = data.find(mark)
        while at >= 0:
            ends |= {at - 1, at, at + 1, at + len(mark), at + 10, at + 18}
            at = data.find(mark, at + 1)
    kept = sorted(end for end in ends if 0 <= end < len(data))
    for end in kept[:: max(1, len(kept) // 40)]:
        yield f"cut at {end} {name}", data[:end]
    for start in kept[:: max(1, len(kept) // 10)]:
        yield f"from {start} {name}", data[start:]


def mutations(name: str, data: bytes, count: int) -> Named:
    chance = random.Random(name)
    for number in range(count):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at, size = chance.randrange(len(changed)), chance.choice((1, 4, 64))
            match chance.randrange(7):
                case 0:
                    changed[at] ^= 1 << chance.randrange(8)
                case 1:
                    changed[at : at + size] = chance.randbytes(size)
                case 2:
                    del changed[at : at + size]
                case 3:
                    changed[at:at] = chance.randbytes(size)
                case 4:
                    changed[at:at] = changed[chance.randrange(len(changed)) :][: size * 9]
                case 5:
                    changed[at : at + size] = bytes([chance.choice((0, 13, 10, 32, 57, 255))]) * size
                case _:
                    changed[at:at] = chance.choice(
                        (b"\r\n\r\n", b"WARC/1.1\r\n", b"\x1f\x8b\x08\0", b"PK\3\4", b":")
                    )
        yield f"mutation {number} {name}", bytes(changed)


def lengths() -> Named:
    """Content-Length that is not that of the block, in each form."""
    info, _, page, *rest = records()
    old = b"Content-Length: %d\r\n" % len(HTTP + PAGE)
    right = len(HTTP + PAGE)
    near = [str(right + by) for by in (-70, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 70)]
    for number, length in enumerate([*LENGTHS, *near]):
        torn = page.replace(old, b"Content-Length: %s\r\n" % length.encode())
        parts = [info, torn, *rest]
        yield f"length {number}.warc", b"".join(parts)
        yield f"length {number}.warc.gz", b"".join(map(gz, parts))
        yield f"length {number} stream.warc.gz", gz(b"".join(parts))
    yield "length left out.warc", info + page.replace(old, b"") + rest[0]
    yield "length twice.warc", info + page.replace(old, old + b"Content-Length: 3\r\n") + rest[0]


def values() -> Named:
    """Fields that say what no reader may trust."""
    bad = (
        "",
        " ",
        "\0",
        "x" * 100_000,
        "é\udcff".encode("utf-8", "surrogateescape"),
        "<",
        "<>",
        "a\tb",
        "../../x",
        "%00",
        "\u202e",
    )
    names = ("WARC-Type", "WARC-Record-ID", "WARC-Date", "WARC-Target-URI", "WARC-Block-Digest",
             "WARC-Payload-Digest",
             "WARC-Refers-To", "WARC-Concurrent-To", "WARC-Profile", "WARC-Segment-Number", "WARC-IP-Address",
             "WARC-Filename", "WARC-Truncated", "Content-Type", "WARC-JSON-Metadata")  # fmt: skip
    for name in names:
        for number, value in enumerate(bad):
            yield f"{name} {number}.warc", _with(name, value)
    dates = ("0000-00-00T00:00:00Z", "9999-12-31T23:59:60Z", "99999-01-01T00:00:00Z",
             "2024-02-30T25:61:61Z", "2024",
             "-2024-01-01T00:00:00Z", "2024-01-01T00:00:00." + "9" * 5_000 + "Z",
             "٢٠٢٤-01-01T00:00:00Z")  # fmt: skip
    digests = (
        "sha1:",
        "sha1:AAAA",
        ":",
        "sha256:" + "0" * 64,
        "sha256:" + "0" * 9_999,
        "md5:" + "é" * 32,
        "x" * 99 + ":y",
        "sha1",
    )
    addresses = ("http://[", "http://a:99999999999/", "http://" + "a." * 5_000, "file:///etc/passwd",
                 "javascript:1", "http://\u2028/",
                 "http://[::1%25" + "x" * 999 + "]/", "HTTP://u:p@h:0/#", "urn:", "//",
                 "http://a/" + "%" * 9_999)  # fmt: skip
    for name, bad in (
        ("WARC-Date", dates),
        ("WARC-Block-Digest", digests),
        ("WARC-Payload-Digest", digests),
        ("WARC-Target-URI", addresses),
    ):
        for number, value in enumerate(bad):
            yield f"{name} form {number}.warc", _with(name, value)


def _with(name: str, value: str | bytes) -> bytes:
    fields = {"WARC-Target-URI": URL, "Content-Type": "application/http; msgtype=response", name: value}
    return record("response", fields.items(), HTTP + PAGE)


def heads() -> Named:
    """Heads of records that are not what section 4 says."""
    page = answer(URL, PAGE)
    yield "version.warc", page.replace(b"WARC/1.1", b"WARC/" + b"9" * 9_999)
    yield "no colon.warc", page.replace(b"WARC-Date:", b"WARC-Date")
    yield "folded.warc", page.replace(b"WARC-Date: ", b"WARC-Date:\r\n " + b"\r\n " * 50_000)
    yield "LF.warc", page.replace(b"\r\n", b"\n") * 3
    yield "CR.warc", page.replace(b"\r\n", b"\r") * 3
    yield "no end.warc", b"WARC/1.1\r\n" + b"X: y\r\n" * 200_000
    yield "one line.warc", b"WARC/1.1\r\n" + b"a" * 3_000_000
    yield "blank lines.warc", b"\r\n" * 1_000_000 + page
    yield "versions.warc", b"WARC/1.1\r\n" * 300_000
    yield "NULs.warc", page + bytes(3_000_000) + page
    yield (
        "same field.warc",
        page.replace(b"WARC-Date:", b"WARC-Concurrent-To: <urn:x:y>\r\n" * 20_000 + b"WARC-Date:"),
    )
    yield (
        "a million fields.warc.gz",
        gz(page.replace(b"WARC-Date:", b"A:\r\n" * 1_000_000 + b"WARC-Date:")),
    )


def transfers() -> Named:
    """HTTP that a reader of bodies falls over."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n"
    sizes = (
        b"f" * 16,
        b"f" * 5_000,
        b"-1",
        b"+5",
        b"0x5",
        b"5;" + b"x" * 100_000,
        b"",
        b"5 5",
        b"ffffffff",
        b"\0",
    )
    for number, size in enumerate(sizes):
        yield (
            f"chunk {number}.warc",
            answer(URL, size + b"\r\nhello\r\n0\r\n\r\n", chunked, Payload_Digest="sha1:" + "A" * 32),
        )
    yield "chunks.warc.gz", gz(answer(URL, b"1\r\na\r\n" * 200_000 + b"0\r\n\r\n", chunked))
    status = (
        b"HTTP/2 200",
        b"HTTP/1.1",
        b"HTTP/1.1 99999999999999999999 x",
        b"HTTP/9.9 -1",
        b"ICY 200 OK",
        b"",
        b"\xff\xfe",
        b"HTTP/1.1 2OO OK",
    )
    for number, line in enumerate(status):
        yield f"status {number}.warc", answer(URL, PAGE, line + b"\r\nContent-Type: text/html\r\n\r\n")
    yield (
        "fields.warc.gz",
        gz(answer(URL, PAGE, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300_000 + b"\r\n")),
    )
    yield "no head's end.warc", answer(URL, b"", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 3_000)
    yield from _codings()


def _codings() -> Named:
    """Content codings that are not what they say, or are bombs."""
    for codings in (
        b"gzip",
        b"gzip, " * 2_000 + b"gzip",
        b"br",
        b"zstd",
        b"deflate",
        b"x" * 9_999,
        b"identity",
        b"gzip, br, zstd",
    ):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: " + codings + b"\r\n\r\n"
        name = codings[:20].decode()
        yield f"coding {name} not.warc", answer(URL, PAGE, head)
        yield f"coding {name}.warc", answer(URL, gzip.compress(PAGE, mtime=0), head)
        yield f"coding {name} bomb.warc", answer(URL, zeros(300), head)
    nested = zeros(100)
    for _ in range(5):
        nested = gzip.compress(nested, mtime=0)
    yield (
        "codings bomb.warc",
        answer(
            URL,
            nested,
            HTTP.replace(b"\r\n\r\n", b"\r\nContent-Encoding: " + b"gzip, " * 5 + b"gzip\r\n\r\n"),
        ),
    )


def references() -> Named:
    """Records that name each other, and themselves."""
    profile = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    common = {"WARC-Target-URI": URL, "WARC-Profile": profile,
              "Content-Type": "application/http; msgtype=response",
              "WARC-Payload-Digest": "sha1:" + "A" * 32, "WARC-Refers-To-Target-URI": URL,
              "WARC-Refers-To-Date": DATE}  # fmt: skip
    ids = [f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>" for number in range(300)]

    def revisit(number: int, to: int) -> bytes:
        fields = common | {"WARC-Refers-To": ids[to], "WARC-Concurrent-To": ids[to]}
        return record("revisit", fields.items(), HTTP, number=number)

    yield "revisit of itself.warc", revisit(1, 1)
    yield "revisits of each other.warc", revisit(1, 2) + revisit(2, 1)
    yield "revisits in a row.warc", b"".join(revisit(number, number - 1) for number in range(299, 0, -1))
    yield "one id.warc", b"".join(answer(f"{URL}{number}", PAGE) for number in range(300))
    yield "one id and place.warc", answer(URL, PAGE) * 300
    moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n"
    yield "redirect to itself.warc", answer(URL, b"", moved % URL.encode())
    both = [
        answer(f"{URL}{here}", b"", moved % f"{URL}{there}".encode(), here)
        for here, there in ((1, 2), (2, 1))
    ]
    yield "redirects to each other.warc", b"".join(both)
    row = [answer(f"{URL}{at}", b"", moved % f"{URL}{at + 1}".encode(), at) for at in range(2_000)]
    yield "redirects in a row.warc.gz", b"".join(map(gz, row))
    for number, to in enumerate(
        (b"", b"http://[", b"\xff\xfe", b"//", b"a" * 100_000, b"../" * 9_999, b"http://h:99999/")
    ):
        yield f"redirect {number}.warc", answer(URL, b"", moved % to)
    for number in (0, -1, 10**30, "x"):
        fields = [
            ("WARC-Segment-Number", str(number)),
            ("WARC-Segment-Origin-ID", ids[1]),
            ("WARC-Segment-Total-Length", "9" * 30),
        ]
        yield (
            f"segment {number}.warc",
            record("continuation", fields, PAGE)
            + record("response", [*fields, ("WARC-Target-URI", URL)], HTTP),
        )


def arcs() -> Named:
    """ARC files whose lines and lengths are not what they should be."""
    about, page = arc()
    right = b" %d\n" % len(HTTP + PAGE)
    for number, length in enumerate(LENGTHS):
        yield f"length {number}.arc", about + page.replace(right, b" %s\n" % length.encode(), 1) + page
    line, _, rest = page.partition(b"\n")
    for number, bad in enumerate(
        (b"", b" ", b"a b c", line + b" x y z", line.replace(b" ", b"\t"), b"\xff" * 99, b"a" * 3_000_000)
    ):
        yield f"line {number}.arc", about + bad + b"\n" + rest + page
    for date in (b"0" * 14, b"9" * 14, b"2024", b"20240230250000", b"\xd9\xa3" * 14, b"9" * 400):
        yield f"date {date[:14]!r}.arc", about + page.replace(b"20240203040506", date)
    yield "version.arc", about.replace(b"1 0 A", b"9" * 999 + b" 0 A") + page
    yield "without a version.arc", page * 3
    yield "one line.arc", b"filedesc://" + b"a" * 3_000_000


# --- notes that lie ------------------------------------------------------------------------------


NOTED, ASKED = (f"urn:uuid:00000000-0000-4000-8000-{number:012d}" for number in (1, 2))
DEEP = b"[" * 100_000


def _said() -> list[object]:
    """What notes may say that is no note, or says what no reader may trust."""
    number, page, other = 10**400, NOTED, ASKED
    article = {
        "kind": "page",
        "title": "x",
        "url": URL,
        "references": [{"number": 0, "written": "p", "url": URL, "forms": []}],
    }
    fetch = {"type": "fetch", "url": URL, "purpose": "page", "outcome": "whole", "started": DATE,
             "hops": [{"url": URL, "request": other, "response": page, "status": 200}]}  # fmt: skip
    return [
        [], 1, None, "x", {}, {"type": []}, {"type": "article"}, {"type": "fetch"}, {"type": "run"},
        {"type": "mark"}, {"type": "import"},
        {"type": "article", "given": 1, "article": []}, {"type": "article", "given": "x",
        "article": article | {"title": "x" * 3_000_000}},
        {"type": "article", "given": "x", "article": article | {"title": "\ud800", "language": "\0",
        "section": "\u202e"}},
        {"type": "article", "given": "x", "article": article | {"references": [{"number": 2**63},
        {"number": -1}, {"number": True}]}},
        {"type": "article", "given": "x",
        "article": article | {"references": article["references"] * 20_000}},
        {"type": "article", "given": "x", "article": article | {"times": [{"clock": "x",
        "written": "9" * 5_000, "value": "9999-99-99"}]}},
        {"type": "article", "given": "x", "article": article | {"blocks": [{"kind": "picture",
        "picture": 2**70}]}},
        {"type": "unreadable", "given": "\0" * 9, "reason": ["x"]}, {"type": "listing", "given": "x",
        "listing": {"links": "x"}},
        {"type": "run", "run": "urn:uuid:x", "started": "x", "sources": [[]],
        "outcomes": {"captured": number}},
        {"type": "run", "run": page, "started": DATE, "sources": [], "outcomes": {"captured": 2**63,
        "x" * 9_999: -1}},
        {"type": "mark", "said": "not-same", "reason": "x", "pictures": ["sha256:x", "sha256:x"]},
        {"type": "mark", "said": "not-same", "reason": "x", "pictures": ["sha256:" + "0" * 64] * 2},
        {"type": "import", "file": "../../x", "bytes": -1, "records": number},
        {"type": "import", "file": "imports/x", "given": "/etc/passwd", "bytes": 2**63,
        "digest": "sha256:x", "gaps": [[]]},
        fetch | {"article": page, "references": [2**63, -1, number], "attempt": number},
        fetch | {"hops": [{"status": 2**63}]},
        fetch | {"hops": fetch["hops"] * 20_000}, fetch | {"started": 7}, fetch | {"retry": 1e308},
        fetch | {"purpose": "x" * 99},
        fetch | {"article": "urn:archiver:record:sha256:" + "0" * 64, "form": ["x"]},
        fetch | {"unchanged": "yes", "original": 9},
    ]  # fmt: skip


def notes() -> Named:
    """Notes of an archiver's kind, by somebody else."""
    texts = [json.dumps(note).encode() for note in _said()]
    texts += [
        DEEP,
        b'{"type": "fetch", "attempt": 1e999999, "retry": NaN}',
        b'{"type": "run", "type": "fetch"}',
        b"\xff\xfe{",
        b"",
    ]
    texts += [
        b'{"type": "fetch", "attempt": ' + b"9" * 5_000 + b"}",
        b'{"type": "article", "article": {"blocks": ' + DEEP + b"}}",
    ]
    whole = answer(URL, PAGE)
    for index, text in enumerate(texts):
        fields = [
            ("WARC-Target-URI", f"urn:archiver:note:uuid:{index}"),
            ("WARC-Refers-To", f"<{NOTED}>"),
            ("Content-Type", "application/json"),
        ]
        note = record("metadata", fields, text, number=5)
        yield f"note {index}.warc.gz", gz(whole) + gz(note)
        asked = [
            ("WARC-Target-URI", URL),
            ("WARC-JSON-Metadata", text[:200_000].replace(b"\n", b" ")),
            ("WARC-Concurrent-To", f"<{NOTED}>"),
        ]
        yield (
            f"note of a request {index}.warc.gz",
            gz(whole) + gz(record("request", asked, b"GET / HTTP/1.1\r\n\r\n", number=2)),
        )
    for index, line in enumerate(
        (
            b"beacon: {",
            b"options: " + DEEP,
            b"run: urn:uuid:../x",
            b"signing-key: x+0+y",
            b"isPartOf: \xff",
        )
    ):
        info = record(
            "warcinfo",
            [("Content-Type", "application/warc-fields")],
            b"software: archiver/1\r\n" + line + b"\r\n",
            number=8,
        )
        yield f"warcinfo {index}.warc.gz", gz(info) + gz(whole)


# --- large when read -----------------------------------------------------------------------------


def bombs(mebibytes: int = 1_500) -> Named:
    """Small files that say much: their sizes are beyond what may be held."""
    count = mebibytes << 20
    head = record("resource", [("WARC-Target-URI", URL)], length=str(count))[:-4]
    yield "block.warc.gz", zeros(mebibytes, head)
    yield "after the block.warc.gz", gz(records()[0]) + zeros(mebibytes, answer(URL, PAGE))
    yield "no record.warc.gz", zeros(mebibytes)
    yield "head.warc.gz", zeros(mebibytes, b"WARC/1.1\r\nX: ", b"a")
    yield "fields.warc.gz", zeros(mebibytes // 4, b"WARC/1.1\r\n", b"A:\r\n")
    yield "records.warc.gz", zeros(mebibytes // 4, b"", record("metadata"))
    yield "arc.arc.gz", zeros(mebibytes, b"filedesc://x 0.0.0.0 20240203040506 text/plain %d\n" % count)
    yield "line.arc.gz", zeros(mebibytes, b"filedesc://", b"a")
    yield "members.warc.gz", gz(b"") * 100_000 + gz(records()[0])
    yield "tiny records.warc.gz", gz(record("metadata")) * 20_000
    yield "tiny records.warc", record("metadata") * 40_000
    yield "blocks.warc.zst", zstd(records()[0]) + zstd_bomb(mebibytes, head)
    yield "window.warc.zst", b"\x28\xb5\x2f\xfd\x00\xff" + b"\1\0\0" + zstd(records()[0])
    yield "dictionary.warc.zst", b"\x5d\x2a\x4d\x18\xff\xff\xff\xff" + zstd(records()[0])
    packed = zstd_bomb(mebibytes, b"\x37\xa4\x30\xec")
    yield (
        "dictionary bomb.warc.zst",
        b"\x5d\x2a\x4d\x18" + len(packed).to_bytes(4, "little") + packed + zstd(records()[0]),
    )
    yield "frames.warc.zst", b"\x50\x2a\x4d\x18\0\0\0\0" * 300_000 + zstd(records()[0])


@cache
def zeros(mebibytes: int, start: bytes = b"", of: bytes = b"\0") -> bytes:
    """A gzip member of `start` and so many MiB of `of` over and over; its checksum is right (RFC 1952)."""
    piece = of * ((1 << 20) // len(of))
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = pack.compress(start) + pack.flush(zlib.Z_FULL_FLUSH)
    same = pack.compress(piece) + pack.flush(zlib.Z_FULL_FLUSH)
    check = zlib.crc32(start)
    for _ in range(mebibytes):
        check = zlib.crc32(piece, check)
    size = len(start) + mebibytes * len(piece)
    end = pack.flush() + check.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + first + same * mebibytes + end


def zstd_bomb(mebibytes: int, start: bytes) -> bytes:
    """A zstd frame of `start` and so many MiB of zeros, one byte for each block (RFC 8878, 3.1.1.2)."""
    same = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    last = (1 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"
    return (
        b"\x28\xb5\x2f\xfd\x00\x58"
        + (len(start) << 3).to_bytes(3, "little")
        + start
        + same * (mebibytes * 8)
        + last
    )


def make_all(folder: Path, mutated: int = MUTATIONS, mebibytes: int = 1_500) -> list[Path]:
    """All of them, and the WACZ files of hostile_wacz.py, as files."""
    from hostile_wacz import hostile_wacz

    folder.mkdir(parents=True)
    made: list[Path] = []
    for makes in (hostile(mutated), hostile_wacz(mutated, mebibytes), bombs(mebibytes)):
        for name, data in makes:
            made.append(folder / f"{len(made):05d} {name.replace('/', '_')[-60:]}")
            made[-1].write_bytes(data)
    return made


if __name__ == "__main__":
    make_all(Path(sys.argv[1]), *map(int, sys.argv[2:]))
