"""Encodings of pages: as Chromium decides them, and as the standard's own tables say."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from charset_cases import ALL, CASES, CHINESE, JAPANESE, KOREAN, RUSSIAN, TRADITIONAL, WESTERN
from chromium import ARGUMENTS, CHROMIUM
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright import sync_api
from selectolax.lexbor import LexborHTMLParser

from archiver.sources.html.charset import decode, encoding_of
from archiver.sources.html.decoders import decoded

TEXTS = (CHINESE, TRADITIONAL, JAPANESE, KOREAN, RUSSIAN, WESTERN)
# Chromium does not believe in UTF-8 that nothing declares, so that writers notice; we want the text.
OTHERWISE = {"nothing-utf-8": ("windows-1252", "ä¸¤")}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        case = CASES.get(self.path[1:])
        self.send_response(200 if case else 404)
        self.send_header("Content-Type", case.content_type if case else "text/plain")
        self.send_header("Content-Length", str(len(case.data) if case else 0))
        self.end_headers()
        self.wfile.write(case.data if case else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def window() -> Iterator[sync_api.Page]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser.new_page()
        browser.close()


def text_in(markup: str) -> str:
    body = LexborHTMLParser(markup).body
    return body.text() if body else ""


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")
@pytest.mark.parametrize("name", CASES)
def test_as_chromium(window: sync_api.Page, url: str, name: str) -> None:
    window.goto(f"{url}/{name}")
    encoding = window.evaluate("document.characterSet")
    text = window.evaluate("document.body ? document.body.textContent : ''")
    if name in OTHERWISE:
        assert encoding == OTHERWISE[name][0]
        assert text.startswith(OTHERWISE[name][1])
        return
    case = CASES[name]
    assert encoding_of(case.data, case.content_type) in (encoding, "")
    assert text_in(decode(case.data, case.content_type)) == text


@pytest.mark.parametrize(
    "name",
    [name for name in CASES if name.startswith(("header-", "mark-", "meta-", "equiv", "in-", "nothing-"))],
)
def test_without_a_browser(name: str) -> None:
    if name in ("header-user-defined", "nothing-ascii"):
        return
    assert any(text in decode(*CASES[name]) for text in TEXTS)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<meta charset=utf-8>", "UTF-8"),
        (b"<meta charset=UNICODE>", "UTF-8"),
        (b"<meta charset=x-user-defined>", "windows-1252"),
        (b"<meta charset=latin1>", "windows-1252"),
        (b"<meta charset=gb_2312-80>", "GBK"),
        (b"<meta charset=hz-gb-2312>", "replacement"),
        (b"<metax charset=gbk>", ""),
        (b"</meta charset=gbk>", ""),
        (b"<meta charset=gbk", ""),  # no end
        (b"<meta charset=gbk>", "GBK"),
        (b"<meta charset=\x0cgbk\x0c>", "GBK"),
        (b"<!-- <meta charset=gbk>", ""),
        (b"<!DOCTYPE html><meta charset=gbk>", "GBK"),
        (b"<?php x ?><meta charset=gbk>", "GBK"),
        (b"<a b='<meta charset=gbk>'>", ""),
        (b"<meta charset=x charset=gbk>", ""),
        (b"<meta content='charset=gbk' http-equiv=refresh>", ""),
        (b"<meta content='charset=gbk' http-equiv=Content-Type>", "GBK"),
        (b"<meta content='charset charset=gbk' http-equiv=content-type>", "GBK"),
        (b"<meta content='charset=\"gbk' http-equiv=content-type>", ""),
        (b"<meta content='charset = gbk;x' http-equiv=content-type>", "GBK"),
        (b"<\0?\0x\0", "UTF-16LE"),
        (b"\0<\0?\0x", "UTF-16BE"),
        (b"<?xml encoding='gbk'?>", "GBK"),
        (b"<?xml encoding='utf-16'?>", "UTF-8"),
        (b"x<?xml encoding='gbk'?>", ""),
        (b"", ""),
    ],
)
def test_prescan(head: bytes, name: str) -> None:
    assert encoding_of(head) == name


def test_c1_controls_are_what_the_standard_maps_them_to() -> None:
    assert decoded(ALL, "windows-1252")[:2] == "€\x81"
    assert decoded(b"\xca", "windows-1255") == "\u05ba"
    assert decoded(b"\x80\xff", "x-user-defined") == "\uf780\uf7ff"


def test_what_pythons_codecs_lack() -> None:
    assert decoded(b"\x87\x7a\x87\xa1\xfe\xdd", "Big5") == "㡵𥣞砉"
    assert decoded(b"\xad\xa1\xfc\xfc", "EUC-JP") == "①￤"
    assert decoded(b"\xa8\xbc\xa3\xa0", "GBK") == "ḿ\u3000"
    assert decoded(b"\x1b(J\\~\x1b(I1\x1b$B4A\x1b(B~", "ISO-2022-JP") == "¥‾ｱ漢~"


def test_an_error_never_eats_markup() -> None:
    for name in ("GBK", "Big5", "Shift_JIS", "EUC-KR", "EUC-JP"):
        assert decoded(b"\x85<b>", name).endswith("<b>"), name


@given(
    st.binary(max_size=200), st.sampled_from(["GBK", "Big5", "Shift_JIS", "EUC-KR", "EUC-JP", "ISO-2022-JP"])
)
@settings(max_examples=500)
def test_any_bytes_are_text(data: bytes, name: str) -> None:
    assert len(decoded(data, name).encode()) <= 4 * len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<" * 500_000,
        b"<meta " * 100_000,
        b"<a b=" * 100_000,
        b"<!--" * 200_000,
        b"\x81" * 1_000_000,
        b"<?xml " * 99_999,
    ],
    ids=["open", "metas", "attributes", "comments", "leads", "xml"],
)
def test_tiring_bytes_are_read_soon(data: bytes) -> None:
    started = time.process_time()
    decode(data, "text/html; charset=gbk")
    decode(data)
    assert time.process_time() - started < 3
