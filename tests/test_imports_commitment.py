"""Imported files are committed, judged, healed and repaired like our own; they speak for nobody."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import archives
import commands
import imported
import mending
import msgspec
import pytest
import rows
from crash_worker import Disk
from crashing import memory
from imported import COPIED, DAMAGES, LINKED, OTHER, URL, answer, copied, plain, take
from wide import turns

from archiver import signing, upkeep
from archiver.archive import Archive
from archiver.browse.disk.intact import read_member
from archiver.checks import Checks, load
from archiver.digests import digest
from archiver.errors import ArchiverError, RecordError, SourceError, StorageError, UsageError
from archiver.index import catalogue
from archiver.index.reader import describe_stretch, described
from archiver.keys import KeyFolder
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.model import GAP, Entry, Finding, Location
from archiver.prove import verify as stranger
from archiver.repair.results import MissingRecord, Replaced
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.storage import OPEN
from archiver.verify import Trust, Verification
from archiver.verify.schedule import Limits
from archiver.verify.trust import Vouched
from archiver.warc.foreign import stretches
from archiver.warc.read import Member, is_inside, read_stored

VERIFIER = Path(__file__).with_name("second_verifier.mjs")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    return KeyFolder(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox, keys: KeyFolder) -> Path:
    return imported.make(tmp_path_factory.mktemp("imported"), sandbox, keys)


@pytest.fixture
def root(base: Path, tmp_path: Path) -> Path:
    return copied(base, tmp_path / "copy")


def codes(found: list[Finding]) -> set[str]:
    return {each.code for each in found}


def strangers(root: Path) -> tuple[int, str]:
    said: list[str] = []
    return stranger.judge(str(root), [], b"", said.append), "\n".join(said)


# --- taken in ------------------------------------------------------------------------------------


def test_files_are_committed_as_they_are(base: Path, sandbox: Sandbox) -> None:
    manifest = archives.manifest(base)
    assert [warc.path for warc in manifest.warcs][-3:] == [COPIED, OTHER, LINKED]
    for warc in manifest.warcs[-3:]:
        entries = list(recordlist.read(base / warc.list.path))
        assert sum(entry.length for entry in entries) == warc.bytes == (base / warc.path).stat().st_size
        assert len(entries) == warc.records
        data = (base / warc.path).read_bytes()
        assert digest(data) == warc.digest
        assert all(digest(data[each.offset :][: each.length]) == each.digest for each in entries)
        assert not (base / warc.list.path).stat().st_mode & 0o222
    kinds = [entry.type for entry in recordlist.read(base / (COPIED + ".records.jsonl"))]
    assert kinds[:5] == ["response"] * 5
    assert set(kinds[5:]) == {GAP}
    assert (base / LINKED).is_symlink()
    assert (base.parent / "outside.warc").stat().st_mode & 0o200, "nothing is done to what a link leads to"
    assert archives.check(base, sandbox) == []
    assert codes(archives.check(base, sandbox, deep=True)) == {"imported-digest"}
    assert strangers(base)[0] == 0


def test_the_catalogue_has_their_records_and_a_rebuild_the_same(root: Path) -> None:
    upkeep.rebuild(root)
    before = rows.dump(root / catalogue.NAME)
    upkeep.rebuild(root)
    assert rows.dump(root / catalogue.NAME) == before
    (root / LINKED).unlink()  # what is in the catalogue need not be at hand
    archive = Archive(root)
    with archive.lock("archive"), Sandbox() as sandbox, upkeep.catalogue_of(archive, sandbox) as db:
        found = dict(db.execute("SELECT path, records FROM warcs WHERE path LIKE 'imports/%'").fetchall())
    assert (found[COPIED], found[LINKED]) == (6, 6)


def test_a_rebuild_goes_on_without_files_that_are_changed_or_not_at_hand(root: Path) -> None:
    upkeep.rebuild(root)
    before = rows.dump(root / catalogue.NAME)
    away = (root / LINKED).readlink()
    away.rename(away.with_name("offline"))
    archives.change(root, OTHER, archives.flip(900))
    (root / catalogue.NAME).unlink()
    _, _, absent = upkeep.rebuild(root)
    assert [line.partition(":")[0] for line in absent] == [OTHER, LINKED]
    assert "not the bytes that were committed" in absent[0]
    assert "No such file" in absent[1]
    now = rows.dump(root / catalogue.NAME)
    assert [name for name in before if now[name] != before[name]] in ([], ["claimed_digests"])
    assert now["records"] == before["records"], "the record lists say the same"
    archives.change(root, OTHER, archives.flip(900))
    away.with_name("offline").rename(away)
    upkeep.rebuild(root)
    assert rows.dump(root / catalogue.NAME) == before


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("crawl-2012.warc.gz", "crawl-2012.warc.gz"),
        ("../../etc/passwd", "passwd"),
        ("a b\n渡轮.warc.gz", "a-b-.warc.gz"),
        ("渡轮", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("x.open", "x-open"),
        ("x.RECORDS.jsonl", "x-RECORDS.jsonl"),
        ("x.transcript.warc.gz", "x-transcript.warc.gz"),
        (".open", "open"),
        ("n" * 300 + ".warc.gz", "n" * 88 + ".warc.gz"),
        ("old.warc.gz", "old-"),
        ("OLD.WARC.GZ", "OLD-"),
        ("linked.warc", "linked-"),
    ],
)
def test_names(base: Path, given: str, name: str) -> None:
    found = Archive(base).free_name(given)
    assert found == name if not name.endswith("-") else found.startswith(name) and len(found) > len(name)
    assert commitment.list_of(f"imports/{found}.transcript.warc.gz").startswith(f"imports/{found}.transcript")


def _lines(data: bytes) -> list[Entry]:
    return [Entry(offset=0, length=len(data), digest=digest(data), type=GAP, id="", date="")]


@pytest.mark.parametrize(
    ("name", "source", "entries", "error"),
    [
        ("x", b"abc", _lines(b"abd"), SourceError),
        ("x", b"abcd", _lines(b"abc"), SourceError),
        ("x", b"ab", _lines(b"abc"), SourceError),
        ("x", b"", [], SourceError),
        ("x", Path("nowhere"), [], SourceError),
        ("x", Path("/dev/zero"), [], SourceError),
        ("x", b"abc", [msgspec.structs.replace(_lines(b"abc")[0], uri="u" * (1 << 21))], RecordError),
        ("old.warc.gz", b"abc", _lines(b"abc"), UsageError),
        ("../x", b"abc", _lines(b"abc"), UsageError),
        ("x.open", b"abc", _lines(b"abc"), UsageError),
    ],
)
def test_what_is_not_taken_leaves_nothing(
    base: Path, name: str, source: bytes | Path, entries: list[Entry], error: type[ArchiverError]
) -> None:
    before = archives.files(base)
    archive = Archive(base)
    with archive.lock("import"), pytest.raises(error):
        archive.take(BytesIO(source) if isinstance(source, bytes) else source, name, entries)
    assert archives.files(base) == before


def test_links_are_not_made_to_pipes_nor_into_the_archive(root: Path) -> None:
    archive = Archive(root)
    with archive.lock("import"), pytest.raises(UsageError):
        archive.take(BytesIO(b"abc"), "x", _lines(b"abc"), link=True)
    inside = root / archives.warc(root, 0)
    with archive.lock("import"), pytest.raises(UsageError):
        archive.take(inside, "x", [], link=True)
    shutil.rmtree(root / "imports")
    (root / "imports").symlink_to(root.parent)
    with archive.lock("import"), pytest.raises(StorageError, match="through a link"):
        archive.take(BytesIO(b"abc"), "x", _lines(b"abc"))


def test_stored_bytes_tell_the_same_as_the_walk(sandbox: Sandbox) -> None:
    for data in (plain(), imported.hostile(), answer(1) + b"junk" + answer(2)):
        for each in stretches(BytesIO(data)):
            line = describe_stretch(each, sandbox)
            member = Member(each.offset, data[each.offset : each.end])
            assert (
                line.type == GAP or described(msgspec.structs.replace(line, uri="?"), member, sandbox) == line
            )


def test_values_for_which_a_line_has_no_room_are_left_out(sandbox: Sandbox) -> None:
    data = imported.record("gap", "http://x.example/" + "x" * 70_000, b"", ("WARC-Record-ID", "<urn:x:1>"))
    (line,) = [describe_stretch(each, sandbox) for each in stretches(BytesIO(data))]
    assert (line.type, line.id, line.uri) == ("", "urn:x:1", None)


# --- nobody speaks for others --------------------------------------------------------------------


def trusting(keys: KeyFolder) -> Trust:
    return Trust(keys=(Vouched(keys.own()["default"], "mine", demanded=True),))


def test_the_key_in_force_signs_for_imports(root: Path, keys: KeyFolder, sandbox: Sandbox) -> None:
    """Keys, a beacon and a name in an imported file change nothing."""
    check = Verification(root, sandbox=sandbox, trust=trusting(keys))
    assert list(check.findings()) == []
    assert Archive(root).current_key() == keys.own()["default"]
    manifest = archives.manifest(root)
    assert [len(point.signatures) for point in manifest.checkpoints] == [0, 1, 1, 1, 1]
    points = list(manifest.checkpoints)
    points[3] = msgspec.structs.replace(points[3], signatures=())  # of the hostile file
    changed = msgspec.structs.replace(manifest, checkpoints=tuple(points))
    archives.write(root, commitment.NAME, commitment.encode(changed))
    (found,) = Verification(root, sandbox=sandbox, trust=trusting(keys)).findings()
    assert found.code == "signature-missing"
    assert "checkpoint 4 " in found.message


def test_what_follows_names_the_checkpoint_of_an_import(
    root: Path, keys: KeyFolder, sandbox: Sandbox
) -> None:
    archive = Archive(root)
    with archive.lock("archive"):
        own = KeyFolder(shutil.copytree(keys.path, root.parent / "keys"))
        archive.signer = upkeep.signer(archive, lambda _: None, own)
        upkeep.seal_empty(archive, sandbox)
        with catalogue.writing(root) as db:
            session = Session(archive, sandbox, db, {"software": "tests"})
            session.append([])
            with pytest.raises(UsageError, match="is open"):
                take(archive, plain(), "late", sandbox)
            session.seal()
    assert list(Verification(root, sandbox=sandbox, trust=trusting(keys)).findings()) == []


def test_a_sample_and_a_time_take_them_in(root: Path, sandbox: Sandbox) -> None:
    check = Verification(root, sandbox=sandbox, limits=Limits(share=1.0))
    assert list(check.findings()) == []
    assert check.coverage.whole
    assert check.coverage.files == 5
    DAMAGES["linked: a bit flipped where it lies"][0](root)
    with Checks(root) as checks:
        check = Verification(root, sandbox=sandbox, limits=Limits(seconds=60), checks=checks)
        assert codes(list(check.findings())) == {"changed-record"}
    assert [mark.file for mark in load(root).marks if mark.verdict == "failed"] == [LINKED]


def test_archiver_sign_signs_what_was_imported_without_a_key(
    root: Path, keys: KeyFolder, sandbox: Sandbox
) -> None:
    archive = Archive(root)
    with archive.lock("import"):
        for name in ("one", "two"):
            take(archive, plain(2), name, sandbox)
    check = Verification(root, sandbox=sandbox, trust=trusting(keys))
    assert codes(list(check.findings())) == {"signature-missing"}
    own = KeyFolder(shutil.copytree(keys.path, root.parent / "keys"))
    signing.sign(root, own, None, witness=False)
    assert list(Verification(root, sandbox=sandbox, trust=trusting(keys)).findings()) == []
    assert [len(point.signatures) for point in archives.manifest(root).checkpoints[-2:]] == [1, 1]


# --- damaged -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found_where_it_is(root: Path, sandbox: Sandbox, what: str) -> None:
    do, expected = DAMAGES[what]
    do(root)
    found = archives.check(root, sandbox)
    assert codes(found) == expected, found
    assert strangers(root)[0] == 4
    assert len(found) <= 6


def test_a_file_that_is_gone_says_where_it_was(root: Path, sandbox: Sandbox) -> None:
    (root.parent / "outside.warc").unlink()
    (found,) = archives.check(root, sandbox)
    assert found.verdict == "incomplete"
    assert str(root.parent / "outside.warc") in found.message
    assert str(root.parent / "outside.warc") in strangers(root)[1]


def test_without_a_manifest_lists_judge(root: Path, sandbox: Sandbox) -> None:
    (root / commitment.NAME).unlink()
    assert codes(archives.check(root, sandbox)) == {"missing-file"}
    archives.change(root, OTHER, archives.flip(900))
    assert ("changed-record", OTHER) in {(each.code, each.file) for each in archives.check(root, sandbox)}


@pytest.mark.parametrize("file", ["warcs/link.warc.gz", "imports/../link", "imports/sub/link"])
@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero"])
def test_planted_links_show_nothing(root: Path, file: str, target: str) -> None:
    """A catalogue names them, and gives the digest that a thief knows."""
    path = root / file
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)
    location = Location(file=file, offset=0, length=10)
    with pytest.raises(RecordError):
        read_member(root.resolve(), location, digest(Path("/etc/passwd").read_bytes()[:10]))
    with pytest.raises(RecordError):
        read_stored(root, location)


def test_what_is_read_through_a_link_has_the_committed_digest(root: Path) -> None:
    entry = next(recordlist.read(root / (LINKED + ".records.jsonl")))
    place = Location(file=LINKED, offset=entry.offset, length=entry.length)
    assert is_inside(root.resolve(), LINKED)
    assert read_member(root.resolve(), place, entry.digest) == answer(0)
    (root / LINKED).unlink()
    (root / LINKED).symlink_to("/etc/passwd")
    with pytest.raises(RecordError, match=r"SHA-256 is|bytes too early"):
        read_member(root.resolve(), place, entry.digest)


# --- mended --------------------------------------------------------------------------------------

MENDED = ["a bit flipped in a record", "a record removed", "exchanged with another imported file", "deleted"]
MENDED += ["a line of its list removed", "a line of its list edited", "linked: moved away"]


@pytest.mark.parametrize("what", MENDED)
def test_repair_from_a_copy(base: Path, root: Path, sandbox: Sandbox, what: str) -> None:
    DAMAGES[what][0](root)
    results, _ = mending.repair(root, base, sandbox=sandbox)
    assert any(isinstance(each, Replaced) for each in results)
    assert archives.check(root, sandbox) == []


def test_repair_finds_a_file_under_another_name(base: Path, root: Path, sandbox: Sandbox) -> None:
    kept = root.parent / "kept"
    kept.mkdir()
    shutil.copy(base / OTHER, kept / "anything.bin")
    archives.change(root, OTHER, archives.flip(900))
    mending.repair(root, kept, sandbox=sandbox)
    assert archives.check(root, sandbox) == []


def test_repair_without_a_copy_tells_what_is_missing(root: Path, sandbox: Sandbox) -> None:
    archives.change(root, OTHER, archives.flip(900))
    archives.write(root, "imports/new.warc", plain())
    results, _ = mending.repair(root, sandbox=sandbox)
    (missing,) = [each for each in results if isinstance(each, MissingRecord)]
    assert missing.file == OTHER
    assert not (root / "imports/new.warc").exists()


# --- crashed -------------------------------------------------------------------------------------


def _in_a_fork(do: Callable[[], object]) -> int:
    if (pid := os.fork()) == 0:
        try:
            do()
            os._exit(0)
        except StorageError:
            os._exit(3)
        finally:
            os._exit(4)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("start", "fault", "link"),
    [(1, "kill", False), (2, "torn", True), (1, "ENOSPC", False), (2, "EIO-once", True)],
)
def test_a_fault_at_any_operation(sandbox: Sandbox, start: int, fault: str, link: bool) -> None:
    """What the manifest names is whole; of the rest nothing stays, and it can be taken in again."""
    with memory() as folder:
        (folder / "source").write_bytes(plain())
        made = archives.make(folder / "base", 1)
        entries = [describe_stretch(each, sandbox) for each in stretches(BytesIO(plain()))]
        for at in turns(start, 3):
            root = Path(shutil.copytree(made, folder / "archive"))

            def do(at: int = at, root: Path = root) -> None:
                with Archive(root).lock("import"):
                    Disk(str(root), at, fault).hook()
                    Archive(root).take(folder / "source", "x", entries, link=link)

            ended = _in_a_fork(do)
            assert ended in (0, 3, -signal.SIGKILL)
            archive = Archive(root)
            with archive.lock("import"):
                archive.heal()
                assert not list((root / "imports").glob(f"*{OPEN}"))
                if len(archive.manifest().warcs) == 1:
                    take(archive, folder / "source", archive.free_name("x"), sandbox, link=link)
            assert archives.check(root, sandbox) == [], at
            assert (folder / "source").read_bytes() == plain()
            shutil.rmtree(root)
            if ended == 0 and at > 15:
                break
        assert at > 15


def test_healing_leaves_what_is_not_its_own(root: Path) -> None:
    for name in ("a.open", "b.records.jsonl.open", "not a name.open"):
        (root / "imports" / name).write_bytes(b"left")
    (root / "imports" / "c.open").symlink_to("/nowhere")
    archive = Archive(root)
    with archive.lock("archive"):
        said = archive.heal()
    assert len(said) == 3
    assert [path.name for path in (root / "imports").glob("*.open")] == ["not a name.open"]
    (root / "imports" / "folder.open").mkdir()
    with archive.lock("archive"), pytest.raises(StorageError, match="folder"):
        archive.heal()


# --- proved --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_evidence_of_an_imported_record(base: Path, tmp_path: Path, number: int) -> None:
    """Plain and packed, under ids that are there six times."""
    out = tmp_path / "e.zip"
    code, _, told = commands.archiver("prove", f"{URL}{number}", str(base), "--into", str(out))
    assert code == 0, told
    code, said = strangers(out)
    assert code == 0
    assert "(imported)" in said
    if shutil.which("node"):
        command = ["node", str(VERIFIER)]
        second = subprocess.run(command, input=f"{out}\n".encode(), capture_output=True, check=True)
        assert second.stdout.startswith(b"0"), second.stdout
