"""A second run over what has not changed: small, and replayed by other people's tools as if it were whole."""

import json
import subprocess
from pathlib import Path

import pytest
import requests
from commands import archiver
from replaying import PEERS, pywb
from revisit_site import FIRST, LATER, answers, page, save, served, stored, three_runs, warcs

from archiver.capture.revisits import LEAST_BYTES
from archiver.capture.wire.fetch import Network
from archiver.config import Settings
from archiver.demo.run import archive_world
from archiver.demo.world import DemoWorld
from archiver.keep import keep

peers = pytest.mark.skipif(not PEERS.exists(), reason="the peers are not installed: make peers")
pytestmark = pytest.mark.slow


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


# --- replay ---------------------------------------------------------------------------------------

EMPTY = ("a.example/moved", "a.example/unasked")  # a redirect, and a 304 that stands for nothing


def served_body(turn: int, place: str) -> bytes:
    name = place.rpartition("/")[2]
    if name == "changes":
        return page("before") if turn == 1 else page("after")
    return page(name)[:300] if name == "small" else page(name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of three runs over one site."""
    site, root = three_runs(), tmp_path_factory.mktemp("replay") / "archive"
    with served(site) as flags:
        for places in (FIRST, FIRST + LATER, FIRST + LATER):
            save(site, flags, root, *(f"http://{place}" for place in places))
    return root


@peers
@pytest.mark.peers
@pytest.mark.parametrize("indexer", ["wb-manager", "cdxj-indexer"])
def test_pywb_replays_every_capture_of_every_run(root: Path, tmp_path: Path, indexer: str) -> None:
    files = warcs(root)
    index = run(PEERS / "cdxj-indexer", "--sort", *files).stdout if indexer == "cdxj-indexer" else ""
    wrong, seen = [], 0
    with pywb(tmp_path, files, index) as wayback, requests.Session() as session:
        for turn, path in enumerate(files, 1):
            for place, (fields, _) in answers(path).items():
                if place in EMPTY or fields.get("WARC-Truncated") == "disconnect":
                    continue
                digits = "".join(filter(str.isdigit, fields["WARC-Date"][:19]))
                answer = session.get(f"{wayback}/{digits}id_/http://{place}", timeout=60)
                when = answer.headers.get("Memento-Datetime", "")
                found = (answer.status_code, answer.content, when[17:25].replace(":", ""))
                seen += 1
                if found != (200, served_body(turn, place), digits[8:]):
                    wrong.append((turn, place, fields["WARC-Type"], found[0], found[1][:60], when))
    assert seen == 12 + 16 + 16
    assert not wrong


@peers
@pytest.mark.peers
def test_other_tools_find_nothing_wrong(root: Path, tmp_path: Path) -> None:
    done = run(PEERS / "warcio", "check", "-v", *warcs(root))
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("not checked") == done.stdout.count("not checked (revisit)") > 0
    for path in warcs(root):
        assert run(PEERS / "fastwarc", "check", path).returncode == 0
    done = run(PEERS / "wacz", "create", "-o", tmp_path / "runs.wacz", *warcs(root))
    assert done.returncode == 0, done.stderr
    assert run(PEERS / "wacz", "validate", "-f", tmp_path / "runs.wacz").returncode == 0


def test_a_head_that_replay_could_not_use_is_in_the_note(root: Path) -> None:
    """Of a 304, and of an answer whose body was framed otherwise than the original's."""
    heads: dict[str, tuple[str, bytes]] = {}
    for uri, fields, block in stored(warcs(root)[1]):
        if "WARC-JSON-Metadata" in fields:
            hop = json.loads(fields["WARC-JSON-Metadata"])["hops"][-1]
            heads[hop["url"].removeprefix("http://")] = (hop.get("head", ""), b"")
        elif fields["WARC-Type"] == "revisit":
            heads[uri.removeprefix("http://")] = ("", block)
    kept = answers(warcs(root)[1])
    assert kept["a.example/etag"][1] == b""
    assert heads["a.example/etag"][0] == 'HTTP/1.1 304 Not Modified\r\nETag: "it"\r\n\r\n'
    assert kept["a.example/sized"][1] == b""
    assert heads["a.example/sized"][0].endswith("\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert kept["b.example/sized"][1].endswith(b"\r\nContent-Length: %d\r\n\r\n" % len(page("sized")))
    assert heads["b.example/sized"][0] == ""


# --- a second run over the demo's site ------------------------------------------------------------


SUBSCRIPTIONS = "http://www.news.example/feeds.opml"


def only_revisits(root: Path) -> bool:
    """Whether the second run stored no body, source, article or listing that the first has.

    Bodies of less than 512 bytes are stored again, and so is what is no success, as a refusal of a Referer.
    """
    first, second = (stored(path) for path in warcs(root))
    types = {json.loads(block)["type"] for _, f, block in second if f["Content-Type"] == "application/json"}
    sources = [uri for uri, fields, _ in second if fields["WARC-Type"] == "resource"]
    large = {
        uri
        for uri, fields, block in second
        if fields["WARC-Type"] == "response"
        and block.startswith(b"HTTP/1.1 200 ")
        and len(block.partition(b"\r\n\r\n")[2]) >= LEAST_BYTES
    }
    assert len([uri for uri, fields, _ in first if fields["WARC-Type"] == "response"]) > 15
    return types == {"fetch", "run"} and not sources and not large


def test_a_second_run_over_an_unchanged_site_writes_only_revisits(tmp_path: Path) -> None:
    sizes = []
    for _ in range(2):
        kept = archive_world(tmp_path, report=lambda _: None, say=lambda _: None)
        sizes.append(sum(path.stat().st_size for path in (tmp_path / "warcs").iterdir()))
    assert set(kept.outcomes) == {"unchanged", "dead", "refused"}
    assert only_revisits(tmp_path)
    assert sizes[1] - sizes[0] < 0.03 * sizes[0]  # record lists, too
    assert archiver("verify", str(tmp_path), "--deep")[0] == 0


def test_a_second_run_over_the_feeds_writes_only_revisits(tmp_path: Path) -> None:
    """The demo's subscriptions: feeds, the articles in them, their pages and pictures."""
    with DemoWorld() as world:
        network, settings = Network(connect_to=world.connect_to), Settings(instances=world.instances)
        for _ in range(2):
            kept = keep(
                tmp_path, [SUBSCRIPTIONS], network, settings, report=lambda _: None, say=lambda _: None
            )
    assert "captured" not in kept.outcomes
    assert kept.outcomes["unchanged"] > 20
    assert only_revisits(tmp_path)
    assert archiver("verify", str(tmp_path), "--deep")[0] == 0
