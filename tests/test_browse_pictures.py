"""Browsing: the wall, one picture, two of them, look-alikes, and a person's word on them."""

import asyncio
import io
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browse_articles import HOSTILE, Site
from commands import query, within
from mirrored import INNER, LEAD, PICTURES, mirrored
from PIL import Image

from archiver.archive import Archive
from archiver.browse.data import duplicates, wall
from archiver.browse.server import build, close
from archiver.demo import encoding, scenes

TAKE = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA journal_mode = DELETE')"
HERE = {"Host": "127.0.0.1:8001", "Origin": "http://127.0.0.1:8001", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def cropped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One photograph and a part of it, each with its proxy's copy, archived from the wire."""
    folder, scene = tmp_path_factory.mktemp("cropped"), scenes.podium()
    lead = encoding.jpeg(encoding.rendition(encoding.crop(scene, 5, 8, 93), 600))
    with mirrored(folder, pictures=(lead, encoding.jpeg(encoding.rendition(scene, 600)))) as mirror:
        code, _, text = within("archive", str(mirror.document), "--into", str(folder / "a"), *mirror.flags)
    assert code == 0, text
    return folder / "a"


class Served:
    """Datasette over an archive, asked without a server."""

    def __init__(self, root: Path, host: str = "127.0.0.1") -> None:
        self.datasette = build(root, host=host)

    def get(self, path: str, **options: Any) -> Any:
        return asyncio.run(self.datasette.client.get(path, **options))

    def post(self, path: str, **options: Any) -> Any:
        return asyncio.run(self.datasette.client.post(path, **options))


@pytest.fixture
def served(cropped: Path, tmp_path: Path) -> Iterator[Served]:
    served = Served(Path(shutil.copytree(cropped, tmp_path / "archive")))
    yield served
    close(served.datasette)


@pytest.fixture(scope="module")
def reading(cropped: Path) -> Iterator[Served]:
    served = Served(cropped)
    yield served
    close(served.datasette)


@pytest.fixture(scope="module")
def digits(cropped: Path) -> dict[str, str]:
    """The publisher's own pictures by name."""
    sql = "SELECT uri, payload_digest FROM records WHERE type = 'response'"
    found = dict(query(cropped, sql))
    return {name: found[f"http://{PICTURES}/{path}"][7:] for name, path in (("part", LEAD), ("whole", INNER))}


def test_one_photograph_is_one_tile(reading: Served, digits: dict[str, str]) -> None:
    html = reading.get("/-/pictures").text
    assert re.findall(r'href="/-/pictures/([0-9a-f]{64})"', html) == [digits["whole"]]  # the best form
    assert "4 forms" in html
    assert 'loading="lazy"' in html
    assert re.search(r'<img src="/-/thumbnail/[0-9a-f]{64}" alt="[^"]+" width="600" height="400"', html)
    of_host = reading.get(f"/-/pictures?host={PICTURES}").text
    assert len(re.findall(r'href="/-/pictures/[0-9a-f]{64}"', of_host)) == 2
    for nothing in ("kind=graphic", "shape=portrait", "host=nowhere.example", "before=1"):
        assert "No picture here is like that." in reading.get(f"/-/pictures?{nothing}").text
    for wrong in ("kind='", "host=<b>", "before=x", "before=" + "9" * 30):
        assert reading.get(f"/-/pictures?{wrong}").status_code == 200


def test_wall_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall, "PAGE_SIZE", 3)
    with Site(tmp_path / "a") as site:
        for rare, query in (
            (3000, ""),
            (3000, "host=pictures.news.example"),
            (0, "host=pictures.news.example"),
        ):
            # few records of a host are sorted; of many the pictures are gone through
            monkeypatch.setattr(wall, "_RARE", rare)
            seen = follow(site, f"/-/pictures?{query}", r'href="/-/pictures/([0-9a-f]{64})"')
            assert len(seen) == len(set(seen)) == (4 if query else 8), query


def test_page_of_a_picture(reading: Served, digits: dict[str, str]) -> None:
    html = reading.get(f"/-/pictures/{digits['part']}").text
    assert "Intact" in html
    assert "One photograph: 4 pictures" in html
    box = re.search(r'<rect class="crop" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', html)
    assert box
    assert [float(each) for each in box.groups()] == pytest.approx([0.05, 0.08, 0.93], abs=0.02)
    assert f"/-/pictures/{digits['part']}/against/{digits['whole']}" in html
    assert "As the image proxy served it" in html
    assert "As published" in html
    assert "河边会谈" in html  # the article's title
    assert "warcs/" in html
    assert "pdq256/" in html
    whole = reading.get(f"/-/pictures/{digits['whole']}").text
    assert "Where, in this picture" in whole  # its own part, framed
    assert reading.get(f"/-/pictures/{'0' * 64}").status_code == 404
    chinese = reading.get(f"/-/pictures/{digits['part']}", headers={"Accept-Language": "zh"}).text
    assert "相似图片" in chinese
    assert "完好" in chinese


