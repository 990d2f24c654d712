"""`archiver rebuild`, and `demo`, which ends with `verify`."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from archiver.cli.options import DIRECTORY, as_json, directory, key_folder
from archiver.cli.verifying import check
from archiver.console import Output


@click.command()
@directory
@as_json
def rebuild(directory: Path, as_json: bool) -> None:
    """Make the catalogue anew from the WARC files alone."""
    import msgspec

    from archiver import tell, upkeep

    out = Output(as_json)
    doing: list[Callable[[], str]] = [lambda: "reading the WARC files"]

    def relating(words: Callable[[], str]) -> AbstractContextManager[None]:
        doing.append(words)
        return nullcontext()

    with out.alive(lambda: f"{doing[-1]()}"):
        records, healed, absent = upkeep.rebuild(directory, out.say, key_folder(), relating)
        drift = upkeep.hash_drift(directory)
    for line in healed:
        out.say(f"healed {line}")
    hashes = [msgspec.to_builtins(each) for each in drift]
    code = 3 if absent else 0
    out.row(
        {
            "type": "summary",
            "records": records,
            "healed": healed,
            "hashes": hashes,
            "absent": absent,
            "exit_code": code,
        }
    )
    for each in drift:
        out.say(tell.drift_words(each))
    for line in absent:
        out.say(f"NOT AT HAND: {line}. Its rows are what its record list says.")
    out.say(f"The catalogue was made anew from {records} records.")
    if absent:
        out.say("Run it again when the files are there; 'archiver verify' says where they were.")
    raise SystemExit(code)


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

    out, whole = Output(as_json), directory.resolve()  # also of "."
    folder = KeyFolder(whole.with_name(f"{whole.name}-keys"))
    out.say("A small news site and an image proxy run on loopback; their pictures are archived now.")
    kept = archive_world(directory, report=lambda note: tell.note(out, note), say=out.say, keys=folder)
    out.say("Some pictures failed on purpose: that, too, is kept. Now the integrity check:")
    code = check(out, directory, thorough=True, trust=gather(folder=folder))
    out.say(f"{kept.articles} articles are in {directory}. Look at them: {sys.argv[0]} browse {directory}")
    raise SystemExit(code)
