"""The report of a bundle in Chromium: drawn whole, from no network, on a screen, a phone and paper."""

from collections.abc import Iterator
from pathlib import Path

import evidence_archive as made
import pytest
from chromium import ARGUMENTS, CHROMIUM, UNDRAWN
from playwright import sync_api

from archiver.prove.bundle import prove
from archiver.show import reading

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    root, _, _ = made.proved(folder)
    with reading(root) as db:
        prove(root, db, "http://news.example/0/", folder / "e.zip")
    return made.unpacked(made.files_of(folder / "e.zip"), folder / "bundle") / "report.html"


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [1000, 390])
def test_the_report_is_drawn(chromium: sync_api.Browser, report: Path, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 844})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(report.as_uri())
        assert page.evaluate(UNDRAWN) == []
        assert page.evaluate("document.images.length") == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#en h2").count() == page.locator("#zh h2").count() == 4
        assert "U+202E" in page.locator("#en").inner_text()
        assert page.pdf(format="A4").startswith(b"%PDF")
        assert said == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    finally:
        page.close()
