"""From a URL to the addresses to connect to: curl's --resolve and --connect-to, proxies, DNS, the guard.

The URL's own host stays in the Host field, in TLS (SNI, certificate name) and in the records,
wherever the connection goes.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

import ada_url

from archiver.capture.wire.guard import Address, Guard, literal
from archiver.errors import FetchError, UsageError

Mode = Literal["direct", "forward", "tunnel", "socks5", "socks5h"]
MOST_ADDRESSES = 4  # of one name and one family, that are tried
DEFAULT_PORTS = {"http": 80, "https": 443}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"https?:|[a-z][a-z0-9+.-]*+://", re.IGNORECASE)
_SERVER = re.compile(r"https?:[/\\]*+([^/]*+)", re.IGNORECASE)  # as readers of RFC 3986 see it, and more
_PORT = re.compile(r"[0-9]{1,5}")
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)"
_RESOLVE = re.compile(rf"\+?{_HOST}:([0-9]{{1,5}}):(.+)")
_CONNECT_TO = re.compile(rf"{_HOST}:([0-9]*):{_HOST}:([0-9]*)")


@dataclass(frozen=True)
class Target:
    """A URL taken apart as a browser does (WHATWG URL). `url` is canonical, without fragment."""

    url: str
    scheme: str  # http or https
    host: str  # as in a URL: IPv6 in brackets
    port: int
    authority: str  # the Host field
    path: str  # path and query, byte for byte as in `url`


@dataclass(frozen=True)
class Proxy:
    scheme: str  # http, https, socks5 or socks5h
    host: str
    port: int
    username: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """The proxy without its credentials, for records and messages."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True)
class Route:
    """How one target is reached. `named` means that the person named `host`, so no guard."""

    mode: Mode
    host: str  # without brackets
    port: int
    named: bool = False
    proxy: Proxy | None = None


def parse_target(url: str) -> Target:
    """Take a URL apart. FetchError (stage address) for one that may not or cannot be asked."""
    if _CONTROL.search(url):
        raise _refused(url, "it holds a control character")
    try:
        parsed = ada_url.URL(url)
    except (ValueError, UnicodeError) as error:
        raise _refused(url, "it is not a URL") from error
    scheme = parsed.protocol.removesuffix(":")
    if scheme not in DEFAULT_PORTS:
        raise _refused(url, f"its scheme is {scheme!r}, not http or https")
    if parsed.username or parsed.password:
        raise _refused(url, "it holds a user name or password")
    canonical = parsed.href.partition("#")[0]
    authority = parsed.host
    return Target(
        url=canonical,
        scheme=scheme,
        host=parsed.hostname,
        port=int(parsed.port) if parsed.port else DEFAULT_PORTS[scheme],
        authority=authority,
        path=canonical[len(f"{scheme}://{authority}") :],
    )


def _as_proxies_read(url: str) -> str:
    """With a scheme: none is http, `ssl:` is https (weserv), and slashes before a bare host mean nothing."""
    url = url.strip(" ")
    if url[:4].lower() == "ssl:":
        return f"https:{url[4:]}"
    return url if _SCHEME.match(url) else "http://" + url.lstrip("/\\")


def _refused(url: str, why: str) -> FetchError:
    return FetchError(f"{url[:300]!r} is not asked: {why}", "address")


