"""`archiver verify`, and how other commands end with it."""

from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json, budget, directory, key_folder, share, trust
from archiver.console import Output


@click.command()
@directory
@click.option(
    "--deep", is_flag=True, help="Also parse every record, decode every picture, compare the catalogue."
)
@click.option(
    "--sample",
    type=share,
    metavar="SHARE",
    help="Read only this share of the WARC files' bytes, whole files drawn at random: 5%.",
)
@click.option(
    "--budget",
    type=budget,
    metavar="TIME",
    help="Begin no WARC file after this time: 90s, 30m, 2h. What was read the longest ago comes first, so"
    " that the same command, again and again, reads all.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write a report: what is damaged, what it means for which article, how to mend it.",
)
@trust
@as_json
def verify(
    *,
    directory: Path,
    deep: bool,
    sample: float | None,
    budget: float | None,
    html: Path | None,
    as_json: bool,
    **vouched: Any,
) -> None:
    """Check that nothing in the archive changed since it was sealed."""
    from archiver.verify import Limits
    from archiver.verify.trust import gather

    limits = Limits(share=sample, seconds=budget)
    trusted = gather(vouched.pop("key"), vouched.pop("against"), key_folder(), **vouched)
    code = check(Output(as_json), directory, html, thorough=deep, limits=limits, trust=trusted)
    raise SystemExit(code)


def check(out: Output, root: Path, html: Path | None = None, **options: Any) -> int:
    """Check an archive, tell of it, and return the exit code. `options` are those of Verification."""
    import msgspec

    from archiver import tell
    from archiver.checks import Checks
    from archiver.errors import StorageError
    from archiver.signals import stoppable
    from archiver.tell.report import Report
    from archiver.verify import Verification

    report = Report(html, root) if html else None
    with stoppable() as stop, Checks(root) as checks:
        checking = Verification(root, checks=checks, stop=stop, **options)
        with out.alive(lambda: f"{checking.records} records in {checking.files} files checked"):
            for finding in checking.findings():
                out.row(msgspec.to_builtins(finding))
                out.say(tell.finding_words(finding))
                if report:
                    report.add(finding)
    tell.checked(out, checking, checks.failure)
    if report:
        try:
            report.write(checking)
        except StorageError as error:
            out.say(f"The report was not written: {error}.")
            return checking.exit_code or error.exit_code
    return checking.exit_code
