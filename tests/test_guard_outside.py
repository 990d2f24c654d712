"""The guard, seen from the listening side: nothing private is ever connected to, by whatever name or way.

The real command runs in a world where every address answers (honeypot.py). Any SYN, datagram, request, SOCKS
destination or CONNECT that names a row (honeypot_rows.py) is a failure of that row.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from honeypot import Event, Report, Scenario, hindrance, watch
from honeypot_rows import (
    CONTROL_ASKED,
    CONTROLS,
    OWN_ADDRESS,
    PORTS,
    PROXIES,
    PUBLIC,
    PUBLIC6,
    REBOUND,
    ROWS,
    SELF_HOSTED,
    SITE,
    THROUGH_RUNS,
    URLS,
    Row,
)
from honeypot_world import PATHS, answers, document, names
from warcio.archiveiterator import ArchiveIterator

pytestmark = pytest.mark.slow

ORDINARY = [80, 443, 2375, 6379, 8080, 9200]
REBOUND_PORT, RESOLVED_PORT, CROWD_PORT = 20900, 20999, 20950  # nobody listens on the last
MANNERS = ["--delay", "0", "--per-host", "4", "--retries", "0", "--max-time", "20"]
CROWD = f"http://crowd.test:{CROWD_PORT}/a.jpg"  # a name with 30 addresses


def _runs() -> dict[str, list[str]]:
    """The arguments of each run. Its documents lie in a folder with its name."""
    connected, local = PORTS["open-connect-to"], PORTS["open-connect-to-localhost"]
    runs = {
        "plain": ["list.txt", *(f"{SITE}{path}" for path in PATHS), URLS["in-named"]],
        "rescue": ["--rescue"],
        "instance": [
            *("instance.txt", URLS["self-named"]),
            *("--instance", "proxy.self", "--resolve", f"proxy.self:80:{SELF_HOSTED}"),
            *("--allow-private", "10.4.0.0/16", "--resolve", "nas.home:80:10.0.0.11"),
        ],
        "http": ["--proxy", "http://127.0.0.1:3128"],
        "socks5": ["--proxy", "socks5://127.0.0.1:1080"],
        "socks5h": ["--proxy", "socks5h://127.0.0.1:1080"],
        "star": ["--proxy", "http://127.0.0.1:3128", "--resolve", f"*:80:{PUBLIC}"],
        "opened": [
            *("--allow-private", "10.0.0.0/24", "--allow-private", "fd00::/64"),
            *("--resolve", f"resolved.test:{RESOLVED_PORT}:127.0.0.9"),
            *("--connect-to", f"connected.test:80:127.0.0.8:{connected}"),
            *("--connect-to", f"localhost:80:127.0.0.1:{local}"),
        ],
    }
    return {run: ["archive", run, *rest, "--into", f"{run}-archive", *MANNERS] for run, rest in runs.items()}


# Where a run may connect to beside the public addresses: what its options name.
NAMED: dict[str, set[tuple[str, int]]] = {
    "instance": {(SELF_HOSTED, 80), ("10.4.0.1", PORTS["open-asked-in-block"]), ("10.0.0.11", 80)},
    "http": {("127.0.0.1", 3128)},
    "socks5": {("127.0.0.1", 1080)},
    "socks5h": {("127.0.0.1", 1080)},
    "star": {("127.0.0.1", 3128)},
    "opened": {
        *(("10.0.0.11", PORTS["open-block"]), ("10.0.0.11", PORTS["open-block-by-name"])),
        *(("fd00::11", PORTS["open-block-v6"]), ("127.0.0.9", RESOLVED_PORT)),
        *(("127.0.0.8", PORTS["open-connect-to"]), ("127.0.0.1", PORTS["open-connect-to-localhost"])),
    },
}


def _write_documents(folder: Path) -> None:
    rebound = [f"http://{name}.test:{REBOUND_PORT}/{n}-{name}.jpg" for name in REBOUND for n in range(5)]
    more = {
        "plain": [*CONTROLS, *rebound, CROWD, "http://moved.test/a.jpg", "http://sitemap.test/a.jpg"],
        "rescue": [f"{SITE}/dead.jpg", URLS["rescue-original"]],
        "instance": [CONTROL_ASKED],
    }
    for run in _runs():
        pictures = [URLS[row.name] for row in ROWS if (row.run, row.way) == (run, "picture")]
        pictures += [f"{SITE}/r/{row.name}" for row in ROWS if (row.run, row.way) == (run, "redirect")]
        pictures += more.get(run, [f"{SITE}/control-{run}.jpg"])
        (folder / run).mkdir()
        (folder / run / "1.md").write_text(document(pictures))
    (folder / "plain" / "2.md").write_text(document([], URLS["in-document-url"]))
    (folder / "list.txt").write_text(f"{SITE}/b.html\n{URLS['in-list']}\n")
    (folder / "instance.txt").write_text(f"{SITE}/b.html\n{URLS['self-listed']}\n")
    (folder / "rescue-archive").mkdir()
    (folder / "rescue-archive" / "archiver.toml").write_text('timegate = "http://timegate.test/"\n')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    if why := hindrance():
        pytest.skip(why)
    _write_documents(folder)
    scenario = Scenario(
        ports=[22, *ORDINARY, REBOUND_PORT, RESOLVED_PORT, *PORTS.values()],
        names=names(),
        hosts="127.0.0.1 localhost\n10.0.0.13 hosts-file.test\n::1 hosts-file-v6.test\n",
        search="search.test",
        answers=answers(),
        runs=_runs(),
    )
    return watch(scenario, folder)


@pytest.fixture(scope="module")
def notes(report: Report, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What each run's archive says of what it asked for, or would not ask for."""
    return {run: list(_fetches(folder / f"{run}-archive")) for run in report.codes}


