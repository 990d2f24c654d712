"""Pictures are compared once; clusters follow from pairs and marks alone; a rebuild gives the same."""

import io
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import archives
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlite_utils import Database

from archiver import upkeep
from archiver.archive import Archive
from archiver.capture.records import note_record, source_record
from archiver.demo import encoding, scenes
from archiver.digests import digest
from archiver.index import catalogue
from archiver.index.clusters import cluster, grow, members, note_mark
from archiver.index.pairs import add_pair, pair_of, pair_words
from archiver.model import (
    Article,
    ArticleNote,
    Box,
    Comparison,
    Entry,
    Evidence,
    FetchNote,
    Form,
    Hop,
    MarkNote,
    Record,
    Reference,
    Relation,
)
from archiver.relating import FOLDER, behind, complete, relate, relate_quietly
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.verify.catalogue import COMPARED

NAMES = [f"sha256:{number:064x}" for number in range(5)]


@pytest.fixture
def db() -> Iterator[Database]:
    """A catalogue with five pictures and nothing else."""
    with closing(catalogue.connect(Path(":memory:"))) as db:
        for name in NAMES:
            row = {"payload_digest": name, "format": "JPEG", "width": 9, "height": 9, "bytes": 9}
            row["kind"] = "photograph"
            db.table("pictures").insert(row)
        yield db


def pair(db: Database, one: int, other: int, relation: Relation) -> None:
    add_pair(db, NAMES[min(one, other)], NAMES[max(one, other)], Comparison(relation=relation), "test")
    grow(db, NAMES[one], {NAMES[other]: relation})


def mark(db: Database, one: int, other: int, said: Any, number: int) -> None:
    note = MarkNote(pictures=(NAMES[one], NAMES[other]), said=said, reason="test")
    entry = Entry(offset=0, length=1, digest=NAMES[0], type="metadata", id=f"urn:{number}", date="")
    note_mark(db, entry, note)


def found(db: Database) -> set[str]:
    """Clusters as words of digits: {"012", "34"}."""
    rows = db.execute("SELECT cluster, group_concat(substr(payload_digest, -1), '') FROM"
                      " (SELECT * FROM picture_clusters ORDER BY 1) GROUP BY cluster")  # fmt: skip
    return {members for _, members in rows}


# --- clusters ------------------------------------------------------------------------------------


def test_only_what_is_the_same_is_merged(db: Database) -> None:
    pair(db, 0, 1, "re-encoded")
    pair(db, 1, 2, "cropped")
    pair(db, 2, 3, "edited-or-neighbouring")
    pair(db, 3, 4, "locally-changed")
    assert found(db) == {"012"}


def test_nothing_is_merged_through_a_third(db: Database) -> None:
    """A small rendition that fits two neighbouring frames goes to the one that it is nearer to."""
    pair(db, 0, 1, "edited-or-neighbouring")
    pair(db, 1, 2, "cropped")
    pair(db, 0, 2, "re-encoded")
    pair(db, 1, 3, "re-encoded")
    assert found(db) == {"02", "13"}


def test_two_crops_that_share_nothing_are_one_photograph(db: Database) -> None:
    pair(db, 0, 1, "cropped")
    pair(db, 0, 2, "cropped")
    pair(db, 1, 2, "different")
    assert found(db) == {"012"}


def test_a_person_has_the_last_word(db: Database) -> None:
    pair(db, 0, 1, "re-encoded")
    pair(db, 1, 2, "re-encoded")
    mark(db, 2, 0, "not-same", 1)
    assert found(db) == {"01"}
    mark(db, 0, 1, "not-same", 2)
    assert found(db) == {"12"}
    mark(db, 0, 2, "withdrawn", 3)
    mark(db, 0, 1, "withdrawn", 4)
    assert found(db) == {"012"}


RELATIONS = st.sampled_from(["re-encoded", "cropped", "overlapping", "edited-or-neighbouring", "different"])
GRAPHS = st.dictionaries(st.sampled_from([*combinations(range(5), 2)]), RELATIONS)


@settings(max_examples=30)
@given(GRAPHS, st.randoms(use_true_random=False), st.sets(st.sampled_from([*combinations(range(5), 2)])))
def test_clusters_are_the_same_in_whatever_order_pairs_came(
    graph: dict[tuple[int, int], Relation], dice: Any, marks: set[tuple[int, int]]
) -> None:
    seen = []
    for _ in range(2):
        with closing(catalogue.connect(Path(":memory:"))) as db:
            for name in NAMES:
                row = {"payload_digest": name, "format": "JPEG", "width": 9, "height": 9, "bytes": 9}
                row["kind"] = "photograph"
                db.table("pictures").insert(row)
            steps = [*graph.items(), *((each, "mark") for each in sorted(marks))]
            dice.shuffle(steps)
            for number, ((one, other), what) in enumerate(steps):
                if what == "mark":
                    mark(db, one, other, "not-same", number)
                else:
                    pair(db, one, other, what)
            seen.append(found(db))
            cluster(db, NAMES)
            assert found(db) == seen[-1]
            for group in seen[-1]:
                inside = set(combinations(map(int, sorted(group)), 2))
                assert not inside & marks
                assert all(graph.get(each) != "edited-or-neighbouring" for each in inside)
    assert seen[0] == seen[1]


