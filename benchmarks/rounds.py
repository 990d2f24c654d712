"""Time programs side by side: they take turns, so that whatever else the machine does meets all alike."""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ARCHIVER = Path(sys.executable).parent
PEERS = Path(__file__).parent.parent / ".venv-peers" / "bin"

Commands = Mapping[str, list[str]]


def milliseconds(command: list[str]) -> float:
    """Wall time of one run. CalledProcessError when it fails: its time would mean nothing."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - start) * 1000


def measure(commands: Commands, rounds: int) -> dict[str, list[float]]:
    """Times by label, in milliseconds; a first round, which fills the caches, is left out."""
    missing = [command[0] for command in commands.values() if not Path(command[0]).exists()]
    if missing:
        sys.exit(f"{', '.join(missing)}: not there; run 'make install peers'")
    times: dict[str, list[float]] = {label: [] for label in commands}
    for number in range(rounds + 1):
        for label, command in commands.items():
            taken = milliseconds(command)
            if number:
                times[label].append(taken)
    return times


def table(times: Mapping[str, list[float]], base: str) -> str:
    """Median and least time of each label, and the ratio of its median to that of `base`."""
    to = statistics.median(times[base])
    lines = [f"{'command':<26}{'median ms':>11}{'least ms':>11}  to {base}"]
    for label, taken in times.items():
        median = statistics.median(taken)
        lines.append(f"{label:<26}{median:>11.1f}{min(taken):>11.1f}{median / to:>8.2f}×")
    return "\n".join(lines)
