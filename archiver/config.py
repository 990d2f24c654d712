"""archiver.toml: an archive's settings, all optional (docs/settings.md)."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from archiver.addresses import ProxyRule, canonical
from archiver.errors import UsageError

NAME = "archiver.toml"
Host = Annotated[str, msgspec.Meta(pattern=r"^[^\s/?#@]{1,260}$")]
Prefix = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s@#]{1,1000}$")]
Contact = Annotated[str, msgspec.Meta(max_length=200)]
Seconds = Annotated[float, msgspec.Meta(ge=0.1, le=3600)]


class Manners(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hosts are treated. `delay` None: worked out anew for each host (docs/settings.md)."""

    parallel: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8
    per_host: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    delay: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    patience: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 600


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request may take: seconds, and bytes on the wire."""

    connect_seconds: Seconds = 10
    first_byte_seconds: Seconds = 30
    read_seconds: Seconds = 20
    slow_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)] = 1024
    slow_seconds: Seconds = 30
    bytes: Annotated[int, msgspec.Meta(ge=1024, le=1 << 30)] = 100 << 20
    redirects: Annotated[int, msgspec.Meta(ge=0, le=50)] = 10


class Revisits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From how many bytes on a payload is stored once and referred to after that."""

    bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 30)] = 512


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a run that goes on seals its WARC file and begins another."""

    bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)] = 1 << 30
    minutes: Annotated[float, msgspec.Meta(ge=0.01, le=10080)] = 30


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is asked for timestamps, and the PEM file of the roots to judge them by, seen from the archive.

    A calendar of OpenTimestamps has no roots.
    """

    url: Prefix
    roots: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    kind: Literal["rfc3161", "opentimestamps"] = "rfc3161"


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How what is sealed is vouched for. `beacon`: a public source of randomness, asked as a file begins."""

    sign: bool = True
    authorities: Annotated[tuple[Authority, ...], msgspec.Meta(max_length=20)] = ()
    beacon: Prefix | None = None


class Browse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many bytes of thumbnails and change maps are kept outside the archive; 0: none."""

    cache_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 40)] = 512 << 20


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`instances`: hosts of self-hosted weserv proxies, "img.example.org" or with a port.

    `proxies`: further image proxies. `timegate`: before a URL it names the archive's copies (RFC 7089).
    `contact`: where a publisher reaches the person, as the User-Agent says it.
    """

    instances: tuple[Host, ...] = ()
    proxies: tuple[ProxyRule, ...] = ()
    timegate: Prefix = "https://web.archive.org/web/"
    contact: Contact = ""
    manners: Manners = Manners()
    limits: Limits = Limits()
    revisits: Revisits = Revisits()
    seal: Seal = Seal()
    proof: Proof = Proof()
    browse: Browse = Browse()


def load(root: Path) -> Settings:
    """The settings of the archive in `root`; UsageError names the setting that is wrong."""
    path = root / NAME
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, msgspec.ValidationError) as error:
        raise UsageError(f"{path}: {error}", "docs/settings.md lists the settings.") from error
    rootless = next(
        (each for each in found.proof.authorities if not each.roots and each.kind == "rfc3161"), None
    )
    if rootless is not None:
        raise UsageError(
            f"{path}: proof.authorities: {rootless.url} has no roots",
            "Name the PEM file of the authority's roots: nothing is kept that was not judged.",
        )
    try:
        canonical(found.timegate)
    except UsageError as error:
        raise UsageError(f"{path}: timegate: {error}", error.advice) from error
    return found


def authority(url: str, roots: Path) -> Authority:
    """An authority that a person names on the command line; UsageError for what cannot be asked."""
    try:
        return msgspec.convert({"url": url, "roots": str(roots)}, Authority)
    except msgspec.ValidationError as error:
        raise UsageError(f"--authority {url}: {error}", "Give its http or https URL.") from error


def overridden(found: Manners, options: dict[str, Any]) -> Manners:
    """The manners with the person's options put over them; UsageError for what is out of bounds."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return msgspec.convert(msgspec.to_builtins(found) | given, Manners)
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$.")
        option = "--" + where.rstrip("`").replace("_", "-")
        raise UsageError(f"{option}: {why}", "docs/settings.md has the bounds.") from error
