"""WARC files written byte by byte: a clean record of every type, and changes that break one rule."""

import hashlib
from collections.abc import Mapping

from foreign_files import header, members

INFO = "urn:uuid:00000000-0000-4000-8000-000000000001"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
HTTP = HEAD + b"hello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n"
FIELDS = b"software: test\r\n"
URI = "http://news.example/"
NAME = "clean.warc.gz"

Fields = Mapping[str, str | None]
NONE: Fields = {}


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def number(which: int) -> str:
    return f"<urn:uuid:00000000-0000-4000-8000-{which:012}>"


def record(
    kind: str,
    which: int,
    block: bytes = b"",
    changes: Fields = NONE,
    *,
    version: str = "1.1",
    end: bytes = b"\r\n\r\n",
) -> bytes:
    """A record that nothing is wrong with, but for `changes`: values, or None for no such field."""
    fields: dict[str, str | None] = {
        "WARC-Type": kind,
        "WARC-Record-ID": number(which),
        "WARC-Date": "2026-11-23T12:00:00Z",
        "Content-Length": str(len(block)),
    }
    if kind not in ("warcinfo", "metadata"):
        fields["WARC-Target-URI"] = URI
    if kind in ("response", "request", "revisit"):
        fields |= {
            "WARC-IP-Address": "192.0.2.1",
            "Content-Type": f"application/http; msgtype={'request' if kind == 'request' else 'response'}",
        }
    elif block:
        fields["Content-Type"] = (
            "application/warc-fields" if kind in ("warcinfo", "metadata") else "text/plain"
        )
    if block:
        fields["WARC-Block-Digest"] = sha256(block)
    fields |= changes
    written = ((name.partition("#")[0], value) for name, value in fields.items() if value is not None)
    return header(written, version) + block + end


def warcinfo(changes: Fields = NONE, block: bytes = FIELDS, **more: str) -> bytes:
    return record("warcinfo", 1, block, {"WARC-Filename": NAME, **changes}, **more)


def response(changes: Fields = NONE, block: bytes = HTTP, which: int = 2, **more: str) -> bytes:
    return record("response", which, block, {"WARC-Payload-Digest": sha256(b"hello"), **changes}, **more)


def revisit(changes: Fields = NONE, block: bytes = HEAD) -> bytes:
    fields = {
        "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        "WARC-Payload-Digest": sha256(b"hello"),
        "WARC-Truncated": "length",
        "WARC-Refers-To": number(2),
        "WARC-Refers-To-Target-URI": URI,
        "WARC-Refers-To-Date": "2026-11-23T12:00:00Z",
    }
    return record("revisit", 5, block, fields | dict(changes))


def continuation(changes: Fields = NONE, which: int = 9) -> bytes:
    fields = {
        "WARC-Segment-Number": "2",
        "WARC-Segment-Origin-ID": number(8),
        "WARC-Segment-Total-Length": "10",
        "WARC-IP-Address": None,
        "Content-Type": None,
    }
    return record("continuation", which, b"world", fields | dict(changes))


def first_segment(changes: Fields = NONE) -> bytes:
    return record("resource", 8, b"hello", {"WARC-Segment-Number": "1", **changes})


def conversion(changes: Fields = NONE) -> bytes:
    return record("conversion", 7, b"HELLO", {"WARC-Refers-To": number(2), **changes})


def metadata(changes: Fields = NONE, block: bytes = b"via: x\r\n") -> bytes:
    return record("metadata", 6, block, {"WARC-Concurrent-To": number(2), "WARC-Target-URI": URI, **changes})


def request(changes: Fields = NONE, block: bytes = REQUEST) -> bytes:
    return record("request", 3, block, {"WARC-Concurrent-To": number(2), **changes})


def resource(changes: Fields = NONE, block: bytes = b"hello") -> bytes:
    return record("resource", 4, block, {"WARC-Payload-Digest": sha256(block), **changes})


def clean(name: str = NAME) -> list[bytes]:
    """One of each type, with references, a revisit, and a record in two segments."""
    return [
        warcinfo({"WARC-Filename": name}),
        response({"WARC-Warcinfo-ID": f"<{INFO}>"}),
        request(),
        resource(),
        revisit(),
        metadata(),
        conversion(),
        first_segment(),
        continuation(),
    ]


def packed(*records: bytes) -> bytes:
    return members(records)
