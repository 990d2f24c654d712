"""How much damage `archiver verify` finds and locates, and how often it finds some in a healthy archive.

The damage is that of tests/damage.py, to every file of an archive of three WARC files; the healthy archives
are of random shape (tests/shapes.py) and checked three times: as usual, deep, and a random part.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import archives
import damage
import shapes

from archiver.sandbox import Sandbox
from archiver.verify import Limits, Verification


def damaged(folder: Path, sandbox: Sandbox, count: int, seed: int) -> None:
    root = archives.make(folder / "damaged")
    done: Counter[str] = Counter()
    found: Counter[str] = Counter()
    hit = located = 0
    start = time.perf_counter()
    for trial in damage.trials(root, sandbox, random.Random(seed), count):
        done[trial.kind] += 1
        found[trial.kind] += any(each.verdict in ("failed", "incomplete") for each in trial.found)
        hit += bool(trial.lost)
        located += bool(trial.lost) and trial.lost <= trial.reported <= trial.near
    seconds = time.perf_counter() - start
    print("| damage | done | found |\n|---|---|---|")
    for kind, number in done.items():
        print(f"| {kind} | {number} | {found[kind]} |")
    print(f"| **together** | **{done.total()}** | **{found.total()}** |")
    print(f"{located} of {hit} that hit a record or its line are located to it; {seconds:.0f} s.")


def healthy(folder: Path, sandbox: Sandbox, count: int, seed: int) -> None:
    dice, alarms, records = random.Random(seed), 0, 0
    start = time.perf_counter()
    for number in range(count):
        root = shapes.make(folder / str(number), dice, sandbox)
        limits = Limits(share=dice.uniform(0.01, 1))
        for thorough, part in ((False, None), (True, None), (False, limits)):
            check = Verification(root, thorough=thorough, limits=part, sandbox=sandbox)
            alarms += any(True for _ in check.findings())
            records += check.records
    seconds = time.perf_counter() - start
    print(f"{count} healthy archives, {records} records read: {alarms} alarms; {seconds:.0f} s.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damages", type=int, default=10_000)
    parser.add_argument("--healthy", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        damaged(Path(folder), sandbox, given.damages, given.seed)
        healthy(Path(folder), sandbox, given.healthy, given.seed)


if __name__ == "__main__":
    main()
