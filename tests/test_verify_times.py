"""What `verify` says of timestamps: whole, changed, of another file, by another root, run out, renewed."""

import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import archives
import msgspec
import pytest
from authority import LOOPBACK, Authority, settings, wait_until_expired
from commands import within

from archiver.capture.wire.fetch import Network
from archiver.config import Proof
from archiver.errors import TimestampError
from archiver.kept import Asked
from archiver.manifest import manifest as commitment
from archiver.manifest import timestamp
from archiver.model import Finding
from archiver.prove import verify as standalone
from archiver.sandbox import Sandbox
from archiver.upkeep import timestamp as ask
from archiver.verify import Limits, Trust, Verification
from archiver.verify.times import Proved

NETWORK = Network(allow_private=("127.0.0.0/8",))


def stamp(root: Path, *authorities: Authority, renew: bool = False) -> None:
    found: list[Asked] = []
    rows = [{"url": each.url, "roots": str(each.roots)} for each in authorities]
    proof = msgspec.convert({"authorities": rows}, Proof)
    ask(root, NETWORK, proof, renew=renew, told=found.append, say=lambda _: None)
    assert [each.reason for each in found] == [""] * len(authorities)


def verified(root: Path, *roots: Path) -> tuple[str, list[Finding], dict[str, Proved]]:
    with Sandbox() as sandbox:
        check = Verification(root, sandbox=sandbox, trust=Trust(roots=roots))
        findings = list(check.findings())
    assert check.times is not None
    return check.verdict, findings, check.times.proved


def codes(root: Path, *roots: Path) -> tuple[str, set[str]]:
    verdict, findings, _ = verified(root, *roots)
    return verdict, {each.code for each in findings}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority") / "own").serving() as running:
        yield running


