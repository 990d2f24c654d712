"""What only a browser sees: pages drawn whole, wide and narrow, light and dark, and used with a keyboard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browse_articles import CHINESE, ENGLISH, EVIL, PAGE, RESCUED, make_archive
from chromium import CHROMIUM, Sight, chromium, serving
from commands import query, within
from playwright import sync_api

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]
MADE = ["", *(f"-/articles/{number}" for number in (CHINESE, PAGE, ENGLISH, EVIL, RESCUED))]
MISSING = "a page that is not there"
PAGES: dict[str, str | Callable[[Path], str]] = {
    "start": "-/archive",
    "articles": "-/articles",
    "article": "-/articles/1",
    "live page": "-/articles/5",
    "versions": "-/articles/1/versions",
    "search, two characters": "-/search?q=渡轮",
    "search, English": "-/search?q=reading+room",
    "search, in vain": "-/search?q=nowhere",
    "wall": "-/pictures",
    "picture": lambda root: f"-/pictures/{_cropped(root)[1]}",
    "two pictures": lambda root: "-/pictures/{}/against/{}".format(*_cropped(root)),
    "look-alikes": "-/duplicates",
    "captures": "-/captures",
    "captures of a host": "-/captures?host=pictures.news.example",
    "timeline": "-/timeline",
    "checks": "-/checks",
    "record of a page": lambda root: f"-/records/{_record(root, 'text/html')}",
    "record of a picture": lambda root: f"-/records/{_record(root, 'image/jpeg')}",
    "record of a note": lambda root: f"-/records/{_record(root, 'application/json')}",
    MISSING: "-/articles/999",
}
TABLES = [
    "catalogue",
    "catalogue/pictures",
    "catalogue/records",
    "catalogue/blocks",
    "catalogue/fetches?_sort=id",
]
WIDTHS = [(1280, "light"), (390, "dark")]
# The user agent, as the server was told it.
FOUND = re.compile(r"^newsarchiver/")


def _cropped(root: Path) -> tuple[str, str]:
    """Two of its pictures, of which one is a part of the other."""
    sql = "SELECT first, second FROM picture_pairs WHERE relation = 'cropped' ORDER BY 1, 2 LIMIT 1"
    ((first, second),) = query(root, sql)
    return first[7:], second[7:]


def _record(root: Path, mime: str) -> int:
    ((found,),) = query(root, f"SELECT min(id) FROM records WHERE mime = '{mime}'")  # noqa: S608 - one of ours
    return int(found)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Articles written by hand: of all kinds, and one that is hostile."""
    archive = make_archive(tmp_path_factory.mktemp("browser") / "archive", fillers=30, damaged=False)
    archive.db.close()
    with serving(archive.root) as url:
        yield url


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "archive"
    code, _, text = within("demo", "--into", str(root))
    assert code == 0, text
    return root


@pytest.fixture(scope="module")
def pages(demo: Path) -> Iterator[Callable[[str], str]]:
    """The URL of one of `PAGES`, in the demo archive."""
    with serving(demo) as url:

        def address(name: str) -> str:
            path = PAGES[name]
            return url + (path if isinstance(path, str) else path(demo))

        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as browser:
        yield browser


def whole(sight: Sight, url: str, width: int, status: int = 200) -> None:
    """Load it: nothing is missing, blocked, wider than the window, or asked of another host."""
    assert sight.go(url) == status
    assert sight.undrawn == []
    assert sight.width <= width
    assert sight.elsewhere == []
    expected = "error: Failed to load resource: the server responded with a status of 404 (Not Found)"
    assert sight.said == ([expected] if status == 404 else [])


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
def test_page(
    browser: sync_api.Browser, pages: Callable[[str], str], name: str, width: int, scheme: str
) -> None:
    with Sight(browser, pages(name), width=width, color_scheme=scheme) as sight:
        whole(sight, pages(name), width, 404 if name == MISSING else 200)
        assert sight.violations() == []
        if width == 1280:
            assert sight.tabbed() == ([], [])


@pytest.mark.parametrize("path", MADE)
@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
def test_made_page(browser: sync_api.Browser, url: str, path: str, width: int, scheme: str) -> None:
    with Sight(browser, url, width=width, color_scheme=scheme) as sight:
        whole(sight, url + path, width)
        assert sight.page.evaluate("document.images.length") > 0
        assert sight.violations() == []


@pytest.mark.parametrize("path", TABLES)
@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
def test_table(browser: sync_api.Browser, url: str, path: str, width: int, scheme: str) -> None:
    with Sight(browser, url, width=width, color_scheme=scheme) as sight:
        whole(sight, url + path, width)


@pytest.mark.parametrize("name", PAGES)
def test_page_speaks_chinese(browser: sync_api.Browser, pages: Callable[[str], str], name: str) -> None:
    with Sight(browser, pages(name), locale="zh-CN") as sight:
        sight.go(pages(name))
        assert sight.page.evaluate("document.documentElement.lang") == "zh-Hans"
        said = [words for words in sight.words if not FOUND.search(words)]
        assert any(re.search(r"[\u4e00-\u9fff]", words) for words in said)
        english = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}|^[A-Z][a-z]{3,}$")
        assert [w for w in said if english.search(w) and not re.search(r"[\u4e00-\u9fff]", w)] == []


def test_first_tab_leads_past_the_head(browser: sync_api.Browser, pages: Callable[[str], str]) -> None:
    with Sight(browser, pages("article")) as sight:
        sight.go(pages("article"))
        sight.page.keyboard.press("Tab")
        skip = sight.page.locator(".skip")
        assert sight.page.evaluate("document.activeElement.className") == "skip"
        assert skip.bounding_box()["x"] >= 0
        sight.page.keyboard.press("Enter")
        assert sight.page.url.endswith("#content")


def test_chinese_lines_are_wide_enough_to_read(browser: sync_api.Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
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


def test_changes_can_be_told_apart_without_colours(browser: sync_api.Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
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


def test_dark_is_dark(browser: sync_api.Browser, url: str) -> None:
    lightness = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        try:
            page.goto(url)
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            lightness[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
        finally:
            page.close()
    assert lightness["dark"] < 150
    assert lightness["light"] > 600
