"""How fast the archiver saves a site, beside wget, requests with warcio, and a download without WARC.

All get the same URLs of a site of eight hosts on loopback (loopback_site.py), once without latency and once
with 50 ms before each answer. What they do differs: the archiver is given the articles and finds their
pictures itself; it reads every page, decodes and hashes every picture, fills its catalogue, and has each
capture on disk (fsync) before it says so. The others get all URLs, host by host, and never call fsync.
Linux only. docs/performance.md says more.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loopback_site import HOSTS, Site, serving
from processes import Cost, run, sync_time
from rounds import ARCHIVER, PEERS
from warcio.archiveiterator import ArchiveIterator

WGET = Path("/usr/bin/wget")
PEER = [str(PEERS / "python"), str(Path(__file__).parent / "peers_capture.py")]
LATE = 3  # tenths of the URLs that are asked for where there is latency: some tools take one after the other
FREE = ["--delay", "0", "--allow-private", "127.0.0.0/8", "--ignore-robots", "benchmark", "--json"]


@dataclass(frozen=True)
class Tool:
    """A program, and how many connections it has at once; `warcs` are the files it writes in its folder."""

    name: str
    connections: int
    command: Callable[[Path, int], list[str]]  # of the folder that holds the lists
    warcs: str | None = None


def archiver(folder: Path, connections: int) -> list[str]:
    per_host = max(1, connections // HOSTS)
    speed = ["--parallel", str(connections), "--per-host", str(per_host)]
    return ["archive", str(folder / "articles"), "--into", str(folder / "archive"), *speed, *FREE]


def peer(name: str, out: str) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, connections: int) -> list[str]:
        given = ["--connections", str(connections), "--list", str(folder / "all"), "--out", str(folder / out)]
        return [*PEER, name, *given]

    return command


def wget(folder: Path, _: int) -> list[str]:
    files = [
        f"--input-file={folder / 'all'}",
        f"--warc-file={folder / 'wget'}",
        "--output-document=/dev/null",
    ]
    return [str(WGET), "--quiet", "--no-config", "--no-proxy", *files]


def by_command(folder: Path, connections: int) -> list[str]:
    return [str(ARCHIVER / "archiver"), *archiver(folder, connections)]


TOOLS = (
    Tool("wget --warc-file", 1, wget, "wget.warc.gz"),
    Tool("requests, capture_http", 1, peer("requests", "peer.warc.gz"), "peer.warc.gz"),
    Tool("requests, capture_http", 32, peer("requests", "peer.warc.gz"), "peer.warc.gz"),
    Tool("aiohttp, no WARC", 32, peer("aiohttp", "bodies")),
    Tool("archiver archive", HOSTS, by_command, "archive/warcs/*.warc.gz"),
    Tool("archiver archive", 32, by_command, "archive/warcs/*.warc.gz"),
)


def available() -> list[Tool]:
    if not (PEERS / "python").exists():
        sys.exit(f"{PEERS / 'python'}: not there; run 'make install peers'")
    if WGET.exists():
        return list(TOOLS)
    print(f"{WGET} is not there: it is left out")
    return [tool for tool in TOOLS if tool.command is not wget]


def responses(folder: Path, pattern: str) -> int:
    """How many different URLs have a whole answer with status 200 in the WARC files."""
    found = set()
    for path in folder.glob(pattern):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                    size = int(record.http_headers.get_header("content-length"))
                    if len(record.raw_stream.read()) == size:
                        found.add(record.rec_headers.get_header("warc-target-uri").strip("<>"))
    return len(found)


def lists(folder: Path, site: Site, urls: int) -> None:
    (folder / "all").write_text("\n".join(site.everything(urls)) + "\n")
    (folder / "articles").write_text("\n".join(site.articles(urls)) + "\n")


def once(tool: Tool, site: Site, urls: int, *, check: bool) -> Cost:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lists(folder, site, urls)
        cost = run(tool.command(folder, tool.connections), folder)
        if check and tool.warcs and (found := responses(folder, tool.warcs)) != urls:
            sys.exit(f"{tool.name} stored {found} of {urls} URLs: its time means nothing")
        return cost


def measure(tools: list[Tool], site: Site, urls: int, rounds: int) -> dict[Tool, list[Cost]]:
    """The tools in turn; a first round is checked and left out."""
    costs: dict[Tool, list[Cost]] = {tool: [] for tool in tools}
    for number in range(rounds + 1):
        for tool in tools:
            cost = once(tool, site, urls, check=not number)
            if number:
                costs[tool].append(cost)
    return costs


def table(costs: dict[Tool, list[Cost]], urls: int) -> str:
    """Medians by tool; ratios to the first tool."""
    medians = {
        tool: Cost(
            *(statistics.median(getattr(cost, name) for cost in taken) for name in ("wall", "cpu", "peak"))
        )
        for tool, taken in costs.items()
    }
    base = next(iter(medians.values()))
    lines = [
        f"{'tool':<24}{'at once':>8}{'URLs/s':>9}{'ratio':>8}{'CPU ms/URL':>12}{'ratio':>8}{'peak MB':>9}"
    ]
    for tool, cost in medians.items():
        lines.append(
            f"{tool.name:<24}{tool.connections:>8}{urls / cost.wall:>9.0f}{base.wall / cost.wall:>7.2f}×"
            f"{cost.cpu / urls * 1000:>12.2f}{cost.cpu / base.cpu:>7.2f}×{cost.peak:>9.0f}"
        )
    return "\n".join(lines)


def profile(site: Site, urls: int, connections: int) -> str:
    """Where the time of one run of the archiver goes, as phases.py found it."""
    with tempfile.TemporaryDirectory() as made:
        folder, script = Path(made), Path(__file__).parent / "phases.py"
        lists(folder, site, urls)
        command = [sys.executable, str(script), str(folder / "phases"), *archiver(folder, connections)]
        run(command, folder)
        found = json.loads((folder / "phases").read_text())
    main, cpu, workers = found["main"], found["cpu"], found["workers"]
    total, syncs = sum(main.values()), sorted(found["syncs"])
    lines = [f"{'where the archiver is':<36}{'main s':>8}{'%':>5}{'CPU s':>8}{'workers s':>11}"]
    for phase in sorted({*main, *workers}, key=lambda each: (-main.get(each, 0), each)):
        seconds = main.get(phase, 0)
        lines.append(
            f"{phase:<36}{seconds:>8.2f}{seconds / total * 100:>5.0f}"
            f"{cpu.get(phase, 0):>8.2f}{workers.get(phase, 0):>11.2f}"
        )
    lines.append(
        f"CPU s: main thread {found['main_cpu']:.2f}, workers {found['workers_cpu']:.2f}, child processes"
        f" {found['children_cpu']:.2f}. {len(syncs)} fsyncs took {sum(syncs):.2f} s, median"
        f" {syncs[len(syncs) // 2] * 1000:.2f} ms."
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--urls", type=int, default=2_000, help="a multiple of 100")
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 50], metavar="MS")
    given = parser.parse_args()
    if given.urls < 100 or given.urls % 100:
        parser.error(f"a multiple of 100 is needed, not {given.urls}")
    tools = available()
    with tempfile.TemporaryDirectory() as folder:
        print(f"fsync after 4 KiB in {folder}: {sync_time(Path(folder)):.2f} ms")
    for latency in given.latency:
        urls = given.urls * LATE // 10 if latency else given.urls
        with serving(latency) as site:
            print(f"\n{urls} URLs of {HOSTS} hosts, {latency} ms before each answer, {given.rounds} rounds")
            print(table(measure(tools, site, urls, given.rounds), urls))
            for connections in (HOSTS, 32):
                print(f"\narchiver archive, {connections} at once, sampled in one run more:")
                print(profile(site, urls, connections))


if __name__ == "__main__":
    main()
