"""An archive of many articles, made without a network by the archiver's own writers.

Each article is a page with one picture, as an image proxy and as the publisher served it: three captures. The
text is made of invented Chinese words of two characters, and of English ones, as often as words are in a
language (Zipf); some articles were captured twice and changed in between, some pictures never came. What is
drawn comes from a few photographs, so most captures of pictures are revisits. The same for the same seed.
"""

import argparse
import io
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from archiver.archive import Archive
from archiver.digests import digest
from archiver.keys import KeyFolder
from archiver.model import (
    NOTE_FIELD,
    NOTE_URI,
    Article,
    ArticleNote,
    Block,
    ClaimedTime,
    FetchNote,
    Form,
    Hop,
    Record,
    Reference,
)
from archiver.sandbox import Sandbox
from archiver.session import SealAt, Session
from archiver.upkeep import catalogue_of, signer
from archiver.warc.write import warc_date

HOSTS = 200
PHOTOGRAPHS = 1500
TOGETHER = 400  # articles that become durable at once
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
TYPES = {"request": "application/http; msgtype=request", "note": "application/json"}


class Words:
    """Invented words, the n-th one 1/n as often as the first."""

    def __init__(self, dice: random.Random) -> None:
        common = [chr(point) for point in range(0x4E00, 0x4E00 + 3000)]
        self._chinese = ["".join(dice.choices(common, k=dice.choice((1, 2, 2, 2, 3)))) for _ in range(20_000)]
        letters = "etaoinshrdlucmfwypvbgk"
        self._english = ["".join(dice.choices(letters, k=dice.randint(2, 10))) for _ in range(20_000)]
        self._weights = list(accumulate(1 / n for n in range(1, 20_001)))

    def text(self, dice: random.Random, language: str, count: int) -> str:
        """`count` words of a language, in sentences."""
        words = dice.choices(
            self._chinese if language == "zh" else self._english, cum_weights=self._weights, k=count
        )
        stop, gap, size = ("。", "", 14) if language == "zh" else (". ", " ", 12)
        parts = (words[start : start + size] for start in range(0, len(words), size))
        return stop.join(gap.join(part) for part in parts) + stop.strip()


