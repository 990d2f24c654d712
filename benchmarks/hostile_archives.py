"""What hostile files of others cost: `hostile_archives.py [FILES]`, about so many, 5,000 unless told.

Those of tests/hostile_archives.py and hostile_wacz.py are walked and linted one by one, and taken in with
`import` in folders of some, each with `verify` and `rebuild` after it. Prints how each work ended, the
dearest files, and which took more than 5 s of CPU or 300 MB. Ends with 1 where one did, hung, died, or
ended in a traceback. 5,000 files take about an hour on one core.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from hostile_archives import make_all
from judging import Judged, judged

FIXED, FORMS = 1_480, 10  # files that are no mutations; forms of which there are mutations
TOGETHER = 25
SECONDS = 600


def told(work: str, results: list[Judged]) -> int:
    """Prints; how many are bad."""
    codes = dict(sorted(Counter(result.code for result in results).items()))
    print(f"{work}: {len(results)}, exit codes {codes}")
    for result in sorted(results, key=lambda result: -result.seconds)[:5]:
        print(f"  {result.seconds:5.1f} s {result.memory >> 20:4} MiB {Path(result.file).name}")
    bad = [result for result in results if result.bad]
    for result in bad:
        print(f"  {result.bad}: {result.file}\n    {result.text.strip()[-500:]}")
    return len(bad)


def taken_in(files: list[Path], folder: Path) -> int:
    """Prints; how many cannot be taken in as they should. Of a folder that fails each file is tried alone."""
    folders: list[Path] = []
    for start in range(0, len(files), TOGETHER):
        folders.append(folder / f"{start:05d}")
        folders[-1].mkdir(parents=True)
        for file in files[start : start + TOGETHER]:
            (folders[-1] / file.name).hardlink_to(file)
    results = list(judged("import", folders, SECONDS))
    failed = [Path(result.file) for result in results if result.code < 0 or result.code == 1]
    alone = [file for failing in failed for file in sorted(failing.iterdir())]
    print(f"import: {len(folders)} folders, {len(failed)} failed; the most memory "
          f"{max(result.memory for result in results) >> 20} MiB")  # fmt: skip
    return told("import alone", list(judged("import", alone, SECONDS))) + len(failed) if failed else 0


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        files = make_all(Path(folder, "made"), max(1, (count - FIXED) // FORMS))
        print(f"{len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.0f} MB")
        bad = sum(told(work, list(judged(work, files))) for work in ("walk", "lint"))
        bad += taken_in(files, Path(folder, "folders"))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
