"""Whether a long run stays as fast, and as small in memory, as it began: many small captures in one run.

Articles of 1 to 2 kB of a site of eight hosts on loopback, named in lists of 10,000, saved by one run of
`archiver archive`. Time on the clock, CPU time of the archiver's own process and resident memory are taken at
every tenth of the way, as its JSON lines come. On a machine that does other things CPU time says more. A
capture is here three WARC records: answer, request with what came of it, what the page says. Linux only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loopback_site import HOSTS, Site, serving
from processes import descendants, processor, resident, sync_time
from rounds import ARCHIVER

LIST = 10_000  # URLs in one list file
PARTS = 10
FREE = ["--delay", "0", "--allow-private", "127.0.0.0/8", "--ignore-robots", "benchmark", "--json"]
SPEED = ["--parallel", str(HOSTS), "--per-host", "1"]
GOOD = ("whole", "captured")


@dataclass(frozen=True)
class Look:
    """How far a run was at a moment: seconds, and memory in MB of its process and of those below it."""

    captures: int
    clock: float
    cpu: float
    memory: float
    below: float


def lists(folder: Path, site: Site, count: int) -> list[str]:
    paths = []
    for first in range(0, count, LIST):
        path = folder / f"list-{first}"
        path.write_text("".join(site.url("small", n) + "\n" for n in range(first, min(first + LIST, count))))
        paths.append(str(path))
    return paths


def looks(run: subprocess.Popen[bytes], count: int) -> Iterator[Look]:
    """One look at the start, then one at each tenth of the captures; ends with the run."""
    captures, step, summary = 0, count // PARTS, {}
    yield Look(0, time.perf_counter(), 0, 0, 0)
    for line in run.stdout or ():
        row = json.loads(line)
        if row["type"] == "summary":
            summary = row
        if row["type"] != "fetch" or row["purpose"] != "page":
            continue
        if row["outcome"] not in GOOD:
            sys.exit(f"{row['url']}: {row['outcome']} ({row.get('reason')})")
        captures += 1
        if captures % step == 0:
            below = sum(map(resident, descendants(run.pid)))
            yield Look(captures, time.perf_counter(), processor(run.pid), resident(run.pid), below)
    if captures != count or summary.get("articles") != count:
        sys.exit(f"{captures} of {count} captures were told: {summary}")


def report(found: Iterator[Look]) -> None:
    """Print a line for each tenth as it is done, then how the last compares with the first."""
    print(
        f"{'captures':>9}{'seconds':>9}{'a second':>10}{'CPU s':>8}{'RSS MB':>9}{'children MB':>13}",
        flush=True,
    )
    before, tenths = next(found), []
    for look in found:
        seconds, cpu = look.clock - before.clock, look.cpu - before.cpu
        tenths.append((seconds, cpu, look.memory))
        rate = (look.captures - before.captures) / seconds
        print(
            f"{look.captures:>9}{seconds:>9.1f}{rate:>10.0f}{cpu:>8.2f}{look.memory:>9.1f}{look.below:>13.1f}",
            flush=True,
        )
        before = look
    clock, cpu, memory = (last / first for first, last in zip(tenths[0], tenths[-1], strict=True))
    print(f"last tenth to first: time {clock:.2f}×, CPU {cpu:.2f}×, RSS {memory:.2f}×")
    print(f"sealed and ended {time.perf_counter() - before.clock:.1f} s after the last capture")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("captures", type=int, nargs="?", default=100_000, help="a multiple of ten")
    count = parser.parse_args().captures
    if count < PARTS or count % PARTS:
        parser.error(f"a multiple of {PARTS} is needed, not {count}")
    with tempfile.TemporaryDirectory() as made, serving() as site:
        folder, archive = Path(made), Path(made) / "archive"
        print(f"fsync after 4 KiB in {folder}: {sync_time(folder):.2f} ms")
        command = [str(ARCHIVER / "archiver"), "archive", *lists(folder, site, count), "--into", str(archive)]
        with (
            (folder / "words").open("wb") as words,
            subprocess.Popen([*command, *SPEED, *FREE], stdout=subprocess.PIPE, stderr=words) as run,
        ):
            try:
                report(looks(run, count))
            finally:
                run.kill()
        start = time.perf_counter()
        subprocess.run([str(ARCHIVER / "archiver"), "verify", str(archive)], check=True, capture_output=True)
        sizes = [path.stat().st_size for path in (archive / "warcs").iterdir()]
        print(f"verify: {time.perf_counter() - start:.1f} s; {len(sizes)} files in warcs/,", end=" ")
        print(
            f"{sum(sizes) / 1e6:.0f} MB; catalogue {(archive / 'catalogue.db').stat().st_size / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
