"""Awkward answers: what a server sends, and what must be recorded of it."""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import brotli
from wire_server import Step, endless


@dataclass
class Case:
    """What the server sends, and what must come of it. `response` None means all that was sent."""

    steps: Iterable[Step] | Callable[[], Iterable[Step]]
    response: bytes | None = None
    body: bytes | None = None
    status: int | None = 200
    method: str = "GET"
    interim: tuple[bytes, ...] = ()
    surplus: int = 0
    truncated: str | None = None
    stage: str | None = None


def sized(body: bytes, *lines: bytes, start: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((start, *lines, b"Content-Length: %d" % len(body), b"", b"")) + body


def chunked(*chunks: bytes, extra: bytes = b"", trailer: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + extra + b"\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\n" + trailer + b"\r\n"


def broken(*steps: Step, **rest: Any) -> Case:
    return Case(steps, **({"truncated": "disconnect", "stage": "body"} | rest))


def odd(*steps: Step, **rest: Any) -> Case:
    return Case(steps, **({"truncated": "unspecified", "stage": "body"} | rest))


def apart(message: bytes) -> list[Step]:
    return [message[i : i + 1] for i in range(len(message))]


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHINESE = "新闻".encode()
GZIPPED = gzip.compress(b"news " * 500)
LONG = bytes(range(256)) * 4096
PLAIN = sized(b"hello")
HEAD_OPEN = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

WHOLE = {
    "plain": Case([PLAIN], body=b"hello"),
    "latin-1-header": Case([sized(b"x", b"X-Name: caf\xe9 \xff\x80")]),
    "utf-8-header": Case([sized(b"x", b'Content-Disposition: inline; filename="' + CHINESE + b'.jpg"')]),
    "folded-header": Case([sized(b"x", b"X-Long: one", b"  two", b"\tthree")], body=b"x"),
    "lf-only": Case([b"HTTP/1.1 200 OK\nContent-Length: 3\nX: y\n\nabc"], body=b"abc"),
    "mixed-line-ends": Case([b"HTTP/1.1 200 OK\r\nContent-Length: 3\nX: y\r\n\nabc"], body=b"abc"),
    "line-without-colon": Case([sized(b"abc", b"this is no field")], body=b"abc"),
    "spaces-round-colon": Case([sized(b"abc", b"A :b", b"C:d", b"E:   f  \t")], body=b"abc"),
    "odd-case-and-twice": Case([sized(b"abc", b"sEt-COOKIE: a=1", b"Set-Cookie: b=2")], body=b"abc"),
    "no-field-name": Case([sized(b"abc", b": nothing", b"X:")], body=b"abc"),
    "control-bytes": Case([sized(b"abc", b"X: a\x00b\x01\x7f\x0bc")], body=b"abc"),
    "bare-cr-in-field": Case([sized(b"abc", b"X: a\rContent-Length: 9")], body=b"abc"),
    "no-reason": Case([b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"], body=b"ok"),
    "chinese-reason": Case([sized(b"ok", start=b"HTTP/1.1 200 " + CHINESE)], body=b"ok"),
    "status-299": Case([sized(b"ok", start=b"HTTP/1.1 299 Odd")], status=299),
    "status-404": Case([sized(b"gone", start=b"HTTP/1.1 404 Not Found")], status=404, body=b"gone"),
    "status-503": Case([sized(b"", b"Retry-After: 7", start=b"HTTP/1.1 503 Busy")], status=503, body=b""),
    "http-1.0": Case([b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nto the end", "close"], body=b"to the end"),
    "http-1.0-keep-alive": Case([sized(b"k", b"Connection: keep-alive", start=b"HTTP/1.0 200 OK")]),
    "http-1.1-to-the-end": Case([HEAD_OPEN + b"to ", 0.05, b"the end", "close"], body=b"to the end"),
    "empty-to-the-end": Case([HEAD_OPEN, "close"], body=b""),
    "http-2-line": Case([sized(b"two", start=b"HTTP/2 200 ")], body=b"two"),
    "http-2-line-to-the-end": Case([b"HTTP/2 200\r\nX: y\r\n\r\ntwo", "close"], body=b"two"),
    "chunked": Case([chunked(b"abc", b"defgh")], body=b"abcdefgh"),
    "chunked-empty": Case([chunked()], body=b""),
    "chunked-trailers": Case(
        [chunked(b"abc", trailer=b"X-Sum: 1\r\nX-\xe9: \xff\r\nfolded\r\n")], body=b"abc"
    ),
    "chunked-extensions": Case([CHUNKED_HEAD + b'3;a=b;c="d"\r\nabc\r\n0;last\r\n\r\n'], body=b"abc"),
    "chunked-lf-only": Case([b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n"], body=b"abc"),
    "chunked-odd-sizes": Case(
        [CHUNKED_HEAD + b"003 \r\nabc\r\n0A\r\n0123456789\r\n000\r\n\r\n"], body=b"abc0123456789"
    ),
    "chunked-of-one": Case([chunked(*(bytes([b]) for b in range(256)))], body=bytes(range(256))),
    "chunked-holds-its-own-marks": Case([chunked(b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")]),
    "chunked-in-pieces": Case(apart(chunked(b"abc", b"de")), body=b"abcde"),
    "chunked-gzip": Case(
        [chunked(GZIPPED[:9], GZIPPED[9:], extra=b"Content-Encoding: gzip\r\n")], body=GZIPPED
    ),
    "chunked-and-length": Case([chunked(b"abc", extra=b"Content-Length: 9999\r\n")], body=b"abc"),
    "chunked-http-1.0": Case([chunked(b"abc").replace(b"HTTP/1.1", b"HTTP/1.0"), "close"], body=b"abc"),
    "gzip-then-chunked": Case([chunked(b"abc").replace(b": chunked", b": gzip, Chunked")], body=b"abc"),
    "identity-coding": Case([sized(b"abc", b"Transfer-Encoding: identity")], body=b"abc"),
    "unknown-coding": Case([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\nabc", "close"], body=b"abc"),
    "gzip": Case([sized(GZIPPED, b"Content-Encoding: gzip")], body=GZIPPED),
    "brotli": Case([sized(brotli.compress(b"news" * 99), b"Content-Encoding: br")]),
    "says-gzip-is-not": Case([sized(b"no gzip", b"Content-Encoding: gzip")], body=b"no gzip"),
    "204": Case([b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"], status=204, body=b""),
    "304-with-length": Case(
        [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"], status=304, body=b""
    ),
    "101": Case([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "hold"], status=101, body=b""),
    "head": Case([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"], method="HEAD", body=b""),
    "head-chunked": Case([CHUNKED_HEAD], method="HEAD", body=b""),
    "length-0": Case([sized(b"")], body=b""),
    "length-twice": Case([sized(b"abc", b"Content-Length: 3, 3")], body=b"abc"),
    "length-no-number": Case([b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabcd", "close"], body=b"abcd"),
    "length-negative": Case([b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabcd", "close"], body=b"abcd"),
    "length-in-chinese-digits": Case(
        [b"HTTP/1.1 200 OK\r\nContent-Length: \xef\xbc\x93\r\n\r\nabcd", "close"], body=b"abcd"
    ),
    "100-then-200": Case(
        [b"HTTP/1.1 100 Continue\r\n\r\n", PLAIN],
        response=PLAIN,
        interim=(b"HTTP/1.1 100 Continue\r\n\r\n",),
        body=b"hello",
    ),
    "103-then-200": Case(
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + PLAIN],
        response=PLAIN,
        interim=(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",),
    ),
    "100-102-103-then-chunked": Case(
        [
            b"HTTP/1.1 100\n\nHTTP/1.1 102 P\r\n",
            0.02,
            b"\r\nHTTP/1.1 103 E\r\nX: \xe9\r\n\r\n",
            chunked(b"z"),
        ],
        response=chunked(b"z"),
        interim=(b"HTTP/1.1 100\n\n", b"HTTP/1.1 102 P\r\n\r\n", b"HTTP/1.1 103 E\r\nX: \xe9\r\n\r\n"),
        body=b"z",
    ),
    "redirect-with-body": Case([sized(b"moved", b"Location: /x", start=b"HTTP/1.1 302 F")], status=302),
    "more-than-100-fields": Case([sized(b"abc", *(b"X-%d: y" % i for i in range(300)))], body=b"abc"),
    "field-of-100-kb": Case([sized(b"abc", b"X: " + b"y" * 100_000)], body=b"abc"),
    "a-byte-at-a-time": Case(apart(PLAIN), body=b"hello"),
    "a-megabyte": Case([sized(LONG)], body=LONG),
    "body-looks-like-http": Case([sized(PLAIN + b"\r\n\r\n" + PLAIN)], body=PLAIN + b"\r\n\r\n" + PLAIN),
    "surplus-after-length": Case([PLAIN + b"and more"], response=PLAIN, surplus=8),
    "surplus-after-chunks": Case([chunked(b"a") + b"\r\n"], response=chunked(b"a"), surplus=2),
    "surplus-after-204": Case(
        [b"HTTP/1.1 204 No\r\n\r\nbody"], response=b"HTTP/1.1 204 No\r\n\r\n", status=204, surplus=4
    ),
    "surplus-after-head": Case([PLAIN], response=PLAIN[:-5], method="HEAD", surplus=5),
}

CUT = {
    "nothing": Case(["close"], b"", status=None, stage="response"),
    "reset-at-once": Case(["reset"], b"", status=None, stage="response"),
    "only-100": Case([CONTINUE, "close"], b"", status=None, stage="response", interim=(CONTINUE,)),
    "in-the-status-line": broken(b"HTTP/1.", "close", status=None, stage="response"),
    "in-a-field": broken(b"HTTP/1.1 200 OK\r\nCont", "close", stage="response"),
    "before-the-empty-line": broken(b"HTTP/1.1 200 OK\r\nA: b\r\n", "close", body=b"", stage="response"),
    "in-the-body": broken(PLAIN[:-2], "close", body=b"hel"),
    "before-the-body": broken(PLAIN[:-5], "close", body=b""),
    "reset-in-the-body": broken(sized(LONG)[:20_068], "reset", body=sized(LONG)[44:20_068]),
    "reset-without-length": broken(HEAD_OPEN + b"abc", "reset", body=b"abc"),
    "8-gib-promised": broken(
        b"HTTP/1.1 200 OK\r\nContent-Length: 8589934592\r\n\r\nabc", "close", body=b"abc"
    ),
    "in-a-chunk-size": broken(CHUNKED_HEAD + b"3\r\nabc\r\n1", "close", body=b"abc"),
    "in-a-chunk": broken(CHUNKED_HEAD + b"9\r\nabc", "close", body=b"abc"),
    "after-a-chunk": broken(CHUNKED_HEAD + b"3\r\nabc", "close", body=b"abc"),
    "before-the-last-chunk": broken(CHUNKED_HEAD + b"3\r\nabc\r\n", "close", body=b"abc"),
    "after-the-last-chunk": broken(CHUNKED_HEAD + b"3\r\nabc\r\n0\r\n", "close", body=b"abc"),
    "in-the-trailer": broken(CHUNKED_HEAD + b"0\r\nX: y", "close"),
    "reset-in-a-chunk": broken(CHUNKED_HEAD + b"9\r\nabc", "reset", body=b"abc"),
    "chunk-size-is-no-number": odd(CHUNKED_HEAD + b"3\r\nabc\r\nxyz\r\n", 0.02, b"abc", "close", body=b"abc"),
    "chunk-size-negative": odd(CHUNKED_HEAD + b"-3\r\nabc", "close"),
    "chunk-too-long": odd(CHUNKED_HEAD + b"3\r\nabcdef\r\n0\r\n\r\n", "close"),
    "chunk-size-line-endless": odd(CHUNKED_HEAD + b"3;" + b"a" * 9000, "close"),
    "two-lengths": odd(sized(b"abc", b"Content-Length: 5"), "close"),
    "ssh": odd(b"SSH-2.0-OpenSSH_9.6\r\n", "hold", status=None, stage="response"),
    "icy": odd(b"ICY 200 OK\r\n\r\n", "hold", status=None, stage="response"),
    "empty-line-first": odd(b"\r\n" + PLAIN, status=None, stage="response"),
    "status-of-two-digits": odd(b"HTTP/1.1 20 OK\r\n\r\n", status=None, stage="response"),
}

# Endings by a limit: 0.4 s for a read, 1 s for all of a slow one, 300,000 bytes.
SLOW = {
    "silence": (Case(["hold"], b"", status=None, stage="response"), "nothing came for 0.4 s"),
    "silence-in-the-head": (
        Case([b"HTTP/1.1 200 OK\r\nA: b\r\n", "hold"], truncated="time", stage="response"),
        "nothing came for 0.4 s",
    ),
    "silence-in-the-body": (
        Case([PLAIN[:-2], "hold"], truncated="time", stage="body", body=b"hel"),
        "nothing came for 0.4 s",
    ),
    "silence-after-a-close-delimited-body": (
        Case([HEAD_OPEN + b"abc", "hold"], truncated="time", stage="body"),
        "nothing came for 0.4 s",
    ),
    "slow-status-line": (
        Case(endless(b"1", b"HTTP/1.", 0.1), status=None, truncated="time", stage="response"),
        "limit of 1 s",
    ),
    "slow-fields": (
        Case(endless(b"A: b\r\n", b"HTTP/1.1 200 OK\r\n", 0.1), truncated="time", stage="response"),
        "limit of 1 s",
    ),
    "slow-body": (Case(endless(b"x", HEAD_OPEN, 0.1), truncated="time", stage="body"), "limit of 1 s"),
    "slow-chunks": (
        Case(endless(b"1\r\nx\r\n", CHUNKED_HEAD, 0.1), truncated="time", stage="body"),
        "limit of 1 s",
    ),
    "slow-continues": (
        Case(endless(b"HTTP/1.1 100 C\r\n\r\n", pause=0.1), b"", status=None, stage="response"),
        "limit of 1 s",
    ),
    "endless-continues": (
        Case(endless(b"HTTP/1.1 100 C\r\n\r\n" * 64), b"", status=None, stage="response"),
        "too long",
    ),
    "endless-fields": (
        Case(endless(b"A: b\r\n" * 64, b"HTTP/1.1 200 OK\r\n"), truncated="length", stage="response"),
        "too long",
    ),
    "endless-body": (
        Case(endless(b"x" * 4096, HEAD_OPEN), truncated="length", stage="body"),
        "limit of 300000 bytes",
    ),
    "endless-chunks": (
        Case(endless(b"1\r\nx\r\n" * 64, CHUNKED_HEAD), truncated="length", stage="body"),
        "limit of 300000 bytes",
    ),
    "endless-trailer": (
        Case(endless(b"A: b\r\n" * 64, CHUNKED_HEAD + b"0\r\n"), truncated="length", stage="body"),
        "too long",
    ),
    "endless-redirect-body": (
        Case(
            endless(b"x" * 4096, b"HTTP/1.1 302 F\r\nLocation: /plain\r\n\r\n"),
            status=302,
            truncated="length",
            stage="body",
        ),
        "limit of 32768 bytes",
    ),
}
ALL = WHOLE | CUT | {name: case for name, (case, _) in SLOW.items()}
