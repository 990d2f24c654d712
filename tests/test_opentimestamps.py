"""OpenTimestamps: the published example, proofs of a calendar on loopback, hostile proofs."""

import base64
import hashlib
import random
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import archives
import pytest
from authority import LOOPBACK
from commands import within

from archiver.errors import TimestampError
from archiver.manifest import opentimestamps as ots

# opentimestamps-client, examples/hello-world.txt and hello-world.txt.ots: in Bitcoin block 358391.
HELLO = hashlib.sha256(b"Hello World!\n").digest()
HELLO_PROOF = base64.b64decode("""
AE9wZW5UaW1lc3RhbXBzAABQcm9vZgC/ieLohOiSlAEIA7ogTlDRJuRnTABeBNguhMITZngK8fQ71Uo3gWtqs0AD8cgBAQAAAAHk
gvnTLsw7ple2nYmAEIV7VEV6kEl5gv9W+XxOxY5vmAEAAABrSDBFAiEAslOt0dHPkIRDOKR1oE/xP8nnvSQrB3Yt6gf1YIst42cC
IACyaMqcM0KzdpzdBiiRMXzc74eqwxC2hV6dk4mOu+jsASECDY5NEH0rM5sAUO/dS0oJJFqgVgSPElOWN06moqsHCcb/////AmUz
5gUAAAAAGXapFAvwV9QPu6Z0SGJRX1tVojEN5XcviKyghgEAAAAAABl2qRTwBoisAAAAAAgI8SCph/cWxTORPDFMeONdNYhMrJQ/
pCysSdKyxp9AA/hfiAgI8SDexVs0h+Hj9yKkm1WneDIVhieF9KOss5KEYBn3HcZKnQgI8SCyyhj0heCAR44CXas9RktBbA4ey2Yp
ya786MghTQQkMggI8CARsOkGYRlv9LCBPD7aFBurXpFgSDe996DJ3zfbDjoRmAgI8CDDS8GkoQk//RSMAWseZkdCkU6Tnvq+TT01
ZRWRSybZ4ggI8CDD5ufDjGn2ryTCvjTrrEglft5h7AohuVNeREMne+MGRggI8SAHmL+GBuAAJOXV1UvwyWD2Kd+52taRV0VbbyZS
wOjegQgI8CA/mtptYLqiRABrsKrVFEitL6+51LZIegmZz/JrkfD1NggI8SDHAwGelZqN0/rvdIm7MoukhVdHWOcJHwFGTrZYcsl1
yAgI8CDL/v/1E/+EuRXj/tb515lnZjD4Nk6ipsdVf62UpbXXiAgI8SAL4jcJhZkTur1EYLvd+O0hPnyHc6Sx+s4w+Kz98JO3BQgI
AAWIlg1z1xkBA/fvFQ==""")
HELLO_ROOT = bytes.fromhex("8a1b66ecb7cbd07d8139a7e7d7f2c41aab1f5009b8364aaf61d03ad245e47e00")[::-1]
PENDING, BITCOIN = bytes.fromhex("83dfe30d2ef90c8e"), bytes.fromhex("0588960d73d71901")


def header(root: bytes, seconds: int) -> bytes:
    return struct.pack("<I32s32sIII", 4, bytes(32), root, seconds, 0x207FFFFF, 0)


def test_the_published_example() -> None:
    (path,) = ots.parse(HELLO_PROOF, HELLO)
    assert (path.block, path.calendar, path.message) == (358391, None, HELLO_ROOT)
    assert ots.encode(HELLO, [(path.steps, path.kind, path.payload)]) == HELLO_PROOF
    assert ots.header_time(header(HELLO_ROOT, 1432827678), HELLO_ROOT) is not None
    assert ots.header_time(header(HELLO, 1432827678), HELLO_ROOT) is None
    with pytest.raises(TimestampError, match="something else"):
        ots.parse(HELLO_PROOF, hashlib.sha256(b"Hello").digest())


def test_forks_are_read_as_they_are_written() -> None:
    append, sha = (0xF0, b"x" * 200), (0x08, b"")
    uri = b"https://calendar.example"
    paths = [
        ((append, sha), PENDING, bytes([len(uri)]) + uri),
        ((append, sha), BITCOIN, b"\x80\x01"),
        ((append, sha, (0xF1, b"y"), (0x02, b""), (0x03, b"")), bytes(8), b"unknown"),
        ((sha,), BITCOIN, b"\x05"),
    ]
    found = ots.parse(ots.encode(HELLO, paths), HELLO)
    assert sorted((each.steps, each.kind, each.payload) for each in found) == sorted(paths)
    assert sorted(ots.blocks(found)) == [5, 128]
    assert {each.calendar for each in found} == {uri.decode(), None}


def test_every_changed_byte_leads_elsewhere_or_is_refused() -> None:
    doubled = 603  # a lone node of Bitcoin's tree is put beside itself: before or behind is the same
    for place in {*range(len(HELLO_PROOF))} - {doubled}:
        try:
            found = ots.parse(archives.flip(place)(HELLO_PROOF), HELLO)
        except TimestampError:
            continue
        assert (found[0].block, found[0].message) != (358391, HELLO_ROOT)


