"""The catalogue: filled only by the one reader, the same rows every time, and never in anybody's way."""

import hashlib
import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import archives
import msgspec
import pytest
import rows

from archiver import upkeep
from archiver.archive import Archive
from archiver.capture.records import note_record
from archiver.errors import RecordError, StorageError
from archiver.index import catalogue
from archiver.index.reader import NOTE_URI, describe, entries, note_of
from archiver.manifest import recordlist
from archiver.model import ArticleNote, FetchNote, Record
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.verify.catalogue import COMPARED
from archiver.warc.read import Member
from archiver.warc.write import WarcFile


def dump(path: Path) -> dict[str, list[Any]]:
    """All but what comparing pictures gave."""
    return rows.dump(path, without=COMPARED)


def warcs(root: Path) -> list[str]:
    return [warc.path for warc in Archive(root).manifest().warcs]


def member_of(folder: Path, record: Record) -> Member:
    path = folder / f"{record.id[-12:]}.warc.gz"
    with WarcFile(path, path.name) as file:
        file.append(record)
        file.sync()
    return Member(0, path.read_bytes())


# --- one record ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mime", "body", "reason"),
    [
        (
            "image/jpeg",
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
            "its format is HEIF, which is not decoded",
        ),
        (
            "text/html",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "its format is SVG, which is not decoded",
        ),
        ("image/png", b"<html>No such picture</html>", None),
        ("image/webp", b"GIF89a", "not decodable: not what its first bytes say"),
    ],
)
def test_picture_that_is_not_decoded_says_why(
    tmp_path: Path, sandbox: Sandbox, mime: str, body: bytes, reason: str | None
) -> None:
    head = f"200 OK\nContent-Type: {mime}"
    record = archives.response("http://x.example/p", head, body, datetime(2026, 1, 2, tzinfo=UTC))
    found = describe(member_of(tmp_path, record), sandbox)
    assert (found.picture, found.unreadable) == (None, reason)


def test_entries_are_the_record_list(root: Path, sandbox: Sandbox) -> None:
    for warc in Archive(root).manifest().warcs:
        listed = list(recordlist.read(root / warc.list.path))
        assert [entry for entry, _ in entries(root, warc.path, sandbox)] == listed
        assert [entry for entry, _ in entries(root, warc.path, sandbox, listed[5].offset)] == listed[5:]
        picture = listed[archives.PICTURE]
        assert picture.picture
        assert (picture.picture.format, picture.picture.width, picture.mime) == ("JPEG", 96, "image/jpeg")
        assert listed[archives.CHUNKED].payload_digest == listed[archives.HTML].payload_digest
        assert (listed[archives.CUT].truncated, listed[archives.CUT].picture) == ("disconnect", None)
        assert (listed[archives.EMPTY].status, listed[archives.EMPTY].payload_bytes) == (404, 0)


def test_what_cannot_be_read_is_named(root: Path, sandbox: Sandbox) -> None:
    warc = Archive(root).manifest().warcs[0]
    offset = list(recordlist.read(root / warc.list.path))[4].offset
    path = root / warc.path
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[offset + 5_00] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecordError, match=rf"{warc.path}: .*{offset}"):
        list(entries(root, warc.path, sandbox))
    with pytest.raises(RecordError, match=r"warcs/none\.warc\.gz"):
        list(entries(root, "warcs/none.warc.gz", sandbox))


