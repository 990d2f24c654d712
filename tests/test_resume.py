"""A run that was stopped goes on where it was: by Ctrl-C, by the system, by a kill."""

import signal
import time
from pathlib import Path

import pytest
from killing import (
    Rows,
    findings,
    killed_many_times,
    last_words,
    listed_ids,
    peers_accept,
    query,
    read,
    record_ids,
    start,
    words,
)
from resume_site import Site, page_url, picture_urls
from wide import KILLS, WIDE

from archiver import journal

SLOW = "http://alpha.example/slow/1.html"
ITS_PICTURE = "http://pictures.example/counted/slow-1.html.svg"
REST = [f"http://alpha.example/item/{number}.html" for number in range(20)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6, *([7, 8] if WIDE else [])])
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/archiver.toml").write_text("[seal]\nbytes = 9000\n")
    killed_many_times(tmp_path, seed, KILLS, ["--retries", "1", "--parallel", "4"])


def a_list(folder: Path, urls: list[str]) -> str:
    path = folder / "list.txt"
    path.write_text("\n".join(urls))
    return str(path)


def wait_for(site: Site, url: str) -> None:
    for _ in range(2000):
        if url in site.log():
            return
        time.sleep(0.01)
    raise AssertionError(f"{url} was never asked for")


def run(*command: str) -> tuple[int, Rows]:
    with start(*command, "--json") as process:
        said = read(process)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    return process.returncode, said


def continued(site: Site, command: list[str], root: Path, said: Rows) -> None:
    """The same command asks for all the rest, and for nothing that was acknowledged."""
    before = len(site.asked)
    code, _ = run(*command)
    assert code == 0
    assert not last_words(said) & set(site.log(before))
    assert words(root) == {(url, "whole") for url in [SLOW, ITS_PICTURE, *REST]}
    assert not (root / journal.NAME).exists()
    assert record_ids(said) <= listed_ids(root)
    assert not findings(root, None)
    assert query(root, "SELECT count(*), count(ended) FROM runs") == [(1, 1)]
    before = len(site.asked)
    run(*command)
    assert set(site.log(before)) >= {SLOW, ITS_PICTURE, *REST}  # another run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_finishes_what_is_on_its_way(tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "archive"
    with Site(pause=0.6) as site:
        command = ["archive", a_list(tmp_path, [SLOW, *REST]), "--into", str(root), *site.flags]
        with start(*command, "--json") as process:
            wait_for(site, SLOW)
            process.send_signal(number)
            said = read(process)
        assert process.returncode == 130
        assert site.log()[-1] == SLOW  # its picture is named too late
        assert [row["outcome"] for row in said if row.get("url") == SLOW and row["type"] == "fetch"] == [
            "whole"
        ]
        assert said[-1]["type"] == "summary"
        assert said[-1]["exit_code"] == 130
        assert not list(root.glob("warcs/*.open"))
        assert (root / journal.NAME).exists()
        assert not findings(root, None)
        assert query(root, "SELECT interrupted FROM runs") == [(1,)]
        continued(site, command, root, said)


def test_first_signal_while_a_feed_is_on_its_way(tmp_path: Path) -> None:
    """What it names is for the run that goes on."""
    root = tmp_path / "archive"
    with Site(items=2, pause=0.6) as site:
        feed = "http://alpha.example/slow/feed.xml"
        command = ["archive", feed, "--into", str(root), *site.flags]
        with start(*command, "--json") as process:
            wait_for(site, feed)
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=30)
            finally:
                process.kill()
        assert process.returncode == 130
        assert site.log()[-1] == feed
        assert run(*command)[0] == 0
        assert site.log().count(feed) == 1
        assert len(words(root)) == 5  # two items, and the picture of each


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    with Site(pause=30) as site:
        command = [
            "archive",
            a_list(tmp_path, [*REST[:5], SLOW, *REST[5:]]),
            "--into",
            str(root),
            *site.flags,
        ]
        with start(*command, "--json") as process:
            said = read(process, 6)  # robots.txt and five pages
            wait_for(site, SLOW)
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            asked = time.monotonic()
            said += read(process)
            process.wait(10)
            assert time.monotonic() - asked < 2
            assert process.stderr
            assert "Traceback" not in process.stderr.read()
        assert process.returncode == 130
        assert len(last_words(said)) == 5
        assert not [each for each in findings(root, None) if each.verdict != "unverifiable"]
        site.pause_seconds = 0.1
        continued(site, command, root, said)


def test_retry_failed_asks_for_what_failed_and_for_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    pages = [page_url(number) for number in (0, 4, 5)]
    gone, late = "http://pictures.example/gone/{}.svg", "http://pictures.example/late/5.svg"
    with Site() as site:
        command = ["archive", a_list(tmp_path, pages), "--into", str(root), *site.flags]
        assert run(*command)[0] == 3
        before = len(site.asked)
        code, said = run(*command)
        assert code == 3
        assert said[-1]["fetches"]["dead"] == 3
        assert not {gone.format(0), gone.format(4), late} & set(site.log(before))
        site.mended = True
        before = len(site.asked)
        code, said = run("archive", "--retry-failed", "--into", str(root), *site.flags)
        asked = {url for url in site.log(before) if not url.endswith("/robots.txt")}
        assert asked == {gone.format(0), gone.format(4), late}
        assert (code, said[-1]["fetches"]) == (3, {"captured": 1, "refused": 2})
        before = len(site.asked)
        code, _ = run("archive", "--retry-failed", "--into", str(root), *site.flags)
        asked = {url for url in site.log(before) if not url.endswith("/robots.txt")}
        assert asked == {gone.format(0), gone.format(4)}
    shown = query(root, "SELECT forms.url, outcome FROM forms JOIN fetches f ON f.id = fetch_id")
    assert (late, "whole") in shown


def test_what_cannot_be_read_is_noted_once_in_a_run_that_is_continued(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    with Site(pause=0.6) as site:
        unreadable = picture_urls(0)[0]  # a picture where a page was expected
        command = ["archive", a_list(tmp_path, [unreadable, SLOW, *REST]), "--into", str(root), *site.flags]
        with start(*command, "--json") as process:
            wait_for(site, SLOW)
            process.send_signal(signal.SIGINT)
            read(process)
        assert process.returncode == 130
        run(*command)
    assert query(root, "SELECT count(*) FROM unreadable_sources") == [(1,)]


@pytest.mark.parametrize(("setting", "pause"), [("bytes = 20000", 0.0), ("minutes = 0.01", 0.4)])
def test_long_run_seals_what_it_has(tmp_path: Path, setting: str, pause: float) -> None:
    root = tmp_path / "archive"
    root.mkdir()
    (root / "archiver.toml").write_text(f"[seal]\n{setting}\n")
    slow = [f"http://beta.example/slow/{number}.html" for number in range(8 if pause else 0)]
    with Site(pause=pause) as site:
        given = a_list(tmp_path, [*slow, *(page_url(number) for number in range(8))])
        with start("archive", given, "--into", str(root), "--json", *site.flags) as process:
            sealed = []
            while process.poll() is None:
                if (root / "manifest.json").exists():
                    assert not [each for each in findings(root, None) if each.verdict != "unverifiable"]
                sealed.append(len(list(root.glob("warcs/*.warc.gz"))))
                read(process, 3)
        assert process.returncode == 3
    assert len(set(sealed)) > 2, sealed
    assert not findings(root, None)
    assert len(list(root.glob("warcs/*.warc.gz"))) > 2
    peers_accept(root)
    assert query(root, "SELECT count(DISTINCT run_id), count(*) > 2 FROM warcs") == [(1, 1)]
