"""Recall by kind of change at no more than one false match in a million, of the archiver and of its peers.

    .venv/bin/python benchmarks/pictures/run.py [--photos N] [--queries N] [--judged N] [--kinds A,B] …

fetches the corpus at the first time (corpus.py), then hashes `queries` photographs in every kind of change
by every method, looks `judged` of them up among all the photographs with the archiver's own index, and judges
each candidate by pixels; then the hard negatives. Prints Markdown; `--json FILE` keeps every verdict.
"""

import argparse
import io
import itertools
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
from changes import KINDS, Kind, Made, changed
from corpus import CACHE
from negatives import neighbours, templates
from ours import NEAR, Ours
from peers import RATE, Measured, Resistant, all_hashes, versions
from PIL import Image

HERE = Path(__file__).parent
SKY = "stellarium-data--"
Photo = tuple[str, bytes]


def main() -> None:
    given = arguments()
    cv2.setNumThreads(1)
    if not (given.corpus / "listing.json").is_file():
        subprocess.run([sys.executable, HERE / "corpus.py", "--into", given.corpus], check=True)
    photos = [(path.name, path.read_bytes()) for path in sorted((given.corpus / "photos").iterdir())]
    random.Random(given.seed).shuffle(photos)
    photos = photos[: given.photos]
    kinds = [kind for kind in KINDS if not given.kinds or kind.name in given.kinds.split(",")]
    print(f"{len(photos)} photographs, {len(kinds)} kinds, seed {given.seed}; {versions()}\n")
    progress("hashing")
    methods = {name: Measured(method) for name, method in all_hashes(given.corpus).items()}
    hashed(methods, photos, kinds, given)
    resistant = Resistant()
    hashed({"": resistant}, photos[: given.resistant], kinds, given)
    progress("looking up and judging")
    ours = judged(photos, kinds, given)
    tell_recall(methods, resistant, ours, kinds)
    tell_ours(ours, kinds)
    progress("hard negatives")
    negatives = hard_negatives(ours, photos, given)
    tell_costs(methods, resistant, ours)
    if given.json:
        given.json.write_text(json.dumps({"kinds": ours.results, "negatives": negatives}, indent=1))


