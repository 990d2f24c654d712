"""The key by which an index sorts URLs: the SURT form of a URL that is made alike for what is the same.

`http://www.News.example:80/a/?b=2&a=1#x` → `example,news)/a?a=1&b=2`. Rules: the canonical form of Google's
Safe Browsing API (escapes, dots, addresses), then that of the Wayback Machine's keys (case, `www.`, session
ids, order of parameters), host labels reversed. Indexes by other programs must agree on every byte.
"""

import ipaddress
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import SplitResultBytes, unquote_to_bytes

_SCHEME = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]*:")
_TWICE = re.compile(rb"(https?://)+")
# RFC 3986 appendix B: scheme, authority, path, query.
_PARTS = re.compile(
    rb"(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL
)
_TO_ESCAPE = re.compile(rb"[^!\"$&-~]")
_WWW = re.compile(rb"www\d*\.")
_OCTAL = re.compile(rb"0[0-7]*(?:\.[0-7]+){0,3}")
_DECIMAL = re.compile(rb"[1-9][0-9]*(?:\.[0-9]+){0,3}")
_PORTS = {b"http": 80, b"https": 443}
_PATH_SESSIONS = (
    re.compile(rb"(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)", re.IGNORECASE),
    re.compile(rb"(.*/)\([0-9a-z]{24}\)/([^?]+\.aspx.*)", re.IGNORECASE),
)
_QUERY_SESSIONS = tuple(
    re.compile(rb"(.*)" + name + rb"(?:&(.*))?", re.IGNORECASE)
    for name in (
        rb"jsessionid=[0-9a-z]{32}",
        rb"phpsessid=[0-9a-z]{32}",
        rb"sid=[0-9a-z]{32}",
        rb"aspsessionid[a-z]{8}=[a-z]{24}",
        rb"cfid=[^&]+&cftoken=[^&]+",
    )
)


def surt(url: str) -> str:
    """The key of a URL. What cannot be read as one is its own key."""
    if not url:
        return "-"
    try:
        return _key(url.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    except ValueError:  # a port that is none, an address in brackets that does not end
        return url


def _key(url: bytes) -> bytes:
    if url.startswith(b"filedesc"):
        return url
    url = re.sub(rb"[\n\r\t]", b"", url.strip())
    url = url if _SCHEME.match(url) else b"http://" + url
    found = _PARTS.fullmatch(_TWICE.sub(rb"\1", url, count=1) if _TWICE.match(url) else url)
    scheme, authority, path, query = found.groups() if found else (b"", b"", url, b"")
    where = SplitResultBytes(b"", (authority or b"").rstrip(b":"), b"", b"", b"")
    host, port = where.hostname or b"", where.port or None
    if not host and path and scheme.startswith(b"http"):
        host, _, rest = path.lstrip(b"/").partition(b"/")
        path = b"/" + rest
    host = _host(host)
    path = _path(_unescaped(path), hierarchical=bool(host))
    query = _query(_escaped(_unescaped(query or b"")))
    end = path + (b"?" + query if query else b"")
    if not host:
        return scheme + b":" + (b"/" + end if end.startswith(b"?") else end)
    shown = b":%d" % port if port and port != _PORTS.get(scheme.lower()) else b""
    return b",".join(reversed(host.split(b"."))) + shown + b")" + end


def _unescaped(data: bytes) -> bytes:
    while b"%" in data and (found := unquote_to_bytes(data)) != data:
        data = found
    return data


def _escaped(data: bytes) -> bytes:
    return _TO_ESCAPE.sub(lambda byte: b"%%%02X" % byte[0][0], data)


@lru_cache(10_000)
def _host(host: bytes) -> bytes:
    host = _unescaped(host)
    if not host.isascii():
        with suppress(UnicodeError):
            host = host.decode("utf-8", "ignore").encode("idna")
    host = host.replace(b"..", b".").strip(b".")
    host = _address(host) or _escaped(host.lower()).lower()
    found = _WWW.match(host)
    return host[found.end() :] if found else host


def _address(host: bytes) -> bytes | None:
    """An IPv4 address in one of the forms of inet_aton(3), in its usual one; None for what is none."""
    if host.isdigit():
        return str(ipaddress.IPv4Address(int(host[-4000:]) & 0xFFFFFFFF)).encode()
    if not (_OCTAL.fullmatch(host) or _DECIMAL.fullmatch(host)):
        return None
    try:
        numbers = [
            int(each, 8 if len(each) > 1 and each.startswith(b"0") else 10) for each in host.split(b".")
        ]
    except ValueError:
        return None
    *first, last = numbers
    if any(each > 255 for each in first) or last >= 256 ** (4 - len(first)):
        return None
    value = sum(each << 24 - 8 * place for place, each in enumerate(first)) + last
    return str(ipaddress.IPv4Address(value)).encode()


def _path(path: bytes, *, hierarchical: bool) -> bytes:
    if hierarchical:
        path = _without_dots(path)
    path = _escaped(path).lower()
    for session in _PATH_SESSIONS if b".aspx" in path else ():
        found = session.fullmatch(path)
        path = found[1] + found[2] if found else path
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path


def _without_dots(path: bytes) -> bytes:
    """Segments `.` and `..` resolved, empty ones left out but for the last."""
    kept: list[bytes] = []
    for segment in path.split(b"/")[1:]:
        if segment == b".." and kept:
            kept.pop()
        elif segment != b".":
            kept.append(segment)
    return b"/" + b"".join(each + b"/" for each in kept[:-1] if each) + (kept[-1] if kept else b"")


def _query(query: bytes) -> bytes:
    for session in _QUERY_SESSIONS if b"id" in query.lower() else ():
        found = session.fullmatch(query)
        query = found[1] + (found[2] or b"") if found else query
    if len(query) <= 1:
        return query.lower()
    return b"&".join(
        b"=".join(each) for each in sorted(part.split(b"=", 1) for part in query.lower().split(b"&"))
    )
