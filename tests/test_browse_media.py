"""Browsing: archived bytes and thumbnails."""

import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from browse_archive import WARC, BrowseArchive, encoded, scene
from browse_articles import CHINESE, EVIL, Site
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archiver.browse.disk.cache import Cache
from archiver.browse.disk.media import Thumbnails, read_intact
from archiver.errors import RecordError, SandboxError
from archiver.model import Location
from archiver.pictures.thumbnail import make_thumbnail
from archiver.sandbox import Sandbox
from archiver.warc.read import StoredRecord


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # A folder's name that is not plain: SQLite's URIs give `%`, `?` and `#` a meaning.
    with Site(tmp_path_factory.mktemp("browse") / "我的 %41 #1?") as site:
        yield site


def test_media_are_the_archived_bytes(site: Site) -> None:
    for name, mime in (("origin", "image/jpeg"), ("proxied", "image/jpeg")):
        digits = site.archive.digits[name]
        answer = site.get(f"/-/media/{digits}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == digits
        assert answer.headers["content-type"] == mime
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-cache"
        again = site.get(f"/-/media/{digits}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""


def test_media_lose_their_content_coding_only(site: Site) -> None:
    answer = site.get(f"/-/media/{site.archive.digits['room']}")
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (800, 1000)


@pytest.mark.parametrize("name", ["svg", "html"])
@pytest.mark.parametrize("kind", ["media", "thumbnail"])
def test_what_is_no_picture_is_never_served(site: Site, kind: str, name: str) -> None:
    answer = site.get(f"/-/{kind}/{site.archive.digits[name]}")
    assert answer.status_code == 415
    assert b"alert(1)" not in answer.content
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("kind", ["media", "thumbnail"])
def test_damaged_bytes_never_leave_as_a_picture(site: Site, kind: str) -> None:
    answer = site.get(f"/-/{kind}/{site.archive.digits['damaged']}")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "Damaged" in answer.text
    assert WARC in answer.text
    html = site.get(f"/-/articles/{EVIL}").text
    assert 'class="badge damaged"' in html
    assert f"/-/thumbnail/{site.archive.digits['damaged']}" not in html


def test_every_damaged_byte_is_seen(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "a")
    url = "http://pictures.news.example/small.png"
    archive.response(url, encoded(Image.new("RGB", (8, 8), "teal"), "PNG"), "image/png", name="small")
    digest = f"sha256:{archive.digits['small']}"
    length = archive.db.execute("SELECT length FROM records").fetchone()[0]
    archive.db.close()
    place = [Location(file=WARC, offset=0, length=length)]
    whole = (archive.root / WARC).read_bytes()
    record = read_intact(archive.root, place, digest)
    unseen = []
    for at in range(length):
        (archive.root / WARC).write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            if read_intact(archive.root, place, digest).payload != record.payload:
                unseen.append(at)
        except RecordError:
            continue
    assert unseen == []


def test_a_location_outside_the_archive_is_not_read(tmp_path: Path) -> None:
    archive = BrowseArchive(tmp_path / "a")
    archive.response("http://a.example/", b"x" * 100, "image/png", name="x")
    archive.db.close()
    (archive.root / WARC).rename(tmp_path / "outside.gz")
    with pytest.raises(RecordError, match="outside the archive"):
        read_intact(archive.root, [Location(file="../outside.gz", offset=0, length=9)], "sha256:0")
    (archive.root / WARC).symlink_to(tmp_path / "outside.gz")
    with pytest.raises(RecordError, match="outside the archive"):
        read_intact(archive.root, [Location(file=WARC, offset=0, length=9)], "sha256:0")


def test_the_catalogue_s_other_copy_is_served(tmp_path: Path) -> None:
    with Site(tmp_path / "a") as site:
        site.archive.damage("origin")  # the first of two records with these bytes
        answer = site.get(f"/-/media/{site.archive.digits['origin']}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == site.archive.digits["origin"]
        assert (
            'class="badge damaged"' in site.get(f"/-/articles/{CHINESE}").text
        )  # its own record is the damaged one


def test_thumbnails_are_our_own_webp(site: Site) -> None:
    digits = site.archive.digits["origin"]
    for query, width in (("", 480), ("?size=large", 1200), ("?size=other", 480)):
        answer = site.get(f"/-/thumbnail/{digits}{query}")
        assert answer.headers["content-type"] == "image/webp"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.width) == ("WEBP", width)


def thumbnail(data: bytes, width: int = 200) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(make_thumbnail(data, width=width))))


def test_thumbnail_keeps_shape_and_drops_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "secret"
    data = encoded(scene(5, (600, 400)), exif=exif.tobytes(), comment=b"secret", icc_profile=b"secret" * 30)
    with thumbnail(data) as image:
        assert image.size == (200, 300)
        assert "secret" not in str(image.info)
        assert not image.getexif()


@pytest.mark.parametrize(
    ("mode", "kind", "size", "expected"),
    [
        ("P", "GIF", (50, 40), (50, 40)),
        ("LA", "PNG", (400, 100), (200, 50)),
        ("I;16", "PNG", (300, 300), (200, 200)),
        ("CMYK", "JPEG", (400, 400), (200, 200)),
        ("1", "PNG", (10, 5000), (1, 600)),
        ("RGBA", "WEBP", (1, 1), (1, 1)),
    ],
)
def test_thumbnail_of_every_mode(
    mode: str, kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    with thumbnail(encoded(Image.new(mode, size), kind)) as image:
        assert image.size == expected


@given(st.binary(max_size=200), st.integers(0, 3000))
@settings(max_examples=60, deadline=None)
def test_thumbnail_of_broken_bytes(junk: bytes, cut: int) -> None:
    whole = encoded(Image.new("RGB", (64, 64), "olive"))
    for data in (junk, whole[:cut] + junk, whole[: cut % len(whole)]):
        try:
            make_thumbnail(data, width=32)
        except RecordError:
            continue


def test_thumbnail_refuses_a_bomb_by_its_header() -> None:
    bomb = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    bomb[16:24] = (60_000).to_bytes(4) + (60_000).to_bytes(4)
    with pytest.raises(RecordError, match=r"pixels|not decodable"):
        make_thumbnail(bytes(bomb), width=100)


def test_thumbnails_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("archiver.browse.disk.media.CACHE_BYTES", 3000)
    thumbnails = Thumbnails(Cache(tmp_path, 0))
    records = [StoredRecord((), encoded(scene(seed, (120, 80)))) for seed in range(6)]
    try:
        made = [thumbnails.get(record, str(number), 100) for number, record in enumerate(records)]
        assert thumbnails.get(records[5], "5", 100) == made[5]
        assert thumbnails.get(records[0], "0", 100) == made[0]
        assert sum(map(len, thumbnails._kept.values())) == thumbnails._bytes <= 3000
        for _ in range(2):  # the second time without the sandbox
            with pytest.raises(SandboxError, match="not decodable"):
                thumbnails.get(StoredRecord((), b"\xff\xd8\xff junk"), "junk", 100)
    finally:
        thumbnails.close()


def test_thumbnail_is_made_in_a_child() -> None:
    with Sandbox() as sandbox:
        assert isinstance(sandbox.call(make_thumbnail, encoded(scene(6, (50, 50))), width=20), str)
        with pytest.raises(SandboxError, match="not decodable"):
            sandbox.call(make_thumbnail, b"GIF89a", width=20)
