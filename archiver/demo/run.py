"""The main job on the demo world: its mirror documents archived, through its proxy, without internet."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from archiver.capture.fetch import Network
from archiver.capture.run import Report
from archiver.config import NAME, Settings
from archiver.demo.world import DemoWorld
from archiver.errors import StorageError
from archiver.keep import Kept, keep


def archive_world(root: Path, *, report: Report, say: Callable[[str], None]) -> Kept:
    """Start the world, archive its documents into `root`, stop the world.

    Some of its pictures fail on purpose: one is gone, one is replaced by the proxy's default.
    """
    with DemoWorld() as world, tempfile.TemporaryDirectory() as folder:
        documents = []
        for name, data in world.documents.items():
            path = Path(folder) / name
            path.write_bytes(data)
            documents.append(str(path))
        settings = Settings(instances=world.instances)
        kept = keep(root, documents, Network(connect_to=world.connect_to), settings, report=report, say=say)
    _keep_settings(root, settings)
    return kept


def _keep_settings(root: Path, settings: Settings) -> None:
    hosts = ", ".join(f'"{host}"' for host in settings.instances)
    try:
        (root / NAME).write_text(f"# Hosts of self-hosted weserv image proxies.\ninstances = [{hosts}]\n")
    except OSError as error:
        raise StorageError(f"cannot write {root / NAME}: {error.strerror or error}") from error
