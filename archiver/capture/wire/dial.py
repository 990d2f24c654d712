"""Open the connection for one route: direct, through SOCKS5, or through an HTTP proxy; then TLS.

All of it happens before a deadline, and every failure is a FetchError that names its stage.
"""

import base64
import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import socks

from archiver.capture.wire.guard import Address
from archiver.capture.wire.routes import Proxy, Route, Routes, Target
from archiver.capture.wire.tls import Connected, TlsSession, handshake, session_of
from archiver.errors import FetchError

PROXY_HEAD_BYTES = 16 << 10


class Deadline:
    """A moment on the monotonic clock. `seconds` from now, but not after `outer`."""

    def __init__(self, seconds: float, outer: "Deadline | None" = None) -> None:
        self._end = time.monotonic() + seconds
        if outer is not None:
            self._end = min(self._end, outer._end)  # noqa: SLF001 - the same class

    def left(self) -> float:
        """Seconds that are left, more than 0. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


@dataclass(frozen=True)
class Link:
    """An open connection. `peer` is the server's address, unknown (None) behind a proxy."""

    socket: Connected
    peer: str | None
    tls: TlsSession | None


def dial(target: Target, route: Route, routes: Routes, context: ssl.SSLContext, deadline: Deadline) -> Link:
    """Connect to `target` by `route`. FetchError with stage dns, address, connect, proxy or tls."""
    connected, peer = _reach(route, routes, context, deadline)
    if target.scheme == "https":
        host = target.host.removeprefix("[").removesuffix("]").rstrip(".")
        with _failing("tls", f"{target.host}: no TLS connection"), _owned(connected):
            connected = handshake(connected, context, host, deadline.left())
    return Link(connected, peer, session_of(connected) if target.scheme == "https" else None)


def proxy_authorization(proxy: Proxy) -> str | None:
    """The value of Proxy-Authorization (RFC 7617), None without a user name."""
    if not proxy.username:
        return None
    pair = f"{proxy.username}:{proxy.password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


def _reach(
    route: Route, routes: Routes, context: ssl.SSLContext, deadline: Deadline
) -> tuple[Connected, str | None]:
    if route.proxy is None:
        addresses = routes.addresses(route.host, route.port, named=route.named)
        sock, address = _connect(route.host, addresses, route.port, deadline)
        return sock, address.compressed
    if route.mode in ("socks5", "socks5h"):
        return _through_socks(route, route.proxy, routes, deadline), None
    with _failing("proxy", f"the proxy {route.proxy.shown} cannot be used"):
        found = routes.addresses(route.proxy.host, route.proxy.port, named=True)
        connected: Connected = _connect(route.proxy.host, found, route.proxy.port, deadline)[0]
        with _owned(connected):
            if route.proxy.scheme == "https":
                connected = handshake(connected, context, route.proxy.host, deadline.left())
        with _owned(connected):
            if route.mode == "tunnel":
                _open_tunnel(connected, route, route.proxy, deadline)
    return connected, None


def _connect(
    host: str, addresses: list[Address], port: int, deadline: Deadline
) -> tuple[socket.socket, Address]:
    """Try the addresses in their order; each may take its share of the time that is left."""
    reason = "it has no address"
    for tried, address in enumerate(addresses):
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(deadline.left() / (len(addresses) - tried))
            sock.connect((str(address), port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = ipaddress.ip_address(sock.getpeername()[0])
        except OSError as error:
            sock.close()
            reason = f"{address.compressed} port {port}: {in_words(error)}"
            continue
        if peer != address:
            sock.close()
            raise FetchError(f"{host}: asked for {address}, connected to {peer}: not used", "address")
        return sock, address
    raise FetchError(
        f"{host}: no connection ({reason})", "connect", "The server may be down: try again later."
    )


def _through_socks(route: Route, proxy: Proxy, routes: Routes, deadline: Deadline) -> socket.socket:
    """RFC 1928. With socks5 the name is looked up, and checked, here; with socks5h by the proxy."""
    host = route.host
    if route.mode == "socks5":
        host = str(routes.addresses(route.host, route.port, named=route.named)[0])
    with _failing("proxy", f"the proxy {proxy.shown} did not connect to {route.host} port {route.port}"):
        at = routes.addresses(proxy.host, proxy.port, named=True)[0]
        family = socket.AF_INET6 if at.version == 6 else socket.AF_INET
        sock: Any = socks.socksocket(family, socket.SOCK_STREAM)  # type: ignore[no-untyped-call]
        with _owned(sock):
            sock.set_proxy(
                socks.SOCKS5,
                str(at),
                proxy.port,
                rdns=route.mode == "socks5h",
                username=proxy.username or None,
                password=proxy.password or None,
            )
            sock.settimeout(deadline.left())
            sock.connect((host, route.port))
            connected: socket.socket = sock
    return connected


def _open_tunnel(connected: Connected, route: Route, proxy: Proxy, deadline: Deadline) -> None:
    """RFC 9110 section 9.3.6. Read byte by byte, so that nothing of the tunnel is taken."""
    place = f"[{route.host}]:{route.port}" if ":" in route.host else f"{route.host}:{route.port}"
    secret = proxy_authorization(proxy)
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    lines += [f"Proxy-Authorization: {secret}"] if secret else []
    connected.settimeout(deadline.left())
    connected.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = b""
    while not answer.endswith((b"\r\n\r\n", b"\n\n")) and len(answer) < PROXY_HEAD_BYTES:
        connected.settimeout(deadline.left())
        byte = connected.recv(1)
        if not isinstance(byte, bytes) or not byte:
            raise OSError("it closed the connection")
        answer += byte
    line = answer.partition(b"\n")[0].decode("latin-1").strip()
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1") or not words[1].startswith("2"):
        raise OSError(f"it answered {line[:200]!r}")


@contextlib.contextmanager
def _failing(stage: str, what: str) -> Iterator[None]:
    """Turn what the sockets raise into a FetchError of this stage."""
    try:
        yield
    except FetchError as error:
        raise FetchError(f"{what}: {error}", stage, error.advice) from error
    except (OSError, UnicodeError, ValueError) as error:
        raise FetchError(f"{what} ({in_words(error)})", stage) from error


@contextlib.contextmanager
def _owned(connected: Connected) -> Iterator[None]:
    """Close the connection if what is done with it fails."""
    try:
        yield
    except BaseException:
        connected.close()
        raise


def in_words(error: Exception) -> str:
    """Why, for people: the operating system's or OpenSSL's words without their numbers."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or error.strerror or type(error).__name__).lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
