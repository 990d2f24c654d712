"""Findings → a page to read and to print: the verdict, what is damaged, what that means, how to mend it.

One file without scripts, pictures or anything from elsewhere. All texts of others are escaped, and what could
change the direction of reading is replaced.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from archiver import __version__
from archiver.console import printable
from archiver.errors import ArchiverError, UsageError
from archiver.manifest.manifest import CommittedWarc
from archiver.model import Finding
from archiver.show import concerned, reading
from archiver.storage import is_imported, replace_file
from archiver.tell.checking import VERDICTS, extent, proved, verdict
from archiver.tell.words import many, one_line
from archiver.verify import Verification
from archiver.verify.lists import captures

FILES = 200  # shown with a section of their own
FINDINGS = 50  # shown of each of them
CONCERNED = 50  # articles, pictures or URLs shown of each
SECONDS = 10.0  # for what the catalogue knows of one file
_LONGEST, _TITLE = 500, 150  # characters of one text

_START = (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    '<meta name="generator" content="archiver verify">\n'
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SENTENCES = {
    "ok": "Nothing is wrong",
    "unverifiable": "Not everything could be judged",
    "incomplete": "Stored bytes are missing",
    "failed": "The archive is damaged",
}
_WHOLE = {"missing-file", "unreadable-file", "not-a-file", "empty-file", "swapped-file", "warc-digest"}
_ADDED = {"added-record", "added-bytes", "duplicated-record"}
_TYPES = {
    "request": "how it was asked for",
    "metadata": "what was noted about it",
}


class Report:
    """Takes findings as they are met; memory is bounded, and what is left out is counted."""

    def __init__(self, path: Path, directory: Path) -> None:
        """`path` may be an older report, and no other file. Raises UsageError."""
        self._path, self._directory = path, directory
        self._files: dict[str, list[Finding]] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._others = 0  # findings of further files
        _refuse_other(path)

    def add(self, finding: Finding) -> None:
        if finding.file not in self._files and len(self._files) >= FILES:
            self._others += 1
            return
        kept = self._files.setdefault(finding.file, [])
        self._counts.setdefault(finding.file, Counter())[finding.code] += 1
        if len(kept) < FINDINGS:
            kept.append(finding)

    def write(self, check: Verification) -> None:
        """Write the page for a check that has ended. Raises StorageError."""
        page = "\n".join(self._page(check))
        replace_file(self._path, page.encode("utf-8", "replace"))

    def _page(self, check: Verification) -> Iterator[str]:
        name = self._directory.absolute().name or str(self._directory)
        yield f'{_START}<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        yield '<meta name="viewport" content="width=device-width">'
        yield f"<title>Integrity of {_text(name)}</title>\n<style>{_style()}</style>"
        yield f"<h1>Integrity of the archive {_text(name)}</h1>"
        yield from self._verdict(check)
        yield from self._facts(check)
        if self._files:
            yield "<h2>What is wrong</h2>"
            yield from self._sections(check)
            yield from self._mending(check)
        yield from _meaning(check)

    def _verdict(self, check: Verification) -> Iterator[str]:
        sentence = _SENTENCES[check.verdict]
        if check.verdict == "ok" and not check.coverage.whole:
            sentence = "Nothing is wrong in what was read"
        if check.interrupted:
            sentence += "; the check was interrupted"
        yield f'<div class="verdict {check.verdict}"><strong>{sentence}.</strong>'
        yield "<br>".join(map(_text, [*extent(check), *proved(check), verdict(check)]))
        yield "</div>"

    def _facts(self, check: Verification) -> Iterator[str]:
        manifest = check.manifest
        rows = [
            ("Folder", self._directory.absolute()),
            ("Checked", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by archiver {__version__}"),
            ("How", "every record parsed and judged too (--deep)" if check.thorough else "bytes and digests"),
        ]
        if manifest:
            imports = sum(is_imported(warc.path) for warc in manifest.warcs)
            held = many(len(manifest.warcs) - imports, "WARC file")
            held += f" and {many(imports, 'imported file')}" if imports else ""
            rows += [
                ("Origin", manifest.origin),
                ("It holds", f"{many(manifest.tree.size, 'record')} in {held}"),
                ("Tree head", manifest.tree.root),
            ]
        yield '<table class="facts">'
        yield from (f"<tr><th>{name}<td>{_text(value)}" for name, value in rows)
        yield "</table>"

    def _sections(self, check: Verification) -> Iterator[str]:
        warcs = {warc.path: warc for warc in check.manifest.warcs} if check.manifest else {}
        sound = "catalogue.db" not in self._files  # else what it says is not relied on
        with ExitStack() as opened:
            db = None
            if sound:
                try:
                    db = opened.enter_context(reading(self._directory))
                except ArchiverError:
                    sound = False
            for file, findings in self._files.items():
                yield f"<h3>{_text(file)}</h3>"
                counts = self._counts[file]
                yield from _concerned(self._directory, db, warcs.get(file), findings)
                yield from _table(findings, counts.total())
        if self._others:
            yield f"<p>{self._others:,} more findings, of others: <code>archiver verify</code> shows all."

    def _mending(self, check: Verification) -> Iterator[str]:
        folder = shlex.quote(str(self._directory))
        codes = {code for counts in self._counts.values() for code in counts}
        catalogue = {code for code in codes if code.startswith("catalogue-")}
        yield "<h2>What to do</h2>"
        if codes - catalogue - {"unsealed"}:
            yield "<p>What is damaged or missing can be had from any copy of the archive, even a damaged one:"
            yield "only bytes with the committed SHA-256 are taken from it. COPY is its folder."
            yield f"<pre>archiver repair --from COPY {_text(folder)}</pre>"
        if "unsealed" in codes:
            yield "<p>A capture is running, or was cut off. When none is running, this seals it:"
        elif catalogue:
            yield "<p>The catalogue is derived from the records, and made anew from them:"
        if catalogue or "unsealed" in codes:
            yield f"<pre>archiver rebuild {_text(folder)}</pre>"
        yield "<p>Then check again:"
        yield f"<pre>archiver verify{' --deep' if check.thorough else ''} {_text(folder)}</pre>"


def _refuse_other(path: Path) -> None:
    """The report replaces an older report, and nothing else."""
    try:
        if not path.exists() and path.parent.is_dir():
            return
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(_START)) == _START.encode():
                    return
        problem = "it is there, and is no report of verify" if path.exists() else "there is no such folder"
    except OSError as error:
        problem = error.strerror or str(error)
    raise UsageError(f"cannot write the report {path}: {problem}", "Name another FILE.")


def _concerned(root: Path, db: Any, warc: CommittedWarc | None, findings: list[Finding]) -> Iterator[str]:
    """What the damage to a file means for articles and pictures."""
    if warc is None:
        yield f"<p>{_elsewhere(findings[0])}"
        return
    whole = any(each.code in _WHOLE for each in findings)
    numbers = {each.record for each in findings if each.record is not None and each.code not in _ADDED}
    if not whole and not numbers:
        yield "<p>Only bytes that do not belong there: no record is concerned."
        return
    if whole:
        yield f"<p>The whole file: all its {many(warc.records, 'record')} are concerned."
    rows = _rows(db, warc.path, None if whole else numbers)
    if rows:
        yield "<p>Concerned in articles:"
        yield from _list(map(_row, rows), rows[0]["count"])
    elif whole and (urls := captures(root, warc, CONCERNED + 1)):
        yield "<p>Concerned captures, as the record list names them:"
        yield from _list(map(_text, urls[:CONCERNED]), None if len(urls) > CONCERNED else len(urls))
    else:
        yield "<p>Which article needs it is not known; the records are named below."


def _rows(db: Any, file: str, numbers: Iterable[int] | None) -> list[dict[str, Any]]:
    try:
        return concerned(db, file, numbers, CONCERNED, SECONDS) if db else []
    except ArchiverError:
        return []


def _row(row: dict[str, Any]) -> str:
    title = f"<b>{_text(row['title'] or 'no title', _TITLE)}</b>"
    if row["picture"] is None:
        what = "text and page"
    else:
        form = {"proxied": "as its proxy served it", "origin": "from the publisher"}
        what = f"picture {_text(int(row['picture']) + 1)}, {form.get(row['form'], _text(row['form']))}"
    types = str(row["types"]).split(",")
    parts = [part for name, part in _TYPES.items() if name in types] if {*types} <= _TYPES.keys() else []
    return (
        f"{title}: {what}"
        + (f" – only {' and '.join(parts)}" if parts else "")
        + f"<br><code>{_text(row['url'])}</code>"
    )


def _list(items: Iterable[str], count: int | None) -> Iterator[str]:
    """`count`: of how many these are the first; None: of more."""
    shown = list(items)
    yield "<ul>"
    yield from (f"<li>{item}" for item in shown)
    yield "</ul>"
    if count is None or count > len(shown):
        yield f'<p class="small">and {"more" if count is None else f"{count - len(shown):,} more"}.'


def _elsewhere(finding: Finding) -> str:
    """What damage means that is not to a WARC file of the manifest."""
    if finding.file.endswith(".records.jsonl"):
        return (
            "A record list: it says where each record lies, and its digest. The captured bytes are in the"
            " WARC file beside it, which is judged for itself."
        )
    if finding.file == "manifest.json":
        return "The commitment: no captured byte lies in it, but what it should vouch for is in doubt."
    if finding.file == "catalogue.db":
        return "The catalogue: derived from the records. No captured byte is concerned."
    return "The manifest does not name this file: nothing that was captured is concerned."


def _table(findings: list[Finding], count: int) -> Iterator[str]:
    yield '<table><tr><th class="number">record<th>what is wrong'
    for each in findings:
        place = "" if each.record is None else f"{each.record:,}"
        yield f'<tr><td class="number">{place}<td>{_text(each.message)} <code>[{_text(each.code)}]</code>'
        facts = (
            ("URL", each.uri),
            ("at byte", each.offset),
            ("committed", each.expected),
            ("found", each.found),
        )
        for name, value in facts:
            if value is not None:
                yield f'<br><span class="small">{name}: {_text(value)}</span>'
    yield "</table>"
    if count > len(findings):
        yield f'<p class="small">and {count - len(findings):,} more findings of this file.'


def _meaning(check: Verification) -> Iterator[str]:
    yield "<h2>What this check says, and what not</h2>"
    yield "<p>Each stored record has a SHA-256, and all of them together a tree head. The check compares what"
    yield "lies on the disk with that. It does not say that a server ever sent it to anybody else, nor that"
    yield "what it sent is true. It is worth as much as what vouches for the tree head: a signature by a key"
    yield "that you know, a time that an authority gave, a checkpoint kept elsewhere. The lines above say"
    yield "which of these hold."
    if check.verdict in VERDICTS and check.verdict != "unverifiable":
        yield "<p>Records that no finding names are unaltered, as far as they were read."


@cache
def _style() -> str:
    return files("archiver.tell").joinpath("report.css").read_text("utf-8")


def _text(value: object, longest: int = _LONGEST) -> str:
    """Text of others in the page."""
    said = str(value)
    cut = said if len(said) <= longest else f"{said[:longest]} …"
    return escape(one_line(printable(cut)))
