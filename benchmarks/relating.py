"""What comparing the pictures of an archive costs a picture. FOLDER holds photographs. Prints seconds and ms.

First N photographs, each as a proxy's copy and the publisher's own; then 5 N near-identical ones: renditions
and re-encodings of one photograph; then N next frames of it, in each of which something else has moved.
"""

import io
import resource
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from test_relating import article

from archiver import upkeep
from archiver.archive import Archive
from archiver.capture.records import source_record
from archiver.model import Record
from archiver.relating import relate
from archiver.sandbox import Sandbox
from archiver.session import Session


def saved(image: Image.Image, longest: int, quality: int, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    smaller = image.copy()
    smaller.thumbnail((longest, longest))
    smaller.save(out, kind, quality=quality)
    return out.getvalue()


def forms(photographs: list[Image.Image]) -> list[Record]:
    return [
        record
        for number, image in enumerate(photographs)
        for record in article(number, saved(image, 700, 75, "WEBP"), saved(image, 1000, 85))
    ]


def renditions(image: Image.Image, count: int) -> list[Record]:
    kinds = ("JPEG", "WEBP")
    made = (saved(image, 1000 - number, 40 + number % 55, kinds[number % 2]) for number in range(count))
    return [source_record(data, "image/jpeg") for data in made]


def frames(image: Image.Image, count: int) -> list[Record]:
    made, (width, height) = [], image.size
    for number in range(count):
        frame = image.copy()
        part = frame.crop((0, 0, width // 4, height // 4)).rotate(7 * number)
        frame.paste(part, (number * 37 % (width * 3 // 4), number * 23 % (height * 3 // 4)))
        made.append(source_record(saved(frame, 1000, 85), "image/jpeg"))
    return made


def spent() -> float:
    """CPU seconds of this process and of the child processes that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(name: str, records: list[Record]) -> None:
    """Into an archive of their own, and compared."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "archive"
        root.mkdir()
        archive = Archive(root)
        with archive.lock("archive"):
            archive.create()
            with Sandbox() as sandbox, upkeep.catalogue_of(archive, sandbox) as db:
                with closing(
                    Session(archive, sandbox, db, {"software": "benchmarks/relating.py"})
                ) as session:
                    session.append(records)
                    session.seal()
                sandbox.close()
                begun, start = spent(), time.monotonic()
                done = relate(db, root, sandbox)
                sandbox.close()
                took, wall = spent() - begun, time.monotonic() - start
                clusters = db.execute("SELECT count(DISTINCT cluster) FROM picture_clusters").fetchone()[0]
                kinds = db.execute("SELECT relation, count(*) FROM picture_pairs GROUP BY 1").fetchall()
    each = 1000 * took / done.pictures
    print(f"{name}: {done.pictures} pictures, {done.pairs} pairs judged, {took:.1f} s of CPU")
    print(f"    {each:.0f} ms of CPU a picture, {wall:.1f} s in all; {clusters} clusters; {dict(kinds)}")


def main(folder: Path, count: int) -> None:
    photographs = []
    for path in sorted(folder.iterdir())[:count]:
        with Image.open(path) as opened:
            opened.thumbnail((1100, 1100))
            photographs.append(opened.convert("RGB"))
    timed("proxy's copy and publisher's own", forms(photographs))
    timed("near-identical", renditions(photographs[0], 5 * count))
    timed("next frames", frames(photographs[0], count))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
