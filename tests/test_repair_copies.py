"""Copies of every kind: bundles, folders full of traps, and URLs. Only bytes that hash right are taken."""

import contextlib
import functools
import io
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import archives
import pytest
from archives import at, entries, flip, listed, put_members, warc
from click.testing import CliRunner
from mending import assert_restored, committed, repair
from wire_server import Asked, Step, WireServer

from archiver.cli import main
from archiver.manifest import manifest as commitment
from archiver.repair.copies import BUNDLED
from archiver.repair.results import MissingRecord, Replaced, Unmended
from archiver.sandbox import Sandbox

# --- evidence bundles ----------------------------------------------------------------------------


def bundle(path: Path, members: list[bytes], method: int = zipfile.ZIP_STORED, name: str = BUNDLED) -> Path:
    """A bundle in the layout of docs/adr/0011: stored members in a WARC file, other files beside it."""
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr("../../escaped", b"x")
        made.writestr("bundle.json", b"{}")
        made.writestr(name, b"".join(members))
        made.writestr("SHA256SUMS", b"")
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_bundle(method: int, root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    some = [archives.members(sealed)[number] for number in (0, 4, 9)]
    put_members(root, [b"" if n in (4, 9) else data for n, data in enumerate(archives.members(root))])
    made = bundle(tmp_path / "evidence.zip", some, method)
    results, said = repair(root, made, sandbox=sandbox)
    assert not said
    assert isinstance(results[0], Replaced)
    assert results[0].records == archives.RECORDS - 4  # two are from the bundle, the others had moved
    assert results[0].sources == ("this archive", str(made))
    assert_restored(root, sealed, sandbox)
    assert not (tmp_path / "escaped").exists()


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made,
        made.open(BUNDLED, "w") as file,
    ):
        for _ in range(300):
            file.write(bytes(1 << 20))
    return out.getvalue()


