"""The folder: lock, sealing, healing, and links and names that hostile archives bring."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import archives
import msgspec
import pytest

from archiver import upkeep
from archiver.archive import LOCK_NAME, Archive
from archiver.digests import digest
from archiver.errors import Locked, ManifestError, NotAnArchive, RecordError, StorageError
from archiver.index import catalogue
from archiver.manifest import manifest as commitment
from archiver.manifest import recordlist
from archiver.model import Entry, Record
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.verify import Verification

NAME = "20261122T190512Z-7f3a"


@contextmanager
def session(root: Path, sandbox: Sandbox) -> Iterator[Session]:
    """A session on an archive that is made when there is none; left open at the end."""
    archive = Archive(root)
    with archive.lock("archive"):
        archive.create()
        with upkeep.catalogue_of(archive, sandbox) as db:
            opened = Session(archive, sandbox, db, {"software": "test"})
            try:
                yield opened
            finally:
                opened.close()


def heal(root: Path) -> list[str]:
    with Archive(root).lock("archive"):
        return Archive(root).heal()


def clean(root: Path) -> bool:
    return not list(Verification(root).findings())


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


def left_open(root: Path, name: str = NAME) -> tuple[Path, Path]:
    warcs = root / "warcs"
    return warcs / f"{name}.warc.gz.open", warcs / f"{name}.records.jsonl.open"


# --- from new to sealed --------------------------------------------------------------------------


def test_from_nothing_to_sealed(tmp_path: Path, sandbox: Sandbox) -> None:
    root = tmp_path / "new" / "archive"
    with session(root, sandbox) as writing:
        entries = writing.append(archives.records(0))
        (warc,) = [path.with_suffix("") for path in (root / "warcs").glob("*.warc.gz.open")]
        opened = [Path(f"{warc}.open"), Path(str(warc).replace(".warc.gz", ".records.jsonl.open"))]
        assert list(recordlist.read(opened[1]))[1:] == entries  # there as soon as append returns
        assert opened[0].stat().st_size == entries[-1].offset + entries[-1].length
        writing.seal()
        (committed,) = writing.sealed
    assert not [path for path in opened if path.exists()]
    assert committed.path == f"warcs/{warc.name}"
    assert (committed.bytes, committed.records) == (warc.stat().st_size, 13)
    assert [oct(path.stat().st_mode & 0o777) for path in warc.parent.iterdir()] == ["0o444", "0o444"]
    assert clean(root)
    assert sorted(path.name for path in root.iterdir()) == [
        ".archiver.lock",
        "catalogue.db",
        "catalogue.sha256",
        "manifest.json",
        "warcs",
    ]


def test_opening_changes_nothing(root: Path) -> None:
    before = files(root)
    archive = Archive(root)
    archive.manifest()
    archive.check_extendable()
    assert files(root) == before
    with pytest.raises(NotAnArchive):
        Archive(root / "elsewhere").manifest()
    assert not (root / "elsewhere").exists()


def test_manifest_that_went_missing_is_not_made_anew(root: Path) -> None:
    (root / "manifest.json").unlink()
    with Archive(root).lock("archive"), pytest.raises(NotAnArchive, match=r"manifest\.json is missing"):
        Archive(root).create()
    assert not (root / "manifest.json").exists()


def test_damaged_archive_is_not_sealed_over(root: Path, sandbox: Sandbox) -> None:
    listed = root / Archive(root).manifest().warcs[0].list.path
    listed.chmod(0o644)
    lines = listed.read_bytes().splitlines(keepends=True)
    listed.write_bytes(b"".join([lines[1], lines[0], *lines[2:]]))
    with pytest.raises(ManifestError, match="record lists"):
        Archive(root).check_extendable()
    before = (root / "manifest.json").read_bytes()
    with session(root, sandbox) as writing:
        writing.append(archives.records(7)[:1])
        with pytest.raises(ManifestError, match="record lists"):
            writing.seal()
    assert (root / "manifest.json").read_bytes() == before


def test_names_are_never_used_twice(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter(["aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("archiver.archive.secrets.token_hex", lambda _: next(given))
    monkeypatch.setattr("archiver.archive.datetime", Frozen)
    first = Archive(root).new_name()
    (root / "warcs" / f"{first}.warc.gz").write_bytes(b"sealed")
    assert (first[-4:], Archive(root).new_name()[-4:]) == ("aaaa", "bbbb")


class Frozen:
    """A clock that stands."""

    @staticmethod
    def now(_: object) -> object:
        return archives.START


# --- after a failure -----------------------------------------------------------------------------


def test_nothing_follows_a_failed_append(tmp_path: Path, sandbox: Sandbox) -> None:
    """What came after bytes that no line names would be cut off with them: so nothing may come."""
    root = tmp_path / "archive"
    first, bad, last = archives.records(0), archives.records(1), archives.records(2)
    bad[3] = msgspec.structs.replace(bad[3], uri="http://a/\r\nEvil: 1")
    with session(root, sandbox) as writing:
        kept = {entry.id for entry in writing.append(first)}
        with pytest.raises(RecordError):
            writing.append(bad)
        with pytest.raises(StorageError, match="nothing is added after a failure"):
            writing.append(last)
    [said] = heal(root)
    assert "torn bytes are kept in torn/" in said
    [warc] = Archive(root).manifest().warcs
    assert {entry.id for entry in recordlist.read(root / warc.list.path)} >= kept
    assert warc.records == 13
    assert clean(root)


def test_hostile_media_type_cannot_make_a_line_that_no_reader_takes(tmp_path: Path, sandbox: Sandbox) -> None:
    """A quarter of a megabyte of control characters as Content-Type, as a server may send it."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: " + b"\x01" * 250_000 + b"/\r\n\r\nbody"
    record = msgspec.structs.replace(archives.records(0)[archives.HTML - 1], block=block, payload_digest=None)
    with session(tmp_path / "archive", sandbox) as writing:
        [entry] = writing.append([record])
        assert entry.mime is None
        writing.seal()
    assert clean(tmp_path / "archive")


