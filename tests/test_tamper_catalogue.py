"""The catalogue: derived, and still no byte or row of it changes unseen."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from archives import STAND_INS, check, command

from archiver.index import catalogue
from archiver.sandbox import Sandbox


def edit_catalogue(root: Path, sql: str) -> None:
    with closing(sqlite3.connect(root / catalogue.NAME)) as db:
        db.executescript(sql)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


SQL = {
    "row edited": "UPDATE articles SET title = 'forged' WHERE id = 1",
    "row deleted": "DELETE FROM times; DELETE FROM hops WHERE rowid = 1",
    "row added": "INSERT INTO pictures VALUES ('sha256:0', 'JPEG', 1, 1, 1, 'tiny')",
    "hash edited": "UPDATE picture_hashes SET value = '0000000000000000' WHERE label LIKE 'phash64/%'",
    "hash taken away": "DELETE FROM picture_hashes WHERE label LIKE 'phash64/%'",
    "kind edited": "UPDATE pictures SET kind = 'tiny'",
    "table dropped": "DROP TABLE hops",
    "endless view": """DROP TABLE times; CREATE VIEW times AS
        WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n)
        SELECT x AS article_id, x AS picture, x AS clock, x AS written, x AS value FROM n""",
    "article hidden from search": "INSERT INTO article_words (article_words, rowid, words)"
    " VALUES ('delete', 1, '正文 正 文')",
    "word added": "INSERT INTO article_words (rowid, words) VALUES (1, 'forged')",
    "view edited": "DROP VIEW failures; CREATE VIEW failures AS SELECT 1 AS id",
}


@pytest.mark.parametrize("forged", [False, True])
@pytest.mark.parametrize("name", SQL)
def test_catalogue_edited(name: str, forged: bool, root: Path, sandbox: Sandbox) -> None:
    """By its digest at once; by its rows with --deep, also where the digest was forged to fit."""
    edit_catalogue(root, SQL[name])
    if forged:
        catalogue._seal(root)
    quick = {(each.code, each.file) for each in check(root, sandbox)}
    assert quick == (set() if forged else {("catalogue-digest", "catalogue.db")})
    deep = {each.code for each in check(root, sandbox, deep=True)}
    schema = name in ("table dropped", "endless view", "view edited")
    assert deep - {"catalogue-digest"} == {"catalogue-schema" if schema else "catalogue-row"}
    assert command(root, "--deep")[0] == 4


def test_a_catalogue_of_an_earlier_version_is_no_damage(root: Path, sandbox: Sandbox) -> None:
    edit_catalogue(root, "DROP TABLE times; PRAGMA user_version = 1")
    catalogue._seal(root)
    assert [each.code for each in check(root, sandbox, deep=True)] == ["catalogue-unread"]
    assert command(root, "--deep")[0] == 3


def test_catalogue_row_doubled(root: Path, sandbox: Sandbox) -> None:
    """Where no key forbids it, a row may stand twice."""
    edit_catalogue(root, "INSERT INTO times SELECT * FROM times")
    catalogue._seal(root)
    assert [each.code for each in check(root, sandbox, deep=True)] == ["catalogue-row"]


@pytest.mark.parametrize("name", ["catalogue.db", "catalogue.sha256"])
@pytest.mark.parametrize("stand_in", ["folder", "pipe", "dead link", "endless device"])
def test_something_else_in_the_catalogues_place(
    name: str, stand_in: str, root: Path, sandbox: Sandbox
) -> None:
    (root / name).unlink()
    STAND_INS[stand_in][0](root / name)
    for deep in (False, True):
        assert "catalogue-digest" in {each.code for each in check(root, sandbox, deep=deep)}


@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_changes_beside_the_catalogue(end: str, root: Path, sandbox: Sandbox) -> None:
    """SQLite would read them as part of it."""
    (root / f"catalogue.db{end}").write_bytes(b"\x37\x7f\x06\x82" * 200)
    assert [each.code for each in check(root, sandbox)] == ["catalogue-changes"]
    assert command(root)[0] == 4


def test_catalogue_without_its_digest(root: Path, sandbox: Sandbox) -> None:
    (root / "catalogue.sha256").unlink()
    assert [(each.code, each.verdict) for each in check(root, sandbox)] == [
        ("catalogue-undigested", "unverifiable")
    ]
    assert check(root, sandbox, deep=True) == []


def test_no_catalogue_is_no_damage(root: Path, sandbox: Sandbox) -> None:
    (root / "catalogue.db").unlink()
    assert check(root, sandbox) == []
    (root / "catalogue.sha256").unlink()
    assert check(root, sandbox, deep=True) == []


def test_hashes_of_other_library_versions_are_not_compared(root: Path, sandbox: Sandbox) -> None:
    edit_catalogue(root, "UPDATE picture_hashes SET value = '00', label = 'older/' || label")
    catalogue._seal(root)
    assert check(root, sandbox, deep=True) == []
