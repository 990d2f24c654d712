"""Ask for a URL and keep all that happened, one exchange at a time; `following` says what to ask next."""

import http.client
import ipaddress
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import ada_url
import requests
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict

from archiver import __version__
from archiver.capture.wire.dial import Deadline, proxy_authorization
from archiver.capture.wire.exchange import Exchange, redact
from archiver.capture.wire.guard import special_use
from archiver.capture.wire.pace import ROOM_BYTES, Limits, Rate, Room
from archiver.capture.wire.recording import RecordingAdapter, Transcript, recording
from archiver.capture.wire.routes import Routes, Target, parse_target
from archiver.capture.wire.tls import make_context
from archiver.errors import FetchError, UsageError
from archiver.warc.http import parse_message

ACCEPT_ANY = "*/*"
ACCEPT_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_PICTURE = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
IDEMPOTENT = ("GET", "HEAD", "OPTIONS")
REDIRECTS = (301, 302, 303, 307, 308)
MOST_URL = 16 << 10  # characters of a URL to which an answer redirects
MOST_CONTACT = 200

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_UNFIT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_CONTACT = re.compile(r"[!-'*-\[\]-~]+")  # what a comment may hold (RFC 9110 section 5.6.5) without its marks


def user_agent(contact: str | None) -> str:
    """The User-Agent field. `contact` is a URL or mail address; UsageError if it cannot stand there."""
    if contact is not None and (len(contact) > MOST_CONTACT or not _CONTACT.fullmatch(contact)):
        raise UsageError(
            f"the contact {contact[:MOST_CONTACT]!r} cannot be sent: visible ASCII without parentheses, "
            f"at most {MOST_CONTACT} characters",
            "Give the URL or mail address under which you can be reached.",
        )
    reach = f"+{contact}; " if contact else ""
    return f"newsarchiver/{__version__} ({reach}saves news articles and their pictures for a person)"


@dataclass(frozen=True)
class Network:
    """The network settings of one run. Flags have curl's meaning; seconds and bytes are for one exchange.

    An answer of fewer than `slow_bytes` bytes in `slow_seconds` is cut. `limit_rate` is in bytes per second,
    for all exchanges of a client together.
    """

    resolve: tuple[str, ...] = ()  # HOST:PORT:ADDR[,ADDR]…
    connect_to: tuple[str, ...] = ()  # HOST1:PORT1:HOST2:PORT2
    proxy: str | None = None  # http, https, socks5 (looks names up here) or socks5h (lets the proxy)
    cacert: str | None = None  # PEM file, instead of the default roots
    allow_private: tuple[str, ...] = ()  # CIDR blocks
    connect_seconds: float = 10
    first_byte_seconds: float = 30
    read_seconds: float = 20
    slow_bytes: int = 1024
    slow_seconds: float = 30
    total_seconds: float = 120
    max_bytes: int = 100 << 20
    max_redirects: int = 10
    limit_rate: int | None = None
    user_agent: str = user_agent(None)


class Client:
    """Speaks HTTP/1.1 under one set of network settings. For any number of threads; close it after use.

    Raises UsageError for settings that cannot be used.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._routes = Routes(network.resolve, network.connect_to, network.proxy, network.allow_private)
        self._context = make_context(network.cacert)
        self._limits = Limits(
            connect_seconds=network.connect_seconds,
            first_byte_seconds=network.first_byte_seconds,
            read_seconds=network.read_seconds,
            slow_bytes=network.slow_bytes,
            slow_seconds=network.slow_seconds,
            total_seconds=network.total_seconds,
            bytes=network.max_bytes,
        )
        self._rate = None if network.limit_rate is None else Rate(network.limit_rate)
        self._memory = Room(max(ROOM_BYTES, network.max_bytes))
        self._session = _Session()

    @property
    def max_redirects(self) -> int:
        """How many redirects of one URL are followed."""
        return self._network.max_redirects

    @property
    def user_agent(self) -> str:
        """The User-Agent field, as sent."""
        return self._network.user_agent

    def exchange(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int = sys.maxsize,
    ) -> Exchange:
        """Make one request. What the world does wrong stands in `Exchange.error`.

        `body` goes with a method that has one. `most`: bytes that are enough, where that is less than the
        limit.

        Call `Exchange.release` when the answer has been stored: large ones share a bound of memory.
        Raises UsageError for a method or header field that cannot be sent.
        """
        _check(method, headers or {})
        started, began = datetime.now(UTC), time.monotonic()
        try:
            target = parse_target(url)
            transcript = self._transcript(target, method, Deadline(self._network.total_seconds), most)
        except FetchError as error:
            return Exchange(url, method, started, error=error)
        fields = self._fields(transcript, headers or {})
        if body is not None:
            fields["Content-Length"] = str(len(body))
        self._run(transcript, fields, body)
        if (
            transcript.reused and transcript.reset and method in IDEMPOTENT
        ):  # an idle connection that the server had given up
            transcript = self._transcript(target, method, transcript.deadline, most, fresh=True)
            self._run(transcript, fields, body)
        return _result(transcript, started, time.monotonic() - began)

    def check_asked(self, url: str) -> None:
        """Raise FetchError (stage address) for a URL that an image proxy may not be asked to fetch."""
        self._routes.check_asked(url)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _transcript(
        self, target: Target, method: str, deadline: Deadline, most: int, *, fresh: bool = False
    ) -> Transcript:
        route = self._routes.plan(target)
        return Transcript(
            method=method,
            target=target,
            route=route,
            routes=self._routes,
            context=self._context,
            limits=replace(self._limits, bytes=min(most, self._limits.bytes)),
            deadline=deadline,
            rate=self._rate,
            memory=self._memory,
            fresh=fresh,
        )

    def _fields(self, transcript: Transcript, headers: Mapping[str, str]) -> CaseInsensitiveDict[str]:
        fields: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        fields["Host"] = transcript.target.authority
        fields["User-Agent"] = self._network.user_agent
        fields["Accept"] = ACCEPT_ANY
        fields["Accept-Encoding"] = "gzip"  # any reader of WARC can undo it
        fields.update(headers)
        if transcript.route.mode == "forward" and transcript.route.proxy is not None:
            secret = proxy_authorization(transcript.route.proxy)
            if secret:
                fields["Proxy-Authorization"] = secret
        return fields

    def _run(self, transcript: Transcript, fields: CaseInsensitiveDict[str], body: bytes | None) -> None:
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = transcript.method, transcript.target.url
        prepared.headers, prepared.body = fields, body
        prepared.hooks = {"response": []}
        with recording(transcript):
            try:
                answer = self._session.send(prepared, stream=True, allow_redirects=False, proxies={})
                answer.raw.release_conn()
            except FetchError as error:
                transcript.error = error
            except (
                requests.RequestException,
                urllib3.exceptions.HTTPError,
                http.client.HTTPException,
                OSError,
                ValueError,
            ) as error:  # what urllib3 itself may still refuse
                transcript.error = FetchError(f"{transcript.target.authority}: {error}", "request")


class _Session(requests.Session):
    """A session that takes nothing from the environment and never reads a body by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        adapter = RecordingAdapter()
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: `Session.send` would decode a redirect's whole body (psf/requests issue 5529)."""


