"""How fast mirror documents are read, beside trafilatura alone and beside a plain parse with lxml.

All read the same documents of the demo's corpus in one process, in turn. What they do differs: the
archiver finds head, times, authors, every picture with its caption, and the text; trafilatura
finds the text and metadata; lxml builds a tree and nothing more. The peers are given decoded text.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import lxml.html
import trafilatura

from archiver.demo.corpus import documents
from archiver.sources import read_document
from archiver.sources.encoding import text_of

Read = Callable[[Sequence[bytes], Sequence[str]], None]


def by_archiver(files: Sequence[bytes], _texts: Sequence[str]) -> None:
    for data in files:
        read_document(data)


def by_trafilatura(_files: Sequence[bytes], texts: Sequence[str]) -> None:
    for text in texts:
        trafilatura.bare_extraction(text)


def by_lxml(_files: Sequence[bytes], texts: Sequence[str]) -> None:
    for text in texts:
        lxml.html.document_fromstring(text)


READERS: dict[str, Read] = {
    "lxml.html, parse only": by_lxml,
    "read_document": by_archiver,
    "trafilatura": by_trafilatura,
}


def measure(count: int, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each reader in each round; a first round, which fills the caches, is left out."""
    files = [made.data for made in documents(count)]
    texts = [text_of(data) for data in files]
    times: dict[str, list[float]] = {name: [] for name in READERS}
    for number in range(rounds + 1):
        for name, read in READERS.items():
            start = time.process_time()
            read(files, texts)
            if number:
                times[name].append(time.process_time() - start)
    return times


def table(times: dict[str, list[float]], count: int) -> str:
    base = statistics.median(times["lxml.html, parse only"])
    lines = [f"{'reader':<26}{'documents/s':>13}{'median s':>10}{'least s':>9}  to lxml"]
    for name, taken in times.items():
        median = statistics.median(taken)
        lines.append(
            f"{name:<26}{count / median:>13.0f}{median:>10.2f}{min(taken):>9.2f}{median / base:>8.2f}×"
        )
    return "\n".join(lines)


def peak(count: int) -> float:
    """Peak memory in MB of a process that reads so many documents one after the other."""
    command = [sys.executable, __file__, "--read-only", str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--read-only", type=int, help="read so many, and print the peak memory in MB")
    given = parser.parse_args()
    if given.read_only is not None:
        for made in documents(given.read_only):
            read_document(made.data)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
        return
    print(table(measure(given.documents, given.rounds), given.documents))
    print(f"{given.documents} documents, {given.rounds} rounds, the readers in turn, CPU time.")
    for count in (2_000, 20_000):
        print(f"peak memory after {count:>6} documents: {peak(count):.1f} MB")


if __name__ == "__main__":
    main()
