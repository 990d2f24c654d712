"""Only public addresses, and those that the person named, are ever asked."""

import ipaddress
import re
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_server import WireServer

from archiver.capture.wire.fetch import Client, Network
from archiver.capture.wire.guard import Guard, special_use
from archiver.capture.wire.routes import Routes, parse_target
from archiver.errors import FetchError, UsageError

PUBLIC = re.findall(
    r"\S+",
    """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
168.63.129.15 168.63.129.17
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255 192.169.0.0
198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255
2000::1 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 2a00:1450::1 2620:4f:8001::1 3ffe::1
""",
)
SPECIAL = re.findall(
    r"\S+",
    """
0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255
168.63.129.16
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1
192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1
100:0:0:1::1 1fff::1 2001::1 2001:1::1 2001:1::3 2001:2::1 2001:3::1 2001:4:112::1 2001:20::1 2001:30::1
2001:1ff:ffff::1 2001:db8::1 2002:7f00:1::
2620:4f:8000::1 3fff::1 4000::1 5f00::1 fc00::1 fdff::1 fe80::1 fec0::1 ff02::1
""",
)
LOOPBACK_IN_DISGUISE = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "0x7f000001",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "0.0.0.0",
    "0",
    "localhost",
    "LOCALHOST.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    assert special_use(ipaddress.ip_address(text)) is None


@pytest.mark.parametrize("text", SPECIAL)
def test_special_addresses(text: str) -> None:
    assert special_use(ipaddress.ip_address(text))


@given(st.ip_addresses())
def test_nothing_that_the_standard_library_calls_private_is_public_here(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert special_use(address)


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with WireServer(lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as server:
        yield server


@pytest.mark.parametrize("host", LOOPBACK_IN_DISGUISE)
def test_loopback_is_refused_whatever_it_is_called(server: WireServer, host: str) -> None:
    with Client(Network()) as client:
        exchange = client.exchange(f"http://{host}:{server.port}/")
    assert exchange.error is not None
    assert exchange.error.stage == "address"
    assert (exchange.request, exchange.response, exchange.peer) == (b"", b"", None)
    assert server.connections == 0


def test_a_block_can_be_allowed(server: WireServer) -> None:
    with Client(Network(allow_private=("127.0.0.0/8",))) as client:
        assert client.exchange(f"http://127.0.0.1:{server.port}/").status == 200
        refused = client.exchange("http://10.0.0.1/")
    assert refused.error is not None
    assert "10.0.0.1 is an address that is not public (private use)" in str(refused.error)
    assert "--allow-private 10.0.0.1" in refused.error.advice


@pytest.mark.parametrize("block", ["", "x", "127.0.0.1/8", "10.0.0.0/33", "fe80::/129"])
def test_blocks_that_are_none(block: str) -> None:
    with pytest.raises(UsageError):
        Guard([block])


def test_all_answers_must_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = Routes((), (), None, ())

    def answers(*addresses: str) -> None:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)

    answers("93.184.215.14", "2606:4700::1111", "93.184.215.14")
    assert list(map(str, routes.addresses("news.example", 80, named=False))) == [
        "93.184.215.14",
        "2606:4700::1111",
    ]
    for private in ("127.0.0.1", "10.1.2.3", "fe80::1%lo"):
        answers("93.184.215.14", private)
        with pytest.raises(FetchError, match="leads to") as caught:
            routes.addresses("news.example", 80, named=False)
        assert caught.value.stage == "address"


@pytest.mark.parametrize("port", [22, 25, 6000, 10080])
def test_ports_of_other_protocols(port: int) -> None:
    with Client(Network(allow_private=("127.0.0.0/8",))) as client:
        exchange = client.exchange(f"http://127.0.0.1:{port}/")
    assert exchange.error is not None
    assert exchange.error.stage == "address"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "//news.example/",
        "ftp://news.example/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:alert(1)",
        "http://",
        "http://user@news.example/",
        "http://user:secret@news.example/",
        "http://news.example/\r\nX: y",
        "http://news.example/\x00",
        "http://ne\tws.example/",
        "http://news.example:99999/",
        "http://[::1/",
        "http://news example/",
        "http://1.2.3.4.5/",
        "http://\ud800/",
    ],
)
def test_urls_that_are_not_asked(url: str) -> None:
    with Client(Network()) as client:
        exchange = client.exchange(url)
    assert exchange.error is not None
    assert exchange.error.stage == "address"


@given(st.text() | st.from_regex(r"https?://[^/]{0,12}/.{0,20}"))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except FetchError:
        return
    assert target.url == f"{target.scheme}://{target.authority}{target.path}"
    assert target.path.startswith("/")
    assert target.url.isascii()
    assert "#" not in target.url
    assert parse_target(target.url) == target