def test_the_original_bytes_are_a_download(reading: Served, digits: dict[str, str]) -> None:
    answer = reading.get(f"/-/media/{digits['part']}?download")
    assert answer.headers["content-disposition"] == f'attachment; filename="{digits["part"][:16]}.jpg"'
    assert answer.headers["content-type"] == "image/jpeg"


def test_two_pictures_in_any_order(reading: Served, digits: dict[str, str], cropped: Path) -> None:
    paths = [
        f"/-/pictures/{digits[a]}/against/{digits[b]}" for a, b in (("part", "whole"), ("whole", "part"))
    ]
    pages = [reading.get(path).text for path in paths]
    for html in pages:
        assert "cropped, the" in html
        assert html.count("<rect") == 1
        assert "Keypoints that agree" in html
        assert "They are counted as one photograph." in html
    pairs = [
        set(pair) for pair in query(cropped, "SELECT first, second FROM picture_pairs WHERE whole = 'first'")
    ]
    drawn = {f"sha256:{digits[name]}" for name in ("part", "whole")} in pairs
    answer = reading.get(f"{paths[0]}/changes.png")
    if drawn:
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.size) == ("PNG", (600, 400))
    else:  # the newer one is the whole: its box is drawn over it on the page
        assert answer.status_code == 404
    same = reading.get(f"/-/pictures/{digits['part']}/against/{digits['part']}")
    assert (same.status_code, same.headers["location"]) == (302, f"/-/pictures/{digits['part']}")
    assert reading.get(f"/-/pictures/{digits['part']}/against/{'0' * 64}").status_code == 404


def test_a_pair_that_was_not_compared_is_compared_now(served: Served, digits: dict[str, str]) -> None:
    path = served.datasette.get_database("catalogue").path
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM picture_pairs")
    db.close()
    html = served.get(f"/-/pictures/{digits['part']}/against/{digits['whole']}").text
    assert "they were compared just now" in html
    assert "cropped, the" in html
    assert query(Path(path).parent, "SELECT count(*) FROM picture_pairs") == [(0,)]


def test_look_alikes(reading: Served, digits: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for few in (5000, -1):  # a few are sorted; of many the pictures are gone through
        monkeypatch.setattr(duplicates, "_FEW", few)
        html = reading.get("/-/duplicates").text
        shown = re.findall(r'<a href="/-/pictures/([0-9a-f]{64})"><img', html)
        assert (len(shown), shown[0]) == (4, digits["whole"])
        for show in ("changed", "neighbouring", "marks"):
            assert "There are none." in reading.get(f"/-/duplicates?show={show}").text


def test_links_and_clusters_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "PAGE_SIZE", 2)
    with Site(tmp_path / "a") as site:
        db = site.archive.db
        names = [row[0] for row in db.execute("SELECT payload_digest FROM pictures ORDER BY rowid")]
        boxes = '[{"left":0.1,"top":0.2,"width":0.3,"height":0.4}]'
        pairs = [(names[a], names[b]) for a, b in ((0, 3), (1, 3), (2, 3), (0, 4), (5, 6))]
        for pair in pairs:
            db.execute(
                "INSERT INTO picture_pairs VALUES (?, ?, 'locally-changed', '', NULL, ?, '', 0, 3, 40, 0.9,"
                " '[]', '', 'x')",
                (*pair, boxes),
            )
        for number, name in enumerate(names[:6]):
            db.execute("INSERT INTO picture_clusters VALUES (?, ?)", (name, names[number - number % 2]))
        for few in (5000, -1):
            monkeypatch.setattr(duplicates, "_FEW", few)
            assert (
                follow(site, "/-/duplicates?show=changed", r"against/([0-9a-f]{64})").count(names[3][7:]) == 3
            )
            assert (
                len(follow(site, "/-/duplicates?show=changed", r"(<rect class=\"changed\" x=\"0.1000\")"))
                == 5
            )
            assert len(follow(site, "/-/duplicates", r"(<section class=\"cluster\")")) == 3


