"""What every answer passes on its way out: who may ask under which name, and what a page may load."""

import re
from collections.abc import Callable, Collection
from typing import Any

from archiver.browse.hosts import host_name, is_address
from archiver.browse.tables.inert import inert_csv

# Datasette's own pages need their inline scripts and styles; they load nothing from elsewhere.
_STOCK_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
    " script-src 'self' 'unsafe-inline'; connect-src 'self'; font-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": _STOCK_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
_STRANGER = (
    421,
    b"This server is not asked by that name. Use its IP address, or allow the name with --allow-host.\n",
)
_LARGE = (413, b"No form of this server is as large.\n")
_ODD = (400, b"This form cannot be read.\n")
_FORM_BYTES = 64 << 10
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
# Datasette's cookies, in the octets of RFC 6265, section 4.1.1.
_COOKIE = re.compile(rb"(?:^|;)[ \t]*(ds_\w+=[!#-+\x2d-:<-\[\]-~]*)[ \t]*(?=;|$)", re.ASCII)
_INSIDE = (403, b"What Datasette says of itself is not for the public.\n")


def guarded(
    app: Any, hosts: Collection[str] | None, shown: Collection[str] | None, at_end: Callable[[], None]
) -> Any:
    """Wrap an ASGI application. `hosts`: names it may be asked by, besides any IP address; None: all.

    A page of another site that points its own name at this machine (DNS rebinding) is turned away,
    as its name is in the Host field; what a proxy says in X-Forwarded-Host is not looked at. `shown`: what
    may follow `/-/` in an address; None: all. `at_end` is called when the server shuts down.
    """

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, _ending(send, at_end))
            return
        send = _with_headers(send)
        if hosts is not None:
            scope = {**scope, "headers": _own_cookies(scope.get("headers", ()))}
        if hosts is not None and not _allowed(scope, hosts):
            await _turn_away(send, *_STRANGER)
        elif shown is not None and _inside(scope, shown):
            await _turn_away(send, *_INSIDE)
        elif hosts is not None and scope["method"] not in _READING:
            await _posted(app, scope, receive, send)
        else:
            await app(scope, receive, inert_csv(send) if scope["path"].endswith(".csv") else send)

    return asgi


def _own_cookies(headers: Any) -> list[tuple[bytes, bytes]]:
    """Leave out what other servers set: cookies know no ports, and Python fails on odd ones."""
    kept = [(name, value) for name, value in headers if name.lower() != b"cookie"]
    sent = b";".join(value for name, value in headers if name.lower() == b"cookie")
    own = b"; ".join(_COOKIE.findall(sent))
    return [*kept, (b"cookie", own)] if own else kept


async def _posted(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Pass a small form on: Datasette 0.65 holds a whole one in memory to find its token."""
    body, more = b"", True
    while more and len(body) <= _FORM_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > _FORM_BYTES:
        await _turn_away(send, *_LARGE)
        return
    whole = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return whole.pop() if whole else await receive()

    try:
        await app(scope, again, send)
    except (AssertionError, IndexError, TypeError, ValueError):  # asgi-csrf, of an odd form, cookie or field
        await _turn_away(send, *_ODD)


def _allowed(scope: Any, hosts: Collection[str]) -> bool:
    stated = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name.lower() == b"host"]
    name = host_name(stated[0]) if len(stated) == 1 else ""
    return bool(name) and (is_address(name) or name in hosts)


def _inside(scope: Any, shown: Collection[str]) -> bool:
    """Whether a path is one of Datasette's own below `/-/`, which tell of folders and settings."""
    _, mark, rest = scope["path"].partition("/-/")
    return bool(mark) and rest.split("/")[0] not in shown


def _with_headers(send: Any) -> Any:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [tuple(header) for header in message.get("headers", ())]
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in _HEADERS.items() if name not in present]
            message = {**message, "headers": headers}
        await send(message)

    return sending


def _ending(send: Any, at_end: Callable[[], None]) -> Any:
    async def sending(message: Any) -> None:
        if message["type"].startswith("lifespan.shutdown"):
            at_end()
        await send(message)

    return sending


async def _turn_away(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
