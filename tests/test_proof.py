"""What an attacker with the disk can do, and what a key or a kept checkpoint finds of it."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import msgspec
import pytest
from archives import manifest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from test_keys import write

from archiver import signing, upkeep
from archiver.archive import Archive
from archiver.errors import ManifestError, UsageError
from archiver.keys import KeyFolder
from archiver.manifest import checkpoint, signednote
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest
from archiver.manifest.signednote import ED25519, Signature, VerifierKey
from archiver.sandbox import Sandbox
from archiver.verify import Verification
from archiver.verify.trust import Trust, Vouched, gather, kept_head


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, KeyFolder]:
    """Two files signed by `default`, a rotation to `second`, one file signed by that."""
    base = tmp_path_factory.mktemp("signed")
    folder, root = KeyFolder(base / "keys"), base / "archive"
    with Sandbox() as sandbox:
        for _ in range(2):
            write(root, sandbox, folder, [].append)
        signing.rotate(root, folder, "second", None, [].append)
        write(root, sandbox, KeyFolder(folder.path), [].append)
    return root, folder


@pytest.fixture
def signed(made: tuple[Path, KeyFolder], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "signed"))


@pytest.fixture
def keys(made: tuple[Path, KeyFolder], tmp_path: Path) -> KeyFolder:
    return KeyFolder(Path(shutil.copytree(made[1].path, tmp_path / "keys")))


def first_key(keys: KeyFolder, *, demanded: bool = False) -> Trust:
    """Trust in the oldest key alone: the rest has to follow from the records."""
    return Trust((Vouched(keys.own()["default"], "default", demanded),))


def check(root: Path, sandbox: Sandbox, trust: Trust | None = None) -> Verification:
    """A verification that has ended."""
    done = Verification(root, sandbox=sandbox, trust=trust)
    done.codes = sorted({finding.code for finding in done.findings()})  # type: ignore[attr-defined]
    return done


def codes(root: Path, sandbox: Sandbox, trust: Trust | None = None) -> list[str]:
    return sorted({finding.code for finding in Verification(root, sandbox=sandbox, trust=trust).findings()})


def edit(root: Path, alter: Callable[[Any], object]) -> None:
    raw = archives.raw_manifest(root)
    alter(raw)
    archives.put_manifest(root, raw)


class Thief:
    """A signer who names what they like, and has no key but their own."""

    def __init__(self, folder: Path) -> None:
        self.own = KeyFolder(folder).make("thief")
        self.named: dict[str, bytes] = {}

    def fields(self, origin: str) -> dict[str, str]:
        return {name: str(VerifierKey(origin, ED25519, key)) for name, key in self.named.items()}

    def watch(self, _: str) -> tuple[int, ...]:
        return ()

    def sign(self, origin: str, note: str, *_: object) -> list[tuple[Signature, VerifierKey]]:
        return [(signednote.sign(self.own.private, origin, note), self.own.verifier(origin))]

    def remember(self, *_: object) -> None:
        """Nothing is kept."""


def plant(root: Path, sandbox: Sandbox, thief: Thief) -> None:
    """Seal a file of the thief's."""
    archive = Archive(root)
    archive.signer = thief
    with archive.lock("archive"):
        upkeep.seal_empty(archive, sandbox)


# --- nothing wrong -------------------------------------------------------------------------------


def test_trust_in_the_first_key_leads_to_the_newest(signed: Path, sandbox: Sandbox, keys: KeyFolder) -> None:
    done = check(signed, sandbox, first_key(keys, demanded=True))
    assert done.verdict == "ok"
    assert done.signatures
    assert [(each.at, each.vouched) for each in done.signatures.signed] == [
        (0, "default"),
        (1, "default"),
        (2, "default"),
        (2, "successor of default"),
        (3, "successor of default"),
    ]


def test_without_trust_nothing_is_vouched_for_and_nothing_is_wrong(signed: Path, sandbox: Sandbox) -> None:
    done = check(signed, sandbox)
    assert done.verdict == "ok"
    assert done.signatures
    assert {each.vouched for each in done.signatures.signed} == {""}


