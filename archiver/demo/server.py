"""An HTTP/1.1 server on a free port of 127.0.0.1 that knows virtual hosts, TLS, and how to stop.

One port speaks both plain HTTP and TLS: a TLS connection starts with byte 22 (RFC 8446 section 5.1),
an HTTP request never does. So one --connect-to target serves `http:` and `https:` of a host.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from archiver.errors import UsageError

LOOPBACK = "127.0.0.1"
IDLE_SECONDS = 30
BODY_BYTES = 1 << 16  # of a request
_TLS_HANDSHAKE = b"\x16"


@dataclass(frozen=True)
class Request:
    """A request as it came in: `target` is the request line's, byte for byte (as latin-1)."""

    method: str
    host: str  # lower case, without the port
    target: str
    fields: Mapping[str, str]  # names in lower case; of a repeated field the first
    secure: bool  # it came over TLS

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Reply:
    """What to answer. Date, Server and the framing of the body are added on the way out."""

    status: int
    body: bytes
    content_type: str
    fields: tuple[tuple[str, str], ...] = ()
    chunked: bool = False


@dataclass(frozen=True)
class Seen:
    """One line of the log of requests."""

    host: str
    path: str  # the whole target, with its query
    method: str
    referer: str | None
    user_agent: str | None
    secure: bool
    status: int


class LoopbackServer:
    """Serves `answer` from a thread for each connection, between `__enter__` and `__exit__`.

    `contexts` maps a host to the server-side SSLContext with its certificate; a TLS client which
    asks for another host is refused. `log` is appended to, in the order of the answers.
    """

    def __init__(
        self,
        contexts: Mapping[str, ssl.SSLContext] | None = None,
        log: list[Seen] | None = None,
    ) -> None:
        self.log: list[Seen] = [] if log is None else log
        self._contexts = dict(contexts or {})
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    def answer(self, request: Request) -> Reply:
        """Overridden by each server."""
        raise NotImplementedError

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens. UsageError while it does not."""
        if self._listener is None:
            raise UsageError("the server is not running", "Use it as a context manager.")
        return LOOPBACK, self._listener.server_port

    def __enter__(self) -> Self:
        self._listener = _Listener(self._logged, self._contexts)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._listener is not None and self._thread is not None:
            self._listener.stop()
            self._thread.join()
            self._listener = self._thread = None

    def _logged(self, request: Request) -> Reply:
        reply = self.answer(request)
        get = request.fields.get
        self.log.append(  # one append: safe between threads
            Seen(
                host=request.host,
                path=request.target,
                method=request.method,
                referer=get("referer"),
                user_agent=get("user-agent"),
                secure=request.secure,
                status=reply.status,
            )
        )
        return reply


class _Listener(ThreadingHTTPServer):
    """Accepts connections; keeps each open one at hand, so that stopping waits for no client."""

    daemon_threads = False  # closing joins them

    def __init__(self, answer: Callable[[Request], Reply], contexts: Mapping[str, ssl.SSLContext]) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.answer = answer
        self._tls = _by_server_name(contexts)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Take no more connections, cut those that are open, and wait for their threads."""
        self.shutdown()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client was faster
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)  # below TLS: no farewell to wait for
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """In the listening thread, before the connection's own thread starts."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's thread: find out whether it is TLS, then serve it to its end."""
        connection: socket.socket = request
        try:
            connection.settimeout(IDLE_SECONDS)
            if connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
                connection = self._secured(connection)
            super().finish_request(connection, client_address)
        except OSError:  # the client went away, or does not trust us: its right
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._tls is None:
            raise ConnectionRefusedError("no certificate to show")
        with self._lock:  # wrapping empties `plain`: no moment in which stop() finds neither
            self._open.discard(plain)
            secure = self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            self._open.add(secure)
        try:
            secure.do_handshake()
        except OSError:
            with self._lock:
                self._open.discard(secure)
            secure.close()
            raise
        return secure


def _by_server_name(contexts: Mapping[str, ssl.SSLContext]) -> ssl.SSLContext | None:
    """A context that becomes the one of the host for which the client asks (RFC 6066 section 3)."""
    if not contexts:
        return None

    def choose(connection: Any, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None or name not in contexts:
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        connection.context = contexts[name]
        return None

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.sni_callback = choose
    return front


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _Listener

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        """Nothing on stderr: the log is a list."""

    def _serve(self) -> None:
        fields: dict[str, str] = {}
        for name, value in self.headers.items():
            fields.setdefault(name.lower(), value)
        self._skip_body(fields)
        reply = self.server.answer(
            Request(
                method=self.command,
                host=_host_name(fields.get("host", "")),
                target=self.requestline.split()[1],
                fields=fields,
                secure=isinstance(self.connection, ssl.SSLSocket),
            )
        )
        self._send(_unless_held(reply, fields.get("if-none-match")))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the base class looks for these

    def _skip_body(self, fields: Mapping[str, str]) -> None:
        """What a request brings along is of no interest, but must not be taken for the next one."""
        length = fields.get("content-length", "0")
        if "transfer-encoding" in fields or not length.isdecimal() or int(length) > BODY_BYTES:
            self.close_connection = True
        else:
            self.rfile.read(int(length))

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        self.send_header("Date", formatdate(usegmt=True))
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.fields:
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.status != 304:
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        for part in _chunks(reply.body) if reply.chunked else (reply.body,):
            self.wfile.write(part)


def _unless_held(reply: Reply, held: str | None) -> Reply:
    """304 where the client has this answer already (RFC 9110 section 13.1.2)."""
    etag = dict(reply.fields).get("ETag")
    if reply.status != 200 or held is None or etag != held:
        return reply
    return Reply(304, b"", reply.content_type, reply.fields)


def _chunks(body: bytes, size: int = 4096) -> list[bytes]:
    """RFC 9112 section 7.1."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b"")]


def _host_name(field: str) -> str:
    """`Pictures.News.Example:80` → `pictures.news.example`; brackets of IPv6 stay."""
    host = field.strip().lower()
    head, colon, port = host.rpartition(":")
    return head if colon and port.isdigit() else host
