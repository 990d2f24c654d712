"""The image proxy weserv (images.weserv.nl, wsrv.nl, self-hosted): which URL it fetches for us.

The grammar is the server's own, weserv/images commit caa4e8e on nginx 1.22, as docs/addresses.md
spells it out. It is not that of HTML forms, nor the WHATWG's.
"""

import ipaddress
import re
from urllib.parse import unquote

VALUE_BYTES = 4  # least length of the value of `url`, as sent
LABEL_BYTES = 63
DOMAIN_BYTES = 253
PORT_LAST = 65535

_SCHEMES = (
    (b"http://", b"http://"),
    (b"https://", b"https://"),
    (b"ssl:", b"https://"),
    (b"//", b"https://"),
)
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # RFC 3490 section 3.1
_ESCAPE = re.compile(rb"%(?:([0-9A-Fa-f]{2})|[0-9A-Fa-f].?|(.?))", re.DOTALL)
_NOT_IN_A_URI = re.compile(rb'[\x00-\x20"<>\\^`{|}\x7f-\xff]')  # RFC 3986 section 2, and % is allowed
_NOT_IN_A_HOST = re.compile(r"[^!\"$&-.0-9;=A-Z_`a-z{}~]")  # WHATWG forbidden domain code points


class _Refused(Exception):
    """Why weserv would not fetch anything."""


def has_url(url: str) -> bool:
    """Say whether the server finds a parameter `url` in this canonical URL."""
    return _value(url) is not None


def origin_of(url: str) -> tuple[str | None, str]:
    """Return the URL that weserv fetches when asked for `url` (canonical), and "".

    Where it fetches nothing: None, and why in words.
    """
    value = _value(url)
    if value is None:
        return None, "no parameter url: the proxy shows a page of its own"
    try:
        return _target(value), ""
    except _Refused as refusal:
        return None, str(refusal)


def parameters_of(url: str) -> dict[str, str]:
    """Return the proxy's own parameters in a canonical URL, without `url`.

    Keys are lower-cased and the first of equal keys wins; values are decoded once, `+` kept.
    """
    found: dict[str, str] = {}
    for pair in _query(url).split("&"):
        key, _, value = pair.partition("=")
        if key and key.lower() != "url":
            found.setdefault(key.lower(), unquote(value))
    return found


def _query(url: str) -> str:
    return url.partition("?")[2]


def _value(url: str) -> str | None:
    pairs = _query(url).split("&")
    return next((pair[4:] for pair in pairs if pair[:4].lower() == "url="), None)


def _target(value: str) -> str:
    if len(value) < VALUE_BYTES:
        raise _Refused(f"the value of url has fewer than {VALUE_BYTES} characters")
    scheme, rest = _split_scheme(_decode(value.encode()))
    rest = rest.partition(b"#")[0]
    start = next((at for mark in (b"/", b"?") if (at := rest.find(mark)) >= 0), len(rest))
    split = _split_ipv6 if rest.startswith(b"[") else _split_authority
    host, port, path = split(_ascii_domain(rest[:start]), rest[start:])
    if not path.startswith(b"/"):
        path = b"/" + path
    return f"{scheme.decode()}{host.lower()}{port}{_encode(path)}"


def _decode(value: bytes) -> bytes:
    """Percent-decode once as nginx does (ngx_unescape_uri, type 0): a broken escape is eaten.

    `%` before a character that is no hex digit vanishes; so does `%` with one hex digit and the
    character after it.
    """
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else found[2] or b"", value)


def _encode(path: bytes) -> str:
    return _NOT_IN_A_URI.sub(lambda found: b"%%%02X" % found[0][0], path).decode("ascii")


def _split_scheme(decoded: bytes) -> tuple[bytes, bytes]:
    for prefix, scheme in _SCHEMES:
        if len(decoded) > len(prefix) and decoded[: len(prefix)].lower() == prefix:
            return scheme, decoded[len(prefix) :].lstrip(b"/")
    return b"http://", decoded.lstrip(b"/")


def _ascii_domain(domain: bytes) -> str:
    """Return everything before the path with each non-ASCII label as `xn--` and RFC 3492 punycode.

    No nameprep, no lower-casing. One dot at the end is dropped.
    """
    try:
        labels = _DOTS.split(domain.decode())
    except UnicodeDecodeError as error:
        raise _Refused("the host is not UTF-8") from error
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    _check_lengths(labels, len(domain))  # before the encoding too: its cost is quadratic
    labels = [label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels]
    written = ".".join(labels)
    _check_lengths(labels, len(written))
    return written


def _check_lengths(labels: list[str], domain: int) -> None:
    if any(len(label.encode()) > LABEL_BYTES for label in labels):
        raise _Refused(f"a part of the host is longer than {LABEL_BYTES} bytes")
    if domain > DOMAIN_BYTES:
        raise _Refused(f"the host is longer than {DOMAIN_BYTES} bytes")


def _split_authority(domain: str, path: bytes) -> tuple[str, str, bytes]:
    """Split into host, ":port" or "", and path; `domain` holds the query too where a `/` comes after it."""
    authority, mark, query = domain.partition("?")
    host, colon, port = authority.partition(":")
    if "@" in authority:
        raise _Refused("the host has a user name before it")
    if not host:
        raise _Refused("there is no host")
    if colon:
        _check_port(port)
    if strange := _NOT_IN_A_HOST.search(host):
        raise _Refused(f"no host can have {strange[0]!r} in its name")
    return host, colon + port, (mark + query).encode() + path


def _split_ipv6(domain: str, path: bytes) -> tuple[str, str, bytes]:
    """Split `[address]:port` likewise; here only a `/` ends the port."""
    host, bracket, port = domain[1:].partition("]")
    try:
        if not bracket or "%" in host:
            raise ValueError(host)
        ipaddress.IPv6Address(host)
    except ValueError as error:
        raise _Refused("the host is not an IPv6 address") from error
    if port[:1] not in ("", ":") or path.startswith(b"?"):
        raise _Refused("neither a port nor a path follows the IPv6 address")
    if port:
        _check_port(port[1:])
    return f"[{host}]", port, path


def _check_port(port: str) -> None:
    digits = port.lstrip("0")
    if not (port.isascii() and port.isdigit() and digits and len(digits) <= len(str(PORT_LAST))):
        raise _Refused(f"not a port: {port[:20]!r} (an unknown scheme, or a password?)")
    if int(digits) > PORT_LAST:
        raise _Refused(f"not a port: {port}")
