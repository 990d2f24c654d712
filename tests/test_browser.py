"""What only a browser sees: pictures really drawn, no blocked script or style, nothing wider than a phone."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browse_articles import CHINESE, ENGLISH, EVIL, PAGE, RESCUED, make_archive
from playwright import sync_api

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVE = """
import sys
from pathlib import Path
from archiver.browse.server import serve
serve(Path(sys.argv[1]), "127.0.0.1", 0, False, ready=lambda url: print(url, flush=True))
"""
OURS = ["", "-/timeline", *(f"-/articles/{number}" for number in (CHINESE, PAGE, ENGLISH, EVIL, RESCUED))]
TABLES = [
    "catalogue",
    "catalogue/pictures",
    "catalogue/records",
    "catalogue/blocks",
    "catalogue/fetches?_sort=id",
]
UNDRAWN = "[...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)"
SCROLLED = """async () => {
  for (const folded of document.querySelectorAll("details")) { folded.open = true; }
  for (const image of document.images) { image.loading = "eager"; }
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    archive = make_archive(tmp_path_factory.mktemp("browser") / "archive", fillers=30, damaged=False)
    archive.db.close()
    command = [sys.executable, "-c", SERVE, str(archive.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.parametrize("path", OURS + TABLES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_page_in_a_browser(chromium: sync_api.Browser, url: str, path: str, width: int, scheme: str) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append("a script ran"), dialog.dismiss()))
    try:
        answer = page.goto(url + path, wait_until="load")
        assert answer.status == 200
        page.evaluate(SCROLLED)
        assert page.evaluate(UNDRAWN) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if path not in TABLES or "pictures" in path:
            assert page.evaluate("document.images.length") > 0
        assert said == []
    finally:
        page.close()


def test_chinese_lines_are_wide_enough_to_read(chromium: sync_api.Browser, url: str) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 844})
    try:
        page.goto(url + "catalogue/blocks")
        assert page.locator("td.col-text").first.bounding_box()["width"] >= 18 * 16
        page.goto(f"{url}-/articles/{CHINESE}")
        text = page.locator("p.text").first
        assert text.bounding_box()["width"] > 600
        fonts = text.evaluate("element => getComputedStyle(element).fontFamily")
        assert re.search("Noto Sans CJK SC", fonts)
        pair = [page.locator(".copy").nth(number).bounding_box() for number in (0, 1)]
        assert pair[0]["y"] == pair[1]["y"]
        assert pair[0]["x"] + pair[0]["width"] <= pair[1]["x"]
        page.set_viewport_size({"width": 390, "height": 844})
        pair = [page.locator(".copy").nth(number).bounding_box() for number in (0, 1)]
        assert pair[0]["y"] + pair[0]["height"] <= pair[1]["y"]
    finally:
        page.close()


def test_changes_can_be_told_apart_without_colours(chromium: sync_api.Browser, url: str) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    try:
        page.goto(f"{url}-/articles/{CHINESE}")
        folded = page.locator("details.texts")
        assert not page.locator(".changed").is_visible()
        folded.locator("summary").click()
        assert page.locator(".changed").is_visible()
        told = "element => getComputedStyle(element, '::before').content"
        assert "only on the page" in page.locator(".changed del").evaluate(told)
        assert "only in the mirror" in page.locator(".changed ins").evaluate(told)
        lines = "element => getComputedStyle(element).textDecorationLine"
        assert page.locator(".changed del").evaluate(lines) == "line-through"
        assert page.locator(".changed ins").evaluate(lines) == "underline"
    finally:
        page.close()


def test_dark_is_dark(chromium: sync_api.Browser, url: str) -> None:
    lightness = {}
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme=scheme)
        try:
            page.goto(url)
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            lightness[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
        finally:
            page.close()
    assert lightness["dark"] < 150
    assert lightness["light"] > 600
