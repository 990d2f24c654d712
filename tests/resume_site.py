"""A small world for runs that are stopped: many hosts on one port of loopback, every request in a log.

What a picture's URL answers is said by its first path segment:

    counted   other bytes at each request          same    one picture under many URLs
    tagged    one picture, with an ETag            moved   302 to another host
    busy      503 with Retry-After at first        cut     no answer, ever
    gone      404                                  shy     403 to whoever names a Referer
    slow      half a page or feed, the rest later  late    404 until `mended`, then a picture
"""

import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from wire_server import Asked, Step, WireServer

NEWS = ("alpha.example", "beta.example", "gamma.example")
PICTURES = "pictures.example"
PROXY = "http://images.weserv.nl/?url="
FEED = "http://alpha.example/feed.xml"
REPEATED = ("busy", "cut", "gone", "late", "shy")  # asked for more than once in one run
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><title>{}</title></svg>'
SAME = SVG.format("渡轮 " * 200)  # longer than what a revisit is worth


def page_url(number: int) -> str:
    return f"http://{NEWS[number % len(NEWS)]}/page/{number}.html"


def picture_urls(number: int) -> list[str]:
    """Each page has pictures of its own, so that no URL is asked for by two of them."""
    kinds = ["counted", "same", "tagged", "moved", *(["gone"] if number % 4 == 0 else [])]
    kinds += {1: ["busy"], 2: ["cut"], 3: ["shy"], 5: ["late"]}.get(number, [])
    own = f"http://{NEWS[number % len(NEWS)]}"
    return [f"{own if kind == 'counted' else f'http://{PICTURES}'}/{kind}/{number}.svg" for kind in kinds]


def html(title: str, pictures: list[str]) -> str:
    images = "".join(f'<p><img src="{url}" alt="{title}"></p>' for url in pictures)
    words = "<p>渡轮今天从码头启航，船上有一百名乘客，天气很好。</p>" * 3
    article = f"<article><h1>{title}</h1>{words}{images}</article>"
    return f"<html><head><title>{title}</title></head><body>{article}</body></html>"


def mirror_document(number: int) -> str:
    url = f"http://{NEWS[number % len(NEWS)]}/mirrored/{number}.html"
    picture = f"{PROXY}{PICTURES}/counted/mirrored-{number}.svg"
    head = f"<!--1699468744000-->\n[第 {number} 艘渡轮]({url})\n------\n\n"
    return f'{head}<div><p>启航。</p><img src="{picture}"></div>\n'


class Site(WireServer):
    """A context manager. `asked` has every request in the order in which they came."""

    def __init__(self, items: int = 3, pause: float = 1.0, *, quick: bool = False) -> None:
        """`quick`: without the pauses that keep hosts from answering in step."""
        super().__init__(self._steps)
        self._quick = quick
        self.items, self.pause_seconds = items, pause  # seconds
        self.mended = False
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def flags(self) -> list[str]:
        """What leads every host here."""
        return ["--connect-to", f"::127.0.0.1:{self.port}"]

    def log(self, since: int = 0) -> list[str]:
        """The URLs that were asked for, from the `since`-th request on."""
        return [url_of(asked) for asked in self.asked[since:]]

    def settle(self) -> None:
        """Wait until the last requests of a client that is gone have come."""
        count = -1
        while count != len(self.asked):
            count = len(self.asked)
            time.sleep(0.05)

    def _steps(self, asked: Asked) -> Iterator[Step]:
        url = urlsplit(url_of(asked))
        with self._lock:
            self._counts[url.geturl()] += 1
            count = self._counts[url.geturl()]
        if not self._quick:
            yield zlib.crc32(url.path.encode()) % 20 / 1000  # no two hosts keep the same time
        kind, _, name = url.path[1:].partition("/")
        if kind in ("feed.xml", "item", "mirrored", "page", "slow"):
            yield from self._text(kind, name, count)
        else:
            yield self._picture(kind, name, count, asked.head.lower())

    def _text(self, kind: str, name: str, count: int) -> Iterator[Step]:
        """Pages and what names them."""
        pictures = picture_urls(int(name.partition(".")[0])) if kind == "page" else []
        if kind == "slow":
            pictures = [f"http://{PICTURES}/counted/slow-{name}.svg"]
        whole = answer(html(f"{name} {count}", pictures), "text/html; charset=utf-8")
        if kind == "feed.xml":
            yield answer(self._feed(count), "application/rss+xml")
        elif kind == "slow":
            if name.endswith(".xml"):
                whole = answer(self._feed(count), "application/rss+xml")
            yield whole[: len(whole) // 2]
            yield float(self.pause_seconds)
            yield whole[len(whole) // 2 :]
        else:
            yield whole

    def _picture(self, kind: str, name: str, count: int, head: bytes) -> Step:
        moved = f"Location: http://cdn.example/counted/moved-{name}\r\n"
        found = {
            "": answer(SVG.format(f"{count} {name}")),  # without a path: the image proxy
            "counted": answer(SVG.format(f"{count} {name}")),
            "same": answer(SAME),
            "tagged": answer(SVG.format(name * 100), extra='ETag: "1"\r\n'),
            "moved": answer("", status="302 Found", extra=moved),
            "cut": "close",
            "shy": answer(SVG.format(count)),
            "busy": answer(SVG.format(count)),
        }
        if kind == "tagged" and b'if-none-match: "1"' in head:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
        if kind == "busy" and count == 1:
            return answer("busy", status="503 Service Unavailable", extra="Retry-After: 1\r\n")
        if kind == "shy" and b"\r\nreferer:" in head:
            return answer("no", status="403 Forbidden")
        if kind == "late" and self.mended:
            return answer(SVG.format("mended"))
        if kind == "robots.txt" and b"gamma.example" in head:
            return answer("User-agent: *\nDisallow: /private/\n", "text/plain")
        return found.get(kind) or answer("not here", "text/plain", "404 Not Found")

    def _feed(self, count: int) -> str:
        items = "".join(
            f"<item><title>Item {number}</title><link>http://beta.example/item/{number}.html</link>"
            f'<description>&lt;img src="http://{PICTURES}/counted/item-{number}.svg"></description></item>'
            for number in range(self.items)
        )
        return f'<rss version="2.0"><channel><title>Feed {count}</title>{items}</channel></rss>'


def answer(body: str, kind: str = "image/svg+xml", status: str = "200 OK", extra: str = "") -> bytes:
    data = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
    return head.encode() + data


def url_of(asked: Asked) -> str:
    """The URL that a request asked for: its Host field and its target."""
    fields = asked.head.decode("latin-1").split("\r\n")
    host = next(line[5:].strip() for line in fields if line.lower().startswith("host:"))
    return f"http://{host}{asked.path}"


def sources(folder: Path, pages: int, documents: int = 2) -> list[str]:
    """A list of pages, a folder of mirror documents and a feed, as a person names them."""
    mirror = folder / "mirror"
    mirror.mkdir(parents=True)
    for number in range(documents):
        (mirror / f"{number}.txt").write_text(mirror_document(number), encoding="utf-8")
    listed = folder / "list.txt"
    listed.write_text("".join(f"{page_url(number)}\n" for number in range(pages)), encoding="utf-8")
    return [str(listed), str(mirror), FEED]
