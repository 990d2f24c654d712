"""The main job on the demo world: its mirror documents archived, through its proxy, without internet."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from archiver.capture.desk import Report
from archiver.capture.wire.fetch import Network
from archiver.config import Settings
from archiver.demo.world import DemoWorld
from archiver.keep import keep
from archiver.kept import Kept
from archiver.keys import KeyFolder


def archive_world(
    root: Path, *, report: Report, say: Callable[[str], None], keys: KeyFolder | None = None
) -> Kept:
    """Start the world, archive its documents into `root`, stop the world.

    Some of its pictures fail on purpose: one is gone, one is replaced by the proxy's default.
    """
    with DemoWorld() as world, tempfile.TemporaryDirectory() as folder:
        documents = [Path(folder) / name for name in world.documents]
        for path in documents:
            path.write_bytes(world.documents[path.name])
        network = Network(connect_to=world.connect_to)
        settings = Settings(instances=world.instances)
        given = [str(path) for path in documents]
        return keep(root, given, network, settings, report=report, say=say, keys=keys)
