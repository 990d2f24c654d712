"""`archiver timestamp` and every sealing, against a real authority, and against many that are none."""

import gzip
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import archives
import msgspec
import pytest
from authority import LOOPBACK, Authority, serving, settings
from commands import within

from archiver.archive import Archive
from archiver.capture.wire.fetch import Network
from archiver.config import Proof
from archiver.index import catalogue
from archiver.kept import Asked
from archiver.manifest import timestamp
from archiver.sandbox import Sandbox
from archiver.session import SealAt, Session
from archiver.stamping import Stamping
from archiver.upkeep import timestamp as ask

PAGE = "<!doctype html><html lang=en><title>Ferry</title><article><h1>Ferry</h1><p>{0}</p></article></html>"
NETWORK = Network(allow_private=("127.0.0.0/8",))


@pytest.fixture(scope="module")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.make(tmp_path_factory.mktemp("stamping") / "archive", files=1)


@pytest.fixture
def root(sealed_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed_once, tmp_path / "archive"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority") / "own").serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _honest(authority: Authority) -> Iterator[None]:
    yield
    authority.behave = None


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    def answer(_: bytes) -> tuple[int, str, bytes]:
        return 200, "text/html", PAGE.format("The new ferry sails on Wednesday. " * 5).encode()

    with serving(answer) as url:
        yield url


def asked(root: Path, *authorities: Authority, network: Network = NETWORK) -> list[Asked]:
    """What comes of asking these authorities, in this process."""
    found: list[Asked] = []
    rows = [{"url": each.url, "roots": str(each.roots)} for each in authorities]
    proof = timestamp_settings(rows)
    ask(root, network, proof, told=found.append, say=lambda _: None)
    return found


def timestamp_settings(rows: list[dict[str, str]]) -> Proof:
    return msgspec.convert({"authorities": rows}, Proof)


def stamps(root: Path, number: int = -1) -> list[str]:
    return [each.authority for each in archives.manifest(root).checkpoints[number].timestamps]


def test_two_authorities_stamp_the_newest_checkpoint_once(
    root: Path, authority: Authority, tmp_path: Path
) -> None:
    before = len(authority.queries)
    with Authority(tmp_path / "two", chain=True).serving() as two:
        settings(root, authority, two)
        code, rows, text = within("timestamp", str(root), "--json", *LOOPBACK)
        assert (code, rows[-1]) == (
            0,
            {"type": "summary", "stamped": 2, "pending": 0, "anchored": 0, "failed": 0, "exit_code": 0},
        ), text
        assert [row["time"][-1:] for row in rows[:-1]] == ["Z", "Z"]
        code, rows, text = within("timestamp", str(root), "--json", *LOOPBACK)
        assert (code, rows[-1]["stamped"]) == (0, 0)
        assert "Nothing to ask for" in text
        assert (len(authority.queries), len(two.queries)) == (before + 1, 1)
    assert stamps(root) == [authority.url, two.url]
    kept = sorted(path.read_bytes() for path in (root / "trust").iterdir())
    assert kept == sorted(each.roots.read_bytes() for each in (authority, two))


def test_openssl_agrees_on_what_is_stored(root: Path, tmp_path: Path) -> None:
    """Also where the certificates are in an order that is not DER's, which rfc3161-client refuses."""
    with Authority(tmp_path / "chain", chain=True).serving() as chain:
        assert asked(root, chain)[0].reason == ""
    (point,) = archives.manifest(root).checkpoints
    (stamp,) = point.timestamps
    answer, text = tmp_path / "answer.tsr", tmp_path / "text"
    answer.write_bytes(timestamp.decode(stamp.token))
    text.write_bytes(point.stamped(stamp.over))
    command = ["openssl", "ts", "-verify", "-in", answer, "-data", text, "-CAfile", chain.roots]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "Verification: OK\n"), done.stderr
    assert answer.read_bytes() == (chain.folder / "1.tsr").read_bytes(), "stored as it came"


def test_an_authority_on_the_command_line_beside_those_of_the_settings(
    root: Path, authority: Authority, tmp_path: Path
) -> None:
    with Authority(tmp_path / "two").serving() as two:
        settings(root, authority)
        named = ("--authority", two.url, "--roots", str(two.roots))
        assert within("timestamp", str(root), *named, *LOOPBACK)[0] == 0
    assert stamps(root) == [authority.url, two.url]


def test_usage(root: Path, authority: Authority) -> None:
    assert "No authority is known" in within("timestamp", str(root))[2]
    assert within("timestamp", str(root))[0] == 2
    assert within("timestamp", str(root), "--authority", authority.url)[0] == 2
    named = ("--authority", "ftp://x", "--roots", str(authority.roots))
    assert within("timestamp", str(root), *named)[0] == 2
    assert within("timestamp", str(root / "no"), *named)[0] == 2
    assert within("timestamp", str(root / "no"), "--authority", "http://x", *named[2:])[0] == 5


