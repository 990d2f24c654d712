"""The archiver's own two stages on the benchmark's pictures: candidates of the index, and the verdict.

Both run in this process and not in the child, so that their processor time can be told.
"""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from changes import BoxOf, Made

from archiver.model import MERGED, Box, Comparison
from archiver.pictures import Fingerprint, Index
from archiver.pictures.fingerprint import make_fingerprint
from archiver.pictures.pairs.compare import compare_pictures

LINKS = ("overlapping", "locally-changed", "edited-or-neighbouring")
NEAR = 0.02  # of a side: what a crop's box may be off


class Clock:
    """Processor seconds of what it was given to run."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def run(self, function: Any, *given: Any) -> Any:
        started = time.process_time()
        try:
            return function(*given)
        finally:
            self.seconds += time.process_time() - started
            self.calls += 1

    def __str__(self) -> str:
        return f"{1000 * self.seconds / max(1, self.calls):.0f} ms ({self.calls} times)"


class Ours:
    def __init__(self) -> None:
        self.index = Index()
        self.originals: dict[str, tuple[str, bytes]] = {}  # by key: name and bytes
        self.hashing, self.searching, self.judging, self.adding = Clock(), Clock(), Clock(), Clock()
        self.bytes = 0
        self.candidates = 0
        self.results: dict[str, list[dict[str, Any]]] = defaultdict(list)  # by kind
        self.strangers: Counter[str] = Counter()  # relations said of pairs of different photographs
        self.merged: list[str] = []  # those that must not be

    def add(self, name: str, data: bytes) -> None:
        key = key_of(data)
        self.originals[key] = (name, data)
        found = self.fingerprint(data)
        self.bytes += len(msgspec.msgpack.encode(msgspec.structs.replace(found, mirrored=b"")))
        self.adding.run(self.index.add, key, found)

    def fingerprint(self, data: bytes) -> Fingerprint:
        return msgspec.convert(self.hashing.run(make_fingerprint, data), Fingerprint)

    def compared(self, first: bytes, second: bytes) -> Comparison:
        said = self.judging.run(lambda: compare_pictures(first + second, first_bytes=len(first)))
        return msgspec.convert(said, Comparison)

    def judge(self, kind: str, name: str, original: bytes, made: Made) -> None:
        """Look a changed picture up, and judge it against each candidate and against its original."""
        found = self.fingerprint(made.data)
        screened = [one.key for one in self.searching.run(self._search, found)]
        self.candidates += len(screened)
        own = key_of(original)
        for key in screened:
            if key != own:
                other, data = self.originals[key]
                said = self.compared(data, made.data)
                self.strangers[said.relation] += 1
                if said.relation in MERGED:
                    self.merged.append(f"{other} and {kind} of {name}: {said.relation}")
        said = self.compared(original, made.data)
        self.results[kind].append(result(name, said, made, nominated=own in screened))

    def _search(self, found: Fingerprint) -> Any:
        return self.index.screen(found, self.index.candidates(found))

    def pairs(self, pairs: Iterable[tuple[str, bytes, bytes]]) -> tuple[Counter[str], list[str]]:
        """What is said of pairs of different pictures, and which were merged."""
        told: Counter[str] = Counter()
        merged = []
        for name, first, second in pairs:
            relation = self.compared(first, second).relation
            told[relation] += 1
            if relation in MERGED:
                merged.append(f"{name}: {relation}")
        return told, merged


def key_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def result(name: str, said: Comparison, made: Made, *, nominated: bool) -> dict[str, Any]:
    return {
        "name": name,
        "nominated": nominated,
        "relation": said.relation,
        "found": nominated and said.relation in (*MERGED, *LINKS),
        "merged": nominated and said.relation in MERGED,
        "named": named(said, made),
        "off": apart(said.box, made.box) if said.relation == made.relation else None,
        "said": msgspec.to_builtins(said),
    }


def named(said: Comparison, made: Made) -> bool:
    """Whether the relation is right, which shows more, and how it is turned."""
    right = said.relation == made.relation
    if made.whole:
        right = right and said.whole == made.whole
    if made.turn:
        right = right and said.turn == made.turn
    return right


def apart(said: Box | None, true: BoxOf | None) -> float | None:
    """The largest distance of an edge from where it is, in shares of the side; None where there is no box."""
    if true is None:
        return None
    if said is None:
        return 1.0
    left, top, width, height = true
    edges = ((said.left, left), (said.top, top), (said.left + said.width, left + width),
             (said.top + said.height, top + height))  # fmt: skip
    return max(abs(one - other) for one, other in edges)
