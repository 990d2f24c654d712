"""A site whose answers come again: framed otherwise, under other names, confirmed by 304, or cut short."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from commands import archiver, records
from mirrored import gzip_members
from wire_server import Asked, Step, WireServer

HOSTS = ("a.example", "b.example", "c.example")
HTML = "Content-Type: text/html; charset=utf-8"
Fields = Mapping[str, str]


def page(name: str) -> bytes:
    """A page that no other is like, of some 1,000 bytes."""
    words = (
        sha256(f"{name} {number}".encode()).hexdigest() for number in range(16)
    )  # that gzip cannot shorten
    said = "".join(f"<p>It is {word} what stands here.</p>" for word in words)
    return f'<!doctype html><html lang="en"><title>{name}</title><article>{said}</article></html>'.encode()


def sized(body: bytes, *fields: str, status: str = "200 OK") -> list[Step]:
    head = "\r\n".join((f"HTTP/1.1 {status}", HTML, *fields, f"Content-Length: {len(body)}"))
    return [head.encode("latin-1") + b"\r\n\r\n" + body]


def chunked(body: bytes, size: int, *fields: str) -> list[Step]:
    head = "\r\n".join(("HTTP/1.1 200 OK", HTML, *fields, "Transfer-Encoding: chunked"))
    parts = (body[at : at + size] for at in range(0, len(body), size))
    framed = b"".join(b"%x;of=it\r\n%s\r\n" % (len(part), part) for part in parts)
    return [head.encode() + b"\r\n\r\n" + framed + b"0\r\n\r\n"]


def until_close(body: bytes) -> list[Step]:
    return [f"HTTP/1.0 200 OK\r\n{HTML}\r\n\r\n".encode() + body, "close"]


def not_modified(*fields: str) -> list[Step]:
    return ["\r\n".join(("HTTP/1.1 304 Not Modified", *fields, "", "")).encode()]


class Site:
    """`answers` has what is said to a request for `host/path`; all else is a 404. `turn` counts the runs."""

    def __init__(self) -> None:
        self.turn = 1
        self.answers: dict[str, Callable[[Fields], list[Step]]] = {}
        self.asked: list[tuple[int, str, dict[str, str]]] = []  # turn, host and path, fields of the request

    def answer(self, asked: Asked) -> list[Step]:
        lines = asked.head.decode("latin-1").split("\r\n")[1:]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        place = fields["host"] + asked.path
        self.asked.append((self.turn, place, fields))
        steps = self.answers.get(place)
        return steps(fields) if steps else sized(b"", status="404 Not Found")

    def conditions(self, turn: int, place: str) -> list[tuple[str | None, str | None]]:
        """If-None-Match and If-Modified-Since of the requests for a place."""
        return [
            (fields.get("if-none-match"), fields.get("if-modified-since"))
            for when, where, fields in self.asked
            if (when, where) == (turn, place)
        ]


@contextmanager
def served(site: Site) -> Iterator[tuple[str, ...]]:
    """The site on loopback; the command's flags that lead to it."""
    with WireServer(site.answer) as server:
        yield tuple(flag for host in HOSTS for flag in ("--connect-to", f"{host}:80:127.0.0.1:{server.port}"))


def save(site: Site, flags: tuple[str, ...], root: Path, *arguments: str) -> dict[str, Any]:
    """Archive, by the command; its summary. The next run is the site's next turn."""
    code, rows, text = archiver(
        "archive", *arguments, "--into", str(root), "--json", "--retries", "0", "--delay", "0", *flags
    )
    assert code in (0, 3), text
    site.turn += 1
    summary: dict[str, Any] = rows[-1]
    return summary


Stored = tuple[str, dict[str, str], bytes]  # WARC-Target-URI, WARC fields, block


def stored(warc: Path) -> list[Stored]:
    """The records of a WARC file by RFC 1952 and WARC/1.1 section 4, read by nothing of ours."""
    found = []
    for member in gzip_members(warc):
        head, _, rest = member.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        assert lines[0] == "WARC/1.1"
        fields = dict(line.split(": ", 1) for line in lines[1:])
        assert len(fields) == len(lines) - 1  # none twice
        assert rest[int(fields["Content-Length"]) :] == b"\r\n\r\n"
        found.append((fields.get("WARC-Target-URI", ""), fields, rest[:-4]))
    return found