def test_offline_waits_in_the_manifest_and_is_asked_again(root: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "late")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    authority.url = f"http://127.0.0.1:{port}/tsr"
    settings(root, authority)
    before = (root / "manifest.json").read_bytes()
    code, rows, _ = within("timestamp", str(root), "--json", *LOOPBACK)
    assert (code, rows[-1]["failed"]) == (3, 1)
    assert "no connection" in rows[0]["reason"]
    assert (root / "manifest.json").read_bytes() == before
    assert within("status", str(root), "--json")[1][-1]["waiting"] == [authority.url]
    assert f"1 authority waits: {authority.url}" in within("status", str(root))[2]
    with authority.serving(port):
        assert within("timestamp", str(root), *LOOPBACK)[0] == 0
    assert within("status", str(root), "--json")[1][-1]["waiting"] == []


def test_a_private_address_is_not_asked_without_leave(root: Path, authority: Authority) -> None:
    (came,) = asked(root, authority, network=Network())
    assert "not public" in came.reason or "private" in came.reason or "loopback" in came.reason


def _replayed(authority: Authority, root: Path) -> None:
    older = authority.reply(timestamp.request(archives.manifest(root).checkpoints[-1].stamped(0))[0])
    authority.behave = lambda _: (200, "application/timestamp-reply", older)


def _of_another_file(authority: Authority, _: Path) -> None:
    other = authority.reply(timestamp.request(b"another")[0])
    authority.behave = lambda _: (200, "application/timestamp-reply", other)


def _saying(status: int, kind: str, body: bytes) -> Callable[[Authority, Path], None]:
    def put(authority: Authority, _: Path) -> None:
        authority.behave = lambda _: (status, kind, body)

    return put


def _cut(authority: Authority, _: Path) -> None:
    authority.behave = lambda query: (200, "application/timestamp-reply", authority.reply(query)[:-100])


def _changed(authority: Authority, _: Path) -> None:
    authority.behave = lambda query: (
        200,
        "application/timestamp-reply",
        archives.flip(-5)(authority.reply(query)),
    )


