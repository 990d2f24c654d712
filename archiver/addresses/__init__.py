"""What a URL means: its canonical form, and the publisher's own URL behind an image proxy. No I/O."""

import html
import re
from collections.abc import Collection
from html.entities import html5

import msgspec

from archiver.addresses import weserv
from archiver.addresses.pangea import upload_time
from archiver.addresses.urls import canonical
from archiver.addresses.weserv import is_weserv
from archiver.errors import UsageError
from archiver.model import Noun

__all__ = ["NESTING", "Address", "canonical", "explain", "is_weserv", "upload_time"]

NESTING = 16  # proxies within proxies that are followed

_STRIPPED = "".join(map(chr, range(0x21)))  # what a browser takes off a URL's ends
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,31});")


class Address(Noun, frozen=True):
    """What a URL means.

    `origin` is the publisher's own URL: without a proxy the canonical form of `url`, behind one
    the URL that the proxy asks for. `via` are the proxies' URLs to ask, canonical, outermost first.
    """

    url: str  # as given
    origin: str | None = None
    proxy: str | None = None  # "weserv": the outermost one
    # the outermost proxy's own, keys in lower case
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    via: tuple[str, ...] = ()
    reason: str = ""  # why there is no origin

    def row(self) -> dict[str, str | dict[str, str] | None]:
        """Return the JSON form: url, origin, proxy and parameters always, reason where there is one."""
        row: dict[str, str | dict[str, str] | None] = {
            "url": self.url,
            "origin": self.origin,
            "proxy": self.proxy,
            "parameters": self.parameters,
        }
        return row | {"reason": self.reason} if self.reason else row


def explain(written: str, *, instances: Collection[str] = ()) -> Address:
    """Return what `written` means; for any str, whatever it holds.

    `instances` are self-hosted weserv servers, each a host or host:port (UsageError for any other).
    Both an HTML attribute's value and its source text may be given: docs/addresses.md, "HTML escapes".
    """
    literal, reason = _requested(written, instances)
    meant, _ = _requested(_unescaped(written), instances)
    if meant is None or not is_weserv(meant, instances):
        return Address(url=written, origin=literal, reason=reason)
    origin, reason, within = _unwrapped(meant, instances)
    asked = literal is not None and is_weserv(literal, instances) and weserv.has_url(literal)
    return Address(
        url=written,
        origin=origin,
        proxy="weserv",
        parameters=weserv.parameters_of(meant),
        via=(literal if literal is not None and asked else meant, *within),
        reason=reason,
    )


def _unwrapped(url: str, instances: Collection[str]) -> tuple[str | None, str, tuple[str, ...]]:
    """Follow a proxy's canonical URL inwards: the origin or None, the reason, the inner proxies' URLs."""
    within: list[str] = []
    while len(within) < NESTING:
        origin, reason = weserv.origin_of(url)
        if origin is None or not is_weserv(origin, instances):
            return origin, reason, tuple(within)
        url = canonical(origin)
        within.append(url)
    return None, f"more than {NESTING} proxies within one another", tuple(within)


def _requested(text: str, instances: Collection[str]) -> tuple[str | None, str]:
    """Return the canonical form of `text`, or None and why not.

    `//host/…` is read as https, and so is a proxy's name without any scheme, as mirrors write it.
    """
    text = text.lstrip(_STRIPPED)
    if text.startswith("//") or (text[:1].isalnum() and is_weserv(f"https://{text}", instances)):
        text = "https://" + text.removeprefix("//")
    try:
        return canonical(text), ""
    except UsageError as error:
        return None, str(error)


def _unescaped(text: str) -> str:
    """Undo HTML character references that end in `;`. Without it `&copy=1` is a parameter."""
    return _REFERENCE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    reference = found[0]
    known = reference[1] == "#" or reference[1:] in html5
    return html.unescape(reference) if known else reference
