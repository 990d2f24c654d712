"""An article's page: contradictions, comparisons, renditions, other archives' copies, pictures set apart."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browse_archive import BrowseArchive
from browse_articles import CHINESE, ENGLISH, FERRY_URL, PAGE, RESCUED, Site

from archiver.browse.data import texts
from archiver.browse.language import language
from archiver.browse.server import build, close


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("browse") / "a") as site:
        yield site


def test_contradictions_are_told_in_words(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    told = html[html.index('class="contradictions"') : html.index("Claimed by")]
    assert re.findall(r"differ by ([\d,]+) s", told) == [
        "788",
        "1,744",
    ]  # the printed date, the page's <time>
    assert "The comment and the printed date differ by 788 s (13 min 8 s)" in told
    assert "the &lt;time&gt; element" in told
    english = site.get(f"/-/articles/{ENGLISH}").text
    assert (
        "The comment claims no time (NaN); the mirror&#39;s writer could not read the feed&#39;s time."
        in english
    )
    assert "“2023-10-02 09:00”, names no one moment" in english
    assert 'class="contradictions"' not in site.get(f"/-/articles/{RESCUED}").text


def test_a_teaser_s_upload_time_says_nothing_of_the_article(site: Site) -> None:
    html = site.get(f"/-/articles/{PAGE}").text
    claims = html[html.index("Claimed times") : html.index("Where it lies")]
    assert "2024-01-01" not in claims
    assert "2024-01-01" in html[html.index('id="others"') : html.index("Claimed times")]


def test_what_the_proxy_s_copy_lost_of_the_metadata(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    told = html[
        html.index("The proxy&#39;s copy has lost: camera, copyright notice, technical data (122 ent") :
    ]
    told = told[: told.index("</details>")]
    assert "<bdi>Exif:Model</bdi>" in told
    assert "<bdi>Kamera &lt;b&gt;</bdi>" in told
    assert told.count("<tr><td") == 100
    assert "and 22 more" in told
    assert "2023:11:12 09:00:00" in html[html.index("Claimed times") :]
    late = "The camera&#39;s time in a picture&#39;s EXIF is at least "
    assert late in html[html.index('class="contradictions"') : html.index("Claimed by")]


def test_a_mirror_s_text_is_held_against_the_page_s(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    told = html[html.index('id="texts"') : html.index("Claimed times")]
    assert (
        "Of the page&#39;s 8 paragraphs, 4 are the same, 1 is changed and 3 are missing"
        " in the mirror&#39;s text; 1 more stands only there." in told
    )
    assert "<details" in told
    assert " open" not in told
    shown = told[told.index("3 paragraphs the same") :]
    assert "北岸的码头已经有<del>近百</del><ins>九十多</ins>年的历史。" in shown
    assert re.findall("<h3>(.*?)</h3>", shown) == [
        "Changed",
        *["Missing in the mirror"] * 3,
        "Only in the mirror",
    ]
    assert shown.index("1 paragraph the same") > shown.index("<del>票价为每人三元，老人和儿童免费。</del>")
    assert 'lang="zh"' in shown
    page = site.get(f"/-/articles/{PAGE}").text
    assert f'href="/-/articles/{CHINESE}#texts"' in page
    assert "4 are the same" in page
    assert "<del>" not in page
    assert 'id="texts"' not in site.get(f"/-/articles/{ENGLISH}").text


def test_counts_in_words() -> None:
    def said(kind: str = "document", **counts: int) -> str:
        return texts.sentence(
            kind, language("en"), **({"same": 0, "changed": 0, "missing": 0, "added": 0} | counts)
        )

    assert said(same=1) == "Of the page's 1 paragraph, 1 is the same in the mirror's text."
    assert said("item", same=1200, added=2) == (
        "All 1,200 paragraphs of the page are the same in the feed's text; 2 more stand only there."
    )
    assert said(added=3).startswith("No text was found on the page")


def test_long_comparisons_are_cut(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "a")
    made = [
        archive.article(kind, FERRY_URL, archived="2026-11-22T00:00:00Z", kind=kind)
        for kind in ("document", "page", "item")
    ]
    archive.blocks(made[0], *(("paragraph", chr(0x5000 + number) * 3) for number in range(400)))
    archive.blocks(made[1], *(("paragraph", chr(0x7000 + number) * 3) for number in range(400)))
    archive.blocks(made[2], ("paragraph", "长" * 1_000_001))
    for document in (made[0], made[2]):
        counts = {"same": 0, "changed": 0, "missing": 400, "added": 400}
        archive.row("text_comparisons", document_id=document, page_id=made[1], **counts)
    datasette = build(tmp_path / "a")
    try:
        html = asyncio.run(datasette.client.get(f"/-/articles/{made[0]}")).text
        assert html.count("<h3>Missing in the mirror") == 300
        assert "500 more that differ are not shown here." in html
        html = asyncio.run(datasette.client.get(f"/-/articles/{made[2]}")).text
        assert "These texts are too long" in html
    finally:
        close(datasette)
        archive.db.close()


def test_renditions_of_a_picture_are_told(site: Site) -> None:
    html = site.get(f"/-/articles/{CHINESE}").text
    first = html[html.index('id="picture-1"') : html.index('id="picture-2"')]
    assert (
        "Its name claims: 900 pixels wide, cut to cx5 cy8 cw93, uploaded 2023-11-08 18:05:07.97 UTC,"
        " as pangea names pictures." in first
    )
    assert "2 renditions of this picture are in the archive" in first
    assert first.index("ferry_w1597.jpg</a>") < first.rindex("ferry.jpg</a>")  # the largest first
    assert first.count("Larger rendition, guessed from the name") == 1
    assert "1 larger rendition, guessed from the name, did not come" in first
    assert "The server answered 404." in first


def test_another_archive_s_copy_is_never_the_publisher_s(site: Site) -> None:
    html = site.get(f"/-/articles/{RESCUED}").text
    digits = site.archive.digits["memento"]
    copies = html[html.index('id="picture-1"') :].split('<section class="copy">')[1:]
    assert digits not in copies[0]
    assert "As published" in copies[0]
    assert digits in copies[1]
    assert "An archive&#39;s copy (of 2023-11-09 10:00:00 UTC, from archive.example)" in copies[1]
    assert "An archive&#39;s copy (from archive.example)" in copies[3]
    assert "The other archive answered 404." in copies[3]
    assert "1 of 2 pictures saved</span>, 1 of them another archive&#39;s copy" in html
    cards = site.get("/-/articles").text.split('<li class="card')
    (card,) = [each for each in cards if f'href="/-/articles/{RESCUED}"' in each]
    assert '<span class="borrowed">Another archive&#39;s copy</span>' in card
    assert "1 of them another archive&#39;s copy" in card
    assert sum("borrowed" in each for each in cards) == 1


def test_other_pictures_are_folded_apart(site: Site) -> None:
    html = site.get(f"/-/articles/{PAGE}").text
    assert "1 of 1 picture saved" in html
    others = html[html.index('<details class="folded panel" id="others">') : html.index("</article>")]
    assert "Other pictures on the page (2)" in others
    assert "Not fetched: tracking pixel: 1x1" in others
    assert "As published, 1200 × 800 JPEG" in others
    assert html.count("teaser.jpg</a>") == others.count("teaser.jpg</a>") == 1
    assert 'id="others"' not in site.get(f"/-/articles/{CHINESE}").text


def test_authors_section_and_reader(site: Site) -> None:
    assert re.search(
        '<p class="byline" lang="zh"><bdi>林海</bdi>, <bdi>陈一舟</bdi> · <bdi>本地新闻</bdi></p>',
        site.get(f"/-/articles/{CHINESE}").text,
    )
    page = site.get(f"/-/articles/{PAGE}").text
    assert "byline" not in page
    assert "told from the rest of the page by trafilatura 2.0.0" in page
