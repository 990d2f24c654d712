"""Files of others: taken in as they are, and what they hold has the rows of an own capture."""

import asyncio
import io
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import archives
import crawls
import foreign_files as files
import pytest
from commands import archiver, query, within
from rows import dump
from sqlite_utils import Database
from warcio.archiveiterator import ArchiveIterator

from archiver.browse.data.article import load_page
from archiver.browse.language import language
from archiver.browse.server import build, close
from archiver.config import Settings
from archiver.importing import import_files
from archiver.index.memory import Memory

SITE = crawls.SITE


def imported(root: Path, *given: str | Path, code: int = 0) -> list[dict[str, Any]]:
    found, rows, text = within("import", *map(str, given), "--into", str(root), "--json")
    assert found == code, text
    return rows


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same crawl in every shape."""
    folder = tmp_path_factory.mktemp("crawl")
    for name, data in crawls.shapes().items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def archive(crawl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archive") / "mine"
    imported(root, crawl / "crawl.warc")
    return root


def test_what_is_told_of_a_file(archive: Path, crawl: Path) -> None:
    taken, summary = imported(archive, crawl / "crawl.warc")
    assert (taken["held"], taken["path"]) == (True, "imports/crawl.warc")
    assert (summary["files"], summary["held"], summary["warcs"], summary["run"]) == (0, 1, [], None)
    ((kind, stored, records, gaps, software, given),) = query(
        archive, "SELECT kind, stored, records, gaps, software, given FROM imports"
    )
    assert (kind, stored, records, gaps) == ("warc", "copied", len(crawls.crawl()), 0)
    assert (software, given) == ("Crawler/3.2", "crawl.warc")
    assert (archive / "imports/crawl.warc").read_bytes() == (crawl / "crawl.warc").read_bytes()


def test_the_article_with_its_pictures(archive: Path) -> None:
    assert query(archive, "SELECT kind, title, url, archived, given FROM articles ORDER BY id") == [
        ("page", "The ferry sails again", f"{SITE}/a", "2019-03-04T05:06:08Z", "crawl.warc"),
        ("item", "The ferry sails again", f"{SITE}/a", "2019-03-04T05:06:10Z", "crawl.warc"),
        ("page", "The ferry sails again", f"{SITE}/a-again", "2019-03-04T05:06:30Z", "crawl.warc"),
    ]
    assert query(archive, "SELECT kind, title FROM listings") == [("feed", "News")]
    forms = query(
        archive,
        "SELECT p.number, f.form, f.url, x.outcome, i.format, x.imported FROM forms f JOIN article_pictures p"
        " ON p.id = article_picture_id LEFT JOIN fetches x ON x.id = fetch_id"
        " LEFT JOIN pictures i USING (payload_digest) WHERE p.article_id = 1 ORDER BY f.id",
    )
    assert forms == [
        (0, "origin", f"{SITE}/one.jpg", "whole", "JPEG", 1),
        (1, "proxied", crawls.PROXIED, "whole", "JPEG", 1),
        (1, "origin", f"{SITE}/two.jpg", "whole", "JPEG", 1),
        (2, "origin", f"{SITE}/gone.jpg", "refused", None, 1),
        (3, "origin", f"{SITE}/moved.jpg", "whole", "JPEG", 1),
    ]


def test_what_came_of_each_url(archive: Path) -> None:
    found = query(
        archive,
        "SELECT replace(url, 'http://news.example', ''), purpose, outcome, reason, article_id,"
        " (SELECT count(*) FROM hops WHERE fetch_id = fetches.id) FROM fetches ORDER BY id",
    )
    lost = "a revisit of a body that is not in this archive"
    assert [(*row[:3], re.sub(r" after \d+ bytes", "", row[3]), *row[4:]) for row in found] == [
        ("/robots.txt", "robots", "whole", "", None, 1),
        ("/", "page", "whole", "", None, 1),
        ("/start", "page", "whole", "", None, 2),
        ("/feed", "page", "whole", "", None, 1),
        ("/one.jpg", "picture", "whole", "", 1, 1),
        ("/two.jpg", "picture", "whole", "", 1, 1),
        (crawls.PROXIED, "picture", "whole", "", 1, 1),
        ("/gone.jpg", "picture", "refused", "status 404", 1, 1),
        ("/moved.jpg", "picture", "whole", "", 1, 2),
        ("/cut.jpg", "picture", "partial", "cut: length", None, 1),
        ("/short.jpg", "picture", "partial", "cut: its Content-Length is 99999", None, 1),
        ("/by-digest.jpg", "picture", "whole", "", None, 1),
        ("/by-digest-too.jpg", "picture", "whole", "", None, 1),
        ("/a-again", "page", "whole", "", None, 1),
        ("/lost.jpg", "picture", "partial", lost, None, 1),
    ]
    assert query(archive, "SELECT count(*) FROM failures") == [(0,)]  # nobody here asked for them


def test_answers_requests_and_revisits_are_told_together(archive: Path) -> None:
    ((request, response),) = query(
        archive,
        "SELECT request_id, hops.response_id FROM hops JOIN fetches ON fetches.id = fetch_id"
        " WHERE fetches.url LIKE '%.example/one.jpg'",
    )
    assert int(response[-12:], 16) == int(request[-12:], 16) + 1
    (again,) = query(
        archive,
        "SELECT r.refers_to, r.payload_digest = o.payload_digest, f.payload_digest = o.payload_digest"
        " FROM records r JOIN records o ON o.record_id = r.refers_to"
        " JOIN fetches f ON f.response_id = r.record_id WHERE r.uri LIKE '%/by-digest.jpg'",
    )
    assert again == (response, 1, 1)


CONTENT = (
    "SELECT kind, title, url, archived FROM articles ORDER BY 1, 2, 3",
    "SELECT article_id, kind, text FROM blocks ORDER BY article_id, number",
    "SELECT url, purpose, outcome, reason, payload_digest, started, form FROM fetches ORDER BY 1, 2, 3",
    "SELECT f.form, f.url, payload_digest FROM forms f LEFT JOIN fetches x ON x.id = fetch_id ORDER BY 1, 2",
    "SELECT * FROM picture_hashes ORDER BY 1, 2",
    "SELECT * FROM picture_clusters ORDER BY 1, 2",
    "SELECT type, date, payload_digest FROM records WHERE date < '2020' ORDER BY 1, 2, 3",
)


@pytest.mark.parametrize("name", [name for name in crawls.shapes() if name != "crawl.warc"])
def test_every_kind_of_file_gives_the_same(name: str, crawl: Path, archive: Path, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    (taken, _) = imported(root, crawl / name)
    assert (taken["records"], taken["gaps"]) == (len(crawls.crawl()), [])
    for sql in CONTENT:
        assert query(root, sql) == query(archive, sql), sql
    if name.endswith("wacz"):
        assert query(root, "SELECT title, main_page FROM imports") == [("A bay", f"{SITE}/a")]
    ((transcript,),) = query(root, "SELECT transcript FROM imports")
    hidden = name in ("stream.warc.gz", "deflated.wacz")
    assert transcript == (f"imports/{name}.transcript.warc.gz" if hidden else "")


def test_a_rebuild_gives_the_same_rows_and_verify_is_content(archive: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(archive, root, symlinks=True)
    before = dump(root / "catalogue.db")
    assert within("rebuild", str(root))[0] == 0
    assert dump(root / "catalogue.db") == before
    code, rows, _ = within("verify", str(root), "--deep", "--json")
    assert code in (0, 3), rows
    assert [row for row in rows if row.get("verdict") in ("failed", "incomplete")] == []


def test_another_archives_files_have_its_rows(tmp_path: Path) -> None:
    """Its own notes count, and none are made beside them."""
    theirs, root = archives.make(tmp_path / "theirs", files=1), tmp_path / "mine"
    (taken, summary) = imported(root, theirs / "warcs", code=0)[-2:]
    assert (taken["records"], summary["articles"]) == (archives.RECORDS, 1)
    for table in ("articles", "blocks", "times", "article_pictures", "forms", "pictures"):
        assert query(root, f"SELECT * FROM {table}") == query(theirs, f"SELECT * FROM {table}"), table  # noqa: S608
    columns = "url, purpose, outcome, started, article_id, form, status, response_id, note_id"
    for sql in (f"SELECT {columns} FROM fetches", "SELECT record_id, digest FROM records LIMIT 13"):  # noqa: S608
        theirs_rows = query(theirs, sql)
        assert query(root, sql)[: len(theirs_rows)] == theirs_rows


# --- what is believed -----------------------------------------------------------------------------

NOTE = {"WARC_Type": "metadata", "Content_Type": "application/json"}


def test_what_another_archive_had_imported_was_saved_when_it_was(archive: Path, tmp_path: Path) -> None:
    imported(tmp_path / "mine", archive)
    for table in ("articles", "listings"):
        sql = f"SELECT kind, title, url, archived FROM {table} ORDER BY 1, 2, 3"  # noqa: S608
        assert query(tmp_path / "mine", sql) == query(archive, sql)


def note(number: int, text: str, **fields: str) -> bytes:
    """A record that claims to be a note of an archiver."""
    uri = {"WARC_Target_URI": f"urn:archiver:note:uuid:{number}"}
    return files.record(text.encode(), number, **(NOTE | uri | fields))


def test_notes_of_others_speak_of_imported_records_alone(archive: Path, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    shutil.copytree(archives.make(tmp_path / "made", files=1), root)
    ((ours, run),) = query(root, "SELECT source_id, (SELECT count(*) FROM runs) FROM articles")
    article = '{"type":"article","given":"x","article":{"kind":"page","title":"T","url":"http://e.example/"}}'
    fetch = '{"type":"fetch","url":"http://e.example/","purpose":"page","outcome":"whole","started":"%s",%s"hops":[]}'
    good = "2019-03-04T05:06:07Z"
    hostile = [
        note(1, article, WARC_Refers_To=f"<{ours}>"),
        note(2, fetch % (good, f'"article":"{ours}",')),
        note(3, fetch % ("whenever", "")),
        note(4, fetch % (good, '"attempt":99999999999999999999,')),
        note(5, fetch % (good, f'"reason":"{"x" * (1 << 20)}x",')),
        note(6, "{" * 100_000),
        note(7, '{"type":"unheard-of"}'),
        note(8, article, WARC_Record_ID=""),
        note(9, article),
        note(9, article),  # there already
        note(9, article.replace("T", "Other")),  # its id is another's
        note(
            10,
            '{"type":"import","file":"imports/x","given":"x","bytes":1,"digest":"sha256:%s","kind":"k",'
            '"stored":"linked"}' % ("0" * 64),
        ),
        files.record(
            b"run: urn:uuid:no\r\n", 11, WARC_Type="warcinfo", Content_Type="application/warc-fields"
        ),
        files.record(
            b"\x00" * 9,
            12,
            WARC_Date="soon",
            WARC_Record_ID=f"<{ours}>",
            WARC_Type="resource",
            Content_Type="text/plain",
            WARC_Target_URI="x" * 100_000,
        ),
    ]
    path = tmp_path / "hostile.warc.gz"
    path.write_bytes(files.members(hostile))
    imported(root, path)
    assert query(root, "SELECT passed_over, records FROM imports") == [(10, len(hostile))]
    assert query(root, "SELECT title FROM articles WHERE id > 1") == [("T",)]
    assert query(root, "SELECT count(*) FROM runs") == [(run + 1,)]  # that of the import
    assert [row for row in query(root, "SELECT record_id FROM records") if row == (ours,)] == [(ours,)]
    ((unnamed, date),) = query(
        root, "SELECT record_id, date FROM records WHERE type = 'resource' AND id > 13"
    )
    assert (unnamed[:27], date) == ("urn:archiver:record:sha256:", "")
    before = dump(root / "catalogue.db")
    assert within("rebuild", str(root))[0] == 0
    assert dump(root / "catalogue.db") == before


def test_capturing_asks_as_if_nothing_was_imported(archive: Path) -> None:
    """What others captured, or were refused, or read in a robots.txt, changes no request of ours."""
    with closing(sqlite3.connect(archive / "catalogue.db")) as connection:
        memory = Memory(Database(connection), archive, "urn:uuid:none")
        ((payload,),) = query(archive, "SELECT payload_digest FROM fetches WHERE url LIKE '%/one.jpg'")
        assert memory.same_payload(payload, f"{SITE}/one.jpg") is None
        assert memory.hops(f"{SITE}/one.jpg", "picture") == {}
        assert memory.robots(f"{SITE}/robots.txt", 9999) is None
        assert memory.known_dead(f"{SITE}/gone.jpg", "picture") == ""
        assert list(memory.failures()) == []
        assert memory.last_payload(f"{SITE}/one.jpg", "picture") == payload  # but it is the same as before


# --- how files are named --------------------------------------------------------------------------


def test_folders_patterns_links_and_what_is_no_archive(crawl: Path, tmp_path: Path) -> None:
    given, root = tmp_path / "given", tmp_path / "mine"
    (given / "deep").mkdir(parents=True)
    shutil.copy(crawl / "crawl.warc", given / "deep" / "a b.warc")
    (given / "notes.txt").write_text("nothing of this kind")
    (given / "page.html").write_bytes(crawls.HOME)
    rows = imported(root, given, given / "page.html", tmp_path / "missing", "--link", code=3)
    assert [row["path"] for row in rows[:-1]] == ["imports/a-b.warc"]
    assert (rows[0]["stored"], rows[0]["given"]) == ("linked", "a b.warc")
    assert (root / "imports/a-b.warc").is_symlink()
    assert (rows[-1]["passed_over"], len(rows[-1]["refused_files"])) == (2, 2)
    code, _, text = within("import", str(given / "page.html"), "--into", str(tmp_path / "none"))
    assert (code, (tmp_path / "none").exists()) == (3, False)
    assert "page.html: no WARC, ARC or WACZ file, but a web page" in text
    (again, _) = imported(root, given / "*" / "*.warc")
    assert again["held"]


def test_what_lies_in_a_folder_beside_files(crawl: Path, tmp_path: Path) -> None:
    """A manifest.json of another program, links to folders, links that lead nowhere."""
    given = tmp_path / "given"
    given.mkdir()
    shutil.copy(crawl / "crawl.warc", given)
    (given / "manifest.json").write_text('{"short_name": "an app"}')
    (given / "folder").symlink_to(tmp_path)
    (given / "round").symlink_to("round")
    (given / "offline.warc.gz").symlink_to("/nowhere/offline.warc.gz")
    code, rows, text = within("import", str(given), "--into", str(tmp_path / "mine"), "--json")
    assert (code, [row.get("given") for row in rows]) == (3, ["crawl.warc", None])
    assert (rows[-1]["passed_over"], len(rows[-1]["refused_files"])) == (2, 2)
    assert "folder: a link to a folder" in text
    assert "offline.warc.gz: it leads nowhere" in text


def test_standard_input(crawl: Path, tmp_path: Path) -> None:
    data = (crawl / "stream.warc.gz").read_bytes()
    code, rows, text = archiver("import", "-", "--into", str(tmp_path / "mine"), "--json", stdin=data)
    assert (code, rows[0]["path"], rows[0]["records"]) == (0, "imports/stdin", len(crawls.crawl())), text
    assert (tmp_path / "mine/imports/stdin").read_bytes() == data


def test_damage_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    parts = [files.gz(part) for part in crawls.crawl()]
    parts[12] = parts[12][:-9]
    path = tmp_path / "torn.warc.gz"
    path.write_bytes(b"".join(parts))
    taken, summary = imported(tmp_path / "mine", path, code=3)
    assert (taken["records"], summary["gaps"]) == (len(parts) - 1, 1)
    assert taken["gaps"][0]["offset"] == sum(map(len, parts[:12]))
    assert taken["gaps"][0]["reason"]


def test_an_answer_to_head_is_no_capture_that_was_cut(tmp_path: Path) -> None:
    crawl = crawls.Crawl()
    for method in ("GET", "HEAD"):
        for path, mime in ((".jpg", "image/jpeg"), (".html", "text/html")):
            crawl.answer(f"/{method}{path}", b"", mime, head="Content-Length: 5000\r\n", method=method)
    path = tmp_path / "head.warc"
    path.write_bytes(b"".join(crawl.records))
    imported(tmp_path / "mine", path)
    assert query(tmp_path / "mine", "SELECT url, outcome FROM fetches ORDER BY id") == [
        (f"{SITE}/GET.jpg", "partial"),
        (f"{SITE}/GET.html", "partial"),
    ]


# --- cut off --------------------------------------------------------------------------------------


def test_an_import_that_was_cut_off_goes_on(crawl: Path, archive: Path, tmp_path: Path) -> None:
    """After the file, after its transcript, within the notes: nothing is taken or noted twice."""
    for step in range(3):
        root = tmp_path / str(step)
        with pytest.raises(KeyboardInterrupt):
            import_files(
                root,
                [str(crawl / "stream.warc.gz")],
                Settings(),
                report=_interrupts if step == 0 else lambda _: None,
                say=lambda _: None,
                relating=lambda _: nullcontext(),
                watching=_Interrupting(step),
            )
        imported(root, crawl / "stream.warc.gz")
        for sql in CONTENT:
            assert query(root, sql) == query(archive, sql), sql
        assert query(root, "SELECT count(*), count(DISTINCT source_id) FROM articles") == [(3, 3)]
        assert query(root, "SELECT count(*) FROM imports") == [(1,)]
        assert imported(root, crawl / "stream.warc.gz")[-1]["warcs"] == []


def test_an_import_goes_on_while_a_linked_file_is_on_a_disk_that_is_away(crawl: Path, tmp_path: Path) -> None:
    disk, root = tmp_path / "disk", tmp_path / "mine"
    disk.mkdir()
    shutil.copy(crawl / "deflated.wacz", disk)
    shutil.copy(crawl / "crawl.warc", disk)
    imported(root, disk / "deflated.wacz", "--link")
    with pytest.raises(KeyboardInterrupt):  # this one is left without its notes
        import_files(
            root,
            [str(disk / "crawl.warc")],
            Settings(),
            link=True,
            report=_interrupts,
            say=lambda _: None,
        )
    disk.rename(tmp_path / "away")
    rows = imported(root, crawl / "stream.warc.gz", code=3)
    assert rows[-1]["refused_files"] == ["imports/crawl.warc"], "the other has all of its notes"
    assert query(root, "SELECT path FROM imports") == [
        ("imports/deflated.wacz",),
        ("imports/stream.warc.gz",),
    ]
    (tmp_path / "away").rename(disk)
    assert imported(root, crawl / "stream.warc.gz")[-1]["noted"] == 1
    assert query(root, "SELECT count(*) FROM imports") == [(3,)]


def _interrupts(_: object) -> None:
    raise KeyboardInterrupt


class _Interrupting:
    """Watches, and interrupts at once before notes are made (1), or when some are (2)."""

    def __init__(self, step: int) -> None:
        self._step, self._times = step, 0

    @contextmanager
    def __call__(self, _: Any) -> Iterator[None]:
        self._times += 1
        if (self._step, self._times) == (1, 2):
            raise KeyboardInterrupt
        yield
        if (self._step, self._times) == (2, 2):
            raise KeyboardInterrupt


def test_the_page_of_an_article_says_where_it_came_from(archive: Path) -> None:
    with closing(sqlite3.connect(archive / "catalogue.db")) as connection:
        connection.row_factory = sqlite3.Row
        page = load_page(connection, 1, language("en"))
    assert page is not None
    assert (page.imported, page.card.archived) == ("crawl.warc", "2019-03-04T05:06:08Z")


def test_what_can_be_taken_away_of_an_article_from_a_plain_file(archive: Path) -> None:
    datasette = build(archive)
    try:
        (page,) = query(archive, "SELECT min(id) FROM records WHERE type = 'response'")
        got = asyncio.run(datasette.client.get("/-/articles/1/records.warc.gz")).content
        alone = asyncio.run(datasette.client.get(f"/-/records/{page[0]}/member"))
    finally:
        close(datasette)
    kinds = [record.rec_type for record in ArchiveIterator(io.BytesIO(got))]
    assert {"warcinfo", "response", "request"} <= set(kinds)
    assert got.startswith(b"\x1f\x8b")
    assert alone.content.startswith(b"WARC/1.0\r\n")
    assert alone.headers["content-disposition"].endswith('.warc"')
