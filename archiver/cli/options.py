"""What several commands take, and how what a person typed becomes a value."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DIRECTORY = click.Path(file_okay=False, path_type=Path)
_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}  # curl's: --limit-rate, 1024-based
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,6})?)"

as_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON Lines on stdout, people's text on stderr."
)


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


def percent(written: str) -> float:
    """`5%` → 5.0."""
    found = re.fullmatch(_NUMBER + "%?", written)
    value = float(found[1]) if found else 0
    if not 0 < value <= 100:
        raise click.BadParameter(f"{written!r} is no percentage. Write a number up to 100 with %: 5%.")
    return value


def age(written: str) -> float:
    """`90m`, `26h`, `2d` → seconds."""
    found = re.fullmatch(_NUMBER + "([smhd])", written)
    if found is None:
        raise click.BadParameter(f"{written!r} is no age. Write a number with s, m, h or d: 26h.")
    return float(found[1]) * _AGES[found[2]]


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
        "--allow-private", multiple=True, metavar="CIDR", help="Allow connections to these private addresses."
    ),
    click.option(
        "--max-time",
        type=click.FloatRange(min=0.1, max=86400),
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


def network(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the network is reached: curl's options, each a field of `Network`."""
    for option in reversed(_NETWORK):
        command = option(command)
    return command
