"""Two archives side by side → rows of JSON and people's lines."""

from typing import Any

from archiver.compare import ANSWERS, SIDES, Comparison, Contradiction, Lacking, LookAlike
from archiver.console import Output
from archiver.tell.words import many, one_line, size

SHOWN = 20  # lines of one sort for people; JSON has all
_HISTORY = {
    "same": "They hold the same records in the same order.",
    "first-goes-on": "The first goes on from the second: it begins with the same {common}.",
    "second-goes-on": "The second goes on from the first: it begins with the same {common}.",
    "went-apart": "They are copies of one archive that went apart after {common}.",
    "unrelated": "They are two archives.",
}


class _Some:
    """The first lines of one sort; how many more there are is said at its end."""

    def __init__(self, out: Output, title: str) -> None:
        self._out, self._title = out, title
        self.count = 0

    def add(self, line: str) -> None:
        if self.count == 0:
            self._out.text(self._title)
        if self.count < SHOWN:
            self._out.text(one_line(f"    {line}"))
        self.count += 1

    def end(self) -> int:
        if self.count > SHOWN:
            self._out.text(f"    … and {self.count - SHOWN} more; --json has all.")
        return self.count


def compared(out: Output, found: Comparison) -> int:
    """Tell all that differs; the exit code: 4 where one record id has other bytes in each."""
    for name, side in zip(("first", "second"), found.sides, strict=True):
        row = {"type": "archive", "side": name, "path": side.path, "origin": side.origin}
        counts = {"files": side.files, "records": side.records, "bytes": side.bytes}
        out.row(row | counts)
        held = f"{many(side.records, 'record')} in {many(side.files, 'file')}, {size(side.bytes)}"
        out.text(one_line(f"{name:<7} {side.path}: {held}"))
    out.text(_HISTORY[found.history].format(common=many(found.common, "record")))
    _lacking(out, found)
    contradictions = _contradictions(out, found)
    look_alikes = _look_alikes(out, found)
    shares = {
        name: {"both": of.both, "first": of.first, "second": of.second} for name, of in found.shares().items()
    }
    for name, of in shares.items():
        alone = f"{of['first']} only in the first, {of['second']} only in the second"
        out.text(f"{name:<9} {of['both']} in both, {alone}")
    summary = {"type": "summary", "history": found.history, "common": found.common, **shares}
    out.row(summary | {"contradictions": contradictions, "look_alikes": look_alikes})
    out.say(_verdict(found, contradictions, shares["records"]))
    return 4 if contradictions else 0


def _verdict(found: Comparison, contradictions: int, records: dict[str, int]) -> str:
    if contradictions:
        return (
            f"{many(contradictions, 'record')} of the same id with other bytes: in one of the two it is "
            "not what was written first. 'archiver verify --against' with an older checkpoint says in which."
        )
    if found.history == "same":
        return "The same."
    lacks = [
        f"the {name} lacks {many(records[other], 'record')}"
        for name, other in (("second", "first"), ("first", "second"))
        if records[other]
    ]
    return f"Nothing contradicts; {' and '.join(lacks) or 'both have every record'}."


def _lacking(out: Output, found: Comparison) -> None:
    """People see the answers; requests and notes about them go with these."""
    for side in SIDES:
        some = _Some(out, f"only in the {side}:")
        for each in found.lacking(side):
            out.row({"type": "lacking", **_row(each)})
            if each.warc_type in ANSWERS:
                some.add(_lacking_words(each))
        some.end()


def _lacking_words(each: Lacking) -> str:
    same = "; the other has the same payload" if each.payload else ""
    return f"{each.warc_type:<9} {each.date[:19]} {each.uri or each.id}{same}"


def _contradictions(out: Output, found: Comparison) -> int:
    some = _Some(out, "the same record id, other bytes:")
    for each in found.contradictions():
        out.row({"type": "contradiction", **_row(each)})
        some.add(f"{each.id} {each.uri or ''} ({each.first}, {each.second})")
    return some.end()


def _look_alikes(out: Output, found: Comparison) -> int:
    some = _Some(out, "look alike, and each has only its own:")
    for each in found.look_alikes():
        out.row({"type": "look-alike", **_row(each)})
        pictures = f"{each.first_uri or each.first}  {each.second_uri or each.second}"
        some.add(f"{each.distance:>3} bits of 256  {pictures}")
    return some.end()


def _row(each: Lacking | Contradiction | LookAlike) -> dict[str, Any]:
    return {name: getattr(each, name) for name in each.__dataclass_fields__}
