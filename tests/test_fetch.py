"""Redirects, secrets, exact targets, TLS."""

import ssl
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from wire_server import Asked, Step, WireServer

from archiver import __version__
from archiver.capture.wire.exchange import Exchange, redact
from archiver.capture.wire.fetch import Client, Network, following, referer_field, user_agent
from archiver.errors import FetchError, UsageError

HOST = "news.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def moved(location: bytes, status: int = 302) -> list[Step]:
    return [b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 3\r\n\r\nbye" % (status, location)]


REDIRECTS: dict[str, list[Step]] = {
    "/relative": moved(b"target?x=%7e#part"),
    "/chain": moved(b"/relative", 301),
    "/permanent": moved(b"//other.example/target", 308),
    "/to-self": moved(b"/to-self"),
    "/to-b": moved(b"/to-a"),
    "/to-a": moved(b"/to-b"),
    "/ftp": moved(b"ftp://other.example/x"),
    "/script": moved(b"javascript:alert(1)"),
    "/no-url": moved(b"http://[::1"),
    "/empty": moved(b""),
    "/inward": moved(b"http://127.0.0.1/admin"),
    "/password": moved(b"http://user:secret@news.example/target"),
    "/utf-8": moved("/图片.jpg".encode()),
    "/latin-1": moved(b"/caf\xe9"),
    "/with-200": [OK.replace(b"\r\n\r\n", b"\r\nLocation: /target\r\n\r\n")],
    "/long": moved(b"/" + b"x" * 20_000),
    "/tab": moved(b"/tar\tget"),
    "/nul": moved(b"/tar\x00get"),
    "/bare-cr": moved(b"/target\rSet-Cookie: a=b"),
    "/data": moved(b"data:text/html,hello"),
    "/file": moved(b"file:///etc/passwd"),
    "/300": moved(b"/target", 300),
    "/cut": [b"HTTP/1.1 302 F\r\nLocation: /target\r\nContent-Length: 99\r\n\r\nx", "close"],
    "/cut-head": [b"HTTP/1.1 302 F\r\nLocation: /targ", "close"],
}


def answer(asked: Asked) -> Iterable[Step]:
    if asked.path.startswith("/count/"):
        return moved(b"/count/%d" % (int(asked.path[7:]) + 1))
    return REDIRECTS.get(asked.path, [OK])


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with WireServer(answer) as server:
        yield server


@pytest.fixture
def client(server: WireServer) -> Iterator[Client]:
    hosts = ("news.example", "other.example")
    with Client(Network(connect_to=tuple(f"{host}:80:127.0.0.1:{server.port}" for host in hosts))) as client:
        yield client


def follow(client: Client, url: str, headers: dict[str, str]) -> list[Exchange]:
    """What whoever uses a client does with redirects, without the waiting."""
    hops = [client.exchange(url, headers=headers)]
    try:
        while (target := following(hops, client.max_redirects)) is not None:
            hops.append(client.exchange(target, headers=headers))
    except FetchError as error:
        hops[-1].error = error
    return hops


@pytest.mark.parametrize(
    ("path", "urls", "stage"),
    [
        ("/target", ["/target"], None),
        ("/relative", ["/relative", "/target?x=%7e"], None),
        ("/chain", ["/chain", "/relative", "/target?x=%7e"], None),
        ("/permanent", ["/permanent", "http://other.example/target"], None),
        ("/to-self", ["/to-self"], "redirect"),
        ("/to-b", ["/to-b", "/to-a"], "redirect"),
        ("/ftp", ["/ftp"], "redirect"),
        ("/script", ["/script"], "redirect"),
        ("/no-url", ["/no-url"], "redirect"),
        ("/empty", ["/empty"], None),
        ("/inward", ["/inward", "http://127.0.0.1/admin"], "address"),
        ("/password", ["/password", "http://user:secret@news.example/target"], "address"),
        ("/utf-8", ["/utf-8", "/%E5%9B%BE%E7%89%87.jpg"], None),
        ("/latin-1", ["/latin-1", "/caf%C3%A9"], None),
        ("/with-200", ["/with-200"], None),
        ("/long", ["/long"], "redirect"),
        ("/tab", ["/tab", "/target"], None),
        ("/nul", ["/nul", "/tar%00get"], None),
        ("/bare-cr", ["/bare-cr", "/targetSet-Cookie:%20a=b"], None),
        ("/data", ["/data"], "redirect"),
        ("/file", ["/file"], "redirect"),
        ("/300", ["/300"], None),
        ("/cut", ["/cut", "/target"], None),
        ("/cut-head", ["/cut-head"], "response"),
    ],
)
def test_redirects(client: Client, path: str, urls: list[str], stage: str | None) -> None:
    headers = {"Accept": "image/*"} | referer_field("http://mirror.example/文#x")
    hops = follow(client, f"http://{HOST}{path}", headers)
    full = [url if url.startswith("http") else f"http://{HOST}{url}" for url in urls]
    assert [hop.url for hop in hops] == full
    assert (hops[-1].error.stage if hops[-1].error else None) == stage
    for hop in hops:
        if hop.request:
            assert b"\r\nReferer: http://mirror.example/%E6%96%87\r\n" in hop.request
            assert b"\r\nAccept: image/*\r\n" in hop.request
    for hop in hops[:-1]:
        assert hop.status in (301, 302, 308)
        assert hop.response.startswith(b"HTTP/1.1 30")


def test_too_many_redirects(client: Client) -> None:
    hops = follow(client, f"http://{HOST}/count/0", {})
    assert [hop.url for hop in hops] == [f"http://{HOST}/count/{n}" for n in range(11)]
    assert hops[-1].error is not None
    assert str(hops[-1].error) == f"http://{HOST}/count/0: more than 10 redirects"
    assert hops[-1].response == moved(b"/count/11")[0]


def test_no_redirects_at_all(server: WireServer) -> None:
    with Client(Network(connect_to=(f"::127.0.0.1:{server.port}",), max_redirects=0)) as client:
        (hop,) = follow(client, f"http://{HOST}/relative", {})
    assert str(hop.error) == f"http://{HOST}/relative: more than 0 redirects"


def test_an_answer_that_failed_leads_nowhere() -> None:
    assert (
        following([Exchange("http://a/", "GET", datetime.now(UTC), error=FetchError("x", "dns"))], 10) is None
    )


def test_a_referer_that_is_no_url_is_not_sent() -> None:
    assert referer_field("新闻\r\n") == referer_field("ftp://x/") == referer_field(None) == {}


@pytest.mark.parametrize("contact", ["https://archive.example/about?a=b#c", "mailto:a@b.example", "x" * 200])
def test_the_user_agent_says_whom_to_reach(server: WireServer, contact: str) -> None:
    network = Network(connect_to=(f"::127.0.0.1:{server.port}",), user_agent=user_agent(contact))
    with Client(network) as client:
        exchange = client.exchange(f"http://{HOST}/target")
        assert client.user_agent == network.user_agent
    said = f"newsarchiver/{__version__} (+{contact}; saves news articles and their pictures for a person)"
    assert f"\r\nUser-Agent: {said}\r\n".encode() in exchange.request
    assert f"{__version__} (saves news" in user_agent(None)


@pytest.mark.parametrize("contact", ["", "a (b)", "a)", "a\\", "a\r\nX: y", "图", "a b", "x" * 201, "a\x7f"])
def test_a_contact_that_cannot_be_sent(contact: str) -> None:
    with pytest.raises(UsageError, match="contact"):
        user_agent(contact)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://news.example", b"GET / HTTP/1.1"),
        ("http://news.example?url=x", b"GET /?url=x HTTP/1.1"),
        ("http://news.example/?", b"GET /? HTTP/1.1"),
        ("http://news.example/%7e%7E~%e4%E4%zz%", b"GET /%7e%7E~%e4%E4%zz% HTTP/1.1"),
        ("http://news.example/a|b[c]+d;e'f", b"GET /a|b[c]+d;e'f HTTP/1.1"),
        ("http://news.example/?a|b`{}\\^[]+'%zz&%e4", b"GET /?a|b`{}\\^[]+%27%zz&%e4 HTTP/1.1"),
        ("http://news.example/a//b/../c", b"GET /a//c HTTP/1.1"),
        ("http://news.example/?url=h/a//b/../c", b"GET /?url=h/a//b/../c HTTP/1.1"),
        ("http://news.example/?url=http://x/?a=b?c&d=%2523", b"GET /?url=http://x/?a=b?c&d=%2523 HTTP/1.1"),
        ("http://news.example//double", b"GET //double HTTP/1.1"),
        ("http://news.example/图 片", b"GET /%E5%9B%BE%20%E7%89%87 HTTP/1.1"),
        ("http://NEWS.example:80/A#b?c", b"GET /A HTTP/1.1"),
        ("http://news.example/" + "x" * 9000, b"GET /" + b"x" * 9000 + b" HTTP/1.1"),
    ],
)
def test_the_target_on_the_wire_is_the_urls(
    client: Client, server: WireServer, url: str, line: bytes
) -> None:
    exchange = client.exchange(url)
    assert exchange.error is None
    assert server.asked[-1].head == exchange.request
    assert exchange.request.startswith(line + b"\r\nHost: news.example\r\n")
    assert exchange.url.encode().endswith(line.split(b" ")[1])


