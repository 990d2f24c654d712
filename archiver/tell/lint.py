"""What `lint` found: each in JSON; for people those that are alike together, with the first places."""

from dataclasses import asdict

from archiver.console import Output
from archiver.lint import RULES, Finding, Linting, Tally
from archiver.tell.words import many, one_line, size

PLACES = 3  # of findings that are alike, shown


class Told:
    """Says of a file what was found in it when it is read to its end."""

    def __init__(self, out: Output, linting: Linting) -> None:
        self._out, self._linting = out, linting
        self._alike: dict[tuple[str, str], list[Finding]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def tell(self, found: Finding | Tally) -> None:
        row = asdict(found)
        self._out.row({"type": row.pop("type"), **row})
        if isinstance(found, Tally):
            self._file(found)
            return
        key = (found.file, found.code)
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] <= PLACES:
            self._alike.setdefault(key, []).append(found)

    def line(self) -> str:
        now, done = self._linting.now, len(self._linting.tallies)
        records = sum(each.records for each in self._linting.tallies)
        if now is not None and now not in self._linting.tallies:
            records += now.records
        return f"{records} records, {done} of {len(self._linting.named)} files judged"

    def end(self) -> None:
        tallies = self._linting.tallies
        total = {
            name: sum(getattr(each, name) for each in tallies)
            for name in ("records", "bytes", "errors", "warnings", "block_digests", "payload_digests")
        }
        unjudged = sum(bool(each.unjudged) for each in tallies)
        code = self._linting.exit_code
        self._out.row(
            {"type": "summary", "files": len(tallies), **total, "unjudged": unjudged, "exit_code": code}
        )
        self._out.say(
            f"{many(total['records'], 'record')} in {many(len(tallies), 'file')}, {size(total['bytes'])}:"
            f" {many(total['errors'], 'error')}, {many(total['warnings'], 'warning')};"
            f" {many(total['block_digests'] + total['payload_digests'], 'digest')} confirmed."
            + (f" {many(unjudged, 'file')} not judged to the end." if unjudged else "")
        )

    def _file(self, tally: Tally) -> None:
        verdict = many(tally.errors, "error") + ", " + many(tally.warnings, "warning")
        self._out.say(f"{tally.file}: {tally.kind or 'unread'}, {many(tally.records, 'record')}, {verdict}")
        order = sorted(self._alike, key=lambda key: RULES[key[1]].severity)
        for key in order:
            self._group(self._alike[key], self._counts[key])
        for reason in dict.fromkeys(tally.unjudged):
            self._out.say(f"  not judged: {one_line(reason)}")
        self._alike.clear()
        self._counts.clear()

    def _group(self, found: list[Finding], count: int) -> None:
        first = found[0]
        times = f", {count:,} times" if count > 1 else ""
        self._out.say(f"  {first.severity} {first.code}{times} ({first.section}): {RULES[first.code].words}")
        for each in found:
            where = f"at {each.offset}" if each.record or each.offset else "the file"
            self._out.say(
                f"    {where}{f' <{one_line(each.record)}>' if each.record else ''}: {one_line(each.message)}"
            )
        if count > len(found):
            self._out.say(f"    … and {count - len(found):,} more; --json has all")
