"""What `lint` found, as rows, and as lines for people: those alike are together, with their first places.

Here and not in `tell/`, which imports the archive: judging a small file takes no longer than Python's start.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from archiver.lint.rules import RULES
from archiver.lint.run import Linting
from archiver.lint.walk import Finding, Tally

PLACES = 3  # of findings that are alike, shown
_SUMS = ("records", "bytes", "errors", "warnings", "block_digests", "payload_digests")


def row(found: Finding | Tally) -> dict[str, Any]:
    """A finding or a tally as JSON."""
    return {"type": found.type, **asdict(found)}


class Lines:
    """The lines of a file, when it was read to its end; those of the whole."""

    def __init__(self, linting: Linting) -> None:
        self._linting = linting
        self._alike: dict[tuple[str, str], list[Finding]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def of(self, found: Finding | Tally) -> Iterator[str]:
        if isinstance(found, Tally):
            yield from self._file(found)
            return
        key = (found.file, found.code)
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] <= PLACES:
            self._alike.setdefault(key, []).append(found)

    def alive(self) -> str:
        done, now = self._linting.tallies, self._linting.now
        records = sum(each.records for each in done) + (now.records if now and now not in done else 0)
        return f"{records:,} records, {len(done):,} of {len(self._linting.named):,} files judged"

    def summary(self) -> dict[str, Any]:
        done = self._linting.tallies
        sums = {name: sum(getattr(each, name) for each in done) for name in _SUMS}
        unjudged = sum(bool(each.unjudged) for each in done)
        code = self._linting.exit_code
        return {"type": "summary", "files": len(done), **sums, "unjudged": unjudged, "exit_code": code}

    def end(self) -> str:
        said = self.summary()
        digests = said["block_digests"] + said["payload_digests"]
        rest = f" {_many(said['unjudged'], 'file')} not judged to the end." if said["unjudged"] else ""
        return (
            f"{_many(said['records'], 'record')} in {_many(said['files'], 'file')}:"
            f" {_many(said['errors'], 'error')}, {_many(said['warnings'], 'warning')};"
            f" {_many(digests, 'digest')} confirmed.{rest}"
        )

    def _file(self, tally: Tally) -> Iterator[str]:
        counts = f"{_many(tally.errors, 'error')}, {_many(tally.warnings, 'warning')}"
        yield f"{tally.file}: {tally.kind or 'unread'}, {_many(tally.records, 'record')}, {counts}"
        for key in sorted(self._alike, key=lambda key: RULES[key[1]].severity):
            yield from self._group(self._alike[key], self._counts[key], tally.file)
        yield from (f"  not judged: {_one_line(reason)}" for reason in dict.fromkeys(tally.unjudged))
        self._alike.clear()
        self._counts.clear()

    @staticmethod
    def _group(found: list[Finding], count: int, file: str) -> Iterator[str]:
        first = found[0]
        times = f", {count:,} times" if count > 1 else ""
        inside = f" in {first.file.removeprefix(file).strip('/')}" if first.file != file else ""
        yield f"  {first.severity} {first.code}{times}{inside} ({first.section}): {RULES[first.code].words}"
        for each in found:
            record = f" <{_one_line(each.record)}>" if each.record else ""
            yield f"    at {each.offset}{record}: {_one_line(each.message)}"
        if count > len(found):
            yield f"    … and {count - len(found):,} more; --json has all"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _one_line(text: str) -> str:
    return text.replace("\n", " ")
