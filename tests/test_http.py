"""The HTTP message in a record's block: where its body is, and what its codings hide."""

import gzip
import time
import zlib
from contextlib import suppress

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import RecordError
from archiver.warc.http import dechunk, decoded, entity_body, essence, is_coded, parse_message
from archiver.warc.zstandard import zstd

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


# --- head ----------------------------------------------------------------------------------------


def test_head() -> None:
    message = parse_message(
        b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML;charset=x\r\n"
        b"no colon\r\nX: a\r\n  b\r\n\tc\r\nx: d\r\n\r\nbody"
    )
    assert (message.status, message.media_type, message.body_offset) == (200, "text/html", 85)
    assert message.fields[1:] == (("x", "a b c"), ("x", "d"))
    assert (message.get("X"), message.get("Y"), message.chunked) == ("a b c", None, False)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_body_starts_after_the_empty_line(line_end: bytes) -> None:
    block = line_end.join([b"HTTP/1.0 404", b"A: b", b"", b"\r\n\r\nbody"])
    message = parse_message(block)
    assert (message.status, entity_body(message, block)) == (404, b"\r\n\r\nbody")


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"HTTP/1.1 200", 200),
        (b"HTTP/1.1  204 No Content", 204),
        (b"HTTP/2 301 ", 301),
        (b"HTTP/1.1 2000", None),
        (b"HTTP/1.1 20", None),
        ("HTTP/1.1 ２００".encode(), None),
        (b"GET / HTTP/1.1", None),
        (b"", None),
    ],
)
def test_status(start: bytes, status: int | None) -> None:
    assert parse_message(start + b"\r\n\r\n").status == status


@pytest.mark.parametrize(
    ("fields", "chunked"),
    [
        (b"Transfer-Encoding: chunked", True),
        (b"transfer-encoding:gzip, Chunked ", True),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", True),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", False),
        (b"Transfer-Encoding: identity", False),
        (b"Transfer-Encoding: xchunked", False),
        (b"X: chunked", False),
    ],
)
def test_chunked(fields: bytes, chunked: bool) -> None:
    assert parse_message(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n").chunked is chunked


@pytest.mark.parametrize(
    ("written", "media_type"),
    [
        ("image/jpeg", "image/jpeg"),
        (" IMAGE/SVG+XML ; charset=utf-8; x=y", "image/svg+xml"),
        ("text/html;", "text/html"),
        ("text", None),
        ("text/html, text/plain", None),
        ("text/html charset=x", None),
        ("", None),
        (None, None),
        ("/", None),
        ("text/" + "x" * 128, None),
        ("\x01" * 250_000, None),
    ],
)
def test_media_type(written: str | None, media_type: str | None) -> None:
    assert essence(written) == media_type


@pytest.mark.parametrize("part", [b"a: b\n", b"a\n", b" a\n", b"\ta:\n", b":\n", b"\r", b"\r\r\n"])
def test_long_heads_are_quick(part: bytes) -> None:
    """Millions of lines, folded or not, with and without an end: no quadratic work."""
    for end in (b"", b"\r\n\r\nbody"):
        block = b"HTTP/1.1 200 OK\r\nX: y\r\n" + part * (2_000_000 // len(part)) + end
        start = time.process_time()
        message = parse_message(block)
        assert time.process_time() - start < 5
        assert message.status == 200


@given(st.binary())
def test_any_bytes_are_a_message(block: bytes) -> None:
    for data in (block, CHUNKED + block, b"HTTP/1.1 200 OK\r\n" + block):
        message = parse_message(data)
        assert 0 <= message.body_offset <= len(data)
        assert len(entity_body(message, data)) <= len(data)


# --- chunked coding ------------------------------------------------------------------------------


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return f"{len(data):x}".encode() + extension + b"\r\n" + data + b"\r\n"


def test_chunks_with_extensions_and_trailers() -> None:
    body = (
        chunk(b"hello", b";name=value") + chunk(b", ") + chunk(b"world", b' ; a="b"') + b"0\r\nX: y\r\n\r\n"
    )
    assert dechunk(body) == b"hello, world"
    assert dechunk(body.replace(b"\r\n", b"\n")) == b"hello, world"
    assert dechunk(b"000A\r\n0123456789\r\n00\r\n\r\n") == b"0123456789"


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"", b""),
        (b"hello", b""),
        (b"zz\r\nhello", b""),
        (b"+5\r\nhello\r\n", b""),
        (b"0x5\r\nhello\r\n", b""),
        (b"1_0\r\n" + b"x" * 16, b""),
        ("٥\r\nhello\r\n".encode(), b""),
        (b"-5\r\nhello\r\n", b""),
        (b"\r\nhello", b""),
        (b"fffffffffffffff\r\nhello", b"hello"),
        (b"f" * 16 + b"\r\nhello", b""),
        (b"5" + b";" * 9000 + b"\r\nhello", b""),
        (b"5\r\nhello!\r\n5\r\nworld\r\n", b"hello"),  # longer than it says: nothing after is sure
    ],
)
def test_broken_chunks(body: bytes, content: bytes) -> None:
    assert dechunk(body) == content


