"""Five articles for the tests of browsing: Chinese from two sources, English, a hostile and a rescued one."""

import asyncio
from pathlib import Path
from typing import Any, Self

from browse_archive import BrowseArchive, encoded, scene, sha256

from archiver.browse.server import build, close

CHINESE, PAGE, ENGLISH, EVIL, RESCUED = 1, 2, 3, 4, 5  # ids of the articles
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
FERRY_URL = "https://www.news.example/a/harbour-ferry/7346943.html"
FERRY = "http://pictures.news.example/ferry.jpg"
TEASER = "http://pictures.news.example/teaser.jpg"
MEMENTO = "https://archive.example/web/http://pictures.news.example/lost.jpg"
SAID = (
    ("Exif", "Model", "Kamera <b>\u202e"),
    ("IPTC", "CopyrightNotice", "© 林海"),
    *(("XMP-crs", f"Setting{n}", "1") for n in range(120)),
)
HOSTILE = "<script>alert('t')</script>\u202egnp.exe\u2066\x1b[31m"


def make_archive(root: Path, *, fillers: int = 0, damaged: bool = True) -> BrowseArchive:
    archive = BrowseArchive(root)
    _chinese(archive)
    _chinese_page(archive)
    _english(archive)
    _hostile(archive)
    _rescued(archive)
    if damaged:
        archive.damage("damaged")
    for number in range(fillers):
        archive.article(
            f"Short item {number}", f"https://www.news.example/{number}", archived="2026-11-01T00:00:00Z"
        )
    archive.index()
    return archive


def _chinese(archive: BrowseArchive) -> None:
    first = archive.article(
        "海湾新渡轮首航，连接南北两岸的老码头",
        FERRY_URL,
        archived="2026-11-22T19:05:12.000000Z",
        authors="林海\n陈一舟",
        section="本地新闻",
    )
    archive.blocks(
        first,
        ("picture", 0),
        (
            "paragraph",
            "周三（11月8日）清晨，海湾的新渡轮“白鹭号”从北岸老码头出发，开始了它的第一次航行。\n船上坐满了上班的人。",
        ),
        ("heading", "老码头的新生活"),
        (
            "paragraph",
            "北岸的码头已经有九十多年的历史。过去十年里，这里只停靠渔船；现在，每二十分钟就有一班渡轮开往南岸，单程只要十二分钟。",
        ),
        ("quote", "“小时候我跟着祖父坐船过海，如今又可以坐船了。”一位乘客说。"),
        ("picture", 1),
        ("paragraph", "渡轮公司表示，冬季的末班船在晚上十点离开南岸（high season 期间延长到十一点）。"),
    )
    archive.time(first, "comment", "1699468744000", "2023-11-08T18:39:04Z")
    archive.time(first, "printed", "Wed, 08 Nov 2023 18:25:56 GMT", "2023-11-08T18:25:56Z")
    archive.time(
        first, "guid", "01000000-0a00-0242-1524-08dbe0853e12", "2023-11-08T18:05:07.970000Z", picture=0
    )
    _chinese_pictures(archive, first)


def _chinese_pictures(archive: BrowseArchive, first: int) -> None:
    big, small = encoded(scene(1), quality=88), encoded(scene(1).resize((900, 600)), quality=80)
    origin, proxied = FERRY, f"https://images.weserv.nl/?url={FERRY.removeprefix('http://')}"
    lead = archive.picture(
        first,
        0,
        proxied,
        alt="渡轮离开北岸",
        caption="“白鹭号”渡轮周三清晨离开北岸老码头。（2023年11月8日）",
        rendition_family="pangea",
        rendition_group="pangea:ferry",
        rendition_area="cx5 cy8 cw93",
        rendition_width=900,
    )
    archive.form(lead, "proxied", proxied, archive.response(proxied, small, "image/jpeg", name="proxied"))
    archive.form(lead, "origin", origin, archive.response(origin, big, "image/jpeg", name="origin"))
    for number, (group, name, value) in enumerate(SAID):
        archive.row(
            "picture_metadata", payload_digest=sha256(big), number=number, grp=group, name=name, value=value
        )
    archive.row(
        "picture_times", payload_digest=sha256(big), clock="exif", written="2023:11:12 09:00:00", value=None
    )
    for name, picture in (("w1597", scene(1).resize((1597, 1065))), ("master", None)):
        guess = origin.replace(".jpg", f"_{name}.jpg")
        if picture:
            archive.form(lead, "rendition", guess, archive.response(guess, encoded(picture), "image/jpeg"))
        else:
            archive.form(lead, "rendition", guess, outcome="refused", status=404, reason="status 404")
    second = archive.picture(first, 1, proxied.replace("ferry", "pier"), caption="南岸的候船室。")
    pier = archive.response(
        proxied.replace("ferry", "pier"), encoded(scene(2, (900, 600))), "image/jpeg", name="pier"
    )
    archive.form(second, "proxied", proxied.replace("ferry", "pier"), pier)
    archive.form(
        second,
        "origin",
        origin.replace("ferry", "pier"),
        outcome="failed",
        stage="dns",
        reason="pictures.news.example has no address",
    )


