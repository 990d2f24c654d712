"""What a URL means: its canonical form, and the publisher's own URL behind image proxies. No I/O."""

import html
import re
from html.entities import html5
from typing import Any

import msgspec

from archiver.addresses.pangea import upload_time
from archiver.addresses.proxies import Proxies, ProxyRule, Undone
from archiver.addresses.urls import canonical
from archiver.errors import UsageError
from archiver.model import Noun

__all__ = [
    "NESTING",
    "PUBLIC",
    "Address",
    "Proxies",
    "ProxyRule",
    "Wrapped",
    "canonical",
    "explain",
    "upload_time",
]

NESTING = 16  # proxies within proxies that are followed
PUBLIC = Proxies()

_STRIPPED = "".join(map(chr, range(0x21)))  # what a browser takes off a URL's ends
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,31});")


class Wrapped(Noun, frozen=True):
    """A proxy's URL to ask, canonical, with the proxy's own parameters, keys in lower case."""

    url: str
    proxy: str  # ProxyRule.name
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class Address(Noun, frozen=True):
    """What a URL means.

    `origin` is the publisher's own URL: without a proxy the canonical form of `url`, behind one
    the URL that the proxy asks for. `via` are the proxies, outermost first.
    """

    url: str  # as given
    origin: str | None = None
    via: tuple[Wrapped, ...] = ()
    reason: str = ""  # why there is no origin

    @property
    def proxy(self) -> str | None:
        """The outermost proxy's name."""
        return self.via[0].proxy if self.via else None

    @property
    def parameters(self) -> dict[str, str]:
        """The outermost proxy's own."""
        return self.via[0].parameters if self.via else {}

    def row(self) -> dict[str, Any]:
        """Return the JSON form: url, origin, proxy, parameters; via and reason where they say more."""
        row: dict[str, Any] = {
            "url": self.url,
            "origin": self.origin,
            "proxy": self.proxy,
            "parameters": self.parameters,
        }
        if len(self.via) > 1:
            row["via"] = [msgspec.to_builtins(wrapped) for wrapped in self.via]
        return row | {"reason": self.reason} if self.reason else row


def explain(written: str, proxies: Proxies = PUBLIC) -> Address:
    """Return what `written` means; for any str, whatever it holds.

    Both an HTML attribute's value and its source text may be given: docs/addresses.md, "HTML escapes".
    """
    literal, outer, reason = _requested(written, proxies)
    meant, asked = literal, literal
    plain = _unescaped(written)
    if plain != written:
        if not (outer and outer.found):
            asked = None
        meant, outer, _ = _requested(plain, proxies)
    if meant is None or outer is None:
        return Address(url=written, origin=literal, reason=reason)
    first = Wrapped(url=asked or meant, proxy=outer.proxy, parameters=outer.parameters)
    via, last = _inwards(first, outer, proxies)
    return Address(url=written, origin=last.origin, via=via, reason=last.reason)


def _inwards(first: Wrapped, outer: Undone, proxies: Proxies) -> tuple[tuple[Wrapped, ...], Undone]:
    """Follow proxies within a proxy: all of them, and the innermost one undone."""
    via = [first]
    last = outer
    while last.origin is not None:
        try:
            url = canonical(last.origin)
        except UsageError:  # weserv asks for URLs that no browser takes
            break
        within = proxies.undo(url)
        if within is None:
            break
        if len(via) == NESTING:
            reason = f"more than {NESTING} proxies within one another"
            return tuple(via), Undone(within.proxy, within.parameters, None, reason)
        via.append(Wrapped(url=url, proxy=within.proxy, parameters=within.parameters))
        last = within
    return tuple(via), last


def _requested(text: str, proxies: Proxies) -> tuple[str | None, Undone | None, str]:
    """Return the canonical form of `text` and the proxy it goes through; or None and why not.

    `//host/…` is read as https, and so is a proxy's name without any scheme, as mirrors write it.
    """
    text = text.lstrip(_STRIPPED)
    if text.startswith("//"):
        text = "https:" + text
    elif text[:1].isalnum() and not text[:8].lower().startswith(("http://", "https://")):
        try:
            url = canonical(f"https://{text}")
        except UsageError:
            pass
        else:
            undone = proxies.undo(url, anywhere=False)
            if undone:
                return url, undone, ""
    try:
        url = canonical(text)
    except UsageError as error:
        return None, None, str(error)
    return url, proxies.undo(url), ""


def _unescaped(text: str) -> str:
    """Undo HTML character references that end in `;`. Without it `&copy=1` is a parameter."""
    return _REFERENCE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    reference = found[0]
    known = reference[1] == "#" or reference[1:] in html5
    return html.unescape(reference) if known else reference