@pytest.fixture(scope="module")
def stamped(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints, each with a timestamp."""
    root = archives.make(tmp_path_factory.mktemp("stamped") / "archive", files=1)
    stamp(root, authority)
    stamp(root, authority, renew=True)
    return root


@pytest.fixture
def root(stamped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stamped, tmp_path / "archive"))


def put_stamps(root: Path, number: int, *stamps: dict[str, Any]) -> None:
    after = archives.raw_manifest(root)
    after["checkpoints"][number]["timestamps"] = list(stamps)
    archives.put_manifest(root, after)


def stamp_of(root: Path, number: int = -1) -> dict[str, Any]:
    found: dict[str, Any] = archives.raw_manifest(root)["checkpoints"][number]["timestamps"][0]
    return found


def with_token(root: Path, token: bytes, number: int = -1) -> dict[str, Any]:
    return stamp_of(root, number) | {"token": timestamp.encode(token)}


def test_a_whole_archive_says_what_is_proved_and_by_whose_roots(root: Path, authority: Authority) -> None:
    code, rows, text = within("verify", str(root), "--json", "--deep")
    assert code == 0, text
    (proved,) = rows[-1]["timestamps"]
    assert (proved["records"], proved["by"], proved["name"]) == (14, "archive", "Time Authority")
    assert f"existed before {proved['time']}, according to Time Authority ({authority.url})" in text
    assert "by roots that lie in the archive itself" in text
    code, _, text = within("verify", str(root), "--roots", str(authority.roots))
    assert code == 0
    assert "by roots that you gave" in text


def test_without_roots_it_is_said_in_words(root: Path, authority: Authority) -> None:
    shutil.rmtree(root / "trust")
    code, rows, text = within("verify", str(root), "--json")
    assert (code, len(rows), rows[-1]["timestamps"]) == (0, 1, [])
    assert f"2 timestamps of {authority.url} could not be judged" in text
    assert "No time from outside is proved" in text


def test_only_the_roots_that_were_given_count(root: Path, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")  # of the same name
    assert codes(root, other.roots) == ("unverifiable", {"timestamp-root"})
    assert codes(root, other.roots, authority.roots) == ("ok", set())


def test_roots_in_the_archive_that_are_not_the_authority_s(root: Path, tmp_path: Path) -> None:
    (kept,) = (root / "trust").iterdir()
    kept.write_bytes(Authority(tmp_path / "other", "Another").roots.read_bytes())
    assert codes(root) == ("unverifiable", {"timestamp-root"})


def test_what_lies_in_trust_and_holds_no_roots(root: Path, authority: Authority, tmp_path: Path) -> None:
    (root / "trust" / "0.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n!\n")
    os.mkfifo(root / "trust" / "1.pem")
    (root / "trust" / "2.pem").symlink_to(tmp_path / "none")
    code, _, text = within("verify", str(root))
    assert code == 0
    assert text.count("holds no certificates that can be read") == 3
    assert within("verify", str(root), "--roots", str(root / "trust" / "0.pem"))[0] == 2


@pytest.mark.parametrize("number", [0, 1])
def test_a_token_of_another_checkpoint(number: int, root: Path) -> None:
    put_stamps(root, number, stamp_of(root, 1 - number))
    verdict, found = codes(root)
    assert verdict == "failed"
    assert found == {"timestamp"} | ({"timestamp-missing"} if number == 0 else set())


@pytest.mark.parametrize("token", ["", "AAAA", "AAA", "!!!!", "AAAA\n", "MIIB", "A" * 100_000])
def test_a_token_that_is_none(token: str, root: Path) -> None:
    put_stamps(root, -1, stamp_of(root) | {"token": token})
    assert codes(root) == ("failed", {"timestamp"})
    code, _, text = within("archive", "--retry-failed", "--into", str(root))
    assert code == 0, text  # it stops no capture


@pytest.mark.parametrize("over", [0, 2, 99])
def test_a_token_over_other_lines_than_it_says(over: int, root: Path) -> None:
    assert standalone.judge(str(root), [], b"", [].append) == 0
    assert stamp_of(root)["over"] == 1
    put_stamps(root, -1, stamp_of(root) | {"over": over})
    assert codes(root) == ("failed", {"timestamp"})
    assert standalone.judge(str(root), [], b"", [].append) == 4
    put_stamps(root, -1, stamp_of(root) | {"over": -1})
    assert standalone.judge(str(root), [], b"", [].append) == 4


def test_a_token_that_a_later_file_names_and_that_is_gone(root: Path) -> None:
    put_stamps(root, 0)
    assert codes(root) == ("failed", {"timestamp-missing"})


def test_a_part_of_the_archive_is_enough_to_miss_a_token(root: Path) -> None:
    """The beacons are read of every file, whichever WARC files have their turn."""
    put_stamps(root, 0)
    check = Verification(root, limits=Limits(seconds=0))
    assert [each.code for each in check.findings()] == ["timestamp-missing"]
    assert not check.coverage.whole


def test_every_changed_byte_of_a_token_has_its_verdict(root: Path, authority: Authority) -> None:
    """What still holds says the same: a few bytes are under no signature."""
    point = archives.manifest(root).checkpoints[-1]
    answer, text = timestamp.decode(point.timestamps[0].token), point.stamped(point.timestamps[0].over)
    roots = timestamp.load_roots(authority.roots)
    whole = timestamp.judge(answer, text, roots)
    dice, counts = random.Random(1), {"failed": 0, "unrooted": 0, "same": 0}
    for place in range(len(answer)):
        changed = bytearray(answer)
        changed[place] ^= 1 << dice.randrange(8)
        try:
            judged = timestamp.judge(bytes(changed), text, roots)
        except TimestampError:
            counts["failed"] += 1
            continue
        assert not judged.rooted or judged == whole
        counts["same" if judged.rooted else "unrooted"] += 1
    assert counts["failed"] > 0.9 * len(answer)
    assert counts["same"] < 0.03 * len(answer)


@pytest.mark.parametrize("seed", range(6))
def test_a_flip_in_a_stored_token_is_found_through_the_command(seed: int, root: Path) -> None:
    answer = timestamp.decode(stamp_of(root, 0)["token"])
    place = random.Random(seed).randrange(len(answer))
    put_stamps(root, 0, with_token(root, archives.flip(place)(answer), 0))
    assert within("verify", str(root))[0] == 4, "a later file names the token as it was"


def test_hostile_answers_end_in_our_own_error(stamped: Path, authority: Authority) -> None:
    answer = timestamp.decode(stamp_of(stamped)["token"])
    roots, dice = timestamp.load_roots(authority.roots), random.Random(2)
    for _ in range(1500):
        changed = bytearray(answer)
        for _ in range(dice.choice((1, 2, 8))):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        if dice.random() < 0.3:
            start = dice.randrange(len(changed))
            changed[start : start + dice.randrange(40)] = dice.randbytes(dice.randrange(60))
        try:
            assert not timestamp.judge(bytes(changed), b"another text", roots).rooted
        except TimestampError:
            continue
    deep = b"\x30\x84\x00\x03\x00\x00" * 20_000
    with pytest.raises(TimestampError):
        timestamp.judge(deep, b"", roots)


# --- certificates that run out -------------------------------------------------------------------


@pytest.mark.slow
def test_run_out_and_nothing_vouches(tmp_path: Path) -> None:
    root = archives.make(tmp_path / "archive", files=1)
    with Authority(tmp_path / "short", until=timedelta(seconds=3)).serving() as short:
        stamp(root, short)
        assert codes(root) == ("ok", set())
    wait_until_expired(short)
    assert codes(root) == ("unverifiable", {"timestamp-expired"})
    assert within("verify", str(root))[0] == 3


@pytest.mark.slow
def test_run_out_and_renewed_before(tmp_path: Path, authority: Authority) -> None:
    root = archives.make(tmp_path / "archive", files=1)
    late = Path(shutil.copytree(root, tmp_path / "late"))
    with Authority(tmp_path / "short", until=timedelta(seconds=5)).serving() as short:
        stamp(root, short)
        stamp(late, short)
        settings(root, authority)
        code, _, text = within("timestamp", str(root), "--renew", *LOOPBACK)
        assert code == 0, text
        assert len(archives.manifest(root).warcs) == 2
        assert archives.manifest(root).warcs[1].records == 1
    wait_until_expired(short)
    verdict, findings, proved = verified(root)
    assert (verdict, findings) == ("ok", [])
    assert (proved[short.url].renewed, proved[authority.url].renewed) == (True, False)
    assert "Its certificates have run out; a later" in within("verify", str(root))[2]
    stamp(late, authority, renew=True)  # too late
    assert codes(late) == ("unverifiable", {"timestamp-expired"})
    forged = archives.raw_manifest(root)  # the renewal's own token taken away: nothing vouches any more
    forged["checkpoints"][1]["timestamps"] = []
    archives.put_manifest(root, forged)
    assert codes(root) == ("unverifiable", {"timestamp-expired"})


def test_a_certificate_that_runs_out_within_a_year_is_told(tmp_path: Path, authority: Authority) -> None:
    root = archives.make(tmp_path / "archive", files=1)
    with Authority(tmp_path / "soon", until=timedelta(days=300)).serving() as soon:
        stamp(root, soon)
    code, rows, text = within("verify", str(root), "--json")
    assert (code, rows[-1]["timestamps"][0]["soon"]) == (0, True)
    assert "before then: archiver timestamp --renew" in text
    assert list(within("status", str(root), "--json")[1][-1]["expiring"]) == [soon.url]
    assert "run out on" in within("status", str(root))[2]
    stamp(root, authority, renew=True)
    _, _, proved = verified(root)
    assert [each.soon for each in proved.values()] == [False, False]
    assert within("status", str(root), "--json")[1][-1]["expiring"] == {}


def test_the_stamped_text_is_as_the_manifest_specifies(stamped: Path) -> None:
    """docs/manifest.md: the note; or the note, an empty line, and so many signature lines."""
    point = commitment.Checkpoint(note="a\n1\nb\n", signatures=("— x AAAAAAAA", "— y AAAAAAAA"))
    assert point.stamped(0) == b"a\n1\nb\n"
    assert point.stamped(1) == "a\n1\nb\n\n— x AAAAAAAA\n".encode()
    stored = archives.manifest(stamped).checkpoints[0].timestamps[0]
    digest = hashlib.sha256(timestamp.decode(stored.token)).hexdigest()
    assert timestamp.token_digest(stored.token) == f"sha256:{digest}"


def test_a_beacon_that_names_another_past(root: Path) -> None:
    after = archives.raw_manifest(root)
    after["checkpoints"][0]["note"] = after["checkpoints"][1]["note"]
    archives.put_manifest(root, after)
    assert codes(root) == ("failed", {"beacon", "checkpoint", "timestamp"})
