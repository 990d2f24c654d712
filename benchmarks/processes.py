"""What a program costs: wall time, CPU time and memory, of its process and all below it. Linux only."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAUSE = 0.02  # seconds between two looks: how exact wall times are


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of CPU; the most memory that was resident at once, in MB."""

    wall: float
    cpu: float
    peak: float


def resident(pid: int) -> float:
    """Resident memory of one process in MB; 0 when it has ended."""
    try:
        with Path(f"/proc/{pid}/status").open() as status:
            return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:")), 0.0)
    except OSError:
        return 0.0


def processor(pid: int) -> float:
    """Seconds of CPU that a process has used, all threads together and no children; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> Iterator[int]:
    """The processes below one, at any depth."""
    try:
        listed = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # a thread or the process has ended
        return
    for child in " ".join(listed).split():
        yield int(child)
        yield from descendants(int(child))


def run(command: list[str], cwd: Path, ends: tuple[int, ...] = (0,)) -> Cost:
    """Run a program to its end. `ends` are the exit codes with which its time means something."""
    start = time.perf_counter()
    peak = 0.0
    with (cwd / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output)
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, sum(map(resident, (process.pid, *descendants(process.pid)))))
            time.sleep(PAUSE)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ends:
        said = (cwd / "output").read_text(errors="replace")[-2_000:]
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{said}")
    return Cost(wall, used.ru_utime + used.ru_stime, peak)


def sync_time(folder: Path, times: int = 50) -> float:
    """Median milliseconds of an fsync after 4 KiB in this folder: on a disk in memory it costs nothing."""
    path, taken = folder / "sync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - start) * 1000)
    path.unlink()
    return sorted(taken)[times // 2]