def test_picture_that_cannot_be_decoded_says_why(tmp_path: Path, sandbox: Sandbox) -> None:
    record = archives.response(
        "http://a/", "200 OK\nContent-Type: image/png", b"\x89PNG\r\n\x1a\nnothing", archives.START
    )
    entry = describe(member_of(tmp_path, record), sandbox)
    assert entry.picture is None
    assert "not decodable" in (entry.unreadable or "")


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"type":"article"}',
        b'{"type":"fetch","url":1}',
        b"\xff",
        b'{"type":"x"}',
    ],
)
def test_note_that_is_none(tmp_path: Path, sandbox: Sandbox, block: bytes) -> None:
    record = note_record(FetchNote(url="http://a/", purpose="page", outcome="failed", started=""), None)
    member = member_of(tmp_path, msgspec.structs.replace(record, block=block))
    entry = describe(member, sandbox)
    with pytest.raises(RecordError, match="not a note"):
        note_of(entry, member.stored)
    other = msgspec.structs.replace(entry, uri="http://news.example/")
    assert note_of(other, member.stored) is None  # a metadata record of others
    assert (entry.uri or "").startswith(NOTE_URI)


# --- the same rows -------------------------------------------------------------------------------


def test_rebuild_gives_the_rows_that_capturing_gave(root: Path) -> None:
    path = root / catalogue.NAME
    incremental = dump(path)
    counts = {name: len(rows) for name, rows in incremental.items()}
    assert (counts["warcs"], counts["records"], counts["articles"], counts["forms"]) == (3, 39, 3, 3)
    assert len(incremental["pictures"]) == 3
    upkeep.rebuild(root)
    assert dump(path) == incremental
    path.unlink()
    assert upkeep.rebuild(root) == (39, [], [])
    assert {left.name for left in root.glob("*cat*")} == {catalogue.NAME, catalogue.DIGEST_NAME}
    assert dump(path) == incremental


