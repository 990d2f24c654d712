"""`archiver repair` and `protect`."""

from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json, directory, key_folder, network, share, transfer
from archiver.console import Output

_PAR2 = click.option(
    "--par2",
    metavar="PROGRAM",
    type=click.Path(path_type=Path),
    help="The par2 program.  [default: par2 on PATH]",
)


@click.command()
@directory
@click.option(
    "--from",
    "copies",
    multiple=True,
    metavar="COPY",
    help="A copy, whole or damaged: an archive, any folder, a WARC file, an evidence bundle, or the http(s)"
    " URL of the archive's folder.",
)
@_PAR2
@network
@transfer
@as_json
def repair(
    directory: Path, copies: tuple[str, ...], par2: Path | None, as_json: bool, **options: Any
) -> None:
    """Put committed bytes back that are damaged or missing, from any copy that has them."""
    import msgspec

    from archiver import tell
    from archiver.checks import Checks
    from archiver.repair import repair as mend
    from archiver.tell.mended import Mended
    from archiver.verify import Verification
    from archiver.verify.trust import gather

    options["total_seconds"] = options.pop("max_time")
    out, keys = Output(as_json), key_folder()
    trust = gather(folder=keys)  # a mistake there is said before anything is changed
    told = Mended(out)
    with out.alive(lambda: f"{len(told.replaced)} files repaired"):
        healed = mend(
            directory, copies, network=options, par2=par2, report=told.result, say=out.say, keys=keys
        )
    for line in healed:
        out.say(f"healed {line}")
    out.say("Now the integrity check, which judges the result:")
    with Checks(directory) as checks:
        check = Verification(directory, trust=trust, checks=checks)
        with out.alive(lambda: f"{check.records} records in {check.files} files checked"):
            for finding in check.findings():
                out.row(msgspec.to_builtins(finding))
                out.say(tell.finding_words(finding))
    out.row(
        {
            "type": "summary",
            **told.summary(),
            "healed": healed,
            "verdict": check.verdict,
            "findings": check.findings_count,
            "exit_code": check.exit_code,
        }
    )
    out.say(told.verdict(check.verdict))
    raise SystemExit(check.exit_code)


@click.command()
@directory
@click.option(
    "--parity",
    "part",
    type=share,
    default="5%",
    show_default=True,
    metavar="PERCENT",
    help="How much of each file may be lost.",
)
@_PAR2
@as_json
def protect(directory: Path, part: float, par2: Path | None, as_json: bool) -> None:
    """Make parity of each sealed file, from which 'repair' mends small damage when there is no copy."""
    from archiver.repair import protect as make_parity
    from archiver.tell.mended import protected

    out = Output(as_json)
    made: list[int] = []

    def report(result: Any) -> None:
        made.append(result.bytes)
        protected(out, result)

    with out.alive(lambda: f"{len(made)} files protected"):
        damaged = make_parity(directory, 100 * part, par2, report, out.say)
    for name in damaged:
        out.say(f"not protected, for it is damaged: {name}")
    code = 4 if damaged else 0
    summary = {"protected": len(made), "bytes": sum(made), "damaged": damaged, "exit_code": code}
    out.row({"type": "summary", **summary})
    if damaged:
        out.say(f"NOT ALL PROTECTED: {len(damaged)} files are damaged. Run 'archiver repair', then again.")
    else:
        out.say(f"Parity was made for {len(made)} files; what had some already keeps it.")
    raise SystemExit(code)