def many_names() -> bytes:
    """An end record that announces a directory of 1 GiB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(BUNDLED, b"x")
    data = bytearray(out.getvalue())
    data[-10:-6] = (1 << 30).to_bytes(4, "little")
    return bytes(data)


def whole_zip(members: list[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(BUNDLED, b"".join(members))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["bomb", "directory", "cut", "nothing", "encrypted"])
def test_hostile_bundle(kind: str, root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    whole = whole_zip(archives.members(sealed))
    data = {
        "bomb": zip_bomb,
        "directory": many_names,
        "cut": lambda: whole[:-9],
        "nothing": lambda: b"PK\x03\x04",
        "encrypted": lambda: whole.replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        ),
    }[kind]()
    path = tmp_path / "evidence.zip"
    path.write_bytes(data)
    (root / warc(root)).unlink()
    results, said = repair(root, path, sandbox=sandbox)
    if kind in ("cut", "encrypted"):  # the members lie in it as they are, and are found as in any file
        assert_restored(root, sealed, sandbox)
    else:
        assert [type(each) for each in results] == [MissingRecord] * archives.RECORDS + [Unmended]
        assert bool(said) == (kind != "bomb")


def test_bundle_with_many_flips_ends(root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Any bytes end in a result: a ZIP that is changed anywhere."""
    path = bundle(tmp_path / "evidence.zip", archives.members(sealed)[:2], zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    (root / warc(root)).unlink()
    places = [*range(60), *range(len(data) - 300, len(data))]
    for place in places[::3]:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        results, _ = repair(root, path, sandbox=sandbox)
        assert isinstance(results[-1], Unmended)


# --- folders -------------------------------------------------------------------------------------


def test_copy_full_of_traps(root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Links, pipes, devices, huge and endless files, folders in files' places: none does any harm."""
    copy = tmp_path / "copy"
    (copy / "warcs").mkdir(parents=True)
    (copy / warc(root)).symlink_to("/dev/zero")
    os.mkfifo(copy / listed(root))
    (copy / commitment.NAME).mkdir()
    (copy / "loop").symlink_to(copy)
    (copy / "secret").symlink_to("/etc")
    for name in ("huge.warc.gz", Path(warc(root, 0)).name):
        with (copy / name).open("wb") as file:
            file.write(b"\x1f\x8b\x08")
            file.truncate(1 << 40)
    (copy / os.fsdecode(b"\xff\x1b[31m.warc.gz")).write_bytes(archives.members(sealed)[3])
    for name in (warc(root), warc(root, 0), listed(root)):
        (root / name).unlink()
    results, _ = repair(root, copy, sandbox=sandbox)
    assert isinstance(results[-1], Unmended)
    shutil.rmtree(copy)
    repair(root, sealed, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)


def test_copy_that_cannot_be_read(root: Path, sealed: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    copy = Path(shutil.copytree(sealed, tmp_path / "copy"))
    (copy / warc(root)).chmod(0)
    (root / warc(root)).unlink()
    done = CliRunner().invoke(main, ["repair", str(root), "--from", str(copy)])
    assert done.exit_code == 4
    assert "Permission denied" in done.output


def test_copy_on_a_read_only_disk(root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    copy = Path(shutil.copytree(sealed, tmp_path / "copy"))
    for folder in (copy / "warcs", copy):
        folder.chmod(0o555)
    before = {path: path.stat() for path in copy.rglob("*")}
    (root / warc(root)).unlink()
    repair(root, copy, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == {
        path: stat.st_mtime_ns for path, stat in before.items()
    }
    for folder in (copy, copy / "warcs"):
        folder.chmod(0o755)


# --- URLs ----------------------------------------------------------------------------------------


class Ranges(SimpleHTTPRequestHandler):
    """Answers Range requests, as web servers of files do."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        self.server.asked.append((path.name, self.headers.get("Range")))  # type: ignore[attr-defined]
        if not found or not self.server.ranges or not path.is_file():  # type: ignore[attr-defined]
            super().do_GET()
            return
        data = path.read_bytes()
        part = data[int(found[1]) : int(found[2]) + 1]
        self.send_response(206 if part else 416)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {found[1]}-{int(found[1]) + len(part) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(part)


@contextlib.contextmanager
def served(folder: Path, *, ranges: bool) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A folder on loopback: its URL, and what is asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Ranges, directory=str(folder)))
    server.ranges, server.asked = ranges, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", server.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def command(root: Path, *urls: str, private: str = "127.0.0.0/8") -> tuple[int, str]:
    options = [part for url in urls for part in ("--from", url)]
    done = CliRunner().invoke(
        main, ["repair", str(root), *options, "--allow-private", private, "--max-time", "5"]
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("ranges", [True, False])
def test_from_a_url(ranges: bool, root: Path, sealed: Path, sandbox: Sandbox) -> None:
    (root / listed(root, 0)).unlink()
    (root / warc(root, 0)).unlink()
    put_members(
        root, [flip(9)(data) if n in (3, 7) else data for n, data in enumerate(archives.members(sealed))]
    )
    (root / commitment.NAME).unlink()
    with served(sealed, ranges=ranges) as (url, asked):
        code, text = command(root, url)
    assert code == 0, text
    assert_restored(root, sealed, sandbox)
    names = {name for name, _ in asked}
    assert names == {
        commitment.NAME,
        *(Path(name).name for name in (listed(root, 0), warc(root, 0), warc(root))),
    }
    if ranges:  # of the damaged file two places were asked for
        places = [each for name, each in asked if name == Path(warc(root)).name]
        assert places[0]
        assert places[0].startswith(f"bytes={entries(sealed)[3].offset}-")


def test_url_of_a_copy_that_is_damaged_elsewhere(
    root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    copy = Path(shutil.copytree(sealed, tmp_path / "copy"))
    put_members(copy, at(5, flip(30))(archives.members(copy)))
    put_members(root, at(4, flip(30))(archives.members(root)))
    with served(copy, ranges=True) as (url, _):
        assert command(root, url)[0] == 0
    assert_restored(root, sealed, sandbox)


def test_url_is_not_asked_for_what_is_whole(root: Path, sealed: Path) -> None:
    with served(sealed, ranges=True) as (url, asked):
        assert command(root, url)[0] == 0
    assert not asked


def test_private_address_is_not_asked(root: Path, sealed: Path) -> None:
    (root / warc(root)).unlink()
    with served(sealed, ranges=True) as (url, asked):
        code, text = command(root, url, private="10.0.0.0/8")
    assert (code, asked) == (4, [])
    assert "this copy is not asked again" in text


def endless(head: str) -> Iterator[Step]:
    yield head.encode()
    while True:
        yield bytes(1 << 16)


HOSTILE = {
    "wrong bytes": [b"HTTP/1.1 206 Partial Content\r\nContent-Length: 70000\r\n\r\n" + bytes(70000)],
    "endless range": "HTTP/1.1 206 Partial Content\r\n\r\n",
    "endless file": "HTTP/1.1 200 OK\r\n\r\n",
    "nothing": ["close"],
    "not HTTP": [b"hello\r\n\r\n", "close"],
    "redirect": [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"],
    "missing": [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
    "length that is none": [b"HTTP/1.1 206 Partial Content\r\nContent-Length: -5\r\n\r\nx", "close"],
    "claims a terabyte": [b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\nx", "close"],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_server(name: str, root: Path, sealed: Path, sandbox: Sandbox) -> None:
    """It costs a few requests, and nothing of it is taken; another copy still mends everything."""

    def answer(_: Asked) -> Any:
        steps = HOSTILE[name]
        return endless(steps) if isinstance(steps, str) else steps

    (root / warc(root)).unlink()
    (root / listed(root)).unlink()
    before = committed(root)
    with WireServer(answer) as server:
        code, text = command(root, f"http://127.0.0.1:{server.port}/archive")
        asked = len(server.asked)
    assert code == 4, text
    assert committed(root) == before
    assert not (root / "damaged").exists() or not list((root / "damaged").iterdir())
    assert asked <= 2 * archives.RECORDS
    repair(root, sealed, sandbox=sandbox)
    assert_restored(root, sealed, sandbox)


def test_url_and_folder_together(root: Path, sealed: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """A server that does not answer keeps nobody from using the next copy."""
    (root / warc(root)).unlink()
    code, text = command(root, "http://127.0.0.1:1/", str(sealed))
    assert code == 0, text
    assert_restored(root, sealed, sandbox)
