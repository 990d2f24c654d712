"""What several commands take, and how what a person typed becomes a value."""

import math
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DIRECTORY = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, path_type=Path)
_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}  # curl's: --limit-rate, 1024-based
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,6})?)"

as_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON Lines on stdout, people's text on stderr."
)


_NETWORK = (
    click.option(
        "--resolve", multiple=True, metavar="HOST:PORT:ADDR", help="Use this address for a host, as curl."
    ),
    click.option(
        "--connect-to",
        multiple=True,
        metavar="HOST1:PORT1:HOST2:PORT2",
        help="Connect elsewhere instead, as curl.",
    ),
    click.option("--proxy", metavar="URL", help="An http, https, socks5 or socks5h proxy, as curl."),
    click.option(
        "--cacert",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        help="PEM certificates to trust instead of the usual ones.",
    ),
    click.option(
        "--allow-private",
        multiple=True,
        metavar="CIDR",
        help="Allow connections to these private addresses.",
    ),
)


_ARCHIVE: Any = {"metavar": "DIR", "type": DIRECTORY, "default": Path(), "envvar": "ARCHIVER_DIR"}
in_archive = click.option(
    "--in", "directory", **_ARCHIVE, help="The archive. Default: $ARCHIVER_DIR, else here."
)
into_archive = click.option(
    "--into",
    "directory",
    **_ARCHIVE,
    help="The archive's folder, made when there is none. Default: $ARCHIVER_DIR, else here.",
)


def network(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how hosts are reached; their names are fields of `Network`."""
    for option in reversed(_NETWORK):
        command = option(command)
    return command


def directory(command: Callable[..., Any]) -> Callable[..., Any]:
    """The archive's folder as the last argument."""
    argument = click.argument(
        "directory", metavar="[DIR]", type=DIRECTORY, default=Path(), envvar="ARCHIVER_DIR"
    )
    return argument(command)


def settings(root: Path, instances: tuple[str, ...]) -> Any:
    """The archive's settings with the image proxies that the person named beside them."""
    import msgspec

    from archiver import config

    found = config.load(root)
    return msgspec.structs.replace(found, instances=(*found.instances, *instances))


def trust(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the person vouches for: `key`, `against`, `roots` and `headers`."""
    key = click.option(
        "--key",
        multiple=True,
        metavar="VKEY",
        help="A key that signs this archive: a verifier key, or the path of a PEM file.",
    )
    against = click.option(
        "--against",
        multiple=True,
        type=FILE,
        metavar="PATH",
        help="A checkpoint, manifest.json or archive that was kept elsewhere: this archive goes on from it.",
    )
    roots = click.option(
        "--roots",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="PEM file of a timestamp authority's roots; then those that lie in the archive do not count.",
    )
    headers = click.option(
        "--bitcoin-header",
        "headers",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Header of a Bitcoin block, 80 bytes or hexadecimal, for OpenTimestamps: you vouch for it.",
    )
    return key(against(roots(headers(command))))


def key_folder() -> Any:
    """The key folder of the person, who is asked for passphrases on a terminal."""
    from archiver.keys import KeyFolder

    return KeyFolder.of_person(_passphrase)


def given_keys(written: tuple[str, ...]) -> list[Any]:
    from archiver.keys import verifier_key

    return [verifier_key(each) for each in written]


def _passphrase(words: str) -> str | None:
    """Typed by the person; None when there is no terminal."""
    if not sys.stdin.isatty():
        return None
    return str(click.prompt(words, hide_input=True, default="", show_default=False, err=True)) or None


def new_passphrase() -> str:
    found = os.environ.get("ARCHIVER_PASSPHRASE")
    if not found and sys.stdin.isatty():
        found = click.prompt("Passphrase of the new key", hide_input=True, confirmation_prompt=True, err=True)
    if not found:
        raise click.UsageError("There is no terminal to ask for a passphrase: set ARCHIVER_PASSPHRASE.")
    return str(found)


def age(written: str) -> float:
    """`90m`, `26h`, `2d` → seconds."""
    return _seconds(written, "age", "26h")


def budget(written: str) -> float:
    """`90s`, `30m`, `2h` → seconds."""
    return _seconds(written, "time", "30m")


def _seconds(written: str, what: str, example: str) -> float:
    found = re.fullmatch(_NUMBER + "([smhd])", written)
    if found is None:
        raise click.BadParameter(f"{written!r} is no {what}. Write a number with s, m, h or d: {example}.")
    return float(found[1]) * _AGES[found[2]]


def size(written: str) -> int:
    """`500MB`, `1GB`, `2GiB` → bytes."""
    found = re.fullmatch(_NUMBER + "([kmgt]?)(i?)b?", written.lower())
    count = (
        0
        if found is None
        else float(found[1]) * (1024 if found[3] else 1000) ** " kmgt".index(found[2] or " ")
    )
    if count < 1:
        raise click.BadParameter(f"{written!r} is no size. Write bytes, or a number with MB, GB or TB: 1GB.")
    return math.floor(count)


def share(written: str) -> float:
    """`5%` → 0.05."""
    found = re.fullmatch(_NUMBER + "%", written)
    part = float(found[1]) / 100 if found else 0.0
    if not 0 < part <= 1:
        raise click.BadParameter(f"{written!r} is no share. Write a number above 0 and up to 100 with %: 5%.")
    return part


def rate(written: str) -> int:
    """`500k`, `1.5M` → bytes a second, as curl reads it."""
    found = re.fullmatch(_NUMBER + "([kmg]?)", written.lower())
    count = math.floor(float(found[1]) * _RATES[found[2]]) if found else 0
    if count < 1:
        raise click.BadParameter(
            f"{written!r} is no rate. Write bytes a second, or a number with k, M or G: 500k."
        )
    return count


def reason(written: str) -> str:
    """A line of text that is put on record."""
    said = written.strip()
    if not said or len(said) > 500 or not said.isprintable():
        raise click.BadParameter("Say why, in one line of at most 500 characters: it is put on record.")
    return said


def _number(_: click.Context, option: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which a range lets through
        raise click.BadParameter("nan is no number.", param=option)
    return value


_TRANSFER = (
    click.option(
        "--max-time",
        type=click.FloatRange(min=0.1, max=86400),
        callback=_number,
        default=120,
        show_default=True,
        metavar="SECONDS",
        help="For one request.",
    ),
    click.option(
        "--limit-rate",
        type=rate,
        metavar="RATE",
        help="Bytes a second for all downloads together, as curl: 500k, 2M.",
    ),
)


def transfer(command: Callable[..., Any]) -> Callable[..., Any]:
    """How long and how fast; their names are `max_time` and `limit_rate`."""
    for option in reversed(_TRANSFER):
        command = option(command)
    return command
