"""A re-encoding is compared once, and clusters are those that come of comparing every pair."""

from contextlib import closing
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from commands import query, within
from PIL import Image

from archiver import upkeep
from archiver.archive import Archive
from archiver.capture.records import source_record
from archiver.demo import encoding, scenes
from archiver.digests import digest
from archiver.index import catalogue
from archiver.index.clusters import cluster
from archiver.index.pairs import add_pair
from archiver.relating import compare, relate
from archiver.sandbox import Sandbox
from archiver.session import Session


@cache
def forms() -> list[bytes]:
    """Of one scene a thumbnail, the whole, re-encodings, a crop; of the next frame it and re-encodings."""
    scene = scenes.podium()
    frame = scene.copy()
    part = frame.crop((0, 0, frame.width // 4, frame.height // 3)).transpose(Image.Transpose.ROTATE_180)
    frame.paste(part, (frame.width // 2, frame.height // 3))
    crop = encoding.crop(scene, 10, 10, 75)
    whole = encoding.jpeg(encoding.rendition(scene, 480))
    return [
        encoding.jpeg(encoding.rendition(scene, 240)),
        whole,
        encoding.webp(encoding.rendition(scene, 400)),
        encoding.webp(encoding.rendition(frame, 480)),
        encoding.jpeg(encoding.rendition(crop, 400)),
        encoding.jpeg(encoding.rendition(frame, 360)),
        whole + b"and some bytes behind the picture",
        encoding.jpeg(encoding.rendition(scene, 320)),
        encoding.jpeg(encoding.rendition(frame, 280)),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> tuple[Path, int]:
    """An archive of them, and how many pairs were judged."""
    root = tmp_path_factory.mktemp("made") / "archive"
    root.mkdir()
    archive = Archive(root)
    with archive.lock("archive"):
        archive.create()
        with (
            upkeep.catalogue_of(archive, sandbox) as db,
            closing(Session(archive, sandbox, db, {"software": "tests/test_represented.py"})) as session,
        ):
            session.append([source_record(data, "image/jpeg") for data in forms()])
            session.seal()
    _, rows, text = within("status", str(root))
    assert "9 pictures not compared with the others yet" in text, rows
    with catalogue.writing(root) as db:
        judged = relate(db, root, sandbox).pairs
    return root, judged


def test_clusters_are_those_of_all_pairs(made: tuple[Path, int]) -> None:
    root, judged = made
    assert judged < 16  # of 36
    rows = query(root, "SELECT payload_digest, cluster FROM picture_clusters")
    with closing(catalogue.connect(Path(":memory:"))) as db:
        names = []
        for data in forms():
            names.append(digest(data))
            row = {"payload_digest": names[-1], "format": "JPEG", "width": 9, "height": 9, "bytes": 9}
            db.table("pictures").insert(row | {"kind": "photograph"})
        with Sandbox() as judge:
            for one, other in combinations(range(len(names)), 2):
                add_pair(db, names[one], names[other], compare(judge, forms()[one], forms()[other]), "test")
        cluster(db, names)
        all_pairs = db.execute("SELECT payload_digest, cluster FROM picture_clusters").fetchall()
    assert rows == all_pairs


def test_what_represents_a_picture(made: tuple[Path, int]) -> None:
    names = [digest(data) for data in forms()]
    rows = dict(query(made[0], "SELECT payload_digest, represented_by FROM compared_pictures"))
    found = [rows[name] and names.index(rows[name]) for name in names]
    assert found == [None, None, 1, None, None, 3, 1, 1, 3]


def test_a_pair_without_a_row_is_compared_when_it_is_asked_for(made: tuple[Path, int]) -> None:
    names = [digest(data) for data in forms()]
    found = []
    for options in ((), ("--of", names[7])):
        _, rows, _ = within("duplicates", str(made[0]), "--json", *options)
        members = [each for row in rows for each in row.get("members", ())]
        found += [each["to_best"] for each in members if each["payload_digest"] == names[7]]
    assert found[0] is None
    assert (found[1]["first"], found[1]["relation"]) == (names[6], "re-encoded")  # of most bytes
