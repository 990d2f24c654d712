"""--resolve and --connect-to mean what they mean to curl; proxies carry the same exact bytes."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from wire_server import HttpProxy, SocksProxy, WireServer, server_context

from archiver.capture.wire.fetch import Client, Network
from archiver.capture.wire.routes import Routes, parse_proxy, parse_target
from archiver.errors import FetchError, UsageError

HOST = "news.example"
BODY = bytes(range(256)) * 1000


def message(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nX-Caf\xe9: y\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture(scope="module")
def one() -> Iterator[WireServer]:
    with WireServer(lambda _: [message(b"one")]) as server:
        yield server


@pytest.fixture(scope="module")
def servers(one: WireServer) -> Iterator[tuple[WireServer, WireServer]]:
    with WireServer(lambda _: [message(b"two")], host="127.0.0.2") as two:
        yield one, two


# Rows: --resolve, --connect-to, URL, who answers. {1} and {2} are the ports of the two servers.
CURL = [
    (["news.example:{1}:127.0.0.1"], [], "http://news.example:{1}/", "one"),
    (["NEWS.Example:{1}:127.0.0.1"], [], "http://news.EXAMPLE:{1}/", "one"),
    (["+news.example:{1}:127.0.0.1"], [], "http://news.example:{1}/", "one"),
    (["*:{2}:127.0.0.2"], [], "http://any.example:{2}/", "two"),
    (["*:{1}:127.0.0.3", "news.example:{1}:127.0.0.1"], [], "http://news.example:{1}/", "one"),
    (["news.example:{1}:127.0.0.1", "*:{1}:127.0.0.3"], [], "http://news.example:{1}/", "one"),
    (["news.example:{1}:127.0.0.3", "news.example:{1}:127.0.0.1"], [], "http://news.example:{1}/", "one"),
    (["news.example:{2}:127.0.0.1,127.0.0.2"], [], "http://news.example:{2}/", "two"),
    (["news.example:{2}:[::1],127.0.0.2"], [], "http://news.example:{2}/", "two"),
    (["other.example:{1}:127.0.0.3", "*:{1}:127.0.0.1"], [], "http://news.example:{1}/", "one"),
    ([], ["news.example:80:127.0.0.1:{1}"], "http://news.example/", "one"),
    ([], ["NEWS.example:80:127.0.0.1:{1}"], "http://news.example/", "one"),
    ([], [":80:127.0.0.2:{2}"], "http://news.example/", "two"),
    ([], ["news.example::127.0.0.2:{2}"], "http://news.example:8123/", "two"),
    ([], ["::127.0.0.1:{1}"], "http://news.example:8123/", "one"),
    ([], ["news.example:{1}:127.0.0.1:"], "http://news.example:{1}/", "one"),
    ([], [":::{1}"], "http://127.0.0.1:8123/", "one"),
    ([], ["127.0.0.1:8123::{1}"], "http://127.0.0.1:8123/", "one"),
    ([], ["[2001:db8::1]:80:127.0.0.2:{2}"], "http://[2001:db8::1]/", "two"),
    ([], ["news.example:80:127.0.0.1:{1}", "::127.0.0.2:{2}"], "http://news.example/", "one"),
    ([], ["news.example:81:127.0.0.1:{1}", "::127.0.0.2:{2}"], "http://news.example/", "two"),
    ([], ["other.example:80:127.0.0.1:{1}", "::127.0.0.2:{2}"], "http://news.example/", "two"),
    ([], [":::", "::127.0.0.2:{2}"], "http://news.example/", "two"),
    ([], ["news.example:80::", "::127.0.0.2:{2}"], "http://news.example/", "two"),
    (["other.example:{2}:127.0.0.2"], ["news.example:80:other.example:{2}"], "http://news.example/", "two"),
    (["news.example:{2}:127.0.0.2"], ["news.example:80::{2}"], "http://news.example/", "two"),
]


@pytest.mark.parametrize(("resolve", "connect_to", "url", "who"), CURL)
def test_as_curl_does(
    servers: tuple[WireServer, WireServer], resolve: list[str], connect_to: list[str], url: str, who: str
) -> None:
    one, two = servers

    def filled(texts: list[str]) -> tuple[str, ...]:
        return tuple(t.replace("{1}", str(one.port)).replace("{2}", str(two.port)) for t in texts)

    (url,) = filled([url])
    allow = ("127.0.0.1",) if url.startswith("http://127.0.0.1") else ()
    network = Network(resolve=filled(resolve), connect_to=filled(connect_to), allow_private=allow)
    with Client(network) as client:
        exchange = client.exchange(url)
    assert exchange.error is None
    assert exchange.entity_body().decode() == who
    host = url.removeprefix("http://").rstrip("/").lower()
    assert f"\r\nHost: {host}\r\n".encode() in exchange.request
    curl = shutil.which("curl")
    if curl is None:
        return
    flags = [f for text in network.resolve for f in ("--resolve", text)]
    flags += [f for text in network.connect_to for f in ("--connect-to", text)]
    ran = subprocess.run(
        [curl, "-q", "-s", "--noproxy", "*", *flags, url], capture_output=True, check=True, env={}, timeout=20
    )
    assert ran.stdout.decode() == who


@pytest.mark.parametrize(
    "text",
    ["", "x", "h:80", "h:80:", "h:80:name", "h:0:127.0.0.1", "h:65536:127.0.0.1", "h:x:127.0.0.1",
     ":80:127.0.0.1", "-h:80", "h:80:127.0.0.1,", "h:80:1.2.3"],
)  # fmt: skip
def test_resolve_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match=r"--resolve|is not a port"):
        Client(Network(resolve=(text,)))


@pytest.mark.parametrize(
    "text", ["", "h", "h:80", "h:80:g", "h:80:g:x", "::1:80:g:80", "h:80:g:70000", "h:0:g:1"]
)
def test_connect_to_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError):
        Client(Network(connect_to=(text,)))


@pytest.mark.parametrize(
    "text",
    ["proxy.example", "ftp://h:1", "http://h", "http://:80", "http://h:x", "http://h:99999", "socks4://h:1"],
)
def test_proxies_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError):
        Client(Network(proxy=text))


def test_a_proxy_in_parts() -> None:
    proxy = parse_proxy("socks5h://us%40er:p%3Aw@[2001:db8::1]:1080")
    assert (proxy.username, proxy.password, proxy.host) == ("us@er", "p:w", "2001:db8::1")
    assert proxy.shown == "socks5h://[2001:db8::1]:1080"


def test_ipv6() -> None:
    try:
        server = WireServer(lambda _: [message(b"six")], host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with server, Client(Network(allow_private=("::1/128",))) as client:
        exchange = client.exchange(f"http://[0:0::1]:{server.port}/")
    assert exchange.entity_body() == b"six"
    assert exchange.peer == "::1"
    assert f"Host: [::1]:{server.port}\r\n".encode() in exchange.request


def test_a_name_that_dns_cannot_hold() -> None:
    with Client(Network()) as client:
        exchange = client.exchange(f"http://{'a' * 64}.example/")
    assert exchange.error is not None
    assert exchange.error.stage == "dns"


def test_no_server_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with Client(Network(connect_to=(f"::127.0.0.1:{unused.getsockname()[1]}",))) as client:
            exchange = client.exchange(f"http://{HOST}/")
    assert exchange.error is not None
    assert exchange.error.stage == "connect"
    assert "connection refused" in str(exchange.error)


def test_the_environment_names_no_proxy(one: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Client(Network(connect_to=(f"::127.0.0.1:{one.port}",))) as client:
        assert client.exchange(f"http://{HOST}/").entity_body() == b"one"


# --- proxies ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big() -> Iterator[WireServer]:
    with WireServer(lambda _: [message(BODY)]) as server:
        yield server


@pytest.fixture(scope="module")
def big_secured(authority: trustme.CA) -> Iterator[WireServer]:
    with WireServer(lambda _: [message(BODY)], server_context(authority, HOST)) as server:
        yield server


def test_forward_proxy(big: WireServer) -> None:
    with HttpProxy({HOST: big.port}) as proxy:
        network = Network(proxy=f"http://us%40er:secret@127.0.0.1:{proxy.port}")
        with Client(network) as client:
            exchanges = [client.exchange(f"http://{HOST}/a?b|c") for _ in range(3)]
    for exchange in exchanges:
        assert exchange.response == message(BODY)
        assert exchange.request.startswith(
            b"GET http://news.example/a?b|c HTTP/1.1\r\nHost: news.example\r\n"
        )
        assert b"roxy-" not in exchange.request
        assert exchange.redacted == ("proxy-authorization",)
        assert (exchange.peer, exchange.through) == (None, f"http://127.0.0.1:{proxy.port}")
    assert b"Proxy-Authorization: Basic dXNAZXI6c2VjcmV0\r\n" in proxy.heads[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_tunnel(big_secured: WireServer, authority: trustme.CA, pem: str, scheme: str) -> None:
    """CONNECT; with an https proxy, TLS within TLS."""
    with HttpProxy({HOST: big_secured.port}) as proxy:
        if scheme == "https":
            proxy.context = server_context(authority, "127.0.0.1")
        network = Network(proxy=f"{scheme}://user:secret@127.0.0.1:{proxy.port}", cacert=pem)
        with Client(network) as client:
            exchanges = [client.exchange(f"https://{HOST}/{n}") for n in range(3)]
    for number, exchange in enumerate(exchanges):
        assert exchange.error is None
        assert exchange.response == message(BODY)
        assert exchange.request.startswith(b"GET /%d HTTP/1.1\r\nHost: news.example\r\n" % number)
        assert (exchange.redacted, exchange.peer, exchange.surplus) == ((), None, 0)
        assert exchange.tls is not None
        assert len(exchange.tls.chain) == 1
    assert len(proxy.heads) == 1
    assert proxy.heads[0].startswith(b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\nProxy-")


def test_connect_to_through_a_proxy_is_a_tunnel(big: WireServer) -> None:
    with HttpProxy({"mirror.example": big.port}) as proxy:
        network = Network(
            proxy=f"http://127.0.0.1:{proxy.port}", connect_to=(f"{HOST}:80:mirror.example:8080",)
        )
        with Client(network) as client:
            exchange = client.exchange(f"http://{HOST}/x")
    assert exchange.response == message(BODY)
    assert exchange.request.startswith(b"GET /x HTTP/1.1\r\nHost: news.example\r\n")
    assert proxy.heads[0].startswith(b"CONNECT mirror.example:8080 ")


def test_a_proxy_that_refuses(big: WireServer, pem: str) -> None:
    no = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"
    with (
        HttpProxy({}, refuse=no) as proxy,
        Client(Network(proxy=f"http://x:secret@127.0.0.1:{proxy.port}", cacert=pem)) as client,
    ):
        tunnel = client.exchange(f"https://{HOST}/")
        forward = client.exchange(f"http://{HOST}/")
    assert tunnel.error is not None
    assert tunnel.error.stage == "proxy"
    assert "407 Proxy Authentication Required" in str(tunnel.error)
    assert "secret" not in str(tunnel.error)
    assert forward.response == no


@pytest.mark.parametrize("greeting", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nnever ends", b"x" * 20_000])
def test_a_proxy_that_talks_nonsense(big: WireServer, greeting: bytes) -> None:
    with (
        HttpProxy({HOST: big.port}, greeting=greeting) as proxy,
        Client(Network(proxy=f"http://127.0.0.1:{proxy.port}", connect_seconds=0.5)) as client,
    ):
        exchange = client.exchange(f"https://{HOST}/")
    assert exchange.error is not None
    assert exchange.error.stage == "proxy"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_socks(big: WireServer, big_secured: WireServer, pem: str, scheme: str) -> None:
    server, port = (big, 80) if scheme == "http" else (big_secured, 443)
    with SocksProxy({HOST: server.port, "127.0.0.9": server.port}, (b"us@er", b"p:w")) as proxy:
        place = f"us%40er:p%3Aw@127.0.0.1:{proxy.port}"
        resolve = (f"{HOST}:{port}:127.0.0.9",)
        for kind, asked in (("socks5h", HOST), ("socks5", "127.0.0.9")):
            network = Network(proxy=f"{kind}://{place}", cacert=pem, resolve=resolve)
            with Client(network) as client:
                exchange = client.exchange(f"{scheme}://{HOST}/")
            assert exchange.error is None
            assert exchange.response == message(BODY)
            assert (exchange.peer, exchange.through) == (None, f"{kind}://127.0.0.1:{proxy.port}")
            assert proxy.asked[-1] == (asked, port)


def test_socks_failures(big: WireServer) -> None:
    with SocksProxy({}, (b"user", b"right")) as proxy:
        for login in ("user:wrong@", "user:right@", ""):
            with Client(Network(proxy=f"socks5h://{login}127.0.0.1:{proxy.port}")) as client:
                exchange = client.exchange(f"http://{HOST}/")
            assert exchange.error is not None
            assert exchange.error.stage == "proxy"
            assert "right" not in str(exchange.error)


@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
def test_a_proxy_that_is_not_there(kind: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        network = Network(
            proxy=f"{kind}://127.0.0.1:{unused.getsockname()[1]}", resolve=(f"{HOST}:80:127.0.0.9",)
        )
        with Client(network) as client:
            exchange = client.exchange(f"http://{HOST}/")
    assert exchange.error is not None
    assert exchange.error.stage == "proxy"


@pytest.mark.parametrize("kind", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "[::1]", "localhost", "x.localhost", "169.254.169.254"]
)
def test_the_guard_stands_before_a_proxy_too(kind: str, host: str) -> None:
    with HttpProxy({}) as proxy, Client(Network(proxy=f"{kind}://127.0.0.1:{proxy.port}")) as client:
        exchange = client.exchange(f"http://{host}/")
    assert exchange.error is not None
    assert exchange.error.stage == "address"
    assert proxy.heads == []


# --- what image proxies are asked for -----------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "169.254.169.254/latest/meta-data",
        "localhost:8080/a",
        "LOCALHOST./a",
        "//10.0.0.1/a",
        "/10.0.0.1/a",
        "http:/127.0.0.1/a",
        "http:\\\\127.0.0.1\\a",
        "ssl:127.0.0.1/a",
        "SSL://127.1/a",
        "2130706433",
        "0x7f.1/a",
        "0177.0.0.1/a",
        "[::ffff:7f00:1]/a",
        "127。0。0。1/a",
        "127%2e0.0.1/a",
        " http://127.0.0.1/a",
        "news.example\\@127.0.0.1/a",
        "http://news.example#@127.0.0.1/a",
        "user@news.example/a",
        "news.example:22/a",
        "ftp://news.example/a",
        "redis:6379/a",
        "nas.local/a",
        "nas.lan./a",
        "metadata.google.internal/a",
        "router.home.arpa/a",
        "",
        "http%3A%2F%2F127.0.0.1%2F",
        "news.example\n/a",
        "[::1/a",
    ],
)
def test_what_a_proxy_may_not_be_asked_for(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        Routes((), (), None, ()).check_asked(url)
    assert caught.value.stage == "address"


@pytest.mark.parametrize(
    "url",
    [
        "news.example/a.jpg",
        "news.example:8080/a@b.jpg?c=d@e",
        "https://news.example",
        "ssl:news.example/a",
        "http://93.184.216.34/a",
        "[2606:4700::1111]/a",
        "localnews.example/a",
        "lan.example/a",
        "127.0.0.1.nip.example/a",  # only DNS could tell
    ],
)
def test_what_a_proxy_may_be_asked_for(url: str) -> None:
    Routes((), (), None, ()).check_asked(url)


def test_what_the_person_opens_a_proxy_may_be_asked_for() -> None:
    routes = Routes(("nas.lan:80:10.0.0.9",), ("redis:6379:db:6379",), None, ("127.0.0.0/8",))
    for url in ("nas.lan/a", "NAS.lan:80/a", "redis:6379/", "127.0.0.1/a", "localhost/a"):
        routes.check_asked(url)
    for url in ("nas.lan:81/a", "redis:6380/", "10.0.0.9/a", "[::1]/a"):
        with pytest.raises(FetchError):
            routes.check_asked(url)


def test_where_we_connect_says_nothing_about_what_a_proxy_may_be_asked_for() -> None:
    routes = Routes(("*:80:127.0.0.9",), ("::127.0.0.9:8080", "nas.lan:80::8080"), None, ())
    for url in ("169.254.169.254/a", "localhost/a", "nas.lan/a"):
        with pytest.raises(FetchError):
            routes.check_asked(url)


@given(st.text() | st.from_regex(r"(https?:|ssl:)?/{0,3}[^/]{0,12}/.{0,20}"))
def test_any_text_is_asked_for_or_refused(text: str) -> None:
    routes = Routes((), (), None, ())
    with contextlib.suppress(FetchError):
        routes.check_asked(text)


@pytest.mark.parametrize("kind", ["http", "https", "socks5h"])
@pytest.mark.parametrize("host", ["router", "nas.lan", "printer.local", "wiki.corp"])
def test_no_proxy_is_asked_for_names_of_its_own_network(kind: str, host: str) -> None:
    proxy = f"{kind}://127.0.0.1:3128"
    target = parse_target(f"http://{host}/")
    with pytest.raises(FetchError, match="somebody's own network") as caught:
        Routes((), (), proxy, ()).plan(target)
    assert caught.value.stage == "address"
    with pytest.raises(FetchError):  # the star names no host
        Routes(("*:80:93.184.216.34",), (), proxy, ()).plan(target)
    Routes((f"{host}:80:10.0.0.9",), (), proxy, ()).plan(target)
    assert Routes((), (f"{host}:80:{host}:80",), proxy, ()).plan(target).named
    Routes((), (), None, ()).plan(target)  # looked up here, and judged by its address
    Routes((), (), "socks5://127.0.0.1:1080", ()).plan(target)
