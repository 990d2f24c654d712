"""`archiver verify --html`: what the page says, of what it is made, and how it looks."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import archives
import pytest
from chromium import ARGUMENTS, CHROMIUM
from click.testing import CliRunner
from playwright import sync_api
from selectolax.lexbor import LexborHTMLParser

from archiver.cli import main
from archiver.errors import RecordError
from archiver.model import Finding
from archiver.sandbox import Sandbox
from archiver.show import concerned, reading
from archiver.tell import report
from archiver.tell.report import Report
from archiver.verify import Verification

EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(2)>&\u202e\u0000“渡轮”\n\ud800" + "x" * 5000


def written(root: Path, page: Path, *options: str) -> str:
    done = CliRunner().invoke(main, ["verify", str(root), "--html", str(page), *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return page.read_text()


def words(page: str) -> str:
    """What a reader sees."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.partition("</style>")[2]))


def damaged(root: Path) -> None:
    """A picture's record, a whole file, a list, and the catalogue file's digest."""
    archives.put_members(
        root, archives.at(archives.PICTURE, archives.flip(600))(archives.members(root, 1)), 1
    )
    (root / archives.warc(root, 2)).unlink()
    archives.change(root, archives.listed(root, 0), lambda data: data[:-40])


def retitle(root: Path, title: str) -> None:
    """In the catalogue, and its digest made to fit: as somebody would who wants to be believed."""
    with closing(sqlite3.connect(root / "catalogue.db", isolation_level=None)) as db:
        db.execute("UPDATE articles SET title = ?", [title.encode("utf-8", "replace").decode()])
    found = archives.digest((root / "catalogue.db").read_bytes()).removeprefix("sha256:")
    (root / "catalogue.sha256").write_text(f"{found}  catalogue.db\n")


def test_verdict_first_then_what_it_means_and_how_to_mend_it(root: Path, tmp_path: Path) -> None:
    damaged(root)
    text = words(written(root, tmp_path / "r.html"))
    order = [
        "Integrity of the archive archive",
        "The archive is damaged.",
        "What is wrong",
        "第1篇 : picture 1, from the publisher http://news.example/1/渡轮.jpg",
        "[changed-record]",
        "The whole file: all its 13 records are concerned.",
        "第2篇 : text and page http://news.example/2/",
        "第2篇 : picture 1, from the publisher",
        "What to do",
        f"archiver repair --from COPY {root}",
        f"archiver verify {root}",
        "What this check says, and what not",
    ]
    places = [text.find(each) for each in order]
    assert -1 not in places, [each for each in order if each not in text]
    assert places == sorted(places)
    assert "archiver rebuild" not in text


def test_healthy_archive_and_part_of_one(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    text = words(written(root, page))
    assert "Nothing is wrong. Unaltered since tree head" in text
    assert "What to do" not in text
    text = words(written(root, page, "--budget", "0s"))
    assert "Nothing is wrong in what was read." in text
    assert "of the WARC bytes were checked" in text


def test_damaged_catalogue_is_not_asked_and_is_rebuilt(root: Path, tmp_path: Path) -> None:
    damaged(root)
    retitle(root, "a false title")
    archives.change(root, "catalogue.db", archives.flip(-1))
    text = words(written(root, tmp_path / "r.html"))
    assert "a false title" not in text
    assert f"archiver rebuild {root}" in text
    captures = "Concerned captures, as the record list names them: urn:archiver:source:"
    assert captures in text
    assert "http://news.example/2/渡轮.jpg" in text
    (root / archives.listed(root, 2)).unlink()
    text = words(written(root, tmp_path / "r.html"))
    assert "Which article needs it is not known; the records are named below." in text


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_nothing_is_opened_that_is_no_file(kind: str, root: Path, tmp_path: Path) -> None:
    (root / archives.warc(root, 1)).unlink()
    (root / "catalogue.db").unlink()
    path = root / archives.listed(root, 1)
    path.unlink()
    archives.STAND_INS[kind][0](path)
    assert "[not-a-file]" in words(written(root, tmp_path / "r.html"))


def test_texts_of_others_are_text(root: Path, tmp_path: Path) -> None:
    damaged(root)
    retitle(root, EVIL)
    (root / "warcs" / "<script>alert(3)<").touch()
    (root / "warcs" / "\udcff").touch()
    page = written(root, tmp_path / "r.html")
    tree = LexborHTMLParser(page)
    assert not tree.css("script, img, a, link, iframe, form, object, base, body *[style], *[onerror]")
    attributes = {name for node in tree.css("*") for name in node.attributes}
    assert attributes <= {"lang", "charset", "name", "content", "http-equiv", "class"}
    (policy,) = tree.css("meta[http-equiv]")
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "\u202e" not in page
    assert "\0" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "x" * 600 not in page


def test_catalogue_made_to_keep_us_busy_is_left(root: Path) -> None:
    with closing(sqlite3.connect(root / "catalogue.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE hops RENAME TO real_hops")
        db.execute(
            "CREATE VIEW hops AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT i AS fetch_id, i AS response_id, i AS request_id FROM n"
        )
    with reading(root) as db, pytest.raises(RecordError, match="interrupted"):
        concerned(db, archives.warc(root, 1), None, 10, 0.2)


def test_thousands_of_findings_are_counted_and_the_first_are_shown(
    root: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    page = Report(tmp_path / "r.html", root)
    check = Verification(root, sandbox=sandbox)
    list(check.findings())
    for file in range(report.FILES + 100):
        for record in range(100):
            page.add(
                Finding(
                    verdict="failed",
                    code="changed-record",
                    file=f"warcs/{file}",
                    message=EVIL[:99],
                    record=record,
                )
            )
    page.write(check)
    text = (tmp_path / "r.html").read_text()
    assert text.count("[changed-record]") == report.FILES * report.FINDINGS
    assert f"and {100 - report.FINDINGS} more findings of this file." in text
    assert "10,000 more findings, of others" in text


def test_only_an_older_report_is_replaced(root: Path, tmp_path: Path) -> None:
    def run(target: Path) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["verify", str(root), "--html", str(target)])
        return done.exit_code, done.output

    page = tmp_path / "r.html"
    assert run(page)[0] == run(page)[0] == 0
    before = (root / "manifest.json").read_bytes()
    for other in (root / "manifest.json", tmp_path / "nowhere" / "r.html", tmp_path):
        code, output = run(other)
        assert code == 2, output
    assert (root / "manifest.json").read_bytes() == before
    archives.change(root, archives.warc(root, 1), archives.flip(1500))
    (tmp_path / ".r.html.new").mkdir()
    code, output = run(page)
    assert code == 4  # what is wrong wins
    assert "The report was not written: cannot write" in output


# --- how it looks --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_report_in_a_browser(chromium: sync_api.Browser, sealed: Path, tmp_path: Path, width: int) -> None:
    root = Path(shutil.copytree(sealed, tmp_path / "archive"))
    damaged(root)
    retitle(root, EVIL)
    written(root, tmp_path / "r.html")
    page = chromium.new_page(viewport={"width": width, "height": 844})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: (said.append("a script ran"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(f"file://{tmp_path}/r.html", wait_until="load")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".verdict").bounding_box()["y"] < 200
        colour = page.locator(".verdict").evaluate("element => getComputedStyle(element).backgroundColor")
        assert colour != "rgba(0, 0, 0, 0)"  # the style counts
        assert said == []
        assert len(asked) == 1
        assert page.pdf().startswith(b"%PDF")
    finally:
        page.close()