def test_secrets_are_sent_but_not_kept(client: Client, server: WireServer) -> None:
    headers = {"Cookie": "session=1", "authorization": "Basic eDp5", "X-Kept": "caf\xe9"}
    exchange = client.exchange(f"http://{HOST}/target", headers=headers)
    sent = server.asked[-1].head
    assert b"Cookie: session=1\r\n" in sent
    assert b"authorization: Basic eDp5\r\n" in sent
    assert exchange.redacted == ("cookie", "authorization")
    assert exchange.request == sent.replace(b"Cookie: session=1\r\n", b"").replace(
        b"authorization: Basic eDp5\r\n", b""
    )
    assert b"X-Kept: caf\xe9\r\n" in exchange.request


def test_no_cookie_is_carried_over() -> None:
    with WireServer(lambda _: [OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")]) as server:
        with Client(Network(connect_to=(f"::127.0.0.1:{server.port}",))) as client:
            client.exchange(f"http://{HOST}/")
            client.exchange(f"http://{HOST}/")
        assert b"ookie" not in server.asked[1].head


def test_redact_keeps_the_body() -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nCOOKIE: a\r\n\r\nCookie: body\r\n\r\n"
    assert redact(request) == (
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\nCookie: body\r\n\r\n",
        ("cookie",),
    )


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GE T", {}),
        ("", {}),
        ("CONNECT", {}),
        ("GET", {"A b": "c"}),
        ("GET", {"A": "b\r\nC: d"}),
        ("GET", {"A": "文"}),
    ],
)
def test_arguments_that_cannot_be_sent(client: Client, method: str, headers: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        client.exchange(f"http://{HOST}/", method=method, headers=headers)


def test_what_an_exchange_says_of_itself(client: Client) -> None:
    before = datetime.now(UTC)
    exchange = client.exchange(f"http://{HOST}/target#part")
    assert before <= exchange.started <= datetime.now(UTC)
    assert exchange.started.utcoffset() == timedelta(0)
    assert (exchange.url, exchange.method, exchange.status) == (f"http://{HOST}/target", "GET", 200)
    assert exchange.headers == (("content-length", "2"),)
    assert exchange.response[exchange.body_offset :] == b"ok"
    assert exchange.header("Content-Length") == "2"
    assert exchange.header("Content-Type") is None
    assert b"\r\nUser-Agent: newsarchiver/" in exchange.request
    assert b"\r\nAccept-Encoding: gzip\r\n" in exchange.request
    assert (exchange.tls, exchange.through, exchange.interim) == (None, None, ())
    assert 0 < exchange.seconds < 10
    assert exchange.private


# --- TLS ----------------------------------------------------------------------------------------


def pem_of(authority: trustme.CA, folder: Path) -> str:
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def ask(server: WireServer, cacert: str | None, **settings: float) -> tuple[str | None, str]:
    network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=cacert, **settings)  # type: ignore[arg-type]
    with Client(network) as client:
        exchange = client.exchange(f"https://{HOST}/")
    return (exchange.error.stage if exchange.error else None), str(exchange.error)


