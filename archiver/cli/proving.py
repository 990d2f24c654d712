"""`archiver verify` and `rebuild`, and `demo`, which ends with the former."""

import sys
from pathlib import Path
from typing import Any

import click

from archiver.cli.options import DIRECTORY, as_json, directory, key_folder, trust
from archiver.console import Output


@click.command()
@directory
@click.option(
    "--deep", is_flag=True, help="Also parse every record, decode every picture, compare the catalogue."
)
@trust
@as_json
def verify(directory: Path, *, deep: bool, as_json: bool, **vouched: Any) -> None:
    """Check that nothing in the archive changed since it was sealed."""
    from archiver.verify.trust import gather

    trusted = gather(vouched["key"], vouched["against"], key_folder(), vouched["roots"])
    raise SystemExit(_verify(Output(as_json), directory, trusted, deep=deep))


def _verify(out: Output, root: Path, trusted: Any, *, deep: bool) -> int:
    import msgspec

    from archiver import tell
    from archiver.tell import keys
    from archiver.verify import Verification

    check = Verification(root, thorough=deep, trust=trusted)
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
        **keys.summary(check),
        "timestamps": tell.proved_rows(check.times),
        "deep": deep,
        "exit_code": code,
    }
    out.row(summary)
    looked = f"{check.records} records in {check.files} files"
    if check.verdict == "ok":
        for line in (*keys.proved(check), *tell.proved_words(check.times)):
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
    from archiver import upkeep

    out = Output(as_json)
    with out.alive(lambda: "reading the WARC files"):
        records, healed = upkeep.rebuild(directory, out.say, key_folder())
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
    from archiver.keys import KeyFolder
    from archiver.verify.trust import gather

    out, folder = Output(as_json), KeyFolder(directory.with_name(f"{directory.resolve().name}-keys"))
    out.say("A small news site and an image proxy run on loopback; their pictures are archived now.")
    kept = archive_world(directory, report=lambda note: tell.note(out, note), say=out.say, keys=folder)
    out.say("Some pictures failed on purpose: that, too, is kept. Now the integrity check:")
    code = _verify(out, directory, gather(folder=folder), deep=True)
    out.say(f"{kept.articles} articles are in {directory}. Look at them: {sys.argv[0]} browse {directory}")
    raise SystemExit(code)
