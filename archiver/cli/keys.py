"""`archiver key` and `archiver sign`."""

from pathlib import Path

import click

from archiver.cli.options import DIRECTORY, FILE, as_json, directory, given_keys, key_folder, new_passphrase
from archiver.console import Output


@click.group()
def key() -> None:
    """Make, show and change the keys that sign archives, and name those of others that you trust."""


@key.command()
@click.argument("name", metavar="[NAME]", default="default")
@click.option("--passphrase", is_flag=True, help="Encrypt it; asked for, or taken from $ARCHIVER_PASSPHRASE.")
@as_json
def make(name: str, passphrase: bool, as_json: bool) -> None:
    """Make a key in the key folder; the first one signs your archives from then on."""
    from archiver.tell import keys

    out, folder = Output(as_json), key_folder()
    made = folder.make(name, new_passphrase() if passphrase else None)
    keys.key(out, made.name, made.public, default=folder.default == made.name)
    out.row({"type": "summary", "folder": str(folder.path)})
    out.say(f"It lies in {folder.path}. Keep a copy of it elsewhere: what is lost cannot be made again.")


@key.command()
@click.argument("archive", metavar="[DIR]", type=DIRECTORY, required=False)
@as_json
def show(archive: Path | None, as_json: bool) -> None:
    """List your keys and those you trust; of an archive also who signed its checkpoints."""
    from archiver import signing
    from archiver.tell import keys

    out, folder = Output(as_json), key_folder()
    manifest, lines = signing.signers(archive, folder) if archive else (None, [])
    keys.own(out, folder, manifest.origin if manifest else "")
    keys.lines(out, lines)
    out.row({"type": "summary", "folder": str(folder.path)})
    if manifest:
        out.say(
            f"{len(lines)} signature lines on {len(manifest.checkpoints)} checkpoints of {manifest.origin}."
        )


@key.command()
@click.argument("name", metavar="NEWNAME")
@directory
@click.option("--passphrase", is_flag=True, help="Encrypt the new key, if it is made now.")
@as_json
def rotate(name: str, directory: Path, passphrase: bool, as_json: bool) -> None:
    """Let another key sign the archive from now on, named by a record that the old key signs, too."""
    from archiver import signing
    from archiver.tell import keys

    out, folder = Output(as_json), key_folder()
    made = signing.rotate(directory, folder, name, new_passphrase() if passphrase else None, out.say)
    keys.key(out, made.name, made.public, signing.signers(directory, folder)[0].origin, default=True)
    out.row({"type": "summary", "folder": str(folder.path)})
    out.say("Both keys signed the rotation. New archives are signed by the new key, too.")


@key.command()
@click.argument("verifier_key", metavar="VKEY")
@as_json
def trust(verifier_key: str, as_json: bool) -> None:
    """Vouch for somebody else's key: a verifier key, or the path of a PEM file."""
    from archiver.keys import verifier_key as parsed
    from archiver.manifest.signednote import fingerprint

    out, folder = Output(as_json), key_folder()
    found = parsed(verifier_key)
    new = folder.trust(found)
    printed = fingerprint(found.public)
    out.row({"type": "trusted", "name": found.name, "fingerprint": printed, "verifier_key": str(found)})
    out.row({"type": "summary", "folder": str(folder.path)})
    out.say(f"You vouch for {found.name}, {printed}" + ("." if new else ", as before."))


@click.command()
@directory
@click.option("--as", "name", metavar="NAME", help="The key to sign with.  [default: the archive's]")
@click.option("--witness", is_flag=True, help="Cosign: also say when, as a witness of somebody's archive.")
@click.option("--add", type=FILE, metavar="FILE", help="Add lines that others made: a signed note, or lines.")
@click.option("--key", "given", multiple=True, metavar="VKEY", help="With --add: a key to judge them by.")
@as_json
def sign(
    *,
    directory: Path,
    name: str | None,
    witness: bool,
    add: Path | None,
    given: tuple[str, ...],
    as_json: bool,
) -> None:
    """Sign the newest checkpoint, after checking that the archive goes on from what was signed before."""
    from archiver import signing
    from archiver.tell import keys

    if (add and (name or witness)) or (given and not add):
        raise click.UsageError("--add goes with --key alone, and --key with --add.")
    out, folder = Output(as_json), key_folder()
    if add:
        lines = signing.add(directory, add, folder, given_keys(given))
    else:
        lines = signing.sign(directory, folder, name, witness=witness)
    keys.lines(out, lines)
    out.row({"type": "summary", "lines": len(lines)})
    out.say(f"{len(lines)} signature lines added." if lines else "Signed already by this key.")