def test_the_chain_is_kept_as_sent(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.create_child_ca().issue_cert(HOST)
    context = context_of(certificate)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with WireServer(answer, context) as server:
        network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=pem_of(authority, tmp_path))
        with Client(network) as client:
            exchanges = [client.exchange(f"https://{HOST}/{n}") for n in range(2)]
        assert server.connections == 1
    sent = tuple(ssl.PEM_cert_to_DER_cert(blob.bytes().decode()) for blob in certificate.cert_chain_pems)
    assert len(sent) == 2
    for exchange in exchanges:
        assert exchange.tls is not None
        assert exchange.tls.chain == sent
        assert exchange.tls.version == "tls/1.3"
        assert exchange.tls.cipher.startswith("TLS_")
        assert exchange.peer == "127.0.0.1"
    assert names == [HOST]


def test_a_host_with_a_final_dot(tmp_path: Path) -> None:
    """The dot stays in the Host field, and out of TLS, whose names never have it (RFC 6066 section 3)."""
    authority = trustme.CA()
    with WireServer(answer, context_of(authority.issue_cert(HOST))) as server:
        network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=pem_of(authority, tmp_path))
        with Client(network) as client:
            exchange = client.exchange(f"https://{HOST}./")
    assert exchange.status == 200
    assert b"\r\nHost: news.example.\r\n" in exchange.request


