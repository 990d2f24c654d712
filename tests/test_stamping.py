"""`archiver timestamp` against a real authority, and against many that are none."""

from pathlib import Path

import archives
import pytest
from authority import LOOPBACK, Authority, settings
from commands import archiver


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return archives.make(tmp_path / "archive", files=2)


def test_the_newest_checkpoint_is_stamped_once(root: Path, tmp_path: Path) -> None:
    with Authority(tmp_path / "one").serving() as one, Authority(tmp_path / "two", chain=True).serving() as two:
        settings(root, one, two)
        code, rows, text = archiver("timestamp", str(root), "--json", *LOOPBACK)
        assert (code, rows[-1]["stamped"]) == (0, 2), text
        assert archiver("timestamp", str(root), "--json", *LOOPBACK)[1][-1]["stamped"] == 0
        assert [len(each.queries) for each in (one, two)] == [1, 1]
    first, newest = archives.manifest(root).checkpoints
    assert first.timestamps == ()
    assert {each.authority for each in newest.timestamps} == {one.url, two.url}
