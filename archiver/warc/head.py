"""The head of a stored record, without inflating its body: the WARC fields, and an HTTP message's head.

Lenient, for it reads files of others, too: any WARC/… version, LF alone, fields that are repeated.
"""

import re
import zlib
from dataclasses import dataclass

from archiver.warc.http import Message, parse_message
from archiver.warc.read import HEAD_BYTES

_STEP, _MOST = 2048, 1 << 16  # bytes that are taken in and given out at once: most heads have fewer
_END = re.compile(rb"\r?\n\r?\n")
GZIP = b"\x1f\x8b"  # RFC 1952 section 2.3.1


@dataclass(frozen=True)
class Head:
    """WARC fields, of each the first, names in lower case; `http`: the head of what is application/http.

    `ended`: whether the bytes held all of it.
    """

    fields: dict[str, str]
    http: Message | None = None
    ended: bool = True

    def get(self, name: str) -> str | None:
        return self.fields.get(name)


class _Opened:
    """The first bytes of a record, inflated as far as they are looked at."""

    def __init__(self, stored: bytes) -> None:
        self._inflate = zlib.decompressobj(31) if stored.startswith(GZIP) else None
        self.data = b"" if self._inflate else stored
        self._stored, self._at, self._rest = stored, 0, b""

    def more(self) -> bool:
        """Inflate a little; False at the end of what is there."""
        if self._inflate is None or self._inflate.eof:
            return False
        given = self._rest or self._stored[self._at : self._at + _STEP]
        self._at += 0 if self._rest else len(given)
        try:
            self.data += self._inflate.decompress(given, _MOST)
        except zlib.error:
            return False
        self._rest = self._inflate.unconsumed_tail
        return bool(given)

    def end_of_head(self, start: int) -> int | None:
        """Where the first empty line after `start` ends; None when there is none in HEAD_BYTES."""
        at = start
        while True:
            found = _END.search(self.data, at, start + HEAD_BYTES)
            if found:
                return found.end()
            at = max(start, len(self.data) - 3)
            if len(self.data) - start > HEAD_BYTES or not self.more():
                return None


def read_head(stored: bytes) -> Head | None:
    """The head in the first bytes of a stored record, a gzip member or plain; None where there is none."""
    opened = _Opened(stored)
    end = opened.end_of_head(0)
    if end is None:
        return None
    first, *lines = opened.data[:end].decode("utf-8", "replace").split("\n")
    if not first.upper().startswith("WARC/"):
        return None
    pairs = [line.partition(":") for line in reversed(lines)]
    fields = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
    head = Head(fields)
    if (head.get("content-type") or "").lower().startswith("application/http"):
        ended = opened.end_of_head(end) is not None
        return Head(fields, parse_message(opened.data[end:]), ended)
    return head