def test_checkpoint_at_any_size_holds(signed: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """Also between two checkpoints, as another way of sealing would have kept it."""
    found = manifest(signed)
    leaves = [commitment.leaf_input(entry) for n in range(4) for entry in archives.entries(signed, n)]
    for size in range(len(leaves) + 1):
        tree = commitment.Tree()
        tree.extend(leaves[:size])
        kept = tmp_path / "kept"
        kept.write_text(checkpoint.note(found.origin, size, tree.root()))
        done = check(signed, sandbox, gather(against=[kept]))
        assert done.verdict == "ok"
        assert done.history
        assert [head.size for head in done.history.held] == [size]


# --- what can be changed in the manifest alone ---------------------------------------------------

LAST = 3


def resigned(raw: Any, at: int, private: Ed25519PrivateKey, name: str = "") -> str:
    return str(signednote.sign(private, name or raw["origin"], raw["checkpoints"][at]["note"]))


def strip(at: int) -> Callable[[Any], object]:
    return lambda raw: raw["checkpoints"][at]["signatures"].clear()


def forge(raw: Any) -> None:
    line = Signature.parse(raw["checkpoints"][LAST]["signatures"][0])
    forged = Signature(line.name, line.key_id, Ed25519PrivateKey.generate().sign(b"x"))
    raw["checkpoints"][LAST]["signatures"] = [str(forged)]


def swap_lines(raw: Any) -> None:
    points = raw["checkpoints"]
    points[0]["signatures"], points[1]["signatures"] = points[1]["signatures"], points[0]["signatures"]


def another_origin(raw: Any) -> None:
    """A line of the same archive under another name: of another archive's checkpoint."""
    private = Ed25519PrivateKey.generate()
    other = "archiver/" + "0" * 32
    note = checkpoint.note(other, 8, bytes(32))
    raw["keys"].append(str(VerifierKey(other, ED25519, private.public_key().public_bytes_raw())))
    raw["checkpoints"][LAST]["signatures"].append(str(signednote.sign(private, other, note)))


def unused_key(raw: Any) -> None:
    raw["keys"].append(str(VerifierKey("w", ED25519, bytes(range(32)))))


def same_name(raw: Any) -> None:
    """A signature under the archive's name by a key that nobody knows: ignored, as the specification says."""
    raw["checkpoints"][LAST]["signatures"].append(resigned(raw, LAST, Ed25519PrivateKey.generate()))


CASES: dict[str, tuple[Callable[[Any], object], list[str], list[str]]] = {
    # what was done · findings with trust in the first key · findings with none
    "newest signature taken away": (strip(3), ["signature-missing"], []),
    "older signature taken away": (strip(0), ["beacon", "signature-missing"], ["beacon"]),
    "signatures of the rotation taken away": (strip(2), ["beacon", "signature-missing"], ["beacon"]),
    "signature of the next key taken from the rotation": (
        lambda raw: raw["checkpoints"][2]["signatures"].pop(),
        ["beacon", "signature-missing"],
        ["beacon"],
    ),
    "signature forged": (forge, ["signature", "signature-missing"], ["signature"]),
    "signatures of two checkpoints swapped": (
        swap_lines,
        ["beacon", "signature", "signature-missing"],
        ["beacon", "signature"],
    ),
    "line of another archive's checkpoint": (another_origin, ["signature"], ["signature"]),
    "line of an unknown key under the same name": (same_name, [], []),
    "line that is none": (
        lambda raw: raw["checkpoints"][1]["signatures"].append("— a AAAAAAAAA"),
        ["signature"],
        ["signature"],
    ),
    "list of keys emptied": (lambda raw: raw["keys"].clear(), ["manifest-entry"], ["manifest-entry"]),
    "a key taken from the list": (lambda raw: raw["keys"].pop(), ["manifest-entry"], ["manifest-entry"]),
    "a key added to the list": (unused_key, ["manifest-entry"], ["manifest-entry"]),
    "a key whose hash is wrong": (
        lambda raw: raw["keys"].append("a+00000000+AQ=="),
        ["manifest-entry"],
        ["manifest-entry"],
    ),
    "ten thousand lines": (
        lambda raw: raw["checkpoints"][1].update(signatures=["— a AAAAAAAAAAA="] * 10_000),
        ["manifest"],
        ["manifest"],
    ),
    "a hundred unknown lines": (
        lambda raw: raw["checkpoints"][1]["signatures"].extend(["— a AAAAAAAAAAA="] * 99),
        [],
        [],
    ),
    "ten thousand keys": (
        lambda raw: raw.update(keys=["a+00000000+AQ=="] * 10_000),
        ["manifest"],
        ["manifest"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_edited_manifest(case: str, signed: Path, sandbox: Sandbox, keys: KeyFolder) -> None:
    alter, with_trust, without = CASES[case]
    edit(signed, alter)
    assert codes(signed, sandbox, first_key(keys)) == with_trust
    assert codes(signed, sandbox) == without


def test_hostile_list_and_lines_take_no_time(signed: Path, sandbox: Sandbox, keys: KeyFolder) -> None:
    """As many keys and lines as the form allows, all of one name and with key ids that match."""
    private = Ed25519PrivateKey.generate()
    key = VerifierKey("a", ED25519, private.public_key().public_bytes_raw())
    wrong = [str(Signature("a", key.key_id, n.to_bytes(64))) for n in range(99)]

    def fill(raw: Any) -> None:
        raw["keys"] += [str(VerifierKey("a", ED25519, n.to_bytes(32))) for n in range(97)] + [str(key)]
        for point in raw["checkpoints"]:
            point["signatures"] = [*point["signatures"][:1], *wrong]

    edit(signed, fill)
    began = time.monotonic()
    found = list(Verification(signed, sandbox=sandbox, trust=first_key(keys)).findings())
    assert sum(finding.code == "signature" for finding in found) == 4 * 99
    assert time.monotonic() - began < 20


# --- edits that fit together ---------------------------------------------------------------------


def rewrite(root: Path, private: Ed25519PrivateKey | None = None) -> Manifest:
    """Change a record and compute everything anew: tree, checkpoints, and signatures by another key."""
    archives.put_members(
        root,
        archives.at(2, lambda m: archives.repacked(m, lambda r: r.replace(b"WARC-Date: 2", b"WARC-Date: 1")))(
            archives.members(root, 1)
        ),
        1,
    )
    archives.relist(root, 1)
    archives.recommit(root, tree=True)
    after = manifest(root)
    for at in range(len(after.checkpoints)) if private else ():
        assert private
        line = signednote.sign(private, after.origin, after.checkpoints[at].note)
        key = VerifierKey(after.origin, ED25519, private.public_key().public_bytes_raw())
        after = commitment.signed(
            msgspec.structs.replace(after, keys=()) if at == 0 else after, at, [(line, key)]
        )
    if private is None:
        after = msgspec.structs.replace(after, keys=())
    archives.write(root, commitment.NAME, commitment.encode(after))
    return after


@pytest.mark.parametrize("resign", [False, True])
def test_consistent_rewrite(
    resign: bool, signed: Path, sandbox: Sandbox, keys: KeyFolder, made: tuple[Path, KeyFolder]
) -> None:
    rewrite(signed, Ed25519PrivateKey.generate() if resign else None)
    (signed / "catalogue.db").unlink()
    assert codes(signed, sandbox) == ["beacon"]  # a careful one makes that anew, too: tests/test_tampering.py
    assert codes(signed, sandbox, first_key(keys)) == ["beacon", "signature-missing"]
    assert codes(signed, sandbox, gather(against=[made[0]])) == ["beacon", "history"]
    assert codes(signed, sandbox, gather(folder=keys)) == ["beacon", "history", "signature-missing"]


def cut(root: Path, files: int) -> None:
    """Take the newest files away as if they had never been."""
    before = manifest(root)
    for warc in before.warcs[files:]:
        (root / warc.path).unlink()
        (root / warc.list.path).unlink()
    point = before.checkpoints[files - 1]
    _, size, tree = checkpoint.parse(point.note)
    used = {Signature.parse(line).key_id for each in before.checkpoints[:files] for line in each.signatures}
    after = msgspec.structs.replace(
        before,
        keys=tuple(key for key in before.keys if VerifierKey.parse(key).key_id in used),
        warcs=before.warcs[:files],
        checkpoints=before.checkpoints[:files],
        tree=commitment.TreeHead(size=size, root="sha256:" + tree.hex()),
    )
    archives.write(root, commitment.NAME, commitment.encode(after))
    (root / "catalogue.db").unlink(missing_ok=True)


@pytest.mark.parametrize("files", [1, 2, 3])
def test_newest_captures_cut_off(
    files: int, signed: Path, sandbox: Sandbox, keys: KeyFolder, made: tuple[Path, KeyFolder]
) -> None:
    """Only who kept a checkpoint can tell; one's own key folder did, and says so without a verdict."""
    cut(signed, files)
    assert codes(signed, sandbox, first_key(keys)) == []
    assert codes(signed, sandbox, gather(against=[made[0] / commitment.NAME])) == ["history"]
    done = check(signed, sandbox, gather(folder=keys))
    assert done.verdict == "ok"
    assert done.history
    assert len(done.history.newer) == 1


def test_written_on_without_the_key(signed: Path, sandbox: Sandbox, keys: KeyFolder) -> None:
    write(signed, sandbox, None, [].append)
    assert codes(signed, sandbox, first_key(keys)) == ["signature-missing"]
    signing.sign(signed, keys, "second", witness=False)
    assert codes(signed, sandbox, first_key(keys)) == []


def test_rotation_by_somebody_without_the_key(signed: Path, sandbox: Sandbox, keys: KeyFolder) -> None:
    """The thief names a successor in the archive's own words, and signs as that."""
    cut(signed, 2)
    thief = KeyFolder(signed.parent / "thief")
    write(signed, sandbox, thief, [].append)
    signing.rotate(signed, thief, "next", None, [].append)
    write(signed, sandbox, thief, [].append)
    assert codes(signed, sandbox) == []
    assert codes(signed, sandbox, first_key(keys)) == ["signature-missing"]


@pytest.mark.parametrize("taken", [0, 1])
def test_newest_checkpoint_is_a_rotation_that_lost_a_signature(
    taken: int, signed: Path, tmp_path: Path, sandbox: Sandbox, keys: KeyFolder
) -> None:
    """The owner, who has both keys, finds it; signing once more with the key that lacks mends it."""
    signing.rotate(signed, KeyFolder(keys.path), "third", None, [].append)

    def take(raw: Any) -> None:
        del raw["checkpoints"][-1]["signatures"][taken]
        if taken:
            raw["keys"].pop()

    edit(signed, take)
    (keys.path / "signed" / manifest(signed).origin.rpartition("/")[2]).unlink()
    assert codes(signed, sandbox, gather(folder=keys)) == ["signature-missing"]
    write(signed, sandbox, KeyFolder(keys.path), [].append)
    assert codes(signed, sandbox, gather(folder=keys)) == ["signature-missing"]
    signing.sign(signed, KeyFolder(keys.path), ("second", "third")[taken], witness=False)
    assert codes(signed, sandbox, gather(folder=keys)) == []
    assert codes(signed, sandbox, first_key(keys)) == []


def test_file_that_hands_the_archive_on_is_never_signed(
    signed: Path, tmp_path: Path, sandbox: Sandbox, keys: KeyFolder
) -> None:
    """Sealed by a thief, it names the owner's key and theirs; only the owner's signature is missing."""
    thief = Thief(tmp_path / "thief")
    thief.named = {"signing-key": keys.own()["second"], "next-signing-key": thief.own.public}
    plant(signed, sandbox, thief)
    for again in range(2):
        for name in ("second",) if again == 0 else ("second", None):
            with pytest.raises(UsageError, match="hands the archive on"):
                signing.sign(signed, KeyFolder(keys.path), name, witness=False)
        assert codes(signed, sandbox, gather(folder=keys)) == ["signature-missing"]
        write(signed, sandbox, KeyFolder(keys.path), [].append)
    assert codes(signed, sandbox, gather(folder=keys)) == ["signature-missing"]


def test_archive_of_somebody_else_is_not_signed_by_default(
    signed: Path, tmp_path: Path, keys: KeyFolder
) -> None:
    other = KeyFolder(tmp_path / "other")
    other.make("me")
    with pytest.raises(UsageError, match="is not in"):
        signing.sign(signed, other, None, witness=False)
    (line,) = signing.sign(signed, other, "me", witness=False)
    assert line.key == "me"


def test_file_that_somebody_else_sealed_in_between_is_told(
    signed: Path, tmp_path: Path, sandbox: Sandbox, keys: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_keys import run

    thief = Thief(tmp_path / "thief")
    thief.named = {"signing-key": thief.own.public}
    plant(signed, sandbox, thief)
    write(signed, sandbox, KeyFolder(keys.path), [].append)
    monkeypatch.setenv("ARCHIVER_KEYS", str(keys.path))
    code, _, text = run("verify", str(signed))
    assert code == 0
    assert "1 (5) are signed by no key that you vouch for" in text


def test_rotation_that_could_not_be_signed_is_not_sealed(
    signed: Path, sandbox: Sandbox, keys: KeyFolder
) -> None:
    origin = manifest(signed).origin
    keys.remember(origin, checkpoint.note(origin, 2, bytes(32)))
    with pytest.raises(ManifestError, match="not signed"):
        signing.rotate(signed, KeyFolder(keys.path), "third", None, [].append)
    assert len(manifest(signed).checkpoints) == 4


def test_key_that_was_rotated_away_counts_no_more(signed: Path, sandbox: Sandbox, keys: KeyFolder) -> None:
    """Somebody found the old key, and goes on with it."""
    old = KeyFolder(signed.parent / "old")
    old.path.mkdir()
    for suffix in ("key", "pub"):
        shutil.copy(keys.path / f"default.{suffix}", old.path)
    write(signed, sandbox, old, [].append)
    for trust in (first_key(keys), gather(folder=keys)):
        assert "signature-missing" in codes(signed, sandbox, trust)


def test_key_that_signed_nothing(signed: Path, root: Path, sandbox: Sandbox) -> None:
    stranger = str(VerifierKey("stranger", ED25519, bytes(range(32))))
    for archive in (signed, root):
        assert codes(archive, sandbox, gather([stranger])) == ["signature-missing"]


def test_other_keys_in_the_folder_alarm_nobody(
    root: Path, signed: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    other = KeyFolder(tmp_path / "other")
    other.make("mine")
    other.trust(VerifierKey("colleague", ED25519, bytes(range(32))))
    for archive in (signed, root):
        assert codes(archive, sandbox, gather(folder=other)) == []


# --- what was kept elsewhere ---------------------------------------------------------------------


def test_signed_note_is_taken_as_it_was_kept(signed: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    point = manifest(signed).checkpoints[1]
    kept = tmp_path / "kept.txt"
    kept.write_text(signednote.join(point.note, point.signatures))
    assert codes(signed, sandbox, gather(against=[kept])) == []
    kept.write_text(point.note.replace("\n6\n", "\n5\n"))
    assert codes(signed, sandbox, gather(against=[kept])) == ["history"]


def test_checkpoint_of_another_archive(signed: Path, root: Path, sandbox: Sandbox) -> None:
    assert codes(signed, sandbox, gather(against=[root])) == ["history"]


def test_history_of_damaged_records_cannot_be_judged(signed: Path, sandbox: Sandbox) -> None:
    kept = gather(against=[signed])
    for path in (archives.warc(signed, 1), archives.listed(signed, 1)):
        archives.write(signed, path, b"")
    found = codes(signed, sandbox, kept)
    assert "history-unknown" in found
    assert "history" not in found
    early = Trust(kept=(kept_head_of(signed, 0),))
    assert "history-unknown" not in codes(signed, sandbox, early)


def kept_head_of(root: Path, at: int) -> Any:
    path = root.parent / "early.txt"
    path.write_text(manifest(root).checkpoints[at].note)
    return kept_head(path)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"{", b"\xff\xfe", b"a\n1\n", b"[" * 99999, b"\n\n\n", b"a" * (3 << 20)]
)
def test_no_kept_checkpoints(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(data)
    for path in (tmp_path / "kept", tmp_path, tmp_path / "nothing", Path("/dev/zero")):
        with pytest.raises(UsageError):
            gather(against=[path])


def test_words_say_what_is_proved_and_by_whom(
    signed: Path, tmp_path: Path, keys: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_keys import run

    monkeypatch.setenv("ARCHIVER_KEYS", str(tmp_path / "nobody"))
    code, _, text = run("verify", str(signed))
    assert code == 0
    assert "named only by the archive itself" in text
    code, rows, text = run("verify", str(signed), "--key", str(keys.path / "default.pub"), "--json")
    assert (code, rows[-1]["vouched"], rows[-1]["signed_checkpoint"]) == (0, True, 4)
    assert "Checkpoint 4 of 4 is signed by successor of default" in text
    point = manifest(signed).checkpoints[1]
    (tmp_path / "kept.txt").write_text(point.note)
    code, rows, text = run("verify", str(signed), "--against", str(tmp_path / "kept.txt"), "--json")
    assert (code, rows[-1]["kept_records"]) == (0, checkpoint.parse(point.note)[1])
    write_on = cut(signed, 3)
    assert write_on is None
    assert run("verify", str(signed), "--against", str(keys.path / "nothing"))[0] == 2
    monkeypatch.setenv("ARCHIVER_KEYS", str(keys.path))
    assert "this is an older copy of it, or the newest captures were cut off" in run("verify", str(signed))[2]
