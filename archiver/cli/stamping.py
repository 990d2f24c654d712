"""`archiver timestamp`."""

from pathlib import Path
from typing import Any

import click

from archiver.cli.options import as_json, directory, key_folder, network
from archiver.console import Output


@click.command()
@directory
@click.option(
    "--authority", metavar="URL", help="Also ask this authority, which archiver.toml does not name."
)
@click.option(
    "--roots",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For --authority: PEM file of the roots by which its answer is judged.",
)
@click.option(
    "--renew",
    is_flag=True,
    help="First seal a WARC file that names the timestamps so far, so that the new ones vouch for them.",
)
@network
@as_json
def timestamp(
    directory: Path, authority: str | None, roots: Path | None, renew: bool, as_json: bool, **options: Any
) -> None:
    """Ask timestamp authorities (RFC 3161) that have not stamped the newest checkpoint yet."""
    import msgspec

    from archiver import config, tell, upkeep
    from archiver.capture.wire.fetch import Network, user_agent
    from archiver.kept import OUTCOMES, Asked

    if (authority is None) != (roots is None):
        raise click.UsageError("--authority and --roots go together.")
    found = config.load(directory)
    proof = found.proof
    if authority is not None and roots is not None:
        added = config.authority(authority, roots.resolve())
        proof = msgspec.structs.replace(proof, authorities=(*proof.authorities, added))
    if not proof.authorities:
        raise click.UsageError(
            "No authority is known. Name one with --authority and --roots, or in archiver.toml:"
            " docs/timestamps.md says how."
        )
    out, came = Output(as_json), list[Asked]()

    def told(asked: Asked) -> None:
        came.append(asked)
        tell.timestamp(out, asked)

    asking = Network(user_agent=user_agent(found.contact or None), **options)
    keys = key_folder()
    for line in upkeep.timestamp(directory, asking, proof, renew=renew, told=told, say=out.say, keys=keys):
        out.say(f"healed {line}")
    counts: dict[str, int] = {name: sum(asked.outcome == name for asked in came) for name in OUTCOMES}
    code = 3 if counts["failed"] else 0
    out.row({"type": "summary", **counts, "exit_code": code})
    if not came:
        out.say("Nothing to ask for: every authority has stamped the newest checkpoint.")
    raise SystemExit(code)
