"""`archiver protect`, and repair by parity where no copy is left, with the real par2."""

import json
import os
import shutil
from pathlib import Path

import archives
import pytest
from archives import change, entries, flip, listed, warc, write
from click.testing import CliRunner
from mending import assert_restored, repair

from archiver.archive import Archive
from archiver.cli import main
from archiver.index import catalogue
from archiver.manifest import manifest as commitment
from archiver.repair.results import Replaced, Unmended
from archiver.sandbox import Sandbox
from archiver.session import Session

PAR2 = Path(__file__).parents[1] / ".venv-peers/bin/par2"
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not PAR2.exists(), reason="the peers are not installed: make peers"),
]


def protect(root: Path, *options: str) -> tuple[int, list[dict[str, object]], str]:
    done = CliRunner().invoke(main, ["protect", str(root), "--json", *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(scope="module")
def protected(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(sealed, tmp_path_factory.mktemp("protected") / "archive"))
    code, rows, _ = protect(root, "--par2", str(PAR2), "--parity", "20%")
    assert (code, rows[-1]["protected"]) == (0, 7)
    return root


@pytest.fixture
def root(protected: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(protected, tmp_path / "archive"))


def test_only_what_is_new_is_protected(root: Path, sandbox: Sandbox) -> None:
    names = {path.name for path in (root / "parity").iterdir()}
    assert names >= {f"{Path(name).name}.par2" for name in (warc(root), listed(root))}
    assert protect(root, "--par2", str(PAR2))[1][-1]["protected"] == 0
    archive = Archive(root)
    with archive.lock("archive"), catalogue.writing(root) as db:
        session = Session(archive, sandbox, db, {})
        session.append(archives.records(9))
        session.seal()
    code, rows, text = protect(root, "--par2", str(PAR2))
    assert code == 0
    assert [row["file"] for row in rows[:-1]] == [warc(root, 3), listed(root, 3), commitment.NAME]
    assert text.endswith("Parity was made for 3 files; what had some already keeps it.\n")
    assert len(list((root / "parity").iterdir())) == 9  # one of the manifest: the newest
    assert not archives.check(root, sandbox)


def test_restored_without_any_copy(root: Path, sealed: Path, sandbox: Sandbox) -> None:
    change(root, warc(root), flip(entries(sealed)[4].offset + 30))
    change(root, warc(root, 0), lambda data: data[:500] + data[700:])
    change(root, listed(root, 2), flip(300))
    change(root, commitment.NAME, lambda data: data.replace(b'"tree"', b'"free"'))
    results, said = repair(root, sandbox=sandbox, par2=str(PAR2))
    assert not said
    assert {each.how for each in results if isinstance(each, Replaced)} == {"parity", "manifest", "lines"}
    assert_restored(root, sealed, sandbox)


def test_more_is_lost_than_parity_holds(root: Path, sandbox: Sandbox) -> None:
    (root / warc(root)).unlink()
    results, said = repair(root, sandbox=sandbox, par2=str(PAR2))
    assert isinstance(results[-1], Unmended)
    assert "does not restore" in said[0]
    assert {path.name for path in (root / "damaged").iterdir()} == set()


def test_damaged_file_gets_no_parity(sealed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(sealed, tmp_path / "archive"))
    change(root, warc(root), flip(900))
    code, rows, text = protect(root, "--par2", str(PAR2))
    assert (code, rows[-1]["damaged"]) == (4, [warc(root)])
    assert "NOT ALL PROTECTED" in text


def test_parity_of_another_name_is_not_used(root: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Parity that would have par2 write elsewhere, garbage, and a link."""
    name = Path(warc(root)).name
    sidecar = root / "parity" / f"{name}.par2"
    change(root, warc(root), flip(900))
    data = sidecar.read_bytes()
    for wrong in (
        data.replace(name.encode(), b"../" + name[3:].encode()),
        data[:200],
        b"",
        os.urandom(9000),
    ):
        write(root, f"parity/{name}.par2", wrong)
        results, said = repair(root, sandbox=sandbox, par2=str(PAR2))
        assert isinstance(results[-1], Unmended)
        assert "is not the parity of" in said[0] or "does not restore" in said[0]
    sidecar.unlink()
    sidecar.symlink_to("/dev/zero")
    assert isinstance(repair(root, sandbox=sandbox, par2=str(PAR2))[0][-1], Unmended)
    assert sorted(path.name for path in root.iterdir()) == sorted(
        {*(path.name for path in root.iterdir())} - {name[3:]}
    )


def test_without_par2(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, rows, text = protect(root)
    assert (code, rows) == (2, [])
    assert "Install par2" in text
    assert protect(root, "--par2", "nowhere")[0] == 2
    change(root, warc(root), flip(900))
    done = CliRunner().invoke(main, ["repair", str(root)])
    assert done.exit_code == 4
    assert "parity/ cannot be used: par2 is not installed" in done.output
