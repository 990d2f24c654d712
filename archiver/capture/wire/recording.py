"""Record an exchange byte for byte, below requests and urllib3.

urllib3 keeps the connections and lends them out; the connections here do the talking. Which exchange
a connection works for is told by a context variable, so that threads that share a pool never mix.
http.client reads nothing: `begin` takes the whole answer off the socket, within limits of time and size.
"""

import contextlib
import http.client
import ssl
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from archiver.capture.wire.dial import Deadline, Link, dial, in_words
from archiver.capture.wire.exchange import Truncated
from archiver.capture.wire.framing import Framing
from archiver.capture.wire.pace import LARGE_BYTES, Limits, Rate, Reservation, Room, Watch
from archiver.capture.wire.routes import Route, Routes, Target
from archiver.errors import FetchError

RECEIVE_BYTES = 1 << 16
REDIRECT_BYTES = 32 << 10  # of its body and head together
POOLS, CONNECTIONS_PER_POOL = 64, 16


@dataclass
class Transcript:
    """One exchange while it happens: what to send and where, what was sent, what came."""

    method: str
    target: Target
    route: Route
    routes: Routes
    context: ssl.SSLContext
    limits: Limits
    deadline: Deadline
    rate: Rate | None
    memory: Room
    fresh: bool = False  # no connection may be used that was used before
    reused: bool = False
    sent: bytearray = field(default_factory=bytearray)
    framing: Framing = field(init=False)
    link: Link | None = None
    held: Reservation | None = None
    truncated: Truncated | None = None
    error: FetchError | None = None
    reset: bool = False  # the connection ended before one byte came

    def __post_init__(self) -> None:
        self.framing = Framing(self.method)

    @property
    def request_target(self) -> str:
        """RFC 9112 section 3.2: absolute-form to a forwarding proxy, else origin-form."""
        return self.target.url if self.route.mode == "forward" else self.target.path

    def left(self) -> float:
        """Seconds that are left for the exchange."""
        try:
            return self.deadline.left()
        except TimeoutError:
            return 0.0

    def most(self) -> int:
        """Bytes that may come. What is no success has no body worth more than a little memory.

        Least of all a redirect: it is held while the next host is waited for.
        """
        status = (self.framing.message.status if self.framing.message else None) or 200
        if 200 <= status < 300:
            return self.limits.bytes
        return min(self.limits.bytes, REDIRECT_BYTES if 300 <= status < 400 else LARGE_BYTES)

    def reserve(self) -> bool:
        """Get room in memory for all of a large answer; False if there is none for a long time."""
        whole = self.framing.length or self.limits.bytes
        self.held = self.memory.reserve(min(whole, self.limits.bytes), self.limits.total_seconds)
        return self.held is not None

    def cut(self, kind: Truncated, why: str) -> None:
        """Note that the answer is not complete. WARC-Truncated needs something that was truncated."""
        self.framing.give_up()
        came = self.framing.size
        self.truncated = kind if came else None
        stage = "body" if self.framing.message is not None else "response"
        part = f"after {came} bytes" if came else "before any answer"
        self.error = FetchError(f"{self.target.authority}: {why}, {part}", stage)


_CURRENT: ContextVar[Transcript] = ContextVar("archiver-transcript")


@contextlib.contextmanager
def recording(transcript: Transcript) -> Iterator[None]:
    """Whatever a connection does in this context goes into `transcript`."""
    token = _CURRENT.set(transcript)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def receive(sock: Any, transcript: Transcript) -> None:
    """Read one answer into the transcript: to its end, or to whatever stops it. Never raises."""
    framing = transcript.framing
    watch = Watch(transcript.limits, transcript.left())
    while not framing.done and transcript.error is None:
        room = transcript.most() - framing.received
        if room <= 0:
            transcript.cut("length", f"stopped at the limit of {transcript.most()} bytes")
        elif framing.received >= LARGE_BYTES and transcript.held is None:
            with watch.paused():
                if not transcript.reserve():
                    transcript.cut("length", "stopped, as there was no memory for another large answer")
        else:
            _read(sock, transcript, watch, min(RECEIVE_BYTES, room))
    transcript.deadline = Deadline(watch.left)
    if framing.not_http:
        transcript.cut("unspecified", "what came is not an HTTP/1 answer")
    elif framing.head_too_long:
        transcript.cut("length", "the header or trailer is too long")