def photograph(shapes: np.random.Generator, width: int) -> Image.Image:
    """Soft shapes with a little grain: small, and no two alike."""
    height = width * 2 // 3
    soft = Image.fromarray(shapes.integers(0, 256, (8, 12, 3), dtype=np.uint8))
    drawn = np.asarray(soft.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = shapes.normal(0, 4, (height, width, 1)).astype(np.int16)
    return Image.fromarray((drawn + grain).clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@dataclass
class Version:
    """What a page said at a moment."""

    number: int
    url: str
    when: datetime
    language: str
    title: str
    texts: list[str]


@dataclass
class Maker:
    """Records of one article after the other."""

    seed: int

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.words = Words(self.dice)
        self._serial = 0
        self._shapes = np.random.default_rng(self.seed)
        self._stored: dict[str, str] = {}  # payload digest → record id

    @cached_property
    def photographs(self) -> list[tuple[bytes, bytes]]:
        """As published, and as the proxy serves it."""
        drawn = [photograph(self._shapes, 360) for _ in range(PHOTOGRAPHS)]
        return [(jpeg(each, 85), jpeg(each.resize((240, 160)), 70)) for each in drawn]

    def article(self, number: int) -> Iterator[Record]:
        """One article, sometimes captured a second time with other words."""
        dice, when = self.dice, BEGAN + timedelta(minutes=7 * number)
        language = "zh" if dice.random() < 0.7 else "en"
        url = f"https://news{number % HOSTS}.example/{when:%Y/%m/%d}/{number}.html"
        title = self.words.text(dice, language, 6).rstrip("。. ")
        texts = [self.words.text(dice, language, 60) for _ in range(dice.randint(3, 9))]
        yield from self._capture(Version(number, url, when, language, title, texts))
        if dice.random() < 0.05:
            texts[dice.randrange(len(texts))] = self.words.text(dice, language, 50)
            later = when + timedelta(hours=9)
            yield from self._capture(Version(number, url, later, language, title, texts))

    def _capture(self, version: Version) -> Iterator[Record]:
        number, url, when, language = version.number, version.url, version.when, version.language
        title, texts = version.title, version.texts
        paragraphs = "".join(f"<p>{text}</p>\n" for text in texts)
        head = f'<!doctype html><html lang="{language}"><title>{title}</title>'
        html = f"{head}<article>{paragraphs}</article></html>"
        page = self._response(url, when, html.encode(), "text/html; charset=utf-8")
        origin = f"https://img{number % HOSTS}.example/{number % PHOTOGRAPHS}.jpg"
        proxied = f"https://images.weserv.nl/?url={origin.removeprefix('https://')}&w=240"
        reference = Reference(
            number=0,
            written=proxied,
            url=proxied,
            place="img-src",
            caption=self.words.text(self.dice, language, 8),
            forms=(Form(form="proxied", url=proxied, proxy="weserv"), Form(form="origin", url=origin)),
        )
        blocks = [Block(kind="paragraph", text=text) for text in texts]
        blocks.insert(1, Block(kind="picture", picture=0))
        published = (when - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        article = Article(
            kind="page",
            title=title,
            url=url,
            language=language,
            authors=(self.words.text(self.dice, language, 2).rstrip("。. "),),
            times=(ClaimedTime(clock="meta", written=published, value=published[:19] + "Z"),),
            references=(reference,),
            blocks=tuple(blocks),
        )
        yield page
        yield self._request(url, when, page, "page")
        note = self._note(ArticleNote(given=url, article=article), page.id, when)
        yield note
        for form, asked, data in zip(
            ("proxied", "origin"),
            (proxied, origin),
            reversed(self.photographs[number % PHOTOGRAPHS]),
            strict=True,
        ):
            if form == "origin" and number % 40 == 0:
                yield self._failure(asked, when, note)
                continue
            answer = self._response(asked, when, data, "image/jpeg")
            yield answer
            yield self._request(asked, when, answer, "picture", form, note.id)

    def _response(self, url: str, when: datetime, body: bytes, mime: str) -> Record:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        payload = digest(body)
        kind, headers, block = "response", (), head + body
        original = self._stored.get(payload)
        if original:
            kind, block = "revisit", head
            headers = (
                ("WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"),
                ("WARC-Refers-To", f"<{original}>"),
                ("WARC-Truncated", "length"),
                ("WARC-Payload-Digest", payload),
            )
        record = Record(
            type=kind,
            id=self._id(),
            date=warc_date(when),
            uri=url,
            content_type="application/http; msgtype=response",
            block=block,
            headers=headers,
            payload_digest=None if original else payload,
            store=mime == "image/jpeg",
        )
        self._stored.setdefault(payload, record.id)
        return record

    def _request(  # noqa: PLR0917 - one line of a table
        self,
        url: str,
        when: datetime,
        answer: Record,
        purpose: str,
        form: str | None = None,
        article: str | None = None,
    ) -> Record:
        identifier = self._id()
        note = FetchNote(
            url=url,
            purpose=purpose,
            outcome="whole",
            started=warc_date(when),
            article=article,
            form=form,
            references=() if form is None else (0,),
            hops=(Hop(url=url, request=identifier, response=answer.id, status=200),),
        )
        return Record(
            type="request",
            id=identifier,
            date=warc_date(when),
            uri=url,
            content_type=TYPES["request"],
            block=f"GET {url} HTTP/1.1\r\n\r\n".encode(),
            headers=(
                ("WARC-Concurrent-To", f"<{answer.id}>"),
                (NOTE_FIELD, msgspec.json.encode(note).decode()),
            ),
        )

    def _failure(self, url: str, when: datetime, article: Record) -> Record:
        note = FetchNote(
            url=url,
            purpose="picture",
            outcome="failed",
            started=warc_date(when),
            article=article.id,
            form="origin",
            stage="connect",
            reason="connection refused",
            hops=(Hop(url=url),),
        )
        return self._note(note, None, when)

    def _note(self, note: ArticleNote | FetchNote, of: str | None, when: datetime) -> Record:
        identifier = self._id()
        return Record(
            type="metadata",
            id=identifier,
            date=warc_date(when),
            uri=NOTE_URI + identifier.rpartition(":")[2],
            content_type=TYPES["note"],
            block=msgspec.json.encode(note),
            headers=(("WARC-Refers-To", f"<{of}>"),) if of else (),
        )

    def _id(self) -> str:
        self._serial += 1
        return f"urn:uuid:{self.seed:08x}-0000-4000-8000-{self._serial:012x}"


def make(root: Path, articles: int, seed: int = 7) -> None:
    """Make the archive in `root`, sealed and signed with keys beside it, catalogue included."""
    archive, keys = Archive(root), KeyFolder(root.with_name(root.name + "-keys"))
    with Sandbox() as sandbox, archive.lock("archive"):
        archive.create()
        archive.signer = signer(archive, print, keys)
        with (
            catalogue_of(archive, sandbox) as db,
            closing(Session(archive, sandbox, db, {"software": "benchmark"}, SealAt(seconds=1e9))) as session,
        ):
            db.execute("PRAGMA synchronous = OFF")
            maker = Maker(seed)
            for start in range(0, articles, TOGETHER):
                numbers = range(start, min(start + TOGETHER, articles))
                session.append([record for number in numbers for record in maker.article(number)])
                session.seal_when_due()
            session.seal()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    make(asked.folder, asked.articles, asked.seed)
