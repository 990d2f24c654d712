"""Browsing: what is kept of thumbnails outside the archive, and bytes in ranges."""

import os
from pathlib import Path

import pytest
from browse_archive import encoded, scene
from browse_articles import Site

from archiver.browse.disk.cache import ENTRY_BYTES, Cache
from archiver.browse.disk.media import Thumbnails
from archiver.browse.render import byte_range
from archiver.errors import SandboxError
from archiver.warc.read import StoredRecord


def cached(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def test_what_was_put_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "archiver" / "browse"
    for reading in (Cache(folder, 1 << 20), Cache(folder, 1 << 20)):
        assert reading.get("b") is None
        reading.put("a", b"data")
        assert reading.get("a") == b"data"
        reading.close()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_not_as_it_was_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "archiver" / "browse"
    cache = Cache(folder, 1 << 20)
    cache.put("a", b"data")
    cache.put("b", b"other data")
    one, other = cached(folder)
    whole = one.read_bytes()
    for damaged in (whole[:-1], whole + b"x", whole[:-1] + b"x", b"", other.read_bytes()):
        one.write_bytes(damaged)
        assert [cache.get("a"), cache.get("b")].count(None) == 1
    one.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(whole)
    one.symlink_to(elsewhere)
    assert [cache.get("a"), cache.get("b")].count(None) == 1
    one.unlink()
    os.mkfifo(one)  # never waited for
    assert [cache.get("a"), cache.get("b")].count(None) == 1
    cache.close()


@pytest.mark.parametrize("mode", [0o777, 0o720])
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "archiver" / "browse"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    cache = Cache(folder, 1 << 20)
    cache.put("a", b"data")
    assert cache.get("a") is None
    assert cached(folder) == []
    cache.close()


def test_a_link_a_file_and_no_bytes_are_no_cache(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_bytes(b"")
    for folder, most in (
        (tmp_path / "link" / "browse", 1000),
        (tmp_path / "file" / "browse", 1000),
        (tmp_path / "off" / "browse", 0),
    ):
        cache = Cache(folder, most)
        cache.put("a", b"data")
        assert cache.get("a") is None
        cache.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "real"]
    assert not list((tmp_path / "real").iterdir())


def test_what_was_not_used_makes_room(tmp_path: Path) -> None:
    folder = tmp_path / "archiver" / "browse"
    cache = Cache(folder, 2000)
    for number in range(30):
        cache.put(str(number), bytes(100))
        for path in cached(folder):  # older by a second each time
            os.utime(path, (0, path.stat().st_mtime - 1))
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 2000
    assert cache.get("29") is not None
    assert cache.get("0") is None
    cache.put("large", bytes(ENTRY_BYTES + 1))
    assert cache.get("large") is None
    cache.close()


def test_thumbnails_come_from_the_disk_and_only_as_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "archiver" / "browse"
    record = StoredRecord((), encoded(scene(1, (120, 80))))
    first = Thumbnails(Cache(folder, 1 << 20))
    made = first.get(record, "1", 100)
    first.close()
    nothing = StoredRecord((), b"no picture")
    again = Thumbnails(Cache(folder, 1 << 20))
    assert again.get(nothing, "1", 100) == made  # made once
    with pytest.raises(SandboxError):
        again.get(nothing, "1", 101)
    again.close()
    cache = Cache(folder, 1 << 20)
    keys = cached(folder)
    assert len(keys) == 1  # a failure is not kept there
    cache.close()


def test_the_setting_turns_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for setting, there in (("", True), ("[browse]\ncache_bytes = 0\n", False)):
        root = tmp_path / f"archive {there} {len(setting)}"
        root.mkdir()
        (root / "archiver.toml").write_text(setting)
        with Site(root) as site:
            assert site.get(f"/-/thumbnail/{site.archive.digits['origin']}").status_code == 200
        kept = tmp_path / "cache" / "archiver" / "browse"
        assert (kept.exists() and bool(cached(kept))) == there
        if kept.exists():
            kept.rename(tmp_path / f"kept {len(setting)}")


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=2-", (2, 9)),
        ("bytes=2-5", (2, 5)),
        ("bytes=5-99", (5, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-30", (0, 9)),
        ("BYTES=1-2", (1, 2)),
        ("bytes=10-", None),
        ("bytes=-0", None),
        ("bytes=5-2", (0, -1)),
        ("bytes=0-1,3-4", (0, -1)),
        ("bytes=-", (0, -1)),
        ("lines=1-2", (0, -1)),
        ("bytes=١-٢", (0, -1)),
        ("bytes=0-" + "9" * 40, (0, -1)),
    ],
)
def test_ranges(asked: str, span: tuple[int, int] | None) -> None:
    assert byte_range(asked, 10) == span


def test_a_range_of_a_picture(tmp_path: Path) -> None:
    with Site(tmp_path / "a") as site:
        digits = site.archive.digits["origin"]
        whole = site.get(f"/-/media/{digits}")
        size = len(whole.content)
        part = site.get(f"/-/media/{digits}", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, whole.content[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{size}"
        assert part.headers["content-length"] == "10"
        beyond = site.get(f"/-/media/{digits}", headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        other = {"Range": "bytes=10-19", "If-Range": '"another"'}
        assert site.get(f"/-/media/{digits}", headers=other).status_code == 200
