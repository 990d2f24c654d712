"""How fast `archiver lint` is beside the validators of three peers, over one WARC file made here.

All inflate every record and compare the digests that the file holds; lint also judges every header. They take
turns, and the ratio to each peer is the median over the rounds. `--jwarc` names a command that runs jwarc.
How many records each reads is compared first.
"""

import argparse
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rounds import ARCHIVER, PEERS
from verify_speed import page, picture

from archiver.digests import digest
from archiver.model import Record
from archiver.warc.write import WarcFile, record_id, warc_date


def response(number: int, media_type: str, body: bytes) -> Record:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return Record(
        type="response",
        id=record_id(),
        date=warc_date(datetime.now(UTC)),
        uri=f"http://news.example/{number}",
        content_type="application/http; msgtype=response",
        block=head + body,
        headers=[("WARC-IP-Address", "192.0.2.1")],
        payload_digest=digest(body),
        store=media_type.startswith("image/"),
    )


def make(path: Path, megabytes: int, *, small: bool = False, deflated: bool = False) -> int:
    """A WARC file of about that size, 7 pictures to 3 pages; returns how many records it has.

    `small`: pages of 1,500 bytes alone. `deflated`: the pictures too, as most programs write them.
    """
    source = random.Random(2026)
    bodies = [("image/jpeg", picture(source)) for _ in range(70)] + [
        ("text/html", page(source)) for _ in range(30)
    ]
    count = written = 0
    with WarcFile(path, path.name) as file:
        while written < megabytes * 1_000_000:
            kind, body = ("text/html", page(source)[:1500]) if small else bodies[count % 100]
            made = response(count, kind, body)
            made.store = made.store and not deflated
            written += file.append(made)[0].length
            count += 1
        file.sync()
    return count


def run(command: list[str]) -> tuple[float, float]:
    """Wall and processor time of one run, in seconds. CalledProcessError when it fails."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, os.times()
    return wall, after[2] + after[3] - before[2] - before[3]


def records(command: list[str]) -> int:
    return len(subprocess.run(command, check=True, capture_output=True).stdout.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--small", action="store_true", help="pages of 1,500 bytes alone")
    parser.add_argument("--deflated", action="store_true", help="pictures are deflated, too")
    parser.add_argument("--jwarc", help="a command, as 'java -jar jwarc.jar'")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warc = Path(folder) / "made.warc.gz"
        made = make(warc, given.megabytes, small=given.small, deflated=given.deflated)
        lint = [str(ARCHIVER / "archiver"), "lint", "--json", str(warc)]
        counts = {
            "archiver lint": json.loads(
                subprocess.run(lint, check=True, capture_output=True).stdout.splitlines()[-1]
            )["records"],
            "warcio": records([str(PEERS / "warcio"), "index", str(warc)]),
            "fastwarc": records([str(PEERS / "fastwarc"), "index", str(warc)]),
        }
        if set(counts.values()) != {made}:
            sys.exit(f"{made} records were made, and read are {counts}")
        commands = {
            "archiver lint": lint,
            "warcio check": [str(PEERS / "warcio"), "check", str(warc)],
            "fastwarc check -p": [str(PEERS / "fastwarc"), "check", "--verify-payloads", str(warc)],
        }
        if given.jwarc:
            commands["jwarc validate"] = [*shlex.split(given.jwarc), "validate", str(warc)]
        times: dict[str, list[tuple[float, float]]] = {label: [] for label in commands}
        for number in range(given.rounds + 1):
            for label, command in commands.items():
                taken_now = run(command)
                if number:  # the first round fills the caches
                    times[label].append(taken_now)
        print(f"{warc.stat().st_size / 1e6:.0f} MB, {made} records, medians of {given.rounds} rounds")
        ours = times["archiver lint"]
        for label, taken in times.items():
            wall, cpu = (statistics.median(each) for each in zip(*taken, strict=True))
            to_wall, to_cpu = (
                statistics.median(one[what] / other[what] for one, other in zip(ours, taken, strict=True))
                for what in (0, 1)
            )
            print(
                f"{label:<20}{wall:>8.2f} s, lint takes {to_wall:.2f} of it"
                f"{cpu:>9.2f} s of CPU, lint takes {to_cpu:.2f} of it"
            )


if __name__ == "__main__":
    main()
