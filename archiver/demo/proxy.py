"""A picture proxy that behaves as weserv/images does (docs/demo.md says what was measured)."""

import base64
import gzip
import json
import math
import re
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate

from archiver.addresses import weserv
from archiver.demo.server import LoopbackServer, Reply, Request, Seen
from archiver.demo.stories import PROXY
from archiver.demo.transform import Refusal, Rendered, transform
from archiver.demo.upstream import Fetched, Upstream

MAX_TARGET = 8 << 10
_DAY = 86_400
_YEAR = 365 * _DAY
_ALWAYS = (
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Access-Control-Allow-Origin", "*"),
    ("Timing-Allow-Origin", "*"),
    ("X-Images-Api", "5"),
)
_HOME = b"<!DOCTYPE html>\n<title>Picture proxy</title>\n<p>Give a picture's address as <code>?url=</code>.\n"
_AGES = {"d": 1, "w": 7, "m": 31, "y": 365}  # days


@dataclass(frozen=True)
class RateLimit:
    """How many uncached requests are answered in a window of so many seconds; then 429.

    `retry_after` replaces the true Retry-After: the public service has been seen to say 0.
    """

    requests: int
    seconds: float = 600
    retry_after: int | None = None


class ImageProxy(LoopbackServer):
    """`origins` maps each host to the loopback (address, port) from which its pictures come.

    `timeout` is how long an origin may be silent, in seconds. Any Host and any path will do.
    """

    def __init__(
        self,
        origins: Mapping[str, tuple[str, int]],
        *,
        hosts: Iterable[str] = (),
        limit: RateLimit | None = None,
        timeout: float = 15,
        contexts: Mapping[str, ssl.SSLContext] | None = None,
        log: list[Seen] | None = None,
    ) -> None:
        super().__init__(contexts, log)
        self.hosts = (PROXY, *(host.lower() for host in hosts))
        self._upstream = Upstream(origins, timeout)
        self._cache = _Cache()
        self._meter = _Meter(limit) if limit else None

    def answer(self, request: Request) -> Reply:
        if request.method not in ("GET", "HEAD"):
            return _html(405, "Not Allowed")
        if len(request.target) > MAX_TARGET:
            return _html(414, "Request-URI Too Large")
        if not request.target.startswith("/"):
            return _html(400, "Bad Request")
        bypass = "pragma" in request.fields or "authorization" in request.fields
        key = f"{request.method} {request.target}"
        kept = None if bypass else self._cache.get(key)
        if kept is not None:
            return _with_coding(_with_cache_status(kept, "HIT"), request)
        if self._meter and (late := self._meter.count()):
            return late
        reply = self._fresh(f"http://{PROXY}{_ascii(request.target)}")
        if not bypass:
            self._cache.miss(key, reply)
        return _with_coding(_with_cache_status(reply, "BYPASS" if bypass else "MISS"), request)

    def _fresh(self, url: str) -> Reply:
        if not weserv.has_url(url):
            return Reply(200, _HOME, "text/html")
        parameters = weserv.parameters_of(url)
        origin, _ = weserv.origin_of(url)
        try:
            if origin is None:
                raise Refusal(400, "Unable to parse URI")
            fetched = self._upstream.fetch(origin)
            return _success(transform(fetched.body, parameters), fetched, parameters)
        except Refusal as refusal:
            return _error(refusal, url, origin)


def _success(made: Rendered, fetched: Fetched, parameters: Mapping[str, str]) -> Reply:
    age = _max_age(parameters.get("maxage", ""))
    fields = (
        ("Link", f'<{fetched.canonical}>; rel="canonical"'),
        ("Expires", formatdate(time.time() + age, usegmt=True)),
        ("Cache-Control", f"public, max-age={age}"),
        ("X-Upstream-Response-Length", str(len(fetched.body))),
        *_ALWAYS,
    )
    if parameters.get("encoding") == "base64" and made.extension != "json":
        text = f"data:{made.content_type};base64,".encode() + base64.b64encode(made.body)
        return Reply(200, text, "text/plain", fields)
    name = parameters.get("filename", "")
    if not re.fullmatch("[0-9A-Za-z]{1,78}", name):
        name = "image"
    disposition = ("Content-Disposition", f"inline; filename={name}.{made.extension}")
    return Reply(200, made.body, made.content_type, (disposition, *fields))


