"""Ask for a URL and keep all that happened: `Client.exchange` one request, `Client.follow` its redirects."""

import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import ada_url
import requests
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict

from archiver import __version__
from archiver.capture.wire.dial import Deadline, proxy_authorization
from archiver.capture.wire.exchange import Exchange, redact
from archiver.capture.wire.recording import Limits, RecordingAdapter, Transcript, recording
from archiver.capture.wire.routes import Routes, Target, parse_target
from archiver.capture.wire.tls import make_context
from archiver.errors import FetchError, UsageError
from archiver.warc.http import parse_message

USER_AGENT = f"newsarchiver/{__version__} (saves news articles and their pictures for a person)"
ACCEPT_ANY = "*/*"
ACCEPT_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_PICTURE = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
IDEMPOTENT = ("GET", "HEAD", "OPTIONS")
REDIRECTS = (301, 302, 303, 307, 308)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_UNFIT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


@dataclass(frozen=True)
class Network:
    """The network settings of one run. Flags have curl's meaning; seconds and bytes are for one exchange."""

    resolve: tuple[str, ...] = ()  # HOST:PORT:ADDR[,ADDR]…
    connect_to: tuple[str, ...] = ()  # HOST1:PORT1:HOST2:PORT2
    proxy: str | None = None  # http, https, socks5 (looks names up here) or socks5h (lets the proxy)
    cacert: str | None = None  # PEM file, instead of the default roots
    allow_private: tuple[str, ...] = ()  # CIDR blocks
    connect_seconds: float = 10
    read_seconds: float = 20
    total_seconds: float = 120
    max_bytes: int = 100 << 20
    max_redirects: int = 10
    user_agent: str = USER_AGENT


class Client:
    """Speaks HTTP/1.1 under one set of network settings. For any number of threads; close it after use.

    Raises UsageError for settings that cannot be used.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._routes = Routes(network.resolve, network.connect_to, network.proxy, network.allow_private)
        self._context = make_context(network.cacert)
        self._limits = Limits(
            network.connect_seconds, network.read_seconds, network.total_seconds, network.max_bytes
        )
        self._session = _Session()

    def exchange(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """Make one request. What the world does wrong stands in `Exchange.error`.

        Raises UsageError for a method or header field that cannot be sent.
        """
        _check(method, headers or {})
        started = datetime.now(UTC)
        try:
            target = parse_target(url)
            transcript = self._transcript(target, method, Deadline(self._network.total_seconds))
        except FetchError as error:
            return Exchange(url, method, started, error=error)
        fields = self._fields(transcript, headers or {})
        self._run(transcript, fields)
        if (
            transcript.reused and transcript.reset and method in IDEMPOTENT
        ):  # an idle connection that the server had given up
            transcript = self._transcript(target, method, transcript.deadline, fresh=True)
            self._run(transcript, fields)
        return _result(transcript, started)

    def follow(
        self,
        url: str,
        *,
        referer: str | None = None,
        accept: str = ACCEPT_ANY,
        fields: Mapping[str, str] | None = None,
    ) -> list[Exchange]:
        """Make the request and those to which its answers redirect, in order; at least one Exchange.

        A loop, too many redirects, or a Location that leads nowhere is an error with stage redirect
        on the last one. `referer` is sent in canonical form, or not at all if it is no http(s) URL;
        `fields` are sent at every hop. Raises UsageError as `exchange`.
        """
        headers = {"Accept": accept} | _referer(referer) | dict(fields or {})
        hops = [self.exchange(url, headers=headers)]
        try:
            while following := _next_url(hops[-1]):
                if any(following == hop.url for hop in hops):
                    raise FetchError(
                        f"{hops[0].url}: its redirects lead in a circle to {following}", "redirect"
                    )
                if len(hops) > self._network.max_redirects:
                    raise FetchError(
                        f"{hops[0].url}: more than {self._network.max_redirects} redirects", "redirect"
                    )
                hops.append(self.exchange(following, headers=headers))
        except FetchError as error:
            hops[-1].error = error
        return hops

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _transcript(
        self, target: Target, method: str, deadline: Deadline, *, fresh: bool = False
    ) -> Transcript:
        route = self._routes.plan(target)
        return Transcript(
            method, target, route, self._routes, self._context, self._limits, deadline, fresh=fresh
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

    def _run(self, transcript: Transcript, fields: CaseInsensitiveDict[str]) -> None:
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = transcript.method, transcript.target.url
        prepared.headers = fields
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


def _referer(url: str | None) -> dict[str, str]:
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


def _result(transcript: Transcript, started: datetime) -> Exchange:
    framing, link, message = transcript.framing, transcript.link, transcript.framing.message
    response = bytes(memoryview(framing.data)[framing.start : framing.end])
    if message is None:
        message = parse_message(response)
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
        status=message.status,
        headers=message.fields,
        body_offset=message.body_offset,
        truncated=transcript.truncated,
        error=transcript.error,
        peer=link.peer if link else None,
        tls=link.tls if link else None,
        surplus=framing.surplus,
        through=proxy.shown if proxy else None,
    )


def _next_url(hop: Exchange) -> str | None:
    """Where an answer redirects to; None when it does not. FetchError (stage redirect) for nowhere."""
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
            f"{hop.url}: it redirects to {written[:300]!r}, which is no URL", "redirect"
        ) from error
    following = str(joined.href).partition("#")[0]
    if joined.protocol not in ("http:", "https:"):
        raise FetchError(f"{hop.url}: it redirects to {following[:300]!r}, which is not http", "redirect")
    return following