def test_the_best_is_the_largest_and_not_a_proxys(db: Database) -> None:
    db.execute("UPDATE pictures SET width = 20 WHERE payload_digest IN (?, ?)", NAMES[1:3])
    db.execute("UPDATE pictures SET bytes = 10 WHERE payload_digest = ?", NAMES[2:3])
    pair(db, 0, 1, "re-encoded")
    pair(db, 1, 2, "re-encoded")
    assert [each.payload_digest for each in members(db, NAMES[0])] == [NAMES[2], NAMES[1], NAMES[0]]


def test_a_comparison_comes_back_from_its_row(db: Database) -> None:
    box = Box(left=0.05, top=0.08, width=0.93, height=0.78)
    evidence = Evidence(distance=90, inliers=312, blocks=0.97, affine=(1.0, 0, 0.05, 0, 1, 0.08))
    whole = Comparison(
        relation="overlaid",
        whole="first",
        box=box,
        boxes=(box,),
        turn="mirrored",
        degrees=1.5,
        evidence=evidence,
        reason="because",
    )
    add_pair(db, NAMES[0], NAMES[1], whole, "test")
    assert pair_of(db, NAMES[1], NAMES[0]) == (NAMES[0], NAMES[1], whole)
    said = pair_words(whole, "A", "B")
    assert "B shows of A 73 %, from 5 % left and 8 % top" in said
    assert "mirrored" in said
    assert "in A at 5 % left, 8 % top (93 % by 78 %)" in said


# --- an archive ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """Four files of one painted scene, two with the same pixels; another scene, plain ones, no picture."""
    scene, other = scenes.podium(), scenes.marsh()
    small = encoding.rendition(scene, 320)
    white, black = (encoding.png(Image.new("RGB", (90, 90), colour)) for colour in ("white", "black"))
    lossless = [io.BytesIO(), io.BytesIO()]
    small.save(lossless[0], "PNG", compress_level=1)
    small.save(lossless[1], "PNG", compress_level=9)
    return [
        encoding.jpeg(encoding.rendition(scene, 480)),
        encoding.webp(small),
        encoding.jpeg(encoding.rendition(other, 400)),
        lossless[0].getvalue(),
        white,
        lossless[1].getvalue(),
        b"\x89PNG\r\n\x1a\nnothing",
        black,
    ]


def article(number: int, proxied: bytes, origin: bytes) -> list[Record]:
    """An article with one picture, both forms of which came."""
    site, moment = f"http://news.example/{number}", archives.START + timedelta(minutes=number)
    urls = (f"https://images.weserv.nl/?url=news.example/{number}/a.jpg", f"{site}/a.jpg")
    forms = (Form(form="proxied", url=urls[0], proxy="weserv"), Form(form="origin", url=urls[1]))
    reference = Reference(number=0, written=urls[0], url=urls[0], place="img-src", forms=forms)
    source = source_record(f"# {number}".encode(), "text/markdown")
    said = Article(kind="document", title=str(number), url=site, references=(reference,))
    noted = note_record(ArticleNote(given="a.txt", article=said), source.id)
    records = [source, noted]
    for form, data in zip(forms, (proxied, origin), strict=True):
        head = f"200 OK\nContent-Type: image/jpeg\nContent-Length: {len(data)}"
        answer = archives.response(form.url, head, data, moment)
        note = FetchNote(
            url=form.url,
            purpose="picture",
            outcome="whole",
            started=answer.date,
            article=noted.id,
            references=(0,),
            form=form.form,
            hops=(Hop(url=form.url, response=answer.id, status=200),),
        )
        records += [answer, note_record(note, answer.id)]
    return records


def compared(root: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(root / catalogue.NAME)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in COMPARED}  # noqa: S608


