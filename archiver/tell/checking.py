"""What a check came to → its summary, what was read and what not, and the verdict in words."""

from dataclasses import asdict

from archiver.console import Output
from archiver.tell import keys, stamps
from archiver.tell.words import many, size
from archiver.verify import Verification

VERDICTS = {"unverifiable": "NOT ALL COULD BE JUDGED", "incomplete": "INCOMPLETE", "failed": "DAMAGED"}


def checked(out: Output, check: Verification, failure: str) -> None:
    """The end of a check. `failure`: why it could not be remembered what was read."""
    head = check.manifest.tree if check.manifest else None
    out.row(
        {
            "type": "summary",
            "verdict": check.verdict,
            "findings": check.findings_count,
            "files": check.files,
            "records": check.records,
            "bytes": check.bytes,
            "tree_size": head.size if head else None,
            "tree_root": head.root if head else None,
            **keys.summary(check),
            "timestamps": stamps.proved_rows(check.times),
            "anchors": stamps.anchor_rows(check.times),
            "deep": check.thorough,
            "sample": check.limits.share,
            "budget": check.limits.seconds,
            "coverage": asdict(check.coverage),
            "limited": check.limited,
            "interrupted": check.interrupted,
            "not_remembered": failure,
            "exit_code": check.exit_code,
        }
    )
    for line in extent(check):
        out.say(line)
    if failure:
        out.say(f"What was read now is not remembered: {failure}.")
    for line in proved(check):
        out.say(line)
    out.say(verdict(check))


def extent(check: Verification) -> list[str]:
    """How much was read, where that is not everything."""
    found = check.coverage
    if check.manifest is None or (found.whole and not check.interrupted):
        return []
    share = f"{100 * found.bytes / found.all_bytes:.3g} %" if found.all_bytes else "Nothing"
    drawn = ", drawn at random" if check.limits.share is not None else ""
    files = f"{found.files:,} of {many(found.all_files, 'file')}{drawn}"
    lines = [f"{share} of the WARC bytes were checked: {size(found.bytes)} in {files}."]
    if not check.interrupted:
        lines.append("Manifest, file names, record lists, tree and lengths were checked of all.")
    others = found.all_files - found.files
    if found.never:
        lines.append(f"Never checked, as far as is remembered: {many(found.never, 'file')}.")
    if found.rest:
        oldest, newest = (moment.partition("T")[0] for moment in found.rest)
        when = f"on {oldest}" if oldest == newest else f"between {oldest} and {newest}"
        lines.append(f"Not checked now, but {when}: {many(others - found.never, 'file')}.")
    return lines


def proved(check: Verification) -> list[str]:
    """What an archive without findings proves, and what not."""
    if check.manifest is None or check.verdict != "ok" or check.interrupted:
        return []
    head = check.manifest.tree
    what = "Unaltered" if check.coverage.whole else "What was read is unaltered"
    return [
        f"{what} since tree head {head.root}, {head.size} records.",
        *keys.proved(check),
        *stamps.proved_words(check.times),
    ]


def verdict(check: Verification) -> str:
    """The last word."""
    looked = f"{check.records} records in {check.files} files"
    if check.verdict != "ok":
        stopped = "INTERRUPTED, " if check.interrupted else ""
        return f"{stopped}{VERDICTS[check.verdict]}: {check.findings_count} findings; {looked} read."
    if check.interrupted:
        return f"INTERRUPTED: no problems found in {looked}; --budget TIME goes on with the rest."
    if check.limited:
        return f"TIME USED: no problems found in {looked}; the same command goes on with the rest."
    return f"No problems found in {looked}."
