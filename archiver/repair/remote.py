"""A copy of the archive's folder on a web server: only what is needed is asked for, in ranges if it can be.

Everything goes through the archiver's own Client: its guard, limits and timeouts. How much may come is
bounded by what the archive commits. No redirect is followed.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import Client
from archiver.errors import FetchError
from archiver.repair.copies import Bytes, LocalBytes, Say

WHOLE_BYTES = 256 << 20  # of a file from a server that knows no ranges: it is held in memory
_AHEAD_BYTES, _MOST_AHEAD_BYTES = 64 << 10, 8 << 20  # asked for at once, when a file is read in order
_HEAD_BYTES = 64 << 10


class Remote:
    """A folder's URL. Once a server cannot be reached or breaks the rules, it is not asked again."""

    def __init__(self, url: str, client: Client, say: Say) -> None:
        self.name, self._client, self._say = url, client, say
        self._base = url if url.endswith("/") else f"{url}/"
        self._dead = False

    @contextmanager
    def named(self, path: str, most: int) -> Iterator[Bytes | None]:
        yield None if self._dead or not most else _RemoteFile(self, self._base + quote(path), most)

    def files(self) -> Generator[LocalBytes, None, None]:
        """None: what lies there under other names is not known."""
        yield from ()

    def ask(self, url: str, offset: int, length: int, most: int) -> Exchange | None:
        """The answer to one request for a range; None for a file that is not there.

        Raises FetchError.
        """
        if self._dead:
            raise FetchError(f"{self.name}: is not asked any more", "request")
        fields = {"Accept-Encoding": "identity", "Range": f"bytes={offset}-{offset + length - 1}"}
        exchange = self._client.exchange(url, headers=fields, most=most + _HEAD_BYTES)
        exchange.release()
        if exchange.status is not None and exchange.status not in (200, 206):
            if exchange.status not in (404, 410, 416):
                self._say(f"{url}: the server answers {exchange.status}")
            return None
        longer = exchange.status == 200 and exchange.truncated == "length"  # than anybody needs
        if (exchange.error is not None and not longer) or exchange.status is None:
            self._dead = True
            self._say(f"{url}: {exchange.error}; this copy is not asked again")
            raise exchange.error or FetchError(f"{url}: no answer", "response")
        return exchange


class _RemoteFile:
    """One file of it. What was read last is held, so that records in a row are few requests."""

    def __init__(self, remote: Remote, url: str, most: int) -> None:
        self.name, self._remote, self._most = url, remote, most
        self._at, self._held = 0, b""
        self._ahead = _AHEAD_BYTES
        self._all = False  # `_held` is the whole file
        self._gone = False

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self._most - offset)
        if length <= 0:
            return b""
        end = self._at + len(self._held)
        if not (self._at <= offset and offset + length <= end) and not self._all and not self._gone:
            self._ahead = min(2 * self._ahead, _MOST_AHEAD_BYTES) if offset == end else _AHEAD_BYTES
            self._fetch(offset, min(max(length, self._ahead), self._most - offset))
        start = offset - self._at
        return self._held[start : start + length] if start >= 0 else b""

    def _fetch(self, offset: int, length: int) -> None:
        self._at, self._held = offset, b""
        exchange = self._remote.ask(self.name, offset, length, self._most_of_answer(length))
        if exchange is None:
            self._gone = True
            return
        body = exchange.entity_body()
        if exchange.status == 206:
            self._held = body[:length]
            if len(self._held) < length:  # its end; and a server that gives byte by byte is not followed
                self._most = offset + len(self._held)
        else:
            self._at, self._held, self._all = 0, body, True

    def _most_of_answer(self, length: int) -> int:
        """A server that knows no ranges gives all of the file."""
        return max(length, min(self._most, WHOLE_BYTES))