def _fetches(archive: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(archive.glob("warcs/*.warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                uri = record.rec_headers.get_header("WARC-Target-URI") or ""
                if record.rec_type == "metadata" and uri.startswith("urn:archiver:note:"):
                    note = json.loads(record.content_stream().read())
                    if note["type"] == "fetch":
                        yield note
                elif said := record.rec_headers.get_header("WARC-JSON-Metadata"):
                    yield json.loads(said)


def _names_row(text: str, row: Row) -> bool:
    port = str(PORTS[row.name]) if "{port}" in row.where else f"hidden-{row.name}."
    return f"hidden-{row.name}." in text or re.search(rf"\b{re.escape(port)}(?![0-9])", text) is not None


def _contacts(report: Report, row: Row) -> list[Event]:
    """Everything that was seen and names a row."""
    own = OWN_ADDRESS.search(row.where)
    return [
        event
        for event in report.events
        if (own and event.address == own[0])
        or ("{port}" in row.where and event.port == PORTS[row.name])
        or _names_row(event.text, row)
    ]


# --- what was seen ------------------------------------------------------------------------------


def test_the_world_sees_what_is_asked(report: Report) -> None:
    """Else there would be nothing to learn from what it does not see."""
    assert report.dropped == 0
    assert {run: code for run, code in report.codes.items() if code != 3} == {}, report.said
    asked = [event.text for event in report.events if event.kind == "request"]
    for url in [*CONTROLS, CONTROL_ASKED, *(f"{SITE}/control-{run}.jpg" for run in (*THROUGH_RUNS, "star"))]:
        assert any(url.split("/", 3)[3] in text for text in asked), url
    connected = {(event.address, event.port) for event in report.events if event.kind == "tcp"}
    assert {(PUBLIC, 80), (PUBLIC6, 80), (PROXIES, 80), (SELF_HOSTED, 80)} <= connected


def test_nothing_else_is_connected_to(report: Report) -> None:
    """Whatever its row: only public addresses, and what the run's options name."""
    usual = {(address, port) for address in (PUBLIC, PUBLIC6, PROXIES) for port in (80, REBOUND_PORT)}
    for run in report.codes:
        free = NAMED.get(run, set()) | {("127.0.0.1", 53)}
        if "--proxy" not in _runs()[run]:
            free |= usual
        events = [event for event in report.events if event.run == run and event.port != CROWD_PORT]
        seen = {(event.address, event.port) for event in events if event.port}
        assert seen - free == set(), run


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_row(report: Report, notes: dict[str, list[dict[str, Any]]], row: Row) -> None:
    contacts = _contacts(report, row)
    if row.expected == "reached":
        assert contacts
        return
    assert contacts == []
    if row.expected == "refused":
        wanted = [note for note in notes[row.run] if note["purpose"] != "robots"]
        about = [note for note in wanted if note["url"] == row.through or _names_row(json.dumps(note), row)]
        assert about
        assert {note.get("stage") for note in about} <= {"address", "dns"}, about


@pytest.mark.parametrize("name", REBOUND)
def test_a_name_that_changes_its_answer(
    report: Report, notes: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """What comes, comes from its public address; once it leads inside it is refused."""
    asked = [event for event in report.events if f"{name}.test" in event.text]
    assert asked
    assert {event.address for event in asked} == {PUBLIC}
    stages = [note.get("stage") for note in notes["plain"] if f"-{name}.jpg" in note["url"]]
    assert "address" in stages
    assert len(stages) == 5


def test_of_many_addresses_a_few_are_tried(report: Report) -> None:
    """Else a name could make us knock at the doors of thousands."""
    tried = [event.address for event in report.events if event.port == CROWD_PORT]
    assert 1 < len(tried) <= 4
    assert all(address.startswith("93.184.216.") for address in tried)