def _read(sock: Any, transcript: Transcript, watch: Watch, most: int) -> None:
    """One read. Running out of time is seen at the next one."""
    framing, rate = transcript.framing, transcript.rate
    if rate is not None:
        with watch.paused():
            most = rate.take(most)
    data = None
    try:
        seconds, why = watch.next()
        if not seconds:
            transcript.cut("time", why)
            return
        sock.settimeout(seconds)
        data = sock.recv(most)
    except TimeoutError:
        return
    except OSError as error:  # ssl.SSLError is one
        transcript.reset = not framing.received
        transcript.cut("disconnect", f"the connection broke ({in_words(error)})")
        return
    finally:
        if rate is not None:
            rate.give_back(most - len(data or b""))
    if data:
        watch.came(len(data))
        framing.feed(data)
    else:
        _end_of_connection(transcript)


def _end_of_connection(transcript: Transcript) -> None:
    framing = transcript.framing
    if framing.until_close and not framing.fault:
        framing.ended = True
    elif framing.until_close:
        transcript.cut("unspecified", f"{framing.fault}, so its end is not known")
    else:
        transcript.reset = not framing.received
        transcript.cut("disconnect", "the server closed the connection too early")


class RecordedResponse(http.client.HTTPResponse):
    """What urllib3 sees of an answer: its status. The rest is in the transcript."""

    def __init__(self, sock: Any, debuglevel: int = 0, method: str | None = None, *_: object) -> None:
        # The base class would open a buffered file over the socket, which hides bytes: not called.
        self._connection = sock
        self.debuglevel = debuglevel
        self._method = method
        self.fp = None  # type: ignore[assignment] # "closed": nothing is left to read
        self.headers = self.msg = http.client.HTTPMessage()
        self.status = self.code = 0
        self.reason = ""
        self.version = 11
        self.chunked = False
        self.chunk_left = None
        self.length = 0
        self.will_close = True

    def begin(self) -> None:
        """Receive the whole answer. What went wrong stands in the transcript, too."""
        transcript = _CURRENT.get()
        receive(self._connection, transcript)
        message = transcript.framing.message
        self.status = self.code = (message.status if message else None) or 0
        self.will_close = not transcript.framing.reusable


class _Recording(HTTPConnection):
    """The connection of a pool, made to record."""

    response_class = RecordedResponse
    link: Link | None = None

    def connect(self) -> None:
        """Instead of urllib3's: guarded, routed, with one deadline for all of it."""
        now = _CURRENT.get()
        deadline = Deadline(now.limits.connect_seconds, now.deadline)
        self.link = dial(now.target, now.route, now.routes, now.context, deadline)
        self.sock = self.link.socket
        self.is_verified = self.link.tls is not None  # the context accepts nothing else

    def request(self, *args: Any, **kwargs: Any) -> None:
        now = _CURRENT.get()
        if now.fresh:
            self.close()
        now.reused = self.sock is not None
        super().request(*args, **kwargs)

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - see below
        """Send the target as it stands in the URL: requests and urllib3 re-encode it."""
        super().putrequest(method, _CURRENT.get().request_target, *args, **kwargs)

    def send(self, data: Any) -> None:
        now = _CURRENT.get()
        if self.sock is None:
            self.connect()
        now.link = self.link
        now.sent += data
        try:
            self.sock.settimeout(min(now.limits.read_seconds, now.deadline.left()))
            self.sock.sendall(data)
        except TimeoutError as error:
            raise FetchError(
                f"{now.target.authority}: the request could not be sent (it took too long)", "request"
            ) from error
        except OSError:
            return  # the server may have answered before it closed: reading will tell


class _HTTP(_Recording):
    pass


class _HTTPS(_Recording, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPS


class RecordingAdapter(HTTPAdapter):
    """requests' adapter over pools of recording connections. One exchange is one try."""

    def __init__(self) -> None:
        super().__init__(pool_connections=POOLS, pool_maxsize=CONNECTIONS_PER_POOL, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def request_url(self, *_: Any) -> str:
        """Not used: the connection sends the target of its transcript."""
        return "/"