def parse_proxy(text: str) -> Proxy:
    """Read SCHEME://[USER:PASSWORD@]HOST:PORT. UsageError when it is not that."""
    advice = "Write for example http://proxy.example:3128 or socks5h://127.0.0.1:1080."
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--proxy: {error}", advice) from error
    scheme = parts.scheme
    if scheme not in ("http", "https", "socks5", "socks5h") or not parts.hostname or not port:
        raise UsageError("--proxy needs a scheme (http, https, socks5, socks5h), a host and a port", advice)
    return Proxy(
        scheme=scheme,
        host=parts.hostname,
        port=port,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


class Routes:
    """The routing of one run. Raises UsageError for settings that cannot be read."""

    def __init__(
        self,
        resolve: Sequence[str],
        connect_to: Sequence[str],
        proxy: str | None,
        allow_private: Sequence[str],
    ) -> None:
        self._resolve = dict(_parse_resolve(text) for text in resolve)
        self._connect_to = [_parse_connect_to(text) for text in connect_to]
        self._guard = Guard(allow_private)
        self.proxy = parse_proxy(proxy) if proxy else None

    def plan(self, target: Target) -> Route:
        """Decide how to reach a target, asking nobody. FetchError (stage address) when it may not be."""
        host, port = _bare(target.host), target.port
        self._guard.check_port(target.host, port)
        mapped = self._mapped(host, port)
        host, port, named = mapped or (host, port, False)
        mode = self._mode(tunnel=target.scheme == "https" or mapped is not None)
        if mode in ("direct", "socks5"):  # looked up here
            if not named and not self._given(host, port):
                self._guard.check_name(host)
        elif not named and (host.lower(), port) not in self._resolve:
            self._guard.check_name_elsewhere(host)
        return Route(mode, host, port, named, self.proxy)

    def check_asked(self, url: str) -> None:
        """Raise FetchError (stage address) for what an image proxy may not be asked to fetch.

        `url` is what the proxy's own URL names; without a scheme it means http, as image proxies read it.
        A proxy on the person's own network would fetch from inside it, so everything that `plan` refuses
        by name is refused, and names of one's own network. A host that --resolve or --connect-to names
        (not `*`, not an empty part: those say where we connect, not what a proxy may) is the person's wish.
        What cannot be judged by name: a public name that leads to a private address, as 127.0.0.1.nip.io
        does. That is for the proxy to refuse.
        """
        url = _as_proxies_read(url)
        server = _SERVER.match(url)
        if server and ("@" in server[1] or "\\" in server[1]):
            raise _refused(url, "a proxy could take another host for its own")  # x.example\@127.0.0.1
        target = parse_target(url)
        host, port = _bare(target.host), target.port
        self._guard.check_port(target.host, port)
        mapped = any(
            from_host == host.lower() and from_port in (0, port) and to_host
            for from_host, from_port, to_host, _ in self._connect_to
        )
        if not mapped and (host.lower(), port) not in self._resolve:
            self._guard.check_name_elsewhere(host)

    def _mode(self, *, tunnel: bool) -> Mode:
        if self.proxy is None:
            return "direct"
        modes: dict[str, Mode] = {"socks5": "socks5", "socks5h": "socks5h"}
        return modes.get(self.proxy.scheme, "tunnel" if tunnel else "forward")

    def addresses(self, host: str, port: int, *, named: bool) -> list[Address]:
        """Look up a host once and check every answer. FetchError with stage dns or address.

        Of each family the first few are returned: a name with thousands of addresses would have us knock
        at all of them. What --resolve says is neither checked nor cut: the person named it.
        """
        given = self._given(host, port)
        if given:
            return list(given)
        found = _look_up(host, port)
        if not named:
            for address in found:
                self._guard.check(host, address)
        few = [[address for address in found if address.version == version] for version in (4, 6)]
        tried = {*few[0][:MOST_ADDRESSES], *few[1][:MOST_ADDRESSES]}
        return [address for address in found if address in tried]

    def _given(self, host: str, port: int) -> tuple[Address, ...]:
        """What --resolve says, as curl: the name's own entry before that for any name."""
        return self._resolve.get((host.lower(), port)) or self._resolve.get(("*", port)) or ()

    def _mapped(self, host: str, port: int) -> tuple[str, int, bool] | None:
        """The first --connect-to that fits, as curl: empty parts fit everything and change nothing."""
        for from_host, from_port, to_host, to_port in self._connect_to:
            if from_host in ("", host.lower()) and from_port in (0, port) and (to_host or to_port):
                return to_host or host, to_port or port, bool(to_host)
        return None


def _parse_resolve(text: str) -> tuple[tuple[str, int], tuple[Address, ...]]:
    found = _RESOLVE.fullmatch(text)
    addresses = [literal(part.strip()) for part in found.group(3).split(",")] if found else []
    known = tuple(address for address in addresses if address is not None)
    if not found or not found.group(1) or len(known) < len(addresses):
        raise UsageError(
            f"--resolve {text}: not HOST:PORT:ADDRESS[,ADDRESS]…",
            "Write for example --resolve news.example:443:192.0.2.7 or '*:443:[2001:db8::7]'.",
        )
    return (_bare(found.group(1)).lower(), _port(found.group(2), text)), known


def _parse_connect_to(text: str) -> tuple[str, int, str, int]:
    found = _CONNECT_TO.fullmatch(text)
    if not found:
        raise UsageError(
            f"--connect-to {text}: not HOST1:PORT1:HOST2:PORT2",
            "Write for example --connect-to news.example:443:127.0.0.1:8443; empty parts fit everything.",
        )
    from_host, from_port, to_host, to_port = found.groups()
    return _bare(from_host).lower(), _port(from_port, text), _bare(to_host), _port(to_port, text)


def _port(digits: str, where: str) -> int:
    if digits and (not _PORT.fullmatch(digits) or not 0 < int(digits) < 1 << 16):
        raise UsageError(f"{where}: {digits} is not a port", "Ports go from 1 to 65535.")
    return int(digits or 0)


def _look_up(host: str, port: int) -> list[Address]:
    known = literal(host)
    if known is not None:
        return [known]
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = (
            error.strerror
            if isinstance(error, OSError) and error.strerror
            else "not a name that DNS can hold"
        )
        raise FetchError(
            f"{host}: no address found ({why})", "dns", "Check the name, or this machine's connection."
        ) from error
    return list(dict.fromkeys(ipaddress.ip_address(str(answer[4][0])) for answer in answers))


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
