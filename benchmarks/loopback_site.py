"""A news site of several hosts on loopback, in a process of its own, so that its CPU time is not counted.

HTTP/1.1 with keep-alive. Of ten URLs three are articles (HTML, 10 to 60 kB) and seven their pictures (JPEG,
20 to 150 kB), spread over all hosts; `/small/N.html` are articles of 1 to 2 kB without pictures. No two
bodies are the same. Run as a program it prints its hosts, and serves until its standard input is closed.
"""

import argparse
import asyncio
import io
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image

HOSTS = 8
PAGES, PICTURES = 3, 7  # of ten URLs
SIDES = range(350, 1_151, 50)  # widths that give JPEGs of 20 to 150 kB
WORDS = (
    *("harbour", "ferry", "library", "council", "opened", "the", "new", "in", "spring", "of", "city", "year"),
    *("渡轮", "图书馆", "港口", "记者", "报道"),
)
TYPES = {"article": "text/html; charset=utf-8", "small": "text/html; charset=utf-8", "picture": "image/jpeg"}


@dataclass(frozen=True)
class Site:
    """The URLs of the site; `netlocs` are its hosts with their ports."""

    netlocs: list[str]

    def url(self, kind: str, number: int) -> str:
        suffix = "jpg" if kind == "picture" else "html"
        return f"http://{self.netlocs[number % len(self.netlocs)]}/{kind}/{number}.{suffix}"

    def articles(self, urls: int) -> list[str]:
        """The articles that have, with their pictures, so many URLs: a multiple of ten."""
        return [self.url("article", number) for number in range(urls * PAGES // 10)]

    def everything(self, urls: int) -> list[str]:
        """Articles and pictures, host by host: so each tool can use its connections again."""
        pictures = [self.url("picture", number) for number in range(urls * PICTURES // 10)]
        return sorted(self.articles(urls) + pictures, key=lambda url: url.split("/")[2])

    def pictures_of(self, article: int) -> list[str]:
        first, end = (number * PICTURES // PAGES for number in (article, article + 1))
        return [self.url("picture", number) for number in range(first, end)]


@contextmanager
def serving(latency_ms: int = 0) -> Iterator[Site]:
    """The site while it is served; it waits so long before each answer."""
    command = [sys.executable, __file__, "--latency", str(latency_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdin is None or server.stdout is None:
            sys.exit("the site has no pipes")
        try:
            yield Site(json.loads(server.stdout.readline()))
        finally:
            server.stdin.close()


# --- the server's process ------------------------------------------------------------------------


def photograph(source: np.random.Generator, width: int) -> bytes:
    """A JPEG that compresses and decodes like a photograph: large soft shapes with a little grain."""
    height = width * 2 // 3
    shapes = Image.fromarray(source.integers(0, 256, (24, 36, 3), dtype=np.uint8))
    soft = np.asarray(shapes.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = source.normal(0, 5, (height, width, 1)).astype(np.int16)
    out = io.BytesIO()
    Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=80)
    return out.getvalue()


def paragraphs(source: random.Random, size: int) -> str:
    """Paragraphs of about so many bytes."""
    text = ""
    while len(text.encode()) < size:
        text += f"<p>{' '.join(source.choices(WORDS, k=60)).capitalize()}.</p>\n"
    return text


def surroundings(source: random.Random, size: int) -> str:
    """What stands about an article, in about so many bytes: a menu, a script, teasers."""
    links = [
        f'<li><a href="/section/{number}">{" ".join(source.choices(WORDS, k=8))}</a></li>\n'
        for number in range(size // 200)
    ]
    data = json.dumps({"state": source.choices(WORDS, k=size // 22)})
    return f"<script>var page = {data};</script>\n<nav><ul>{''.join(links)}</ul></nav>\n"


class Bodies:
    """The bodies by kind and number: few models, each made its own by the number in it."""

    def __init__(self, site: Site) -> None:
        shapes, words = np.random.default_rng(2026), random.Random(2026)
        self._site = site
        self._photographs = [photograph(shapes, width) for width in SIDES]
        self._texts = [paragraphs(words, size) for size in range(3_000, 9_001, 500)]
        self._around = [surroundings(words, size) for size in range(7_000, 50_001, 4_000)]
        self._shorts = [paragraphs(words, size) for size in range(800, 1_501, 100)]

    def body(self, kind: str, number: int) -> bytes:
        if kind == "picture":
            photo = self._photographs[number % len(self._photographs)]
            comment = b"picture %012d" % number
            return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]
        head = f"<!doctype html><html lang=en><title>Article {number}</title>\n"
        if kind == "small":
            text = self._shorts[number % len(self._shorts)]
            return f"{head}<article><h1>Article {number}</h1>\n{text}</article></html>\n".encode()
        figures = "".join(f'<figure><img src="{url}"></figure>\n' for url in self._site.pictures_of(number))
        text, around = self._texts[number % len(self._texts)], self._around[number % len(self._around)]
        article = f"<article><h1>Article {number}</h1>\n{figures}{text}</article>"
        return f"{head}<body>{around}{article}</body></html>\n".encode()

    def answer(self, path: str) -> bytes:
        """A whole answer; 404 for all that is not of the site."""
        kind, _, name = path.strip("/").partition("/")
        number = name.partition(".")[0]
        if kind not in TYPES or not number.isdecimal():
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        body = self.body(kind, int(number))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {TYPES[kind]}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


async def serve(latency: float) -> None:
    """Serve until standard input ends. In Linux 127.0.0.2 and the next are loopback without being set up."""

    async def talk(requests: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """One connection; what a benchmark's client sends are heads, one after the other's answer."""
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(answers):
            while True:
                head = await requests.readuntil(b"\r\n\r\n")
                await asyncio.sleep(latency)
                answers.write(bodies.answer(head.split(b" ", 2)[1].decode("latin-1")))
                await answers.drain()
                if b"connection: close" in head.lower():
                    return

    servers = [
        await asyncio.start_server(talk, f"127.0.0.{last}", 0, backlog=512) for last in range(1, HOSTS + 1)
    ]
    netlocs = ["{}:{}".format(*server.sockets[0].getsockname()) for server in servers]
    bodies = Bodies(Site(netlocs))
    print(json.dumps(netlocs), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds before each answer")
    asyncio.run(serve(parser.parse_args().latency / 1000))
