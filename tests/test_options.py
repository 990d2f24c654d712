"""What a person may type or write into archiver.toml, and that it reaches the wire."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from commands import archiver

from archiver import config
from archiver.cli import main
from archiver.cli.options import rate
from archiver.demo.world import DemoWorld
from archiver.errors import UsageError

HOST = "paper.example"


@pytest.fixture(scope="module")
def world() -> Iterator[DemoWorld]:
    with DemoWorld(picture_hosts=(HOST,)) as running:
        text = "<p>Of the mill it is said that there is no other like it in the county.</p>" * 100
        body = f"<html><head><title>Mill</title></head><body><article>{text}</article></body></html>"
        running.site.add(HOST, "/a", body.encode(), "text/html")
        yield running


def save(world: DemoWorld, root: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    world.requests.clear()
    flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
    code, rows, text = archiver("archive", f"http://{HOST}/a", "--into", str(root), "--json", *flags, *more)
    return code, rows[-1] if rows else {}, text


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1", 1), ("500k", 512_000), ("1.5M", 1_572_864), ("2m", 2 << 20), ("1G", 1 << 30), ("0.5k", 512)],
)
def test_rates_are_those_of_curl(written: str, meant: int) -> None:
    assert rate(written) == meant


@pytest.mark.parametrize("written", ["", "0", "-1", "k", "1kk", "1 k", "1e3", "0.1", "nan", "inf", "1T"])
def test_rates_that_are_none(written: str) -> None:
    with pytest.raises(click.BadParameter):
        rate(written)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--parallel", "0"], "--parallel"),
        (["--parallel", "257"], "--parallel"),
        (["--per-host", "0"], "--per-host"),
        (["--delay", "-1"], "--delay"),
        (["--delay", "nan"], "--delay"),
        (["--delay", "inf"], "--delay"),
        (["--retries", "21"], "--retries"),
        (["--limit-rate", "fast"], "is no rate"),
        (["--ignore-robots", " "], "Say why"),
        (["--ignore-robots", "a\r\nrobots: obey"], "Say why"),
        (["--contact", "me (at) home"], "contact"),
        (["--contact", "a\r\nX: y"], "contact"),
        (["--revisits", "some"], "--revisits"),
    ],
)
def test_options_that_cannot_be_end_with_usage(tmp_path: Path, options: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["archive", "http://x.example/", "--into", str(tmp_path / "a"), *options])
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_source_is_needed_unless_failures_are_retried(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["archive", "--into", str(tmp_path)])
    assert (done.exit_code, "Missing argument 'SOURCE...'" in done.stderr) == (2, True)
    assert CliRunner().invoke(main, ["archive", "--retry-failed", "--into", str(tmp_path)]).exit_code == 5


@pytest.mark.parametrize(
    "written",
    [
        "contact = 1",
        "[manners]\nparallel = 0",
        "[manners]\nparallel = 1.5",
        "[manners]\ndelay = nan",
        "[manners]\nparalel = 4",
        "[limits]\nbytes = 1",
        "[limits]\nredirects = -1",
        "[seal]\nminutes = inf",
        "[revisits]\nbytes = true",
        "manners = 4",
        "x = " + "[" * 100_000,
    ],
)
def test_settings_that_cannot_be_are_usage_errors(tmp_path: Path, written: str) -> None:
    (tmp_path / "archiver.toml").write_text(written)
    with pytest.raises(UsageError) as raised:
        config.load(tmp_path)
    assert "archiver.toml" in str(raised.value)


def test_an_option_beats_the_setting_and_the_setting_the_default() -> None:
    found = config.Manners(parallel=4, delay=2.5)
    assert config.overridden(found, {"parallel": 6, "delay": None, "retries": None}) == config.Manners(
        parallel=6, delay=2.5
    )
    assert config.overridden(found, {"delay": 0.0}).delay == 0


def test_contact_reaches_the_publisher(world: DemoWorld, tmp_path: Path) -> None:
    tmp_path.joinpath("archiver.toml").write_text('contact = "https://library.example/crawling"')
    for options, contact in [
        ((), "https://library.example/crawling"),
        (("--contact", "me@x.example"), "me@x.example"),
    ]:
        code, _, text = save(world, tmp_path, *options)
        assert code == 0, text
        agents = {seen.user_agent for seen in world.requests}
        assert len(agents) == 1
        assert f"(+{contact}; " in str(agents)


def test_robots_are_not_asked_for_with_a_reason(world: DemoWorld, tmp_path: Path) -> None:
    for options, paths in [((), ["/robots.txt", "/a"]), (("--ignore-robots", "our own"), ["/a"])]:
        code, _, text = save(world, tmp_path / str(len(paths)), *options)
        assert code == 0, text
        assert [seen.path for seen in world.requests] == paths


def test_limits_of_the_settings_reach_the_wire(world: DemoWorld, tmp_path: Path) -> None:
    tmp_path.joinpath("archiver.toml").write_text("[limits]\nbytes = 2000\n[manners]\nretries = 0\n")
    code, summary, text = save(world, tmp_path)
    assert (code, summary["fetches"]) == (3, {"partial": 1}), text
