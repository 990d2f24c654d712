"""What is said of very many pairs of different pictures; 'the same' is wrong of each.

    .venv/bin/python benchmarks/pictures/strangers.py --corpus FOLDER --into FILE [--minutes N]

takes, in turn, a pair of pictures made from one template (`negatives.py`) and a pair of different
photographs, those first whose PDQ hashes are nearest in any of 8 turned forms. What was said goes into FILE,
a line a pair, so that the next run goes on where this one ended. Prints what the file says in all.
"""

import argparse
import io
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
from changes import Picture, proxied
from negatives import templates
from PIL import Image

from archiver.model import MERGED
from archiver.pictures.decode import decode
from archiver.pictures.fingerprint import Fingerprint, fingerprint_of, pdq_distance
from archiver.pictures.pairs.judge import compared

NEAREST = 20_000  # pairs of photographs
Pair = tuple[str, int, int]  # kind, and the numbers of two pictures of this kind


class Strangers:
    def __init__(self, corpus: Path, each: int) -> None:
        photographs = sorted((corpus / "photos").iterdir())
        behind = [opened(path) for path in photographs[:each]]
        self.pictures = templates(each, behind) | {"photographs": [proxied(opened(p)) for p in photographs]}
        self.fingerprint = cache(self._fingerprint)

    def _fingerprint(self, kind: str, number: int) -> Fingerprint:
        return fingerprint_of(decode(self.pictures[kind][number]))

    def pairs(self) -> Iterator[Pair]:
        """The same in each run."""
        drawn = [
            (kind, *pair)
            for kind, made in self.pictures.items()
            if kind != "photographs"
            for pair in itertools.combinations(range(len(made)), 2)
            if made[pair[0]] != made[pair[1]]
        ]
        random.Random(1).shuffle(drawn)
        found = range(len(self.pictures["photographs"]))
        near = sorted(itertools.combinations(found, 2), key=lambda pair: self._distance(*pair))[:NEAREST]
        for pairs in itertools.zip_longest(drawn, (("photographs", *pair) for pair in near)):
            yield from filter(None, pairs)

    def _distance(self, one: int, two: int) -> int:
        distance = pdq_distance(*(self.fingerprint("photographs", number) for number in (one, two)))
        return 256 if distance is None else distance

    def judged(self, kind: str, one: int, two: int) -> str:
        known = (self.fingerprint(kind, one), self.fingerprint(kind, two))
        return compared(self.pictures[kind][one], self.pictures[kind][two], known).relation


def opened(path: Path) -> Picture:
    return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--templates", type=int, default=100, help="pictures of each template")
    parser.add_argument("--minutes", type=float, default=60)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    strangers = Strangers(given.corpus, given.templates)
    until = time.monotonic() + 60 * given.minutes
    lines = given.into.read_text().splitlines() if given.into.exists() else []
    with given.into.open("a") as file:
        for pair in itertools.islice(strangers.pairs(), len(lines), None):
            if time.monotonic() > until:
                break
            lines.append(json.dumps([*pair, strangers.judged(*pair)]))
            file.write(f"{lines[-1]}\n")
            file.flush()
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        kind, _, _, relation = json.loads(line)
        said[kind][relation] += 1
    for kind, relations in said.items():
        merged = sum(relations[each] for each in MERGED)
        told = ", ".join(f"{relation} {count}" for relation, count in relations.most_common())
        print(f"| {kind} | {relations.total()} | {merged} | {told} |")


if __name__ == "__main__":
    main()
