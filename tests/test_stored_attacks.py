"""Nothing that was saved can run, load or hide anything: pages, tables, CSV, JSON, the terminal."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import query, within
from selectolax.lexbor import LexborHTMLParser, LexborNode
from stored_attacks import COUNT, RUN, SHOWN_TO_TERMINALS, TEXTS, make_archive, pages

from archiver.browse.server import build, close
from archiver.browse.tables.inert import Rows

pytestmark = pytest.mark.slow
# What can run, load something, or change a page, and is on none of ours; and attributes with URLs.
NEVER = "[style], [srcdoc], script, iframe, object, embed, base, meta[http-equiv], style, template, math"
LOADING = {
    "src",
    "href",
    "action",
    "formaction",
    "data",
    "poster",
    "srcset",
    "ping",
    "background",
    "xlink:href",
}
OURS = re.compile(r"/(?!/)|#|\?|https?://|\Z")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)


class Served:
    def __init__(self, root: Path) -> None:
        self.root, self.datasette = root, build(root)

    def get(self, path: str) -> Any:
        return asyncio.run(self.datasette.client.get(path))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("attacks") / "archive"
    make_archive(root)
    served = Served(root)
    yield served
    close(served.datasette)


def test_there_are_enough_and_they_are_in_the_archive(served: Served) -> None:
    assert COUNT >= 50
    titles = {title for (title,) in query(served.root, "SELECT title FROM articles")}
    assert len(titles & set(TEXTS.values())) >= 30
    ((authors,),) = query(served.root, "SELECT count(*) FROM articles WHERE authors LIKE '%alert(pwned%'")
    ((given,),) = query(served.root, "SELECT count(*) FROM articles WHERE given LIKE '%onerror%'")
    ((said,),) = query(served.root, "SELECT count(*) FROM picture_metadata WHERE value LIKE '%alert(pwned%'")
    assert authors > 10
    assert given
    assert said


def test_no_page_runs_or_loads_anything_of_it(served: Served) -> None:
    for path in pages(served.root):
        answer = served.get(path)
        ours = path.startswith("/-/") or path == "/"
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert ("script-src" in policy) == (not ours), path
        assert not SHOWN_TO_TERMINALS.difference("\r").intersection(answer.text) or not ours, path
        assert "7777777" not in answer.text, path  # 1111111 * 7
        tree = LexborHTMLParser(answer.text)
        assert tree.root is not None
        assert not ours or [node.html for node in tree.css(NEVER)] == [], path
        for node in tree.root.traverse(include_text=False):
            check(node, path, ours=ours)


def check(node: LexborNode, path: str, *, ours: bool) -> None:
    where = f"{path}: {(node.html or '')[:200]}"
    if not ours and node.tag in ("script", "style"):  # Datasette's own, on its own pages
        assert RUN not in node.text(), where
    for name, value in node.attributes.items():
        assert not name.startswith("on"), where
        if name in LOADING:
            assert OURS.match(value or ""), where
            assert name == "href" or not (value or "").startswith("http"), where


def test_bytes_are_no_pages(served: Served) -> None:
    rows = query(
        served.root, "SELECT id, payload_digest FROM records WHERE uri LIKE '%/body/%' AND type = 'response'"
    )
    assert len(rows) >= 16
    for number, digest in rows:
        for kind in ("payload", "member"):
            answer = served.get(f"/-/records/{number}/{kind}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/octet-stream"
            assert re.fullmatch(r'attachment; filename="[a-z0-9.-]+"', answer.headers["content-disposition"])
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert answer.headers["x-content-type-options"] == "nosniff"
        answer = served.get(f"/-/media/{digest[7:]}")
        shown = answer.headers["content-type"]
        assert shown.startswith("image/") or (answer.status_code, shown[:9]) == (415, "text/html")
        assert "svg" not in shown
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_tables_as_csv_and_json(served: Served) -> None:
    for table in (
        "articles",
        "blocks",
        "fetches",
        "article_pictures",
        "picture_metadata",
        "times",
        "failures",
    ):
        answer = served.get(f"/catalogue/{table}.csv?_size=max")
        assert answer.headers["x-content-type-options"] == "nosniff"
        rows = list(csv.reader(io.StringIO(answer.text, newline="")))
        ((count,),) = query(served.root, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of this file
        assert len(rows) == count + 1
        assert {len(row) for row in rows} == {len(rows[0])}
        for cell in (cell for row in rows for cell in row):
            assert NUMBER.fullmatch(cell) or not re.match(r"\s*[=+\-@＝＋－＠]", cell), cell
            assert not SHOWN_TO_TERMINALS.intersection(cell), cell
        answer = served.get(f"/catalogue/{table}.json?_size=max&_shape=array")
        assert answer.headers["content-type"].startswith("application/json")
        assert not SHOWN_TO_TERMINALS.intersection(answer.text)
        assert len(json.loads(answer.text)) == count


def test_json_keeps_what_csv_disarms(served: Served) -> None:
    titles = [row["title"] for row in served.get("/catalogue/articles.json?_size=max&_shape=array").json()]
    assert TEXTS["formula"] in titles
    rows = csv.DictReader(io.StringIO(served.get("/catalogue/articles.csv?_size=max").text, newline=""))
    assert f"'{TEXTS['formula']}" in [row["title"] for row in rows]


def test_the_terminal_shows_text(served: Served) -> None:
    root = str(served.root)
    for command in (
        *(("show", str(number), "--in", root) for number in (1, 50, 60, 95)),
        ("status", "--failures", root),
        ("search", "alert", "--in", root),
        ("duplicates", root),
    ):
        for arguments in (command, (*command, "--json")):
            code, _, text = within(*arguments)
            assert code in (0, 3), text
            assert not SHOWN_TO_TERMINALS.intersection(text), arguments


@pytest.mark.parametrize(
    ("row", "inert"),
    [
        ("a,b\r\n", "a,b\r\n"),
        ("=1,+1,-1,@1,-1.5,+2e3,-\r\n", "'=1,+1,-1,'@1,-1.5,+2e3,'-\r\n"),
        ('"=1+1,""x""",2\r\n', '"\'=1+1,""x""",2\r\n'),
        ('"a\r\n=1",b\r\n', '"a\r\n=1",b\r\n'),
        (",,=\r\n", ",,'=\r\n"),
        ("\t=1,  -x\r\n", "'\t=1,'  -x\r\n"),
        ("a\x1b[2J\x00\u202eb,＝1\r\n", "a[2Jb,'＝1\r\n"),
        ("=no end", "'=no end"),
        ('"=no end', "\"'=no end"),
        ("", ""),
    ],
)
def test_csv_in_pieces(row: str, inert: str) -> None:
    data, expected = f"id\n{row}".encode(), f"id\n{inert}".encode().replace(b"a\r\n=", b"a\n=")
    for size in (1, 2, 3, 7, len(data)):
        rows = Rows()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        got = b"".join(rows.take(piece, last=False) for piece in pieces) + rows.take(b"", last=True)
        assert got == expected, size