def follow(site: Site, path: str, wanted: str) -> list[str]:
    """What all pages hold, one after the other."""
    seen: list[str] = []
    while path:
        html = site.get(path).text
        seen += re.findall(wanted, html)
        found = re.search(r'rel="next" href="([^"]+)"', html)
        path = found[1].replace("&amp;", "&") if found else ""
    return seen


def test_a_word_on_two_pictures(served: Served, digits: dict[str, str]) -> None:
    address = f"/-/pictures/{digits['part']}/against/{digits['whole']}"
    page = served.get(address, headers={"Host": "127.0.0.1:8001"})
    assert page.headers["referrer-policy"] == "same-origin"  # else a browser says `Origin: null`
    token = re.search(r'name="csrftoken" value="([^"]+)"', page.text)[1]  # type: ignore[index]
    cookie = HERE | {"Cookie": page.headers["set-cookie"].partition(";")[0]}
    said = {"csrftoken": token, "said": "not-same", "reason": "另一天 <b>"}
    wrong = served.post(f"{address}/mark", data={**said, "csrftoken": "x"}, headers=cookie)
    assert wrong.status_code == 403
    answer = served.post(f"{address}/mark", data=said, headers=cookie)
    assert answer.status_code == 200
    root = Path(served.datasette.get_database("catalogue").path).parent
    ((record, warc),) = query(
        root,
        "SELECT note_id, path FROM picture_marks JOIN records ON record_id = note_id"
        " JOIN warcs ON warcs.id = warc_id",
    )
    assert record in answer.text
    assert warc in answer.text
    html = served.get(address).text
    assert "另一天 &lt;b&gt;" in html
    assert "They are counted as one photograph." not in html
    assert "A person says: not the same." in served.get(f"/-/pictures/{digits['part']}").text
    assert "另一天" in served.get("/-/duplicates?show=marks").text
    again = served.post(f"{address}/mark", data=said, headers=HERE)
    assert (again.status_code, "on record already" in again.text) == (400, True)
    for reason in ("", "a\nb", "x" * 501):
        kept = served.post(f"{address}/mark", data={"said": "withdrawn", "reason": reason}, headers=HERE)
        assert (kept.status_code, "Say why, in one line" in kept.text) == (400, True)
    with Archive(root).lock("archive"):
        busy = served.post(f"{address}/mark", data={"said": "withdrawn", "reason": "my word"}, headers=HERE)
    assert busy.status_code == 409
    assert "is locked by process" in busy.text
    assert 'value="my word"' in busy.text  # nothing is lost
    back = served.post(f"{address}/mark", data={"said": "withdrawn", "reason": "my mistake"}, headers=HERE)
    assert back.status_code == 200
    assert "They are counted as one photograph." not in back.text
    assert query(root, "SELECT count(DISTINCT cluster) FROM picture_clusters") == [(1,)]
    other = [sys.executable, "-c", TAKE, str(root / "catalogue.db")]
    taken = subprocess.run(other, capture_output=True, text=True, check=False)
    assert "database is locked" in taken.stderr  # another process sees that the server reads
    assert "my mistake" in served.get("/-/duplicates?show=marks").text
    assert within("verify", str(root))[0] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "127.0.0.1:8001"},
        HERE | {"Sec-Fetch-Site": "cross-site"},
        HERE | {"Sec-Fetch-Site": "same-site"},
        HERE | {"Sec-Fetch-Site": "none"},
        HERE | {"Origin": "http://evil.example"},
        HERE | {"Origin": "http://127.0.0.1:8002"},
        HERE | {"Origin": "null"},
        HERE | {"Origin": "http://[::1"},
        HERE | {"Host": "192.0.2.7", "Origin": "http://192.0.2.7"},
        {"Host": "127.0.0.1:8001", "Origin": "null"},
    ],
    ids=repr,
)
def test_no_other_site_can_write(
    reading: Served, digits: dict[str, str], headers: dict[str, str], cropped: Path
) -> None:
    address = f"/-/pictures/{digits['part']}/against/{digits['whole']}"
    answer = reading.post(f"{address}/mark", data={"said": "not-same", "reason": "x"}, headers=headers)
    assert answer.status_code == 403
    assert query(cropped, "SELECT count(*) FROM picture_marks") == [(0,)]


