"""Templates by which mirrors write a proxy's URL, read backwards.

The variables are those of RSSHub's setting `image_hotlink_template` (lib/middleware/anti-hotlink.ts): the
parts of a URL as in JavaScript (WHATWG URL Standard, section 6.1), as they are (`${href}`) or encoded by
encodeURIComponent (`${href_ue}`). `_b64` (base64url) and `_hex` are ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from archiver.addresses.urls import canonical
from archiver.errors import UsageError

_VARIABLE = re.compile(r"\$\{(\w{1,20})\}")
_PARTS = {
    "href": ".+",
    "origin": "https?://[^/?]+",
    "protocol": "https?:",
    "host": "[^/?]+",
    "hostname": r"(?:\[[^]/?]+\]|[^]:/?[]+)",
    "port": "[0-9]*",
    "pathname": "/[^?]*",
    "search": r"(?:\?.*)?",
}
_FORMS = {
    "": ("", ""),
    "_ue": (":percent", "[0-9A-Za-z_.!~*'()%-]*"),
    "_b64": (":base64", "[0-9A-Za-z_=-]*"),
    "_hex": (":hex", "[0-9A-Fa-f]*"),
}


@dataclass(frozen=True)
class Backwards:
    """A template read backwards, in the words of a ProxyRule: the proxy's server, `path` and `origin`."""

    server: str
    path: str
    origin: str


def backwards(template: str) -> Backwards:
    """Return how to find the origin in what the template makes. Raises UsageError for a bad template."""
    names: list[str] = _VARIABLE.findall(template)
    if len(set(names)) < len(names):
        raise UsageError("it has a variable twice")
    pieces = {name: _piece(name) for name in names}
    made = canonical(_VARIABLE.sub(lambda found: _token(found[1]), template))
    server = urlsplit(made).netloc
    subject = made.partition(server)[2]
    if any(_token(name) in server for name in names):
        raise UsageError("a variable is in its host")
    path = re.escape(subject)
    for name, (_, expression) in pieces.items():
        path = path.replace(re.escape(_token(name)), f"(?P<{name}>{expression})")
    if "?" in subject:
        path += "(?:&.*)?"
    return Backwards(server, path, "".join(_composed({_part(name)[0]: pieces[name][0] for name in names})))


def _composed(have: dict[str, str]) -> Iterator[str]:
    """Yield the pieces of the origin; `have` maps a part of the URL to its piece."""
    if "href" in have:
        yield have["href"]
        return
    if "pathname" not in have or not have.keys() & {"origin", "host", "hostname"}:
        raise UsageError("it has neither ${href} nor a host and ${pathname}")
    if "origin" in have:
        yield have["origin"]
    else:
        if "protocol" in have:
            yield have["protocol"] + "//"
        yield have.get("host") or have["hostname"]
        if "host" not in have and "port" in have:
            yield ":" + have["port"]
    yield have["pathname"] + have.get("search", "")


def _piece(name: str) -> tuple[str, str]:
    """Return the variable's place in `origin` and its regular expression."""
    part, form = _part(name)
    coding, expression = _FORMS[form]
    return f"{{{name}{coding}}}", expression or _PARTS[part]


def _part(name: str) -> tuple[str, str]:
    part, mark, form = name.partition("_")
    if part not in _PARTS or mark + form not in _FORMS:
        known = " ".join(_PARTS)
        raise UsageError(f"${{{name}}} is no variable", f"known: {known}, and these with _ue, _b64 or _hex")
    return part, mark + form


def _token(name: str) -> str:
    """Return a text that stands for a variable and is the same in canonical form."""
    return f"variable0{name.encode().hex()}0"
