"""A small archive for the tests of browsing: real gzip members, real pictures, a catalogue by the schema."""

import gzip
import hashlib
import io
import itertools
import math
import random
import sqlite3
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter
from sqlite_utils import Database

from archiver.index.search import index_article
from archiver.index.tallies import host_of, tally_article, tally_fetch
from archiver.model import Article, FetchNote
from archiver.pictures.decode import sniff
from archiver.pictures.describe import describe_picture

WARC = "warcs/20261122T190512Z-7f3a.warc.gz"


@cache
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
            row = (
                digest,
                facts["format"],
                facts["width"],
                facts["height"],
                len(body),
                facts.get("kind", "photograph"),
            )
            self.db.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?, ?)", row)
            for label, value in facts.get("hashes", {}).items():
                row = (digest, label, value, facts["quality"])
                self.db.execute("INSERT OR IGNORE INTO picture_hashes VALUES (?, ?, ?, ?)", row)
        if name:
            self.digits[name] = digest[7:]
        return identifier, digest

    def article(
        self, title: str, url: str | None, *, archived: str, kind: str = "document", **more: Any
    ) -> int:
        source = self.record("resource", title.encode(), uri=f"urn:archiver:source:{title[:0]}{archived}")
        note = self.record("metadata", b"{}", refers_to=source)
        kinds: Any = kind
        tally_article(Database(self.db), Article(kind=kinds, title=title, url=url))
        return self.row(
            "articles",
            title=title,
            url=url,
            kind=kind,
            given=more.get("given", "000_example.txt"),
            language=more.get("language", ""),
            authors=more.get("authors", ""),
            section=more.get("section", ""),
            reader=more.get("reader", ""),
            archived=archived,
            left_out="",
            note_id=note,
            source_id=source,
        )

    def index(self) -> None:
        """Make all articles searchable: when every row of them is there."""
        for (number,) in self.db.execute("SELECT id FROM articles ORDER BY id").fetchall():
            index_article(Database(self.db), number)

    def blocks(self, article: int, *blocks: tuple[str, str | int]) -> None:
        for number, (kind, what) in enumerate(blocks):
            text, picture = ("", what) if isinstance(what, int) else (what, None)
            self.row("blocks", article_id=article, number=number, kind=kind, text=text, picture=picture)

    def time(
        self, article: int, clock: str, written: str, value: str | None, picture: int | None = None
    ) -> None:
        self.row("times", article_id=article, picture=picture, clock=clock, written=written, value=value)

    def picture(
        self,
        article: int,
        number: int,
        url: str,
        *,
        place: str = "img-src",
        alt: str = "",
        caption: str = "",
        **more: Any,
    ) -> int:
        """`more`: part, unwanted, and a rendition's columns."""
        return self.row(
            "article_pictures",
            article_id=article,
            number=number,
            written=url,
            url=url,
            place=place,
            alt=alt,
            caption=caption,
            **({"part": "article", "unwanted": ""} | more),
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
                "unchanged": 0,
                "attempt": 0,
                "article_id": self.db.execute(
                    "SELECT article_id FROM article_pictures WHERE id = ?", (picture,)
                ).fetchone()[0],
            }
            started = f"2026-11-22T19:05:{number % 60:02d}.000000Z"
            last = columns | fetch
            forms: Any = form
            note = FetchNote(url=url, purpose="picture", outcome=last["outcome"], started=started, form=forms)
            tally_fetch(Database(self.db), note)
            fetched = self.row(
                "fetches",
                url=url,
                host=host_of(url) or None,
                purpose="picture",
                started=started,
                form=form,
                response_id=answer[0] if answer else None,
                payload_digest=answer[1] if answer else None,
                note_id=f"urn:uuid:00000000-0000-4000-9000-{number:012x}",
                **last,
            )
            self.row("hops", fetch_id=fetched, number=0, url=url, attempt="", status=columns["status"])
        self.row(
            "forms",
            article_picture_id=picture,
            number=self.db.execute(
                "SELECT count(*) FROM forms WHERE article_picture_id = ?", (picture,)
            ).fetchone()[0],
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