BAD: dict[str, tuple[Callable[[Authority, Path], None], str]] = {
    "an older answer": (_replayed, "another nonce"),
    "token for another file": (_of_another_file, "something else"),
    "HTML": (_saying(200, "text/html", b"<!doctype html><p>Welcome"), "no timestamp that can be read"),
    "nothing": (_saying(200, "application/timestamp-reply", b""), "no timestamp that can be read"),
    "zeros": (_saying(200, "application/timestamp-reply", bytes(9000)), "no timestamp that can be read"),
    "a refusal": (
        _saying(200, "application/timestamp-reply", bytes.fromhex("30073005020102030100")),
        "",
    ),
    "500": (_saying(500, "text/plain", b"no"), "status 500"),
    "a redirect": (_saying(301, "text/plain", b"no"), "status 301"),
    "1 GB": (_saying(200, "application/timestamp-reply", bytes(30 << 20)), "limit of"),
    "a cut answer": (_cut, "no timestamp that can be read"),
    "a changed signature": (_changed, "does not hold"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_answer_is_told_and_never_kept(kind: str, root: Path, authority: Authority) -> None:
    put, words = BAD[kind]
    put(authority, root)
    before = (root / "manifest.json").read_bytes()
    (came,) = asked(root, authority)
    assert came.time is None
    assert words in came.reason
    assert came.reason
    assert (root / "manifest.json").read_bytes() == before
    assert not (root / "trust").exists()


def test_a_wrong_root_is_told_and_nothing_kept(root: Path, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "Another")
    other.url = authority.url
    (came,) = asked(root, other)
    assert "leads to none of" in came.reason
    assert stamps(root) == []


def test_roots_that_cannot_be_read(root: Path, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    other.url, other.roots = authority.url, tmp_path / "none.pem"
    assert "cannot be read" in asked(root, other)[0].reason
    other.roots.write_bytes(b"no PEM")
    assert "no PEM certificates" in asked(root, other)[0].reason


def test_a_link_in_the_place_of_trust_is_not_followed(
    root: Path, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "trust").symlink_to(tmp_path / "elsewhere")
    assert asked(root, authority)[0].reason == ""
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert stamps(root) == [authority.url]


def test_an_authority_that_says_nothing_is_left_after_its_time(
    root: Path, authority: Authority, tmp_path: Path
) -> None:
    """Beside one that answers, and both at once."""
    silent = Authority(tmp_path / "silent")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        silent.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        began = time.monotonic()
        quick = Network(allow_private=("127.0.0.0/8",), total_seconds=1.5)
        came = asked(root, silent, authority, network=quick)
        assert time.monotonic() - began < 5
    assert [each.time is None for each in came] == [True, False]
    assert "took" in came[0].reason or "before any answer" in came[0].reason


def test_the_archive_is_locked_meanwhile(root: Path, authority: Authority) -> None:
    settings(root, authority)
    with Archive(root).lock("test"):
        assert within("timestamp", str(root), *LOOPBACK)[0] == 6


def run(root: Path, site: str, page: str) -> tuple[int, list[dict[str, Any]], str]:
    options = ("--into", str(root), "--json", "--delay", "0", "--revisits", "none", *LOOPBACK)
    return within("archive", f"{site}/{page}", *options)


def test_every_sealing_is_stamped_and_the_next_file_names_it(
    tmp_path: Path, authority: Authority, site: str
) -> None:
    root = tmp_path / "new"
    root.mkdir()
    settings(root, authority)
    for page in ("a", "b"):
        code, rows, text = run(root, site, page)
        assert code == 0, text
        assert [row["authority"] for row in rows[-1]["timestamps"]] == [authority.url]
        assert "stamped" in text
    assert [stamps(root, number) for number in range(2)] == [[authority.url]] * 2
    first = archives.manifest(root).checkpoints[0]
    fields = warcinfo(root, 1)
    said = json.loads(fields["beacon"])
    assert said["note"] == first.note
    assert said.get("signatures", []) == list(first.signatures)
    assert said["timestamps"] == [timestamp.token_digest(first.timestamps[0].token)]
    assert "beacon" not in warcinfo(root, 0)
    assert str(authority.roots) not in json.dumps(fields), "a path of this machine"


def warcinfo(root: Path, number: int) -> dict[str, str]:
    text = gzip.decompress(archives.members(root, number)[0]).decode().partition("\r\n\r\n")[2]
    return dict(line.split(": ", 1) for line in text.strip().split("\r\n"))


def test_a_failed_authority_does_not_change_a_run(tmp_path: Path, authority: Authority, site: str) -> None:
    root = tmp_path / "new"
    root.mkdir()
    settings(root, authority)
    authority.behave = lambda _: (500, "text/plain", b"")
    code, rows, text = run(root, site, "a")
    assert code == 0
    assert [row["time"] for row in rows[-1]["timestamps"]] == [None]
    assert "no time" in text
    assert "archiver timestamp" in text
    assert within("verify", str(root))[0] == 0


def test_a_run_asks_at_each_sealing_until_one_fails(root: Path, authority: Authority) -> None:
    def some(query: bytes) -> tuple[int, str, bytes]:
        if len(came) == 2:
            return 500, "text/plain", b""
        return 200, "application/timestamp-reply", authority.reply(query)

    came: list[Asked] = []
    authority.behave = some
    archive, proof = (
        Archive(root),
        timestamp_settings([{"url": authority.url, "roots": str(authority.roots)}]),
    )
    stamping = Stamping(archive, proof, NETWORK, came.append, lambda _: None)
    with archive.lock("test"), Sandbox() as sandbox, catalogue.writing(root) as db:
        session = Session(archive, sandbox, db, {}, SealAt(bytes=1), after=stamping.ask)
        for number in range(4):
            session.append(archives.records(number))
            session.seal_when_due()
    assert [each.outcome for each in came] == ["stamped", "stamped", "failed"], "left alone after it failed"
    assert [len(stamps(root, number)) for number in range(5)] == [0, 1, 1, 0, 0]


@pytest.mark.slow
def test_a_public_value_is_named_and_its_failure_told(tmp_path: Path, site: str) -> None:
    root = tmp_path / "new"
    root.mkdir()
    with serving(lambda _: (200, "application/json", b'{"round":1,\r\n"x":"\xe2\x80\xa8"}')) as url:
        (root / "archiver.toml").write_text(f'[proof]\nbeacon = "{url}/latest"\n')
        assert run(root, site, "a")[0] == 0
    value = json.loads(warcinfo(root, 0)["beacon"])["value"]
    assert (value["url"], value["answer"]) == (f"{url}/latest", '{"round":1,\r\n"x":"\u2028"}')
    code, _, text = run(root, site, "b")
    assert code == 0
    assert "no value" in text
    assert "value" not in json.loads(warcinfo(root, 1)["beacon"])
    with serving(lambda _: (200, "application/json", b"x" * 5000)) as url:
        (root / "archiver.toml").write_text(f'[proof]\nbeacon = "{url}/latest"\n')
        assert "limit of 4096" in run(root, site, "c")[2]
    assert within("verify", str(root), "--deep")[0] == 0


def test_two_at_once_leave_each_token(root: Path, authority: Authority) -> None:
    settings(root, authority)
    command = [sys.executable, "-m", "archiver", "timestamp", str(root), *LOOPBACK]

    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert {each.wait(60) for each in running} <= {0, 6}
    assert stamps(root) == [authority.url]
