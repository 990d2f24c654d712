"""How many kinds of tampering `archiver verify` and two peers notice, as the table in docs/verify.md.

The kinds are those of tests/test_tamper.py, each done to the same WARC file. A tool notices when it
does not exit with 0. The peers see the WARC file alone: they have nothing else to judge it by.
"""

import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rounds import ARCHIVER, PEERS

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import archives
from test_tamper import WARC_CASES, Case

WHOLE_FILE = [
    Case(
        "all records in one gzip stream", lambda m: [gzip.compress(b"".join(map(gzip.decompress, m)))], set()
    ),
    Case("the file emptied", lambda _: [b""], set()),
]
TOOLS = ("archiver verify", "warcio check", "fastwarc check")


# Each tool's own command, one file after the other in one process: most of a run is its start.
COMMANDS = {
    "archiver": (ARCHIVER, "from archiver.cli import main", "main(['verify', path], standalone_mode=True)"),
    "warcio": (PEERS, "from warcio.cli import main", "main(['check', path])"),
    "fastwarc": (PEERS, "from fastwarc.cli import main", "main(['check', path])"),
}
ONE_BY_ONE = """
import contextlib, os, sys
{load}

def code(path):
    try:
        with open(os.devnull, "w") as nowhere:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                {check}
    except SystemExit as end:
        return end.code or 0
    return 0

print(*[int(code(path) != 0) for path in sys.argv[1:]])
"""


def noticed(roots: list[Path]) -> list[list[bool]]:
    """Of each archive, whether each tool exits with anything but 0."""
    columns = []
    for name, (folder, load, check) in COMMANDS.items():
        paths = roots if name == "archiver" else [root / archives.warc(root) for root in roots]
        program = ONE_BY_ONE.format(load=load, check=check)
        done = subprocess.run(
            [folder / "python", "-c", program, *paths],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        columns.append([said == "1" for said in done.stdout.split()])
    return [list(row) for row in zip(*columns, strict=True)]


def main() -> None:
    cases = [*WARC_CASES, *WHOLE_FILE]
    with tempfile.TemporaryDirectory() as folder:
        sealed = archives.make(Path(folder) / "sealed")
        roots = [Path(shutil.copytree(sealed, Path(folder) / f"tampered{n}")) for n in range(len(cases))]
        for case, root in zip(cases, roots, strict=True):
            archives.put_members(root, case.alter(archives.members(root)))
        untouched, *rows = noticed([sealed, *roots])
    if any(untouched):
        sys.exit("a tool complains about the untouched archive")
    print("| what was done to the WARC file | " + " | ".join(TOOLS) + " |")
    print("|---|" + "---|" * len(TOOLS))
    for case, found in zip(cases, rows, strict=True):
        print(f"| {case.name} | " + " | ".join("found" if each else "–" for each in found) + " |")
    counts = [sum(column) for column in zip(*rows, strict=True)]
    print(f"| **of {len(cases)} kinds** | " + " | ".join(f"**{count}**" for count in counts) + " |")


if __name__ == "__main__":
    main()
