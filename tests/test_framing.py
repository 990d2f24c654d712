"""Where a message ends does not depend on how its bytes arrive, and any bytes have an answer."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.capture.wire.framing import HEAD_BYTES, Framing
from archiver.warc.http import entity_body, parse_message

LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 103",
        b"HTTP/1.0 304 N",
        b"HTTP/2 200",
        b"HTTP/1.1 099 X",
        b"Content-Length: 3",
        b"Content-Length: 4",
        b"content-length: x",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b" folded",
        b"no colon",
        b"",
        b"",
        b"3",
        b"abc",
        b"0",
        b"ffffffffffffffff",
        b"\x00\xff",
    ]
)
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r", b""])
WILD = st.lists(st.tuples(LINES, ENDS), max_size=25).map(lambda rows: b"".join(a + b for a, b in rows))


def fed(data: bytes, sizes: list[int], method: str = "GET") -> Framing:
    framing = Framing(method)
    at = 0
    for size in [*sizes, len(data) + 1]:
        if framing.done or at >= len(data):
            break
        framing.feed(data[at : at + size])
        at += size
    return framing


def found(framing: Framing) -> tuple[object, ...]:
    return (
        tuple(framing.interim),
        framing.ended,
        framing.until_close,
        framing.fault,
        framing.not_http,
        framing.message,
        framing.final() if framing.ended else b"",
    )


@settings(max_examples=400)
@given(st.binary(max_size=200) | WILD, st.lists(st.integers(1, 7), max_size=60))
def test_any_bytes_in_any_pieces(data: bytes, sizes: list[int]) -> None:
    framing = fed(data, sizes)
    assert found(framing) == found(fed(data, [1] * len(data))) == found(fed(data, []))
    framing.give_up()
    kept = b"".join(framing.interim) + framing.final()
    assert data.startswith(kept)
    assert framing.size == len(framing.final())
    assert framing.received == len(kept) + framing.surplus
    assert framing.ended or not framing.surplus


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    st.sampled_from([b"\r\n", b"\n"]),
    st.lists(st.integers(1, 9), max_size=40),
    st.binary(max_size=9),
)
def test_chunks_end_where_they_end(chunks: list[bytes], end: bytes, sizes: list[int], after: bytes) -> None:
    message = b"HTTP/1.1 200 OK" + end + b"Transfer-Encoding: chunked" + end + end
    message += b"".join(b"%x;x=y" % len(c) + end + c + end for c in chunks) + b"0" + end + b"A: b" + end + end
    framing = fed(message + after, sizes)
    assert framing.final() == message
    assert entity_body(parse_message(message), message) == b"".join(chunks)


@given(st.binary(max_size=60), st.lists(st.integers(1, 9), max_size=40), st.binary(max_size=9))
def test_lengths_end_where_they_end(body: bytes, sizes: list[int], after: bytes) -> None:
    message = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    framing = fed(message + after, sizes)
    assert framing.final() == message
    assert not re.search(b".", after, re.DOTALL) or framing.surplus <= len(after)


def test_heads_are_bounded() -> None:
    framing = Framing("GET")
    while not framing.done:
        framing.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
    assert framing.head_too_long
    assert HEAD_BYTES < framing.received < HEAD_BYTES + 3000
