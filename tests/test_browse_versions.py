"""The versions of an article: what changed from capture to capture, and edits that nobody owns up to."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browse_archive import BrowseArchive, encoded, scene
from browse_articles import HOSTILE

from archiver.browse.data import versions
from archiver.browse.server import build, close

URL = "https://www.news.example/a/bridge/9.html"
PICTURE = "http://pictures.news.example/bridge.jpg"
OPENING = "大桥周一通车。市长出席了仪式。桥长三公里。"
Get = Callable[..., str]


def picture(archive: BrowseArchive, article: int, number: int, name: str, **more: Any) -> None:
    seed, caption = more["seed"], more.get("caption", "")
    url = PICTURE.replace("bridge", name)
    held = archive.picture(article, number, url, caption=caption)
    data = encoded(scene(seed, (160, 120)), quality=80)
    archive.form(held, "origin", url, archive.response(url, data, "image/jpeg", name=f"{name}-{seed}"))


def make(archive: BrowseArchive) -> None:
    def page(day: int, title: str, **more: str) -> int:
        return archive.article(
            title, URL, kind="page", given=URL, archived=f"2026-11-{day:02d}T08:00:00.000000Z", **more
        )

    first = page(1, "大桥通车", authors="林海")
    archive.blocks(first, ("paragraph", OPENING), ("paragraph", "票价未定。"))
    archive.time(first, "json-ld-modified", "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z")
    for number, name in enumerate(("bridge", "crowd", "gone")):
        picture(archive, first, number, name, seed=number, caption="通车仪式")
    second = page(2, "大桥通车", authors="林海")  # silent
    archive.blocks(second, ("paragraph", OPENING.replace("三公里", "两公里")), ("paragraph", "票价未定。"))
    archive.time(second, "json-ld-modified", "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z")
    picture(archive, second, 0, "bridge", seed=7, caption="通车典礼")
    picture(archive, second, 1, "moved", seed=1)
    picture(archive, second, 2, "new", seed=5)
    third = page(3, "大桥如期通车", authors="林海\n陈一舟")
    archive.blocks(third, ("paragraph", OPENING.replace("三公里", "两公里")))
    archive.time(third, "json-ld-modified", "2026-11-03T07:00:00Z", "2026-11-03T07:00:00Z")
    mirror = archive.article(HOSTILE, URL, archived="2026-11-04T08:00:00.000000Z")
    archive.blocks(mirror, ("paragraph", OPENING + HOSTILE))
    archive.row(
        "fetches",
        url=URL,
        purpose="page",
        outcome="whole",
        started="2026-11-02T20:00:00Z",
        unchanged=1,
        attempt=0,
        reason="",
        note_id="urn:uuid:again",
    )


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    root = tmp_path_factory.mktemp("versions") / "a"
    archive = BrowseArchive(root)
    make(archive)
    old, new = (f"sha256:{archive.digits[name]}" for name in ("bridge-0", "bridge-7"))
    empty = {"whole": "", "boxes": "[]", "turn": "", "degrees": 0, "affine": "[]", "reason": "", "label": ""}
    archive.row("picture_pairs", first=old, second=new, relation="locally-changed", **empty)
    datasette = build(root)

    def get(path: str, **options: str) -> str:
        answer = asyncio.run(datasette.client.get(path, **options))
        assert answer.status_code == 200
        return str(answer.text)

    yield get
    close(datasette)
    archive.db.close()


def steps(html: str) -> list[str]:
    return html.split('<li id="version-')[1:]


def test_versions_are_in_order_with_what_changed(get: Get) -> None:
    first, second, third, mirror = steps(get("/-/articles/2/versions"))
    assert "Compared with" not in first
    assert "Captured again, with the same bytes: 2026-11-02 20:00:00 UTC" in second
    assert '<a href="/-/articles/1">2026-11-01 08:00:00 UTC</a>' in second
    shown = re.sub(r'<span class="unseen">.*?</span>', "", second)
    assert "… 桥长<del>三</del><ins>两</ins>公里。" in shown  # by sentences: what did not change stays out
    assert "市长出席" not in shown
    assert "票价未定" not in shown
    assert "<del>票价未定。</del>" in re.sub(r'<span class="unseen">.*?</span>', "", third)
    assert "[removed: " in third  # for who hears or copies the text
    assert "<ins>" in third[third.index(">Title<") : third.index(">Authors<")]
    assert "陈一舟" in third[third.index(">Authors<") :]
    assert "another kind of source" in mirror


def test_silent_edits_are_pointed_out(get: Get) -> None:
    first, second, third, mirror = steps(get("/-/articles/1/versions"))
    assert "Edited silently: the text changed, and the claimed time of the last change did not." in second
    assert not any("Edited silently" in each for each in (first, third, mirror))
    chinese = get("/-/articles/1/versions", headers={"accept-language": "zh-CN"})
    assert "悄然修改" in chinese
    assert "Compared with" not in chinese


def test_pictures_that_came_went_and_were_replaced(get: Get) -> None:
    second = steps(get("/-/articles/1/versions"))[1]
    told = re.findall(r"</div>\s*<p>(.*?)<br>.*?/(\w+)\.jpg", second, re.DOTALL)
    assert [(sentence.split(" · ")[0], name) for sentence, name in told] == [
        ("Other bytes at the same address: LOCALLY CHANGED: the same picture, but not everywhere", "bridge"),
        ("The same bytes, at another address", "moved"),
        ("Picture added", "new"),
        ("Picture removed", "gone"),
    ]
    assert re.search(r'href="/-/pictures/[0-9a-f]{64}/against/[0-9a-f]{64}"', second)
    caption = re.sub(r'<span class="unseen">.*?</span>', "", second[second.index(">Caption<") :])
    assert "<del>" in caption[: caption.index("</p>")]
    assert "典" in caption[: caption.index("</p>")]


def test_hostile_text_is_inert_and_unknown_articles_are_told(get: Get) -> None:
    html = get("/-/articles/4/versions")
    assert "<script>alert" not in html
    assert "\u202e" not in html
    with pytest.raises(AssertionError):
        get("/-/articles/99/versions")


def test_many_and_long_versions_stay_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_CHARS", 2000)
    archive = BrowseArchive(tmp_path / "a")
    for number in range(25):
        made = archive.article("t", URL, kind="page", archived=f"2026-11-01T00:00:{number:02d}.000000Z")
        archive.blocks(made, ("paragraph", f"{number}. " + ("长" * 3000 if number == 24 else "短")))
    datasette = build(tmp_path / "a")
    try:
        pages = [
            asyncio.run(datasette.client.get(f"/-/articles/3/versions?page={n}")).text for n in (1, 2, 3, 9)
        ]
        assert [len(steps(html)) for html in pages] == [10, 10, 5, 5]
        assert "Compared with" in steps(pages[1])[0]  # the last of the page before
        assert "The text is too long to be compared here." in steps(pages[2])[-1]
        assert "no time of a change is claimed" in steps(pages[2])[0]
    finally:
        close(datasette)
        archive.db.close()


@pytest.mark.parametrize(
    ("text", "after", "before", "shown"),
    [
        ("One. Two. Three.", True, False, "One. … "),
        ("One. Two. Three.", False, True, " …  Three."),
        ("One. Two. Three. Four.", True, True, "One. …  Four."),
        ("一。二。", True, True, "一。二。"),
        ("", True, True, ""),
    ],
)
def test_sentences_without_a_change_are_cut(text: str, after: bool, before: bool, shown: str) -> None:
    assert versions.uncut(text, after=after, before=before) == shown