def referer_field(url: str | None) -> dict[str, str]:
    """The Referer field for a URL in canonical form; none for what is no http(s) URL."""
    try:
        return {"Referer": parse_target(url).url} if url else {}
    except FetchError:
        return {}


def _check(method: str, headers: Mapping[str, str]) -> None:
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        raise UsageError(f"{method!r} is not a method to ask with")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or _UNFIT.search(value):
            raise UsageError(f"the header field {name!r}: {value[:100]!r} cannot be sent")


def _result(transcript: Transcript, started: datetime, seconds: float) -> Exchange:
    framing, link = transcript.framing, transcript.link
    response = framing.final()
    message = framing.message or parse_message(response)
    peer = link.peer if link else None
    request, redacted = redact(bytes(transcript.sent))
    proxy = transcript.route.proxy
    return Exchange(
        url=transcript.target.url,
        method=transcript.method,
        started=started,
        request=request,
        redacted=redacted,
        response=response,
        interim=tuple(framing.interim),
        status=None if framing.not_http else message.status,
        headers=message.fields,
        body_offset=message.body_offset,
        truncated=transcript.truncated,
        error=transcript.error,
        peer=peer,
        tls=link.tls if link else None,
        surplus=framing.surplus,
        through=proxy.shown if proxy else None,
        seconds=seconds,
        private=peer is not None and special_use(ipaddress.ip_address(peer)) is not None,
        held=transcript.held,
    )


def following(hops: Sequence[Exchange], most: int) -> str | None:
    """Where the last of the exchanges for one URL redirects to, without fragment; None when it does not.

    Raises FetchError (stage redirect) for what leads in a circle or nowhere, and after `most` redirects.
    """
    target = _location(hops[-1])
    if target is None:
        return None
    first = hops[0].url[:300]
    if any(target == hop.url for hop in hops):
        raise FetchError(f"{first}: its redirects lead in a circle to {target[:300]}", "redirect")
    if len(hops) > most:
        raise FetchError(f"{first}: more than {most} redirects", "redirect")
    return target


def _location(hop: Exchange) -> str | None:
    """The URL in Location, as browsers read it (WHATWG URL), of an answer that redirects."""
    location = hop.header("location")
    if hop.status not in REDIRECTS or not location or (hop.error is not None and hop.error.stage != "body"):
        return None
    raw = location.encode("latin-1")
    try:
        written = raw.decode()
    except UnicodeDecodeError:
        written = location
    try:
        joined: Any = ada_url.URL(written, base=hop.url)
    except ValueError as error:
        raise FetchError(
            f"{hop.url[:300]}: it redirects to {written[:300]!r}, which is no URL", "redirect"
        ) from error
    target = str(joined.href).partition("#")[0]
    if joined.protocol not in ("http:", "https:"):
        raise FetchError(f"{hop.url[:300]}: it redirects to {target[:300]!r}, which is not http", "redirect")
    if len(target) > MOST_URL:
        raise FetchError(f"{hop.url[:300]}: it redirects to a URL of {len(target)} characters", "redirect")
    return target
