"""Servers that do everything wrong, each behaviour under a host name of its own, all on loopback."""

import contextlib
import gzip
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Self

import trustme
from torture_bodies import article, pages, pictures, zipped_zeros
from wire_server import Asked, Step, WireServer, endless, server_context

DOMAIN = "torture.example"
BOMB = 300 << 20
PAGE = article(b"")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Steps = Iterable[Step] | Callable[[], Iterable[Step]]
CUT, SLOW, SILENT = "closed the connection too early", "slower than", "nothing came for"
BROKE, LONG, FULL, NO_HTTP = (
    "the connection broke",
    "too long",
    "stopped at the limit of",
    "not an HTTP/1 answer",
)


@dataclass(frozen=True)
class Behaviour:
    """What a server sends, and what must come of its URL: outcome, and words of stage and reason.

    `robots` is what it sends for /robots.txt, `paths` for further paths.
    """

    steps: Steps
    outcome: str = "whole"
    words: str = ""
    robots: Steps = (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",)
    path: str = "/"
    scheme: str = "http"
    server: str = "plain"


def sized(body: bytes, *lines: bytes, start: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((start, *lines, b"Content-Length: %d" % len(body), b"", b"")) + body


def html(*lines: bytes, body: bytes = PAGE, start: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return sized(body, b"Content-Type: text/html", *lines, start=start)


def whole(*steps: Step, **rest: Any) -> Behaviour:
    return Behaviour(steps, **rest)


def partial(words: str, *steps: Step) -> Behaviour:
    return Behaviour(steps, "partial", words)


def failed(words: str, *steps: Step, **rest: Any) -> Behaviour:
    return Behaviour(steps, "failed", words, **rest)


def refused(status: int, *lines: bytes, words: str = "") -> Behaviour:
    answer = html(*lines, start=b"HTTP/1.1 %d No" % status)
    return Behaviour((answer,), "refused", words or f"status {status}")


def moved(location: bytes) -> bytes:
    return html(b"Location: " + location, start=b"HTTP/1.1 302 Found")


def leads(words: str, location: bytes) -> Behaviour:
    return failed(words, moved(location))


def ruled(steps: Steps, outcome: str = "whole", words: str = "") -> Behaviour:
    return Behaviour((html(),), outcome, words, robots=steps)


def without_end(
    words: str, piece: bytes, first: bytes, outcome: str = "partial", pause: float = 0.0
) -> Behaviour:
    return Behaviour(endless(piece, first, pause), outcome, words)


HEADS = {
    "endless-fields": without_end(LONG, b"A: b\r\n" * 500, HEAD),
    "endless-field": without_end(LONG, b"x" * 4096, HEAD + b"A: "),
    "field-of-10-mb": partial(LONG, HEAD + b"A: " + b"x" * (10 << 20) + b"\r\n\r\n"),
    "endless-folds": without_end(LONG, b" x\r\n" * 500, HEAD + b"A: b\r\n"),
    "slow-status-line": without_end(SLOW, b"1", b"HTTP/1.", "failed", 0.1),
    "slow-fields": without_end(SLOW, b"A: b\r\n", HEAD, pause=0.2),
    "byte-by-byte": whole(*(html()[at : at + 1] for at in range(len(html())))),
    "endless-continues": without_end(LONG, CONTINUE * 200, b"", "failed"),
    "slow-continues": without_end(FULL, CONTINUE, b"", "failed", 0.1),
    "endless-newlines": without_end(NO_HTTP, b"\r\n" * 2000, b"", "failed"),
    "cookies": whole(html(*(b"Set-Cookie: c%d=%d; Path=/" % (n, n) for n in range(6000)))),
    "fields-of-nothing": whole(html(*[b":"] * 50_000)),
    "nuls": whole(html(b"X\0Y: \0\0", b"\0")),
    "control-bytes": whole(html(b"X: \x1b[2J\x07\x7f\xff\xfe", b"\xe2\x80\xae: x")),
    "no-ascii": whole(html("新闻: 图片".encode(), b"X: \xff\xfe")),
    "ssh": failed(NO_HTTP, b"SSH-2.0-OpenSSH_9.6\r\n", "hold"),
    "http-0.9": failed(NO_HTTP, PAGE, "close"),
    "http-2": failed(NO_HTTP, b"\0\0\x12\4\0\0\0\0\0" + bytes(18), "hold"),
    "status-999": refused(999),
    "status-000": failed(NO_HTTP, html(start=b"HTTP/1.1 000 No")),
    "status-2000": failed(NO_HTTP, html(start=b"HTTP/1.1 2000 OK")),
    "status-of-words": failed(NO_HTTP, html(start=b"HTTP/1.1 OK")),
    "newline-first": failed(NO_HTTP, b"\r\n" + html()),
    "silent": failed(SILENT, "hold"),
    "silent-in-head": partial(SILENT, HEAD, "hold"),
}

LENGTHS = {
    "shorter-than-said": partial(CUT, HEAD + b"Content-Length: 9999\r\n\r\n" + PAGE, "close"),
    "longer-than-said": whole(html() + b"x" * 5000),
    "much-longer-than-said": Behaviour(endless(b"x" * 4096, html())),
    "two-lengths": partial("different values", html(b"Content-Length: 3"), "close"),
    "5,000-lengths": partial(
        "different values", html(*(b"Content-Length: %d" % n for n in range(5000))), "close"
    ),
    "negative-length": whole(HEAD + b"Content-Length: -5\r\n\r\n" + PAGE, "close"),
    "signed-length": whole(HEAD + b"Content-Length: +5\r\n\r\n" + PAGE, "close"),
    "huge-length": partial(CUT, HEAD + b"Content-Length: 99999999999999999\r\n\r\n" + PAGE, "close"),
    "absurd-length": whole(HEAD + b"Content-Length: 1" + b"0" * 5000 + b"\r\n\r\n" + PAGE, "close"),
    "arabic-length": whole(HEAD + "Content-Length: ٤٢\r\n\r\n".encode() + PAGE, "close"),
    "length-and-chunks": whole(html(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n")),
}

CHUNKS = {
    "endless-chunks": without_end(FULL, b"1\r\nx\r\n" * 500, CHUNKED),
    "slow-chunks": without_end(SLOW, b"1\r\nx\r\n", CHUNKED, pause=0.2),
    "huge-chunk": partial(CUT, CHUNKED + b"7ffffffffffffff\r\n" + PAGE, "close"),
    "absurd-chunk": partial("not the size of a chunk", CHUNKED + b"f" * 40 + b"\r\n" + PAGE, "close"),
    "negative-chunk": partial("not the size of a chunk", CHUNKED + b"-5\r\nabcde\r\n", "close"),
    "arabic-chunk": partial("not the size of a chunk", CHUNKED + "٣\r\nabc\r\n".encode(), "close"),
    "endless-extension": without_end(FULL, b"x" * 4096, CHUNKED + b"3;"),
    "long-extensions": without_end(FULL, b"1;" + b"x" * 8000 + b"\r\nx\r\n", CHUNKED),
    "chunk-too-long": partial("longer than its size", CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", "close"),
    "endless-trailers": without_end(LONG, b"A: b\r\n" * 500, CHUNKED + b"0\r\n"),
    "endless-trailer": without_end(LONG, b"x" * 4096, CHUNKED + b"0\r\nA: "),
    "chunk-never-ends": partial(SILENT, CHUNKED + b"ffff\r\nabc", "hold"),
}

BODIES = {
    "endless-body": without_end(FULL, b"x" * 4096, HEAD + b"\r\n"),
    "slow-body": without_end(SLOW, b"x", HEAD + b"\r\n", pause=0.1),
    "silent-in-body": partial(SILENT, HEAD + b"\r\n" + PAGE, "hold"),
    "gzip-bomb": Behaviour(lambda: [html(b"Content-Encoding: gzip", body=zipped_zeros(BOMB, twice=False))]),
    "gzip-bomb-in-gzip": Behaviour(
        lambda: [html(b"Content-Encoding: gzip, gzip", body=zipped_zeros(BOMB, twice=True))]
    ),
    "gzip-broken": whole(
        html(b"Content-Encoding: gzip", body=gzip.compress(PAGE * 9, mtime=0)[:40] + bytes(90))
    ),
    "gzip-that-is-none": whole(html(b"Content-Encoding: gzip")),
    "gzip-99-times": whole(html(b"Content-Encoding: " + b"gzip, " * 99)),
    "deflate-of-nothing": whole(html(b"Content-Encoding: deflate", body=b"\x78\x9c")),
    "unknown-coding": whole(html(b"Content-Encoding: " + b"x" * 9000)),
    "endless-redirect": without_end(
        "which is not http", b"x" * 4096, b"HTTP/1.1 302 Found\r\nLocation: ftp://x.example/\r\n\r\n"
    ),
}

ENDS = {
    "reset": failed(BROKE, "reset"),
    "reset-in-status-line": failed(BROKE, b"HTTP/1.", "reset"),
    "reset-in-head": partial(BROKE, HEAD, "reset"),
    "reset-after-head": partial(BROKE, HEAD + b"Content-Length: 9999\r\n\r\n", "reset"),
    "reset-in-body": partial(BROKE, HEAD + b"Content-Length: 9999\r\n\r\n" + PAGE, "reset"),
    "reset-without-length": partial(BROKE, HEAD + b"\r\n" + PAGE, "reset"),
    "reset-in-chunk": partial(BROKE, CHUNKED + b"fff\r\nabc", "reset"),
    "reset-in-trailer": partial(BROKE, CHUNKED + b"0\r\nA: b", "reset"),
    "reset-after-continue": failed(BROKE, CONTINUE, "reset"),
    "closed": failed(CUT, "close"),
}

REDIRECTS = {
    "to-itself": leads("in a circle", b"/"),
    "to-its-loop": leads("in a circle", b"//loop." + DOMAIN.encode() + b"/"),
    "loop": leads("in a circle", b"//to-its-loop." + DOMAIN.encode() + b"/"),
    "to-file": leads("which is not http", b"file:///etc/passwd"),
    "to-data": leads("which is not http", b"data:text/html,hello"),
    "to-script": leads("which is not http", b"javascript:alert(1)"),
    "to-gopher": leads("which is not http", b"gopher://127.0.0.1:70/x"),
    "to-loopback": leads("not public", b"http://127.0.0.1:6379/"),
    "to-mapped-loopback": leads("not public", b"http://[::ffff:7f00:1]/"),
    "to-decimal-loopback": leads("not public", b"http://2130706433/"),
    "to-metadata": leads("not public", b"http://169.254.169.254/latest/meta-data/"),
    "to-ssh": leads("port 22", b"//to-ssh." + DOMAIN.encode() + b":22/"),
    "to-a-password": leads("user name or password", b"http://user:secret@loop." + DOMAIN.encode() + b"/"),
    "to-a-long-url": leads("characters", b"/" + b"x" * 200_000),
    "to-a-long-host": leads("redirect", b"http://" + b"x" * 70_000 + b"/"),
    "to-no-url": leads("which is no URL", b"http://[::1"),
    "to-nuls": leads("no URL", b"http://a\0b.example/"),
    "to-no-utf-8": leads("in a circle", b"/\xff\xfe"),
    "to-nothing": refused(302, b"Location:"),
    "twice": leads("in a circle", b"/\r\nLocation: http://127.0.0.1/"),
}

STATUSES = {
    "304-unasked": refused(304),
    "206-unasked": Behaviour(
        (html(b"Content-Range: bytes 0-99/9999", start=b"HTTP/1.1 206 Part"),), "partial", "206"
    ),
    "401": refused(401, b"WWW-Authenticate: Basic realm=x"),
    "407": refused(407, b"Proxy-Authenticate: Basic realm=x"),
    "429-for-ever": refused(429, b"Retry-After: 9999999999", words="left for the next run"),
    "429-negative": refused(429, b"Retry-After: -5"),
    "429-absurd": refused(429, b"Retry-After: 1" + b"0" * 30),
    "429-of-digits": refused(429, b"Retry-After: " + b"9" * 50_000),
    "503-until-9999": refused(
        503, b"Retry-After: Fri, 31 Dec 9999 23:59:59 -2359", words="left for the next run"
    ),
    "503-of-yesterday": refused(503, b"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"),
    "503-of-words": refused(503, b"Retry-After: " + b"soon, " * 5000),
    "101": refused(101, b"Upgrade: x", b"Connection: upgrade"),
    "418": refused(418),
}

ROBOTS = {
    "robots-endless": ruled(endless(b"Disallow: /private\n" * 99, b"HTTP/1.1 200 OK\r\n\r\n")),
    "robots-of-10-mb": ruled((sized(b"User-agent: a\nDisallow: /\n" * 400_000),)),
    "robots-of-stars": ruled((sized(b"User-agent: *\n" + (b"Disallow: /" + b"*a" * 900 + b"$\n") * 250),)),
    "robots-of-agents": ruled(
        (sized(b"User-agent: a\n" * 20_000 + b"User-agent: *\nDisallow: /x\n" * 9000),)
    ),
    "robots-in-a-circle": ruled((moved(b"/robots.txt"),)),
    "robots-elsewhere": ruled((moved(b"http://127.0.0.1/robots.txt"),), "failed", "not public"),
    "robots-a-picture": ruled(lambda: [sized(pictures()["whole"][1])]),
    "robots-a-bomb": ruled(lambda: [sized(zipped_zeros(BOMB, twice=False), b"Content-Encoding: gzip")]),
    "robots-of-delay": ruled((sized(b"User-agent: *\nCrawl-delay: 1e308\n"),)),
    "robots-forbids": ruled((sized(b"User-agent: *\nDisallow: /\n"),), "skipped", "robots"),
    "robots-500": ruled((sized(b"", start=b"HTTP/1.1 500 No"),), "skipped", "status 500"),
    "robots-silent": ruled(("hold",), "failed", "robots.txt could not be asked for"),
    "robots-reset": ruled(("reset",), "failed", "robots.txt could not be asked for"),
}

CONNECTIONS = {
    "plain-port": failed("tls", scheme="https", server="deaf"),
    "tls-port": failed("response", server="secured"),
    "tls-whole": whole(html(), scheme="https", server="secured"),
    "tls-cut": Behaviour((HEAD + b"\r\n" + PAGE, "drop"), "partial", BROKE, scheme="https", server="secured"),
    "tls-wrong-name": failed("certificate is not accepted", scheme="https", server="misnamed"),
    "tls-expired": failed("certificate is not accepted", scheme="https", server="expired"),
    "tls-garbage": failed("tls", scheme="https", server="garbage"),
    "tls-slow": failed("tls", scheme="https", server="dripping"),
    "tls-reset": failed("tls", scheme="https", server="resetting"),
    "garbage": failed(NO_HTTP, server="garbage"),
    "reset-at-once": failed("robots.txt could not be asked for", server="resetting"),
    "never-answers": failed(SILENT, server="deaf"),
    "nobody-there": failed("connect", server="nobody"),
}

BEHAVIOURS: dict[str, Behaviour] = {
    **HEADS, **LENGTHS, **CHUNKS, **BODIES, **ENDS, **REDIRECTS, **STATUSES, **ROBOTS, **CONNECTIONS,
    "deep": Behaviour((), "failed", "more than 10 redirects", path="/0"),
    "growing": Behaviour((), "failed", "more than 10 redirects", path="/?"),
}  # fmt: skip


@cache
def behaviours() -> dict[str, Behaviour]:
    """All of them, by the first part of the host's name."""
    sent = {name: sized(body, b"Content-Type: " + kind) for name, (kind, body) in pages().items()}
    return BEHAVIOURS | {f"page-{name}": whole(message) for name, message in sent.items()}


def answer(asked: Asked) -> Iterable[Step]:
    name = asked.head.lower().partition(b"\r\nhost: ")[2].partition(b"." + DOMAIN.encode())[0].decode()
    found = behaviours().get(name)
    if asked.path == "/robots.txt":
        steps = found.robots if found else Behaviour.robots
    elif name == "pictures":
        kind, body = pictures().get(asked.path[1:], (b"text/html", gallery()))
        steps = (sized(body, b"Content-Type: " + kind),)
    elif name == "stops-after":
        steps = (html()[: int(asked.path[1:])], "close")
    elif name == "deep":
        steps = (moved(b"/%d" % (int(asked.path[1:]) + 1)),)
    elif name == "growing":
        steps = (moved(asked.path.encode() + b"x" * 500),)
    else:
        steps = found.steps if found else ("close",)
    return steps() if callable(steps) else steps


def gallery() -> bytes:
    """A page whose article shows all pictures."""
    return article(b"".join(b'<p>Text.</p><img src="/%b" alt="x">' % name.encode() for name in pictures()))


class Torture:
    """All the servers, for as long as the context lasts. `options` lead every host to its server."""

    def __init__(self, authority: trustme.CA) -> None:
        for twice in (False, True):  # before anybody waits for them
            zipped_zeros(BOMB, twice=twice)
        pictures()
        secured = server_context(authority, f"*.{DOMAIN}")
        expired = server_context(authority, f"*.{DOMAIN}")
        authority.issue_cert(f"*.{DOMAIN}", not_after=datetime.now(UTC) - timedelta(days=1)).configure_cert(
            expired
        )
        drips = endless(b"\0", b"\x16\x03\x03\x40\0", 0.1)
        self.servers = {
            "plain": WireServer(answer),
            "secured": WireServer(answer, secured),
            "misnamed": WireServer(answer, server_context(authority, "other.example")),
            "expired": WireServer(answer, expired),
            "garbage": WireServer(answer, greet=endless(b"\xa5\x5a" * 999)),
            "dripping": WireServer(answer, greet=drips),
            "resetting": WireServer(answer, greet=lambda: ["reset"]),
        }
        self._stack = contextlib.ExitStack()
        self._ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            for name, server in self.servers.items():
                self._ports[name] = stack.enter_context(server).port
            deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # takes nothing up
            closed = socket.create_server(("127.0.0.1", 0))
            self._ports |= {"deaf": deaf.getsockname()[1], "nobody": closed.getsockname()[1]}
            closed.close()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def urls(self) -> dict[str, Behaviour]:
        """Every URL to be given, and what it does."""
        named = {f"{b.scheme}://{name}.{DOMAIN}{b.path}": b for name, b in behaviours().items()}
        message = html()
        for sent in range(len(message) + 1):
            begun = sent >= len(b"HTTP/1.1 200")
            outcome = "whole" if sent == len(message) else "partial" if begun else "failed"
            url = f"http://stops-after.{DOMAIN}/{sent}"
            named[url] = Behaviour((), outcome, "" if sent == len(message) else CUT)
        return named | {f"http://pictures.{DOMAIN}/": Behaviour(())}

    @property
    def options(self) -> Iterator[str]:
        hosts = {f"{name}.{DOMAIN}": behaviour.server for name, behaviour in behaviours().items()}
        for host, server in (
            hosts | {f"{name}.{DOMAIN}": "plain" for name in ("pictures", "stops-after")}
        ).items():
            port = 443 if behaviours().get(host.partition(".")[0], Behaviour(())).scheme == "https" else 80
            yield from ("--connect-to", f"{host}:{port}:127.0.0.1:{self._ports[server]}")
