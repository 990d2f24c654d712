"""What `verify` finds of each attack in tests/attacks.py: the tables of docs/tampering.md."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import archives
import attacker
import imported
from attacker import GIVEN, LEVELS, Target
from attacks import OnDisk, OnRecords, everything

from archiver.prove import verify
from archiver.sandbox import Sandbox

Row = tuple[tuple[str, ...], str, str]  # cells, area, name
EACH_FIELD = ("unsigned", "fresh stamps")  # at the others, of each type of record the block alone
HEADS = {"--deep": ("`--deep`",), "imported": ("`verify`", "`verify.py`")}
HEAD = ("nothing", "`--key`", "`--roots`", "`--against`", "your key folder")


class Measure:
    def __init__(self, target: Target, folder: Path) -> None:
        self.target, self._root = target, folder / "attacked"
        self.unseen: list[Row] = []  # what `verify` alone does not find, and whether --deep does

    def alone(self) -> Iterator[Row]:
        """Every attack, and nothing made to fit but what its name says."""
        for attack in everything(self.target):
            root = self.target.copy(self._root)
            attack.alone(root, self.target)
            yield self._measured(root, attack, deep=isinstance(attack, OnDisk))

    def fitted(self, level: attacker.Level) -> Iterator[Row]:
        """Every change of WARC files, by an attacker who makes fit what this level can."""
        for attack in everything(self.target):
            if isinstance(attack, OnRecords) and (
                level in EACH_FIELD or not attack.name.startswith("`WARC-")
            ):
                root = self.target.copy(self._root)
                self.target.fit(root, attack.change(self.target.files()), level, leave=attack.leave)
                yield self._measured(root, attack, deep=level == "unsigned")
        root, files = self.target.copy(self._root), self.target.files()
        self.target.fit(root, [(files[0][0], files[0][1][:-1]), *files[1:]], level, beacons=False)
        yield self.target.row(root), "records", "one deleted, beacons after it left as they were"
        root = self.target.copy(self._root)
        self.target.fit(root, files, level, origin="archiver/" + "0" * 32)
        yield self.target.row(root), "the whole archive", "made anew under another name"

    def _measured(self, root: Path, attack: OnDisk | OnRecords, *, deep: bool) -> Row:
        cells = self.target.row(root)
        if deep and cells[0] == "–":
            found = self.target.ask(root, GIVEN[0], deep=True).codes
            codes = ", ".join(f"`{code}`" for code in sorted(found)) or "–"
            self.unseen.append(((codes,), attack.area, attack.name))
        return cells, attack.area, attack.name


def table(rows: Iterable[Row], head: Sequence[str]) -> str:
    """Rows with the same cells become one, areas with the same names in it, too."""
    every = list(rows)
    of_area: dict[str, list[str]] = {}
    grouped: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for cells, area, name in every:
        of_area.setdefault(area, []).append(name)
        grouped.setdefault(cells, {}).setdefault(area, []).append(name)
    lines = [f"| what was changed | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for cells, areas in grouped.items():
        named: dict[str, list[str]] = {}
        for area, names in areas.items():
            named.setdefault(_names(names, of_area[area]), []).append(area)
        what = "; ".join(": ".join(filter(None, (", ".join(areas), names))) for names, areas in named.items())
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _names(names: Sequence[str], all_names: Sequence[str]) -> str:
    """These of an area's attacks, in few words."""
    rest = [name for name in all_names if name not in names]
    if not rest and len(names) > 3:
        return f"all {len(names)}"
    if len(rest) * 3 < len(names):
        return f"all {len(all_names)} but {', '.join(rest)}" if rest else ", ".join(names)
    return ", ".join(names)


def imported_files(folder: Path, sandbox: Sandbox) -> Iterator[Row]:
    """What is found of damage to imported files, by `verify` and by the verifier for strangers."""
    base = imported.make(folder / "imported", sandbox)
    for number, (name, (do, _)) in enumerate(imported.DAMAGES.items()):
        root = imported.copied(base, folder / f"imported-{number}")
        do(root)
        codes = sorted({each.code for each in archives.check(root, sandbox)})
        said = "does not hold" if verify.judge(str(root), [], b"", lambda _: None) else "–"
        yield (", ".join(f"`{code}`" for code in codes) or "–", said), "", name


def measure(target: Target, folder: Path) -> dict[str, list[Row]]:
    """The rows of the tables of docs/tampering.md, by what the tables are about."""
    found = Measure(target, folder)
    rows = {"alone": list(found.alone())}
    for level in LEVELS:
        rows[level] = list(found.fitted(level))
    imports = list(imported_files(folder, target.sandbox))
    return {**rows, "--deep": found.unseen, "imported": imports}


def tables(rows: dict[str, list[Row]]) -> Iterator[str]:
    for about, those in rows.items():
        yield table(those, HEADS.get(about, HEAD))
