"""The plugin on the Datasette that is pinned, and on the one to come (`make next`)."""

import os
import subprocess
from pathlib import Path

import plugin_checks
import pytest
from browse_articles import make_archive

REPOSITORY = Path(__file__).parent.parent
NEXT = REPOSITORY / ".venv-next" / "bin" / "python"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = make_archive(tmp_path_factory.mktemp("next") / "archive")
    archive.db.close()
    return archive.root


def test_on_this_datasette(root: Path, tmp_path: Path) -> None:
    plugin_checks.run(root)
    plugin_checks.elsewhere(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not NEXT.exists(), reason="needs .venv-next, which 'make next' makes")
def test_on_the_datasette_to_come(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [NEXT, plugin_checks.__file__, str(root), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("1."), done.stdout[:200]
