"""The key folder, and what signs while it is sealed: races, accidents, passphrases."""

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import pytest
from archives import manifest
from click.testing import CliRunner
from commands import archiver
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from archiver import signing, upkeep
from archiver.archive import Archive
from archiver.cli import main
from archiver.errors import ManifestError, StorageError, UsageError
from archiver.index import catalogue
from archiver.keys import KeyFolder, verifier_key
from archiver.manifest import checkpoint
from archiver.manifest.signednote import ED25519, Signature, VerifierKey
from archiver.sandbox import Sandbox
from archiver.session import Session


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


def write(
    root: Path, sandbox: Sandbox, keys: KeyFolder | None, say: Callable[[str], None], *, seal: bool = True
) -> Archive:
    """Add a WARC file as `archive` does it, signed by what lies in the folder."""
    archive = Archive(root)
    with archive.lock("archive"):
        archive.create()
        archive.signer = upkeep.signer(archive, say, keys) if keys else None
        archive.heal()
        with catalogue.writing(root) as db:
            session = Session(archive, sandbox, db, {"software": "tests"})
            session.append(archives.records(1)[:2])
            if seal:
                session.seal()
            session.close()
    return archive


# --- the folder ----------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_key_is_made_private_and_openssl_reads_it(folder: KeyFolder) -> None:
    made = folder.make("mine")
    assert stat.S_IMODE((folder.path / "mine.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.path.iterdir()) == ["default", "mine.key", "mine.pub"]
    assert folder.default == "mine"
    again = KeyFolder(folder.path)
    assert again.open("mine").public == made.public == again.own()["mine"]
    pem = (folder.path / "mine.key").read_bytes()
    assert serialization.load_pem_private_key(pem, None)


def test_name_that_is_taken_is_refused(folder: KeyFolder) -> None:
    before = folder.make("mine").public
    with pytest.raises(UsageError, match="exists already"):
        KeyFolder(folder.path).make("mine")
    assert KeyFolder(folder.path).open("mine").public == before


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", ".x", "a b", "x" * 65, "键", "a\n", "a+b"])
def test_no_names_for_keys(name: str, folder: KeyFolder) -> None:
    for use in (folder.make, folder.open, folder.set_default, folder.has):
        with pytest.raises(UsageError, match="no name for a key"):
            use(name)
    assert not folder.path.exists()


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    said: list[str] = []
    found: list[bytes] = []

    def begin() -> None:
        begun = signing_of(KeyFolder(tmp_path / "keys"), said.append)
        found.append(begun)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert not [path.name for path in (tmp_path / "keys").iterdir() if path.name.startswith(".")]


def signing_of(folder: KeyFolder, say: Callable[[str], None]) -> bytes:
    from archiver.keys import Signing

    begun = Signing.begin(folder, None, say)
    assert begun
    return begun.key.public


def test_crash_between_the_two_halves_is_mended(folder: KeyFolder) -> None:
    made = folder.make("default")
    (folder.path / "default.pub").unlink()
    assert KeyFolder(folder.path).open("default").public == made.public
    assert KeyFolder(folder.path).own() == {"default": made.public}


def test_passphrase(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    made = folder.make("mine", "correct horse")
    assert b"ENCRYPTED" in (folder.path / "mine.key").read_bytes()
    with pytest.raises(UsageError, match="nobody gave it"):
        KeyFolder(folder.path).open("mine")
    asked: list[str] = []

    def wrong(words: str) -> str:
        asked.append(words)
        return "wrong battery"

    with pytest.raises(UsageError, match="not its passphrase") as refused:
        KeyFolder(folder.path, wrong).open("mine")
    assert "battery" not in f"{refused.value}{refused.value.advice}{refused.value.__cause__}"
    assert asked == [f"Passphrase of {folder.path / 'mine.key'}"]
    assert KeyFolder(folder.path, lambda _: "correct horse").open("mine").public == made.public
    monkeypatch.setenv("ARCHIVER_PASSPHRASE", "correct horse")
    assert KeyFolder(folder.path).open("mine").public == made.public


def pem_of_rsa() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 40, b"x" * (2 << 20), b"-----BEGIN PRIVATE KEY-----\n", None]
)
def test_no_keys(data: bytes | None, folder: KeyFolder) -> None:
    folder.path.mkdir()
    given = pem_of_rsa() if data is None else data
    for name in ("mine.key", "other.pub", "trusted"):
        (folder.path / name).write_bytes(given)
    with pytest.raises(UsageError, match=r"mine\.key"):
        folder.open("mine")
    with pytest.raises(UsageError, match=r"other\.pub"):
        folder.own()
    with pytest.raises(UsageError):
        verifier_key(str(folder.path / "other.pub"))
    if data:
        with pytest.raises(UsageError, match="trusted"):
            folder.trusted()


@pytest.mark.parametrize("text", ["", "nobody", "a\x00b", "x" * 5000, "a+b+c", "."])
def test_neither_key_nor_file(text: str) -> None:
    with pytest.raises(UsageError):
        verifier_key(text)


def test_where_keys_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert KeyFolder.of_person().path == Path(os.environ["ARCHIVER_KEYS"])
    monkeypatch.delenv("ARCHIVER_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert KeyFolder.of_person().path == tmp_path / "archiver" / "keys"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert KeyFolder.of_person().path == tmp_path / "home" / ".config" / "archiver" / "keys"


def test_trusted_keys(folder: KeyFolder) -> None:
    other = VerifierKey("colleague", ED25519, bytes(range(32)))
    assert folder.trust(other)
    assert not folder.trust(VerifierKey("same bytes".replace(" ", "-"), ED25519, other.public))
    assert folder.trusted() == (other,)


# --- sealing -------------------------------------------------------------------------------------


def test_every_sealing_signs(tmp_path: Path, sandbox: Sandbox, folder: KeyFolder) -> None:
    said: list[str] = []
    for _ in range(3):
        write(tmp_path / "a", sandbox, folder, said.append)
    public = folder.own()["default"]
    found = manifest(tmp_path / "a")
    assert found.keys == (str(VerifierKey(found.origin, ED25519, public)),)
    for point in found.checkpoints:
        (line,) = map(Signature.parse, point.signatures)
        assert line.name == found.origin
        assert line.holds(public, point.note)
    assert [words.partition(" ")[0] for words in said] == ["Made"]
    assert checkpoint.parse(folder.signed_at(found.origin).read_text())[1] == found.tree.size


def test_healing_signs(tmp_path: Path, sandbox: Sandbox, folder: KeyFolder) -> None:
    root = tmp_path / "a"
    write(root, sandbox, folder, [].append, seal=False)
    assert not manifest(root).checkpoints
    write(root, sandbox, folder, [].append)
    assert [len(point.signatures) for point in manifest(root).checkpoints] == [1, 1]


def test_crash_before_files_got_their_names(tmp_path: Path, sandbox: Sandbox, folder: KeyFolder) -> None:
    root = tmp_path / "a"
    write(root, sandbox, folder, [].append)
    (warc,) = manifest(root).warcs
    for path in (warc.path, warc.list.path):
        (root / path).rename(root / f"{path}.open")
    assert Archive(root).current_key() == folder.own()["default"]
    write(root, sandbox, folder, [].append)
    assert not archives.check(root, sandbox, deep=True)


def unusable(folder: KeyFolder, how: str) -> None:
    if how == "garbage":
        folder.path.mkdir()
        (folder.path / "default.key").write_bytes(b"garbage")
    elif how == "encrypted":
        folder.make("default", "secret")
        folder._opened.clear()
    elif how == "a file":
        folder.path.write_bytes(b"")
    elif how == "a folder":
        (folder.path / "default.key").mkdir(parents=True)
    elif how == "default is garbage":
        folder.path.mkdir()
        (folder.path / "default").write_text("../../x")
    elif how == "a pipe":
        folder.path.mkdir()
        os.mkfifo(folder.path / "default.key")


def test_what_else_lies_beside_the_signed_checkpoints_is_passed_over(folder: KeyFolder) -> None:
    origin = "archiver/" + "0" * 32
    folder.remember(origin, checkpoint.note(origin, 2, bytes(32)))
    for name in ("0" * 32 + "~", "0", "abc.bak"):
        (folder.path / "signed" / name).write_text("garbage")
    assert folder.all_signed() == [(origin, 2, bytes(32))]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_key_folder_that_cannot_be_reached(tmp_path: Path) -> None:
    """Of another user, and within one: a message, no bug."""
    tmp_path.chmod(0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(StorageError, match="Permission denied"):
            KeyFolder(tmp_path / "theirs" / "keys").make("default")
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "how", ["garbage", "encrypted", "a file", "a folder", "default is garbage", "a pipe"]
)
def test_capture_goes_on_without_a_key(how: str, tmp_path: Path, sandbox: Sandbox, folder: KeyFolder) -> None:
    said: list[str] = []
    unusable(folder, how)
    write(tmp_path / "a", sandbox, folder, said.append)
    found = manifest(tmp_path / "a")
    assert (len(found.checkpoints), found.keys, found.checkpoints[0].signatures) == (1, (), ())
    assert len(said) == 1
    assert said[0].startswith("Sealing without a signature: ")
    assert "secret" not in said[0]


def test_home_that_cannot_be_written_blocks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "links.txt"
    document.write_text("http://127.0.0.1:9/nothing-listens-here\n")
    into = [
        "archive",
        str(document),
        "--into",
        str(tmp_path / "a"),
        "--allow-private",
        "127.0.0.1",
        "--retries",
        "0",
    ]
    monkeypatch.setenv("ARCHIVER_KEYS", "/proc/nobody/keys")
    code, _, text = archiver(*into, "--json")
    assert code == 3
    assert "Sealing without a signature: cannot write" in text
    assert len(manifest(tmp_path / "a").checkpoints) == 1


def test_nothing_is_signed_that_rewrites_what_was_signed(
    tmp_path: Path, sandbox: Sandbox, folder: KeyFolder
) -> None:
    root, said = tmp_path / "a", list[str]()
    write(root, sandbox, folder, said.append)
    origin, said[:] = manifest(root).origin, []
    folder.remember(origin, checkpoint.note(origin, 2, bytes(32)))
    write(root, sandbox, folder, said.append)
    assert [len(point.signatures) for point in manifest(root).checkpoints] == [1, 0]
    assert "now it has other records" in said[0]
    with pytest.raises(ManifestError, match="not signed"):
        signing.sign(root, folder, None, witness=False)
    folder.remember(origin, checkpoint.note(origin, 99, bytes(32)))
    with pytest.raises(ManifestError, match="now it has fewer records"):
        signing.sign(root, folder, None, witness=False)
    folder.signed_at(origin).write_text("garbage")
    with pytest.raises(UsageError, match="not a checkpoint"):
        signing.sign(root, folder, None, witness=False)
    folder.signed_at(origin).unlink()
    made = signing.sign(root, folder, None, witness=False)
    assert [each.at for each in made] == [1]
    assert [len(point.signatures) for point in manifest(root).checkpoints] == [1, 1]


def test_file_that_names_a_foreign_key_is_not_signed(
    tmp_path: Path, sandbox: Sandbox, folder: KeyFolder
) -> None:
    """Planted beside a capture: a record that hands the archive on to somebody else's key."""
    root, said = tmp_path / "a", list[str]()
    write(root, sandbox, folder, said.append)
    thief = KeyFolder(tmp_path / "thief")
    planted = Archive(root)
    with planted.lock("archive"), catalogue.writing(root) as db:
        own = upkeep.signer(planted, said.append, folder)
        assert own
        own.following = thief.make("thief")
        planted.signer = own
        session = Session(planted, sandbox, db, {"software": "tests"})
        session.append([])
        session.close()
    said.clear()
    write(root, sandbox, KeyFolder(folder.path), said.append)
    assert [len(point.signatures) for point in manifest(root).checkpoints] == [1, 0, 1]
    assert "which is not in" in said[0]


# --- signing by hand -----------------------------------------------------------------------------


def test_rotation_is_signed_by_both_and_the_new_key_goes_on(
    tmp_path: Path, sandbox: Sandbox, folder: KeyFolder
) -> None:
    root, said = tmp_path / "a", list[str]()
    write(root, sandbox, folder, said.append)
    old, new = folder.own()["default"], signing.rotate(root, folder, "second", None, said.append)
    assert folder.default == "second"
    write(root, sandbox, KeyFolder(folder.path), said.append)
    first, rotation, after = manifest(root).checkpoints
    signers = [
        {key for key in (old, new.public) for line in point.signatures if Signature.parse(line).names(key)}
        for point in (first, rotation, after)
    ]
    assert signers == [{old}, {old, new.public}, {new.public}]
    assert [warc.records for warc in manifest(root).warcs] == [3, 1, 3]
    assert not archives.check(root, sandbox, deep=True)
    folder.set_default("default")  # as a crash before the last step leaves it
    with pytest.raises(UsageError, match="already"):
        signing.rotate(root, folder, "second", None, said.append)
    assert folder.default == "second"


def test_rotation_needs_the_key_that_signs_now(tmp_path: Path, sandbox: Sandbox, folder: KeyFolder) -> None:
    root = tmp_path / "a"
    write(root, sandbox, folder, [].append)
    other = KeyFolder(tmp_path / "other")
    with pytest.raises(UsageError, match="is not in"):
        signing.rotate(root, other, "second", None, [].append)
    assert len(manifest(root).checkpoints) == 1


def test_witness_cosigns_and_the_owner_adds_it(tmp_path: Path, sandbox: Sandbox, folder: KeyFolder) -> None:
    root, witness = tmp_path / "a", KeyFolder(tmp_path / "witness")
    write(root, sandbox, folder, [].append)
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    public = witness.make("library").public
    (made,) = signing.sign(copy, witness, "library", witness=True)
    mailed = tmp_path / "mail.txt"
    mailed.write_text(f"{made.line}\n")
    with pytest.raises(UsageError, match="no line is a new signature"):
        signing.add(root, mailed, folder)
    folder.trust(VerifierKey("library.example", ED25519, public))
    (added,) = signing.add(root, mailed, folder)
    assert (added.at, added.key, added.line) == (0, "library.example", made.line)
    with pytest.raises(UsageError, match="no line is a new signature"):
        signing.add(root, mailed, folder)
    assert not archives.check(root, sandbox, deep=True)
    assert [line.judgement for line in signing.signers(root, folder)[1]] == ["good", "good"]


@pytest.mark.parametrize(
    "text", ["", "nothing", "— a AAAA\n", "x" * (2 << 20), "a\n\n— a AAAAAAAAAAA=\n\n\n"]
)
def test_no_lines_to_add(text: str, root: Path, folder: KeyFolder) -> None:
    (root / "mail.txt").write_text(text)
    with pytest.raises(UsageError):
        signing.add(root, root / "mail.txt", folder)


@pytest.mark.parametrize("place", ["manifest.json", "warcs/x.warc.gz.open"])
def test_pipe_in_the_place_of_a_file_is_not_waited_for(place: str, root: Path, folder: KeyFolder) -> None:
    for name in {place, place.replace(".warc.gz", ".records.jsonl")}:
        (root / name).unlink(missing_ok=True)
        os.mkfifo(root / name)
    folder.make("default")
    with pytest.raises((ManifestError, StorageError)):
        signing.rotate(root, folder, "second", None, [].append)


def test_nothing_to_sign(tmp_path: Path, folder: KeyFolder, root: Path) -> None:
    archive = Archive(tmp_path / "a")
    with archive.lock("archive"):
        archive.create()
    with pytest.raises(UsageError, match="nothing is sealed"):
        signing.sign(archive.root, folder, None, witness=False)
    with pytest.raises(UsageError, match="no such key"):
        signing.sign(root, folder, "nobody", witness=False)


def test_damaged_archive_is_not_signed(root: Path, folder: KeyFolder) -> None:
    folder.make("mine")
    archives.put_lines(root, archives.lines(root)[1:])
    with pytest.raises(ManifestError):
        signing.sign(root, folder, "mine", witness=False)
    assert not any(point.signatures for point in manifest(root).checkpoints)


def run(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """A command in this process: exit code, JSON rows, people's text."""
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    rows = [json.loads(line) for line in done.stdout.splitlines()] if "--json" in arguments else []
    return done.exit_code, rows, done.output


def test_commands(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVER_KEYS", str(tmp_path / "keys"))
    code, rows, _ = run("key", "make", "mine", "--json")
    assert (code, rows[0]["name"], rows[0]["default"]) == (0, "mine", True)
    assert run("key", "make", "mine")[0] == 2
    assert run("key", "make", "locked", "--passphrase")[0] == 2
    other = VerifierKey("w", ED25519, bytes(range(32)))
    assert run("key", "trust", str(other), "--json")[1][0]["name"] == "w"
    assert run("sign", str(root), "--json")[1][0]["checkpoint"] == 3
    assert run("sign", str(root))[2] == "Signed already by this key.\n"
    assert run("sign", str(root), "--as", "mine", "--add", str(root))[0] == 2
    listed = run("key", "show", str(root), "--json")[1]
    assert [row["type"] for row in listed] == ["key", "trusted", "signature", "summary"]
    code, rows, text = run("verify", str(root), "--json")
    assert (code, rows[-1]["vouched"], rows[-1]["signed_checkpoint"]) == (0, True, 3)
    assert "signed by mine" in text
    assert run("key", "rotate", "second", str(root))[0] == 0
    assert run("verify", str(root), "--key", str(tmp_path / "keys" / "mine.pub"))[0] == 0
    monkeypatch.setenv("ARCHIVER_PASSPHRASE", "of the test")
    assert run("key", "make", "locked", "--passphrase")[0] == 0
    assert b"ENCRYPTED" in (tmp_path / "keys" / "locked.key").read_bytes()
