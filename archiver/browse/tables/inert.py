"""CSV that a spreadsheet and a terminal take for text, whatever an article's title says.

A cell that begins with one of = + - @ is a formula to spreadsheets (OWASP, "CSV Injection"): it gets a `'`
before it, which they read as "this is text". Numbers stay. Control and direction characters are left out.
"""

import re
from typing import Any

from archiver.browse.words import plain

_CELL = re.compile(r'("(?:[^"]|"")*+"|[^,"\r\n]*+)(,|\r?\n|\Z)')
_FORMULA = re.compile(r'"?\s*[=+\-@\uff1d\uff0b\uff0d\uff20]')
_NUMBER = re.compile(r'"?[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"?')
_ROW_BYTES = 16 << 20


class Rows:
    """Takes CSV (RFC 4180) in pieces, gives back whole rows made inert."""

    def __init__(self) -> None:
        self._open = b""
        self._quoted = False

    def take(self, piece: bytes, *, last: bool) -> bytes:
        done: list[bytes] = []
        for line in piece.splitlines(keepends=True) if b"\n" in piece else [piece]:
            self._open += line
            self._quoted ^= line.count(b'"') % 2 == 1
            if (line.endswith(b"\n") and not self._quoted) or len(self._open) > _ROW_BYTES:
                done.append(self._row())
        if last:
            done.append(self._row())
        return b"".join(done)

    def _row(self) -> bytes:
        text, self._open, self._quoted = self._open.decode("utf-8", "replace"), b"", False
        return _CELL.sub(_inert, text).encode()


def _inert(cell: re.Match[str]) -> str:
    text = plain(cell[1])
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = f"\"'{text[1:]}" if text.startswith('"') else f"'{text}"
    return text + cell[2]


def inert_csv(send: Any) -> Any:
    """Wrap an ASGI `send` of an answer that is CSV."""
    rows = Rows()

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"content-length"]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            last = not message.get("more_body", False)
            message = {**message, "body": rows.take(message.get("body", b""), last=last)}
        await send(message)

    return sending
