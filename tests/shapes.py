"""Healthy archives of random shape: any number of files, records, kinds of records, revisits, sizes."""

import random
from datetime import timedelta
from pathlib import Path

from archives import PAGE, START, jpeg, request, response

from archiver.archive import Archive
from archiver.capture.records import chain_record, note_record, source_record
from archiver.digests import digest
from archiver.index import catalogue
from archiver.model import Article, ArticleNote, Block, FetchNote, Hop, Record, RunNote, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.warc.write import record_id, warc_date

_WORDS = ("渡轮", "図書館", "мост", "ferry", "a&b=<c>", "%E6%B8%A1", "e\u0301", "x" * 300)


def make(root: Path, dice: random.Random, sandbox: Sandbox) -> Path:
    """An archive of up to 5 WARC files with up to 12 groups of records each, sealed without network."""
    root.mkdir()
    archive = Archive(root)
    shape = _Shape(dice)
    with archive.lock("archive"):
        archive.create()
        with catalogue.writing(root) as db:
            for _ in range(dice.randrange(6)):
                session = Session(archive, sandbox, db, {"software": "tests/shapes.py", "run": record_id()})
                for _ in range(dice.randrange(1, 13)):
                    session.append(shape.group())
                session.seal()
    return root


class _Shape:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._originals: list[tuple[Record, str]] = []  # with the digest of the payload

    def group(self) -> list[Record]:
        """A few records that belong together."""
        kinds = [self._page, self._picture, self._chunked, self._document, self._run, self._empty]
        kinds += [self._revisit] * 3 if self._originals else []
        return self._dice.choice(kinds)()

    def _uri(self) -> str:
        words = "/".join(self._dice.choices(_WORDS, k=self._dice.randrange(1, 4)))
        return f"http://news.example/{self._dice.randrange(10)}/{words}"

    def _captured(self, head: str, body: bytes, payload: bytes | None = None) -> list[Record]:
        moment = START + timedelta(seconds=self._dice.randrange(100_000))
        cut = self._dice.choice(("", "", "", "length", "time", "disconnect"))
        answer = response(self._uri(), head, body, moment, truncated=cut)
        if not cut:
            self._originals.append((answer, digest(body if payload is None else payload)))
        hops = (Hop(url=answer.uri or "", response=answer.id, status=int(head[:3])),)
        fetch = FetchNote(
            url=answer.uri or "", purpose="page", outcome="whole", started=answer.date, hops=hops
        )
        return [answer, request(answer), note_record(fetch, answer.id)]

    def _page(self) -> list[Record]:
        body = PAGE.format(self._dice.choice(_WORDS) * self._dice.randrange(400)).encode()
        return self._captured(f"200 OK\nContent-Type: text/html\nContent-Length: {len(body)}", body)

    def _picture(self) -> list[Record]:
        body = jpeg(self._dice.randrange(20))[: self._dice.choice((10, 400, 99_999))]
        return self._captured(f"200 OK\nContent-Type: image/jpeg\nContent-Length: {len(body)}", body)

    def _chunked(self) -> list[Record]:
        data = self._dice.randbytes(self._dice.randrange(1, 5000))
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
        return self._captured("200 OK\nContent-Type: application/pdf\nTransfer-Encoding: chunked", body, data)

    def _empty(self) -> list[Record]:
        status = self._dice.choice(("404 Not Found", "204 No Content", "500 Oops", "301 Moved"))
        return self._captured(f"{status}\nContent-Length: 0", b"")

    def _document(self) -> list[Record]:
        source = source_record(f"# {self._uri()}\n\n{self._dice.random()}\n".encode(), "text/markdown")
        if self._dice.random() < 0.3:
            return [source, note_record(UnreadableNote(given="a.txt", reason="no article"), source.id)]
        blocks = (Block(kind="paragraph", text=self._uri()),)
        said = Article(kind="document", title=self._dice.choice(_WORDS), url=self._uri(), blocks=blocks)
        return [
            source,
            note_record(ArticleNote(given="a.txt", article=said), source.id),
            chain_record("news.example", [self._dice.randbytes(99)], None),
        ]

    def _run(self) -> list[Record]:
        note = RunNote(run=record_id(), started=warc_date(START), sources=("a.txt",), interrupted=True)
        return [note_record(note, None)]

    def _revisit(self) -> list[Record]:
        original, payload = self._dice.choice(self._originals)
        profile = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
        headers = (
            ("WARC-Profile", profile),
            ("WARC-Refers-To", f"<{original.id}>"),
            ("WARC-Refers-To-Target-URI", original.uri or ""),
            ("WARC-Refers-To-Date", original.date),
            (
                "Archiver-Payload-Digest" if original.payload_digest is None else "WARC-Payload-Digest",
                payload,
            ),
        )
        again = Record(
            type="revisit",
            id=record_id(),
            date=warc_date(START + timedelta(days=2)),
            uri=original.uri,
            content_type="application/http; msgtype=response",
            headers=headers,
            block=b"" if self._dice.random() < 0.5 else b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        )
        return [again, request(again)]
