"""What `archiver verify` finds of what an attacker with the disk can do, as the tables in docs/tampering.md.

tests/attacks.py has the attacks. Each is done to the same archive: alone, and with everything made to fit.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import attacker
from matrix import measure, tables

from archiver.sandbox import Sandbox


def main() -> None:
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        for text in tables(measure(attacker.make(folder, sandbox), folder)):
            print(text, end="\n\n")


if __name__ == "__main__":
    main()
