"""The stored attacks, as a browser sees every page that shows them: none runs, loads, or leads away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, Sight, chromium, serving
from playwright import sync_api
from stored_attacks import HOST, TEXTS, make_archive, pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]
RAN = "window.pwned !== undefined"


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as browser:
        yield browser


def test_what_is_not_made_safe_runs_and_is_noticed(browser: sync_api.Browser) -> None:
    with Sight(browser, "about:blank") as sight:
        sight.page.set_content(TEXTS["image"])
        sight.page.wait_for_function(RAN)
        assert "a script ran" in sight.said
        with sight.page.expect_request(f"http://{HOST}/css"):
            sight.page.set_content(TEXTS["style"].replace("//", "http://"))
        assert sight.elsewhere == [f"http://{HOST}/css"]


def test_no_stored_attack_runs(browser: sync_api.Browser, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    make_archive(root)
    with serving(root) as url, Sight(browser, url) as sight:
        for path in pages(root):
            address = url.rstrip("/") + path
            sight.go(address)
            assert not sight.page.evaluate(RAN), path
            assert (sight.elsewhere, sight.said) == ([], []), path
            assert sight.page.url == address or path == "/", path
            assert len(sight.page.frames) == 1, path
            sight.page.keyboard.press("Tab")
        assert sight.page.context.cookies() == []