PARTS = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


@given(PARTS, st.sampled_from([b"", b";x", b"; a=b"]), st.binary(max_size=20), st.data())
def test_body_cut_anywhere_is_a_prefix(
    parts: list[bytes], extension: bytes, trailer: bytes, data: st.DataObject
) -> None:
    body = b"".join(chunk(part, extension) for part in parts) + b"0\r\n" + trailer
    whole = b"".join(parts)
    block = CHUNKED + body
    assert entity_body(parse_message(block), block) == whole
    cut = CHUNKED + body[: data.draw(st.integers(0, len(body)))]
    assert whole.startswith(entity_body(parse_message(cut), cut))


@given(st.binary(max_size=300))
def test_any_bytes_dechunk_to_less(body: bytes) -> None:
    assert len(dechunk(body)) <= len(body)


def test_millions_of_chunks_are_quick() -> None:
    start = time.process_time()
    assert len(dechunk(b"1\r\nx\r\n" * 1_000_000)) == 1_000_000
    assert time.process_time() - start < 10


# --- content coding ------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def small_window(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 9)
    return packer.compress(data) + packer.flush()


@given(st.binary(max_size=2_000))
def test_codings_come_off(data: bytes) -> None:
    for coding, body in (
        (None, data),
        ("", data),
        ("identity", data),
        ("gzip", gzip.compress(data)),
        (" X-GZIP ", gzip.compress(data)),
        ("deflate", zlib.compress(data)),
        ("deflate", small_window(data)),
        ("deflate", raw_deflate(data)),
        ("br", brotli.compress(data)),
        ("zstd", zstd().compress(data[:9]) + zstd().compress(data[9:])),
        ("gzip, gzip", gzip.compress(gzip.compress(data))),
        ("deflate,gzip,identity", gzip.compress(zlib.compress(data))),
    ):
        assert decoded(body, coding, 2_000) == data


def test_what_follows_a_gzip_member_is_left_out() -> None:
    assert decoded(gzip.compress(b"hello") + b"garbage", "gzip", 100) == b"hello"


@given(st.binary(min_size=1, max_size=500), st.data())
def test_cut_coding_gives_a_prefix(data: bytes, draw: st.DataObject) -> None:
    for coding, body in (("gzip", gzip.compress(data)), ("deflate", zlib.compress(data))):
        cut = body[: draw.draw(st.integers(0, len(body)))]
        assert data.startswith(decoded(cut, coding, 500))


@pytest.mark.parametrize("coding", ["compress", "aes128gcm", "gzip;q=1", "渡轮", ",".join(["gzip"] * 6)])
def test_coding_that_is_not_read(coding: str) -> None:
    with pytest.raises(RecordError):
        decoded(gzip.compress(b"x"), coding, 100)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_bomb_is_bounded(coding: str) -> None:
    bomb = zlib.compress(bytes(300 << 20), 9) if coding == "deflate" else gzip.compress(bytes(300 << 20))
    body = gzip.compress(bomb) if "," in coding else bomb
    start = time.process_time()
    with pytest.raises(RecordError, match="more than 1000000 bytes"):
        decoded(body, coding, 1_000_000)
    assert time.process_time() - start < 5
    with pytest.raises(RecordError, match="more than 10 bytes"):
        decoded(bytes(11), None, 10)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "gzip, deflate", "deflate, deflate"]))
def test_any_bytes_decode_or_are_refused(body: bytes, coding: str) -> None:
    for data in (body, b"\x1f\x8b\x08\x00" + body, b"\x78\x9c" + body):
        with suppress(RecordError):
            assert len(decoded(data, coding, 1_000)) <= 1_000


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_brotli_and_zstandard_have_limits(coding: str) -> None:
    pack = brotli.compress if coding == "br" else zstd().compress
    bomb = pack(bytes(30 << 20))
    with pytest.raises(RecordError, match="more than 1048576"):
        decoded(bomb, coding, 1 << 20)
    assert is_coded(bomb, coding)
    with pytest.raises(RecordError, match="broken"):
        decoded(b"<html>no such thing", coding, 1 << 20)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd"])
def test_a_body_that_was_decoded_before_it_was_stored(coding: str) -> None:
    page = b"<!DOCTYPE html><title>The ferry</title>" * 40
    assert not is_coded(page, coding)
    assert is_coded(page, "identity")


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"<html>no chunks", b"<html>no chunks"),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5\r\nhel", b"hel"),
        (b"5\r\nhello!\r\n", b"5\r\nhello!\r\n"),
        (b"", b""),
    ],
)
def test_a_body_that_was_dechunked_before_it_was_stored(body: bytes, content: bytes) -> None:
    assert entity_body(parse_message(CHUNKED + body), CHUNKED + body, lenient=True) == content
