"""How fast `archiver verify` is beside the checks of two peers, over the same WARC file.

What they do differs. `archiver verify` hashes every stored byte against the manifest and rebuilds
the tree; the peers inflate every record and compare the digests that the file itself holds.
"""

import argparse
import io
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from rounds import ARCHIVER, PEERS, measure, table

from archiver.archive import Archive
from archiver.digests import digest
from archiver.index import catalogue
from archiver.model import Record
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.warc.write import record_id, warc_date

PICTURE = 280  # pixels a side: a JPEG of noise, about 60 kB
WORDS = (
    "harbour",
    "ferry",
    "library",
    "council",
    "渡轮",
    "图书馆",
    "港口",
    "opened",
    "the",
    "new",
    "in",
    "spring",
)


def picture(source: random.Random) -> bytes:
    noise = Image.frombytes("RGB", (PICTURE, PICTURE), source.randbytes(PICTURE * PICTURE * 3))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=85)
    return out.getvalue()


def page(source: random.Random) -> bytes:
    words = " ".join(source.choices(WORDS, k=6000))
    return f"<!doctype html><title>{words[:40]}</title><p>{words}</p>".encode()


def response(number: int, media_type: str, body: bytes) -> Record:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return Record(
        type="response",
        id=record_id(),
        date=warc_date(datetime.now(UTC)),
        uri=f"http://pictures.news.example/{number}",
        content_type="application/http; msgtype=response",
        block=head + body,
        payload_digest=digest(body),
        store=media_type.startswith("image/"),
    )


def make(root: Path, megabytes: int) -> Path:
    """An archive with one WARC file of about that size, 7 pictures to 3 pages; returns the file."""
    source = random.Random(2026)
    archive = Archive(root)
    with archive.lock("benchmark"), Sandbox() as sandbox:
        archive.create()
        with catalogue.writing(root) as db:
            session = Session(archive, sandbox, db, {"software": "benchmarks/verify_speed.py"})
            written = number = 0
            while written < megabytes * 1_000_000:
                kinds = [("image/jpeg", picture(source)) for _ in range(7)]
                kinds += [("text/html", page(source)) for _ in range(3)]
                batch = [response(number + place, *kind) for place, kind in enumerate(kinds)]
                written += sum(entry.length for entry in session.append(batch))
                number += len(batch)
            session.seal()
            return root / session.sealed[-1].path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        start = time.perf_counter()
        warc = make(root, given.megabytes)
        size = warc.stat().st_size / 1_000_000
        print(f"{size:.0f} MB archived in {time.perf_counter() - start:.1f} s")
        times = measure(
            {
                "archiver verify": [str(ARCHIVER / "archiver"), "verify", str(root)],
                "warcio check": [str(PEERS / "warcio"), "check", str(warc)],
                "fastwarc check": [str(PEERS / "fastwarc"), "check", "--verify-payloads", str(warc)],
            },
            given.rounds,
        )
        print(table(times, "warcio check"))
        print(f"{size:.0f} MB, {given.rounds} rounds, the commands in turn.")


if __name__ == "__main__":
    main()
