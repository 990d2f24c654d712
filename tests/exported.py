"""An archive to export: mirror documents and a page, whose pictures came, did not come, or are hostile."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from archives import START, jpeg, response

from archiver.archive import Archive
from archiver.capture.records import note_record, source_record
from archiver.index import catalogue
from archiver.model import (
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
from archiver.session import Session
from archiver.show import reading
from archiver.sources.documents.mirror import read_document

FERRY, CRANES, EVIL, PAGE = 1, 2, 3, 4  # numbers of the articles
FERRY_URL = "https://news.example/a/ferry/1.html"
PROXY = "https://images.weserv.nl/?url=pictures.example/"
ORIGIN = "http://pictures.example/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HOSTILE = "=cmd|' /C calc'!A0<script>alert(1)</script> ../../\u202egnp.exe\x1b[31m"
SAME = jpeg(5)  # in two articles
DOCUMENTS = {
    "000_ferry.txt": f"""<!--1699468744000-->
[河边会谈，[航道](与渡轮)]({FERRY_URL})
------

<div><i>Wed, 08 Nov 2023 18:25:56 GMT</i></div><img src="{PROXY}ferry.jpg" width="100%">\
<div><small style="color: #999;">会谈现场。</small></div><p>第一段。见 {PROXY}ferry.jpg</p>\
<div ><img  src="{PROXY}lost.jpg" alt="没有了" border="0"/></div><p>第二段。</p>\
<a href="{ORIGIN}big.png"><img src="{PROXY}route.png&amp;w=90"></a>
""".encode(),
    "cranes.en.md": f"""---
title: Cranes return
link: https://news.example/a/cranes
date: 2015-05-09
---
First paragraph.

![Cranes]({ORIGIN}a_(1).jpg "In flight") and ![again][r]

<img srcset="{ORIGIN}s1.jpg 1x, {ORIGIN}ferry.jpg 2x" src='{ORIGIN}s0.jpg'>

[r]: {ORIGIN}r.svg
""".encode(),
    "CON.md": f"""<!--NaN-->
[{HOSTILE}](https://news.example/a/evil)
------

<p><b onmouseover=alert(1)>{HOSTILE}</b></p><img src="{ORIGIN}same.jpg" alt='"><script>alert(1)</script>'>
""".encode(),
}
# What came, by the form's address; everything else is 404.
CAME = {
    f"{PROXY}ferry.jpg": jpeg(1),
    f"{ORIGIN}ferry.jpg": jpeg(2),
    f"{PROXY}route.png&w=90": jpeg(3),
    f"{ORIGIN}big.png": jpeg(4),  # a JPEG, whatever it is called
    f"{ORIGIN}a_(1).jpg": SAME,
    f"{ORIGIN}r.svg": SVG,
    f"{ORIGIN}s1.jpg": jpeg(6),
    f"{ORIGIN}s0.jpg": jpeg(7),
    f"{ORIGIN}same.jpg": SAME,
}
HTML = b"<!doctype html><title>P</title><p>x</p>"


def with_forms(article: Article) -> Article:
    def forms(reference: Reference) -> tuple[Form, ...]:
        url = reference.url
        if not url.startswith(PROXY):
            return (Form(form="origin", url=url),)
        origin = Form(form="origin", url=ORIGIN + url.removeprefix(PROXY).partition("&")[0])
        return (Form(form="proxied", proxy="weserv", url=url), origin)

    references = tuple(msgspec.structs.replace(each, forms=forms(each)) for each in article.references)
    return msgspec.structs.replace(article, references=references)


def captures(given: str, source: Record, article: Article) -> list[Record]:
    """The records of an article and of all that was asked for it."""
    note = note_record(ArticleNote(given=given, article=article), source.id)
    made = [source, note]
    for reference in article.references:
        for form in reference.forms:
            data = CAME.get(form.url)
            kind = "image/svg+xml" if data == SVG else "image/jpeg"
            head = f"200 OK\nContent-Type: {kind}" if data else "404 Not Found"
            moment = START + timedelta(seconds=len(made))
            answer = response(form.url, f"{head}\nContent-Length: {len(data or b'')}", data or b"", moment)
            fetch = FetchNote(
                url=form.url,
                purpose="picture",
                outcome="whole" if data else "refused",
                reason="" if data else "status 404",
                started=answer.date,
                article=note.id,
                references=(reference.number,),
                form=form.form,
                hops=(Hop(url=form.url, response=answer.id, status=200 if data else 404),),
            )
            made += [answer, note_record(fetch, answer.id)]
    return made


def page() -> tuple[Record, Article]:
    """A live page of the first document's address: no title that could end a heading, an item, a quote."""
    source = response(FERRY_URL, f"200 OK\nContent-Type: text/html\nContent-Length: {len(HTML)}", HTML, START)
    picture = Reference(
        number=0, written="/ferry.jpg", url=f"{ORIGIN}ferry.jpg", place="img-src", alt='a "b" <c>'
    )
    aside = Reference(number=1, written="s", url=f"{ORIGIN}s1.jpg", place="img-src", part="page")
    article = Article(
        kind="page",
        title="Talks by the river ](https://x.example) & more",
        url=FERRY_URL,
        language="en",
        times=(ClaimedTime(clock="meta", written="x", value="2023-11-08T18:26:00.5Z"),),
        references=(picture, aside),
        blocks=(
            Block(kind="heading", text="A < B"),
            Block(kind="paragraph", text="One line\nand another &amp; more."),
            Block(kind="picture", picture=0),
            Block(kind="quote", text="“Quoted.”"),
            Block(kind="item", text="first"),
            Block(kind="item", text="second"),
        ),
    )
    return source, article


def make(root: Path) -> Path:
    """The archive, in two sealed files."""
    root.mkdir()
    archive = Archive(root)
    batches: list[list[Record]] = []
    for name, data in DOCUMENTS.items():
        article = with_forms(msgspec.convert(read_document(data), Article))
        batches.append(captures(name, source_record(data, "text/markdown"), article))
    source, article = page()
    batches.append(captures(FERRY_URL, source, with_forms(article)))
    with archive.lock("archive"), Sandbox() as sandbox:
        archive.create()
        with catalogue.writing(root) as db:
            for batch in (batches[:2], batches[2:]):
                session = Session(archive, sandbox, db, {"software": "tests/exported.py"})
                for records in batch:
                    session.append(records)
                session.seal()
    return root


def read(article: dict[str, Any]) -> dict[str, Any]:
    """Of an article as `read_document` gives it, what an export as a mirror document keeps."""
    kept = {
        key: article.get(key) for key in ("kind", "title", "url", "language", "times", "blocks", "authors")
    }
    pictures = [
        {key: each.get(key) for key in ("number", "alt", "caption", "place")}
        for each in article["references"]
    ]
    return kept | {"pictures": pictures}


def stored(root: Path) -> list[dict[str, Any]]:
    """The rows of all records, each with its file."""
    with reading(root) as db:
        return [
            dict(row)
            for row in db.execute("SELECT records.*, path FROM records JOIN warcs ON warcs.id = warc_id")
        ]


def damage(root: Path, hit: Callable[[dict[str, Any]], bool]) -> int:
    """Change one byte of the records for which `hit` says so; how many they are."""
    places = [
        (root / each["path"], each["offset"] + each["length"] // 2) for each in stored(root) if hit(each)
    ]
    for path, at in places:
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
    return len(places)
