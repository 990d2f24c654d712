"""`archiver export site`: a folder that works anywhere, in which nothing of others is more than text."""

import re
import shutil
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import exported
import pytest
from chromium import CHROMIUM, Sight, chromium
from commands import query, within
from exported import CAME, EVIL, FERRY, PAGE, SAME, damage

from archiver.browse.site import build
from archiver.digests import digest
from archiver.warc.read import members, parse_member

REFERRING = re.compile(rb"""\b(?:href|src)="([^"]*)\"""")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported.make(tmp_path_factory.mktemp("exported") / "archive")


@pytest.fixture(scope="module")
def site(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two articles on a page of a list."""
    into = tmp_path_factory.mktemp("site") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "LISTED", 2)
        assert write(archive, into)[0] == 0
    return into


def write(archive: Path, into: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    chosen = () if any(each.isdecimal() for each in arguments) else ("--all",)
    code, rows, _ = within(
        "export", "site", *arguments, *chosen, "--in", str(archive), "--into", str(into), "--json"
    )
    return code, rows


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    reached = set()
    for page in site.rglob("*.html"):
        for raw in REFERRING.findall(page.read_bytes()):
            target = unescape(raw.decode())
            if not target.startswith(("http://", "https://", "#")):
                path = (page.parent / unquote(target.partition("#")[0])).resolve()
                assert path.is_relative_to(site)
                assert path.is_file(), target
                reached.add(path)
    there = {path for path in site.rglob("*") if path.is_file()}
    assert there - reached == {site / "style.css"} - reached
    names = {path.relative_to(site).as_posix() for path in there}
    assert {"index.html", "pages/2.html", "months/2023-11.html", "months/2015-05.html", "about.html"} <= names


def test_what_others_wrote_is_text(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert not re.search(r"<script|<svg|\son\w+=", text.replace("&lt;", ""), re.IGNORECASE)
        assert not re.search("[\u202a-\u202e\x1b]", text)
        assert "default-src 'none'" in unescape(text)
    assert "&lt;script&gt;alert(1)" in (site / f"articles/{EVIL}.html").read_text()
    assert {path.suffix for path in (site / "pictures").rglob("*.*")} == {".jpg"}
    assert {path.read_bytes() for path in (site / "pictures").rglob("*.*")} <= set(CAME.values())


def test_lists_have_each_address_once(site: Path) -> None:
    lists = [path.read_text() for path in (site / "index.html", *(site / "pages").iterdir())]
    assert sorted(re.findall(r'href="(?:\.\./)?articles/(\d+)\.html"', "".join(lists))) == ["1", "2", "3"]
    assert f'href="{PAGE}.html"' in (site / f"articles/{FERRY}.html").read_text()


def test_records_are_those_of_the_archive(site: Path, archive: Path) -> None:
    with (site / f"records/{FERRY}.warc.gz").open("rb") as file:
        found = [(each.digest, parse_member(each.stored).type) for each in members(file)]
    assert found[0][1] == "warcinfo"
    committed = {each for (each,) in query(archive, "SELECT digest FROM records")}
    assert {each for each, _ in found} <= committed
    sources = query(
        archive, "SELECT digest FROM articles JOIN records ON record_id = source_id ORDER BY articles.id"
    )
    assert sources[FERRY - 1][0] in {each for each, _ in found}


def test_a_damaged_picture_is_a_word_in_its_place(archive: Path, tmp_path: Path) -> None:
    own = shutil.copytree(archive, tmp_path / "own")
    damage(own, lambda each: each["payload_digest"] == digest(SAME))
    code, rows = write(
        own, tmp_path / "site", str(EVIL), "--language", "zh", "--title", "存档", "--no-records"
    )
    assert code == 4
    assert [row["article"] for row in rows if row["type"] == "damaged"] == [EVIL]
    text = (tmp_path / f"site/articles/{EVIL}.html").read_text()
    assert '<html lang="zh-Hans">' in text
    assert "已损坏" in text
    assert not (tmp_path / "site/pictures").exists()
    assert not (tmp_path / "site/records").exists()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """Below a path of a web host that knows nothing of it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.parent))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/site"
        server.shutdown()
        thread.join()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")
def test_it_is_drawn_anywhere_and_everybody_can_use_it(site: Path, served: str) -> None:
    wrong: dict[str, list[str]] = {}
    with chromium() as browser:
        for home, page, scheme, width in (
            (served, "index.html", "light", 1280),
            (served, f"articles/{FERRY}.html", "dark", 390),
            (site.as_uri(), f"articles/{EVIL}.html", "light", 390),
            (site.as_uri(), "pages/2.html", "dark", 1280),
        ):
            with Sight(browser, f"{home}/{page}", width=width, color_scheme=scheme) as sight:
                sight.go(f"{home}/{page}")
                told = [*sight.said, *(sight.elsewhere if home == served else ()), *sight.undrawn]
                told += ["too wide"] * (sight.width > width)
                told += sight.violations() if home == served else []  # on a disk axe-core reads no styles
                if told:
                    wrong[page] = told
    assert not wrong