HOSTILE = {
    "nothing": b"",
    "only forks": b"\xff" * 60_000,
    "many paths": b"\xff\x00" + bytes(8) + b"\x00",
    "deep": b"\x08" * 60_000,
    "long message": (b"\xf0\x80\x20" + bytes(4096)) * 3,
    "huge number": b"\xf0" + b"\xff" * 20,
    "no end of a number": b"\xf0\xff",
    "too large": bytes(1 << 20),
    "unknown operation": b"\x67\x00",
    "block without height": b"\x00" + BITCOIN + b"\x00",
    "calendar without URL": b"\x00" + PENDING + b"\x01\x05",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_proofs_end_in_our_own_error(kind: str) -> None:
    with pytest.raises(TimestampError):
        ots.parse_paths(HOSTILE[kind] * (300 if kind == "many paths" else 1), HELLO)


def test_random_changes_end_in_our_own_error_or_a_result() -> None:
    dice = random.Random(3)
    for _ in range(3000):
        changed = bytearray(HELLO_PROOF)
        for _ in range(dice.choice((1, 3, 20))):
            changed[dice.randrange(65, len(changed))] = dice.randrange(256)
        try:
            ots.parse(bytes(changed[: dice.randrange(66, len(changed) + 1)]), HELLO)
        except TimestampError:
            continue


# --- a calendar ----------------------------------------------------------------------------------


@dataclass
class Calendar:
    """Promises at once; when `ripe`, what it promised is in a block, alone."""

    url: str = ""
    ripe: bool = False
    asked: list[str] = field(default_factory=list)
    promise: bytes | None = None

    def submit(self, _: bytes) -> bytes:
        uri = self.url.encode()
        payload = bytes([len(uri)]) + uri
        return b"\xf0\x04abcd\x08\x00" + PENDING + bytes([len(payload)]) + payload

    def way(self) -> tuple[int, bytes]:
        return (200, b"\x08\x08\x00" + BITCOIN + b"\x03\xf7\xef\x15") if self.ripe else (404, b"Pending")


@contextmanager
def calendar() -> Iterator[Calendar]:
    made = Calendar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.reply(*made.way())

        def do_POST(self) -> None:
            made.asked.append(self.path)
            digest = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(200, made.submit(digest) if made.promise is None else made.promise)

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def root(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "archive"))


def use(root: Path, calendar: Calendar) -> None:
    (root / "archiver.toml").write_text(
        f'[[proof.authorities]]\nurl = "{calendar.url}"\nkind = "opentimestamps"\n'
    )


def test_promised_then_in_a_block_then_checked_by_a_header(root: Path, tmp_path: Path) -> None:
    with calendar() as ours:
        use(root, ours)
        code, rows, text = within("timestamp", str(root), "--json", *LOOPBACK)
        assert (code, rows[0]["outcome"], rows[-1]["stamped"]) == (0, "pending", 0), text
        text = within("verify", str(root))[2]
        assert "promised to put them into Bitcoin; no time is proved" in text
        assert "No time from outside is proved" in text
        assert within("timestamp", str(root), "--json", *LOOPBACK)[1][0]["outcome"] == "pending"
        ours.ripe = True
        assert within("timestamp", str(root), "--json", *LOOPBACK)[1][0]["outcome"] == "anchored"
        asked = len(ours.asked)
        assert within("timestamp", str(root), "--json", *LOOPBACK)[1][-1]["pending"] == 0
        assert len(ours.asked) == asked
    point = archives.manifest(root).checkpoints[-1]
    assert len(point.timestamps) == 2, "added at the end"
    code, rows, text = within("verify", str(root), "--json")
    assert (code, [row["block"] for row in rows[-1]["anchors"]]) == (0, [358391])
    assert "Its header was not checked" in text
    proof = base64.b64decode(point.timestamps[-1].token)
    paths = ots.parse(proof, hashlib.sha256(point.stamped(0)).digest())
    merkle_root = next(each.message for each in paths if each.block)
    given = tmp_path / "header.hex"
    given.write_text(header(merkle_root, 1432827678).hex() + "\n")
    code, _, text = within("verify", str(root), "--bitcoin-header", str(given))
    assert code == 0
    assert "existed before 2015-05-28T15:41:18Z: the header you gave of Bitcoin block 358391" in text
    given.write_bytes(header(bytes(32), 1432827678))
    assert "was not checked" in within("verify", str(root), "--bitcoin-header", str(given))[2]
    given.write_bytes(b"no header")
    assert within("verify", str(root), "--bitcoin-header", str(given))[0] == 2


def test_a_proof_of_another_checkpoint_fails(root: Path) -> None:
    with calendar() as ours:
        use(root, ours)
        assert within("timestamp", str(root), *LOOPBACK)[0] == 0
    after = archives.raw_manifest(root)
    after["checkpoints"][0]["timestamps"] = after["checkpoints"][-1]["timestamps"]
    archives.put_manifest(root, after)
    code, rows, _ = within("verify", str(root), "--json")
    assert (code, [row["code"] for row in rows[:-1]]) == (4, ["timestamp"])


def test_a_calendar_that_answers_something_else_is_told_and_nothing_kept(root: Path) -> None:
    before = (root / "manifest.json").read_bytes()
    with calendar() as ours:
        use(root, ours)
        ours.promise = b"<!doctype html>"
        code, rows, _ = within("timestamp", str(root), "--json", *LOOPBACK)
        assert (code, rows[0]["outcome"]) == (3, "failed")
    code, rows, _ = within("timestamp", str(root), "--json", *LOOPBACK)
    assert (code, rows[0]["outcome"]) == (3, "failed")
    assert (root / "manifest.json").read_bytes() == before


def test_an_authority_without_roots_is_a_mistake_in_the_settings(root: Path) -> None:
    (root / "archiver.toml").write_text('[[proof.authorities]]\nurl = "http://authority.example"\n')
    code, _, text = within("timestamp", str(root))
    assert code == 2
    assert "has no roots" in text
