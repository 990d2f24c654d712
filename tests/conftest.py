"""What several test modules share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import archives
import pytest

from archiver.sandbox import Sandbox


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.make(tmp_path_factory.mktemp("sealed") / "archive")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as child:
        yield child


@pytest.fixture
def root(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "archive", symlinks=True))
