"""The one-file verifier: alone, on every Python, against changed and hostile bundles, beside a second one."""

import ast
import base64
import gzip
import io
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import archives
import evidence_archive as made
import pytest
from cryptography.exceptions import InvalidSignature
from evidence_mutations import flipped, forged, mutations, stored, summed

from archiver.prove import verify
from archiver.prove.bundle import prove
from archiver.sandbox import Sandbox
from archiver.show import reading

SECOND = Path(__file__).with_name("second_verifier.mjs")
NODE = shutil.which("node")
ARTICLE = "http://news.example/0/"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, made.Authority, list[made.Signer]]:
    return made.proved(tmp_path_factory.mktemp("verifier"))


@pytest.fixture(scope="module")
def bundle(world: tuple[Path, made.Authority, list[made.Signer]]) -> Path:
    root, _, _ = world
    with reading(root) as db:
        prove(root, db, ARTICLE, root.parent / "e.zip")
    return root.parent / "e.zip"


@pytest.fixture(scope="module")
def files(bundle: Path) -> dict[str, bytes]:
    return made.files_of(bundle)


def alone(folder: Path, *arguments: str, python: str = sys.executable) -> tuple[int, str]:
    """The copy of verify.py in a folder, with nothing but Python."""
    done = subprocess.run(
        [python, "-I", str(folder / "verify.py"), *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def judged(path: Path | str, trusted: list[str] | None = None, roots: bytes = b"") -> tuple[int, str]:
    said: list[str] = []
    started = time.monotonic()
    code = verify.judge(str(path), trusted or [], roots, said.append)
    assert time.monotonic() - started < 20, "it takes too long"
    return code, "\n".join(said)


@pytest.fixture
def without_openssl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


# --- alone ---------------------------------------------------------------------------------------


def test_it_is_python_3_9_and_needs_nothing() -> None:
    source = Path(verify.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    names = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def pythons() -> Iterator[str]:
    """Every Python of those that it is for that this machine has."""
    for name in ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"):
        places = [shutil.which(name), *Path.home().glob(f".pyenv/versions/{name[6:]}.*/bin/python3")]
        for place in filter(None, places):
            if not subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode:
                yield str(place)
                break


@pytest.mark.slow
def test_it_runs_on_every_python_that_is_here(bundle: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    folder = made.unpacked(files, tmp_path / "bundle")
    found = {*pythons(), sys.executable}
    said = {alone(folder, python=python) for python in found}
    said |= {alone(folder, str(bundle), python=python) for python in found}
    assert len(said) == 1, "they say different things"
    code, text = said.pop()
    assert code == 0
    assert "Signature: of witness.example/w1, seen at 2026-11-18T" in text
    assert "says Clock of the Bay" in text
    assert text.count("openssl says that it holds") == 2
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.usefixtures("without_openssl")
def test_without_openssl_it_says_so(bundle: Path) -> None:
    code, text = judged(bundle)
    assert (code, text.count("NOT checked: openssl is not here")) == (0, 2)


def test_what_is_none_of_ours(tmp_path: Path, files: dict[str, bytes]) -> None:
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    (tmp_path / "picture.jpg").write_bytes(archives.jpeg(1))
    for arguments in (
        (),
        ("nowhere",),
        (str(tmp_path / "picture.jpg"),),
        ("--key",),
        ("--key", "x"),
        ("--what",),
        ("a", "b"),
    ):
        code, text = alone(tmp_path, *arguments)
        assert (code, bool(text)) == (2, True), arguments
    assert alone(tmp_path, "--roots", str(tmp_path / "none"))[0] == 2


# --- trust ---------------------------------------------------------------------------------------


def test_openssl_finds_what_the_walk_through_a_token_cannot(files: dict[str, bytes], tmp_path: Path) -> None:
    """Bits that the authority signed, in bundles that hold where openssl is not."""
    path, token = tmp_path / "e.zip", files["timestamps/1.tsr"]
    start = token.index(b"\x2a\x03\x04")  # the policy in the TSTInfo; then imprint, serial number, time
    for place in (start + 2, token.index(b"Z\x30", start) - 1, token.index(b"Clock", start) + 1):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        path.write_bytes(verify.zipped(summed({**files, "timestamps/1.tsr": changed})))
        code, text = judged(path)
        assert (code, "openssl says" in text) == (4, True)


def test_keys_that_a_person_names(
    world: tuple[Path, made.Authority, list[made.Signer]], bundle: Path
) -> None:
    root, _, (owner, witness) = world
    stranger = made.Signer(owner.name + "x")
    for place in (bundle, root):
        assert judged(place, [owner.vkey])[0] == 0
        assert judged(place, [witness.vkey])[0] == 0
        assert "by the key that you named" in judged(place, [owner.vkey])[1]
        assert "NOBODY here vouches" in judged(place)[1]
        code, text = judged(place, [stranger.vkey])
        assert (code, "no signature by a key that you named" in text) == (4, True)


def test_a_key_counts_by_its_bytes_not_its_name(
    world: tuple[Path, made.Authority, list[made.Signer]], files: dict[str, bytes], tmp_path: Path
) -> None:
    """Somebody else signs under the owner's name and puts that key into keys.txt."""
    _, _, (owner, _) = world
    thief = made.Signer(owner.name)
    thief.key = made.Signer("thief").key
    thief.data = b"\1" + thief.key.public_key().public_bytes(*made.RAW)
    thief.hash = made.hashlib.sha256(f"{owner.name}\n".encode() + thief.data).digest()[:4]
    note = files["checkpoint.txt"].decode().partition("\n\n")[0] + "\n"
    kept = {name: data for name, data in files.items() if not name.startswith("timestamps/")}
    changed = {
        **kept,
        "checkpoint.txt": f"{note}\n{thief.line(note)}\n".encode(),
        "keys.txt": f"{thief.vkey}\n".encode(),
    }
    path = tmp_path / "e.zip"
    path.write_bytes(verify.zipped(summed(changed)))
    assert judged(path)[0] == 0
    assert judged(path, [owner.vkey])[0] == 4


def test_roots_and_certificates_that_ran_out(
    world: tuple[Path, made.Authority, list[made.Signer]],
    files: dict[str, bytes],
    bundle: Path,
    tmp_path: Path,
) -> None:
    _, authority, _ = world
    other = made.Authority(tmp_path / "other")
    assert judged(bundle, roots=authority.roots)[0] == 0
    code, text = judged(bundle, roots=other.roots)
    assert (code, "no token leads to the certificates that you named" in text) == (4, True)
    forged_token = {**files, "timestamps/1.tsr": other.stamp(files["timestamps/1.txt"])}
    path = tmp_path / "e.zip"
    path.write_bytes(verify.zipped(summed(forged_token)))
    assert "NOT checked: it leads to none of the certificates" in judged(path)[1]
    path.write_bytes(
        verify.zipped(summed({**forged_token, "timestamps/roots.pem": other.roots + authority.roots}))
    )
    assert judged(path)[0] == 0
    code, text = judged(path, roots=authority.roots)
    assert (code, text.count("leads to none of the certificates"), "openssl says" in text) == (0, 1, True)
    rootless = {name: data for name, data in files.items() if name != "timestamps/roots.pem"}
    path.write_bytes(verify.zipped(summed(rootless)))
    assert "NOT checked: no certificates" in judged(path)[1]


@pytest.mark.slow
def test_a_certificate_that_ran_out_is_said(files: dict[str, bytes], tmp_path: Path) -> None:
    clock = made.Authority(
        tmp_path / "brief", began=datetime.now(UTC) - timedelta(days=1, seconds=-4), days=1
    )
    changed = {**files, "timestamps/1.tsr": clock.stamp(files["timestamps/1.txt"])}
    changed["timestamps/2.tsr"] = clock.stamp(files["timestamps/2.txt"])
    path = tmp_path / "e.zip"
    path.write_bytes(verify.zipped(summed({**changed, "timestamps/roots.pem": clock.roots})))
    time.sleep(5)
    code, text = judged(path)
    assert (code, text.count("a certificate has run out since")) == (0, 2)


# --- any change ----------------------------------------------------------------------------------


def test_any_change_of_any_file_fails(bundle: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    dice = random.Random(9)
    folder = made.unpacked(files, tmp_path / "bundle")
    assert judged(folder)[0] == 0
    for name, data in files.items():
        for _ in range(40):
            changed = flipped(data, dice)
            if changed != data:
                (folder / name).write_bytes(changed)
                assert judged(folder)[0] == 4, name
        (folder / name).unlink()
        assert judged(folder)[0] == 4, name
        (folder / name).write_bytes(data)
    for name in ("x", "timestamps/x", "timestamps/9.tsr", ".hidden", "timestamps/deep/x", "empty/"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).mkdir() if name.endswith("/") else (folder / name).touch()
        assert judged(folder)[0] == 4, name
        shutil.rmtree(folder / name.partition("/")[0], ignore_errors=True)
        (folder / name).unlink(missing_ok=True)
        made.unpacked(files, folder)
    assert judged(folder)[0] == 0


@pytest.mark.parametrize("kind", archives.STAND_INS)
def test_nothing_may_stand_in_for_a_file(files: dict[str, bytes], tmp_path: Path, kind: str) -> None:
    stand, _ = archives.STAND_INS[kind]
    folder = made.unpacked(files, tmp_path / "bundle")
    for name in ("bundle.json", "timestamps/1.tsr"):
        (folder / name).unlink()
        (tmp_path / "bundle" / name).with_name("elsewhere").write_bytes(files[name])
        stand(folder / name)
        assert judged(folder)[0] == 4
        (folder / name).rmdir() if kind == "folder" else (folder / name).unlink(missing_ok=True)
        (folder / name).with_name("elsewhere").unlink()
        (folder / name).write_bytes(files[name])
    assert judged(folder)[0] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("without_openssl")
def test_a_second_verifier_agrees(bundle: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    """Both judge 500 changed bundles, most of them with everything recomputed that needs no key."""
    if NODE is None:
        pytest.skip("Node is not installed")
    paths = []
    for number, data in enumerate([bundle.read_bytes(), *mutations(bundle.read_bytes(), files, 530)]):
        paths.append(tmp_path / f"{number}.zip")
        paths[-1].write_bytes(data)
    given = "".join(f"{path}\n" for path in [*paths, tmp_path / "none.zip"])
    done = subprocess.run(
        [NODE, str(SECOND)], input=given, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    first = [judged(path) for path in [*paths, tmp_path / "none.zip"]]
    second = [int(line[0]) for line in done.stdout.split("\n")[:-1]]
    said = zip(first, second, done.stdout.split("\n")[:-1], strict=True)
    assert [(number, *each) for number, each in enumerate(said) if each[0][0] != each[1]] == []
    codes = [code for code, _ in first]
    assert len(codes) > 500
    assert codes[0] == 0
    assert (
        codes.count(0) < 80
    )  # a role, a key less, a tree of their own, half of them what openssl would find
    assert codes.count(4) > 400


# --- hostile -------------------------------------------------------------------------------------


def hostile(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    members = stored(verify.parsed(files["bundle.json"], "", 2), files["capture.warc.gz"])
    bomb = gzip.compress(bytes(1 << 20), mtime=0)
    yield (
        "a gzip bomb in a tree of its own",
        verify.zipped(forged(files, [members[0], gzip.compress(bytes(200 << 20), 1)])),
    )
    yield "bombs", verify.zipped(forged(files, [members[0], *[bomb * 3] * 3]))
    head = b"WARC/1.1\r\n" + b"a: b\r\n" * 300_000
    yield "an endless head", verify.zipped(forged(files, [gzip.compress(head)]))
    sized = b"WARC/1.1\r\nContent-Length: 999999999999999\r\n\r\n"
    yield "a huge length", verify.zipped(forged(files, [gzip.compress(sized)]))
    yield "deep JSON", verify.zipped(summed({**files, "bundle.json": b'{"a":' * 500_000}))
    yield (
        "many signatures",
        verify.zipped(summed({**files, "checkpoint.txt": files["checkpoint.txt"] + b"x\n" * 200_000})),
    )
    line = files["checkpoint.txt"].splitlines(keepends=True)[-1]
    yield (
        "the same a thousand times",
        verify.zipped(summed({**files, "checkpoint.txt": files["checkpoint.txt"] + line * 1000})),
    )
    yield (
        "nested DER",
        verify.zipped(summed({**files, "timestamps/1.tsr": b"\x30\x84\x00\x0f\x00\x00" * 100_000})),
    )
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as file:
            for name, data in sorted(files.items()):
                file.writestr(name, data)
        yield f"packed anew by method {method}", out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("capture.warc.gz", bytes(300 << 20))
    yield "a ZIP bomb", out.getvalue()


@pytest.mark.slow
def test_hostile_bundles_end_in_a_verdict(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    for what, data in hostile(files):
        path.write_bytes(data)
        assert judged(path)[0] == 4, what
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(1 << 40)
    assert judged(path)[0] == 4
    path.unlink()
    path.mkdir()
    (path / "SHA256SUMS").touch()
    with (path / "capture.warc.gz").open("wb") as file:
        file.truncate(1 << 40)
    assert judged(path)[0] == 4


def test_text_of_others_is_safe_for_a_terminal(files: dict[str, bytes], tmp_path: Path) -> None:
    member = (
        "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:x:1>\r\nWARC-Date: \x1b[2J\u202e\r\n"
        "WARC-Target-URI: http://evil\x07\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    )
    path = tmp_path / "e.zip"
    path.write_bytes(verify.zipped(forged(files, [gzip.compress(member.encode())], "urn:x:1")))
    code, text = judged(path)
    assert code == 0
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


# --- an archive ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_openssl")
def test_an_archive_is_checked_too(
    world: tuple[Path, made.Authority, list[made.Signer]], tmp_path: Path
) -> None:
    root = Path(shutil.copytree(world[0], tmp_path / "archive"))
    (root / "warcs" / "x.warc.gz.open").touch()
    code, text = judged(root)
    assert code == 0
    assert text.count("NOT checked: no certificates") == 2
    raw = archives.raw_manifest(root)
    raw["checkpoints"][-1]["timestamps"].clear()  # what only openssl could find a change in
    archives.put_manifest(root, raw)
    code, text = judged(root)
    assert code == 0
    assert "Not sealed, and so not judged: 1 files" in text
    dice = random.Random(3)
    for name in ["manifest.json", *(path.relative_to(root).as_posix() for path in root.glob("warcs/*[zl]"))]:
        before = (root / name).read_bytes()
        for _ in range(25):
            archives.write(root, name, flipped(before, dice))
            code, text = judged(root)
            assert code == 4 or (root / name).read_bytes() == before, name
        (root / name).unlink()
        assert judged(root)[0] == (2 if name == "manifest.json" else 4)
        archives.write(root, name, before)
    (root / "warcs" / "added.warc.gz").touch()
    assert judged(root)[0] == 4


def test_an_archive_that_names_a_file_twice(root: Path, sandbox: Sandbox) -> None:
    raw = archives.raw_manifest(root)
    raw["warcs"].append(raw["warcs"][0])
    archives.put_manifest(root, raw)
    assert judged(root)[0] == 4
    archives.recommit(root, tree=True)
    assert [each.code for each in archives.check(root, sandbox)] == ["manifest-entry"]
    assert judged(root)[0] == 4


# --- Ed25519 -------------------------------------------------------------------------------------

VECTORS = (  # RFC 8032 section 7.1, tests 1 to 3: public key, message, signature in two halves
    """d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a -
    e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
    5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b""",
    """3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c 72
    92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
    085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00""",
    """fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025 af82
    6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
    18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a""",
)


@pytest.mark.parametrize("vector", VECTORS, ids=["1", "2", "3"])
def test_vectors_of_the_specification(vector: str) -> None:
    key, message, *halves = (bytes.fromhex(each.strip("-")) for each in vector.split())
    signature = b"".join(halves)
    assert verify.holds(key, message, signature)
    assert not verify.holds(key, message + b"x", signature)
    above = int.from_bytes(signature[32:], "little") + verify.L
    assert not verify.holds(key, message, signature[:32] + above.to_bytes(32, "little"))
    assert not verify.holds(key, message, signature + b"\0")


def test_it_agrees_with_cryptography() -> None:
    dice = random.Random(1)
    for number in range(40):
        signer = made.Signer(str(number))
        message = dice.randbytes(number)
        signature, key = signer.key.sign(message), signer.data[1:]
        assert verify.holds(key, message, signature)
        place = dice.randrange(64)
        wrong = (
            signature[:place] + bytes([signature[place] ^ 1 << dice.randrange(8)]) + signature[place + 1 :]
        )
        assert not verify.holds(key, message, wrong)
        with pytest.raises(InvalidSignature):
            signer.key.public_key().verify(wrong, message)


def test_points_have_one_encoding() -> None:
    for y in (verify.P, verify.P + 1, 2**255 - 1):
        assert verify.decoded(y.to_bytes(32, "little")) is None
    assert verify.decoded((1).to_bytes(32, "little")) == (0, 1, 1, 0)
    assert verify.decoded((1 | 1 << 255).to_bytes(32, "little")) is None  # minus zero
    assert verify.decoded((2).to_bytes(32, "little")) is None  # no point


def test_keys_are_read_strictly(world: tuple[Path, made.Authority, list[made.Signer]]) -> None:
    good = world[2][0].vkey
    assert verify.key_of(good)[2] == 1
    name, short, data = good.split("+", 2)
    longer = base64.b64encode(base64.b64decode(data) + b"\0").decode()
    for bad in (
        f"{name} x+{short}+{data}",
        f"{name}+{short}+{data}=",
        f"{name}+{short}+{longer}",
        f"x+{short}+{data}",
        "",
        "+++",
    ):
        with pytest.raises((verify.Wrong, ValueError)):
            verify.key_of(bad)
