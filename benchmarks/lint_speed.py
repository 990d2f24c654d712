"""How fast `archiver lint` is beside the validators of three peers, over one WARC file made here.

All inflate every record and compare the digests that the file holds; lint also judges every header. They take
turns. `--jwarc` names a command that runs jwarc. How many records each reads is compared first.
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


def make(path: Path, megabytes: int) -> int:
    """A WARC file of about that size, 7 pictures to 3 pages; returns how many records it has."""
    source = random.Random(2026)
    bodies = [("image/jpeg", picture(source)) for _ in range(70)] + [
        ("text/html", page(source)) for _ in range(30)
    ]
    count = written = 0
    with WarcFile(path, path.name) as file:
        while written < megabytes * 1_000_000:
            kind, body = bodies[count % 100]
            written += file.append(response(count, kind, body))[0].length
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
    parser.add_argument("--jwarc", help="a command, as 'java -jar jwarc.jar'")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warc = Path(folder) / "made.warc.gz"
        made = make(warc, given.megabytes)
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
        times = {
            label: [run(command) for _ in range(given.rounds + 1)][1:] for label, command in commands.items()
        }
        base = [statistics.median(each) for each in zip(*times["archiver lint"], strict=True)]
        print(f"{warc.stat().st_size / 1e6:.0f} MB, {made} records, medians of {given.rounds} rounds")
        for label, taken in times.items():
            wall, cpu = (statistics.median(each) for each in zip(*taken, strict=True))
            print(
                f"{label:<20}{wall:>8.2f} s{wall / base[0]:>7.2f}×{cpu:>9.2f} s of CPU{cpu / base[1]:>7.2f}×"
            )


if __name__ == "__main__":
    main()