@pytest.fixture(scope="module")
def grown(pictures: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four articles, saved by a run each, the pictures compared after each run."""
    root = tmp_path_factory.mktemp("grown") / "archive"
    root.mkdir()
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox:
        archive.create()
        for number in range(4):
            with upkeep.catalogue_of(archive, sandbox) as db:
                session = Session(archive, sandbox, db, {"software": "tests/test_relating.py"})
                session.append(article(number, *pictures[2 * number : 2 * number + 2]))
                session.seal()
                relate(db, root, sandbox)
    return root


def test_what_the_pictures_have_to_do_with_each_other(grown: Path, pictures: list[bytes]) -> None:
    names = [digest(data) for data in pictures]
    with closing(sqlite3.connect(grown / catalogue.NAME)) as db:
        clusters = db.execute("SELECT payload_digest, cluster FROM picture_clusters").fetchall()
        pairs = [pair_of(db, names[0], names[1]), pair_of(db, names[3], names[5])]
        assert not behind(db)
        flat = pair_of(db, names[4], names[5])
    same = {name for name, _ in clusters}
    assert {names[0], names[1], names[3], names[5]} <= same
    assert not same & {names[2], names[4], names[6]}
    assert len({cluster for _, cluster in clusters}) == 1
    assert [each and each[2].relation for each in pairs] == ["re-encoded", "same-pixels"]
    assert flat
    assert flat[2].relation == "different"  # a proxy's copy and the publisher's own are always compared


def test_rebuilt_the_same(grown: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(grown, tmp_path / "archive"))
    upkeep.rebuild(root)
    assert compared(root) == compared(grown)
    for path in (grown / FOLDER).iterdir():
        assert path.name == "state.json" or (root / FOLDER / path.name).read_bytes() == path.read_bytes()


def again(root: Path, sandbox: Sandbox, stops: int = 10**9) -> tuple[int, int]:
    """Compare; asked to stop before so many pictures. How many were compared, and how many are left."""
    asked = iter(range(stops))
    with catalogue.writing(root) as db:
        done = relate(db, root, sandbox, stop=lambda: next(asked, None) is None)
    return done.pictures, done.left


def emptied(root: Path, kept: int = 0) -> None:
    """Take the rows of all pictures but the first few away."""
    with closing(sqlite3.connect(root / catalogue.NAME, isolation_level=None)) as connection:
        connection.execute("DELETE FROM compared_pictures WHERE id > ?", [kept])
        connection.execute(
            "DELETE FROM picture_pairs WHERE first NOT IN (SELECT payload_digest FROM compared_pictures)"
            " OR second NOT IN (SELECT payload_digest FROM compared_pictures)"
        )
        connection.execute("DELETE FROM picture_clusters")
        connection.execute("DELETE FROM compared_forms")


def test_it_goes_on_where_it_stopped(grown: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Between pictures, and after a kill that left the index before the rows, behind them, or damaged."""
    root = Path(shutil.copytree(grown, tmp_path / "archive"))
    emptied(root, 3)
    assert again(root, sandbox, 0) == (0, 4)
    behind_rows = Path(shutil.copytree(root / FOLDER, tmp_path / "index"))
    assert again(root, sandbox, 2) == (2, 2)
    shutil.rmtree(root / FOLDER)
    behind_rows.rename(root / FOLDER)
    assert again(root, sandbox, 3) == (1, 1)  # asked before both that the index lacks, too
    (root / FOLDER / "rows.bin").write_bytes(b"damaged")
    assert again(root, sandbox) == (1, 0)
    assert compared(root) == compared(grown)
    assert again(root, sandbox) == (0, 0)


@pytest.mark.parametrize("what", ["missing", "behind", "damaged", "a link"])
def test_an_index_that_does_not_fit_is_made_anew(
    grown: Path, tmp_path: Path, sandbox: Sandbox, what: str
) -> None:
    """Also when no picture is new: else nothing would be found in it."""
    root = Path(shutil.copytree(grown, tmp_path / "archive"))
    if what == "damaged":
        (root / FOLDER / "features.bin").write_bytes(bytes((root / FOLDER / "features.bin").stat().st_size))
    elif what == "a link":
        elsewhere = (root / FOLDER).rename(tmp_path / "elsewhere")
        (root / FOLDER).symlink_to(elsewhere)
    else:
        shutil.rmtree(root / FOLDER)
    if what == "behind":
        (root / FOLDER).mkdir()
    with catalogue.writing(root) as db:
        assert not complete(db, root)
        relate(db, root, sandbox)
        assert complete(db, root)
    assert not (root / FOLDER).is_symlink()
    assert what != "a link" or (tmp_path / "elsewhere" / "state.json").exists()
    assert (root / FOLDER / "features.bin").read_bytes() == (grown / FOLDER / "features.bin").read_bytes()


def test_a_capture_does_not_fail_because_this_did(grown: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    root = Path(shutil.copytree(grown, tmp_path / "archive"))
    emptied(root)
    shutil.rmtree(root / FOLDER)
    os.mkfifo(root / FOLDER)
    said: list[str] = []
    with catalogue.writing(root) as db:
        relate_quietly(db, root, sandbox, said.append)
    assert "not all pictures were compared" in said[0].lower()


def test_verify_compares_other_rows_only(grown: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    root = Path(shutil.copytree(grown, tmp_path / "archive"))
    with catalogue.writing(root) as db:
        db.execute("UPDATE picture_pairs SET inliers = inliers + 1")
    assert archives.check(root, sandbox, deep=True) == []
