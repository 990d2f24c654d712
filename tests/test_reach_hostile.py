"""What is named, listed or served to do harm ends in a record and a sentence, and the archive stays sound."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import archiver, query
from mirrored import COPIES, DOCUMENT, INNER, LEAD, PICTURES, mirrored
from rows import dump

from archiver import tell
from archiver.console import Output
from archiver.demo import encoding, scenes
from archiver.demo.world import DemoWorld
from archiver.index.texts import COMPARED
from archiver.model import Article as Said
from archiver.model import ArticleNote, FetchNote

HOST = "paper.example"
SITE = f"http://{HOST}"
SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
DEAD = [flag for port in (80, 443) for flag in ("--connect-to", f":{port}:127.0.0.1:9")] + ["--retries", "0"]


@pytest.fixture
def world() -> Iterator[DemoWorld]:
    with DemoWorld(picture_hosts=(HOST, COPIES)) as running:
        yield running


def put(world: DemoWorld, path: str, body: str, content_type: str = "text/html") -> str:
    world.site.add(HOST, path, body.encode(), content_type)
    return SITE + path


def page(title: str, more: str = "") -> str:
    text = f"Of {title} it is said that there is no other like it in the whole of the county."
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{text}</p>{more}"
        "</article></body></html>"
    )


def feed(*items: tuple[str, str]) -> str:
    """A feed of items, each a link and an escaped description."""
    written = "".join(
        f"<item><title>item {number}</title><link>{link}</link><description>{text}</description></item>"
        for number, (link, text) in enumerate(items)
    )
    return f'<rss version="2.0"><channel><title>Paper</title><link>{SITE}/</link>{written}</channel></rss>'


def save(world: DemoWorld, root: Path, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
    return archiver("archive", *arguments, "--into", str(root), "--json", *flags)


def asked(root: Path) -> list[str]:
    found = query(root, "SELECT url FROM fetches WHERE purpose = 'page' ORDER BY id")
    return [url.removeprefix(SITE) for (url,) in found]


def sound(root: Path) -> bool:
    """Whether all is as committed, and a rebuild gives the same rows."""
    before = dump(root / "catalogue.db")
    whole = archiver("verify", str(root), "--deep")[0] == 0 and archiver("rebuild", str(root))[0] == 0
    return whole and dump(root / "catalogue.db") == before


# --- what is named ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    ["a" * 300, "a" * 5_000, "", os.fsdecode(b"\xff\xfe"), "http://[::1"],
    ids=["name", "path", "empty", "bytes", "url"],
)
def test_a_name_that_no_file_can_have_is_refused_alone(tmp_path: Path, given: str) -> None:
    root = tmp_path / "archive"
    document = tmp_path / "document.txt"
    document.write_bytes(DOCUMENT)
    code, rows, text = archiver("archive", given, str(document), "--into", str(root), "--json", *DEAD)
    assert (code, rows[-1]["articles"], len(rows[-1]["refused_sources"])) == (3, 1, 1), text
    assert sound(root)


def test_a_folder_of_odd_things_gives_its_documents(tmp_path: Path) -> None:
    folder, root = tmp_path / "mirror", tmp_path / "archive"
    folder.mkdir()
    named = os.fsencode(folder)
    Path(os.fsdecode(named + b"/\xff\nwhole  forged.txt")).write_bytes(DOCUMENT)
    Path(os.fsdecode(named + b"/a\nwhole  forged")).write_bytes(b"no document")
    os.mkfifo(folder / "fifo.txt")
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "itself").symlink_to(".")
    (folder / "zero.txt").symlink_to("/dev/zero")
    with (folder / "sparse.txt").open("wb") as sparse:
        sparse.truncate(1 << 40)
    code, rows, text = archiver("archive", str(folder), str(folder), "--into", str(root), "--json", *DEAD)
    assert (code, rows[-1]["passed_over"], rows[-1]["refused_sources"]) == (3, 4, [])
    assert not [line for line in text.splitlines() if line.startswith("whole")]
    assert query(root, "SELECT count(*) FROM articles") == [(1,)]  # what was said before is not said again
    assert sound(root)


def test_a_file_that_the_disk_does_not_give_is_no_success(world: DemoWorld, tmp_path: Path) -> None:
    url = put(world, "/a", page("a"))
    folder, root = tmp_path / "mirror", tmp_path / "archive"
    folder.mkdir()
    (folder / "1.md").write_text(f"<!--1699468744000-->\n[t]({url})\n------\n\n<div><p>Said.</p></div>\n")
    (folder / "2.md").symlink_to("/proc/self/mem")  # a regular file; its first byte cannot be read
    code, rows, text = save(world, root, str(folder))
    assert (code, rows[-1]["fetches"]) == (3, {"captured": 1}), text
    assert rows[-1]["refused_sources"] == [str(folder / "2.md")]
    assert "2.md: Input/output error" in text


def test_a_folder_may_be_deeper_than_the_stack(tmp_path: Path) -> None:
    folder, here = tmp_path / "mirror", Path.cwd()
    folder.mkdir()
    try:
        os.chdir(folder)
        for _ in range(1_500):
            Path("d").mkdir()
            os.chdir("d")
        Path("document.txt").write_bytes(DOCUMENT)
    finally:
        os.chdir(here)
    code, rows, text = archiver("archive", str(folder), "--into", str(tmp_path / "archive"), "--json", *DEAD)
    assert (code, rows[-1]["articles"]) == (3, 1), text
    for _ in range(1_500):  # pytest's own way to remove a folder is as deep as the folder
        (folder / "d").rename(tmp_path / "next")
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
        (tmp_path / "next").rename(folder)


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    code, rows, _ = archiver("archive", "-", "-", "--into", str(root), "--json", *DEAD, stdin=DOCUMENT)
    assert (code, rows[-1]["articles"], rows[-1]["refused_sources"]) == (3, 1, ["-"])


def test_a_mistake_in_the_settings_leaves_no_trace(tmp_path: Path) -> None:
    root, document = tmp_path / "archive", tmp_path / "document.txt"
    root.mkdir()
    document.write_bytes(DOCUMENT)
    rule = "[[proxies]]\nname = 'mine'\nhosts = ['img.example']\npath = '('\norigin = '{url}'\n"
    (root / "archiver.toml").write_text(rule)
    code, _, text = archiver("archive", str(document), "--into", str(root), *DEAD)
    assert code == 2
    assert "'mine', path" in text
    assert [path.name for path in root.iterdir()] == ["archiver.toml"]


# --- what is listed -----------------------------------------------------------------------------


def test_no_sitemap_is_asked_for_when_there_are_pages_enough(world: DemoWorld, tmp_path: Path) -> None:
    names = "".join(f"<sitemap><loc>{SITE}/{number}.xml</loc></sitemap>" for number in range(50))
    index = put(world, "/index.xml", f'<sitemapindex xmlns="{SPACE}">{names}</sitemapindex>', "text/xml")
    for number in range(50):
        locations = "".join(f"<url><loc>{SITE}/{number}/{name}</loc></url>" for name in range(3))
        put(world, f"/{number}.xml", f'<urlset xmlns="{SPACE}">{locations}</urlset>', "text/xml")
    code, rows, _ = save(world, tmp_path, index, "--max-pages", "4")
    assert (code, rows[-1]["limited"]) == (3, True)
    found = asked(tmp_path)
    assert len([path for path in found if not path.endswith(".xml")]) == 4
    assert len(found) < 25  # a few sitemaps are on their way before the first has come
    assert sound(tmp_path)


def test_indexes_within_indexes_end(world: DemoWorld, tmp_path: Path) -> None:
    for level in range(8):
        names = "".join(f"<sitemap><loc>{SITE}/{name}.xml</loc></sitemap>" for name in (level, level + 1, 0))
        put(world, f"/{level}.xml", f'<sitemapindex xmlns="{SPACE}">{names}</sitemapindex>', "text/xml")
    code, rows, _ = save(world, tmp_path, f"{SITE}/0.xml")
    assert asked(tmp_path) == [f"/{level}.xml" for level in range(5)]
    (unreadable,) = [row for row in rows if row["type"] == "unreadable"]
    assert (code, unreadable["given"]) == (3, f"{SITE}/4.xml")
    assert "lists within one another" in unreadable["reason"]


@pytest.mark.parametrize("given", ["file", "url"])
def test_a_list_that_others_wrote_counts_its_pages(world: DemoWorld, tmp_path: Path, given: str) -> None:
    lines = "".join(put(world, f"/{name}", page(name)) + "\n" for name in "abcd")
    url = put(world, "/list.txt", lines, "text/plain")
    path, root = tmp_path / "list.txt", tmp_path / "archive"
    path.write_text(lines)
    code, _, text = save(world, root, str(path) if given == "file" else url, "--max-pages", "2")
    expected = ["/a", "/b", "/c", "/d"] if given == "file" else ["/list.txt", "/a", "/b"]
    assert (asked(root), code) == (expected, 0 if given == "file" else 7), text


def test_links_in_circles_are_followed_once(world: DemoWorld, tmp_path: Path) -> None:
    links = "".join(f'<a href="/{name}">more of it</a>' for name in ("a", "b", "a#top", "turn"))
    for name in "ab":
        put(world, f"/{name}", page(name, links))
    world.site.add(HOST, "/turn", b"", "text/html", status=302, fields=(("Location", "/turn"),))
    code, _, text = save(world, tmp_path, f"{SITE}/a", "--follow", "host", "--depth", "99")
    assert (code, asked(tmp_path)) == (3, ["/a", "/b", "/turn"]), text
    assert sound(tmp_path)


def test_a_page_that_another_calls_a_picture_is_read_as_a_page(world: DemoWorld, tmp_path: Path) -> None:
    first = put(world, "/a", page("a", '<img src="/b" width="300" height="200">'))
    second = put(world, "/b", page("b"))
    save(world, tmp_path, first, second)
    assert query(tmp_path, "SELECT title FROM articles ORDER BY id") == [("a",), ("b",)]
    assert query(tmp_path, "SELECT outcome FROM fetches WHERE purpose = 'picture'") == [("refused",)]


def test_a_page_of_another_success_is_read_too(world: DemoWorld, tmp_path: Path) -> None:
    world.site.add(HOST, "/a", page("a").encode(), "text/html", status=203)
    world.site.add(HOST, "/b", b"", "text/html", status=202)
    code, rows, _ = save(world, tmp_path, f"{SITE}/a", f"{SITE}/b")
    assert (code, rows[-1]["articles"], rows[-1]["unreadable"]) == (3, 1, 1)
    assert sound(tmp_path)


def test_items_that_all_link_to_one_page_are_not_all_held_against_it(
    world: DemoWorld, tmp_path: Path
) -> None:
    """Else a feed of n items and a page of m paragraphs cost n times m, at every rebuild."""
    one = put(world, "/one", page("one"))
    named = put(world, "/feed.xml", feed(*((one, f"text {n}") for n in range(50))), "text/xml")
    assert save(world, tmp_path, named)[0] == 0
    found = query(tmp_path, "SELECT min(document_id), count(*) FROM text_comparisons")
    assert found == [(31, COMPARED)]  # the newest of them
    assert sound(tmp_path)
    assert save(world, tmp_path, named)[0] == 0  # now the page is there before the items
    assert query(tmp_path, "SELECT count(*) FROM text_comparisons") == [
        (2 * COMPARED,)
    ]  # nothing new was read
    assert sound(tmp_path)


def test_what_came_of_a_dead_picture_is_told_of_every_article(world: DemoWorld, tmp_path: Path) -> None:
    picture = '<img src="/gone.jpg" width="300" height="200">'
    given = [put(world, f"/{name}", page(name, picture)) for name in "ab"]
    assert save(world, tmp_path, *given)[0] == 3
    for url in given:
        (shown, _) = archiver("show", url, "--in", str(tmp_path), "--json")[1]
        assert [form["outcome"] for form in shown["pictures"][0]["forms"]] == ["refused"]
    assert sound(tmp_path)


# --- what another archive answers ---------------------------------------------------------------


def test_a_copy_is_told_of_every_article(world: DemoWorld, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    root.mkdir()
    (root / "archiver.toml").write_text(f'timegate = "http://{COPIES}/web/"\n')
    when = (("Memento-Datetime", "Thu, 09 Nov 2023 00:00:00 GMT"),)
    body = encoding.jpeg(scenes.podium())
    world.site.add(COPIES, f"/web/{SITE}/gone.jpg", body, "image/jpeg", fields=when)
    picture = '<img src="/gone.jpg" width="300" height="200">'
    given = [put(world, f"/{name}", page(name, picture)) for name in "ab"]
    assert save(world, root, *given, "--rescue")[0] == 3
    assert query(root, "SELECT count(*) FROM fetches WHERE form = 'memento'") == [(1,)]
    for url in given:
        (shown, _) = archiver("show", url, "--in", str(root), "--json")[1]
        forms = [(form["form"], form["outcome"]) for form in shown["pictures"][0]["forms"]]
        assert forms == [("origin", "refused"), ("memento", "whole")]
    assert sound(root)


@pytest.mark.parametrize(
    "when",
    [
        ",",
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Thu, 09 Nov 2023 00:00:00 +99999999999",
        "9" * 6_000,
    ],
    ids=["comma", "year", "zone", "digits"],
)
def test_a_copy_without_a_time_that_can_be_read_is_no_memento(tmp_path: Path, when: str) -> None:
    with mirrored(tmp_path) as mirror:
        site, root = mirror.world.site, tmp_path / "archive"
        root.mkdir()
        (root / "archiver.toml").write_text(f'timegate = "http://{COPIES}/web/"\n')
        for name in (LEAD, INNER):
            site.add(PICTURES, f"/{name}", b"gone", "text/plain", status=410)
        copy, fields = encoding.jpeg(scenes.podium()), (("Memento-Datetime", when),)
        site.add(COPIES, f"/web/http://{PICTURES}/{LEAD}", copy, "image/jpeg", fields=fields)
        options = ("--into", str(root), "--json", "--rescue", *mirror.flags)
        code, _, text = archiver("archive", str(mirror.document), *options)
    assert code == 3, text
    found = query(root, "SELECT outcome, memento FROM fetches WHERE form = 'memento' ORDER BY id")
    assert found[0] == ("refused", None)
    assert sound(root)


# --- what is told -------------------------------------------------------------------------------


def test_no_text_of_others_looks_like_a_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    forged = "a\nwhole       http://forged.example/\x1b[31m\u202e"
    out = Output(as_json=False)
    tell.note(out, ArticleNote(given=forged, article=Said(kind="item", title=forged, url=None)))
    tell.note(
        out, FetchNote(url="http://x/", purpose="picture", outcome="refused", started="", reason=forged)
    )
    shown = {
        **dict.fromkeys(("url", "section", "language"), forged),
        "kind": "item",
        "id": 1,
        "title": forged,
        "authors": [forged],
        "times": [],
        "contradictions": [],
        "pictures": [],
        "text": {
            "page": 2,
            **dict.fromkeys(("same", "changed", "missing", "added"), 1),
            "passages": [{"kind": "added", "mirror": forged}],
        },
    }
    tell.article(out, shown)
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("whole") or set(line) & {"\x1b", "\u202e"}]
    assert len(lines) == 2 + 1 + 4 + 4


def test_show_takes_any_bytes_of_a_terminal(world: DemoWorld, tmp_path: Path) -> None:
    assert save(world, tmp_path, put(world, "/a", page("a")))[0] == 0
    for named in (SITE + "/" + os.fsdecode(b"\xff"), "9" * 5_000, "\x1b[31m", "-1"):
        assert archiver("show", "--in", str(tmp_path), "--", named)[0] == 2


def test_output_that_finds_no_room_stops_nothing(tmp_path: Path) -> None:
    path, root = tmp_path / "document.md", tmp_path / "archive"
    path.write_bytes(DOCUMENT)
    dead = [flag for port in (80, 443) for flag in ("--connect-to", f":{port}:127.0.0.1:9")]
    command = [sys.executable, "-m", "archiver", "archive", str(path), "--into", str(root), *dead]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, b"")
    assert sound(root)


@pytest.mark.parametrize(
    "setting",
    [
        'timegate = "http://["',
        'timegate = "http://x/#"',
        'timegate = "http://x:99999/"',
        'timegate = "ftp://x/"',
        '[[proxies]]\nname = "x"\nhosts = ["h.example"]\norigin = "{u}"\npath = "a{99999999999}"',
        '[[proxies]]\nname = "x"\nhosts = ["h.example"]\norigin = "{u}"\npath = "'
        + "(" * 3_000
        + ")" * 3_000
        + '"',
    ],
    ids=["host", "fragment", "port", "scheme", "repeat", "nesting"],
)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, setting: str) -> None:
    (tmp_path / "archiver.toml").write_text(setting + "\n")
    code, _, text = archiver("show", "--address", "http://x.example/", "--in", str(tmp_path))
    assert code == 2, text
    assert "timegate" in text or "path" in text
