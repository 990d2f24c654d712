"""`archiver verify` and `rebuild`, and `demo`, which ends with the former."""

import sys
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import DIRECTORY, as_json, directory
from archiver.console import Output


@click.command()
@directory
@click.option(
    "--deep", is_flag=True, help="Also parse every record, decode every picture, compare the catalogue."
)
@click.option(
    "--roots",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of a timestamp authority's roots; then those that lie in the archive do not count.",
)
@click.option(
    "--bitcoin-header",
    "headers",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Header of a Bitcoin block, 80 bytes or hexadecimal, for OpenTimestamps: you vouch for it.",
)
@as_json
def verify(
    directory: Path, deep: bool, roots: tuple[Path, ...], headers: tuple[Path, ...], as_json: bool
) -> None:
    """Check that nothing in the archive changed since it was sealed."""
    from archiver.verify import Trust

    trust = Trust(roots=roots, headers=headers)
    raise SystemExit(_verify(Output(as_json), directory, deep=deep, trust=trust))


def _verify(out: Output, root: Path, *, deep: bool, trust: Any = None) -> int:
    import msgspec

    from archiver import tell
    from archiver.verify import Verification

    check = Verification(root, thorough=deep, trust=trust)
    with out.alive(lambda: f"{check.records} records in {check.files} files checked"):
        for finding in check.findings():
            out.row(msgspec.to_builtins(finding))
            out.say(tell.finding_words(finding))
    head = check.manifest.tree if check.manifest else None
    code = {"ok": 0, "unverifiable": 3, "incomplete": 4, "failed": 4}[check.verdict]
    summary = {
        "type": "summary",
        "verdict": check.verdict,
        "findings": check.findings_count,
        "files": check.files,
        "records": check.records,
        "bytes": check.bytes,
        "tree_size": head.size if head else None,
        "tree_root": head.root if head else None,
        "timestamps": tell.proved_rows(check.times),
        "anchors": tell.anchor_rows(check.times),
        "deep": deep,
        "exit_code": code,
    }
    out.row(summary)
    looked = f"{check.records} records in {check.files} files"
    if check.verdict == "ok":
        out.say(f"Unaltered since tree head {summary['tree_root']}, {summary['tree_size']} records.")
        for line in tell.proved_words(check.times):
            out.say(line)
        out.say(f"No problems found in {looked}.")
    else:
        words = {"unverifiable": "NOT ALL COULD BE JUDGED", "incomplete": "INCOMPLETE", "failed": "DAMAGED"}
        out.say(f"{words[check.verdict]}: {check.findings_count} findings; {looked} read.")
    return code


@click.command()
@directory
@as_json
def rebuild(directory: Path, as_json: bool) -> None:
    """Make the catalogue anew from the WARC files alone."""
    from archiver import keep

    out = Output(as_json)
    with out.alive(lambda: "reading the WARC files"):
        records, healed = keep.rebuild(directory)
    for line in healed:
        out.say(f"healed {line}")
    out.row({"type": "summary", "records": records, "healed": healed})
    out.say(f"The catalogue was made anew from {records} records.")


@click.command()
@click.option(
    "--into",
    "directory",
    metavar="DIR",
    type=DIRECTORY,
    default=Path("demo-archive"),
    show_default=True,
    help="Where the demo archive goes; made when there is none.",
)
@as_json
def demo(directory: Path, as_json: bool) -> None:
    """Archive and verify a small news site with an image proxy on loopback; no internet needed."""
    from archiver import tell
    from archiver.demo.run import archive_world

    out = Output(as_json)
    out.say("A small news site and an image proxy run on loopback; their pictures are archived now.")
    kept = archive_world(directory, report=lambda note: tell.note(out, note), say=out.say)
    out.say("Some pictures failed on purpose: that, too, is kept. Now the integrity check:")
    code = _verify(out, directory, deep=True)
    out.say(f"{kept.articles} articles are in {directory}. Look at them: {sys.argv[0]} browse {directory}")
    raise SystemExit(code)
