"""Other people's tools read what the archiver wrote."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from mirrored import INNER, LEAD, PICTURES, PROXY, mirrored
from replaying import pywb

from archiver.capture.wire.fetch import Network
from archiver.config import Settings
from archiver.demo import encoding, scenes
from archiver.demo.run import archive_world
from archiver.keep import keep

PEERS = Path(__file__).parents[1] / ".venv-peers/bin"
pytestmark = [
    pytest.mark.peers,
    pytest.mark.slow,
    pytest.mark.skipif(not PEERS.exists(), reason="the peers are not installed: make peers"),
]


@pytest.fixture(scope="module")
def warcs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The WARC file of the mirrored article, and that of the whole demo."""
    folder = tmp_path_factory.mktemp("peers")
    with mirrored(folder) as mirror:
        flags = mirror.flags
        network = Network(connect_to=tuple(flags[1:-2:2]), cacert=flags[-1])
        kept = keep(
            folder / "own",
            [str(mirror.document)],
            network,
            Settings(),
            report=lambda _: None,
            say=lambda _: None,
        )
    assert kept.complete
    archive_world(folder / "demo", report=lambda _: None, say=lambda _: None)
    return sorted(folder.glob("*/warcs/*.warc.gz"))


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_warcio_checks_every_digest(warcs: list[Path]) -> None:
    done = run(PEERS / "warcio", "check", "-v", *warcs)
    assert done.returncode == 0, done.stdout
    assert "digest pass" in done.stdout
    assert "fail" not in done.stdout.replace("failure", "")
    assert "not checked" not in done.stdout


def test_fastwarc_and_gzip_pass(warcs: list[Path]) -> None:
    for path in warcs:
        assert run(PEERS / "fastwarc", "check", path).returncode == 0
        assert run("gzip", "-t", path).returncode == 0


def test_cdxj_indexer_finds_the_pictures(warcs: list[Path]) -> None:
    done = run(PEERS / "cdxj-indexer", *warcs)
    assert done.returncode == 0, done.stderr
    assert f'"url": "https://{PROXY}/?url={PICTURES}/{LEAD}"' in done.stdout


@pytest.fixture(scope="module")
def wayback(warcs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """pywb serving the mirrored article's WARC file on loopback."""
    own = next(path for path in warcs if path.parts[-3] == "own")
    with pywb(tmp_path_factory.mktemp("pywb"), [own]) as url:
        yield url


def test_pywb_replays_the_article_and_its_pictures(wayback: str) -> None:
    from mirrored import URL

    with requests.Session() as session:
        page = session.get(f"{wayback}/2026id_/{URL}", timeout=60)
        lead = session.get(f"{wayback}/2026id_/http://{PICTURES}/{LEAD}", timeout=60)
        proxied = session.get(f"{wayback}/2026id_/https://{PROXY}/?url={PICTURES}/{INNER}", timeout=60)
    assert (page.status_code, "第二段。" in page.content.decode()) == (200, True)
    assert (lead.status_code, lead.content) == (200, encoding.jpeg(scenes.podium()))
    assert proxied.status_code == 200
    assert proxied.headers["content-type"] == "image/jpeg"
    assert proxied.content.startswith(b"\xff\xd8\xff")
