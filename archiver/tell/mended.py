"""Results of `repair` and `protect` → rows of JSON and people's lines."""

from typing import Any

import msgspec

from archiver.console import Output
from archiver.model import Verdict
from archiver.repair.results import MissingRecord, Moved, Protected, Replaced, Unmended
from archiver.tell.words import many, one_line, size

_RECORDS_SAID = 20  # of one file; with --json all are rows


class Mended:
    """Tells one repair as it happens, and counts."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._missing: dict[str, int] = {}
        self.replaced: list[str] = []
        self.moved: list[str] = []
        self.unmended: list[str] = []

    def result(self, result: Replaced | Moved | MissingRecord | Unmended) -> None:
        self._out.row(msgspec.to_builtins(result))
        match result:
            case Replaced():
                self.replaced.append(result.file)
                for line in _replaced(result):
                    self._out.say(one_line(line))
            case Moved():
                self.moved.append(result.file)
                self._out.say(
                    one_line(f"moved       {result.file} is not of this archive: now {result.kept}")
                )
            case MissingRecord():
                count = self._missing[result.file] = self._missing.get(result.file, 0) + 1
                if count <= _RECORDS_SAID:
                    what = f"record {result.record} at {result.offset}, {size(result.length)}"
                    self._out.say(one_line(f"missing     {result.file} {what}: {result.uri or result.id}"))
            case Unmended():
                self.unmended.append(result.file)
                self._out.say(one_line(f"damaged     {result.file}: {result.reason}"))
                if result.partial:
                    found = many(result.found, "record")
                    self._out.say(f"            {found} that it lacks were found: kept in {result.partial}")

    def summary(self) -> dict[str, Any]:
        return {
            "replaced": self.replaced,
            "moved": self.moved,
            "unmended": self.unmended,
            "missing_records": sum(self._missing.values()),
        }

    def verdict(self, found: Verdict) -> str:
        """The last line."""
        if found == "ok":
            done = f"{many(len(self.replaced), 'file')} repaired" if self.replaced else "Nothing was damaged"
            return f"{done}. No problems are left."
        if found == "unverifiable":
            return "NOT ALL COULD BE JUDGED: see the findings."
        missing = sum(self._missing.values())
        lost = f", {many(missing, 'record')} found nowhere" if missing else ""
        return (
            f"DAMAGE REMAINS: {many(len(self.unmended), 'file')} not repaired{lost}. Try --from another copy."
        )


def protected(out: Output, made: Protected) -> None:
    """Parity was made for one file."""
    out.row(msgspec.to_builtins(made))
    out.say(f"protected   {made.file} by {made.parity}, {size(made.bytes)}")


def _replaced(result: Replaced) -> list[str]:
    how = {
        "records": f"{many(result.records, 'record')} put in",
        "whole-file": "taken as a whole",
        "lines": "made again from its lines and its records",
        "parity": "restored by parity",
        "manifest": "taken as a whole",
    }[result.how]
    source = f" from {', '.join(result.sources)}" if result.sources and result.how != "parity" else ""
    kept = f"; the damaged file is {result.kept}" if result.kept else ""
    lines = [f"repaired    {result.file}: {how}{source}{kept}"]
    if result.how == "manifest":
        lines.append(
            "            Nothing here vouches for a manifest: you trust that copy, until a signature or a"
            " checkpoint kept elsewhere says the same."
        )
    return lines
