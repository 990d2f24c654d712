"""What several test modules share."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import archives
import commands
import forked
import pytest
import trustme
from hypothesis import HealthCheck, settings

import archiver.sandbox
from archiver.sandbox import Sandbox

# The same examples in every run, so that what was green stays green. HYPOTHESIS_SEARCH=1 looks for new ones.
_SLOW = [HealthCheck.too_slow]  # of a machine that does other things as well
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("search", deadline=None, suppress_health_check=_SLOW)
settings.load_profile("search" if os.environ.get("HYPOTHESIS_SEARCH") else "same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No test touches the keys of the person who runs it; programs that tests start inherit this."""
    folder = tmp_path_factory.mktemp("keys") / "archiver"
    os.environ["ARCHIVER_KEYS"] = str(folder)
    os.environ.pop("ARCHIVER_PASSPHRASE", None)
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nor does any write into the cache of the person."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands and the children of sandboxes are forked, where a test does not ask for real ones."""
    with forked.children(tmp_path_factory.mktemp("children")):
        yield
        commands.close()


@pytest.fixture(scope="module")
def real_children() -> Iterator[None]:
    """The children of this module's sandboxes are started as the product starts them."""
    with patch.object(archiver.sandbox, "subprocess", subprocess):
        yield


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.make(tmp_path_factory.mktemp("sealed") / "archive")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as child:
        yield child


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def pem(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def root(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "archive", symlinks=True))
