"""A server that sends exactly the bytes it is told to, over TCP or TLS on loopback."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import trustme

# Bytes are sent, a number is a pause in seconds, and the words end the connection: `close` in order
# (with TLS's close_notify), `drop` without it, `reset` by RST, `hold` when the client goes away.
Step = bytes | float | str


@dataclass
class Asked:
    """One request as it came, and where: the how-manieth of which connection, both from 0."""

    head: bytes
    connection: int
    number: int

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode("latin-1")


Answer = Callable[[Asked], Iterable[Step]]


class WireServer:
    """Answers each request with the steps that `answer` gives for it. A context manager.

    `greet` are steps before anything is asked, below TLS.
    """

    def __init__(
        self,
        answer: Answer,
        context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        greet: Callable[[], Iterable[Step]] = tuple,
    ) -> None:
        self._answer, self._context, self._greet = answer, context, greet
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.host = host
        self.asked: list[Asked] = []
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for conn in list(self._open):
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def pause(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(conn, self.connections))
            self.connections += 1
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket, connection: int) -> None:
        conn = plain
        self._open.add(plain)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._perform(plain, self._greet()):
                return
            if self._context is not None:
                conn = self._context.wrap_socket(plain, server_side=True)
                self._open.add(conn)
            number = 0
            while head := read_head(conn):
                asked = Asked(head, connection, number)
                self.asked.append(asked)
                number += 1
                if not self._perform(conn, self._answer(asked)):
                    return
        except OSError:
            return
        finally:
            self._open -= {plain, conn}
            conn.close()

    def _perform(self, conn: socket.socket, steps: Iterable[Step]) -> bool:
        for step in steps:
            if self._closing.is_set():
                return False
            if isinstance(step, bytes):
                conn.sendall(step)
            elif isinstance(step, float):
                self.pause(step)
            else:
                end(conn, step)
                return False
        return True


def end(conn: socket.socket, how: str) -> None:
    if how == "reset":
        time.sleep(0.05)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif how == "hold":
        while conn.recv(1024):
            pass
    elif how == "close" and isinstance(conn, ssl.SSLSocket):
        conn.settimeout(1)
        with contextlib.suppress(OSError):
            conn.unwrap().close()
    conn.close()


def read_head(conn: socket.socket) -> bytes:
    """A request's head, and nothing beyond; b"" when the connection ended before.

    Looked at before it is taken, but of TLS, which can only be taken byte by byte: that costs very much more.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        size = 1
        if not isinstance(conn, ssl.SSLSocket):
            seen = head + conn.recv(1 << 16, socket.MSG_PEEK)
            end = seen.find(b"\r\n\r\n")
            size = (len(seen) if end < 0 else end + 4) - len(head)
        if not (part := conn.recv(size or 1)):
            return b""
        head += part
    return head


def endless(piece: bytes, first: bytes = b"", pause: float = 0.0) -> Callable[[], Iterator[Step]]:
    def steps() -> Iterator[Step]:
        yield first
        while True:
            yield piece
            if pause:
                yield pause

    return steps


class _Relay:
    """Listens on loopback and handles each connection in a thread. The base of the small proxies."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._open: set[socket.socket] = set()
        self.context: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for conn in list(self._open):
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._guarded, args=(conn,))
            self._threads.append(thread)
            thread.start()

    def _guarded(self, conn: socket.socket) -> None:
        self._open.add(conn)
        with conn, contextlib.suppress(OSError):
            if self.context is None:
                self.serve(conn)
            else:
                with self.context.wrap_socket(conn, server_side=True) as secured:
                    self._open.add(secured)
                    self.serve(secured)

    def serve(self, conn: socket.socket) -> None:
        raise NotImplementedError

    def join(self, left: socket.socket, right: socket.socket) -> None:
        """Carry bytes both ways until one side ends."""
        self._open.add(right)

        def carry(source: socket.socket, sink: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)
            for side in (source, sink):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

        back = threading.Thread(target=carry, args=(right, left))
        back.start()
        carry(left, right)
        back.join(10)
        right.close()


class HttpProxy(_Relay):
    """CONNECT, and absolute-form for http. Every host leads to `port_for[host]` on loopback."""

    def __init__(self, port_for: dict[str, int], refuse: bytes = b"", greeting: bytes = b"") -> None:
        super().__init__()
        self.heads: list[bytes] = []
        self._port_for, self._refuse, self._greeting = port_for, refuse, greeting

    def serve(self, conn: socket.socket) -> None:
        head = read_head(conn)
        if not head:
            return
        self.heads.append(head)
        if self._refuse:
            conn.sendall(self._refuse)
            return
        method, place, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            host = place.rpartition(b":")[0].decode()
            right = socket.create_connection(("127.0.0.1", self._port_for[host]))
            conn.sendall(self._greeting or b"HTTP/1.1 200 Connection established\r\nVia: 1.1 small\r\n\r\n")
        else:
            host = place.split(b"/")[2].decode()
            right = socket.create_connection(("127.0.0.1", self._port_for[host]))
            right.sendall(head.replace(b"http://" + host.encode(), b"", 1))
        self.join(conn, right)


class SocksProxy(_Relay):
    """SOCKS5 (RFC 1928, 1929). `asked` are the destinations as they were named."""

    def __init__(self, port_for: dict[str, int], login: tuple[bytes, bytes] | None = None) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []
        self._port_for, self._login = port_for, login

    def serve(self, conn: socket.socket) -> None:
        def take(size: int) -> bytes:
            data = b""
            while len(data) < size:
                data += conn.recv(size - len(data)) or b"\0" * size
            return data

        _, count = take(2)
        take(count)
        conn.sendall(b"\x05\x02" if self._login else b"\x05\x00")
        if self._login:
            user = take(take(2)[1])
            password = take(take(1)[0])
            conn.sendall(b"\x01\x00" if (user, password) == self._login else b"\x01\x01")
            if (user, password) != self._login:
                return
        kind = take(4)[3]
        if kind == 3:
            host = take(take(1)[0]).decode()
        else:
            host = socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6, take(4 if kind == 1 else 16)
            )
        port = int.from_bytes(take(2), "big")
        self.asked.append((host, port))
        if host not in self._port_for:
            conn.sendall(b"\x05\x04\x00\x01" + bytes(6))
            return
        right = socket.create_connection(("127.0.0.1", self._port_for[host]))
        conn.sendall(b"\x05\x00\x00\x01" + bytes(6))
        self.join(conn, right)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
