"""Small archives made without any network, and ways to tamper with them."""

import gzip
import io
import json
import os
import random
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner
from PIL import Image, ImageDraw

from archiver.archive import Archive
from archiver.capture.records import chain_record, note_record, source_record
from archiver.cli import main
from archiver.digests import digest, file_digest
from archiver.index import catalogue, reader
from archiver.manifest import checkpoint, recordlist
from archiver.manifest import manifest as commitment
from archiver.manifest.tree import Tree
from archiver.model import (
    Article,
    ArticleNote,
    Block,
    ClaimedTime,
    Entry,
    FetchNote,
    Finding,
    Form,
    Hop,
    Record,
    Reference,
)
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.verify import Verification
from archiver.warc.write import record_id, warc_date

START = datetime(2026, 11, 22, 19, 5, 12, 345678, tzinfo=UTC)
PAGE = "<!doctype html><html lang=zh-Hans><title>{0}</title><p>海湾的新渡轮“白鹭号”周三首航。{0}</p>"


RECORDS = 13
_, SOURCE, _, HTML, PICTURE, CHUNKED, CODED, CUT, EMPTY, _, _, _, CHAIN = range(RECORDS)


def jpeg(seed: int) -> bytes:
    """A picture with a few shapes, so that it is not flat and has a perceptual hash."""
    dice = random.Random(seed)
    image = Image.new("RGB", (96, 64), (90, 140, 200))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = dice.randrange(96), dice.randrange(64)
        draw.ellipse((x, y, x + dice.randrange(9, 40), y + dice.randrange(9, 30)), tuple(dice.randbytes(3)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def response(uri: str, head: str, body: bytes, moment: datetime, *, truncated: str = "") -> Record:
    """A response record as capturing makes it; `head` has its lines ended by LF."""
    chunked = "chunked" in head
    return Record(
        type="response",
        id=record_id(),
        date=warc_date(moment),
        uri=uri,
        content_type="application/http; msgtype=response",
        headers=(("WARC-IP-Address", "192.0.2.7"), *([("WARC-Truncated", truncated)] if truncated else [])),
        block=f"HTTP/1.1 {head}\n\n".replace("\n", "\r\n").encode() + body,
        payload_digest=None if chunked else digest(body),
        store=body.startswith(b"\xff\xd8"),
    )


def request(answered: Record) -> Record:
    return Record(
        type="request",
        id=record_id(),
        date=answered.date,
        uri=answered.uri,
        content_type="application/http; msgtype=request",
        headers=(("WARC-Concurrent-To", f"<{answered.id}>"),),
        block=b"GET / HTTP/1.1\r\nHost: news.example\r\nAccept-Encoding: gzip\r\n\r\n",
    )


def records(number: int) -> list[Record]:
    """The 12 records of a capture after its warcinfo: every kind that the archiver writes."""
    site, moment = f"http://news.example/{number}", START + timedelta(minutes=number)
    page = PAGE.format(f"第{number}篇").encode()
    image, proxied = jpeg(2 * number), jpeg(2 * number + 1)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (page[:40], page[40:])) + b"0\r\n\r\n"
    html = "200 OK\nContent-Type: text/html; charset=utf-8\n"
    answers = [
        response(f"{site}/", f"{html}Content-Length: {len(page)}", page, moment),
        response(
            f"{site}/渡轮.jpg",
            f"200 OK\nContent-Type: image/jpeg\nContent-Length: {len(image)}",
            image,
            moment,
        ),
        response(f"{site}/chunked", f"{html}Transfer-Encoding: chunked", chunks, moment),
        response(f"{site}/coded", f"{html}Content-Encoding: gzip", gzip.compress(page, mtime=0), moment),
        response(
            f"https://images.weserv.nl/?url=news.example/{number}/渡轮.jpg",
            f"200 OK\nContent-Type: image/jpeg\nContent-Length: {len(proxied) + 999}",
            proxied[:-300],
            moment,
            truncated="disconnect",
        ),
        response(f"{site}/empty", "404 Not Found\nContent-Length: 0", b"", moment),
    ]
    source = source_record(f"# 第{number}篇\n\n正文。\n".encode(), "text/markdown")
    forms = (Form(form="origin", url=f"{site}/渡轮.jpg"),)
    reference = Reference(number=0, written="渡轮.jpg", url=f"{site}/渡轮.jpg", place="img-src", forms=forms)
    said = Article(
        kind="document",
        title=f"第{number}篇",
        url=f"{site}/",
        times=(ClaimedTime(clock="comment", written="NaN"),),
        references=(reference,),
        blocks=(Block(kind="paragraph", text="正文。"), Block(kind="picture", picture=0)),
    )
    article = note_record(ArticleNote(given="000.txt", article=said), source.id)
    fetch = FetchNote(
        url=f"{site}/渡轮.jpg",
        purpose="picture",
        outcome="whole",
        started=answers[1].date,
        article=article.id,
        references=(0,),
        form="origin",
        hops=(Hop(url=f"{site}/渡轮.jpg", response=answers[1].id, status=200),),
    )
    chain = chain_record("news.example", [b"\x30\x03\x02\x01\x05"], answers[0].id)
    return [
        source,
        article,
        *answers,
        request(answers[0]),
        request(answers[1]),
        note_record(fetch, answers[1].id),
        chain,
    ]


def make(root: Path, files: int = 3) -> Path:
    """An archive with that many sealed WARC files of RECORDS records each."""
    root.mkdir()
    with Archive(root).lock("archive"):
        Archive(root).create()
    grow(root, map(records, range(files)))
    return root


def grow(root: Path, files: Iterable[list[Record]]) -> None:
    """Seal further WARC files with these records each."""
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox, catalogue.writing(root) as db:
        for written in files:
            session = Session(archive, sandbox, db, {"software": "tests/archives.py"})
            session.append(written)
            session.seal()


# --- looking at it -------------------------------------------------------------------------------


def manifest(root: Path) -> commitment.Manifest:
    return commitment.load(root)


def warc(root: Path, number: int = 1) -> str:
    return manifest(root).warcs[number].path


def listed(root: Path, number: int = 1) -> str:
    return manifest(root).warcs[number].list.path


def members(root: Path, number: int = 1) -> list[bytes]:
    """The stored members of a WARC file."""
    data = (root / warc(root, number)).read_bytes()
    return [data[entry.offset : entry.offset + entry.length] for entry in entries(root, number)]


def entries(root: Path, number: int = 1) -> list[Entry]:
    return list(recordlist.read(root / listed(root, number)))


def files(root: Path) -> list[str]:
    """Everything that an archive commits or derives, without the lock and the memory of checks."""
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.endswith((".lock", "checks.json")))


