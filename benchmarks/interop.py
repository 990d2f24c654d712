"""Anybody's WARC, ARC and WACZ files: `interop.py FOLDER [--peer NAME=COMMAND]…`.

Walks, lints and imports each distinct file of the folder in a process with a limit of time, and holds what
the walk read against warcio and FastWARC, where .venv-peers is there, and each COMMAND that answers
as interop_peers.py does. Prints a table; with --each also each file that a peer reads otherwise. Ends
with 1 where a file hangs, dies or ends in a traceback. A hundred small files take some minutes, nearly all of
them importing.
"""

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from judging import Judged, judged

PEERS = Path(__file__).parent.parent / ".venv-peers/bin/python"
SECONDS = 120  # of a file
_NOT_READ = {"fastwarc": (b"filedesc:",), "jwarc": (b"PK\3\4",)}


def distinct(folder: Path) -> list[Path]:
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            found.setdefault(hashlib.file_digest(file, "sha256").hexdigest(), path)
    return list(found.values())


def read_by(command: list[str], files: list[Path]) -> dict[str, dict[str, Any]]:
    names = "".join(f"{file}\n" for file in files)
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=True)
    return {row["file"]: row for row in map(json.loads, done.stdout.splitlines())}


def compare(ours: list[Any], peer: list[Any]) -> tuple[str, Counter[str]]:
    """What a peer reads beside what the walk does: ids and lengths, in order; and digests judged otherwise.

    Of records of ARC no peer gives ids; and warcio counts a file's first block from its third line.
    """
    odd: Counter[str] = Counter()
    if len(ours) != len(peer):
        return "fewer records" if len(peer) < len(ours) else "more records", odd
    words = "same"
    for here, there in zip(ours, peer, strict=True):
        name = there[1].strip("<>")
        if there[0] != "arc_header" and (here[3] != there[3] or (name and name != here[1].strip("<>"))):
            words = "other records"
        for field, mine, theirs in zip(("block", "payload"), here[4:], there[4:], strict=True):
            if mine != theirs and None not in (mine, theirs):
                odd[f"{field} digest of a {here[0]}: {mine}, the peer {theirs}"] += 1
    return words, odd


def told(work: str, results: list[Judged]) -> bool:
    """Prints how a work ended; whether every file ended as it may."""
    codes = Counter(result.code for result in results)
    slow = max(results, key=lambda result: result.seconds)
    most = max(result.memory for result in results) >> 20
    print(
        f"{work}: exit codes {dict(sorted(codes.items()))}, at most {slow.seconds:.1f} s of CPU, {most} MiB"
    )
    bad = [result for result in results if result.code < 0 or result.code == 1]
    for result in bad:
        print(f"  {result.bad}: {result.file}\n    {result.text.strip()[-300:]}")
    return not bad


def agreement(name: str, command: list[str], walked: dict[str, Judged], each: bool) -> None:
    rows = read_by(command, [Path(file) for file in walked])
    found: Counter[tuple[str, str]] = Counter()
    odd: Counter[str] = Counter()
    for file, result in walked.items():
        row = rows.get(file)
        if (
            row is None
            or not result.read
            or Path(file).read_bytes().startswith(_NOT_READ.get(name, (b"\0\0",)))
        ):
            continue
        ours, gaps, problems, _ = result.read
        words, digests = compare(ours, row["records"])
        sound = not gaps and not problems
        found[words, "sound" if sound else "damaged"] += 1
        odd += digests
        if each and (words != "same" or digests):
            why = f"{[*gaps, *problems][:9]} {row['error'].strip()} {dict(digests)}"
            print(f"  {name}: {words}: {file}: {len(ours)}, {len(row['records'])}; {why}")
    print(f"{name}:")
    for (words, state), count in sorted(found.items()):
        print(f"  {state} files: {words}: {count}")
    for words, count in sorted(odd.items()):
        print(f"  {words}: {count}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", action="append", default=[], help="NAME=COMMAND")
    parser.add_argument("--work", default="walk,lint,import")
    parser.add_argument("--each", action="store_true")
    given = parser.parse_args()
    files = distinct(given.folder)
    results = {work: list(judged(work, files, SECONDS)) for work in given.work.split(",")}
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} files, {size / 1e6:.1f} MB")
    good = sum(told(work, found) for work, found in results.items()) == len(results)
    walked = {result.file: result for result in results.get("walk", ())}
    read = [result.read for result in walked.values() if result.read]
    print(f"{sum(len(found[0]) for found in read)} records, {sum(len(found[1]) for found in read)} gaps")
    peers = dict(peer.split("=", 1) for peer in given.peer)
    commands = {name: shlex.split(command) for name, command in peers.items()}
    if PEERS.exists():
        script = str(Path(__file__).with_name("interop_peers.py"))
        commands |= {name: [str(PEERS), script, name] for name in ("warcio", "fastwarc")}
    for name, command in commands.items():
        agreement(name, command, walked, given.each)
    return not good


if __name__ == "__main__":
    sys.exit(main())