def answers(warc: Path) -> dict[str, tuple[dict[str, str], bytes]]:
    """WARC fields and block of what came for each URL, by `host/path`."""
    return {
        uri.removeprefix("http://"): (fields, block)
        for uri, fields, block in stored(warc)
        if fields["WARC-Type"] in ("response", "revisit") and not uri.endswith("/robots.txt")
    }


def warcs(root: Path) -> list[Path]:
    """In the order in which they were sealed."""
    return [root / each["path"] for each in json.loads((root / "manifest.json").read_bytes())["warcs"]]


def kinds(root: Path, uri: str) -> list[str]:
    """The types of the records of what came for a URL, in order of their dates."""
    rows = [row for row in records(root) if row.get("uri") == uri and row["type"] in ("response", "revisit")]
    return [row["type"] for row in sorted(rows, key=lambda row: row["date"])]


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


# --- one site, three runs ---------------------------------------------------------------------------

DATE = "Sat, 14 Mar 2015 10:00:00 GMT"
MOVED = "302 Found"
FIRST = (
    "a.example/sized", "a.example/chunked", "a.example/closed", "a.example/coded", "a.example/etag",
    "a.example/dated", "a.example/odd", "a.example/long", "a.example/moved", "a.example/cut",
    "a.example/unasked", "a.example/liar", "a.example/small", "a.example/changes",
)  # fmt: skip
LATER = ("b.example/sized", "b.example/coded", "b.example/etag", "c.example/chunked")


def three_runs() -> Site:
    """The site of which FIRST is asked for in every run, and LATER from the second on."""
    site = Site()

    def by_turn(*turns: list[Step]) -> Callable[[Fields], list[Step]]:
        return lambda _: turns[min(site.turn, len(turns)) - 1]

    def known(body: bytes, etag: str, *repeated: str) -> Callable[[Fields], list[Step]]:
        def steps(fields: Fields) -> list[Step]:
            if fields.get("if-none-match") == etag:
                return not_modified(*repeated)
            return sized(body, f"ETag: {etag}")

        return steps

    def dated(fields: Fields) -> list[Step]:
        if fields.get("if-modified-since") == DATE:
            return not_modified("Server: terse")  # RFC 9110 section 15.4.5 asks for no Last-Modified
        return sized(page("dated"), f"Last-Modified: {DATE}")

    one, two, three, four = (page(name) for name in ("sized", "chunked", "closed", "coded"))
    coded = sized(gzipped(four), "Content-Encoding: gzip")
    cut = [sized(page("cut"), 'ETag: "cut"')[0][:-100], "close"]  # type: ignore[index]
    site.answers = {
        "a.example/sized": by_turn(sized(one), chunked(one, 100), until_close(one)),
        "a.example/chunked": by_turn(chunked(two, 100), sized(two), chunked(two, 7)),
        "a.example/closed": by_turn(until_close(three), chunked(three, 1000), sized(three)),
        "a.example/coded": by_turn(coded),
        "a.example/etag": known(page("etag"), '"it"', 'ETag: "it"'),
        "a.example/dated": dated,
        "a.example/odd": by_turn(sized(page("odd"), 'ETag: "\xe4 b"', "Last-Modified: some\x01day")),
        "a.example/long": by_turn(sized(page("long"), f'ETag: "{"x" * 9_000}"')),
        "a.example/moved": by_turn(sized(b"", "Location: http://b.example/moved", 'ETag: "a"', status=MOVED)),
        "b.example/moved": known(page("moved"), '"b"', 'ETag: "b"'),
        "a.example/cut": by_turn(cut),
        "a.example/unasked": by_turn(not_modified('ETag: "u"')),
        "a.example/liar": by_turn(sized(page("liar"), 'ETag: "l"'), not_modified('ETag: "l"')),
        "a.example/small": by_turn(sized(page("small")[:300])),
        "a.example/changes": by_turn(
            sized(page("before"), 'ETag: "1"'), sized(page("after"), 'ETag: "2"'), not_modified('ETag: "2"')
        ),
        "b.example/sized": by_turn(sized(one)),
        "b.example/coded": by_turn(sized(four)),
        "b.example/etag": by_turn(sized(page("etag"))),
        "c.example/chunked": by_turn(until_close(two)),
    }
    return site