# --- changing it ---------------------------------------------------------------------------------


def write(root: Path, name: str, data: bytes) -> None:
    """Replace a file, sealed or not."""
    (root / name).unlink(missing_ok=True)
    (root / name).write_bytes(data)


def change(root: Path, name: str, alter: Callable[[bytes], bytes]) -> None:
    before = (root / name).read_bytes()
    after = alter(before)
    assert after != before, "nothing was changed"
    write(root, name, after)


def put_members(root: Path, changed: Iterable[bytes], number: int = 1) -> None:
    change(root, warc(root, number), lambda _: b"".join(changed))


def repacked(member: bytes, alter: Callable[[bytes], bytes], level: int = 6) -> bytes:
    """A member with its record altered, compressed anew."""
    before = gzip.decompress(member)
    after = alter(before)
    assert after != before, "nothing was changed"
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(after) + packer.flush()


def put_lines(root: Path, changed: Iterable[bytes], number: int = 1) -> None:
    change(root, listed(root, number), lambda _: b"".join(changed))


def lines(root: Path, number: int = 1) -> list[bytes]:
    return (root / listed(root, number)).read_bytes().splitlines(keepends=True)


def relist(root: Path, number: int = 1) -> None:
    """Write the record list anew from the WARC file, as the one reader sees it."""
    with Sandbox() as sandbox:
        described = [entry for entry, _ in reader.entries(root, warc(root, number), sandbox)]
    put_lines(root, map(recordlist.encode, described), number)


