"""Files of others judged in a process of their own, with a limit of time for each and its memory told.

`judging.py WORK < NAMES` is that process. WORK is `walk`, `lint` or `import`, which is into an archive of its
own, read again afterwards.
"""

import json
import os
import resource
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

SECONDS, BYTES = 5, 300_000_000  # of a file
_SPACE = 4 << 30  # of addresses, so that what goes wrong ends before the machine does
HUNG, DIED = -1, -2


@dataclass(frozen=True)
class Judged:
    """`code`: the exit code, HUNG or DIED. `seconds`: of CPU. `memory`: bytes beyond those at the start.

    `text`: what it said, or where an exception came from. `read`: of `walk`, what it read.
    """

    file: str
    code: int
    seconds: float
    memory: int
    text: str = ""
    read: tuple[Any, ...] = ()

    @property
    def bad(self) -> str:
        """What no file may do, in words."""
        if self.code in (HUNG, DIED, 1) or "Traceback" in self.text:
            return {HUNG: "hangs", DIED: "died"}.get(self.code, "traceback")
        if self.seconds > SECONDS:
            return f"{self.seconds:.1f} s"
        return f"{self.memory >> 20} MiB" if self.memory > BYTES else ""


def judged(work: str, files: list[Path], seconds: float = 6 * SECONDS) -> Iterator[Judged]:
    """Each file, in order; one that takes longer is stopped, and the others go on in a new process."""
    left = list(files)
    while left:
        command = [sys.executable, __file__, work]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            for answer in _ask(child, list(left), seconds):
                left.pop(0)
                yield answer


def _ask(child: subprocess.Popen[bytes], files: list[Path], seconds: float) -> Iterator[Judged]:
    assert child.stdin
    assert child.stdout
    for file in files:
        begun = time.monotonic()
        child.stdin.write(f"{file}\n".encode())
        child.stdin.flush()
        limit = seconds + 30 * (file == files[0])  # it starts
        if not select.select([child.stdout], [], [], limit)[0]:
            child.kill()
            yield Judged(str(file), HUNG, time.monotonic() - begun, 0)
            return
        line = child.stdout.readline()
        if not line:
            child.wait()
            yield Judged(str(file), DIED, time.monotonic() - begun, 0, f"ended with {child.returncode}")
            return
        yield Judged(**json.loads(line) | {"file": str(file)})
    child.stdin.close()


# --- in the child --------------------------------------------------------------------------------


def walk(name: str) -> list[Any]:
    """[[type, id, URI, bytes of the block, whether its digests hold] …], gaps, problems, bytes."""
    from archiver.warc.foreign import stretches, transcribe

    found: list[Any] = []
    gaps: list[str] = []
    problems: list[str] = []
    at = 0
    with Path(name).open("rb") as file:
        for stretch in stretches(file):
            if stretch.offset != at or stretch.length <= 0 or not stretch.digest.startswith("sha256:"):
                raise AssertionError(f"stretches do not tile the file at {at}: {stretch}")
            at += stretch.length
            if stretch.record:
                found.append(told(stretch.record, problems))
            elif stretch.hidden:
                for part in transcribe(file, stretch):
                    if part.record:
                        found.append(told(part.record, problems))
                    else:
                        gaps.append(part.code)
            else:
                gaps.append(stretch.code)
        size = file.seek(0, os.SEEK_END)
    if at != size:
        raise AssertionError(f"stretches end at {at} of {size} bytes")
    return [found[:100_000], gaps[:1000], problems[:1000], size]


def told(record: Any, problems: list[str]) -> list[Any]:
    from archiver.errors import RecordError

    problems += [problem.code for problem in record.problems] if len(problems) < 1000 else []
    names = [record.get(f"warc-{name}") or "" for name in ("record-id", "target-uri")]
    holds: list[bool | str | None] = [None, None]
    try:
        holds = _digests(record)
    except RecordError:
        for _ in record.blocks():
            pass
    return [record.type, *(name[:500] for name in names), record.block_bytes, *holds]


def _digests(record: Any) -> list[bool | str | None]:
    """Whether they hold; "sent": a payload digest is that of the body with its transfer coding."""
    from archiver.lint.digests import read_digest

    holds: list[bool | str | None] = []
    for field in ("block", "payload"):
        wanted = read_digest((record.get(f"warc-{field}-digest") or "").encode())
        if wanted is None or not wanted.algorithm or (field == "payload" and record.type == "revisit"):
            holds.append(None)
            continue
        stored = record.stored()
        right = wanted.of(stored.block if field == "block" else stored.payload)
        sent = field == "payload" and stored.http and wanted.of(stored.block[stored.http.body_offset :])
        holds.append(right or ("sent" if sent else False))
    return holds


def lint(name: str) -> list[Any]:
    return [_command("lint", "--", name)]


def take(name: str) -> list[Any]:
    """The exit codes of import, and of verify and rebuild in the archive; nothing is written beside it."""
    with TemporaryDirectory() as folder:
        beside, own = Path(folder, "a", "b"), Path(folder, "a", "b", "own")
        beside.mkdir(parents=True)
        os.chdir(beside)
        codes = [_command("import", "--into", "own", "--", name)]
        if own.exists():
            codes += [_command(*words, "own") for words in (["verify"], ["rebuild"])]
        made = {path for path in Path(folder).rglob("*") if own not in path.parents}
        os.chdir("/")
    if made - {beside, beside.parent, own}:
        raise AssertionError(f"written outside: {made}")
    if len(codes) > 1 and (codes[1] not in (0, 3) or codes[2]):
        raise AssertionError(f"what was taken in is not sound: {codes}")
    return codes


def _command(*arguments: str) -> int:
    """The exit code of a command of the archiver."""
    from archiver.cli import main

    try:
        main(list(arguments), prog_name="archiver")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _peak(start: bool) -> int:
    """Bytes now, the peak reset; or the peak."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    if start:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    word = "VmRSS:" if start else "VmHWM:"
    return int(status.read_text().partition(word)[2].split()[0]) << 10


def one(given: str, name: str) -> dict[str, Any]:
    before, begun, code, read = _peak(True), time.process_time(), 0, []
    with TemporaryFile("w+", encoding="utf-8") as out, redirect_stdout(out), redirect_stderr(out):
        try:
            read = WORKS[given](name)
            code = read[0] if given != "walk" else 0
        except BaseException as thrown:  # noqa: BLE001 - which one is what is asked
            from archiver.errors import ArchiverError

            code = thrown.exit_code if isinstance(thrown, ArchiverError) else 1
            out.write(traceback.format_exc() if code == 1 else str(thrown))
        seconds = time.process_time() - begun
        out.seek(0)
        text = out.read()
    return {
        "code": code,
        "seconds": seconds,
        "memory": _peak(False) - before,
        "text": text[-4000:],
        "read": read,
    }


WORKS: dict[str, Callable[[str], list[Any]]] = {"walk": walk, "lint": lint, "import": take}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_SPACE, _SPACE))
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        for line in sys.stdin:
            answer = one(sys.argv[1], line.rstrip("\n"))
            print(json.dumps({"file": "", **answer}), file=answers, flush=True)


if __name__ == "__main__":
    main()
