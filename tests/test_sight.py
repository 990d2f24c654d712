"""What a person sees while a run goes on: on a terminal, without one, and when the terminal goes away."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal import Screen, Seen, cells, watch

from archiver.capture.engine import HostView
from archiver.demo.world import DemoWorld
from archiver.kept import Progress
from archiver.tell import live, words

HOST = "paper.example"


def host(name: str, *asking: str, waiting: int = 0, seconds: float = 0, why: str = "") -> HostView:
    return HostView(name, asking, waiting, seconds, why)


def progress(*hosts: HostView, stopping: bool = False, requests: int = 0, received: int = 0) -> Progress:
    outcomes = {"captured": 1234, "robots": 2, "dead": 1, "failed": 3}
    return Progress(outcomes, 5, 678, requests, received, hosts, stopping)


BUSY = (
    host("a.example", "http://a.example/path?x=1", "http://a.example/2", waiting=7),
    host("b.example", waiting=1200, seconds=11.2, why="crawl-delay"),
    host("c.example", waiting=3, seconds=0.01, why="Retry-After"),
    host("d.example", waiting=1),
)


@pytest.fixture
def sized(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    def size(columns: int, lines: int) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", str(lines))

    monkeypatch.setenv("TERM", "xterm")
    size(80, 24)
    return size  # type: ignore[return-value]


def shown(now: Progress, columns: int = 80, rows: int = 24) -> list[str]:
    """The picture as a terminal shows it; it must fit."""
    picture = live.View(lambda: now).picture()
    screen = Screen(columns, rows)
    screen.feed("\r\n".join(picture))
    assert len(picture) < max(rows, 2)
    assert len(screen.lines) == max(len(picture), 1)
    return screen.lines


# --- the picture ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("sized")
def test_it_says_what_is_asked_what_waits_and_why() -> None:
    lines = [re.sub(r" +", " ", line).strip() for line in shown(progress(*BUSY))]
    assert lines[1:] == [
        "1,234 captured, 3 failed, 2 skipped by robots.txt, 1 known dead",
        "a.example asking /path?x=1 and 1 more 7 to go",
        "b.example waits 12 s (crawl-delay) 1,200 to go",
        "c.example waits 1 s (Retry-After) 3 to go",
        "d.example next 1 to go",
    ]


@pytest.mark.usefixtures("sized")
def test_of_many_hosts_the_first_are_shown_and_the_rest_counted() -> None:
    many = [host(f"h{number}.example", waiting=10) for number in range(30)]
    lines = shown(progress(*many))
    assert [line.split()[0] for line in lines[2:-1]] == [f"h{number}.example" for number in range(8)]
    assert lines[-1].strip() == "and 22 more hosts, 220 to go"


@pytest.mark.usefixtures("sized")
def test_it_says_that_it_is_stopping() -> None:
    assert "Ctrl-C again ends at once" in shown(progress(stopping=True))[0]


def test_rates_are_those_of_the_last_seconds() -> None:
    """20 requests a second, then none: after ten seconds the rate is none, and the mean is forgotten."""
    clock, done = [0.0], [0]
    view = live.View(lambda: progress(requests=done[0], received=done[0] * 50_000), lambda: clock[0])
    for _ in range(40):
        clock[0] += 0.5
        done[0] += 10
        first = view.picture()[0]
    assert "400 requests, 20.0/s" in first
    assert "20.0 MB, 1.0 MB/s" in first
    for _ in range(25):
        clock[0] += 0.5
        first = view.picture()[0]
    assert "0:00:32" in first
    assert "400 requests, 0.0/s" in first


@pytest.mark.parametrize("columns", [1, 2, 5, 20, 33, 79, 80, 200])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 24])
def test_it_fits_any_terminal(sized: Iterator[object], columns: int, rows: int) -> None:
    sized(columns, rows)  # type: ignore[operator]
    wide = host("新闻图片.example", "http://x/" + "图" * 300, waiting=10**9, seconds=10**9, why="原" * 50)
    lines = shown(progress(*BUSY, wide, stopping=True), columns, rows)
    assert all(cells(line) < columns or columns == 1 for line in lines)


HOSTILE = st.text(alphabet=st.characters(), max_size=40) | st.sampled_from(
    [
        "\x1b[2J\x1b]0;owned\x07",
        "[red]x[/red] :boom: [link=http://x]y[/link]",
        "a\nwhole  forged",
        "\u202egnp.exe",
        "\udcff\udc80",
        "http://[",
        "\r\x9b31m",
        "e" + "\u0301" * 500,
    ]
)


@given(name=HOSTILE, url=HOSTILE, why=HOSTILE)
def test_texts_of_others_stay_in_their_row(name: str, url: str, why: str) -> None:
    view = live.View(lambda: progress(host(name, url, waiting=1), host(name, waiting=1, seconds=3, why=why)))
    for text in (*view.picture(), view.line()):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", plain)
    assert len(view.picture()) == 4


@pytest.mark.usefixtures("sized")
def test_markup_of_others_is_text() -> None:
    lines = shown(progress(host("[bold]h", "http://x/[red]:boom:", waiting=1)))
    assert lines[2].startswith("[bold]h")
    assert "/[red]:boom:" in lines[2]


@pytest.mark.parametrize(("variable", "coloured"), [("HARMLESS", True), ("NO_COLOR", False)])
@pytest.mark.usefixtures("sized")
def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, variable: str, coloured: bool) -> None:
    monkeypatch.setenv(variable, "1")
    picture = "".join(live.View(lambda: progress(*BUSY, stopping=True)).picture())
    assert bool(re.search(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7])[;m]", picture)) is coloured


def test_the_line_has_the_same_facts() -> None:
    clock = [0.0]
    now = progress(*BUSY, stopping=True, requests=120, received=6_000_000)
    view = live.View(lambda: now, lambda: clock[0])
    clock[0] = 60
    assert view.line() == (
        "0:01:00; 120 requests, 2.0/s; 6.0 MB, 100 kB/s; 5 articles; 678 to go; 1,234 captured, 3 failed, "
        "2 skipped by robots.txt, 1 known dead; asking a.example; b.example waits 12 s (crawl-delay), "
        "c.example waits 1 s (Retry-After); stopping"
    )


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (1 << 30, "1.1 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes(count: float, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (93_600, "26 h"), (172_800, "2 days")],
)
def test_durations(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


# --- the command on a terminal -------------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> Iterator[DemoWorld]:
    """Twelve pages on one host; with a delay of 0.3 s that is a run of some seconds."""
    with DemoWorld(picture_hosts=(HOST,)) as running:
        for number in range(12):
            text = f"<p>Of mill {number} 渡轮 it is said that there is no other like it in the county.</p>"
            head = f"<head><title>渡轮 {number}</title></head>"
            body = f"<html>{head}<body><article>{text}</article></body></html>"
            running.site.add(HOST, f"/{number}", body.encode(), "text/html; charset=utf-8")
        yield running


def arguments(world: DemoWorld, root: Path, *more: str) -> list[str]:
    urls = [f"http://{HOST}/{number}" for number in range(12)]
    flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
    return ["archive", *urls, "--into", str(root), "--delay", "0.2", *flags, *more]


def saved(root: Path) -> int:
    """How many pages lie sealed in the archive, by its record lists."""
    lines = b"".join(path.read_bytes() for path in root.glob("warcs/*.records.jsonl")).splitlines()
    records = [json.loads(line) for line in lines]
    return sum(
        row["type"] == "response" and row.get("status") == 200 and "robots" not in row["uri"]
        for row in records
    )


@pytest.mark.slow
def test_lines_scroll_above_the_picture(world: DemoWorld, tmp_path: Path) -> None:
    seen = watch("-m", "archiver", *arguments(world, tmp_path / "a"), columns=70, rows=12)
    assert seen.code == 0
    frames = [frame for frame in seen.frames if any("to go" in line for line in frame)]
    assert any(re.search(r"paper\.example +waits 1 s \(", "\n".join(frame)) for frame in frames)
    assert any(line.startswith("captured") for frame in frames for line in frame[:-3])
    lines = "".join(seen.screen.lines)
    assert all(f"http://{HOST}/{number}" in lines for number in range(12))
    assert "to go" not in lines, "the picture is still there at the end"
    assert seen.screen.lines[-2].startswith("Complete. 12 captured.")
    assert seen.screen.wraps
    assert saved(tmp_path / "a") == 12


@pytest.mark.slow
def test_json_on_stdout_stays_pure(world: DemoWorld, tmp_path: Path) -> None:
    seen = watch("-m", "archiver", *arguments(world, tmp_path / "a", "--json"), pipe_stdout=True)
    rows = [json.loads(line) for line in seen.stdout.splitlines()]
    assert (seen.code, rows[-1]["type"], rows[-1]["fetches"]) == (0, "summary", {"captured": 12})
    assert rows[-1]["warcs"] == [
        str(path.relative_to(tmp_path / "a")) for path in tmp_path.glob("a/warcs/*.gz")
    ]
    assert any("to go" in line for frame in seen.frames for line in frame)
    assert not seen.screen.text.count('{"type"')


@pytest.mark.slow
def test_json_on_the_terminal_itself_is_whole(world: DemoWorld, tmp_path: Path) -> None:
    seen = watch("-m", "archiver", *arguments(world, tmp_path / "a", "--json"), columns=2000)
    rows = [json.loads(line) for line in seen.screen.lines if line.startswith("{")]
    assert [row["type"] for row in rows].count("fetch") == 13
    assert rows[-1]["type"] == "summary"


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": ""}])
def test_a_terminal_that_cannot_go_back_gets_lines(
    world: DemoWorld, tmp_path: Path, environment: dict[str, str]
) -> None:
    seen = watch("-m", "archiver", *arguments(world, tmp_path / "a"), environment=environment)
    assert seen.code == 0
    assert not any("to go" in line for frame in seen.frames for line in frame)


@pytest.mark.slow
def test_work_goes_on_when_the_terminal_is_gone(world: DemoWorld, tmp_path: Path) -> None:
    seen = watch("-m", "archiver", *arguments(world, tmp_path / "a"), hang_up_after=2.0)
    assert "Complete" not in seen.screen.text, "it was gone too late to tell anything"
    assert seen.code == 0
    assert saved(tmp_path / "a") == 12


def test_verify_shows_its_progress_in_place(sealed: Path) -> None:
    """Its heartbeat is a picture of one line, and leaves nothing behind."""
    code = "import archiver.console as c; c.DRAW_SECONDS = 0.001; from archiver.cli import main; main()"
    seen = watch("-c", code, "verify", "--deep", str(sealed))
    assert any("files checked" in line for frame in seen.frames for line in frame)
    assert "files checked" not in seen.screen.text
    assert "No problems found" in seen.screen.text


# --- without a terminal --------------------------------------------------------------------------


def run_often(*words: str) -> subprocess.CompletedProcess[str]:
    """With a line each tenth of a second in place of each minute."""
    code = "import archiver.console as c; c.LINE_SECONDS = 0.1; from archiver.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_without_a_terminal_lines_come_now_and_then(world: DemoWorld, tmp_path: Path) -> None:
    done = run_often(*arguments(world, tmp_path / "a", "--json"))
    assert done.returncode == 0
    assert {json.loads(line)["type"] for line in done.stdout.splitlines()} >= {"fetch", "summary"}
    lines = [line for line in done.stderr.splitlines() if "to go" in line]
    assert len(lines) > 3
    assert all(
        re.match(r"0:00:\d\d; \d+ requests?, [\d.]+/s; .+/s; \d+ articles?; \d+ to go", line)
        for line in lines
    )
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.slow
def test_no_line_comes_in_a_run_shorter_than_a_minute(world: DemoWorld, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "archiver", *arguments(world, tmp_path / "a")],
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == b""


def test_said_lines_are_never_torn() -> None:
    """Many threads say things while the picture is drawn: each line stands whole on the terminal."""
    code = """
import threading, archiver.console as console
console.DRAW_SECONDS = 0.0005
out = console.Output(False)
with out.alive(lambda: "", lambda: ["picture " * 5, "of two lines"]):
    def talk(n):
        for i in range(200):
            out.say(f"line {n} {i} end")
    threads = [threading.Thread(target=talk, args=(n,)) for n in range(4)]
    [each.start() for each in threads]
    [each.join() for each in threads]
"""
    seen: Seen = watch("-c", code, columns=60, rows=10)
    assert seen.code == 0
    expected = {f"line {number} {each} end" for number in range(4) for each in range(200)}
    assert sorted(line for line in seen.screen.lines if line) == sorted(expected)