def test_tls_1_2(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = context_of(authority.issue_cert(HOST))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with WireServer(answer, context) as server:
        network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=pem_of(authority, tmp_path))
        with Client(network) as client:
            exchange = client.exchange(f"https://{HOST}/")
    assert exchange.tls is not None
    assert exchange.tls.version == "tls/1.2"


def test_certificates_that_are_not_accepted(tmp_path: Path) -> None:
    authority = trustme.CA()
    pem = pem_of(authority, tmp_path)
    with WireServer(answer, context_of(authority.issue_cert("other.example"))) as server:
        stage, words = ask(server, pem)
        assert (stage, "not accepted: Hostname mismatch" in words) == ("tls", True)
    late = authority.issue_cert(HOST, not_after=datetime.now(UTC) - timedelta(days=1))
    with WireServer(answer, context_of(late)) as server:
        stage, words = ask(server, pem)
        assert (stage, "certificate has expired" in words) == ("tls", True)
    with WireServer(answer, context_of(authority.issue_cert(HOST))) as server:
        stage, words = ask(server, None)
        assert (stage, "unable to get local issuer" in words) == ("tls", True)
        assert server.asked == []


def test_a_server_that_does_not_speak_tls(tmp_path: Path) -> None:
    pem = pem_of(trustme.CA(), tmp_path)
    with WireServer(answer) as server:  # it waits for the end of a request that never comes
        began = time.monotonic()
        stage, words = ask(server, pem, connect_seconds=0.5)
        assert (stage, "took too long" in words) == ("tls", True)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("length", [True, False])
def test_an_end_without_close_notify(tmp_path: Path, length: bool) -> None:
    """RFC 9112 section 9.8: without a length such an end may be an attacker's cut."""
    message = OK if length else b"HTTP/1.1 200 OK\r\n\r\nabc"
    authority = trustme.CA()
    with WireServer(lambda _: [message, "drop"], context_of(authority.issue_cert(HOST))) as server:
        network = Network(connect_to=(f"::127.0.0.1:{server.port}",), cacert=pem_of(authority, tmp_path))
        with Client(network) as client:
            exchange = client.exchange(f"https://{HOST}/")
    assert exchange.response == message
    assert exchange.truncated == (None if length else "disconnect")


def test_roots_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for path in (tmp_path / "no.pem", tmp_path / "missing.pem", tmp_path):
        with pytest.raises(UsageError, match="--cacert"):
            Client(Network(cacert=str(path)))
