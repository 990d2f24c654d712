"""The proxy's own way to the origin: loopback addresses that it was given, and nothing else."""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from archiver.demo.transform import Refusal
from archiver.errors import UsageError

USER_AGENT = "Mozilla/5.0 (compatible; ImageFetcher/9.0; +http://wsrv.nl/)"
MAX_BYTES = 100 << 20
MAX_REDIRECTS = 9  # the tenth is refused, though the message says ten
_UNREACHABLE = "The hostname of the origin is unresolvable (DNS) or blocked by policy."
_PERMANENT, _TEMPORARY = (300, 301, 308), (302, 303, 307)


@dataclass(frozen=True)
class Fetched:
    """A 200's body and the URL that the proxy's Link header will name."""

    body: bytes
    canonical: str


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    location: str | None
    coded: bool  # a Content-Encoding stands over the body


class Upstream:
    """Fetches as the proxy does: with no field of the client's request, following redirects.

    `origins` maps a host to the loopback (address, port) where it lives; it may be filled later.
    Certificates are not judged: there is nobody between two sockets on loopback.
    """

    def __init__(self, origins: Mapping[str, tuple[str, int]], timeout: float) -> None:
        self._origins = origins
        self._timeout = timeout
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def fetch(self, url: str) -> Fetched:
        """The body behind `url`. Refusal with the proxy's own message for anything but a 200."""
        canonical, frozen, referer = url, False, None
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask(url, referer)
            if answer.status == 200:
                if answer.coded:
                    raise Refusal(404, "Invalid or unsupported image format. Is it a valid image?")
                return Fetched(answer.body, canonical)
            if answer.status not in (*_PERMANENT, *_TEMPORARY) or not answer.location:
                raise Refusal(404, f"The requested URL returned error: {answer.status}")
            url, referer = self._next(url, answer), url
            frozen = frozen or answer.status in _TEMPORARY
            canonical = canonical if frozen else url
        raise Refusal(404, "Will not follow more than 10 redirects", looping=True)

    def _next(self, url: str, answer: _Answer) -> str:
        target = urljoin(url, answer.location or "").partition("#")[0]
        if target == url:
            raise Refusal(404, "Will not follow a redirection to itself", looping=True)
        if (_split(target).hostname or "") not in self._origins:
            raise Refusal(404, f"The requested URL returned error: {answer.status}")
        return target

    def _ask(self, url: str, referer: str | None) -> _Answer:
        parts = _split(url)
        host = parts.hostname or ""
        address = self._address(host)
        try:
            with socket.create_connection(address, self._timeout) as plain:
                if parts.scheme == "https":
                    with self._tls.wrap_socket(plain, server_hostname=host) as secure:
                        return _exchange(secure, url, referer)
                return _exchange(plain, url, referer)
        except TimeoutError as error:
            raise Refusal(404, "The requested URL timed out.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Refusal(404, _UNREACHABLE) from error

    def _address(self, host: str) -> tuple[str, int]:
        found = self._origins.get(host)
        if found is not None:
            if not ipaddress.ip_address(found[0]).is_loopback:
                raise UsageError(f"{host} is mapped to {found[0]}, which is no loopback address")
            return found
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise Refusal(404, _UNREACHABLE) from None
        raise Refusal(400, "IP address blocked by policy")


def _exchange(connection: socket.socket, url: str, referer: str | None) -> _Answer:
    parts = _split(url)
    target = url.partition("://")[2].removeprefix(parts.netloc)
    client = http.client.HTTPConnection(parts.netloc)  # never connects: the socket is given
    client.sock = connection
    client.putrequest("GET", target if target.startswith("/") else f"/{target}", skip_host=True)
    client.putheader("Host", _host_field(parts))
    client.putheader("User-Agent", USER_AGENT)
    client.putheader("Connection", "close")
    if referer:
        client.putheader("Referer", referer)
    client.endheaders()
    with client.getresponse() as response:
        body = response.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise Refusal(404, f"The image is too large to be downloaded. Max image size: {MAX_BYTES} bytes")
        if response.length:  # what is still missing
            raise http.client.IncompleteRead(body, response.length)
        coded = response.getheader("Content-Encoding", "identity") != "identity"
        return _Answer(response.status, body, response.getheader("Location"), coded)


def _host_field(parts: SplitResult) -> str:
    """Without the port that the scheme has anyway."""
    default = ":443" if parts.scheme == "https" else ":80"
    return parts.netloc.removesuffix(default)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Refusal(400, "Unable to parse URI") from error
    return parts