def test_group_is_all_or_nothing_in_the_catalogue(tmp_path: Path, sandbox: Sandbox) -> None:
    root = tmp_path / "archive"
    with session(root, sandbox) as writing:
        records = archives.records(0)
        with pytest.raises(RecordError, match="has no place"):
            writing.append(
                [*records, msgspec.structs.replace(records[1], block=records[1].block)]
            )  # twice the id
    db = catalogue.connect(root / catalogue.NAME)
    assert db["records"].count == 1  # the warcinfo record
    db.close()


def test_manifest_names_files_that_are_open_still(root: Path) -> None:
    """The crash came after the manifest and before the renames, or between them."""
    before = files(root)
    warc = Archive(root).manifest().warcs[-1]
    for paths in ((warc.path, warc.list.path), (warc.list.path,)):
        for path in paths:
            (root / path).rename(root / f"{path}.open")
        assert heal(root) == [
            f"{Path(warc.path).name.split('.')[0]}: was sealed already; gave its files their names"
        ]
        assert {**files(root), LOCK_NAME: b""} == {**before, LOCK_NAME: b""}


# --- healing what others left --------------------------------------------------------------------


def test_sealed_file_is_never_replaced(root: Path) -> None:
    """An open file of the same name lies beside it: it is moved away, whatever it holds."""
    before = files(root)
    warc = Archive(root).manifest().warcs[0]
    (root / f"{warc.path}.open").write_bytes(b"something else")
    [said] = heal(root)
    assert "what lay beside it is moved away; 14 torn bytes are kept in torn/" in said
    after = files(root)
    assert {name: after[name] for name in before if name != LOCK_NAME} == {
        name: data for name, data in before.items() if name != LOCK_NAME
    }
    assert after[f"torn/{Path(warc.path).name}.0"] == b"something else"
    assert heal(root) == []


def line(offset: int, length: int, member: bytes) -> bytes:
    entry = Entry(offset=offset, length=length, digest=digest(member), type="metadata", id="urn:x", date="")
    return recordlist.encode(entry)


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\n",
        b"{}\n",
        b"\xff" * 3_000_000,
        b"[" * 100_000 + b"\n",
        recordlist.encode(
            archives.Entry(offset=0, length=1 << 62, digest=digest(b""), type="a", id="b", date="c")
        ),
        recordlist.encode(
            archives.Entry(offset=0, length=-1, digest=digest(b"x"), type="a", id="b", date="c")
        ),
        line(0, 0, b""),
        recordlist.encode(
            archives.Entry(offset=-1, length=1, digest=digest(b"x"), type="a", id="b", date="c")
        ),
        recordlist.encode(
            archives.Entry(offset=0, length=1 << 70, digest=digest(b"x"), type="a", id="b", date="c")
        ),
    ],
)
def test_hostile_lines_heal_to_nothing(root: Path, hostile: bytes) -> None:
    warc, listed = left_open(root)
    warc.write_bytes(b"xyz")
    listed.write_bytes(hostile)
    [said] = heal(root)
    assert f"{NAME}: held no whole record" in said
    assert (root / "torn" / f"{NAME}.warc.gz.0").read_bytes() == b"xyz"
    if hostile:
        assert (root / "torn" / f"{NAME}.records.jsonl.0").read_bytes() == hostile
    assert clean(root)


