"""What an import took in → rows of JSON and people's lines."""

from pathlib import Path

from archiver.console import Output
from archiver.importing import Imported, Taken
from archiver.tell.words import counted, many, one_line, size

_GAPS = 5  # of one file that people are told; all are in the JSON


def taken(out: Output, file: Taken) -> None:
    """One file, when it has been taken in or is there already."""
    gaps = [{"offset": gap.offset, "length": gap.length, "reason": gap.reason} for gap in file.gaps]
    out.row(
        {
            "type": "import",
            "given": file.given,
            "path": file.path,
            "kind": file.kind,
            "stored": file.stored,
            "held": file.held,
            "bytes": file.bytes,
            "records": file.records,
            "gaps": gaps,
            "transcript": file.transcript or None,
        }
    )
    if file.held:
        out.say(one_line(f"held        {file.given}: these bytes are in the archive as {file.path}"))
        return
    more = ", each record also in a transcript" if file.transcript else ""
    out.say(
        one_line(
            f"{file.stored:<11} {file.given} as {file.path}:"
            f" {many(file.records, 'record')}, {size(file.bytes)}{more}"
        )
    )
    for gap in file.gaps[:_GAPS]:
        length = f", {many(gap.length, 'byte')}" if gap.length else ""  # none where it was inflated
        out.say(one_line(f"gap         at {gap.offset:,}{length}: {gap.reason}"))
    if len(file.gaps) > _GAPS:
        out.say(f"gap         {len(file.gaps) - _GAPS} more: --json names them")


def imported(out: Output, root: Path, done: Imported) -> None:
    """What it all came to."""
    new = [file for file in done.files if not file.held]
    out.row(
        {
            "type": "summary",
            "archive": str(root),
            "run": done.run or None,
            "interrupted": done.interrupted,
            "files": len(new),
            "held": len(done.files) - len(new),
            "noted": done.noted,
            "records": sum(file.records for file in new),
            "gaps": sum(len(file.gaps) for file in new),
            "articles": done.articles,
            "listings": done.listings,
            "fetches": done.outcomes,
            "refused_files": done.refused,
            "passed_over": done.passed_over,
            "warcs": [warc.path for warc in done.sealed],
            "signed": done.signed,
            "exit_code": done.exit_code,
        }
    )
    found = ", ".join(filter(None, (many(done.articles, "article"), counted(done.outcomes))))
    out.say(f"{many(len(new), 'file')} taken in: {found}")
    if done.refused:
        out.say(f"NOT TAKEN IN: {many(len(done.refused), 'file')}")
    if done.interrupted:
        out.say("Interrupted. The same command goes on.")
