"""A small archive for the tests of browsing: real gzip members, real pictures, a catalogue by the schema."""

import gzip
import hashlib
import io
import itertools
import math
import random
import sqlite3
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from archiver.pictures.decode import describe_picture, sniff

WARC = "warcs/20261122T190512Z-7f3a.warc.gz"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
HOSTILE = "<script>alert('t')</script>\u202egnp.exe\u2066\x1b[31m"


def scene(seed: int, size: tuple[int, int] = (1200, 800)) -> Image.Image:
    """Something like a photograph: sky, hills, a few lit windows, grain."""
    dice = random.Random(seed)
    width, height = size
    sky = [dice.randint(90, 160), dice.randint(110, 180), dice.randint(150, 230)]
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(height):
        fade = y / height
        draw.line([(0, y), (width, y)], tuple(int(c * (1.1 - 0.5 * fade) + 50 * fade) for c in sky))
    for layer in range(4):
        base = height * (0.45 + 0.13 * layer)
        waves = [(dice.uniform(1, 5), dice.uniform(0, 6), dice.uniform(10, 50)) for _ in range(3)]
        ridge = [
            (x, base + sum(a * math.sin(f * x / width * 6 + p) for f, p, a in waves))
            for x in range(0, width + 8, 8)
        ]
        shade = tuple(int(c * (0.75 - 0.16 * layer)) for c in sky)
        draw.polygon([*ridge, (width, height), (0, height)], fill=shade)
    for _ in range(40):
        x, y = dice.randint(0, width), dice.randint(int(height * 0.75), height)
        draw.rectangle([x, y, x + dice.randint(4, 14), y + dice.randint(6, 18)], fill=(250, 215, 140))
    return image.filter(ImageFilter.GaussianBlur(1.2))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class BrowseArchive:
    """Writes members and rows; `digits` maps names of pictures to the SHA-256 digits of their bytes."""

    root: Path
    digits: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.root / "warcs").mkdir(parents=True)
        self.db = sqlite3.connect(self.root / "catalogue.db", isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL;")
        self.db.executescript(files("archiver.index").joinpath("schema.sql").read_text("utf-8"))
        self.row("warcs", path=WARC, records=0, bytes=0)
        self.numbers = itertools.count(1)

    def row(self, table: str, **values: Any) -> int:
        marks = ", ".join("?" * len(values))
        cursor = self.db.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})",  # noqa: S608 - names of this file
            tuple(values.values()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def record(self, kind: str, block: bytes, **columns: Any) -> str:
        """Append a member; returns its record id."""
        number = next(self.numbers)
        identifier = f"urn:uuid:00000000-0000-4000-8000-{number:012x}"
        date = f"2026-11-22T19:05:{number % 60:02d}.000000Z"
        uri = columns.get("uri", "urn:archiver:note:1")
        content_type = "application/http;msgtype=response" if kind == "response" else "text/html"
        head = (
            f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{identifier}>\r\nWARC-Date: {date}\r\n"
            f"WARC-Target-URI: {uri}\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        member = gzip.compress(head.encode() + block + b"\r\n\r\n", 0, mtime=0)
        with (self.root / WARC).open("ab") as file:
            offset = file.tell()
            file.write(member)
        self.row(
            "records",
            warc_id=1,
            number=number,
            offset=offset,
            length=len(member),
            digest=sha256(member),
            type=kind,
            record_id=identifier,
            date=date,
            **columns,
        )
        return identifier

    def response(
        self, url: str, body: bytes, mime: str, *, coding: str = "", name: str = ""
    ) -> tuple[str, str]:
        """A 200 with this body: its record id and payload digest, and a row in `pictures` if it is one."""
        stored = gzip.compress(body, mtime=0) if coding == "gzip" else body
        extra = f"Content-Encoding: {coding}\r\n" if coding else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\n{extra}Content-Length: {len(stored)}\r\n\r\n"
        digest = sha256(stored)
        identifier = self.record(
            "response",
            head.encode() + stored,
            uri=url,
            status=200,
            mime=mime,
            payload_digest=digest,
            payload_bytes=len(stored),
        )
        if sniff(body):
            facts = describe_picture(body)
            label, phash = next(iter(facts.get("hashes", {}).items()), (None, None))
            self.db.execute(
                "INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)",
                (digest, facts["format"], facts["width"], facts["height"], len(body), phash, label),
            )
        if name:
            self.digits[name] = digest[7:]
        return identifier, digest

    def article(
        self, title: str, url: str | None, *, archived: str, kind: str = "document", **more: Any
    ) -> int:
        source = self.record("resource", title.encode(), uri=f"urn:archiver:source:{title[:0]}{archived}")
        note = self.record("metadata", b"{}", refers_to=source)
        return self.row(
            "articles",
            title=title,
            url=url,
            kind=kind,
            given=more.get("given", "000_example.txt"),
            language=more.get("language", ""),
            archived=archived,
            note_id=note,
            source_id=source,
        )

    def blocks(self, article: int, *blocks: tuple[str, str | int]) -> None:
        for number, (kind, what) in enumerate(blocks):
            text, picture = ("", what) if isinstance(what, int) else (what, None)
            self.row("blocks", article_id=article, number=number, kind=kind, text=text, picture=picture)

    def time(
        self, article: int, clock: str, written: str, value: str | None, picture: int | None = None
    ) -> None:
        self.row("times", article_id=article, picture=picture, clock=clock, written=written, value=value)

    def picture(
        self, article: int, number: int, url: str, *, place: str = "img-src", alt: str = "", caption: str = ""
    ) -> int:
        return self.row(
            "article_pictures",
            article_id=article,
            number=number,
            written=url,
            url=url,
            place=place,
            alt=alt,
            caption=caption,
        )

    def form(
        self, picture: int, form: str, url: str, answer: tuple[str, str] | None = None, **fetch: Any
    ) -> None:
        """A form of a picture; `answer` as `response` gives it, or how the fetch failed."""
        number = next(self.numbers)
        fetched = None
        if answer or fetch:
            columns: dict[str, Any] = {
                "outcome": "whole",
                "reason": "",
                "status": 200 if answer else None,
                "article_id": self.db.execute(
                    "SELECT article_id FROM article_pictures WHERE id = ?", (picture,)
                ).fetchone()[0],
            }
            fetched = self.row(
                "fetches",
                url=url,
                purpose="picture",
                started=f"2026-11-22T19:05:{number % 60:02d}.000000Z",
                form=form,
                response_id=answer[0] if answer else None,
                payload_digest=answer[1] if answer else None,
                note_id=f"urn:uuid:00000000-0000-4000-9000-{number:012x}",
                **(columns | fetch),
            )
            self.row("hops", fetch_id=fetched, number=0, url=url, attempt="", status=columns["status"])
        self.row(
            "forms",
            article_picture_id=picture,
            number=0 if form == "proxied" else 1,
            form=form,
            proxy="weserv" if form == "proxied" else None,
            url=url,
            fetch_id=fetched,
        )

    def damage(self, name: str) -> None:
        """Flip one bit in the middle of a picture's stored member."""
        offset, length = self.db.execute(
            "SELECT offset, length FROM records WHERE payload_digest = ?", (f"sha256:{self.digits[name]}",)
        ).fetchone()
        with (self.root / WARC).open("r+b") as file:
            file.seek(offset + length // 2)
            byte = file.read(1)[0]
            file.seek(-1, io.SEEK_CUR)
            file.write(bytes([byte ^ 1]))


def make_archive(root: Path, *, fillers: int = 0) -> BrowseArchive:
    archive = BrowseArchive(root)
    _chinese(archive)
    _english(archive)
    _hostile(archive)
    for number in range(fillers):
        archive.article(
            f"Short item {number}", f"https://www.news.example/{number}", archived="2026-11-01T00:00:00Z"
        )
    return archive


def _chinese(archive: BrowseArchive) -> None:
    url = "https://www.news.example/a/harbour-ferry/7346943.html"
    first = archive.article(
        "海湾新渡轮首航，连接南北两岸的老码头", url, archived="2026-11-22T19:05:12.000000Z"
    )
    archive.blocks(
        first,
        ("picture", 0),
        (
            "paragraph",
            "周三（11月8日）清晨，海湾的新渡轮“白鹭号”从北岸老码头出发，开始了它的第一次航行。\n船上坐满了上班的人。",
        ),
        ("heading", "老码头的新生活"),
        (
            "paragraph",
            "北岸的码头已经有九十多年的历史。过去十年里，这里只停靠渔船；现在，每二十分钟就有一班渡轮开往南岸，单程只要十二分钟。",
        ),
        ("quote", "“小时候我跟着祖父坐船过海，如今又可以坐船了。”一位乘客说。"),
        ("picture", 1),
        ("paragraph", "渡轮公司表示，冬季的末班船在晚上十点离开南岸（high season 期间延长到十一点）。"),
    )
    archive.time(first, "comment", "1699468744000", "2023-11-08T18:39:04Z")
    archive.time(first, "printed", "Wed, 08 Nov 2023 18:25:56 GMT", "2023-11-08T18:25:56Z")
    archive.time(
        first, "guid", "01000000-0a00-0242-1524-08dbe0853e12", "2023-11-08T18:05:07.970000Z", picture=0
    )
    big, small = encoded(scene(1), quality=88), encoded(scene(1).resize((900, 600)), quality=80)
    origin, proxied = (
        "http://pictures.news.example/ferry.jpg",
        "https://images.weserv.nl/?url=pictures.news.example/ferry.jpg",
    )
    lead = archive.picture(
        first, 0, proxied, alt="渡轮离开北岸", caption="“白鹭号”渡轮周三清晨离开北岸老码头。（2023年11月8日）"
    )
    archive.form(lead, "proxied", proxied, archive.response(proxied, small, "image/jpeg", name="proxied"))
    archive.form(lead, "origin", origin, archive.response(origin, big, "image/jpeg", name="origin"))
    second = archive.picture(first, 1, proxied.replace("ferry", "pier"), caption="南岸的候船室。")
    pier = archive.response(
        proxied.replace("ferry", "pier"), encoded(scene(2, (900, 600))), "image/jpeg", name="pier"
    )
    archive.form(second, "proxied", proxied.replace("ferry", "pier"), pier)
    archive.form(
        second,
        "origin",
        origin.replace("ferry", "pier"),
        outcome="failed",
        stage="dns",
        reason="pictures.news.example has no address",
    )
    page = archive.article(
        "海湾新渡轮首航",
        url,
        archived="2026-11-22T19:06:00.000000Z",
        kind="page",
        language="zh-Hans",
        given=url,
    )
    archive.time(page, "time-element", "2023-11-09T02:10:00+08:00", "2023-11-08T18:10:00Z")
    archive.time(page, "json-ld-modified", "2023-11-10T01:00:00Z", "2023-11-10T01:00:00Z")
    archive.blocks(
        page, ("paragraph", "海湾的新渡轮周三首航。"), ("item", "单程十二分钟"), ("item", "每二十分钟一班")
    )
    social = archive.picture(page, 0, origin, place="meta-og:image")
    archive.form(social, "origin", origin, archive.response(origin, big, "image/jpeg"))


def _english(archive: BrowseArchive) -> None:
    article = archive.article(
        "The old library reopens with a reading room for the night shift",
        "https://www.news.example/a/library/1.html",
        archived="2026-11-21T08:00:00.000000Z",
        language="en",
        given="001_library.txt",
    )
    archive.time(article, "comment", "NaN", None)
    archive.time(article, "printed", "2023-10-02 09:00", None)
    archive.blocks(
        article,
        (
            "paragraph",
            "After two years of work the town's library opened its doors again on Monday, an hour before dawn.",
        ),
        ("picture", 0),
        ("paragraph", "Nurses and bakers were the first to come in. Coffee is free until seven."),
        ("picture", 1),
    )
    image = scene(3, (800, 1000)).convert("RGBA")
    gone = archive.picture(
        article, 0, "https://images.weserv.nl/?url=pictures.news.example/gone.png", caption="The door."
    )
    archive.form(
        gone,
        "proxied",
        "https://images.weserv.nl/?url=pictures.news.example/gone.png",
        outcome="refused",
        status=404,
        reason="The requested URL returned error: 404",
    )
    archive.form(
        gone,
        "origin",
        "http://pictures.news.example/gone.png",
        outcome="failed",
        stage="connect",
        reason="timed out",
    )
    room = archive.picture(article, 1, "http://pictures.news.example/room.png", alt="A room with lamps")
    url = "http://pictures.news.example/room.png"
    archive.form(
        room,
        "origin",
        url,
        archive.response(url, encoded(image, "PNG"), "image/png", coding="gzip", name="room"),
    )


def _hostile(archive: BrowseArchive) -> None:
    article = archive.article(
        HOSTILE,
        "javascript:alert(document.domain)",
        archived="2026-11-20T08:00:00.000000Z",
        given=HOSTILE,
        language='"><b',
    )
    archive.time(article, "comment", HOSTILE, None)
    archive.time(article, HOSTILE, "later", "9999-99-99")
    archive.blocks(
        article,
        ("paragraph", HOSTILE),
        ("heading", HOSTILE),
        ("picture", 0),
        ("picture", 7),
        ("item", HOSTILE),
    )
    damaged = archive.picture(
        article, 0, "javascript:alert(2)", alt='"><img src=x onerror=alert(1)>', caption=HOSTILE
    )
    url = "http://evil.example/a.jpg"
    archive.form(
        damaged, "origin", url, archive.response(url, encoded(scene(4)), "text/html", name="damaged")
    )
    archive.damage("damaged")
    for number, (name, body, mime) in enumerate(
        (("svg", SVG, "image/svg+xml"), ("html", HTML, "image/jpeg")), 1
    ):
        url = f"http://evil.example/{name}"
        picture = archive.picture(article, number, url, place="img-srcset")
        archive.form(picture, "origin", url, archive.response(url, body, mime, name=name))
    archive.picture(article, 3, "http://evil.example/unasked", caption="no form")