def progress(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def arguments() -> Any:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path, default=CACHE, help="the folder that corpus.py fills")
    parser.add_argument("--photos", type=int, default=1000, help="photographs that are searched")
    parser.add_argument("--queries", type=int, default=200, help="photographs that are changed and hashed")
    parser.add_argument("--judged", type=int, default=60, help="photographs that are changed and judged")
    parser.add_argument("--resistant", type=int, default=10, help="photographs for crop_resistant_hash")
    parser.add_argument("--templates", type=int, default=100, help="pictures of each template")
    parser.add_argument("--kinds", default="", help="names of kinds, with commas; none: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def picture(data: bytes) -> Any:
    return Image.open(io.BytesIO(data)).convert("RGB")


def variants(photos: Sequence[Photo], kinds: Sequence[Kind], seed: int) -> Iterator[tuple[int, Kind, Made]]:
    for number, (name, data) in enumerate(photos):
        image = picture(data)
        for kind in kinds:
            made = changed(kind, image, name, seed)
            if made is not None:
                yield number, kind, made


def hashed(methods: dict[str, Any], photos: Sequence[Photo], kinds: Sequence[Kind], given: Any) -> None:
    for _, data in photos:
        image = picture(data)
        for method in methods.values():
            method.add_original(image)
    for number, kind, made in variants(photos[: given.queries], kinds, given.seed):
        image = picture(made.data)
        for method in methods.values():
            method.add_changed(number, kind.name, image)


def judged(photos: Sequence[Photo], kinds: Sequence[Kind], given: Any) -> Ours:
    ours = Ours()
    for name, data in photos:
        ours.add(name, data)
    for number, kind, made in variants(photos[: given.judged], kinds, given.seed):
        ours.judge(kind.name, photos[number][0], photos[number][1], made)
    return ours


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def share(values: Sequence[bool]) -> str:
    return f"{sum(values) / len(values):.3f}" if values else "–"


def tell_recall(
    methods: dict[str, Measured], resistant: Resistant, ours: Ours, kinds: Sequence[Kind]
) -> None:
    print(f"## Recall by kind, at no more than {RATE:g} false matches\n")
    rows: dict[str, list[str]] = {kind.name: [] for kind in kinds}
    head, foot = ["kind"], ["all kinds"]
    for name, method in methods.items():
        threshold, negatives, found = method.recall()
        head.append(f"{name} ≤ {threshold}")
        for kind in kinds:
            rows[kind.name].append(f"{found[kind.name]:.3f}" if kind.name in found else "–")
        foot.append(f"{sum(found.values()) / len(found):.3f}")
    rate, pairs, found = resistant.recall()
    head.append("crop_resistant_hash")
    foot.append(f"{sum(found.values()) / len(found):.3f}")
    head += ["ours, found", "ours, merged"]
    for kind in kinds:
        mine = ours.results[kind.name]
        rows[kind.name].append(f"{found[kind.name]:.3f}" if kind.name in found else "–")
        rows[kind.name] += [share([one["found"] for one in mine]), share([one["merged"] for one in mine])]
    every = [one for results in ours.results.values() for one in results]
    foot += [share([one["found"] for one in every]), share([one["merged"] for one in every])]
    table(head, [[name, *cells] for name, cells in rows.items()] + [foot])
    print(f"Thresholds: from {negatives} pairs of different photographs; one is {1 / negatives:.1e}.")
    print(f"crop_resistant_hash, by its own rule, matches {rate:.3f} of {pairs} such pairs.")
    others = len(every) * (len(ours.originals) - 1)
    print(
        f"Ours: {len(every)} changed pictures looked up among {len(ours.originals)} ({others} such pairs), "
    )
    print(f"{ours.candidates} candidates judged; of different photographs it says: {told(ours.strangers)}.\n")
    for each in ours.merged:
        print(f"* merged: {each}")


def told(counted: Counter[str]) -> str:
    return ", ".join(f"{relation} {count}" for relation, count in counted.most_common()) or "nothing"


def tell_ours(ours: Ours, kinds: Sequence[Kind]) -> None:
    print("## What the verdict says\n")
    rows: list[list[object]] = []
    for kind in kinds:
        mine = ours.results[kind.name]
        wrong = Counter(one["relation"] for one in mine if not one["named"])
        off = sorted(one["off"] for one in mine if one["off"] is not None)
        near = ""
        if off:
            near = f"{share([each <= NEAR for each in off])}, {off[int(0.95 * (len(off) - 1))]:.4f}"
        shares = [share([one[what] for one in mine]) for what in ("nominated", "named")]
        examples = ", ".join(one["name"] for one in mine if not one["named"])
        rows.append([kind.name, len(mine), *shares, near, told(wrong) if wrong else "", examples[:80]])
    every = [one for results in ours.results.values() for one in results]
    earthly = [one for one in every if not one["name"].startswith(SKY)]
    for name, some in (("all", every), ("all but deep-sky pictures", earthly)):
        off = [one["off"] for one in some if one["off"] is not None]
        shares = [share([one[what] for one in some]) for what in ("nominated", "named")]
        rows.append([name, len(some), *shares, share([each <= NEAR for each in off]), "", ""])
    box = "box within 2 %, 95th percentile"
    table(("kind", "pictures", "nominated", "named right", box, "said instead", "of"), rows)


def hard_negatives(ours: Ours, photos: Sequence[Photo], given: Any) -> dict[str, list[str]]:
    print("## Hard negatives\n")
    rows, kept = [], {}
    behind = [picture(data) for _, data in photos[: given.templates]]
    for name, pictures in templates(given.templates, behind).items():
        named = [(f"{name} {number}", data) for number, data in enumerate(pictures)]
        every = [(f"{a[0]}, {b[0]}", a[1], b[1]) for a, b in itertools.combinations(named, 2) if a[1] != b[1]]
        counted, merged = ours.pairs(every)
        rows.append([name, len(every), len(merged), told(counted)])
        kept[name] = merged
    frames = list(neighbours(given.corpus / "bursts"))
    moving: Callable[[Any], bool] = lambda pair: pair[3]  # noqa: E731
    for name, some in (
        ("frames of one series", list(filter(moving, frames))),
        ("frames in which nothing moved", list(itertools.filterfalse(moving, frames))),
    ):
        counted, merged = ours.pairs(pair[:3] for pair in some)
        rows.append([name, len(some), len(merged), told(counted)])
        kept[name] = merged
    table(("pairs", "number", "merged", "what is said"), rows)
    for name, merged in kept.items():
        for each in merged[:20]:
            print(f"* {name}: {each}")
    print()
    return kept


def tell_costs(methods: dict[str, Measured], resistant: Resistant, ours: Ours) -> None:
    print("## Cost: processor time of one core\n")
    rows = [[name, f"{1000 * each.seconds / each.hashed:.1f} ms"] for name, each in methods.items()]
    rows.append(["crop_resistant_hash", f"{1000 * resistant.seconds / max(1, resistant.hashed):.0f} ms"])
    rows += [
        ["ours: decode, hashes, keypoints", str(ours.hashing)],
        ["ours: add to the index", str(ours.adding)],
        ["ours: find and screen candidates", str(ours.searching)],
        ["ours: verdict on a pair, both decoded", str(ours.judging)],
        ["ours: bytes of a fingerprint in the index", f"{ours.bytes / max(1, len(ours.originals)):.0f}"],
    ]
    table(("what, of one picture (hashes of others: decoded already)", "cost"), rows)


if __name__ == "__main__":
    main()