def put_manifest(root: Path, value: Any) -> None:
    """Write JSON values as the manifest, in its canonical form as far as they allow it."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    change(root, commitment.NAME, lambda _: text.encode("utf-8", "surrogatepass"))


def raw_manifest(root: Path) -> Any:
    return json.loads((root / commitment.NAME).read_bytes())


def recommit(root: Path, *, tree: bool) -> None:
    """Make the manifest say what the files hold now: their bytes, and on demand tree and checkpoints too."""
    before, grown = manifest(root), Tree()
    warcs, notes = [], []
    for each in before.warcs:
        size, found = file_digest(root / each.path)
        list_size, list_found = file_digest(root / each.list.path)
        lines_there = list(recordlist.read(root / each.list.path))
        part = msgspec.structs.replace(each.list, bytes=list_size, digest=list_found)
        warcs.append(
            msgspec.structs.replace(each, bytes=size, digest=found, records=len(lines_there), list=part)
        )
        grown.extend(commitment.leaf_input(entry) for entry in lines_there)
        notes.append(commitment.Checkpoint(note=checkpoint.note(before.origin, grown.size, grown.root())))
    after = msgspec.structs.replace(before, warcs=tuple(warcs))
    if tree:
        head = commitment.tree_head(grown)
        after = msgspec.structs.replace(after, tree=head, checkpoints=tuple(notes))
    write(root, commitment.NAME, commitment.encode(after))


def at(place: int, alter: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    """Alter one of a file's members or lines."""
    return lambda parts: [*parts[:place], alter(parts[place]), *parts[place + 1 :]]


def flip(place: int) -> Callable[[bytes], bytes]:
    """Flip one bit of a byte; a negative place counts from the end."""
    return lambda data: data[: place % len(data)] + bytes([data[place] ^ 1]) + data[place % len(data) + 1 :]


def swap(one: int, other: int) -> Callable[[list[bytes]], list[bytes]]:
    def alter(parts: list[bytes]) -> list[bytes]:
        parts[one], parts[other] = parts[other], parts[one]
        return parts

    return alter


# What may stand in a file's place instead, and the code of the finding.
STAND_INS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "missing-file"),
    "folder": (Path.mkdir, "not-a-file"),
    "link": (lambda path: path.symlink_to(path.with_name("elsewhere")), "not-a-file"),
    "dead link": (lambda path: path.symlink_to("nowhere"), "not-a-file"),
    "pipe": (os.mkfifo, "not-a-file"),
    "endless device": (lambda path: path.symlink_to("/dev/zero"), "not-a-file"),
}


# --- asking --------------------------------------------------------------------------------------


def check(root: Path, sandbox: Sandbox, *, deep: bool = False) -> list[Finding]:
    return list(Verification(root, thorough=deep, sandbox=sandbox).findings())


def command(root: Path, *options: str) -> tuple[int, list[dict[str, object]]]:
    """Exit code and rows of `archiver verify --json`; no traceback may be among what it prints."""
    done = CliRunner().invoke(main, ["verify", str(root), "--json", *options])
    assert "Traceback" not in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def rows(findings: list[Finding], root: Path, number: int = 1) -> set[tuple[str, str, int | None]]:
    """Code, file (`warc` and `list` for those with this number) and record of each finding."""
    names = {warc(root, number): "warc", listed(root, number): "list"}
    return {(each.code, names.get(each.file, each.file), each.record) for each in findings}
