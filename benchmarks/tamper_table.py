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


def commands(root: Path, warc: Path) -> list[list[str]]:
    return [
        [str(ARCHIVER / "archiver"), "verify", str(root)],
        [str(PEERS / "warcio"), "check", str(warc)],
        [str(PEERS / "fastwarc"), "check", str(warc)],
    ]


def noticed(root: Path) -> list[bool]:
    """Whether each tool exits with anything but 0."""
    warc = root / archives.warc(root)
    done = [
        subprocess.run(command, capture_output=True, timeout=60, check=False)
        for command in commands(root, warc)
    ]
    return [each.returncode != 0 for each in done]


def main() -> None:
    cases = [*WARC_CASES, *WHOLE_FILE]
    counts = [0] * len(TOOLS)
    with tempfile.TemporaryDirectory() as folder:
        sealed = archives.make(Path(folder) / "sealed")
        if any(noticed(sealed)):
            sys.exit("a tool complains about the untouched archive")
        print("| what was done to the WARC file | " + " | ".join(TOOLS) + " |")
        print("|---|" + "---|" * len(TOOLS))
        for case in cases:
            root = Path(shutil.copytree(sealed, Path(folder) / "tampered"))
            archives.put_members(root, case.alter(archives.members(root)))
            found = noticed(root)
            counts = [count + each for count, each in zip(counts, found, strict=True)]
            print(f"| {case.name} | " + " | ".join("found" if each else "–" for each in found) + " |")
            shutil.rmtree(root)
    print(f"| **of {len(cases)} kinds** | " + " | ".join(f"**{count}**" for count in counts) + " |")


if __name__ == "__main__":
    main()