@pytest.mark.parametrize("missing", [0, 1])
def test_half_of_a_pair_heals_to_nothing(root: Path, missing: int) -> None:
    left_open(root)[1 - missing].write_bytes(b"x")
    assert "held no whole record; 1 torn bytes" in heal(root)[0]
    assert clean(root)


@pytest.mark.parametrize("name", ["a b", "-a", "渡轮", "a.txt", "", "a\n", "a" * 101])
def test_names_that_no_manifest_takes_are_left_alone(root: Path, sandbox: Sandbox, name: str) -> None:
    """Healing them would write a manifest that nobody can read."""
    stranger = root / "warcs" / f"{name}.warc.gz.open"
    with session(root, sandbox) as writing:
        writing.append(archives.records(7)[:1])
        (opened,) = [path.name for path in (root / "warcs").glob("*.warc.gz.open")]
    stranger.write_bytes((root / "warcs" / opened).read_bytes())
    stranger.with_name(f"{name}.records.jsonl.open").write_bytes(
        (root / "warcs" / opened.replace(".warc.gz", ".records.jsonl")).read_bytes()
    )
    assert len(heal(root)) == 1
    assert stranger.exists()
    assert len(Archive(root).manifest().warcs) == 4
    assert {finding.code for finding in Verification(root).findings()} <= {"unsealed", "unlisted-file"}


# --- links in the archive of a stranger ----------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        LOCK_NAME,
        f"warcs/{NAME}.warc.gz.open",
        f"warcs/{NAME}.records.jsonl.open",
        "torn",
        catalogue.NAME,
        catalogue.DIGEST_NAME,
        f".{catalogue.NAME}.new",
        f".{catalogue.DIGEST_NAME}.new",
        ".manifest.json.new",
    ],
)
def test_no_link_leads_out_of_the_archive(root: Path, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "victim"
    victim.write_bytes(b"precious")
    for path in left_open(root):
        path.write_bytes(b"torn bytes")
    (root / link).unlink(missing_ok=True)
    (root / link).symlink_to(outside if link == "torn" else victim)
    with suppress(StorageError):
        upkeep.rebuild(root)
    assert victim.read_bytes() == b"precious"
    assert list(outside.iterdir()) == [victim]


# --- lock ----------------------------------------------------------------------------------------


def test_lock_names_its_holder_and_is_free_afterwards(root: Path) -> None:
    archive = Archive(root)
    with archive.lock("archive"):
        held = (root / LOCK_NAME).read_bytes()
        with (
            pytest.raises(Locked, match=rf"process {os.getpid()} \('archiver archive', since 2"),
            archive.lock("rebuild"),
        ):
            pass
        assert (root / LOCK_NAME).read_bytes() == held
    assert (root / LOCK_NAME).read_bytes() == b""
    with archive.lock("rebuild"):
        pass


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"pid": 1}', b"[" * 100_000])
def test_lock_with_an_unreadable_holder(root: Path, text: bytes) -> None:
    archive = Archive(root)
    with archive.lock("archive"):
        (root / LOCK_NAME).write_bytes(text)
        with pytest.raises(Locked, match="another process"), archive.lock("rebuild"):
            pass


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"), Archive(tmp_path / "file").lock("archive"):
        pass
    (tmp_path / "folder" / LOCK_NAME).mkdir(parents=True)
    with pytest.raises(StorageError, match=LOCK_NAME), Archive(tmp_path / "folder").lock("archive"):
        pass


# --- disks that lie ------------------------------------------------------------------------------


def test_disk_that_gives_back_other_bytes(
    root: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    record: Record = archives.records(7)[0]
    with session(root, sandbox) as writing:
        writing.append(archives.records(8)[:1])
        assert writing._file
        (warc,) = (root / "warcs").glob("*.warc.gz.open")
        sync = writing._file._warc.sync

        def damage() -> None:
            sync()
            data = bytearray(warc.read_bytes())
            data[-9] ^= 1
            warc.write_bytes(data)

        monkeypatch.setattr(writing._file._warc, "sync", damage)
        with pytest.raises(StorageError, match="other bytes than were written"):
            writing.append([record])
    heal(root)
    assert clean(root)
    assert commitment.load(root).warcs[-1].records == 2
