"""What the tests of repair share: one repair in this process, and what must hold after it."""

from pathlib import Path

from archiver.archive import Archive
from archiver.manifest import manifest as commitment
from archiver.repair.copies import Copy, Folder
from archiver.repair.parity import Par2
from archiver.repair.results import Result
from archiver.repair.run import Repair
from archiver.sandbox import Sandbox
from archiver.verify import Verification


def repair(
    root: Path, *copies: Path | Copy, sandbox: Sandbox, par2: str | None = None
) -> tuple[list[Result], list[str]]:
    """Repair from these copies; the results, and what was said."""
    results: list[Result] = []
    said: list[str] = []
    opened = [Folder(copy, said.append) if isinstance(copy, Path) else copy for copy in copies]
    program = Par2(par2, said.append) if par2 else None
    with Archive(root).lock("repair"):
        Repair(root, opened, program, report=results.append, say=said.append, sandbox=sandbox).run()
    return results, said


def committed(root: Path) -> dict[str, bytes | str]:
    """The manifest and all of warcs/, byte for byte; of what is no plain file, what it is."""
    return {commitment.NAME: (root / commitment.NAME).read_bytes()} | {
        path.name: path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else str(path.lstat().st_mode)
        for path in (root / "warcs").iterdir()
    }


def assert_restored(root: Path, original: Path, sandbox: Sandbox) -> None:
    """All committed bytes are there, bit for bit, nothing else is in warcs/, and verify finds nothing."""
    assert committed(root) == committed(original)
    assert [str(each) for each in Verification(root, thorough=True, sandbox=sandbox).findings()] == []
    left = [path.name for path in root.glob("damaged/*") if path.name.endswith((".partial", ".new"))]
    assert not left, left
