"""An archive, exported as WACZ and imported into an empty one: the same articles, pictures and relations."""

import sqlite3
import zipfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import archives
import pytest
from commands import within
from mirrored import mirrored, save_twice

from archiver.browse.data.article import load_page
from archiver.browse.language import language

ROWS = {
    "articles": "SELECT title, url, kind, language, authors, archived, note_id, source_id FROM articles",
    "blocks": "SELECT note_id, number, b.kind, text, picture FROM blocks b"
    " JOIN articles a ON a.id = article_id",
    "times": "SELECT note_id, picture, clock, written, value FROM times JOIN articles a ON a.id = article_id",
    "pictures": "SELECT p.*, label, value FROM pictures p LEFT JOIN picture_hashes USING (payload_digest)",
    "forms": "SELECT a.note_id, p.number, f.number, f.form, f.url, x.note_id FROM forms f"
    " JOIN article_pictures p ON p.id = f.article_picture_id JOIN articles a ON a.id = p.article_id"
    " LEFT JOIN fetches x ON x.id = f.fetch_id",
    "fetches": "SELECT url, purpose, outcome, started, unchanged, form, status, response_id, payload_digest,"
    " note_id FROM fetches WHERE purpose <> 'robots'",
    "hops": "SELECT x.note_id, h.number, h.url, h.status, h.request_id, h.response_id FROM hops h"
    " JOIN fetches x ON x.id = fetch_id WHERE purpose <> 'robots'",
    "clusters": "SELECT * FROM picture_clusters",
    "pairs": "SELECT first, second, relation, whole FROM picture_pairs",
}  # fmt: skip


def rows(root: Path, sql: str) -> Counter[Any]:
    with closing(sqlite3.connect(root / "catalogue.db")) as connection:
        return Counter(connection.execute(sql).fetchall())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirrored article with its page, saved twice, signed: the second time nothing had changed."""
    folder = tmp_path_factory.mktemp("round")
    assert within("key", "make")[0] in (0, 2)
    with mirrored(folder, pictures=(archives.jpeg(1), archives.jpeg(2))) as mirror:
        save_twice(mirror, folder / "archive")
    return folder


@pytest.mark.parametrize("subject", ["--all", "1"])
def test_what_comes_back_from_a_wacz(world: Path, tmp_path: Path, subject: str) -> None:
    root, wacz = tmp_path / "mine", tmp_path / "the.wacz"
    done = within("export", "wacz", subject, "--in", str(world / "archive"), "--into", str(wacz))
    assert done[0] == 0, done
    done = within("import", str(wacz), "--into", str(root))
    assert done[0] == 0, done
    for name, sql in ROWS.items():
        assert rows(root, sql) == rows(world / "archive", sql), name
    (revisits,) = rows(root, "SELECT count(*) FROM records WHERE type = 'revisit'")
    assert revisits > (1,)
    assert within("verify", str(root))[0] in (0, 3)
    code, told, _ = within("lint", str(root / "imports/the.wacz"), "--json")
    assert (code, told[-1]["errors"]) == (0, 0)  # the proof of the first archive holds


def test_what_a_wacz_is_as_it_is_taken_in(world: Path, tmp_path: Path) -> None:
    root, wacz = tmp_path / "mine", tmp_path / "the.wacz"
    assert within("export", "wacz", "1", "--in", str(world / "archive"), "--into", str(wacz))[0] == 0
    changed = tmp_path / "then changed.wacz"
    with zipfile.ZipFile(wacz) as file, zipfile.ZipFile(changed, "w") as other:
        for name in file.namelist():
            other.writestr(name, file.read(name).replace(b'"title"', b'"Title"'))
    assert within("import", str(wacz), str(changed), "--into", str(root))[0] in (0, 3)
    columns = "hashes, signature, signed, proof, signer <> ''"
    assert rows(root, f"SELECT given, {columns} FROM imports") == Counter(  # noqa: S608
        [
            ("the.wacz", "hold", "holds", None, "holds", 1),
            ("then changed.wacz", "fail", "fails", None, "holds", 1),
        ]
    )
    with closing(sqlite3.connect(root / "catalogue.db")) as connection:
        connection.row_factory = sqlite3.Row
        page = load_page(connection, 1, language("en"))
    assert page
    assert page.checked.startswith("its hashes held then, and the signature by …")
