"""archiver.toml: an archive's settings, all optional (docs/settings.md)."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from archiver.addresses import ProxyRule, canonical
from archiver.errors import UsageError

NAME = "archiver.toml"
Host = Annotated[str, msgspec.Meta(pattern=r"^[^\s/?#@]{1,260}$")]
Prefix = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s@#]{1,1000}$")]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`instances`: hosts of self-hosted weserv proxies, "img.example.org" or with a port.

    `proxies`: further image proxies. `timegate`: before a URL it names the archive's copies (RFC 7089).
    """

    instances: tuple[Host, ...] = ()
    proxies: tuple[ProxyRule, ...] = ()
    timegate: Prefix = "https://web.archive.org/web/"


def load(root: Path) -> Settings:
    """The settings of the archive in `root`; UsageError names the setting that is wrong."""
    path = root / NAME
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path}: {error}", "docs/settings.md lists the settings.") from error
    try:
        canonical(found.timegate)
    except UsageError as error:
        raise UsageError(f"{path}: timegate: {error}", error.advice) from error
    return found