def test_only_a_server_on_loopback_writes(cropped: Path, digits: dict[str, str]) -> None:
    address = f"/-/pictures/{digits['part']}/against/{digits['whole']}"
    for host, asked in (("0.0.0.0", "127.0.0.1:8001"), ("127.0.0.1", "192.0.2.7")):
        served = Served(cropped, host)
        try:
            headers = {"Host": asked, "Origin": f"http://{asked}", "Sec-Fetch-Site": "same-origin"}
            assert '<form class="word"' not in served.get(address, headers={"Host": asked}).text
            answer = served.post(f"{address}/mark", data={"said": "not-same", "reason": "x"}, headers=headers)
            assert (answer.status_code, "Nothing can be written here" in answer.text) == (403, True)
            assert served.get(f"{address}/mark").headers["location"].startswith("/-/pictures/")
        finally:
            close(served.datasette)


def test_a_long_form_is_not_read(reading: Served, digits: dict[str, str]) -> None:
    address = f"/-/pictures/{digits['part']}/against/{digits['whole']}"
    body = {"said": "not-same", "reason": "x" * 40_000}
    assert reading.post(f"{address}/mark", data=body, headers=HERE).status_code == 400


@pytest.mark.parametrize(
    ("fields", "body", "status"),
    [
        ({"Cookie": "ds_a=b"}, "x" * 1_000_000, 413),  # asgi-csrf would hold it all
        ({"Cookie": "ds_a=b"}, "%ff\xff", 400),
        ({"Cookie": "ds_a=b"}, "csrftoken=%E4%B8%8A", 400),
        ({"Cookie": "ds_a=b", "Content-Type": "multipart/form-data"}, "x", 400),
        ({"X-CSRFToken": b"\xff"}, "x", 400),
        ({}, "&".join("x=1" for _ in range(30)), 400),
    ],
    ids=["large", "no UTF-8", "token", "no boundary", "header", "many fields"],
)
def test_an_odd_form_is_turned_away(
    reading: Served, digits: dict[str, str], fields: dict[str, Any], body: str, status: int
) -> None:
    address = f"/-/pictures/{digits['part']}/against/{digits['whole']}/mark"
    headers = HERE | {"Content-Type": "application/x-www-form-urlencoded"} | fields
    answer = reading.post(address, content=body.encode("latin-1"), headers=headers)
    assert answer.status_code == status


def test_links_keep_the_base_url(cropped: Path, digits: dict[str, str]) -> None:
    served = Served(cropped)
    served.datasette._settings["base_url"] = "/archive/"
    try:
        for path in (
            "/-/pictures",
            "/-/duplicates",
            f"/-/pictures/{digits['part']}",
            f"/-/pictures/{digits['part']}/against/{digits['whole']}",
        ):
            answer = served.get(path)  # the client adds the base URL
            assert answer.status_code == 200
            links = re.findall(r'(?:href|src|action)="(/[^"]*)"', answer.text)
            assert all(link.startswith("/archive/") for link in links), path
    finally:
        close(served.datasette)


def test_damage_is_said_and_hostile_text_is_inert(tmp_path: Path) -> None:
    with Site(tmp_path / "a") as site:
        digits = site.archive.digits["damaged"]
        html = site.get(f"/-/pictures/{digits}").text
        assert 'class="badge bad"' in html
        assert f"/-/thumbnail/{digits}?size=large" not in html
        assert f"/-/media/{digits}?download" not in html
        other = site.archive.digits["origin"]
        for path in (f"/-/pictures/{digits}", "/-/pictures", f"/-/pictures/{digits}/against/{other}"):
            answer = site.get(path)
            assert answer.status_code == 200
            assert "<img src=x" not in answer.text
            assert "<script" not in answer.text
            assert "\u202e" not in answer.text
            assert HOSTILE not in answer.text
        against = site.get(f"/-/pictures/{digits}/against/{other}")
        assert "They cannot be compared" in against.text
        sign = site.get(f"/-/thumbnail/{digits}", headers={"Sec-Fetch-Dest": "image"})
        assert (sign.status_code, sign.headers["content-type"]) == (500, "image/svg+xml")
        assert "Damaged" in sign.text
        assert sign.headers["cache-control"] == "no-store"
        kept = site.get(f"/-/media/{other}")
        site.archive.damage("origin")
        site.archive.db.execute(
            "DELETE FROM records WHERE payload_digest = ? AND id <> (SELECT min(id)"
            " FROM records WHERE payload_digest = ?)",
            (f"sha256:{other}", f"sha256:{other}"),
        )
        for kind in ("media", "thumbnail"):  # a browser that has it asks again, and is told
            etag = (
                kept.headers["etag"].replace(other, f"{other}-480")
                if kind == "thumbnail"
                else kept.headers["etag"]
            )
            assert site.get(f"/-/{kind}/{other}", headers={"If-None-Match": etag}).status_code == 500