def _chinese_page(archive: BrowseArchive) -> None:
    page = archive.article(
        "海湾新渡轮首航",
        FERRY_URL,
        archived="2026-11-22T19:06:00.000000Z",
        kind="page",
        language="zh-Hans",
        given=FERRY_URL,
        reader="trafilatura 2.0.0",
    )
    archive.time(page, "time-element", "2023-11-09T02:10:00+08:00", "2023-11-08T18:10:00Z")
    archive.time(page, "json-ld-modified", "2023-11-10T01:00:00Z", "2023-11-10T01:00:00Z")
    archive.blocks(
        page,
        (
            "paragraph",
            "周三（11月8日）清晨，海湾的新渡轮“白鹭号”从北岸老码头出发，开始了它的第一次航行。",
        ),
        ("paragraph", "船上坐满了上班的人。"),
        ("heading", "老码头的新生活"),
        (
            "paragraph",
            "北岸的码头已经有近百年的历史。过去十年里，这里只停靠渔船；现在，每二十分钟就有一班渡轮开往南岸，单程只要十二分钟。",
        ),
        ("paragraph", "票价为每人三元，老人和儿童免费。"),
        ("quote", "“小时候我跟着祖父坐船过海，如今又可以坐船了。”一位乘客说。"),
        ("item", "单程十二分钟"),
        ("item", "每二十分钟一班"),
    )
    archive.row("text_comparisons", document_id=CHINESE, page_id=page, same=4, changed=1, missing=3, added=1)
    social = archive.picture(page, 0, FERRY, place="meta-og:image")
    answer = archive.response(FERRY, encoded(scene(1), quality=88), "image/jpeg")
    archive.form(social, "origin", FERRY, answer)
    teaser = archive.picture(page, 1, TEASER, part="page", alt="另一篇报道")
    archive.form(teaser, "origin", TEASER, archive.response(TEASER, encoded(scene(5)), "image/jpeg"))
    archive.time(page, "guid", "teaser", "2024-01-01T00:00:00Z", picture=1)
    archive.picture(
        page, 2, "https://count.example/p.gif", part="page", unwanted="tracking pixel: 1x1", place="img-src"
    )


def _english(archive: BrowseArchive) -> None:
    article = archive.article(
        "The old library reopens with a reading room for the night shift",
        "https://www.news.example/a/library/1.html",
        archived="2026-11-21T08:00:00.000000Z",
        language="en",
        given="001_library.txt",
    )
    archive.time(article, "comment", "NaN", None)
    archive.time(article, "printed", "2023-10-02 09:00", None)
    archive.blocks(
        article,
        (
            "paragraph",
            "After two years of work the town's library opened its doors again on Monday, before dawn.",
        ),
        ("picture", 0),
        ("paragraph", "Nurses and bakers were the first to come in. Coffee is free until seven."),
        ("picture", 1),
    )
    image = scene(3, (800, 1000)).convert("RGBA")
    gone = archive.picture(
        article, 0, "https://images.weserv.nl/?url=pictures.news.example/gone.png", caption="The door."
    )
    archive.form(
        gone,
        "proxied",
        "https://images.weserv.nl/?url=pictures.news.example/gone.png",
        outcome="refused",
        status=404,
        reason="The requested URL returned error: 404",
    )
    archive.form(
        gone,
        "origin",
        "http://pictures.news.example/gone.png",
        outcome="failed",
        stage="connect",
        reason="timed out",
    )
    room = archive.picture(article, 1, "http://pictures.news.example/room.png", alt="A room with lamps")
    url = "http://pictures.news.example/room.png"
    archive.form(
        room,
        "origin",
        url,
        archive.response(url, encoded(image, "PNG"), "image/png", coding="gzip", name="room"),
    )


def _hostile(archive: BrowseArchive) -> None:
    article = archive.article(
        HOSTILE,
        "javascript:alert(document.domain)",
        archived="2026-11-20T08:00:00.000000Z",
        given=HOSTILE,
        language='"><b',
    )
    archive.time(article, "comment", HOSTILE, None)
    archive.time(article, HOSTILE, "later", "9999-99-99")
    archive.blocks(
        article,
        ("paragraph", HOSTILE),
        ("heading", HOSTILE),
        ("picture", 0),
        ("picture", 7),
        ("item", HOSTILE),
    )
    damaged = archive.picture(
        article, 0, "javascript:alert(2)", alt='"><img src=x onerror=alert(1)>', caption=HOSTILE
    )
    url = "http://evil.example/a.jpg"
    archive.form(
        damaged, "origin", url, archive.response(url, encoded(scene(4)), "text/html", name="damaged")
    )
    for number, (name, body, mime) in enumerate(
        (("svg", SVG, "image/svg+xml"), ("html", HTML, "image/jpeg")), 1
    ):
        url = f"http://evil.example/{name}"
        picture = archive.picture(article, number, url, place="img-srcset")
        archive.form(picture, "origin", url, archive.response(url, body, mime, name=name))
    archive.picture(article, 3, "http://evil.example/unasked", caption="no form")


def _rescued(archive: BrowseArchive) -> None:
    article = archive.article(
        "A picture that only another archive had",
        "https://www.news.example/a/lost/2.html",
        archived="2026-11-19T08:00:00.000000Z",
        language="en",
    )
    url = "http://pictures.news.example/lost.jpg"
    lost = archive.picture(article, 0, url, caption="The tower.")
    archive.form(lost, "origin", url, outcome="failed", stage="dns", reason="no address")
    answer = archive.response(MEMENTO, encoded(scene(6)), "image/jpeg", name="memento")
    archive.form(lost, "memento", MEMENTO, answer, original=url, memento="2023-11-09T10:00:00Z")
    dead = archive.picture(article, 1, url.replace("lost", "dead"), caption="The gate.")
    archive.form(
        dead, "origin", url.replace("lost", "dead"), outcome="failed", stage="dns", reason="no address"
    )
    archive.form(
        dead, "memento", MEMENTO.replace("lost", "dead"), outcome="refused", status=404, reason="status 404"
    )


class Site:
    """An archive, and a Datasette over it."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.archive = make_archive(root, **options)
        self.datasette = build(root)

    def get(self, path: str, **options: Any) -> Any:
        return asyncio.run(self.datasette.client.get(path, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        close(self.datasette)
        self.archive.db.close()