def _error(refusal: Refusal, url: str, origin: str | None) -> Reply:
    """JSON with the status, or a redirect to the default picture with the same JSON."""
    said = {"status": "error", "code": refusal.code, "message": str(refusal)}
    body = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    default = _default_picture(url, origin, looping=refusal.looping)
    if default is None:
        return Reply(refusal.code, body, "application/json", _ALWAYS)
    return Reply(302, body, "application/json", (("Location", default), *_ALWAYS))


def _default_picture(url: str, origin: str | None, *, looping: bool) -> str | None:
    """`default=` or its old name, read by the grammar of `url=`; `1` stands for the origin itself."""
    found = re.search(r"[?&](?:default|errorredirect)=([^&]*)", url, re.IGNORECASE)
    if found is None:
        return None
    if found[1] == "1":
        return None if looping else origin
    return weserv.origin_of(f"http://{PROXY}/?url={found[1]}")[0]


def _ascii(target: str) -> str:
    """Bytes that came unencoded, percent-encoded: decoding brings the same bytes back."""
    return re.sub(r"[^!-~]", lambda found: f"%{ord(found[0]):02X}", target)


def _max_age(text: str) -> int:
    """Seconds from `7d`, `2w`, `1m` or `1y`; a year for anything else or beyond."""
    found = re.fullmatch("([0-9]{1,4})([dwmy])", text)
    age = int(found[1]) * _AGES[found[2]] * _DAY if found else _YEAR
    return age if _DAY <= age <= _YEAR else _YEAR


def _with_cache_status(reply: Reply, status: str) -> Reply:
    """Errors and the home page carry none."""
    if reply.status != 200 or reply.body is _HOME:
        return reply
    return replace(reply, fields=(*reply.fields, ("X-Cache-Status", status)))


def _with_coding(reply: Reply, request: Request) -> Reply:
    """Text goes out compressed and chunked to whoever takes gzip; pictures never do."""
    if reply.content_type.startswith("image/"):
        return reply
    fields = (*reply.fields, ("Vary", "Accept-Encoding"), ("Vary", "Accept-Encoding"))  # twice, as it does
    if "gzip" not in request.fields.get("accept-encoding", ""):
        return replace(reply, fields=fields)
    coded = gzip.compress(reply.body, 1, mtime=0)
    return replace(reply, body=coded, fields=(*fields, ("Content-Encoding", "gzip")), chunked=True)


def _html(status: int, reason: str, fields: tuple[tuple[str, str], ...] = ()) -> Reply:
    title = f"{status} {reason}"
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Reply(status, body.encode(), "text/html", fields)


class _Cache:
    """Keeps an answer from its second miss on, as the service does."""

    def __init__(self) -> None:
        self._kept: dict[str, Reply] = {}
        self._missed: set[str] = set()
        self._lock = threading.Lock()

    def get(self, key: str) -> Reply | None:
        return self._kept.get(key)

    def miss(self, key: str, reply: Reply) -> None:
        with self._lock:
            if key in self._missed:
                self._kept[key] = reply
            self._missed.add(key)


class _Meter:
    """Counts requests in windows that begin with their first request."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._began = -math.inf
        self._count = 0

    def count(self) -> Reply | None:
        """None while the limit is kept, else the 429."""
        with self._lock:
            now = time.monotonic()
            if now - self._began >= self._limit.seconds:
                self._began, self._count = now, 0
            self._count += 1
            if self._count <= self._limit.requests:
                return None
            reset = math.ceil(self._began + self._limit.seconds - now)
        wait = reset if self._limit.retry_after is None else self._limit.retry_after
        fields = (
            ("X-RateLimit-Limit", str(self._limit.requests)),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(reset)),
            ("Retry-After", str(wait)),
        )
        return _html(429, "Too Many Requests", fields)