def test_catching_up_from_any_record_gives_the_same_rows(
    root: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    """As after a kill: the catalogue has read a part of the last file, or of any before it."""
    whole = dump(root / catalogue.NAME)
    known = [
        (warc, entry.offset + entry.length)
        for warc in warcs(root)
        for entry, _ in entries(root, warc, sandbox)
    ]
    for number in (0, 1, 12, 13, 20, 38):
        folder = tmp_path / str(number)
        shutil.copytree(root, folder)
        for warc, end in known[: number + 1]:
            (folder / warc).chmod(0o644)
            (folder / warc).write_bytes((root / warc).read_bytes()[:end])
        with closing(catalogue.connect(folder / "part.db")) as db:
            catalogue.catch_up(db, folder, list(dict(known[: number + 1])), sandbox)
            for warc in warcs(root):
                (folder / warc).chmod(0o644)
                (folder / warc).write_bytes((root / warc).read_bytes())
            added = catalogue.catch_up(db, folder, warcs(root), sandbox)
        assert added == 38 - number
        assert dump(folder / "part.db") == whole


def test_rebuild_while_somebody_reads(root: Path) -> None:
    """An open reader goes on, sees its old rows to the end of its transaction, then the new ones."""
    path = root / catalogue.NAME
    whole = dump(path)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("DELETE FROM articles WHERE id = 1")
        writer.execute("UPDATE records SET uri = 'forged'")
        writer.commit()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        assert reader.execute("SELECT count(*) FROM articles").fetchone() == (2,)
        upkeep.rebuild(root)
        assert reader.execute("SELECT count(*) FROM articles").fetchone() == (3,)
        assert reader.execute("SELECT count(*) FROM records WHERE uri = 'forged'").fetchone() == (0,)
    assert dump(path) == whole


def test_rebuild_while_somebody_is_in_a_transaction(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either it waits and says what is in the way, or it works; the reader's rows never change under it."""
    path = root / catalogue.NAME
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *given, **more: connect(*given, **{"timeout": 0.2, **more})
    )
    with closing(connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("DELETE FROM articles WHERE id = 1")
        writer.commit()
    with closing(connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM articles").fetchone() == (2,)
        try:
            upkeep.rebuild(root)
        except StorageError as error:
            assert "Run" in error.advice or "run" in error.advice  # noqa: PT017 - the other way is success
        assert reader.execute("SELECT count(*) FROM articles").fetchone() == (2,)
        reader.execute("COMMIT")
    upkeep.rebuild(root)
    with closing(connect(path)) as again:
        assert again.execute("SELECT count(*) FROM articles").fetchone() == (3,)
    assert (root / catalogue.DIGEST_NAME).exists()


def test_digest_file_is_there_only_while_nobody_writes(root: Path) -> None:
    sidecar = root / catalogue.DIGEST_NAME

    def right() -> bool:
        found = hashlib.sha256((root / catalogue.NAME).read_bytes()).hexdigest()
        return sidecar.read_text() == f"{found}  catalogue.db\n"

    assert right()
    with catalogue.writing(root) as db:
        assert not sidecar.exists()
        db.execute("UPDATE records SET mime = 'x/y'")
    assert right()
    with pytest.raises(ZeroDivisionError), catalogue.writing(root):
        raise ZeroDivisionError
    assert not sidecar.exists()


# --- catalogues of others, and damaged ones ------------------------------------------------------


def sql(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return run


def header(offset: int, value: int) -> Callable[[Path], None]:
    """Change a 32-bit field of the database's header."""

    def run(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[offset : offset + 4] = struct.pack(">I", value)
        path.write_bytes(data)

    return run


def anew(path: Path) -> None:
    path.unlink()
    sql("CREATE TABLE notes (text)")(path)


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))
    path.symlink_to("elsewhere.db")


FOREIGN: dict[str, Callable[[Path], Any]] = {
    "text": lambda path: path.write_bytes(b"Dear diary,\n" * 500),
    "random": lambda path: path.write_bytes(random.Random(1).randbytes(5_000)),
    "first half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100]),
    "header only": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "other database": anew,
    "other application": sql("PRAGMA application_id = 7"),
    "newer layout": sql("PRAGMA user_version = 99"),
    "a table less": sql("DROP TABLE hops"),
    "a column less": sql("ALTER TABLE pictures DROP COLUMN bytes"),
    "an index less": sql("DROP INDEX fetches_by_url"),
    "a trigger more": sql("CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM articles; END"),
    "a view changed": sql("DROP VIEW failures", "CREATE VIEW failures AS SELECT 1 AS id"),
    "unknown format": header(44, 9),
    "link": link,
}


@pytest.mark.parametrize("what", FOREIGN)
def test_catalogue_of_another_kind_is_refused_and_replaced(root: Path, what: str) -> None:
    path = root / catalogue.NAME
    whole = dump(path)
    FOREIGN[what](path)
    with pytest.raises(RecordError, match=r"catalogue\.db") as refused, closing(catalogue.connect(path)):
        pass
    assert "archiver rebuild" in refused.value.advice
    upkeep.rebuild(root)
    assert dump(path) == whole
    assert not path.is_symlink()


@pytest.mark.parametrize("what", FOREIGN)
def test_next_run_makes_a_damaged_catalogue_anew(root: Path, sandbox: Sandbox, what: str) -> None:
    whole = dump(root / catalogue.NAME)
    FOREIGN[what](root / catalogue.NAME)
    archive = Archive(root)
    with archive.lock("archive"), upkeep.catalogue_of(archive, sandbox):
        pass
    assert dump(root / catalogue.NAME) == whole


@pytest.mark.slow
def test_rebuild_mends_any_flipped_bytes(root: Path) -> None:
    """At random places all over the file, and in the log that a kill leaves beside it."""
    path = root / catalogue.NAME
    whole, data, dice = dump(path), path.read_bytes(), random.Random(7)
    for _ in range(25):
        damaged = bytearray(data)
        for at in [dice.randrange(100), *(dice.randrange(len(data)) for _ in range(20))][dice.randrange(2) :]:
            damaged[at] = dice.randrange(256)
        path.write_bytes(damaged)
        Path(f"{path}-wal").write_bytes(dice.randbytes(4_000))
        upkeep.rebuild(root)
        assert dump(path) == whole


def test_folder_in_the_catalogues_place(root: Path) -> None:
    (root / catalogue.NAME).unlink()
    (root / catalogue.NAME).mkdir()
    with pytest.raises(StorageError, match=r"catalogue\.db"):
        upkeep.rebuild(root)


def test_empty_file_becomes_a_catalogue(root: Path) -> None:
    path = root / catalogue.NAME
    whole = dump(path)
    path.write_bytes(b"")
    upkeep.rebuild(root)
    assert dump(path) == whole


def test_schema_is_made_in_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill in the middle leaves an empty database, not half of a catalogue."""
    schema = catalogue._schema()
    monkeypatch.setattr(catalogue, "_schema", lambda: schema + "; SELECT no_such_function();")
    with pytest.raises(RecordError):
        catalogue.connect(tmp_path / "x.db")
    monkeypatch.undo()
    with closing(catalogue.connect(tmp_path / "x.db")) as db:
        assert db.table("records").exists()


# --- a catalogue that does not fit the files -----------------------------------------------------


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2), (1, 2), (2, 1, 0), ()])
def test_catalogue_of_other_files_is_not_extended(
    root: Path, sandbox: Sandbox, order: tuple[int, ...]
) -> None:
    paths = [warcs(root)[number] for number in order]
    with (
        closing(catalogue.connect(root / catalogue.NAME)) as db,
        pytest.raises(RecordError, match="other WARC files"),
    ):
        catalogue.catch_up(db, root, paths, sandbox)


def test_catalogue_that_has_read_more_than_there_is(root: Path, sandbox: Sandbox) -> None:
    warc = root / warcs(root)[1]
    warc.chmod(0o644)
    warc.write_bytes(warc.read_bytes()[:-10])
    with (
        closing(catalogue.connect(root / catalogue.NAME)) as db,
        pytest.raises(RecordError, match="more of warcs/"),
    ):
        catalogue.catch_up(db, root, warcs(root), sandbox)
    warc.unlink()
    with pytest.raises(RecordError, match=f"warcs/{warc.name}: No such file"):
        upkeep.rebuild(root)


# --- hostile notes -------------------------------------------------------------------------------


def hostile(**fields: Any) -> Record:
    note = FetchNote(url="http://a/", purpose="page", outcome="whole", started="2026", hops=())
    return note_record(msgspec.structs.replace(note, **fields), None)


@pytest.mark.parametrize("what", ["same id twice", "picture twice", "huge number", "huge status"])
def test_notes_that_fit_no_row(tmp_path: Path, sandbox: Sandbox, what: str) -> None:
    root = tmp_path / "archive"
    good = archives.records(0)
    article = next(record for record in good if b'"type":"article"' in record.block)
    note = msgspec.json.decode(article.block, type=ArticleNote)
    reference = note.article.references[0]
    references = {
        "picture twice": (reference, reference),
        "huge number": (msgspec.structs.replace(reference, number=1 << 63),),
    }.get(what, ())
    said = msgspec.structs.replace(note.article, references=references)
    changed = msgspec.structs.replace(note, article=said)
    hop = msgspec.structs.replace(archives.Hop(url="http://a/"), status=1 << 80)
    bad = {
        "same id twice": [article, article],
        "huge status": [hostile(hops=(hop,))],
    }.get(what, [note_record(changed, None)])
    archive = Archive(root)
    with archive.lock("archive"):
        archive.create()
        with catalogue.writing(root) as db:
            session = Session(archive, sandbox, db, {"software": "test"})
            with pytest.raises(RecordError):
                session.append(bad)
            session.close()
        archive.heal()
    with pytest.raises(RecordError, match="warcs/"):
        upkeep.rebuild(root)


def test_entry_of_no_record(sandbox: Sandbox) -> None:
    for stored in (b"", b"\x1f\x8b", b"WARC/1.1"):
        with pytest.raises(RecordError):
            describe(Member(0, stored), sandbox)
